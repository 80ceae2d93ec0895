//! Who signs, what the DNS says of them, and the credential that waits for a mail: everything around a mail that
//! decides over it. The keys are always the same, and are worth nothing.

use super::Draft;
use crate::{
    demo::sign::Signer,
    domain::{CredentialName, Limits},
    mail::{RawMail, TxtAnswer, TxtAnswers},
    vendor::{Expectation, Profile, Recognised, recognise, resolve},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::collections::{BTreeMap, BTreeSet};
use zeroize::Zeroizing;

/// Whom the credential's mails are addressed to.
pub const RECIPIENT: &str = "rotation@example.com";
/// Another recipient of the same credential, and one of another credential.
pub const RECIPIENTS: [&str; 2] = [RECIPIENT, "second@example.com"];
pub const OTHER: &str = "third@example.com";

/// Under which name the mailbox's own server says what it found.
const AUTHSERV_ID: &str = "mx.example.com";

/// Who signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The vendor, with Ed25519 and with RSA of 2048 bits.
    Vendor,
    VendorRsa,
    /// The vendor under selectors whose keys are withdrawn, missing, malformed, there twice, under test, or not for mail.
    Revoked,
    Unpublished,
    Malformed,
    Twice,
    Testing,
    NotForMail,
    /// A host below the vendor's domain, with a key of its own.
    Subdomain,
    /// A forger who says that he is the vendor.
    Impostor,
    /// Forgers with domains and keys of their own.
    Evil,
    LooksAlike,
    Below,
    /// A mailing service that signs what it carries, as many do.
    Carrier,
}

const EVERYBODY: [(Who, &str, &str); 13] = [
    (Who::Vendor, "leaf7.fun", "s1"),
    (Who::Revoked, "leaf7.fun", "gone"),
    (Who::Unpublished, "leaf7.fun", "nowhere"),
    (Who::Malformed, "leaf7.fun", "broken"),
    (Who::Twice, "leaf7.fun", "twice"),
    (Who::Testing, "leaf7.fun", "test"),
    (Who::NotForMail, "leaf7.fun", "web"),
    (Who::Subdomain, "mail.leaf7.fun", "s1"),
    (Who::Impostor, "leaf7.fun", "s1"),
    (Who::Evil, "evil.example", "s1"),
    (Who::LooksAlike, "1eaf7.fun", "s1"),
    (Who::Below, "leaf7.fun.evil.example", "s1"),
    (Who::Carrier, "carrier.example", "c"),
];

pub struct Mailroom {
    signers: Vec<(Who, Signer)>,
    answers: TxtAnswers,
    profile: Profile,
    credential: CredentialName,
    limits: Limits,
}

impl Mailroom {
    /// The error says what of this program is damaged.
    pub fn new() -> Result<Self, String> {
        let mut signers = Vec::new();
        for (at, (who, domain, selector)) in EVERYBODY.into_iter().enumerate() {
            let seed = [u8::try_from(at).unwrap_or_default(); 32];
            signers.push((who, Signer::from_seed(domain, selector, seed)?));
        }
        let rsa: String = include_str!("rsa.txt").split_ascii_whitespace().collect();
        let rsa = STANDARD.decode(rsa).map_err(|e| format!("rsa.txt: {e}"))?;
        signers.push((Who::VendorRsa, Signer::rsa_from_der("leaf7.fun", "s2", &rsa)?));
        let answers = signers.iter().filter_map(|(who, signer)| published(*who, signer)).collect();
        let known = resolve(&BTreeMap::new());
        let mut profiles = known.map_err(|wrong| format!("the built-in profiles: {wrong:?}"))?;
        let vendor = "leaf7".parse().map_err(|e| format!("leaf7: {e}"))?;
        let profile = profiles.remove(&vendor).ok_or("there is no leaf7")?;
        let credential = "leaf7-main".parse().map_err(|e| format!("leaf7-main: {e}"))?;
        Ok(Self { signers, answers, profile, credential, limits: Limits::default() })
    }

    pub fn signer(&self, who: Who) -> &Signer {
        let found = self.signers.iter().find(|(other, _)| *other == who);
        found.map_or(&self.signers[0].1, |(_, signer)| signer)
    }

    /// What becomes of a mail that arrives as this draft would.
    pub fn judge(&self, mail: &[u8], draft: &Draft) -> Recognised {
        let raw = RawMail {
            bytes: Zeroizing::new(mail.to_vec()),
            size: mail.len(),
            header_only: false,
            arrived_at: draft.arrived_at,
            folder: "INBOX".into(),
            junk: false,
            place: "1/1".into(),
        };
        let (recipients, others) = (RECIPIENTS.map(str::to_owned), [OTHER.to_owned()]);
        let (known, done) = (BTreeSet::from([draft.old.fingerprint()]), BTreeSet::new());
        let (shape, authserv_ids) = (draft.old.shape(), [AUTHSERV_ID.to_owned()]);
        let expected = Expectation {
            credential: &self.credential,
            recipients: &recipients,
            authserv_ids: &authserv_ids,
            others: &others,
            known: &known,
            done: &done,
            shape: Some(&shape),
        };
        recognise(&raw, &self.answers, &self.profile, &expected, &self.limits)
    }
}

/// What the DNS says of a signer's key.
fn published(who: Who, signer: &Signer) -> Option<(String, TxtAnswer)> {
    let (name, record) = signer.txt_record();
    let records = match who {
        Who::Impostor => return None,
        Who::Unpublished => return Some((name, TxtAnswer::Missing)),
        Who::Revoked => vec!["v=DKIM1; k=ed25519; p=".into()],
        Who::Malformed => vec![format!("{record}; p=AAAA")],
        Who::Twice => vec![record.clone(), record],
        Who::Testing => vec![format!("{record}; t=y:s")],
        Who::NotForMail => vec![format!("{record}; s=tls")],
        Who::Vendor
        | Who::VendorRsa
        | Who::Subdomain
        | Who::Evil
        | Who::LooksAlike
        | Who::Below
        | Who::Carrier => vec![record],
    };
    Some((name, TxtAnswer::Found(records)))
}
