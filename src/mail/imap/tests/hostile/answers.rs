//! IMAP, but not what was asked for, or not true: folders, searches, mails, and what comes while nobody asks.

use super::{
    lines::CALM,
    server::{DONE, EXAMINE, FETCH, IDLE, SEARCH, mail},
    *,
};

const NOTHING: [&str; 0] = [];

/// One mail with these items after its UID.
fn fetched(items: &str) -> String {
    format!("* 4 FETCH (UID 4 {items})\r\n<tag> OK done\r\n")
}
const DATE: &str = "INTERNALDATE \"20-Nov-2026 09:00:00 +0100\"";

pub(super) fn folders() -> Vec<Case> {
    let opened = |what: &str, said: &str, expected: &[&str]| {
        let said = format!("* 1 EXISTS\r\n{said}<tag> OK [READ-ONLY] done\r\n");
        case(&format!("a folder {what}")).at(EXAMINE, said).expect(expected)
    };
    let validity = "* OK [UIDVALIDITY 7] ok\r\n";
    vec![
        opened("without UIDVALIDITY", "", &["0/4 INBOX genuine"]),
        opened("with a UIDVALIDITY of 0", "* OK [UIDVALIDITY 0] ok\r\n", &["0/4 INBOX genuine"]),
        opened("with two", &format!("* OK [UIDVALIDITY 6] ok\r\n{validity}"), &CALM),
        opened("with one beyond 32 bits", "* OK [UIDVALIDITY 4294967296] ok\r\n", &["0/4 INBOX genuine"]),
        opened("with one that is negative", "* OK [UIDVALIDITY -1] ok\r\n", &["0/4 INBOX genuine"]),
        opened("with more mails than 32 bits", &format!("* 99999999999 EXISTS\r\n{validity}"), &CALM),
        opened("with -1 mails", &format!("* -1 EXISTS\r\n* -1 RECENT\r\n{validity}"), &CALM),
        opened("with a UIDNEXT of 0", &format!("{validity}* OK [UIDNEXT 0] ok\r\n"), &CALM),
        opened("with a UIDNEXT of -1", &format!("{validity}* OK [UIDNEXT -1] ok\r\n"), &CALM),
        opened(
            "whose HIGHESTMODSEQ is without an end",
            &format!("* OK [HIGHESTMODSEQ\r\n* OK [HIGHESTMODSEQ 5]\r\n{validity}"),
            &CALM,
        ),
        opened(
            "with flags that are none",
            &format!("* FLAGS (((\r\n* OK [PERMANENTFLAGS (\\*\r\n{validity}"),
            &CALM,
        ),
        opened(
            "that closes another first",
            &format!("* 9 FETCH (FLAGS ())\r\n* OK [CLOSED] old\r\n{validity}"),
            &CALM,
        ),
        opened("with mails in its answer", &format!("{}{validity}", mail("4", "other")), &CALM),
        case("a folder that is refused")
            .at(EXAMINE, "<tag> NO [NONEXISTENT] gone\r\n")
            .expect(&["unreachable: localhost: EXAMINE \"INBOX\" is refused: [NONEXISTENT] gone"]),
        case("a folder that is called BAD")
            .at(EXAMINE, "<tag> BAD what\r\n")
            .expect(&["unreachable: localhost: EXAMINE \"INBOX\": what"]),
    ]
}

