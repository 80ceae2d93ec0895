//! The recorded answers: each file under `vendor/profiles/leaf7/answers` says what was answered and what it means.

use super::leaf7;
use crate::domain::{Account, Verdict};
use crate::probe::classify;
use serde::Deserialize;
use std::path::Path;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recorded {
    about: String,
    status: u16,
    body: String,
    verdict: Verdict,
    account: Option<Account>,
    why: String,
}

#[test]
fn h02_r50_each_recorded_answer_means_what_its_file_says() {
    let profile = leaf7("https://api.leaf7.fun");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/vendor/profiles/leaf7/answers");
    let mut seen = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let case: Recorded = yaml_serde::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let got = classify(&profile, case.status, case.body.as_bytes());
        assert_eq!(got, (case.verdict, case.account, case.why), "{}: {}", path.display(), case.about);
        seen.push(case.verdict);
    }
    let count = |verdict| seen.iter().filter(|seen| **seen == verdict).count();
    assert_eq!((count(Verdict::Alive), count(Verdict::Dead), count(Verdict::Unclear)), (4, 2, 30));
}

#[test]
fn a_body_that_is_no_text_is_unclear() {
    let (verdict, account, why) = classify(&leaf7("https://api.leaf7.fun"), 200, b"\x1f\x8b\x08\x00\xff");
    assert_eq!((verdict, account), (Verdict::Unclear, None));
    assert_eq!(why, "200 (OK) with a body that is no JSON");
}

#[test]
fn a_profile_that_contradicts_itself_condemns_and_promotes_nobody() {
    let mut profile = leaf7("https://api.leaf7.fun");
    profile.probe.dead.extend(profile.probe.alive.clone());
    let (verdict, account, why) = classify(&profile, 200, b"[]");
    assert_eq!((verdict, account), (Verdict::Unclear, None));
    assert_eq!(why, "200 fits a live and a dead key: the profile contradicts itself");
}

#[test]
fn a_vendor_without_identities_has_no_account() {
    let mut profile = leaf7("https://api.leaf7.fun");
    profile.probe.identity = None;
    let (verdict, account, _) = classify(&profile, 200, br#"[{"project_id": "a", "name": "b"}]"#);
    assert_eq!((verdict, account), (Verdict::Alive, None));
}
