//! Bytes that are no IMAP: literals, lines, characters, depth, tags. All in TLS, so from the server itself.

use super::{
    server::{CAN, CAPABILITY, FETCH, LIST, LOGIN, SEARCH, mail},
    *,
};

pub(super) const CALM: [&str; 1] = ["7/4 INBOX genuine"];
const NO_IMAP_FETCH: [&str; 1] = ["unreachable: localhost: FETCH: its answer is no IMAP"];
const NO_IMAP_SEARCH: [&str; 1] = ["unreachable: localhost: SEARCH: its answer is no IMAP"];
const CLOSED_FETCH: [&str; 1] = ["unreachable: localhost: FETCH: the server closed the connection"];
const FETCH_TOO_LARGE: [&str; 1] =
    ["unreachable: localhost: FETCH: its answer is larger than the 1183744 bytes that it may be"];
const PASSED_TOO_LARGE: [&str; 1] =
    ["unreachable: localhost: SEARCH: its answer is larger than the 16777216 bytes that it may be"];
const LINE_TOO_LARGE: [&str; 1] =
    ["unreachable: localhost: SEARCH: its answer is larger than the 65536 bytes that it may be"];

fn noise(_: usize) -> Vec<u8> {
    vec![b'x'; 64 << 10]
}

/// A FETCH answer whose body is announced like that, and some bytes.
fn body(announced: &str) -> String {
    format!(
        "* 4 FETCH (UID 4 INTERNALDATE \"20-Nov-2026 09:00:00 +0100\" RFC822.SIZE 5 BODY[]<0> {announced}\r\nhello)\r\n<tag> OK done\r\n"
    )
}

pub(super) fn literals() -> Vec<Case> {
    let huge = |announced: &str| {
        case(&format!("a literal of {announced}, and bytes without end"))
            .then(FETCH, format!("* 4 FETCH (UID 4 BODY[] {announced}\r\n"), Then::Flood(noise))
            .expect(&FETCH_TOO_LARGE)
    };
    let odd = |announced: &str, expected: &[&str]| {
        case(&format!("a literal announced as {announced}")).at(FETCH, body(announced)).expect(expected)
    };
    let many = "* 4 FETCH (X {1}\r\nx".to_owned() + &" X {1}\r\nx".repeat(16) + ")\r\n<polite>";
    let quoted = |_: usize| b"x".repeat(64 << 10);
    vec![
        huge("{2147483648}"),
        huge("{4294967296}"),
        huge("{10737418240}"),
        huge("{99999999999999999999}"),
        odd("{-1}", &NO_IMAP_FETCH),
        odd("{}", &NO_IMAP_FETCH),
        odd("{+}", &NO_IMAP_FETCH),
        odd("{5+}", &NO_IMAP_FETCH),
        odd("~{5}", &NO_IMAP_FETCH),
        odd("{0x5}", &NO_IMAP_FETCH),
        odd("{ 5}", &NO_IMAP_FETCH),
        odd("{005}", &["7/4 INBOX hello"]),
        odd("{5}", &["7/4 INBOX hello"]),
        odd("{4}", &NO_IMAP_FETCH),
        case("an empty literal")
            .at(FETCH, body("{0}").replace("hello", ""))
            .expect(&["localhost: INBOX: mail 4 came without a body"]),
        case("a literal behind a bare LF")
            .at(FETCH, body("{5}").replacen("{5}\r", "{5}", 1))
            .expect(&["7/4 INBOX hello"]),
        case("a literal that ends with the connection")
            .then(FETCH, "* 4 FETCH (UID 4 BODY[] {500}\r\nhello", Then::Close)
            .expect(&CLOSED_FETCH),
        case("seventeen literals in one response").at(FETCH, many).expect(&NO_IMAP_FETCH),
        case("a literal where numbers are expected")
            .at(SEARCH, "* SEARCH {1}\r\n4\r\n<tag> OK done\r\n")
            .expect(&NO_IMAP_SEARCH),
        case("a literal in what nobody asked for")
            .at(SEARCH, "* ID (\"n\" {12}\r\n* SEARCH 99\r)\r\n<polite>")
            .expect(&CALM),
        case("a quoted text without an end")
            .then(FETCH, "* 4 FETCH (UID 4 BODY[] \"", Then::Flood(quoted))
            .expect(&[
                "unreachable: localhost: FETCH: its answer is larger than the 65536 bytes that it may be",
            ]),
        case("words that end like a literal").at(SEARCH, "* OK counted {400}\r\n<polite>").expect(&CALM),
    ]
}

