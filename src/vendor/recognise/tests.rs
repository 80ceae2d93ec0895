//! The decision, told by the mails beside the profile.

mod accept;
mod flips;
mod folder;
mod forgeries;
mod providers;
mod resolver;
mod results;
mod rules;
mod shown;
mod signatures;
mod simulated;
mod subjects;
mod times;

use super::*;
use crate::{
    demo::{
        mails::{Fields, fill},
        sign::Signer,
    },
    domain::VendorName,
    mail::TxtAnswer,
    vendor::resolve,
};
use serde::Deserialize;
use std::{collections::BTreeMap, sync::LazyLock};
use zeroize::Zeroizing;

const TO: &str = "rotation@example.com";
const FROM: &str = "noreply@leaf7.fun";

/// A vendor that signs, a mailbox, and a credential that waits.
struct World {
    signer: Signer,
    answers: TxtAnswers,
    profile: Profile,
    key: Key,
    old: Key,
    known: BTreeSet<Fingerprint>,
    done: BTreeSet<MailId>,
    shape: Option<KeyShape>,
    authserv_ids: Vec<String>,
    arrived_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    NewKey,
    Warning,
    Known,
    Wait,
    Held,
    Suspicious,
    Unparsed,
    NotOurs,
}

fn outcome(finding: &Finding) -> (Outcome, &str) {
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

impl World {
    fn new() -> Self {
        Self::of("leaf7")
    }

    fn of(vendor: &str) -> Self {
        let profile = profile(vendor);
        let domain = profile.mail.as_ref().map(|rules| rules.signed_by[0].clone()).unwrap_or_default();
        let signer = Signer::generate(&domain, "s1").unwrap();
        let mut answers = TxtAnswers::new();
        publish(&mut answers, &signer);
        let old = Key::parse("l7_0a1b2c3d4e5f60718293a4b5c6d7e8f9").unwrap();
        Self {
            signer,
            answers,
            profile,
            key: Key::parse("l7_f9e8d7c6b5a493827160f5e4d3c2b1a0").unwrap(),
            known: BTreeSet::from([old.fingerprint()]),
            done: BTreeSet::new(),
            shape: Some(old.shape()),
            authserv_ids: Vec::new(),
            old,
            arrived_at: "2026-11-20T09:00:10Z".parse().unwrap(),
        }
    }

    fn dated(&self) -> Timestamp {
        "2026-11-20T09:00:00Z".parse().unwrap()
    }

    fn fill(&self, template: &str) -> Vec<u8> {
        let fields = Fields { key: &self.key, old: &self.old, from: FROM, to: TO, date: self.dated() };
        fill(template, &fields)
    }

    fn recognise(&self, mail: &[u8]) -> Recognised {
        self.recognise_raw(&self.raw(mail))
    }

    fn recognise_raw(&self, mail: &RawMail) -> Recognised {
        let credential = "leaf7-main".parse().unwrap();
        let recipients = [TO.to_owned(), "second@example.com".to_owned()];
        let expected = Expectation {
            credential: &credential,
            recipients: &recipients,
            others: &["third@example.com".to_owned()],
            authserv_ids: &self.authserv_ids,
            known: &self.known,
            done: &self.done,
            shape: self.shape.as_ref(),
        };
        recognise(mail, &self.answers, &self.profile, &expected, &Limits::default())
    }

    fn raw(&self, mail: &[u8]) -> RawMail {
        RawMail {
            bytes: Zeroizing::new(mail.to_vec()),
            size: mail.len(),
            header_only: false,
            arrived_at: self.arrived_at,
            folder: "INBOX".into(),
            junk: false,
            place: "1/1".into(),
        }
    }
}

fn leaf7() -> Profile {
    profile("leaf7")
}

fn profile(vendor: &str) -> Profile {
    static PROFILES: LazyLock<BTreeMap<VendorName, Profile>> =
        LazyLock::new(|| resolve(&BTreeMap::new()).unwrap());
    PROFILES[&vendor.parse().unwrap()].clone()
}

fn publish(answers: &mut TxtAnswers, signer: &Signer) {
    let (name, record) = signer.txt_record();
    answers.insert(name, TxtAnswer::Found(vec![record]));
}

fn keys_of_other_makes() -> [Key; 5] {
    [
        "sk_live_9fK2mQ8zR4tY6uW1bN3vX5cL",
        "Zk3-9fK2mQ8zR4tY6uW1bN3vX5cLpA_dF7gH2jK0qWe",
        "01234567-89ab-cdef-0123-456789abcdef",
        "q83vEjRWeJC7zd7wESIzRFVmd4iZqrvM3e7/AA==",
        "0123456789abcdef0123456789abcdef01234567",
    ]
    .map(|text| Key::parse(text).unwrap())
}
