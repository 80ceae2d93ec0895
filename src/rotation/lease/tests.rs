//! One daemon's lease, word for word; two and more of them against one store are next door.

mod world;

use super::*;
use crate::domain::StoreTrouble;

const SEC: Duration = Duration::from_secs(1);

fn at(secs: u32) -> Boot {
    1_000 * SEC + secs * SEC
}
fn daemon(number: u8, configuration: &str) -> Holder {
    let run = RotationId::from_parts(u64::from(number), 0);
    Holder { run, host: format!("host-{number}"), configuration: configuration.into() }
}
fn held(by: u8, term: u64, write: u64) -> LeaseDocument {
    let (holder, lineage) = (daemon(by, "same"), "line".to_owned());
    LeaseDocument { lineage, term, holder, given_up: false, write, news: 0 }
}
fn given_up(document: LeaseDocument) -> LeaseDocument {
    LeaseDocument { given_up: true, ..document }
}
fn present(version: u64, document: &LeaseDocument) -> LeaseEvent {
    LeaseEvent::Read(LeaseRead::Present { version, document: document.clone() })
}
fn written(version: u64) -> LeaseEvent {
    LeaseEvent::Written(WriteOutcome::Written { version })
}
fn lost() -> LeaseEvent {
    LeaseEvent::Written(WriteOutcome::Unknown("no answer".into()))
}
fn failed() -> LeaseEvent {
    LeaseEvent::Written(WriteOutcome::Failed(StoreTrouble::Sealed))
}
fn new() -> Lease {
    Lease::new(daemon(1, "same"), &Limits::default(), at(0))
}
/// The only order, which must be a write.
fn the_write(orders: &[LeaseOrder]) -> (u64, LeaseDocument) {
    match orders {
        [LeaseOrder::Write { cas, document }] => (*cas, document.clone()),
        other => panic!("one write was expected: {other:?}"),
    }
}
/// A lease that this daemon has held since `at(0)`, as version 8 in term 4.
fn active() -> Lease {
    let mut lease = new();
    assert_eq!(lease.handle_deadline(at(0)), [LeaseOrder::Read]);
    let orders = lease.handle(present(7, &given_up(held(2, 3, 9))), at(0));
    assert_eq!(orders[0], LeaseOrder::BecomeStandby);
    assert_eq!(the_write(&orders[1..]), (7, held(1, 4, 1)));
    let after = Some(daemon(2, "").run);
    assert_eq!(lease.handle(written(8), at(0)), [LeaseOrder::BecomeActive { term: 4, after }]);
    lease
}
/// A standby that has seen version 7 at `at(0)`.
fn standby() -> Lease {
    let mut lease = new();
    lease.handle_deadline(at(0));
    assert_eq!(lease.handle(present(7, &held(2, 3, 9)), at(0)), [LeaseOrder::BecomeStandby]);
    lease
}
/// One more look, with this answer.
fn look(lease: &mut Lease, event: LeaseEvent, now: Boot) -> Vec<LeaseOrder> {
    assert_eq!(lease.handle_deadline(now), [LeaseOrder::Read]);
    lease.handle(event, now)
}

#[test]
fn the_first_daemon_of_all_begins_a_line_of_documents_and_acts() {
    let mut lease = new();
    assert_eq!(lease.handle_deadline(at(0)), [LeaseOrder::Read]);
    assert!(!lease.may_act(at(0)));
    let orders = lease.handle(LeaseEvent::Read(LeaseRead::Absent { version: 0 }), at(0));
    let lineage = daemon(1, "").run.to_string();
    assert_eq!(the_write(&orders[1..]), (0, LeaseDocument { lineage, ..held(1, 1, 1) }));
    assert_eq!(lease.handle(written(1), at(1)), [LeaseOrder::BecomeActive { term: 1, after: None }]);
    assert!(lease.may_act(at(1)));
}

