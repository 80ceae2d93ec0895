//! The mails beside each profile, every one with what must become of it: `profiles/*/mails/*/expected.yaml`.

use super::*;
use crate::demo::{
    mails::{CONFIRMATIONS, WARNINGS},
    sign::{SIGNED, Signing},
};
use serde::Deserialize;
use std::{collections::BTreeSet, fs, path::PathBuf};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    mail: String,
    /// The signing domain, or `nobody`; the vendor's where it is not said.
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

/// The mails of one vendor that lie in one folder.
struct Folder {
    vendor: String,
    name: String,
    path: PathBuf,
    cases: Vec<Case>,
}

fn names(path: PathBuf, end: &str) -> Vec<String> {
    let entries = fs::read_dir(path)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> =
        entries.filter_map(|name| name.strip_suffix(end).map(str::to_owned)).collect();
    names.sort();
    names
}

fn folders() -> Vec<Folder> {
    let profiles = PathBuf::from(format!("{}/src/vendor/profiles", env!("CARGO_MANIFEST_DIR")));
    let mut folders = Vec::new();
    for vendor in names(profiles.clone(), "") {
        for name in names(profiles.join(&vendor).join("mails"), "") {
            let path = profiles.join(&vendor).join("mails").join(&name);
            let list = fs::read_to_string(path.join("expected.yaml"))
                .unwrap_or_else(|error| panic!("{}/expected.yaml: {error}", path.display()));
            folders.push(Folder {
                vendor: vendor.clone(),
                name,
                path,
                cases: yaml_serde::from_str(&list).unwrap(),
            });
        }
    }
    folders
}

impl World {
    fn make(&mut self, folder: &Folder, case: &Case) -> Vec<u8> {
        let file = folder.path.join(format!("{}.eml", case.mail));
        let mail = self.fill(&fs::read_to_string(&file).unwrap_or_else(|_| panic!("no {}", file.display())));
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

/// Every mail that is not let in, as it would arrive.
pub(super) fn refused() -> impl Iterator<Item = (String, World, Vec<u8>)> {
    folders().into_iter().filter(|folder| folder.name == "refuse").flat_map(|folder| {
        let made = |case: &Case| {
            let mut world = World::of(&folder.vendor);
            let mail = world.make(&folder, case);
            (case.mail.clone(), world, mail)
        };
        folder.cases.iter().map(made).collect::<Vec<_>>()
    })
}

#[test]
fn every_mail_beside_a_profile_becomes_what_is_written_beside_it() {
    let mut counts = BTreeMap::new();
    for folder in folders() {
        for case in &folder.cases {
            let mut world = World::of(&folder.vendor);
            let mail = world.make(&folder, case);
            let recognised = world.recognise(&mail);
            let name = format!("{} {}/{}", folder.vendor, folder.name, case.mail);
            assert_eq!(outcome(&recognised.finding), (case.becomes, case.why.as_str()), "{name}");
            let offered = matches!(case.becomes, Outcome::NewKey | Outcome::Held | Outcome::Known);
            assert_eq!(recognised.key.is_some(), offered, "{name}: a key is offered");
            let fits = match folder.name.as_str() {
                "accept" => case.becomes == Outcome::NewKey && recognised.key.as_ref() == Some(&world.key),
                "warning" => case.becomes == Outcome::Warning,
                "refuse" => !matches!(case.becomes, Outcome::NewKey | Outcome::Warning),
                other => panic!("{name}: no folder is named {other}"),
            };
            assert!(fits, "{name} is in the wrong folder");
            *counts.entry(format!("{} {}", folder.vendor, folder.name)).or_insert(0) += 1;
        }
    }
    println!("{counts:?}");
    assert_eq!(counts.keys().collect::<Vec<_>>(), ["leaf7 accept", "leaf7 refuse", "leaf7 warning"]);
}

/// The same mails go through a real mail server and the whole daemon in `tests/it/rotation/refused.rs`, where each
/// must become an incident.
#[test]
fn r19_ten_new_versions_of_the_vendor_s_template_are_genuine_but_unparsed() {
    let folders = folders();
    let refused = folders.iter().filter(|folder| folder.name == "refuse");
    let versions = refused.flat_map(|folder| folder.cases.iter().map(move |case| (folder, case)));
    let versions: Vec<_> = versions.filter(|(_, case)| case.mail.contains("-template-v")).collect();
    assert_eq!(versions.len(), 10);
    for (folder, case) in versions {
        let mut world = World::new();
        let mail = world.make(folder, case);
        let Finding::Unparsed { mail, .. } = world.recognise(&mail).finding else { panic!("{}", case.mail) };
        assert_eq!((mail.signed_by.as_str(), mail.from.as_str()), ("leaf7.fun", FROM), "{}", case.mail);
        let unsigned = fs::read_to_string(folder.path.join(format!("{}.eml", case.mail))).unwrap();
        let unsigned = world.recognise(&world.fill(&unsigned)).finding;
        assert!(matches!(unsigned, Finding::Suspicious { .. }), "{}: {unsigned:?}", case.mail);
    }
}

#[test]
fn every_mail_in_a_folder_is_listed_once_and_the_demo_knows_those_that_it_sends() {
    for folder in folders() {
        let there = names(folder.path.clone(), ".eml");
        assert_eq!(folder.cases.iter().map(|case| case.mail.clone()).collect::<Vec<_>>(), there);
        let sent: BTreeSet<&str> = match (folder.vendor.as_str(), folder.name.as_str()) {
            ("leaf7", "accept") => CONFIRMATIONS.iter().map(|(name, _)| *name).collect(),
            ("leaf7", "warning") => WARNINGS.iter().map(|(name, _)| *name).collect(),
            _ => continue,
        };
        assert_eq!(there.iter().map(String::as_str).collect::<BTreeSet<_>>(), sent, "{}", folder.name);
    }
}
