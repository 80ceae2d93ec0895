//! `settled` and `report_copies`: what may be done in a mailbox besides reading it.

use super::*;
use crate::domain::{Hygiene, Settled};

const SETTLED: &str = "mailboxes.vendor-mail.settled";
const FOLDERS: &str = "mailboxes.vendor-mail.imap.folders";
const COPIES: &str = "mailboxes.vendor-mail.report_copies";

fn hygiene(changes: &[(&str, &str)]) -> Hygiene {
    accepted(changes).hygiene_of(&"vendor-mail".parse().unwrap())
}

#[test]
fn s23_nothing_is_touched_or_told_unless_it_is_written() {
    assert_eq!(hygiene(&[]), Hygiene { settled: Settled::Keep, report_copies: false });
    assert_eq!(hygiene(&[(SETTLED, "keep"), (COPIES, "false")]), Hygiene::default());
    assert_eq!(hygiene(&[(SETTLED, "delete")]).settled, Settled::Delete);
    assert_eq!(hygiene(&[(SETTLED, "{move: 'Done/2026'}")]).settled, Settled::Move("Done/2026".into()));
    assert!(hygiene(&[(COPIES, "true")]).report_copies);
}

#[test]
fn s23_a_folder_that_is_watched_is_no_place_to_move_to() {
    let hint = "name another folder, which must be there already";
    for (folders, target) in [("[]", "INBOX"), ("[]", "inbox"), ("[INBOX, Rotations]", "Rotations")] {
        let said = said_of(&[(FOLDERS, folders), (SETTLED, &format!("{{move: {target}}}"))]);
        assert_eq!(said, [format!("{SETTLED}.move: {target} is a folder that is watched; {hint}")]);
    }
    assert_eq!(
        hygiene(&[(FOLDERS, "[Rotations]"), (SETTLED, "{move: INBOX}")]).settled,
        Settled::Move("INBOX".into())
    );
}

#[test]
fn s23_a_maildir_moves_nothing() {
    let maildir = ("mailboxes.vendor-mail", "{maildir: {path: /var/mail/rotation}}");
    let recipient = ("credentials.main.recipient", "rotation@example.com");
    accepted(&[maildir, recipient, (SETTLED, "keep"), (COPIES, "false")]);
    for settled in ["delete", "{move: Done}"] {
        assert_eq!(
            said_of(&[maildir, recipient, (SETTLED, settled)]),
            [format!(
                "{SETTLED}: a maildir is only read: nothing in it is moved or deleted; write settled: keep"
            )]
        );
    }
    assert_eq!(
        said_of(&[maildir, recipient, (COPIES, "true")]),
        [format!("{COPIES}: a maildir is one folder, and only read; this is for imap")]
    );
}

#[test]
fn s23_what_is_neither_word_nor_folder_is_refused() {
    each_is_refused(&[
        (
            SETTLED,
            "purge",
            "mailboxes.vendor-mail.settled: \"purge\" is none of the words here; write \"keep\" or \"delete\"",
        ),
        (SETTLED, "{}", "mailboxes.vendor-mail.settled.move: this key is missing"),
        (SETTLED, "{move: ''}", "mailboxes.vendor-mail.settled.move: the text is empty"),
        (
            SETTLED,
            "{move: \"Done\\r\\na LOGOUT\"}",
            "mailboxes.vendor-mail.settled.move: the text holds a line break or another control character",
        ),
        (COPIES, "often", "mailboxes.vendor-mail.report_copies: true or false is needed here"),
    ]);
}
