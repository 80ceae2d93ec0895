//! Servers that would take our memory, our stack or our patience.

use super::*;

/// What becomes of a look whose SEARCH is answered by `answer`, said until nobody listens.
fn look_at(answer: impl Fn(u64) -> String + Send + 'static) -> String {
    let (_played, mut connection, _waker) = logged_in(move |peer| {
        peer.examined("INBOX", 7);
        peer.expect(script::SEARCH);
        let mut n = 0;
        while peer.say_in_vain(&answer(n)) {
            n += 1;
        }
    });
    let result = connection.look(&search(1 << 20), Folders::All);
    drop(connection);
    unreachable(result)
}

#[test]
fn an_endless_line_is_cut() {
    let why = "localhost: SEARCH: its answer is larger than the 1048576 bytes that it may be";
    assert_eq!(look_at(|n| if n == 0 { "* SEARCH".into() } else { " 1".repeat(1_000) }), why);
}

#[test]
fn an_endless_answer_is_cut() {
    let why = "localhost: SEARCH: its answer is larger than the 1114112 bytes that it may be";
    assert_eq!(look_at(|_| "* OK Searching\r\n".repeat(1_000)), why);
}

#[test]
fn a_literal_that_is_larger_than_the_answer_may_be_is_refused_before_it_comes() {
    for literal in ["{4294967295}", "{99999999999999999999}", "{1200000}"] {
        let why =
            look_at(move |n| if n == 0 { format!("* 1 FETCH (BODY[] {literal}\r\n") } else { "x".into() });
        assert!(why.starts_with("localhost: SEARCH: its answer is larger than the "), "{why}");
    }
}

#[test]
fn what_would_overflow_the_stack_never_reaches_the_parser() {
    let deep = |_| format!("* 1 FETCH (BODYSTRUCTURE {}\r\n", "(".repeat(100_000));
    assert_eq!(look_at(deep), "localhost: SEARCH: its answer is no IMAP");
}

#[test]
fn nonsense_ends_the_connection_and_is_never_shown() {
    let nonsense = |_| "* SEARCH canary sk-live-0123456789abcdef\r\na9 OK\r\n".to_owned();
    assert_eq!(look_at(nonsense), "localhost: SEARCH: the answer is no IMAP");
}

#[test]
fn responses_of_other_extensions_are_passed_over() {
    let (_played, mut connection, _waker) = logged_in(|peer| {
        peer.examined("INBOX", 7);
        let others = [
            "ESEARCH (TAG \"a1\") UID ALL 1",
            "ID (\"n\" {3}\r\na\r\n)",
            "OK gr\u{fc}\u{df}e",
            "VANISHED 1:2",
        ];
        peer.answer(script::SEARCH, &[&others[..], &["SEARCH"]].concat());
    });
    assert_eq!(seen(&connection.look(&search(1 << 20), Folders::All).unwrap()), [""; 0]);
}
