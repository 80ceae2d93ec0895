//! The decision about one mail, as one pure function: from the raw bytes, the DNS answers, the profile and what is
//! expected to a finding that `explain` prints word for word. It fetches nothing and reads no clock.
//!
//! The order: size, structure, sender, signature, stream, date, addressee, text. What fails early is not looked at
//! further, and no later step can let in what an earlier one refused.

use super::{
    extract::{Extraction, Wanted, extract},
    profile::{MailRules, Profile},
    registry::senders,
};
use crate::{
    domain::{
        Confirmation, CredentialName, Finding, Fingerprint, Key, KeyShape, Limits, MailHash, MailId, MailRef,
        Timestamp, Warning,
    },
    mail::{
        RawMail, TxtAnswers,
        authenticity::{Judgement, Pins, SignedBy, judge},
        parse::{Entity, Text, addresses, is_too_large},
        text,
    },
};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Of a Message-ID so much is shown.
const ID_MAX: usize = 120;
/// RFC 5322 §2.1.1: a line of a header.
const SUBJECT_MAX: usize = 998;

/// What a credential waits for.
#[derive(Debug, Clone, Copy)]
pub struct Expectation<'a> {
    pub credential: &'a CredentialName,
    /// Addresses: the signed `To` must name one of them.
    pub recipients: &'a [String],
    /// Recipients of other credentials: what is written to them alone is their business.
    pub others: &'a [String],
    /// Keys that are not new.
    pub known: &'a BTreeSet<Fingerprint>,
    /// Mails that were dealt with.
    pub done: &'a BTreeSet<MailId>,
    /// The current key's.
    pub shape: Option<&'a KeyShape>,
}

/// The finding, and the key that the mail carries where it carries one (also a known one, which the shell may have
/// lost since).
#[derive(Debug)]
pub struct Recognised {
    pub finding: Finding,
    pub key: Option<Key>,
    /// The finding is [`Finding::Unparsed`] for its size alone: nothing but its header was read.
    pub too_large: bool,
}

/// Which of the vendor's mails it claims to be, by its subject.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stream {
    Warning,
    Confirmation,
    Other,
}

/// Whose mail it is, by its signed `To`.
enum Addressee {
    Ours,
    AnotherCredential,
}

pub fn recognise(
    mail: &RawMail,
    answers: &TxtAnswers,
    profile: &Profile,
    expected: &Expectation<'_>,
    limits: &Limits,
) -> Recognised {
    let Some(rules) = &profile.mail else {
        return not_ours(
            Case::bare(mail, profile, expected, limits).reference(None),
            "the vendor sends no notices",
        );
    };
    let bare = Case::bare(mail, profile, expected, limits);
    let text = match Text::new(&mail.bytes) {
        Ok(text) => text,
        Err(why) => return bare.broken(&why),
    };
    let entity = match text.mail() {
        Ok(entity) => entity,
        Err(why) => return bare.broken(&why),
    };
    let from = match entity.sender() {
        Ok(from) => from,
        Err(why) => return bare.broken(&why),
    };
    let case = Case { from: Some(from.clone()), id: message_id(&entity), ..bare };
    if !is_sender(rules, &from) {
        return case.broken("its From is not the vendor's, and only looks like it");
    }
    if is_too_large(mail.size, mail.header_only, limits) {
        return case.too_large(entity.date().unwrap_or(mail.arrived_at));
    }
    case.decide(&entity, rules, answers)
}

/// One mail under judgement.
struct Case<'a> {
    mail: &'a RawMail,
    profile: &'a Profile,
    expected: &'a Expectation<'a>,
    limits: &'a Limits,
    from: Option<String>,
    id: Option<String>,
}

impl<'a> Case<'a> {
    fn bare(
        mail: &'a RawMail,
        profile: &'a Profile,
        expected: &'a Expectation<'a>,
        limits: &'a Limits,
    ) -> Self {
        Self { mail, profile, expected, limits, from: None, id: None }
    }