pub(super) fn searches() -> Vec<Case> {
    let found = |what: &str, said: &str, expected: &[&str]| {
        case(&format!("SEARCH finds {what}")).at(SEARCH, format!("{said}<tag> OK done\r\n")).expect(expected)
    };
    let many: String = (5..100_000).map(|uid| format!(" {uid}")).collect();
    let mut first: Vec<String> = (99_744..100_000).map(|uid| format!("7/{uid} INBOX genuine")).collect();
    first.push("localhost: INBOX: 99739 older mails wait for the next look".into());
    let first: Vec<&str> = first.iter().map(String::as_str).collect();
    vec![
        found("UID 0", "* SEARCH 0 4\r\n", &CALM),
        found("nothing, without saying so", "", &NOTHING),
        found("something in two answers", "* SEARCH 4\r\n* SEARCH\r\n", &CALM),
        found("the same twice, with a blank behind it", "* SEARCH 4 4 \r\n", &CALM),
        found("what ESEARCH found, which was not asked", "* ESEARCH (TAG \"a5\") UID ALL 4\r\n", &NOTHING),
        found(
            "a UID beyond 32 bits",
            "* SEARCH 99999999999\r\n",
            &["unreachable: localhost: SEARCH: its answer is no IMAP"],
        ),
        found("-1", "* SEARCH -1\r\n", &["unreachable: localhost: SEARCH: its answer is no IMAP"]),
        found("a mail in its answer", &format!("{}* SEARCH 4\r\n", mail("4", "other")), &CALM),
        found("a folder that was replaced meanwhile", "* OK [UIDVALIDITY 8] new\r\n* SEARCH 4\r\n", &CALM),
        found("100,000 mails", &format!("* SEARCH{many}\r\n"), &first),
        case("SEARCH is answered by FETCH")
            .at(SEARCH, format!("{}<tag> OK\r\n", mail("4", "other")))
            .expect(&NOTHING),
    ]
}

pub(super) fn mails() -> Vec<Case> {
    let unasked = |uid: &str| {
        let why = format!(
            "unreachable: localhost: FETCH: the server answered with mail {uid}, which was not asked for"
        );
        let said = format!("{}<polite>", mail(uid, "other"));
        case(&format!("a mail that was not asked for, of UID {uid}")).at(FETCH, said).expect(&[&why])
    };
    let one = |what: &str, items: &str, expected: &[&str]| {
        case(&format!("a mail {what}")).at(FETCH, fetched(items)).expect(expected)
    };
    let no_date = "localhost: INBOX: mail 4 came without a date";
    let no_body = "localhost: INBOX: mail 4 came without a body";
    let hello = "7/4 INBOX hello";
    let long = format!("{DATE} RFC822.SIZE 5 BODY[]<0> {{70000}}\r\n{}", "x".repeat(70_000));
    let dated = |date: &str| format!("INTERNALDATE \"{date}\" BODY[]<0> {{5}}\r\nhello");
    vec![
        unasked("999"),
        unasked("0"),
        case("a mail twice, with other bytes")
            .at(FETCH, format!("{}{}<tag> OK\r\n", mail("4", "first"), mail("4", "second")))
            .expect(&["7/4 INBOX first"]),
        case("a mail without a UID").at(FETCH, format!("* 4 FETCH ({DATE} BODY[] {{2}}\r\nhi)\r\n<tag> OK\r\n")).expect(&NOTHING),
        case("a mail in three responses")
            .at(FETCH, format!("* 1 FETCH (UID 4 {DATE})\r\n* 1 FETCH (UID 4 FLAGS ())\r\n* 1 FETCH (UID 4 BODY[] {{5}}\r\nhello)\r\n<tag> OK\r\n"))
            .expect(&[hello]),
        case("no mail at all").at(FETCH, "<tag> OK done\r\n").expect(&NOTHING),
        case("only the sequence number of a mail").at(FETCH, "* 4 FETCH (FLAGS (\\Seen))\r\n<tag> OK\r\n").expect(&NOTHING),
        one("without a body", DATE, &[no_body]),
        one("of NIL", &format!("{DATE} BODY[]<0> NIL"), &[no_body]),
        one("of two sizes", &format!("{DATE} RFC822.SIZE 9 RFC822.SIZE 5 BODY[]<0> {{5}}\r\nhello"), &[hello]),
        one("of 4 GiB, in five bytes", &format!("{DATE} RFC822.SIZE 4294967295 BODY[]<0> {{5}}\r\nhello"), &[hello]),
        one("of a negative size", &format!("{DATE} RFC822.SIZE -1 BODY[]<0> {{5}}\r\nhello"), &["unreachable: localhost: FETCH: its answer is no IMAP"]),
        one("in quotes", &format!("{DATE} BODY[]<0> \"hello\""), &[hello]),
        one("of another part", &format!("{DATE} BODY[TEXT]<0> {{5}}\r\nhello"), &[no_body]),
        one("with an item more, and a blank behind it", &format!("{DATE} MODSEQ (12) X-GM-MSGID 1278455344230334865 BODY[]<0> {{5}}\r\nhello "), &[hello]),
        one("with an item that is unknown", &format!("{DATE} EMAILID (M6d99ac32) BODY[]<0> {{5}}\r\nhello"), &["unreachable: localhost: FETCH: its answer is no IMAP"]),
        one("of no date", "BODY[]<0> {5}\r\nhello", &[no_date]),
        one("of some day", &dated("some day"), &[no_date]),
        one("of a date of NIL", "INTERNALDATE NIL BODY[]<0> {5}\r\nhello", &[no_date]),
        one("of 31 February", &dated("31-Feb-2026 09:00:00 +0000"), &[no_date]),
        one("of a zone of 99 hours", &dated("20-Nov-2026 09:00:00 +9999"), &[no_date]),
        one("of the year 99999", &dated("20-Nov-99999 09:00:00 +0000"), &[no_date]),
        one("of the year 0000", &dated("20-Nov-0000 09:00:00 +0000"), &[hello]),
        case("a mail that is longer than it was said to be, and longer than what was asked for")
            .at(FETCH, fetched(&long))
            .expect(&CALM),
        case("FETCH is answered by SEARCH").at(FETCH, "* SEARCH 4\r\n<tag> OK\r\n").expect(&NOTHING),
        case("FETCH is refused").at(FETCH, "<tag> NO [EXPUNGEISSUED] gone\r\n").expect(
            &["localhost: FETCH is refused: [EXPUNGEISSUED] gone"]),
        case("FETCH fails after the mail came").at(FETCH, format!("{}<tag> NO some failed\r\n", mail("4", "hello"))).expect(
            &["localhost: FETCH is refused: some failed"]),
    ]
}