#[test]
fn two_that_begin_at_once_agree_on_the_line_that_the_store_has_taken() {
    let mut lease = new();
    lease.handle_deadline(at(0));
    lease.handle(LeaseEvent::Read(LeaseRead::Absent { version: 0 }), at(0));
    assert_eq!(lease.handle(LeaseEvent::Written(WriteOutcome::Mismatch), at(0)), [LeaseOrder::Read]);
    assert_eq!(lease.handle(present(1, &held(2, 1, 1)), at(0)), []);
    assert_eq!(lease.role(), &Role::Standby);
    assert_eq!(lease.holder().map(|holder| holder.host.as_str()), Some("host-2"));
}

#[test]
fn it_may_act_while_five_seconds_are_left_counted_from_before_the_renewal_was_sent() {
    let mut lease = active();
    assert_eq!(lease.next_deadline(), Some(at(3)));
    assert_eq!(the_write(&lease.handle_deadline(at(3))), (8, held(1, 4, 2)));
    assert_eq!(lease.handle(written(9), at(5)), []);
    assert!(lease.may_act(at(13)));
    assert!(!lease.may_act(at(13) + Duration::from_nanos(1)));
}

#[test]
fn without_a_renewal_it_ends_at_its_own_fifteen_seconds_and_only_a_new_version_brings_it_back() {
    let mut lease = active();
    lease.handle_deadline(at(3));
    assert_eq!(lease.handle(failed(), at(3)), []);
    assert_eq!(lease.next_deadline(), Some(at(4)));
    lease.handle_deadline(at(14));
    assert_eq!(lease.next_deadline(), Some(at(15)));
    assert_eq!(lease.handle_deadline(at(15)), [LeaseOrder::BecomeStandby]);
    assert!(!lease.may_act(at(15)));
    // The answer that was waited for: nobody else has written, and what was decided before is decided anew.
    let after = Some(daemon(1, "").run);
    assert_eq!(lease.handle(written(9), at(16)), [LeaseOrder::BecomeActive { term: 4, after }]);
}

#[test]
fn stopped_for_minutes_it_may_not_act_when_it_wakes_up_whatever_was_answered_meanwhile() {
    let mut lease = active();
    lease.handle_deadline(at(3));
    assert!(!lease.may_act(at(600)));
    let orders = lease.handle(written(9), at(600));
    assert_eq!(orders[0], LeaseOrder::BecomeStandby);
    // Nobody came meanwhile: the store says so by taking a write over the last version.
    assert_eq!(the_write(&orders[1..]), (9, held(1, 5, 3)));
    assert!(!lease.may_act(at(600)));
    let after = Some(daemon(1, "").run);
    assert_eq!(lease.handle(written(10), at(600)), [LeaseOrder::BecomeActive { term: 5, after }]);
}

#[test]
fn stopped_for_minutes_and_replaced_it_stands_by() {
    let mut lease = active();
    lease.handle_deadline(at(3));
    let orders = lease.handle(LeaseEvent::Written(WriteOutcome::Mismatch), at(600));
    assert_eq!(orders, [LeaseOrder::BecomeStandby, LeaseOrder::Read]);
    assert_eq!(lease.handle(present(70, &held(2, 5, 200)), at(600)), []);
    assert_eq!(lease.role(), &Role::Standby);
    assert_eq!(lease.next_deadline(), Some(at(602)));
}

#[test]
fn a_renewal_whose_answer_was_lost_is_looked_up_and_counts_from_before_it_was_sent() {
    let mut lease = active();
    lease.handle_deadline(at(3));
    assert_eq!(lease.handle(lost(), at(4)), [LeaseOrder::Read]);
    assert_eq!(lease.handle(present(9, &held(1, 4, 2)), at(5)), []);
    assert!(lease.may_act(at(13)));
    assert!(!lease.may_act(at(14)));
    assert_eq!(the_write(&lease.handle_deadline(at(6))), (9, held(1, 4, 3)));
}

#[test]
fn a_renewal_that_was_lost_on_the_way_is_written_again_and_gives_no_time() {
    let mut lease = active();
    lease.handle_deadline(at(3));
    lease.handle(lost(), at(6));
    assert_eq!(lease.handle(present(8, &held(1, 4, 1)), at(6)), []);
    assert!(lease.may_act(at(10)));
    assert!(!lease.may_act(at(11)));
    assert_eq!(the_write(&lease.handle_deadline(at(7))), (8, held(1, 4, 3)));
    // The first one arrives after all, before the second: its moment is not known any more.
    assert_eq!(lease.handle(LeaseEvent::Written(WriteOutcome::Mismatch), at(7)), [LeaseOrder::Read]);
    assert_eq!(lease.handle(present(9, &held(1, 4, 2)), at(7)), []);
    assert!(!lease.may_act(at(11)));
    assert_eq!(the_write(&lease.handle_deadline(at(8))), (9, held(1, 4, 4)));
    assert_eq!(lease.handle(written(10), at(8)), []);
    assert!(lease.may_act(at(18)));
}

