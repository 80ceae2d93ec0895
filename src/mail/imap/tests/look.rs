//! What a look asks for, command by command, and what it hands out.

use super::{
    script::{SEARCH, mail, sized_mail},
    *,
};

const SMALL: &str = "(UID INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.65536>)";
const TRAITS: &str = "(UID INTERNALDATE RFC822.SIZE)";

/// What a FETCH says of a mail whose bytes nobody wants.
fn traits(uid: u32, day: u32, size: usize) -> String {
    format!("{uid} FETCH (UID {uid} INTERNALDATE \"{day}-Nov-2026 09:00:00 +0100\" RFC822.SIZE {size})")
}

#[test]
fn a_look_leaves_no_trace_and_fetches_each_mail_once() {
    let (_played, mut connection, _waker) = logged_in(|peer| {
        peer.examined("INBOX", 7);
        peer.found("4 5");
        let answers = [mail(5, 21, "BODY[]", "late"), mail(4, 20, "BODY[]", "early")];
        peer.answer(&format!("UID FETCH 5,4 {SMALL}"), &[&answers[0], &answers[1]]);
        peer.found("4 5");
        peer.found("4 5 6");
        peer.answer(&format!("UID FETCH 6 {SMALL}"), &[&mail(6, 22, "BODY[]", "new")]);
        peer.expect_end();
    });

    let look = connection.look(&search(1 << 20), Folders::All).unwrap();
    assert_eq!(seen(&look), ["7/4 INBOX early", "7/5 INBOX late"]);
    let arrivals = look.mails.iter().map(|mail| mail.arrived_at.to_string());
    assert!(arrivals.eq(["2026-11-20T08:00:00Z", "2026-11-21T08:00:00Z"]));
    for expected in [vec![], vec!["7/6 INBOX new"]] {
        assert_eq!(seen(&connection.look(&search(1 << 20), Folders::First).unwrap()), expected);
    }
}

#[test]
fn only_what_arrived_since_the_folder_was_opened_is_searched_for_news() {
    let (_played, mut connection, _waker) = logged_in(|peer| {
        let fetch = |peer: &mut Peer, uid: u32| {
            peer.answer(&format!("UID FETCH {uid} {SMALL}"), &[&mail(uid, 20, "BODY[]", "new")]);
        };
        let opened = |peer: &mut Peer| {
            peer.answer("EXAMINE \"INBOX\"", &["5 EXISTS", "OK [UIDVALIDITY 7] ok", "OK [UIDNEXT 6] ok"]);
        };
        opened(peer);
        peer.found("4");
        fetch(peer, 4);
        peer.found_from("UID 6:* ", "4"); // `*` is the last mail there is, however low its number
        peer.found_from("UID 6:* ", "6");
        fetch(peer, 6);
        peer.found_from("UID 6:* ", "6 7");
        peer.answer(&format!("UID FETCH 7 {SMALL}"), &["7 FETCH (UID 7 RFC822.SIZE 9 BODY[]<0> NIL)"]);
        peer.found("4 6 7"); // one could not be read: everything is searched again
        fetch(peer, 7);
        opened(peer);
        peer.found("4 6 7");
        let same = [4, 6, 7].map(|uid| traits(uid, 20, 3));
        peer.answer(&format!("UID FETCH 4,6,7 {TRAITS}"), &[&same[0], &same[1], &same[2]]);
        peer.found_from("UID 6:* ", "");
    });
    let mut look = |which| seen(&connection.look(&search(1 << 20), which).unwrap());
    assert_eq!(look(Folders::All), ["7/4 INBOX new"]);
    assert_eq!(look(Folders::First), [""; 0]);
    assert_eq!(look(Folders::First), ["7/6 INBOX new"]);
    assert_eq!(look(Folders::First), ["localhost: INBOX: mail 7 came without a date"]);
    assert_eq!(look(Folders::First), ["7/7 INBOX new"]);
    assert_eq!((look(Folders::All), look(Folders::First)), (vec![], vec![]));
}

