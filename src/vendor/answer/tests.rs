//! The recorded answers: each file under `profiles/<vendor>/answers` says what was answered and what it means.

use super::classify;
use crate::domain::{Account, Verdict};
use crate::vendor::{Profile, resolve};
use serde::Deserialize;
use std::{collections::BTreeMap, path::Path};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recorded {
    about: String,
    status: u16,
    body: String,
    verdict: Verdict,
    #[serde(default)]
    account: Option<Account>,
    #[serde(default)]
    foreign: bool,
    #[serde(default)]
    wrote: bool,
    #[serde(default)]
    key_id: Option<String>,
    why: String,
}

/// A built-in vendor, for the organization of the recorded answers.
fn built_in(vendor: &str) -> Profile {
    let profile = resolve(&BTreeMap::new()).unwrap().remove(&vendor.parse().unwrap()).unwrap();
    let values = [("host", "api.example.com"), ("org_uuid", "0f8fad5b-d9cb-469f-a165-70867728950e")];
    profile.filled(&values.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
}

/// How many of a vendor's recorded answers mean what.
fn recorded(vendor: &str) -> [usize; 3] {
    let profile = built_in(vendor);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/vendor/profiles/{vendor}/answers"));
    let mut counts = [0; 3];
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let case: Recorded = yaml_serde::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let got = classify(&profile, case.status, case.body.as_bytes());
        let seen = (got.verdict, got.account, got.foreign, got.wrote, got.key_id, got.why);
        let expected = (case.verdict, case.account, case.foreign, case.wrote, case.key_id, case.why);
        assert_eq!(seen, expected, "{}: {}", path.display(), case.about);
        counts[case.verdict as usize] += 1;
    }
    counts
}

#[test]
fn h02_r50_each_recorded_answer_means_what_its_file_says() {
    assert_eq!(recorded("leaf7"), [4, 2, 30]);
    assert_eq!(recorded("leafpad"), [4, 1, 9]);
    assert_eq!(recorded("leadey"), [3, 1, 9]);
    assert_eq!(recorded("legba"), [2, 1, 9]);
}

#[test]
fn a_body_that_is_no_text_is_unclear() {
    let read = classify(&built_in("leaf7"), 200, b"\x1f\x8b\x08\x00\xff");
    assert_eq!((read.verdict, read.account), (Verdict::Unclear, None));
    assert_eq!(read.why, "200 (OK) with a body that is no JSON");
}

#[test]
fn a_profile_that_contradicts_itself_condemns_and_promotes_nobody() {
    let mut profile = built_in("leaf7");
    profile.probe.dead.extend(profile.probe.alive.clone());
    let read = classify(&profile, 200, b"[]");
    assert_eq!((read.verdict, read.account), (Verdict::Unclear, None));
    assert_eq!(read.why, "200 fits rules that exclude each other: the profile contradicts itself");
}

#[test]
fn a_vendor_without_identities_has_no_account() {
    let mut profile = built_in("leaf7");
    profile.probe.identity = None;
    let read = classify(&profile, 200, br#"[{"project_id": "a", "name": "b"}]"#);
    assert_eq!((read.verdict, read.account), (Verdict::Alive, None));
}

#[test]
fn a_key_of_another_account_is_alive_there_and_said_to_be_foreign() {
    let mut profile = built_in("legba");
    let rule = r#"{"status": [404], "body": "object", "equals": {"/error/code": "NO_SUCH_ORG"}}"#;
    profile.probe.wrong_account.push(serde_json::from_str(rule).unwrap());
    let read = classify(&profile, 404, br#"{"error": {"code": "NO_SUCH_ORG"}}"#);
    assert_eq!((read.verdict, read.foreign, read.account), (Verdict::Alive, true, None));
    assert_eq!(read.why, "404 (Not Found) as a key of another account gets it");
}