pub(super) fn lines() -> Vec<Case> {
    let deep = "(".repeat(100_000);
    let some_depth = |n: usize| format!("* 4 FETCH (BODYSTRUCTURE {}\r\n<polite>", "(".repeat(n));
    vec![
        case("one line without end").then(SEARCH, "* OK ", Then::Flood(noise)).expect(&LINE_TOO_LARGE),
        case("lines without end")
            .then(SEARCH, "", Then::Flood(|_| b"* OK still searching\r\n".repeat(3_000)))
            .expect(&PASSED_TOO_LARGE),
        case("answers without end")
            .then(SEARCH, "", Then::Flood(|n| format!("* SEARCH {n}\r\n").repeat(3_000).into_bytes()))
            .expect(&["unreachable: localhost: SEARCH: its answer is larger than the 1114112 bytes that it may be"]),
        case("lines without CR").at(SEARCH, "* SEARCH 4\n<tag> OK done\n").expect(&NO_IMAP_SEARCH),
        case("lines that end in CR").then(SEARCH, "* SEARCH 4\r<tag> OK done\r", Then::Close).expect(
            &["unreachable: localhost: SEARCH: the server closed the connection"]),
        case("empty lines").at(SEARCH, "\r\n\r\n<polite>").expect(&NO_IMAP_SEARCH),
        case("NUL in words").at(SEARCH, "* OK n\0w\r\n* SEARCH 4\r\n<tag> OK d\0ne\r\n").expect(&CALM),
        case("NUL in an answer").at(SEARCH, "* SEARCH 4 \x005\r\n<tag> OK done\r\n").expect(&NO_IMAP_SEARCH),
        case("words that are no UTF-8").at(SEARCH, b"* OK gr\xfc\xdfe\r\n* SEARCH 4\r\n<tag> OK fertig \xe4\xff\r\n".to_vec()).expect(&CALM),
        case("a refusal that is no UTF-8, with an escape sequence")
            .at(SEARCH, b"<tag> NO \x1b[2Jgr\xfc\xdfe\x07 \x9b31m\r\n".to_vec())
            .expect(&["unreachable: localhost: SEARCH is refused: [2Jgr??e  ?31m"]),
        case("a quoted text that is no UTF-8")
            .at(FETCH, b"* 4 FETCH (UID 4 INTERNALDATE \"\xff\xfe\" BODY[] {2}\r\nhi)\r\n<tag> OK\r\n".to_vec())
            .expect(&NO_IMAP_FETCH),
        case("parentheses 100,000 deep, asked for").at(FETCH, format!("* 4 FETCH (BODYSTRUCTURE {deep}\r\n<polite>")).expect(
            &["unreachable: localhost: FETCH: its answer is larger than the 65536 bytes that it may be"]),
        case("parentheses 60,000 deep, asked for").at(FETCH, some_depth(60_000)).expect(&NO_IMAP_FETCH),
        case("parentheses 60,000 deep, never asked for").at(SEARCH, some_depth(60_000)).expect(&CALM),
        case("nonsense that holds a key")
            .at(SEARCH, "* SEARCH sk-live-0123456789abcdef\r\n<tag> OK done\r\n")
            .expect(&NO_IMAP_SEARCH),
        case("nonsense between the answers").at(SEARCH, "%$#@!\r\n<polite>").expect(&NO_IMAP_SEARCH),
        case("responses of other extensions")
            .at(SEARCH, "* ESEARCH (TAG \"a5\") UID ALL 1\r\n* VANISHED 1:2\r\n* ENABLED X\r\n* QUOTA \"\" (STORAGE 0 0)\r\n* XLIST x\r\n<polite>")
            .expect(&CALM),
        case("one byte at a time, for ever")
            .then(SEARCH, "", Then::Drip("* OK x\r\n"))
            .expect(&["unreachable: localhost: SEARCH: no answer within 0.5 s"]),
    ]
}

pub(super) fn tags() -> Vec<Case> {
    vec![
        case("another command's tag").at(SEARCH, "* SEARCH 4\r\na1 OK done\r\n").expect(&NO_IMAP_SEARCH),
        case("a tag of nobody's").at(SEARCH, "* SEARCH 4\r\nZ99 OK done\r\n").expect(&NO_IMAP_SEARCH),
        case("the tag in another case").at(SEARCH, "* SEARCH 4\r\nA5 OK done\r\n").expect(&NO_IMAP_SEARCH),
        case("the next command is answered before it is given")
            .at(LOGIN, "<tag> OK in\r\na3 OK capable\r\n")
            .expect(&["unreachable: localhost: LIST: its answer is no IMAP"])
            .finds_junk(),
        case("a command is answered twice").at(SEARCH, "<polite><tag> OK done\r\n").expect(&NO_IMAP_FETCH),
        case("a status that is none").at(SEARCH, "<tag> MAYBE done\r\n").expect(&NO_IMAP_SEARCH),
        case("a status in lower case, and nothing behind it")
            .at(SEARCH, "* SEARCH 4\r\n<tag> ok\r\n")
            .expect(&CALM),
        case("BYE with a tag").at(SEARCH, "<tag> BYE now\r\n").expect(&NO_IMAP_SEARCH),
        case("PREAUTH with a tag").at(SEARCH, "<tag> PREAUTH now\r\n").expect(&NO_IMAP_SEARCH),
    ]
}