/// What real servers say, as their users reported it.
pub(super) fn shapes() -> Vec<Case> {
    vec![
        case("Exchange: lines of -1").at(SEARCH, "* -1 FETCH (FLAGS (\\Seen))\r\n* -1 EXISTS\r\n<polite>").expect(&CALM),
        case("Exchange: a blank at the end of a line").at(EXAMINE, "* STATUS INBOX (MESSAGES 1) \r\n* 1 EXISTS \r\n<polite>").expect(&CALM),
        case("Gmail: no words behind HIGHESTMODSEQ").at(EXAMINE, "* OK [HIGHESTMODSEQ 12]\r\n* OK [UIDNEXT 5]\r\n* OK [UIDVALIDITY 7]\r\n<tag> OK [READ-ONLY]\r\n").expect(&CALM),
        case("Gmail: labels and threads beside the mail")
            .at(FETCH, fetched(&format!("X-GM-THRID 1266894439832287888 X-GM-LABELS (\"\\\\Inbox\" foo) {DATE} BODY[]<0> {{5}}\r\nhello")))
            .expect(&["7/4 INBOX hello"]),
        case("Zoho: a status without words").at(SEARCH, "* SEARCH 4\r\n<tag> OK \r\n").expect(&CALM),
        case("Dovecot: still here, while it searches").at(SEARCH, "* OK Still here\r\n* OK Searched 31% of the mailbox, ETA 0:02\r\n<polite>").expect(&CALM),
        case("a quota of nothing").at(SEARCH, "* QUOTAROOT INBOX \"\"\r\n* QUOTA \"\" (STORAGE 0 0)\r\n<polite>").expect(&CALM),
        case("QQ: a blank before the last parenthesis")
            .at(FETCH, fetched(&format!("{DATE} BODY[]<0> {{5}}\r\nhello ")))
            .expect(&["7/4 INBOX hello"]),
        case("a mail that is saved and named").at(FETCH, "* 4 FETCH (UID 4 SAVEDATE NIL)\r\n<polite>").expect(
            &["unreachable: localhost: FETCH: its answer is no IMAP"]),
    ]
}

