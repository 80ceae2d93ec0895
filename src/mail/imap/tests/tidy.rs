//! What is done to a mail whose rotation is over, command by command; and what is not done, whatever a server says.

use super::{script::mail, *};
use crate::domain::{MailHash, MailPlace, Settled, Tidied};

const WHOLE: &str = "(UID INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.1001>)";
const TEXT: &str = "Subject: your new key\r\n\r\nit is in here\r\n";
const MAX: usize = 1_000;

/// Logged in to a server that can do these things besides.
fn able(can: &'static str, script: impl FnOnce(&mut Peer) + Send + 'static) -> (Played, Connection) {
    able_until(can, |peer| {
        script(peer);
        peer.expect_end();
    })
}
fn able_until(can: &'static str, script: impl FnOnce(&mut Peer) + Send + 'static) -> (Played, Connection) {
    let (played, port) = script::play(move |peer| {
        peer.say("* OK ready\r\n");
        peer.answer("CAPABILITY", &["CAPABILITY IMAP4rev1"]);
        peer.answer("LOGIN \"relay\" \"canary\"", &[]);
        peer.answer("CAPABILITY", &[&format!("CAPABILITY IMAP4rev1 {can}")]);
        script(peer);
    });
    let (connection, _waker) = connect(&settings(port, Tls::None), &limits()).unwrap();
    (played, connection)
}
fn place(folder: &str, place: &str) -> MailPlace {
    MailPlace { folder: folder.into(), place: place.into(), hash: MailHash::of(TEXT.as_bytes()) }
}
fn archive() -> Settled {
    Settled::Move("Archive & more".into())
}
/// The outcome for the mail 7/4 in INBOX.
fn tidy(connection: &mut Connection, settled: &Settled) -> String {
    let tidied = connection.tidy(&[place("INBOX", "7/4")], settled, MAX).unwrap();
    shown(&tidied[0].1)
}
fn shown(outcome: &Tidied) -> String {
    match outcome {
        Tidied::Refused(why) => without_port(why),
        Tidied::Done | Tidied::Gone | Tidied::Elsewhere => format!("{outcome:?}"),
    }
}

fn selected(peer: &mut Peer, validity: u32) {
    peer.answer("SELECT \"INBOX\"", &["4 EXISTS", &format!("OK [UIDVALIDITY {validity}] ok")]);
}
fn fetched(peer: &mut Peer, text: &str) {
    peer.answer(&format!("UID FETCH 4 {WHOLE}"), &[&mail(4, 20, "BODY[]", text)]);
}
fn is_gone(peer: &mut Peer) {
    peer.answer("UID FETCH 4 (UID)", &[]);
}
fn deleted(peer: &mut Peer) {
    peer.answer("UID STORE 4 +FLAGS.SILENT (\\Deleted)", &[]);
    peer.answer("UID EXPUNGE 4", &["4 EXPUNGE"]);
}

#[test]
fn s23_a_mail_is_moved_at_once_where_the_server_can_and_the_next_look_opens_the_folder_again() {
    let (_played, mut connection) = able("MOVE UIDPLUS", |peer| {
        selected(peer, 7);
        fetched(peer, TEXT);
        peer.answer(
            "UID MOVE 4 \"Archive &- more\"",
            &["OK [COPYUID 9 4 1] Moved", "4 EXPUNGE", "OK Still here"],
        );
        is_gone(peer);
        peer.examined("INBOX", 7);
        peer.found("");
    });
    assert_eq!(tidy(&mut connection, &archive()), "Done");
    assert_eq!(seen(&connection.look(&search(MAX), Folders::First).unwrap()), [""; 0]);
}

#[test]
fn s23_without_move_it_is_copied_and_that_one_mail_alone_expunged() {
    let (_played, mut connection) = able("UIDPLUS", |peer| {
        selected(peer, 7);
        fetched(peer, TEXT);
        peer.answer("EXAMINE \"Archive &- more\"", &["2 EXISTS", "OK [UIDVALIDITY 9] ok"]);
        let size = TEXT.len();
        peer.answer(&format!("UID SEARCH LARGER {} SMALLER {}", size - 1, size + 1), &["SEARCH 2"]);
        let other = TEXT.replace("here", "HERE");
        peer.answer(&format!("UID FETCH 2 {WHOLE}"), &[&mail(2, 20, "BODY[]", &other)]);
        selected(peer, 7);
        fetched(peer, TEXT);
        peer.answer("UID COPY 4 \"Archive &- more\"", &[]);
        deleted(peer);
        is_gone(peer);
    });
    assert_eq!(tidy(&mut connection, &archive()), "Done");
}