/// What the server says that it can do, and which folders it has.
pub(super) fn lists() -> Vec<Case> {
    let folders = |extra: &[u8]| {
        let mut said: Vec<u8> = extra.to_vec();
        for n in 0..100_000 {
            said.extend_from_slice(format!("* LIST (\\HasNoChildren) \"/\" \"a/folder/{n}\"\r\n").as_bytes());
        }
        said.extend_from_slice(b"<tag> OK done\r\n");
        said
    };
    let junk = ["7/4 Spam genuine", "7/4 INBOX genuine"];
    let capabilities =
        |bytes: usize| format!("* CAPABILITY IMAP4rev1{}\r\n<tag> OK\r\n", " X-NOTHING".repeat(bytes / 10));
    vec![
        case("100,000 folders, one of them junk").at(LIST, folders(b"* LIST (\\Junk) \"/\" Spam\r\n")).finds_junk().expect(&junk),
        case("folders whose names are no UTF-8")
            .at(LIST, b"* LIST () \"/\" \"Entw\xfcrfe\"\r\n* LIST (\\junk) \"/\" Spam\r\n<tag> OK\r\n".to_vec())
            .finds_junk()
            .expect(&junk),
        case("a junk folder whose name is a literal").at(LIST, "* LIST (\\Junk) \"/\" {4}\r\nSpam\r\n<tag> OK\r\n").finds_junk().expect(&junk),
        case("a junk folder whose name is a command")
            .at(LIST, "* LIST (\\Junk) \"/\" {24}\r\nSpam\"\r\na9 DELETE \"INBOX\"\r\n<tag> OK\r\n")
            .finds_junk()
            .expect(&CALM),
        case("a junk folder whose name is long").at(LIST, "* LIST (\\Junk) \"/\" {1025}\r\n<tag> OK\r\n").finds_junk().expect(
            &["unreachable: localhost: LIST: its answer is no IMAP"]),
        case("a junk folder with quotes in its name")
            .at(LIST, "* LIST (\\Junk) \"/\" \"Sp\\\"am\\\\\"\r\n<tag> OK\r\n")
            .finds_junk()
            .expect(&["7/4 Sp\"am\\ genuine", "7/4 INBOX genuine"]),
        case("a junk folder that cannot be selected").at(LIST, "* LIST (\\Noselect \\Junk) \"/\" Spam\r\n<tag> OK\r\n").finds_junk().expect(&CALM),
        case("a hierarchy delimiter of NIL").at(LIST, "* LIST (\\Junk) NIL Spam\r\n<tag> OK\r\n").finds_junk().expect(&junk),
        case("LIST is refused").at(LIST, "<tag> NO not you\r\n").finds_junk().expect(
            &["unreachable: localhost: LIST is refused: not you"]),
        case("capabilities of 60 KiB").at(CAPABILITY, capabilities(60_000)).expect(&CALM),
        case("capabilities of a mebibyte").at(CAPABILITY, capabilities(1 << 20)).expect(
            &["unreachable: localhost: CAPABILITY: its answer is larger than the 65536 bytes that it may be"]),
        case("capabilities without IMAP4rev1").at(CAPABILITY, "* CAPABILITY IMAP4\r\n<polite>").expect(
            &["unreachable: localhost: CAPABILITY: its answer is no IMAP"]),
        case("no capabilities at all").at(CAPABILITY, "<tag> OK done\r\n").expect(&CALM),
        case("compression is offered, and everything else")
            .at(CAN, "* CAPABILITY IMAP4rev1 COMPRESS=DEFLATE ENABLE UTF8=ACCEPT QRESYNC NOTIFY IDLE\r\n<tag> OK\r\n")
            .expect(&CALM),
        case("capabilities in another case").at(CAPABILITY, "* capability imap4REV1 LoginDisabled\r\n<tag> OK\r\n").expect(
            &["refused: localhost takes no password (LOGINDISABLED); this account may need oauth2"]),
        case("mails beside the folders").at(LIST, format!("{}<polite>", mail("1", "SPOOF"))).finds_junk().expect(&CALM),
    ]
}
