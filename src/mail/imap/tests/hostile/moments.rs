//! At each command, and before the first: BYE, a continuation that nobody asked for, silence, the end. And the tests
//! that play all of the cases which are our own.

use super::{
    answers, lines, login,
    server::{CAN, CAPABILITY, DONE, EXAMINE, FETCH, GREETING, IDLE, LOGIN, SEARCH, STARTTLS},
    *,
};

fn each_command() -> Vec<Case> {
    let commands = [
        (CAPABILITY, "CAPABILITY"),
        (LOGIN, "LOGIN"),
        (CAN, "CAPABILITY"),
        (EXAMINE, "EXAMINE \"INBOX\""),
        (SEARCH, "SEARCH"),
        (FETCH, "FETCH"),
        (IDLE, "IDLE"),
        (DONE, "IDLE"),
    ];
    let mut cases = Vec::new();
    for (at, told) in commands {
        let ends = |what: &str, why: &str| {
            let idles = at == IDLE || at == DONE;
            let mut expected = if idles { vec![lines::CALM[0].to_owned()] } else { vec![] };
            expected.push(format!("unreachable: localhost: {why}"));
            Case { waits: idles, expected, ..case(&format!("{what} at {at}")) }
        };
        let closed = "the server closed the connection";
        cases.push(ends("BYE", "the server took its leave: at once").then(
            at,
            "* BYE at once\r\n",
            Then::Close,
        ));
        cases.push(ends("BYE and silence", "the server took its leave: at once").then(
            at,
            "* BYE at once\r\n",
            Then::Silence,
        ));
        cases.push(ends("silence", &format!("{told}: no answer within 0.5 s")).then(at, "", Then::Silence));
        cases.push(ends("the end", &format!("{told}: {closed}")).then(at, "", Then::Close));
        cases.push(ends("half a line", &format!("{told}: {closed}")).then(at, "* OK ha", Then::Close));
        if at != LOGIN && at != IDLE && at != DONE {
            let why = format!("{told}: its answer is no IMAP");
            cases.push(ends("a continuation", &why).at(at, "+ go on\r\n<polite>"));
        }
    }
    cases
}

fn before_the_first() -> Vec<Case> {
    let greeted = |what: &str, said: &str, why: &str| {
        case(what).then(GREETING, said, Then::Close).expect(&[&format!("unreachable: localhost: {why}")])
    };
    let preauth = "the server says that we are logged in already (PREAUTH), which nobody asked for";
    let silent = "unreachable: localhost: no answer within 0.5 s";
    let closed = "the server closed the connection";
    vec![
        greeted("BYE in place of a greeting", "* BYE too many\r\n", "the server turns us away: too many"),
        greeted("PREAUTH in TLS", "* PREAUTH [CAPABILITY IMAP4rev1] welcome\r\n", preauth),
        greeted("a greeting that is OKAY", "* OKAY\r\n", "this is no IMAP server"),
        greeted("another protocol", "220 mail.example ESMTP\r\n", "this is no IMAP server"),
        greeted("half a greeting", "* OK rea", closed),
        greeted("no greeting", "", closed),
        case("a greeting without words").at(GREETING, "* OK\r\n").expect(&lines::CALM),
        case("a greeting without end")
            .then(GREETING, "* OK ", Then::Flood(|_| vec![b'x'; 4_096]))
            .expect(&["unreachable: localhost: its answer is larger than the 8192 bytes that it may be"]),
        case("a silent server").then(GREETING, "", Then::Silence).expect(&[silent]),
        case("a silent server, at STARTTLS")
            .way(Way::StartTls)
            .then(STARTTLS, "", Then::Silence)
            .expect(&[silent]),
        case("a greeting byte by byte").then(GREETING, "* OK ", Then::Drip("x")).expect(&[silent]),
        case("untagged answers without end, at STARTTLS")
            .way(Way::StartTls)
            .then(STARTTLS, "", Then::Flood(|_| b"* OK SPOOF\r\n".repeat(100)))
            .expect(&["unreachable: localhost: its answer is larger than the 65536 bytes that it may be"]),
        case("STARTTLS is answered in lower case")
            .way(Way::StartTls)
            .at(STARTTLS, "<tag> ok\r\n")
            .expect(&lines::CALM),
        case("STARTTLS is granted to another tag")
            .way(Way::StartTls)
            .at(STARTTLS, "s2 OK SPOOF\r\n")
            .expect(&["unreachable: localhost: the server refuses STARTTLS; no password was sent"]),
        case("the answer to STARTTLS without a CR")
            .way(Way::StartTls)
            .at(STARTTLS, "<tag> OK\n")
            .expect(&lines::CALM),
    ]
}

