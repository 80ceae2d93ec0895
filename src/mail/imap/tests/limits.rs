//! Each limit, at its edge: what is just small enough is read, and one byte more ends the connection.

use super::{super::wire::ANSWER_MAX, script::mail, *};

/// What becomes of a look whose SEARCH is answered by `answer`; the mail with UID 4 is there to be fetched.
fn look_at(answer: impl Fn(&mut Peer) + Send + 'static) -> Result<Vec<String>, String> {
    let (_played, mut connection, _waker) = logged_in(move |peer| {
        peer.examined("INBOX", 7);
        peer.expect(script::SEARCH);
        answer(peer);
        if peer.ends_in_vain("OK done") && !peer.hear().is_empty() {
            peer.say(&format!("* {}\r\n{} OK done\r\n", mail(4, 20, "BODY[]", "mail"), "a6"));
        }
    });
    let look = connection.look(&search(1 << 20), Folders::All);
    drop(connection);
    look.map(|look| seen(&look)).map_err(|trouble| told(&trouble))
}

fn too_large(bytes: usize) -> Result<Vec<String>, String> {
    Err(format!("unreachable: localhost: SEARCH: its answer is larger than the {bytes} bytes that it may be"))
}

/// A line with this beginning and, its end included, of this length.
fn line(beginning: &str, filler: &str, bytes: usize) -> String {
    let fill = bytes - beginning.len() - 2;
    let text = filler.repeat(fill / filler.len() + 1);
    format!("{beginning}{}\r\n", &text[..fill])
}

#[test]
fn imap08_a_line_has_64_kib_and_the_one_of_search_a_mebibyte() {
    let found = || Ok(vec!["7/4 INBOX mail".to_owned()]);
    for (beginning, filler, max) in [("* OK ", "x", 64 << 10), ("* SEARCH 4", " 4", 1 << 20)] {
        let answer = move |bytes: usize| {
            move |peer: &mut Peer| {
                let rest = if beginning == "* OK " { "* SEARCH 4\r\n" } else { "" };
                peer.say_in_vain(&format!("{}{rest}", line(beginning, filler, bytes)));
            }
        };
        assert_eq!(look_at(answer(max)), found(), "{beginning}");
        assert_eq!(look_at(answer(max + 1)), too_large(max), "{beginning}");
    }
    // One that has no end is not waited for beyond that.
    let endless = |peer: &mut Peer| while peer.say_in_vain(&" 1".repeat(1_000)) {};
    assert_eq!(look_at(endless), too_large(64 << 10));
}

#[test]
fn imap08_of_an_answer_only_so_much_is_kept_and_only_so_much_passed_over() {
    let kept = |over: usize| {
        move |peer: &mut Peer| {
            // The tagged end is a part of it.
            let end = "a5 OK done\r\n".len();
            peer.say_in_vain(&line("* SEARCH 4", " 4", 1 << 20));
            peer.say_in_vain(&line("* SEARCH 4", " 4", ANSWER_MAX - (1 << 20) - end + over));
        }
    };
    assert_eq!(look_at(kept(0)), Ok(vec!["7/4 INBOX mail".to_owned()]));
    assert_eq!(look_at(kept(1)), too_large(ANSWER_MAX));

    let passed = |over: usize| {
        move |peer: &mut Peer| {
            for _ in 1..256 {
                peer.say_in_vain(&line("* OK ", "x", 64 << 10));
            }
            peer.say_in_vain(&line("* OK ", "x", (64 << 10) - 1_000));
            peer.say_in_vain(&line("* OK ", "x", 1_000 + over));
            peer.say_in_vain("* SEARCH 4\r\n");
        }
    };
    assert_eq!(look_at(passed(0)), Ok(vec!["7/4 INBOX mail".to_owned()]));
    assert_eq!(look_at(passed(1)), too_large(16 << 20));
}