    /// The sender and the structure are right; now the rest.
    fn decide(&self, entity: &Entity<'_>, rules: &MailRules, answers: &TxtAnswers) -> Recognised {
        let from = self.from.as_deref().unwrap_or_default();
        let pins = Pins { domains: &rules.signed_by, selectors: &rules.selectors, aligned: rules.aligned };
        let judgement = judge(entity, from, self.mail.arrived_at, &pins, answers, self.limits);
        let subject = text::subject(entity);
        let stream = match &subject {
            Ok(subject) => stream(rules, subject.as_deref().unwrap_or_default()),
            Err(_) => Stream::Other,
        };
        let (by, weakness) = match judgement {
            Judgement::Genuine(by) => (Some(by), None),
            Judgement::Weak { by, why } => (by, Some(why)),
            Judgement::False { why } => return self.suspicious(None, why),
            Judgement::Unknown { .. } if stream == Stream::Other => {
                return not_ours(
                    self.reference(None),
                    "its subject is neither a warning's nor a confirmation's",
                );
            }
            Judgement::Unknown { why } => {
                return finding(Finding::Wait { mail: self.reference(None), why });
            }
        };
        let dated = match entity.date() {
            Ok(dated) if dated > self.mail.arrived_at + self.limits.clock_skew => {
                return self.suspicious(by, "its Date is later than its arrival".into());
            }
            Ok(dated) => dated,
            Err(why) => return self.suspicious(by, why),
        };
        let signed = Signed { by, weakness, dated };
        if let Err(why) = subject {
            return self.unreadable(&signed, why);
        }
        if stream == Stream::Other {
            let why = "its subject is neither a warning's nor a confirmation's";
            return not_ours(self.reference(signed.by.as_ref()), why);
        }
        match self.addressee(entity) {
            Ok(Addressee::Ours) => {}
            Ok(Addressee::AnotherCredential) => {
                return not_ours(self.reference(signed.by.as_ref()), "it is addressed to another credential");
            }
            Err(why) => return self.suspicious(signed.by, why),
        }
        match stream {
            Stream::Confirmation => self.confirmation(entity, rules, signed),
            Stream::Warning | Stream::Other => self.warning(signed),
        }
    }

    fn addressee(&self, entity: &Entity<'_>) -> Result<Addressee, String> {
        let to = entity.one("To")?.ok_or("it has no To")?;
        let to = addresses(&to.unfolded()?).map_err(|fault| format!("its To {fault}"))?;
        let ours: BTreeSet<&String> =
            to.iter().filter(|address| self.expected.recipients.contains(address)).collect();
        match ours.len() {
            1 => Ok(Addressee::Ours),
            0 if to.iter().any(|address| self.expected.others.contains(address)) => {
                Ok(Addressee::AnotherCredential)
            }
            0 => Err("it is addressed to somebody else: whoever got it may have sent it on".into()),
            several => Err(format!("it is addressed to {several} of the credential's recipients at once")),
        }
    }

    fn warning(&self, signed: Signed) -> Recognised {
        let mail = self.reference(signed.by.as_ref());
        match signed.weakness {
            Some(why) => self.suspicious(signed.by, format!("it announces a rotation, and {why}")),
            None if self.expected.done.contains(&mail.id) => dealt_with(mail),
            None => finding(Finding::Warning(Warning { mail, dated: signed.dated })),
        }
    }

    fn confirmation(&self, entity: &Entity<'_>, rules: &MailRules, signed: Signed) -> Recognised {
        let wanted = Wanted {
            rule: &rules.confirmation,
            key: &self.profile.key,
            shape: self.expected.shape,
            known: self.expected.known,
        };
        let extraction = match text::read(entity, self.limits) {
            Ok(visible) => extract(&visible, &wanted),
            Err(why) => return self.unreadable(&signed, why),
        };
        match extraction {
            Extraction::Nothing(why) => self.unreadable(&signed, why.into()),
            Extraction::Known(key) => self.known(&signed, key),
            Extraction::Key(key) => {
                let weakness = signed.weakness.clone();
                self.candidate(&signed, key, weakness)
            }
            Extraction::OtherMake(key) => {
                let why = "its key is of another make than the current one (length or fixed beginning)";
                let weakness = signed.weakness.clone().unwrap_or_else(|| why.into());
                self.candidate(&signed, key, Some(weakness))
            }
        }
    }

    fn known(&self, signed: &Signed, key: Key) -> Recognised {
        let mail = self.reference(signed.by.as_ref());
        let fingerprint = self.fingerprint(&key);
        let genuine = signed.by.is_some() && signed.weakness.is_none();
        let finding = Finding::Known { mail, fingerprint, genuine };
        Recognised { finding, key: Some(key), too_large: false }
    }

    /// A key that is new here; held where something speaks against letting it in.
    fn candidate(&self, signed: &Signed, key: Key, held: Option<String>) -> Recognised {
        let mail = self.reference(signed.by.as_ref());
        if self.expected.done.contains(&mail.id) {
            return self.known(signed, key);
        }
        let confirmation = Confirmation {
            fingerprint: self.fingerprint(&key),
            dated: signed.dated,
            rotated_at: signed.dated.min(mail.arrived_at),
            mail,
        };
        let finding = match held {
            Some(why) => Finding::Held { confirmation, why },
            None => Finding::NewKey(confirmation),
        };
        Recognised { finding, key: Some(key), too_large: false }
    }

    /// A confirmation, by its subject, out of which no key could be taken.
    fn unreadable(&self, signed: &Signed, why: String) -> Recognised {
        let mail = self.reference(signed.by.as_ref());
        if let Some(weakness) = &signed.weakness {
            return self.suspicious(signed.by.clone(), format!("{weakness}, and {why}"));
        }
        if self.expected.done.contains(&mail.id) {
            return dealt_with(mail);
        }
        finding(Finding::Unparsed { mail, dated: signed.dated, why })
    }

