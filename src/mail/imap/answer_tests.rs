//! What reaches the parser, line by line.

use super::*;

fn asked(asked: Asked) -> Answers {
    Answers { asked, ..Answers::default() }
}

fn judge(mut answers: Answers, line: &str) -> (Use, Answers) {
    let used = answers.line(&mut line.as_bytes().to_vec()).unwrap();
    (used, answers)
}

#[test]
fn only_what_was_asked_for_reaches_the_parser() {
    let kept = [
        (Asked::Search, "* SEARCH 1 2\r\n"),
        (Asked::Fetch, "* 3 FETCH (UID 3)\r\n"),
        (Asked::List, "* LIST (\\HasNoChildren \\junk) \"/\" Spam\r\n"),
        (Asked::Capability, "* CAPABILITY IMAP4rev1\r\n"),
        (Asked::Open, "* OK [UIDVALIDITY 7] ok\r\n"),
        (Asked::Open, "* OK [UIDNEXT 7] ok\r\n"),
        (Asked::Rights, "* MYRIGHTS INBOX rwiptsldaex\r\n"),
    ];
    let all = [
        Asked::Nothing,
        Asked::Capability,
        Asked::List,
        Asked::Open,
        Asked::Search,
        Asked::Fetch,
        Asked::Rights,
    ];
    for (command, line) in kept {
        for other in all {
            let expected = if other == command { Use::Keep } else { Use::Drop };
            assert_eq!(judge(asked(other), line).0, expected, "{line} to {other:?}");
        }
    }
    for command in all {
        for line in ["a1 OK done\r\n", "+ idling\r\n", "*\r\n", "nonsense\r\n"] {
            assert_eq!(judge(asked(command), line).0, Use::Keep, "{line}");
        }
        for line in [
            "* ESEARCH (TAG \"a1\") UID ALL 1\r\n",
            "* OK Still here\r\n",
            "* 5 EXPUNGE\r\n",
            "* \r\n",
            "* OK [HIGHESTMODSEQ\r\n",
            "* FLAGS (x)\r\n",
            "* LIST (\\HasNoChildren) \"/\" \\Junk\r\n",
            "* 1 RECENT\r\n",
        ] {
            assert_eq!(judge(asked(command), line).0, Use::Drop, "{line}");
        }
    }
}

#[test]
fn a_command_is_known_by_its_first_word() {
    for (name, command) in [
        ("EXAMINE \"INBOX\"", Asked::Open),
        ("SEARCH", Asked::Search),
        ("FETCH", Asked::Fetch),
        ("IDLE", Asked::Nothing),
        ("", Asked::Nothing),
    ] {
        assert_eq!(Asked::of(name), command);
    }
}

#[test]
fn news_leave_and_a_new_uidvalidity_are_noticed_in_passing() {
    let idle = |line: &str| judge(asked(Asked::Nothing), line).1;
    assert!(idle("* 4 EXISTS\r\n").news && idle("* 99999999999 EXISTS\r\n").news);
    assert!(!idle("* 4 RECENT\r\n").news && !idle("* 0 EXISTS\r\n").news);
    assert_eq!(idle("* BYE shutting down\r\n").bye.as_deref(), Some(&b"shutting down\r\n"[..]));
    assert!(idle("* OK [UIDVALIDITY 8] new\r\n").renumbered);
    assert!(!judge(asked(Asked::Open), "* OK [UIDVALIDITY 8] new\r\n").1.renumbered);
    assert_eq!(clean(b" shut\x07ting d\xf6wn\r\n"), "shut ting d wn");
}

#[test]
fn a_literal_belongs_to_the_response_around_it() {
    let mut answers = asked(Asked::Fetch);
    let mut line = |text: &str| {
        let used = answers.line(&mut text.as_bytes().to_vec()).unwrap();
        (used, answers.literal, answers.literal_use())
    };
    assert_eq!(line("* 1 FETCH (UID 1 BODY[] {12}\r\n"), (Use::Keep, Some(12), LiteralUse::Aside));
    assert_eq!(line(" FLAGS ())\r\n"), (Use::Keep, None, LiteralUse::Drop));
    assert_eq!(line("* ID (\"name\" {4}\r\n"), (Use::Drop, Some(4), LiteralUse::Drop));
    assert_eq!(line(")\r\n"), (Use::Drop, None, LiteralUse::Drop));
    assert_eq!(line("* 9 FETCH (BODY[] {99999999999999999999}\r\n").1, Some(usize::MAX));
}