#[test]
fn others_take_over_when_they_have_seen_no_new_version_for_fifteen_seconds() {
    let mut lease = standby();
    for secs in [2, 4, 6, 8, 10, 12] {
        assert_eq!(look(&mut lease, present(7, &held(2, 3, 9)), at(secs)), []);
    }
    look(&mut lease, present(7, &held(2, 3, 9)), at(14));
    assert_eq!(lease.next_deadline(), Some(at(15)));
    assert_eq!(the_write(&lease.handle_deadline(at(15))), (7, held(1, 4, 1)));
    let after = Some(daemon(2, "").run);
    assert_eq!(lease.handle(written(8), at(15)), [LeaseOrder::BecomeActive { term: 4, after }]);
}

#[test]
fn a_new_version_begins_the_fifteen_seconds_anew() {
    let mut lease = standby();
    look(&mut lease, present(8, &held(2, 3, 10)), at(14));
    assert_eq!(look(&mut lease, present(8, &held(2, 3, 10)), at(28)), []);
    assert_eq!(lease.next_deadline(), Some(at(29)));
}

#[test]
fn an_answer_older_than_one_before_begins_nothing_anew() {
    let mut lease = standby();
    assert_eq!(look(&mut lease, present(6, &held(2, 3, 8)), at(14)), []);
    assert_eq!(the_write(&lease.handle_deadline(at(15))).0, 7);
}

#[test]
fn what_a_holder_gives_up_is_taken_at_once() {
    let mut lease = standby();
    let orders = look(&mut lease, present(8, &given_up(held(2, 3, 10))), at(2));
    assert_eq!(the_write(&orders), (8, held(1, 4, 1)));
}

#[test]
fn of_two_that_take_over_at_once_the_later_one_stands_by() {
    let mut lease = standby();
    the_write(&lease.handle_deadline(at(15)));
    assert_eq!(lease.handle(LeaseEvent::Written(WriteOutcome::Mismatch), at(15)), [LeaseOrder::Read]);
    assert_eq!(lease.handle(present(8, &held(3, 4, 1)), at(15)), []);
    assert_eq!(lease.role(), &Role::Standby);
}

#[test]
fn a_takeover_whose_answer_was_lost_is_looked_up() {
    let mut lease = standby();
    the_write(&lease.handle_deadline(at(15)));
    assert_eq!(lease.handle(lost(), at(18)), [LeaseOrder::Read]);
    let after = Some(daemon(2, "").run);
    let orders = lease.handle(present(8, &held(1, 4, 1)), at(18));
    assert_eq!(orders[0], LeaseOrder::BecomeActive { term: 4, after });
    assert!(lease.may_act(at(25)));
    assert!(!lease.may_act(at(26)));
}

#[test]
fn one_that_stops_gives_the_lease_up_and_one_that_stands_by_has_nothing_to_give() {
    let mut lease = active();
    let orders = lease.handle(LeaseEvent::Stopping, at(1));
    assert_eq!(the_write(&orders), (8, given_up(held(1, 4, 2))));
    assert!(!lease.is_over());
    assert_eq!(lease.handle(written(9), at(1)), [LeaseOrder::BecomeStandby]);
    assert!(lease.is_over());
    assert_eq!(lease.next_deadline(), None);
    let mut lease = standby();
    assert_eq!(lease.handle(LeaseEvent::Stopping, at(1)), []);
    assert!(lease.is_over());
}

