//! The decision, told by the mails beside the profile.

mod accept;
mod forgeries;
mod refuse;
mod rules;
mod shown;
mod subjects;

use super::*;
use crate::{
    demo::{
        mails::{Fields, fill},
        sign::Signer,
    },
    mail::TxtAnswer,
    vendor::resolve,
};
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
    arrived_at: Timestamp,
}

impl World {
    fn new() -> Self {
        let signer = Signer::generate("leaf7.fun", "s1").unwrap();
        let mut answers = TxtAnswers::new();
        publish(&mut answers, &signer);
        let old = Key::parse("l7_0a1b2c3d4e5f60718293a4b5c6d7e8f9").unwrap();
        Self {
            signer,
            answers,
            profile: leaf7(),
            key: Key::parse("l7_f9e8d7c6b5a493827160f5e4d3c2b1a0").unwrap(),
            known: BTreeSet::from([old.fingerprint()]),
            done: BTreeSet::new(),
            shape: Some(old.shape()),
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
            place: "1/1".into(),
        }
    }
}

fn leaf7() -> Profile {
    static LEAF7: LazyLock<Profile> =
        LazyLock::new(|| resolve(&BTreeMap::new()).unwrap().remove(&"leaf7".parse().unwrap()).unwrap());
    LEAF7.clone()
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