/// The try before broke off between COPY and EXPUNGE.
#[test]
fn s23_what_was_copied_before_the_connection_broke_is_not_copied_again() {
    let (_played, mut connection) = able("UIDPLUS", |peer| {
        selected(peer, 7);
        fetched(peer, TEXT);
        peer.answer("EXAMINE \"Archive &- more\"", &["2 EXISTS", "OK [UIDVALIDITY 9] ok"]);
        let size = TEXT.len();
        peer.answer(&format!("UID SEARCH LARGER {} SMALLER {}", size - 1, size + 1), &["SEARCH 2"]);
        peer.answer(&format!("UID FETCH 2 {WHOLE}"), &[&mail(2, 20, "BODY[]", TEXT)]);
        selected(peer, 7);
        fetched(peer, TEXT);
        deleted(peer);
        is_gone(peer);
    });
    assert_eq!(tidy(&mut connection, &archive()), "Done");
}

#[test]
fn s23_a_mail_is_deleted_by_its_uid_alone() {
    let (_played, mut connection) = able("UIDPLUS", |peer| {
        selected(peer, 7);
        fetched(peer, TEXT);
        deleted(peer);
        is_gone(peer);
    });
    assert_eq!(tidy(&mut connection, &Settled::Delete), "Done");
}

#[test]
fn s23_where_a_plain_expunge_would_be_needed_nothing_is_done() {
    let without = "taking away what others have marked as deleted";
    for (can, settled, expected) in [
        (
            "IDLE",
            archive(),
            "localhost: the server has neither MOVE nor UIDPLUS: a mail cannot be moved without ",
        ),
        ("MOVE", Settled::Delete, "localhost: the server has no UIDPLUS: a mail cannot be deleted without "),
    ] {
        let (_played, mut connection) = able(can, |_| {});
        assert_eq!(tidy(&mut connection, &settled), format!("{expected}{without}"));
    }
}

#[test]
fn s23_what_is_only_counted_is_looked_at_and_no_more() {
    let (_played, mut connection) = able("", |peer| {
        peer.examined("INBOX", 7);
        fetched(peer, TEXT);
    });
    assert_eq!(tidy(&mut connection, &Settled::Keep), "Done");
}

#[test]
fn s23_a_missing_folder_is_refused_and_the_mail_stays() {
    let (_played, mut connection) = able("MOVE", |peer| {
        selected(peer, 7);
        fetched(peer, TEXT);
        peer.expect("UID MOVE 4 \"Archive &- more\"");
        peer.end("NO [TRYCREATE] Mailbox doesn't exist: Archive & more");
    });
    let why = "localhost: UID MOVE to \"Archive & more\" is refused: Mailbox doesn't exist: Archive & more";
    assert_eq!(tidy(&mut connection, &archive()), why);

    let (_played, mut connection) = able("UIDPLUS", |peer| {
        selected(peer, 7);
        fetched(peer, TEXT);
        peer.expect("EXAMINE \"Archive &- more\"");
        peer.end("NO [NONEXISTENT] Unknown Mailbox");
    });
    let why = "localhost: EXAMINE \"Archive & more\" is refused: [NONEXISTENT] Unknown Mailbox";
    assert_eq!(tidy(&mut connection, &archive()), why, "and nothing was marked as deleted");
}

#[test]
fn imap07_s23_a_mail_that_is_gone_is_done_whatever_the_server_calls_that() {
    for answer in [
        &[][..],
        &["4 FETCH (UID 4 INTERNALDATE \"20-Nov-2026 09:00:00 +0100\" RFC822.SIZE 44 BODY[]<0> NIL)"],
    ] {
        let (_played, mut connection) = able("MOVE", move |peer| {
            selected(peer, 7);
            peer.answer(&format!("UID FETCH 4 {WHOLE}"), answer);
        });
        assert_eq!(tidy(&mut connection, &archive()), "Gone");
    }
}

#[test]
fn imap01_s23_with_another_uidvalidity_nothing_is_touched() {
    for settled in [archive(), Settled::Delete] {
        let (_played, mut connection) = able("MOVE UIDPLUS", |peer| selected(peer, 8));
        assert_eq!(tidy(&mut connection, &settled), "Elsewhere");
    }
}

#[test]
fn imap02_s23_another_mail_at_its_place_is_not_touched_though_the_uidvalidity_is_the_same() {
    let longer = format!("{TEXT}{}", "x".repeat(MAX));
    for other in [TEXT.replace("here", "HERE"), longer] {
        let (_played, mut connection) = able("MOVE UIDPLUS", move |peer| {
            selected(peer, 7);
            let cut = &other[..other.len().min(MAX + 1)];
            fetched(peer, cut);
        });
        assert_eq!(tidy(&mut connection, &Settled::Delete), "Elsewhere");
    }
}

#[test]
fn s23_between_the_two_openings_of_its_folder_the_mail_may_become_another() {
    let (_played, mut connection) = able("UIDPLUS", |peer| {
        selected(peer, 7);
        fetched(peer, TEXT);
        peer.answer("EXAMINE \"Archive &- more\"", &["OK [UIDVALIDITY 9] ok"]);
        let size = TEXT.len();
        peer.answer(&format!("UID SEARCH LARGER {} SMALLER {}", size - 1, size + 1), &["SEARCH"]);
        selected(peer, 8);
    });
    assert_eq!(tidy(&mut connection, &archive()), "Elsewhere");
}