#[test]
fn words_for_people_announce_no_literal() {
    for line in ["* OK see {5}\r\n", "* BYE {5}\r\n", "a1 NO {5}\r\n", "+ {5}\r\n"] {
        assert_eq!(judge(asked(Asked::Fetch), line).1.literal, None, "{line}");
    }
    for odd in ["{-1}", "{}", "{+}", "{5+}", "{ 5}", "{0x5}", "(5}"] {
        assert_eq!(judge(asked(Asked::Fetch), &format!("* 1 FETCH (X {odd}\r\n")).1.literal, None, "{odd}");
    }
    for (number, bytes) in [("{0}", 0), ("~{5}", 5), ("{005}", 5)] {
        let line = format!("* 1 FETCH (X {number}\r\n");
        assert_eq!(judge(asked(Asked::Fetch), &line).1.literal, Some(bytes), "{number}");
    }
}

#[test]
fn text_that_is_no_ascii_is_made_so() {
    let mut line = "a1 NO g\u{e4}h\0\r\n".as_bytes().to_vec();
    assert_eq!(Answers::default().line(&mut line), Ok(Use::Keep));
    assert_eq!(line, b"a1 NO g??h?\r\n");
}

#[test]
fn a_date_of_nil_is_one_that_cannot_be_read() {
    let mut line = b"* 1 FETCH (UID 1 internaldate NIL RFC822.SIZE 5)\r\n".to_vec();
    assert_eq!(asked(Asked::Fetch).line(&mut line), Ok(Use::Keep));
    assert_eq!(line, b"* 1 FETCH (UID 1 internaldate \"-\" RFC822.SIZE 5)\r\n");
}

#[test]
fn what_would_overflow_the_parser_s_stack_is_refused() {
    let deep = |count| format!("* 1 FETCH (BODYSTRUCTURE {}\r\n", "(".repeat(count)).into_bytes();
    assert_eq!(asked(Asked::Fetch).line(&mut deep(NESTING_MAX - 1)), Ok(Use::Keep));
    assert_eq!(asked(Asked::Fetch).line(&mut deep(NESTING_MAX)), Err(TooIntricate));
    assert_eq!(asked(Asked::Search).line(&mut deep(100_000)), Ok(Use::Drop));
}

#[test]
fn what_would_make_the_parser_begin_anew_without_end_is_refused() {
    let mut answers = asked(Asked::Fetch);
    let mut lines = std::iter::repeat_with(|| answers.line(&mut b"* 1 FETCH (X {1}\r\n".to_vec()));
    assert_eq!(lines.by_ref().take(LITERALS_MAX).filter(Result::is_ok).count(), LITERALS_MAX);
    assert_eq!(lines.next(), Some(Err(TooIntricate)));

    let name = |bytes| format!("* LIST (\\Junk) \"/\" {{{bytes}}}\r\n").into_bytes();
    assert_eq!(asked(Asked::List).line(&mut name(NAME_MAX)), Ok(Use::Keep));
    assert_eq!(asked(Asked::List).line(&mut name(NAME_MAX + 1)), Err(TooIntricate));
    assert_eq!(asked(Asked::Search).line(&mut b"* SEARCH 1 {1}\r\n".to_vec()), Err(TooIntricate));
}

#[test]
fn only_search_s_answer_is_a_long_line() {
    assert_eq!(asked(Asked::Search).line_max(b"* search 1 2"), SEARCH_LINE_MAX);
    assert_eq!(asked(Asked::Search).line_max(b"* ESEARCH"), LINE_MAX);
    assert_eq!(asked(Asked::Fetch).line_max(b"* SEARCH 1 2"), LINE_MAX);
}
