//! A rotation that a mail tells of.

use super::{bench::*, *};
use crate::rotation::Phase;

#[test]
fn on_a_confirmation_everything_that_is_needed_is_asked_for_at_once() {
    let mut bench = Bench::seeded();
    bench.world.alive(key(2));
    bench.confirmed(key(2));
    bench.expect(&[]);
}

#[test]
fn confirmed_without_a_warning() {
    let mut bench = Bench::seeded();
    bench.world.alive(key(2));
    bench.confirmed(key(2));
    bench.run();
    bench.expect(&[]);
    assert_eq!(bench.phase(), Phase::Steady);
}
