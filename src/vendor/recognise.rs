//! The decision about one mail, as one pure function: from the raw bytes, the DNS answers, the profile and what is
//! expected to a finding that `explain` prints word for word. It fetches nothing and reads no clock.
//!
//! The order: structure, sender, size, signature, stream, date, addressee, text, known keys struck out, exactly one
//! candidate; and what the mailbox's own server says against it. What fails early is not looked at further, and no
//! later step can let in what an earlier one refused.
//!
//! The sender comes first, because other people's mails are nobody's incident, whatever their signatures; the stream
//! comes before the addressee, because a vendor's newsletters are written to lists. Neither lets anything in that
//! the other order would not.

mod header;

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
        results::{self, Word},
        text,
    },
};
use header::{Stream, is_sender, message_id, names_in_from, stream};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

const OTHER_STREAM: &str = "its subject is neither a warning's nor a confirmation's";

/// What a credential waits for.
#[derive(Debug, Clone, Copy)]
pub struct Expectation<'a> {
    pub credential: &'a CredentialName,
    /// Addresses: the signed `To` must name one of them.
    pub recipients: &'a [String],
    /// Recipients of other credentials (its own may be among them): what is written to others alone is their business.
    pub others: &'a [String],
    /// Under which names the mailbox's own server writes `Authentication-Results`, lower case; empty: not known.
    pub authserv_ids: &'a [String],
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
        let proof = match judge(entity, from, self.mail.arrived_at, &pins, answers, self.limits) {
            Judgement::Genuine(by) => Ok((Some(by), None)),
            Judgement::Weak { by, why } => Ok((by, Some(why))),
            Judgement::Unknown { why } => Err(why),
            Judgement::False { why } => return self.suspicious(None, why),
        };
        let subject = text::subject(entity);
        let stream = match &subject {
            Ok(subject) => stream(rules, subject.as_deref().unwrap_or_default()),
            Err(_) => Stream::Other,
        };
        let (by, weakness) = match proof {
            Ok(proof) => proof,
            // Nobody waits for news.
            Err(_) if stream == Stream::Other && subject.is_ok() => {
                return not_ours(self.reference(None), OTHER_STREAM);
            }
            Err(why) => return finding(Finding::Wait { mail: self.reference(None), why }),
        };
        let dated = match entity.date() {
            Ok(dated) if dated > self.mail.arrived_at + self.limits.clock_skew => {
                return self.suspicious(by, "its Date is later than its arrival".into());
            }
            Ok(dated) => dated,
            Err(why) => return self.suspicious(by, why),
        };
        let signed = Signed { by, weakness, doubt: self.doubt(entity, rules), dated };
        if let Err(why) = subject {
            return self.unreadable(&signed, why);
        }
        if stream == Stream::Other {
            return not_ours(self.reference(signed.by.as_ref()), OTHER_STREAM);
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

    /// What the mailbox's own server says against it.
    fn doubt(&self, entity: &Entity<'_>, rules: &MailRules) -> Option<String> {
        let from = self.from.as_deref().unwrap_or_default();
        match results::word(entity, self.expected.authserv_ids, &rules.signed_by, from) {
            Word::Against(why) => Some(why),
            Word::Nothing | Word::NothingAgainst(_) => None,
        }
    }

    fn addressee(&self, entity: &Entity<'_>) -> Result<Addressee, String> {
        let to = to(entity)?;
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
        match signed.weakness.or(signed.doubt) {
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
            Extraction::Key(key) => self.candidate(&signed, key, signed.held()),
            Extraction::OtherMake(key) => {
                let why = "its key is of another make than the current one (length or fixed beginning)";
                self.candidate(&signed, key, signed.held().or_else(|| Some(why.into())))
            }
        }
    }

    fn known(&self, signed: &Signed, key: Key) -> Recognised {
        let mail = self.reference(signed.by.as_ref());
        let fingerprint = self.fingerprint(&key);
        let genuine = signed.by.is_some() && signed.weakness.is_none();
        let finding = Finding::Known { mail, fingerprint, dated: signed.dated, genuine };
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
            junk: self.mail.junk,
            place: self.mail.place.clone(),
            hash: MailHash::of(&self.mail.bytes),
        }
    }
}

/// Whom a mail says that it is written to, signed or not; empty where it does not say it as it should.
pub fn addressees(mail: &RawMail) -> Vec<String> {
    Text::new(&mail.bytes).and_then(|text| to(&text.mail()?)).unwrap_or_default()
}

fn to(entity: &Entity<'_>) -> Result<Vec<String>, String> {
    let to = entity.one("To")?.ok_or("it has no To")?;
    addresses(&to.unfolded()?).map_err(|fault| format!("its To {fault}"))
}

/// What the signature and the date of a mail amount to.
struct Signed {
    by: Option<SignedBy>,
    /// Why only an operator may let it in.
    weakness: Option<String>,
    /// The same, by the word of the mailbox's own server.
    doubt: Option<String>,
    dated: Timestamp,
}

impl Signed {
    fn held(&self) -> Option<String> {
        self.weakness.clone().or_else(|| self.doubt.clone())
    }
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

#[cfg(test)]
mod tests;
