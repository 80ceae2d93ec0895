//! An operator's own calls to a vendor, on the meter that probes count on.

use super::{bench::*, *};
use crate::rotation::Event;

fn asks(bench: &mut Bench, name: &str, weight: u32, ticket: u64) {
    bench.happens(Event::CallAsked { name: name.parse().unwrap(), weight, ticket });
}

#[test]
fn what_does_not_fit_is_put_off_to_the_moment_at_which_it_does_and_a_candidate_is_probed_meanwhile() {
    let mut bench = Bench::seeded();
    bench.wait(2 * MIN);
    bench.take();
    let all: Vec<_> = (1..=150).map(|ticket| format!("call {ticket}")).collect();
    (1..=150).for_each(|ticket| asks(&mut bench, "main", 2, ticket));
    assert_eq!(bench.take(), all, "half of 600 a minute, each for two");
    let next = bench.now + MIN;
    asks(&mut bench, "main", 1, 151);
    bench.expect(&[&format!("answer 151: not before {next}")]);

    bench.world.alive(key(2));
    bench.confirmed(key(2));
    bench.run();
    assert!(bench.take().contains(&"probe K2".to_owned()), "nobody's call keeps it waiting");
    bench.wait(MIN);
    bench.take();
    asks(&mut bench, "main", 2, 152);
    bench.expect(&["call 152"]);
    assert_eq!(bench.unanswered(), [0; 0]);
}

#[test]
fn for_a_credential_that_is_gone_nobody_is_called() {
    let mut bench = Bench::seeded();
    bench.take();
    asks(&mut bench, "gone", 1, 1);
    bench.expect(&["answer 1: refused: gone is no longer configured"]);
}
