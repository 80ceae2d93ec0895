//! Seeds that have shown something, each with its story: they are run with every run of the tests. A change of the
//! simulation may make another run of a seed; what it has shown has a test of its own beside the rule.

use super::simulate;

const KEPT: &[(u64, &str)] = &[
    (43, "a vendor that asked to be left alone about a paste held up the mailed key behind it"),
    (326, "a key that was accepted after another was pasted stood behind it, and was dropped"),
    (1275, "a stale answer of the store took the daemon back to the key before"),
    (1636, "a key that had left the store with its document was adopted when somebody put it back"),
    (1708, "a promotion that was lost counted as done, because somebody else had written the same key"),
];

#[test]
fn seeds_that_have_shown_something_show_nothing_any_more() {
    for (seed, story) in KEPT {
        assert_eq!(simulate(*seed, false).failure, None, "seed {seed}: {story}");
    }
}

#[test]
fn of_two_daemons_one_acts_and_nothing_is_promoted_twice() {
    for seed in 0..20 {
        let pair = super::pair::pair(seed);
        assert_eq!(pair.failure, None, "pair {seed}");
        assert!(pair.terms > 1 && pair.promotions > 50, "pair {seed}: {pair:?}");
    }
}

#[test]
fn every_fault_has_a_name_of_its_own() {
    let names: std::collections::BTreeSet<_> = super::Fault::ALL.iter().map(|fault| fault.words()).collect();
    assert_eq!(names.len(), super::Fault::ALL.len());
    assert!(names.len() >= 60, "{} kinds of faults", names.len());
}

#[test]
fn the_same_seed_is_the_same_run() {
    let (one, two) = (simulate(7, true), simulate(7, true));
    assert!(one.transcript == two.transcript && one.events == two.events && one.hits == two.hits);
}