/// R24, below IMAP: what an attacker puts between the answer and the handshake may look like TLS itself, and may come
/// with the answer, or when the handshake has begun.
fn records() -> Vec<Case> {
    const RECORD: &[u8] = b"\x17\x03\x03\x00\x0c* OK SPOOF\r\n";
    const CLOSE: &[u8] = &[0x15, 3, 3, 0, 2, 1, 0];
    const FAILED: &[u8] = &[0x15, 3, 3, 0, 2, 2, 40];
    let with_answer = |what: &str, bytes: &[u8]| {
        let said = [b"<tag> OK begin\r\n", bytes].concat();
        let why =
            "more came with the answer to STARTTLS, as if somebody were in between; no password was sent";
        case(&format!("{what}, with the answer"))
            .way(Way::StartTls)
            .at(STARTTLS, said)
            .expect(&[&format!("unreachable: localhost: {why}")])
    };
    let later = |what: &str, bytes: &'static [u8], why: &str| {
        case(&format!("{what}, in the handshake"))
            .way(Way::StartTls)
            .then(STARTTLS, "<tag> OK begin\r\n", Then::AfterHello(bytes))
            .expect(&[&format!("unreachable: localhost: no TLS: {why}")])
    };
    let no_tls = "it does not speak TLS on this port; another port, or STARTTLS, may be meant";
    vec![
        with_answer("a line", b"* OK SPOOF\r\n"),
        with_answer("one byte", b"x"),
        with_answer("a record of data", RECORD),
        with_answer("an alert", CLOSE),
        with_answer("half a record", &RECORD[..3]),
        later("a line", b"* OK SPOOF\r\n", no_tls),
        later(
            "a record of data",
            RECORD,
            "received unexpected message: got ApplicationData when expecting Handshake",
        ),
        later("an alert that ends it", FAILED, "received fatal alert: HandshakeFailure"),
        // It is nobody's data, and TLS passes over it.
        Case {
            expected: lines::CALM.map(str::to_owned).to_vec(),
            ..later("an alert that closes", CLOSE, "")
        },
    ]
}

/// Plays them, with the controls that prove that the checks can fail.
fn play(what: &str, cases: Vec<Vec<Case>>) {
    let stage = Stage::new();
    for way in [Way::Implicit, Way::StartTls] {
        stage.play(&case("nothing is wrong").way(way).expect(&lines::CALM));
    }
    let own: Vec<Case> = cases.into_iter().flatten().collect();
    for case in &own {
        stage.play(case);
    }
    stage.judge();
    println!("hostile server: {} cases of our own, {what}", own.len());
    assert!(own.len() >= 60);
}

#[test]
fn r27_imap06_imap07_imap08_imap09_a_server_whose_answers_are_none_does_no_harm() {
    let lines = [lines::literals(), lines::lines(), lines::tags(), lines::lists()];
    let answers =
        [answers::folders(), answers::searches(), answers::mails(), answers::shapes(), answers::idle()];
    play("answers", lines.into_iter().chain(answers).collect());
}

#[test]
fn r22_r24_r31_m52_m54_imap03_imap04_imap05_a_server_that_refuses_leaves_or_falls_silent_does_no_harm() {
    play("moments and logins", vec![each_command(), before_the_first(), records(), login::cases()]);
}

#[test]
fn a_password_that_is_sent_in_clear_and_words_that_are_not_clean_would_be_noticed() {
    let stage = Stage::new();
    let (seen, heard) = stage.outcome(&case("in clear").way(Way::Clear));
    assert_eq!(seen, lines::CALM);
    assert!(tells_the_password(&heard.wire));
    let (_, heard) = stage.outcome(&case("in TLS"));
    assert!(!tells_the_password(&heard.wire) && heard.commands.iter().any(|said| said.contains("canary")));
    assert!(tells_the_password(b"a2 AUTHENTICATE PLAIN\r\nAHJlbGF5AGNhbmFyeQ==\r\n"));

    let faults = ["ok", "an \x1b[31m escape", "a canary", "a line\nend"];
    assert_eq!(faults_of_messages(faults.into_iter()), faults[1..]);
    let before = memory::begin();
    let much = vec![1_u8; 32 << 20];
    assert!(memory::peak() - before > MEMORY_KIB_MAX, "{}", much.len());
}
