//! Forgeries by hand, as data: `forgeries/*.yaml`. Each case says how it differs from one genuine mail, and is judged
//! three times: signed by the vendor himself as it stands (who would have to be made to do that), with the signature of
//! the genuine mail, and unsigned. A family's controls are harmless changes of the same kind, which are accepted.

mod build;
mod rows;
mod second_parser;

use super::{Outcome, World, outcome};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A kind of games, its usual outcome, and what all its mails have in common.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Family {
    family: String,
    becomes: Outcome,
    #[serde(rename = "type")]
    kind: Option<String>,
    cte: Option<String>,
    body: Option<String>,
    controls: Vec<Case>,
    cases: Vec<Case>,
}

/// One mail. Whatever is not said is as in the genuine one.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// The row of the hard cases; a control without one belongs to all of its family.
    row: Option<String>,
    name: String,
    from: Option<String>,
    to: Option<String>,
    subject: Option<String>,
    date: Option<String>,
    id: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    cte: Option<String>,
    /// Whole lines in the place of `From`.
    head: Option<String>,
    /// Fields that are left out.
    #[serde(default)]
    no: Vec<String>,
    /// Lines at the end of the header.
    last: Option<String>,
    /// Lines on top, put there after it was signed.
    top: Option<String>,
    body: Option<String>,
    /// What is done to the body's bytes.
    #[serde(default)]
    bytes: Vec<build::Bytes>,
    /// Its line ends stand as they are.
    #[serde(default)]
    mixed_ends: bool,
    /// After it was signed: the first of one text becomes the other.
    #[serde(default)]
    after: Vec<(String, String)>,
    becomes: Option<Outcome>,
}

fn families() -> Vec<Family> {
    let folder = format!("{}/src/vendor/recognise/tests/forgeries", env!("CARGO_MANIFEST_DIR"));
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        yaml_serde::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    paths.iter().map(read).collect()
}

impl Family {
    fn belongs(case: &Case, row: &str) -> bool {
        case.row.as_deref().is_none_or(|own| own == row)
    }

    /// What is wrong with one case, in words; nothing if it is refused as it should be, however it is signed.
    fn complaints(&self, world: &World, case: &Case) -> Vec<String> {
        let wanted = case.becomes.unwrap_or(self.becomes);
        let mail = self.mail(world, case);
        let mut complaints = Vec::new();
        let mut complain = |how: &str, outcome: (Outcome, &str)| {
            complaints.push(format!("{}, {}, {how}: {outcome:?}", self.family, case.name));
        };
        let signed = world.recognise(&mail.signed);
        if outcome(&signed.finding).0 != wanted
            || signed.key.is_some() != matches!(wanted, Outcome::Known | Outcome::Held)
        {
            complain("signed by the vendor", outcome(&signed.finding));
        }
        let stolen = world.recognise(&mail.with_stolen_signature);
        let refused = [Outcome::Suspicious, Outcome::Unparsed, Outcome::NotOurs];
        if !refused.contains(&outcome(&stolen.finding).0) || stolen.key.is_some() {
            complain("with the signature of another mail", outcome(&stolen.finding));
        }
        let unsigned = world.recognise(&mail.unsigned);
        if [Outcome::NewKey, Outcome::Warning].contains(&outcome(&unsigned.finding).0) {
            complain("unsigned", outcome(&unsigned.finding));
        }
        complaints
    }

    fn control_complaint(&self, world: &World, case: &Case) -> Option<String> {
        let found = world.recognise(&self.mail(world, case).signed);
        let accepted = outcome(&found.finding).0 == Outcome::NewKey && found.key.as_ref() == Some(&world.key);
        (!accepted).then(|| format!("{}, control, {}: {:?}", self.family, case.name, outcome(&found.finding)))
    }
}

/// The cases of a row, each refused as its family says, and their controls, each accepted.
fn row(row: &str, at_least: usize) {
    let world = World::new();
    let (mut count, mut complaints) = (0, Vec::new());
    for family in families() {
        let own: Vec<&Case> = family.cases.iter().filter(|case| case.row.as_deref() == Some(row)).collect();
        if own.is_empty() {
            continue;
        }
        count += own.len();
        complaints.extend(own.iter().flat_map(|case| family.complaints(&world, case)));
        let controls: Vec<&Case> = family.controls.iter().filter(|case| Family::belongs(case, row)).collect();
        assert!(!controls.is_empty(), "{}, {row}: nothing shows that it can be accepted", family.family);
        complaints.extend(controls.iter().filter_map(|case| family.control_complaint(&world, case)));
    }
    assert_eq!(complaints, Vec::<String>::new(), "{row}");
    assert!(count >= at_least, "{row} has {count} cases, fewer than {at_least}");
}

#[test]
fn of_all_forgeries_by_hand_none_is_accepted() {
    let world = World::new();
    let (mut counts, mut complaints) = (BTreeMap::new(), Vec::new());
    for family in families() {
        let mut names: Vec<&str> = family.cases.iter().map(|case| case.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), family.cases.len(), "{}: a name twice", family.family);
        let mut mails: Vec<_> = family.cases.iter().map(|case| family.mail(&world, case).unsigned).collect();
        mails.sort_unstable();
        mails.dedup();
        complaints.extend(family.cases.iter().flat_map(|case| family.complaints(&world, case)));
        complaints.extend(family.controls.iter().filter_map(|case| family.control_complaint(&world, case)));
        counts.insert(family.family, (family.cases.len(), family.controls.len()));
    }
    for (family, (cases, controls)) in &counts {
        println!("{cases:4} forgeries refused, {controls:3} controls accepted: {family}");
    }
    let total: usize = counts.values().map(|(cases, _)| cases).sum();
    println!("{total:4} forgeries in all, {} judged", 3 * total);
    assert_eq!(complaints, Vec::<String>::new(), "0 accepted");
    assert!(total >= 300, "{total}");
}