#[test]
fn imap01_what_is_forgotten_or_has_a_new_uidvalidity_is_handed_out_again() {
    let (_played, mut connection, _waker) = logged_in(|peer| {
        for validity in [7, 7, 8] {
            peer.examined("INBOX", validity);
            peer.found("4");
            peer.answer(&format!("UID FETCH 4 {SMALL}"), &[&mail(4, 20, "BODY[]", "again")]);
        }
    });
    for (forget, again) in [(false, "7/4 INBOX again"), (true, "7/4 INBOX again"), (false, "8/4 INBOX again")]
    {
        if forget {
            connection.forget();
        }
        assert_eq!(seen(&connection.look(&search(1 << 20), Folders::All).unwrap()), [again]);
    }
}

/// A folder that was deleted and made anew may get the UIDVALIDITY that it had, and its mails the same UIDs.
#[test]
fn imap02_under_a_uidvalidity_that_repeats_another_mail_with_the_same_uid_is_new() {
    let (_played, mut connection, _waker) = logged_in(|peer| {
        peer.examined("INBOX", 7);
        peer.found("1 2 3");
        let mails = [1, 2, 3].map(|uid| mail(uid, 20, "BODY[]", "old"));
        peer.answer(&format!("UID FETCH 3,2,1 {SMALL}"), &[&mails[0], &mails[1], &mails[2]]);
        peer.examined("INBOX", 7);
        peer.found("1 2 3");
        let now = [traits(1, 20, 3), traits(2, 21, 3), traits(3, 20, 4)];
        peer.answer(&format!("UID FETCH 1,2,3 {TRAITS}"), &[&now[0], &now[1], &now[2]]);
        let mails = [mail(2, 21, "BODY[]", "new"), mail(3, 20, "BODY[]", "newer")];
        peer.answer(&format!("UID FETCH 3,2 {SMALL}"), &[&mails[0], &mails[1]]);
    });
    let mut look = || seen(&connection.look(&search(1 << 20), Folders::All).unwrap());
    assert_eq!(look(), ["7/1 INBOX old", "7/2 INBOX old", "7/3 INBOX old"]);
    assert_eq!(look(), ["7/3 INBOX newer", "7/2 INBOX new"]);
}

#[test]
fn imap01_without_a_uidvalidity_no_uid_is_remembered() {
    let (_played, mut connection, _waker) = logged_in(|peer| {
        for _ in 0..2 {
            peer.answer("EXAMINE \"INBOX\"", &["1 EXISTS"]);
            peer.found("4");
            peer.answer(&format!("UID FETCH 4 {SMALL}"), &[&mail(4, 20, "BODY[]", "again")]);
        }
    });
    for _ in 0..2 {
        assert_eq!(seen(&connection.look(&search(1 << 20), Folders::All).unwrap()), ["0/4 INBOX again"]);
    }
}

#[test]
fn r28_imap01_a_uidvalidity_that_changes_between_select_and_fetch_is_news_and_everything_is_looked_at_anew() {
    let (_played, mut connection, _waker) = logged_in(|peer| {
        peer.examined("INBOX", 7);
        peer.answer(SEARCH, &["OK [UIDVALIDITY 8] the folder was replaced", "SEARCH 4"]);
        peer.answer(&format!("UID FETCH 4 {SMALL}"), &[&mail(4, 20, "BODY[]", "old")]);
        peer.examined("INBOX", 8); // the wait is over before it began, but for this
        peer.found("4");
        peer.answer(&format!("UID FETCH 4 {SMALL}"), &[&mail(4, 20, "BODY[]", "old")]);
    });
    assert_eq!(seen(&connection.look(&search(1 << 20), Folders::All).unwrap()), ["7/4 INBOX old"]);
    assert_eq!(connection.wait(LONG), Ok(crate::mail::Woken::News));
    assert_eq!(seen(&connection.look(&search(1 << 20), Folders::First).unwrap()), ["8/4 INBOX old"]);
}

