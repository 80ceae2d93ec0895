//! The confirmation that lies in the mailbox more than once: what is counted, what is told, what is taken away.

use super::{tidying::*, *};
use crate::domain::{Finding, Settled};

#[test]
fn s23_a_copy_is_treated_likewise_and_what_is_not_genuine_is_left_alone() {
    let mut bench = wishing(Settled::Delete, true);
    let confirmation = rotate(&mut bench, 2);
    let copy = copy_of(&confirmation, &mut bench, "Junk");
    let mail = bench.mail(bench.now);
    let forged = Finding::Known { mail, fingerprint: key(2), dated: START, genuine: false };
    bench.wait(HOUR);
    bench.looks(&[copy, forged]);
    bench.wait(HOUR);
    let lines = bench.take();
    let said = |start: &str| lines.iter().filter(|line| line.starts_with(start)).cloned().collect::<Vec<_>>();
    assert_eq!(said("delete"), ["delete INBOX 7/1", "delete Junk 7/2"]);
    assert_eq!(said("mail mail"), ["mail mail-copies 0 info"]);
    let notice = bench.last_notice();
    assert_eq!(
        (notice.message.as_str(), notice.doing.as_deref()),
        (
            "the confirmation of the current key lay in the mailbox mail 2 times: 1 in INBOX, 1 in Junk",
            Some("they are genuine, and were deleted like the first")
        )
    );
}

#[test]
fn s23_copies_are_reported_once_for_each_number_and_nothing_is_touched() {
    let mut bench = wishing(Settled::Keep, true);
    let confirmation = rotate(&mut bench, 2);
    let copies = ["Junk", "Junk"].map(|folder| copy_of(&confirmation, &mut bench, folder));
    bench.wait(HOUR);
    for copy in &copies {
        for _ in 0..2 {
            bench.looks(std::slice::from_ref(copy));
            bench.passes(HOUR);
        }
        bench.restart();
        bench.looks(std::slice::from_ref(copy));
        bench.passes(HOUR);
    }
    let lines = bench.take();
    let said = |start: &str| lines.iter().filter(|line| line.starts_with(start)).cloned().collect::<Vec<_>>();
    assert_eq!(said("count"), ["count INBOX 7/1, Junk 7/2", "count Junk 7/3"]);
    assert_eq!(said("mail mail"), ["mail mail-copies 0 info"; 2]);
    assert!(bench.world.mailbox.gone.is_empty());
}

/// Somebody dragged it from one watched folder to another: it is one mail.
#[test]
fn s23_a_mail_that_was_moved_by_hand_is_no_copy() {
    let mut bench = wishing(Settled::Keep, true);
    let confirmation = rotate(&mut bench, 2);
    let copy = copy_of(&confirmation, &mut bench, "Junk");
    bench.wait(HOUR);
    bench.world.mailbox.gone.extend(confirmation.mail.lies_at());
    bench.looks(&[copy]);
    bench.wait(HOUR);
    let lines = bench.take();
    assert!(lines.contains(&"count INBOX 7/1, Junk 7/2".to_owned()), "{lines:?}");
    assert!(!lines.iter().any(|line| line.starts_with("mail mail-copies")), "{lines:?}");
}

/// The attacker who sends the confirmation on again and again makes the notes no longer than they may be.
#[test]
fn s23_however_many_copies_there_are_all_are_taken_away_and_few_are_noted() {
    let mut bench = wishing(Settled::Delete, true);
    let confirmation = rotate(&mut bench, 2);
    bench.wait(HOUR);
    let copies: Vec<_> = (0..100).map(|_| copy_of(&confirmation, &mut bench, "INBOX")).collect();
    let mut looks = 0;
    loop {
        let left = |finding: &&Finding| match finding {
            Finding::Known { mail, .. } => !bench.world.mailbox.gone.contains(&mail.lies_at().unwrap()),
            _ => true,
        };
        let left: Vec<_> = copies.iter().filter(left).cloned().collect();
        if left.is_empty() {
            break;
        }
        looks += 1;
        assert!(looks < 10, "{} are left", left.len());
        bench.looks(&left);
        bench.passes(HOUR);
        let state = bench.world.stored("main").state.clone().unwrap();
        assert!(state.copies.len() <= 32, "{}", state.copies.len());
    }
    assert_eq!(looks, 4);
}

/// It came while the first one's key was still on its way.
#[test]
fn s23_a_copy_that_is_read_before_its_key_is_promoted_is_not_forgotten() {
    let mut bench = wishing(Settled::Delete, false);
    let confirmation = rotate(&mut bench, 2);
    let copy = copy_of(&confirmation, &mut bench, "Junk");
    bench.looks(&[copy]);
    bench.wait(HOUR);
    assert_eq!(tidied(&mut bench), ["delete INBOX 7/1, Junk 7/2"]);
}