#[test]
fn one_that_stops_while_a_renewal_is_under_way_gives_up_after_it() {
    let mut lease = active();
    lease.handle_deadline(at(3));
    assert_eq!(lease.handle(LeaseEvent::Stopping, at(3)), []);
    assert_eq!(lease.handle(lost(), at(4)), [LeaseOrder::Read]);
    let orders = lease.handle(present(9, &held(1, 4, 2)), at(4));
    assert_eq!(the_write(&orders), (9, given_up(held(1, 4, 3))));
    lease.handle(failed(), at(4));
    assert!(lease.is_over());
}

#[test]
fn beside_a_living_holder_of_another_configuration_it_refuses() {
    let mut lease = Lease::new(daemon(1, "other"), &Limits::default(), at(0));
    lease.handle_deadline(at(0));
    // It may be dead.
    assert_eq!(lease.handle(present(7, &held(2, 3, 9)), at(0)), []);
    assert_eq!(lease.role(), &Role::Starting);
    let refusal = Refusal::Configuration { holder: daemon(2, "same") };
    let orders = look(&mut lease, present(8, &held(2, 3, 10)), at(2));
    assert_eq!(orders, [LeaseOrder::Refuse(refusal)]);
    // Configured like it, it stands by.
    let configured = LeaseEvent::Configured { configuration: "same".into() };
    assert_eq!(lease.handle(configured, at(3)), [LeaseOrder::BecomeStandby, LeaseOrder::Read]);
}

#[test]
fn what_a_dead_holder_was_configured_with_does_not_matter() {
    let mut lease = Lease::new(daemon(1, "other"), &Limits::default(), at(0));
    lease.handle_deadline(at(0));
    assert_eq!(lease.handle(present(7, &held(2, 3, 9)), at(0)), []);
    look(&mut lease, present(7, &held(2, 3, 9)), at(14));
    let (cas, document) = the_write(&lease.handle_deadline(at(15)));
    assert_eq!((cas, document.holder), (7, daemon(1, "other")));
}

#[test]
fn documents_of_another_line_are_never_taken_over() {
    let mut lease = standby();
    let other = LeaseDocument { lineage: "another".into(), ..given_up(held(2, 1, 1)) };
    let refusal = Refusal::Lineage { known: "line".into(), found: "another".into() };
    assert_eq!(look(&mut lease, present(8, &other), at(2)), [LeaseOrder::Refuse(refusal)]);
    assert_eq!(look(&mut lease, present(8, &other), at(60)), []);
    assert_eq!(look(&mut lease, present(9, &held(2, 3, 10)), at(62)), [LeaseOrder::BecomeStandby]);
}

#[test]
fn a_document_that_cannot_be_read_is_never_written_over() {
    let mut lease = active();
    lease.handle_deadline(at(3));
    lease.handle(lost(), at(3));
    let unreadable = || LeaseEvent::Read(LeaseRead::Refused { why: "schema 2".into() });
    let refusal = Refusal::Unreadable { why: "schema 2".into() };
    assert_eq!(lease.handle(unreadable(), at(3)), [LeaseOrder::Refuse(refusal)]);
    assert!(!lease.may_act(at(3)));
    assert_eq!(look(&mut lease, unreadable(), at(100)), []);
}

#[test]
fn others_hear_that_a_key_was_written_by_the_next_renewal() {
    let mut lease = active();
    assert_eq!(lease.handle(LeaseEvent::KeyWritten, at(1)), []);
    let (_, document) = the_write(&lease.handle_deadline(at(3)));
    assert_eq!(document.news, 1);
    let mut other = standby();
    look(&mut other, present(8, &LeaseDocument { news: 5, ..held(2, 3, 10) }), at(2));
    assert_eq!(other.news(), 5);
    // Who takes over goes on counting.
    other.handle(LeaseEvent::KeyWritten, at(3));
    let (_, document) = the_write(&other.handle_deadline(at(17)));
    assert_eq!(document.news, 6);
}

#[test]
fn a_store_that_is_away_is_asked_again_each_second_and_nobody_acts() {
    let mut lease = new();
    for secs in 0..30 {
        let orders = look(&mut lease, LeaseEvent::Read(LeaseRead::Failed), at(secs));
        assert_eq!(orders, []);
        assert_eq!(lease.next_deadline(), Some(at(secs + 1)));
    }
    assert!(!lease.may_act(at(30)));
    assert_eq!(lease.role(), &Role::Starting);
}