#[test]
fn r27_imap08_a_literal_is_refused_when_it_is_announced() {
    for literal in ["{4294967295}", "{99999999999999999999}", "{10737418240}", "{16777216}"] {
        let answer = move |peer: &mut Peer| {
            peer.say_in_vain(&format!("* 1 FETCH (BODY[] {literal}\r\n"));
        };
        assert_eq!(look_at(answer), too_large(16 << 20), "{literal}");
    }
}

/// What a FETCH of one mail up to 64 KiB may be: the mail, a frame around it, and as much as any answer.
#[test]
fn r27_imap08_a_mail_s_literal_and_what_is_around_it_share_the_answer_s_limit() {
    const MAX: usize = (64 << 10) + (4 << 10) + ANSWER_MAX;
    let outcome = |over: usize| {
        let (_played, mut connection, _waker) = logged_in(move |peer| {
            peer.examined("INBOX", 7);
            peer.found("4");
            peer.hear();
            let head = |n: usize| format!("* 4 FETCH (UID 4 BODY[]<0> {{{n}}}\r\n");
            let around = head(1_000_000).len() + ")\r\n".len() + "a6 OK done\r\n".len();
            let bytes = MAX - around + over;
            peer.say_in_vain(&head(bytes));
            peer.say_in_vain(&format!("{})\r\na6 OK done\r\n", "x".repeat(bytes)));
            peer.hear();
        });
        told(&connection.look(&search(1 << 20), Folders::All).unwrap_err())
    };
    // It is as long as what was asked for, or longer; the whole mail is asked for next, and never comes.
    assert_eq!(outcome(0), "unreachable: localhost: FETCH: the server closed the connection");
    let why = format!("its answer is larger than the {MAX} bytes that it may be");
    assert_eq!(outcome(1), format!("unreachable: localhost: FETCH: {why}"));
}

/// The parser looks at a response anew after each of its lines: a mail of newlines must not be one of them.
#[test]
fn imap08_a_mebibyte_of_line_ends_is_a_mail_like_any_other() {
    let (_played, mut connection, _waker) = logged_in(|peer| {
        let text = "\n".repeat(1 << 20);
        peer.examined("INBOX", 7);
        peer.found("4");
        for part in [&text[..64 << 10], &text] {
            peer.hear();
            let mail = script::sized_mail(4, 20, text.len(), "BODY[]", part);
            peer.say(&format!("* {mail}\r\na{} OK done\r\n", if part.len() < text.len() { 6 } else { 7 }));
        }
    });
    let look = connection.look(&search(1 << 20), Folders::All).unwrap();
    assert_eq!((look.mails[0].size, look.mails[0].bytes.len()), (1 << 20, 1 << 20));
    assert!(look.mails[0].bytes.iter().all(|b| *b == b'\n'));
}

/// A mail whose bytes look like what stands for one, and one that comes quoted.
#[test]
fn a_mail_s_bytes_come_through_as_they_are() {
    for text in
        ["\0\u{30}0000000", "\0", "{5}\r\na6 OK done\r\n", ")\r\n* 1 FETCH (UID 9)\r\n", "\0\u{ff}0000001"]
    {
        let (_played, mut connection, _waker) = logged_in(move |peer| {
            peer.examined("INBOX", 7);
            peer.found("4 5 6");
            peer.hear();
            for uid in [4, 5] {
                peer.say(&format!("* {}\r\n", mail(uid, 20, "BODY[]", text)));
            }
            let quoted = "INTERNALDATE \"20-Nov-2026 09:00:00 +0100\" RFC822.SIZE 8 BODY[]<0> \"00000000\"";
            peer.say(&format!("* 6 FETCH (UID 6 {quoted})\r\na6 OK done\r\n"));
        });
        let look = connection.look(&search(1 << 20), Folders::All).unwrap();
        assert!(look.mails[..2].iter().all(|mail| *mail.bytes == text.as_bytes()), "{text:?}");
        assert_eq!(*look.mails[2].bytes, b"00000000");
    }
}