#[test]
fn imap08_of_a_mail_above_the_limit_only_the_header_is_fetched() {
    let (_played, mut connection, _waker) = logged_in(|peer| {
        let long = "x".repeat(65_536);
        peer.examined("INBOX", 7);
        peer.found("1 2 3");
        peer.expect(&format!("UID FETCH 3,2,1 {SMALL}"));
        for (uid, size) in [(3, 100_000), (2, 99_999), (1, 100_001)] {
            peer.say(&format!("* {}\r\n", sized_mail(uid, 20, size, "BODY[]", &long)));
        }
        peer.end("OK done");
        let whole = "(UID INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.100001>)";
        let header = "(UID INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER]<0.100000>)";
        let [one, two, three] = [1, 2, 3].map(|uid| format!("UID FETCH {uid}"));
        let lies = sized_mail(2, 20, 99_999, "BODY[]", &"y".repeat(100_001));
        let [first, second] = [1, 2]
            .map(|uid| sized_mail(uid, 20, 100_000 / uid as usize + 1, "BODY[HEADER]", "From: a\r\n\r\n"));
        peer.answer(&format!("{one} {header}"), &[&first]);
        peer.answer(&format!("{two} {whole}"), &[&lies]);
        peer.answer(&format!("{two} {header}"), &[&second]);
        let whole_mail = sized_mail(3, 20, 100_000, "BODY[]", &"y".repeat(70_000));
        peer.answer(&format!("{three} {whole}"), &[&whole_mail]);
    });
    let look = connection.look(&search(100_000), Folders::All).unwrap();
    let seen: Vec<_> = look.mails.iter().map(|m| (&*m.place, m.bytes.len(), m.size, m.header_only)).collect();
    assert_eq!(seen, [("7/1", 11, 100_001, true), ("7/2", 11, 50_001, true), ("7/3", 70_000, 70_000, false)]);
}

#[test]
fn r29_imap07_a_mail_that_vanishes_meanwhile_is_absent_and_one_without_a_body_is_told() {
    let (_played, mut connection, _waker) = logged_in(|peer| {
        peer.examined("INBOX", 7);
        peer.found("1 2 3 4");
        peer.expect(&format!("UID FETCH 4,3,2,1 {SMALL}"));
        peer.say("* 4 EXPUNGE\r\n* 2 FETCH (UID 2 FLAGS (\\Seen))\r\n* 9 FETCH (FLAGS (\\Seen))\r\n");
        peer.say(
            "* 3 FETCH (UID 3 INTERNALDATE \"20-Nov-2026 09:00:00 +0000\" RFC822.SIZE 9 BODY[]<0> NIL)\r\n",
        );
        peer.say("* 2 FETCH (UID 2 INTERNALDATE \"some day\" RFC822.SIZE 1 BODY[]<0> \"x\")\r\n");
        peer.say(&format!("* {}\r\n", mail(1, 20, "BODY[]", "here")));
        peer.end("OK [EXPUNGEISSUED] some are gone");
    });
    assert_eq!(
        seen(&connection.look(&search(1 << 20), Folders::All).unwrap()),
        [
            "7/1 INBOX here",
            "localhost: INBOX: mail 2 came without a date",
            "localhost: INBOX: mail 3 came without a body"
        ]
    );
}

#[test]
fn imap09_a_mail_that_was_not_asked_for_is_no_mail() {
    let (_played, mut connection, _waker) = logged_in(|peer| {
        peer.examined("INBOX", 7);
        peer.found("1");
        peer.answer(&format!("UID FETCH 1 {SMALL}"), &[&mail(999, 20, "BODY[]", "forged")]);
        peer.expect_end();
    });
    let why = "localhost: FETCH: the server answered with mail 999, which was not asked for";
    assert_eq!(unreachable(connection.look(&search(1 << 20), Folders::All)), why);
    drop(connection);
}