/// While nobody asks: IDLE.
pub(super) fn idle() -> Vec<Case> {
    let idle = |what: &str, said: &str, woken: &str| {
        case(&format!("IDLE: {what}")).at(IDLE, said).waits().expect(&[CALM[0], woken])
    };
    let lost = |what: &str, said: &str, why: &str| {
        let why = format!("unreachable: localhost: {why}");
        case(&format!("IDLE: {what}")).at(IDLE, said).waits().expect(&[CALM[0], &why])
    };
    let storm = "* 1 EXPUNGE\r\n".repeat(100_000);
    let no_imap = "IDLE: its answer is no IMAP";
    vec![
        idle("nothing happens", "<polite>", "Timeout"),
        idle("EXISTS before the continuation", "* 2 EXISTS\r\n<polite>", "News"),
        idle("EXISTS beyond 32 bits", "<polite>* 99999999999 EXISTS\r\n", "News"),
        idle("an empty folder", "<polite>* 0 EXISTS\r\n", "Timeout"),
        idle("it is not available", "<tag> NO not today\r\n", "Timeout"),
        idle("it is unknown", "<tag> BAD what\r\n", "Timeout"),
        idle("it is over at once", "<tag> OK that was it\r\n", "Timeout"),
        idle("it is over soon", "<polite><tag> OK enough\r\n", "Timeout"),
        idle("a storm of EXPUNGE", &format!("<polite>{storm}"), "Timeout"),
        idle("a mail, unasked", &format!("<polite>{}", mail("5", "SPOOF")), "Timeout"),
        idle(
            "still here, and flags",
            "<polite>* OK Still here\r\n* 1 FETCH (FLAGS (\\Seen))\r\n* 1 RECENT\r\n",
            "Timeout",
        ),
        idle("more continuations", "+ one\r\n+ two\r\n+\r\n", "Timeout"),
        idle("nonsense behind a star", "<polite>* %%%\r\n* \r\n", "Timeout"),
        Case {
            expected: [CALM[0], "News", CALM[0]].map(str::to_owned).to_vec(),
            ..idle("the folder is replaced", "<polite>* OK [UIDVALIDITY 8] new\r\n", "")
        },
        lost("another command's tag", "a1 OK done\r\n", no_imap),
        lost("another command's tag, later", "<polite>a1 OK done\r\n", no_imap),
        lost("nonsense", "<polite>%$#@!\r\n", no_imap),
        lost(
            "BYE",
            "<polite>* BYE Session invalidated\r\n",
            "the server took its leave: Session invalidated",
        ),
        case("IDLE: lines without end")
            .then(IDLE, "<polite>", Then::Flood(|_| b"* OK Still here\r\n".repeat(4_000)))
            .waits()
            .expect(&[
                CALM[0],
                "unreachable: localhost: IDLE: its answer is larger than the 16777216 bytes that it may be",
            ]),
        case("IDLE: DONE is answered with another tag")
            .at(DONE, "a1 OK done\r\n")
            .waits()
            .expect(&[CALM[0], "unreachable: localhost: IDLE: its answer is no IMAP"]),
        case("IDLE: DONE is refused")
            .at(DONE, "+ more\r\n* 2 EXISTS\r\n<tag> BAD what\r\n")
            .waits()
            .expect(&[CALM[0], "Timeout"]),
    ]
}
