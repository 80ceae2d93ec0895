//! Seeds that have shown something, each with its story: they are run with every run of the tests. A change of the
//! simulation may make another run of a seed; what it has shown has a test of its own beside the rule.

use super::simulate;

const KEPT: &[(u64, &str)] = &[
    (
        26,
        "a key that an operator had accepted during an outage was promoted over the newer one that he pasted",
    ),
    (63, "an operator was told that his key is in the spool, whose disk was full"),
    (70, "a delivery that ended while the document was deleted left its consumer in flight for ever"),
    (88, "back-off that was reckoned by a clock ten years ahead was waited for when the clock was mended"),
    (100, "a pasted key was promoted by a verdict of five hours ago, while its spooling was tried again"),
    (187, "a late copy of an unreadable confirmation was urgent, though its rotation was over"),
    (233, "an old key that had lain in the store was promoted after the document was deleted"),
];

#[test]
fn seeds_that_have_shown_something_show_nothing_any_more() {
    for (seed, story) in KEPT {
        assert_eq!(simulate(*seed, false).failure, None, "seed {seed}: {story}");
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