    fn suspicious(&self, by: Option<SignedBy>, why: String) -> Recognised {
        let mail = self.reference(by.as_ref());
        if self.expected.done.contains(&mail.id) {
            return dealt_with(mail);
        }
        finding(Finding::Suspicious { mail, why })
    }

    /// Its structure is not a mail's, or its sender is not the vendor: suspicious if it names the vendor in `From`.
    fn broken(&self, why: &str) -> Recognised {
        if names_in_from(&self.mail.bytes, &senders(self.profile)) {
            return self.suspicious(None, why.into());
        }
        not_ours(self.reference(None), "its From is somebody else's")
    }

    fn too_large(&self, dated: Timestamp) -> Recognised {
        let mail = self.reference(None);
        if self.expected.done.contains(&mail.id) {
            return dealt_with(mail);
        }
        let why = format!("it has {} bytes, more than {}", self.mail.size, self.limits.mail_bytes_max);
        Recognised { finding: Finding::Unparsed { mail, dated, why }, key: None, too_large: true }
    }

    fn fingerprint(&self, key: &Key) -> Fingerprint {
        key.fingerprint_without(&self.profile.key.prefix)
    }

    fn reference(&self, by: Option<&SignedBy>) -> MailRef {
        let hash =
            Sha256::digest(&*self.mail.bytes).iter().take(8).map(|b| format!("{b:02x}")).collect::<String>();
        let proven = by.is_some_and(|by| by.covers_id);
        let id = match &self.id {
            Some(id) if proven => id.clone(),
            // Anybody can write a Message-ID: a forged mail must not pass for the genuine one that has it.
            Some(id) => format!("{id}~{hash}"),
            None => format!("sha256:{hash}"),
        };
        MailRef {
            id: MailId(id),
            from: self.from.clone().unwrap_or_else(|| "(unreadable)".into()),
            signed_by: by.map(|by| by.domain.clone()).unwrap_or_default(),
            selector: by.map(|by| by.selector.clone()).unwrap_or_default(),
            arrived_at: self.mail.arrived_at,
            folder: self.mail.folder.clone(),
            place: self.mail.place.clone(),
            hash: MailHash::of(&self.mail.bytes),
        }
    }
}

/// What the signature and the date of a mail amount to.
struct Signed {
    by: Option<SignedBy>,
    /// Why only an operator may let it in.
    weakness: Option<String>,
    dated: Timestamp,
}

fn finding(finding: Finding) -> Recognised {
    Recognised { finding, key: None, too_large: false }
}

fn not_ours(mail: MailRef, why: &str) -> Recognised {
    finding(Finding::NotOurs { mail, why: why.into() })
}

fn dealt_with(mail: MailRef) -> Recognised {
    not_ours(mail, "it was dealt with before")
}

fn stream(rules: &MailRules, subject: &str) -> Stream {
    if subject.len() > SUBJECT_MAX {
        Stream::Other
    } else if rules.confirmation.subject.iter().any(|pattern| pattern.matches(subject)) {
        Stream::Confirmation
    } else if rules.warning.subject.iter().any(|pattern| pattern.matches(subject)) {
        Stream::Warning
    } else {
        Stream::Other
    }
}

fn is_sender(rules: &MailRules, from: &str) -> bool {
    let domain = from.rsplit_once('@').map_or("", |(_, domain)| domain);
    if rules.from.is_empty() {
        rules.signed_by.iter().any(|signer| signer == domain)
    } else {
        rules.from.iter().any(|address| address == from)
    }
}

/// Whether something like a `From` in the header names one of the senders, however broken the mail is.
fn names_in_from(raw: &[u8], senders: &[String]) -> bool {
    // A mail that begins with an empty line has its header behind it.
    let raw = raw.trim_ascii_start();
    let header =
        raw.windows(4).position(|four| four == b"\r\n\r\n" || four.starts_with(b"\n\n")).unwrap_or(raw.len());
    let header = String::from_utf8_lossy(&raw[..header]).to_lowercase();
    let mut in_from = false;
    header.lines().any(|line| {
        let folded = line.starts_with([' ', '\t']) && !line.trim_start().starts_with("from");
        in_from = if folded { in_from } else { line.trim_start().starts_with("from") };
        in_from && senders.iter().any(|sender| line.contains(sender.as_str()))
    })
}

/// As it stands, but for what may not be shown.
fn message_id(entity: &Entity<'_>) -> Option<String> {
    let id = entity.one("Message-ID").ok()??.unfolded().ok()?;
    let show = |c: char| if c.is_ascii_graphic() { c } else { '?' };
    Some(id.trim().chars().take(ID_MAX).map(show).collect::<String>()).filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests;
