//! What must not be taken, each mail with its exact reason: `profiles/leaf7/mails/refuse/expected.yaml`.

use super::*;
use crate::demo::sign::{SIGNED, Signing};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    mail: String,
    /// The signing domain, or `nobody`; leaf7 where it is not said.
    signed: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
    headers: Option<Vec<String>>,
    algorithm: Option<String>,
    /// After it was signed: the first of one text becomes the other.
    #[serde(default)]
    changed: Vec<(String, String)>,
    becomes: Outcome,
    #[serde(default)]
    why: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    NewKey,
    Warning,
    Known,
    Wait,
    Held,
    Suspicious,
    Unparsed,
    NotOurs,
}

pub(super) fn outcome(finding: &Finding) -> (Outcome, &str) {
    match finding {
        Finding::NewKey(_) => (Outcome::NewKey, ""),
        Finding::Warning(_) => (Outcome::Warning, ""),
        Finding::Known { .. } => (Outcome::Known, ""),
        Finding::Wait { why, .. } => (Outcome::Wait, why),
        Finding::Held { why, .. } => (Outcome::Held, why),
        Finding::Suspicious { why, .. } => (Outcome::Suspicious, why),
        Finding::Unparsed { why, .. } => (Outcome::Unparsed, why),
        Finding::NotOurs { why, .. } => (Outcome::NotOurs, why),
    }
}

fn folder() -> String {
    format!("{}/src/vendor/profiles/leaf7/mails/refuse", env!("CARGO_MANIFEST_DIR"))
}

fn cases() -> Vec<Case> {
    yaml_serde::from_str(&std::fs::read_to_string(format!("{}/expected.yaml", folder())).unwrap()).unwrap()
}

impl World {
    fn make(&mut self, case: &Case) -> Vec<u8> {
        let mail = self.fill(&std::fs::read_to_string(format!("{}/{}.eml", folder(), case.mail)).unwrap());
        let headers = case.headers.as_ref();
        let headers = headers.map_or(SIGNED.to_vec(), |headers| headers.iter().map(String::as_str).collect());
        let signing = Signing { headers, tags: case.tags.clone(), algorithm: case.algorithm.as_deref() };
        let signed = match case.signed.as_deref() {
            None => self.signer.sign_with(&mail, &signing),
            Some("nobody") => mail,
            Some(domain) => {
                let signer = Signer::generate(domain, "s1").unwrap();
                publish(&mut self.answers, &signer);
                signer.sign_with(&mail, &signing)
            }
        };
        case.changed.iter().fold(signed, |mail, (from, to)| {
            let text = String::from_utf8(mail).unwrap();
            let at = text.find(from).unwrap_or_else(|| panic!("{}: there is no {from:?}", case.mail));
            [&text[..at], to, &text[at + from.len()..]].concat().into_bytes()
        })
    }
}

#[test]
fn every_refused_mail_has_its_reason() {
    for case in cases() {
        let mut world = World::new();
        let mail = world.make(&case);
        let recognised = world.recognise(&mail);
        assert_eq!(outcome(&recognised.finding), (case.becomes, case.why.as_str()), "{}", case.mail);
        let offered = matches!(case.becomes, Outcome::Held | Outcome::Known);
        assert_eq!(recognised.key.is_some(), offered, "{}: a key is offered", case.mail);
    }
}

/// The same mails go through a real mail server and the whole daemon in `tests/it/rotation/refused.rs`, where each
/// must become an incident.
#[test]
fn r19_ten_new_versions_of_the_vendor_s_template_are_genuine_but_unparsed() {
    let versions: Vec<Case> = cases().into_iter().filter(|case| case.mail.contains("-template-v")).collect();
    assert_eq!(versions.len(), 10);
    for case in versions {
        let mut world = World::new();
        let mail = world.make(&case);
        let Finding::Unparsed { mail, .. } = world.recognise(&mail).finding else { panic!("{}", case.mail) };
        assert_eq!((mail.signed_by.as_str(), mail.from.as_str()), ("leaf7.fun", FROM), "{}", case.mail);
        let unsigned =
            world.fill(&std::fs::read_to_string(format!("{}/{}.eml", folder(), case.mail)).unwrap());
        let unsigned = world.recognise(&unsigned).finding;
        assert!(matches!(unsigned, Finding::Suspicious { .. }), "{}: {unsigned:?}", case.mail);
    }
}

#[test]
fn every_mail_in_the_folder_is_listed_once() {
    let entries =
        std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut there: Vec<String> =
        entries.filter_map(|name| name.strip_suffix(".eml").map(str::to_owned)).collect();
    there.sort();
    assert_eq!(cases().into_iter().map(|case| case.mail).collect::<Vec<_>>(), there);
}