#[test]
fn s23_a_folder_that_may_only_be_read_is_left_alone() {
    let (_played, mut connection) = able("MOVE UIDPLUS", |peer| {
        peer.expect("SELECT \"INBOX\"");
        peer.say("* 4 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n");
        peer.end("OK [READ-ONLY] done");
    });
    assert_eq!(tidy(&mut connection, &archive()), "localhost: INBOX may only be read by this login");
}

#[test]
fn s23_a_server_that_says_ok_and_does_nothing_is_found_out() {
    let (_played, mut connection) = able("MOVE", |peer| {
        selected(peer, 7);
        fetched(peer, TEXT);
        peer.answer("UID MOVE 4 \"Archive &- more\"", &[]);
        peer.answer("UID FETCH 4 (UID)", &["4 FETCH (UID 4)"]);
    });
    let why = "localhost: INBOX: the server said OK, and the mail is still there";
    assert_eq!(tidy(&mut connection, &archive()), why);
}

#[test]
fn s23_a_place_that_is_none_or_is_not_watched_is_never_opened() {
    let (_played, mut connection) = able("MOVE", |_| {});
    for at in [
        place("Sent", "7/4"),
        place("INBOX", "7/0"),
        place("INBOX", "7/4,5"),
        place("INBOX", "7/1:*"),
        place("INBOX", "4"),
        place("INBOX", "7/4\r\na LOGOUT"),
        place("INBOX\"\r\na LOGOUT", "7/4"),
    ] {
        let tidied = connection.tidy(std::slice::from_ref(&at), &archive(), MAX).unwrap();
        assert_eq!(tidied, [(at, Tidied::Elsewhere)]);
    }
    let why = "localhost: inbox is watched itself, and nothing is moved there";
    assert_eq!(tidy(&mut connection, &Settled::Move("inbox".into())), why);
}

#[test]
fn s23_a_connection_that_breaks_says_so_and_nothing_else() {
    let (_played, mut connection) = able_until("MOVE", |peer| {
        selected(peer, 7);
        fetched(peer, TEXT);
        peer.expect("UID MOVE 4 \"Archive &- more\"");
        peer.say("* BYE going down\r\n");
    });
    let broken = connection.tidy(&[place("INBOX", "7/4")], &archive(), MAX);
    assert_eq!(unreachable(broken), "localhost: the server took its leave: going down");
}

#[test]
fn s23_what_stands_in_the_way_is_what_the_server_says_and_nothing_is_changed() {
    let (_played, mut connection) = able("MOVE ACL", |peer| {
        peer.answer("EXAMINE \"Archive &- more\"", &["OK [UIDVALIDITY 9] ok"]);
        peer.answer("MYRIGHTS \"Archive &- more\"", &["MYRIGHTS \"Archive &- more\" lrs"]);
        selected(peer, 7);
        peer.answer("MYRIGHTS \"INBOX\"", &["MYRIGHTS INBOX lrst"]);
    });
    assert_eq!(
        obstacles(&mut connection, &archive()),
        [
            "localhost: Archive & more: this login may not put a mail into it (its rights are lrs, i is needed)",
            "localhost: INBOX: this login may not take a mail out of it (its rights are lrst, te is needed)",
        ]
    );

    for (rights, target) in [("lrswipkxtecda", "lrsi"), ("lrswipcda", "lrswipcda")] {
        let (_played, mut connection) = able("UIDPLUS ACL", move |peer| {
            peer.answer("EXAMINE \"Archive &- more\"", &["OK [UIDVALIDITY 9] ok"]);
            peer.answer("MYRIGHTS \"Archive &- more\"", &[&format!("MYRIGHTS \"Archive &- more\" {target}")]);
            selected(peer, 7);
            peer.answer("MYRIGHTS \"INBOX\"", &[&format!("MYRIGHTS INBOX {rights}")]);
        });
        assert_eq!(obstacles(&mut connection, &archive()), [""; 0]);
    }

    let (_played, mut connection) = able("IDLE", |peer| {
        peer.expect("EXAMINE \"Archive &- more\"");
        peer.end("NO [NONEXISTENT] Unknown Mailbox");
        peer.expect("SELECT \"INBOX\"");
        peer.end("OK [READ-ONLY] done");
    });
    assert_eq!(
        obstacles(&mut connection, &archive()),
        [
            "localhost: the server has neither MOVE nor UIDPLUS: a mail cannot be moved without taking away what others have marked as deleted",
            "localhost: EXAMINE \"Archive & more\" is refused: [NONEXISTENT] Unknown Mailbox",
            "localhost: INBOX may only be read by this login",
        ]
    );
    let (_played, mut connection) = able("", |_| {});
    assert_eq!(obstacles(&mut connection, &Settled::Keep), [""; 0]);
}

fn obstacles(connection: &mut Connection, settled: &Settled) -> Vec<String> {
    connection.obstacles(settled).unwrap().iter().map(|why| without_port(why)).collect()
}