#[test]
fn without_configured_folders_inbox_and_junk_are_watched() {
    let (_played, port) = script::play(|peer| {
        peer.welcome();
        let list =
            ["LIST (\\HasNoChildren) \"/\" Work", "LIST (\\HasNoChildren \\Junk) \"/\" \"Spam &- Co\""];
        peer.answer("LIST \"\" \"*\" RETURN (SPECIAL-USE)", &list);
        peer.examined("Spam &- Co", 3);
        peer.found("8");
        peer.answer(&format!("UID FETCH 8 {SMALL}"), &[&mail(8, 22, "BODY[]", "junk")]);
        peer.examined("INBOX", 7);
        peer.found("8");
        peer.answer(&format!("UID FETCH 8 {SMALL}"), &[&mail(8, 21, "BODY[]", "mail")]);
        peer.found("8");
    });
    let settings = Settings { folders: vec![], ..settings(port, Tls::None) };
    let (mut connection, _waker) = connect(&settings, &limits()).unwrap();
    let look = connection.look(&search(1 << 20), Folders::All).unwrap();
    assert_eq!(seen(&look), ["7/8 INBOX mail", "3/8 Spam &- Co junk"]);
    assert_eq!(seen(&connection.look(&search(1 << 20), Folders::First).unwrap()), [""; 0]);
}

#[test]
fn a_folder_that_cannot_be_opened_keeps_nobody_from_the_others_but_the_first_must_open() {
    let (_played, port) = script::play(|peer| {
        peer.welcome();
        peer.answer("LIST \"\" \"*\" RETURN (SPECIAL-USE)", &[]);
        peer.expect("EXAMINE \"Schl&APw-ssel\"");
        peer.end("NO [NONEXISTENT] Unknown Mailbox");
        peer.examined("INBOX", 7);
        peer.found("");
        peer.expect("EXAMINE \"Schl&APw-ssel\"");
        peer.end("NO [NONEXISTENT] Unknown Mailbox");
        peer.expect("EXAMINE \"INBOX\"");
        peer.end("NO [NOPERM] Not yours");
    });
    let folders = vec!["INBOX".to_owned(), "Schl\u{fc}ssel".to_owned()];
    let (mut connection, _waker) =
        connect(&Settings { folders, ..settings(port, Tls::None) }, &limits()).unwrap();
    let why = "localhost: EXAMINE \"Schl\u{fc}ssel\" is refused: [NONEXISTENT] Unknown Mailbox";
    assert_eq!(seen(&connection.look(&search(1 << 20), Folders::All).unwrap()), [why]);
    let why = "localhost: EXAMINE \"INBOX\" is refused: [NOPERM] Not yours";
    assert_eq!(unreachable(connection.look(&search(1 << 20), Folders::All)), why);
}

#[test]
fn too_many_mails_come_newest_first_and_the_others_later() {
    fn hand_over(peer: &mut Peer, newest: u32, oldest: u32) {
        peer.found(&(1..=300).map(|uid| uid.to_string()).collect::<Vec<_>>().join(" "));
        let uids: Vec<u32> = (oldest..=newest).rev().collect();
        for batch in uids.chunks(16) {
            let set = batch.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
            let mails: Vec<_> = batch.iter().map(|uid| mail(*uid, 20, "BODY[]", "x")).collect();
            let mails: Vec<_> = mails.iter().map(String::as_str).collect();
            peer.answer(&format!("UID FETCH {set} {SMALL}"), &mails);
        }
    }
    let (_played, mut connection, _waker) = logged_in(|peer| {
        peer.examined("INBOX", 7);
        hand_over(peer, 300, 45);
        hand_over(peer, 44, 1);
    });
    let look = connection.look(&search(1 << 20), Folders::All).unwrap();
    assert_eq!(look.mails.len(), 256);
    assert_eq!(seen(&look)[256..], ["localhost: INBOX: 44 older mails wait for the next look"]);
    let look = connection.look(&search(1 << 20), Folders::First).unwrap();
    assert_eq!((look.mails.len(), look.unreadable.len()), (44, 0));
}

#[test]
fn a_search_that_is_refused_or_cannot_be_asked_is_told() {
    let (_played, mut connection, _waker) = logged_in(|peer| {
        peer.examined("INBOX", 7);
        peer.expect(SEARCH);
        peer.end("NO [SERVERBUG] Internal error");
    });
    let bad = Search { senders: vec!["a\r\nb".into()], ..search(1 << 20) };
    let why = "localhost: \"a\\r\\nb\" is no sender that can be searched for";
    assert_eq!(unreachable(connection.look(&bad, Folders::All)), why);
    let why = "localhost: SEARCH is refused: [SERVERBUG] Internal error";
    assert_eq!(unreachable(connection.look(&search(1 << 20), Folders::All)), why);
}
