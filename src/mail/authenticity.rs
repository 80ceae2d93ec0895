//! Judges who signed a mail (DKIM, RFC 6376, 8301 and 8463), from its bytes, the pins and what the DNS said. It asks
//! nobody and reads no clock: a signature is as old as the mail was when it arrived, not as it is today.
//!
//! mail-auth brings the canonical forms and the cryptography. Its own verifier is not called: it asks the DNS
//! itself, compares `x=` with the clock of this machine (which refuses a mail that was read late), and passes what
//! keyrelay must not let in (`l=0`, rsa-sha1, keys of 1024 bits, keys under test, a Subject that nobody signed).

mod signature;

use super::{TxtAnswer, TxtAnswers, parse::Entity, parse::Text};
use crate::domain::{Limits, Timestamp};
use mail_auth::{
    common::{
        crypto::{Algorithm, HashAlgorithm},
        parse::TxtRecordParser,
        verify::DomainKey,
    },
    dkim::Canonicalization,
};
use signature::{Signature, tags};
use std::fmt;

/// Signatures that are tried. More than two are rare; each costs a look-up and a verification.
const SIGNATURES_MAX: usize = 10;
/// RFC 8301 §3.2: a verifier must not accept less.
const RSA_BITS_MIN: usize = 1024;
/// The same: a signer should use at least this. Below it somebody with money signs what he likes.
const RSA_BITS_STRONG: usize = 2048;
/// What decides here, so somebody must have signed it.
const MUST_BE_SIGNED: [&str; 4] = ["From", "To", "Subject", "Date"];

/// Whose signature counts.
#[derive(Debug, Clone, Copy)]
pub struct Pins<'a> {
    /// `d=`, lower case.
    pub domains: &'a [String],
    /// `s=`; empty: any.
    pub selectors: &'a [String],
    /// The address in `From` must be in the signing domain itself.
    pub aligned: bool,
}

/// The signature that counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedBy {
    pub domain: String,
    pub selector: String,
    /// Whether it covers the Message-ID, which then cannot be another mail's.
    pub covers_id: bool,
}

/// What the signatures prove. `why` completes "the mail is refused: ".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    Genuine(SignedBy),
    /// Nobody signed it, or not strongly enough to be let in without an operator.
    Weak {
        by: Option<SignedBy>,
        why: String,
    },
    /// The DNS did not say.
    Unknown {
        why: String,
    },
    /// A pinned domain's signature does not hold, or only others signed.
    False {
        why: String,
    },
}

/// The DNS names whose TXT records `judge` needs: keys of the pinned domains only, so that a stranger's mail makes
/// nobody ask a stranger's server.
pub fn questions(raw: &[u8], pinned: &[String]) -> Vec<String> {
    let Ok(text) = Text::new(raw) else { return Vec::new() };
    let Ok(mail) = text.mail() else { return Vec::new() };
    let mut names: Vec<String> = signatures(&mail, pinned).0.iter().map(Signature::key_name).collect();
    names.sort();
    names.dedup();
    names
}

/// The domains (`d=`) of the signatures that can be read, each once.
pub fn signers(mail: &Entity<'_>) -> Vec<String> {
    let readable = mail.all("DKIM-Signature").filter_map(Signature::parse).take(SIGNATURES_MAX);
    let mut domains: Vec<String> = readable.map(|signature| signature.domain).collect();
    domains.sort();
    domains.dedup();
    domains
}

/// `from` is the address in `From`.
pub fn judge(
    mail: &Entity<'_>,
    from: &str,
    arrived_at: Timestamp,
    pins: &Pins<'_>,
    answers: &TxtAnswers,
    limits: &Limits,
) -> Judgement {
    let (ours, others, malformed) = signatures(mail, pins.domains);
    if ours.is_empty() {
        return match (others, malformed) {
            (0, 0) => Judgement::Weak { by: None, why: "nobody signed it".into() },
            (0, _) => Judgement::False { why: "its signature is malformed".into() },
            (_, _) => Judgement::False { why: "it is signed by others only".into() },
        };
    }
    let moment = Moment { arrived_at, limits };
    let outcomes = ours.iter().map(|signature| examine(signature, mail, from, &moment, pins, answers));
    // The best outcome counts: a signature that does not hold proves nothing against one that does.
    outcomes.min_by_key(rank).unwrap_or(Judgement::Weak { by: None, why: "nobody signed it".into() })
}

fn rank(judgement: &Judgement) -> u8 {
    match judgement {
        Judgement::Genuine(_) => 0,
        Judgement::Unknown { .. } => 1,
        Judgement::Weak { .. } => 2,
        Judgement::False { .. } => 3,
    }
}

struct Moment<'a> {
    arrived_at: Timestamp,
    limits: &'a Limits,
}

/// Those of pinned domains, aligned ones first, as many as are tried; how many others; how many that cannot be read.
fn signatures<'a>(mail: &Entity<'a>, pinned: &[String]) -> (Vec<Signature<'a>>, usize, usize) {
    let (mut ours, mut others, mut malformed) = (Vec::new(), 0, 0);
    for field in mail.all("DKIM-Signature") {
        match Signature::parse(field) {
            Some(signature) if pinned.contains(&signature.domain) => ours.push(signature),
            Some(_) => others += 1,
            None => malformed += 1,
        }
    }
    let from = mail.sender().unwrap_or_default();
    let from_domain = domain_of(&from);
    ours.sort_by_key(|signature| signature.domain != from_domain);
    ours.truncate(SIGNATURES_MAX);
    (ours, others, malformed)
}

fn domain_of(address: &str) -> &str {
    address.rsplit_once('@').map_or("", |(_, domain)| domain)
}

fn examine(
    signature: &Signature<'_>,
    mail: &Entity<'_>,
    from: &str,
    moment: &Moment<'_>,
    pins: &Pins<'_>,
    answers: &TxtAnswers,
) -> Judgement {
    let by = SignedBy {
        domain: signature.domain.clone(),
        selector: signature.selector.clone(),
        covers_id: signature.signs("Message-ID"),
    };
    let refused =
        |why: &dyn fmt::Display| Judgement::False { why: format!("the signature of {} {why}", by.domain) };
    if let Err(why) = claims(signature, mail, from, moment, pins) {
        return refused(&why);
    }
    let key = match answers.get(&signature.key_name()) {
        None => return Judgement::Unknown { why: format!("{} was not looked up", signature.key_name()) },
        Some(TxtAnswer::Trouble(trouble)) => {
            return Judgement::Unknown {
                why: format!("the DNS did not say {}: {trouble}", signature.key_name()),
            };
        }
        Some(TxtAnswer::Missing) => return refused(&"has no key in the DNS"),
        Some(TxtAnswer::Found(records)) => match PublishedKey::choose(records, signature) {
            Ok(key) => key,
            Err(why) => return refused(&why),
        },
    };
    let verified = key.key.p.verify(
        &mut signature.signed(mail),
        &signature.value,
        signature.header,
        signature.algorithm,
    );
    if verified != Ok(()) {
        return refused(&"does not hold: a signed header field was changed, or another key signed it");
    }
    if key.testing {
        return Judgement::Weak { by: None, why: format!("{} calls its key a test (t=y)", by.domain) };
    }
    if key.bits < RSA_BITS_STRONG {
        let why = format!("the key of {} has {} bits, fewer than {RSA_BITS_STRONG}", by.domain, key.bits);
        return Judgement::Weak { by: Some(by), why };
    }
    Judgement::Genuine(by)
}

/// Everything that needs no key. The refusal completes "the signature of leaf7.fun …".
fn claims(
    signature: &Signature<'_>,
    mail: &Entity<'_>,
    from: &str,
    moment: &Moment<'_>,
    pins: &Pins<'_>,
) -> Result<(), String> {
    if pins.aligned && domain_of(from) != signature.domain {
        return Err("is not aligned: From is in another domain".into());
    }
    if !pins.selectors.is_empty() && !pins.selectors.contains(&signature.selector) {
        return Err("has a selector that is not pinned".into());
    }
    if signature.has_length {
        return Err("covers a part of the body only (l=)".into());
    }
    if signature.algorithm == Algorithm::RsaSha1 {
        return Err("uses rsa-sha1, which anybody can forge".into());
    }
    if let Some(name) = MUST_BE_SIGNED.iter().find(|name| !signature.signs(name)) {
        return Err(format!("does not cover {name}"));
    }
    let skew = moment.limits.clock_skew;
    if signature.made_at.is_some_and(|made_at| made_at > moment.arrived_at + skew) {
        return Err("was made after the mail arrived (t=)".into());
    }
    if let Some(expires_at) = signature.expires_at
        && (expires_at + skew < moment.arrived_at
            || signature.made_at.is_some_and(|made_at| made_at >= expires_at))
    {
        return Err("had expired when the mail arrived (x=)".into());
    }
    let hash =
        HashAlgorithm::Sha256.hash(signature.body.canonical_body(hashed(mail.body, signature.body), 0));
    if hash.as_ref() != signature.body_hash.as_slice() {
        return Err("does not hold: the body was changed".into());
    }
    Ok(())
}

/// RFC 6376 §3.4.4 first takes the blanks from each line's end and then the empty lines from the body's end, so that
/// lines of blanks there are none. mail-auth counts them as one empty line, and would refuse such a mail.
fn hashed(body: &[u8], form: Canonicalization) -> &[u8] {
    match form {
        Canonicalization::Simple => body,
        Canonicalization::Relaxed => {
            let text = body.iter().rposition(|b| !b" \t\r\n".contains(b)).map_or(0, |at| at + 1);
            let line_end =
                body[text..].iter().position(|b| *b == b'\n').map_or(body.len(), |at| text + at + 1);
            if text == 0 { &[] } else { &body[..line_end] }
        }
    }
}

/// How strong a published key is: `RSA, 2048 bits`. The refusal says what is wrong with the record, and what follows
/// for the mails that it signs.
pub fn strength(records: &[String]) -> Result<String, String> {
    let keys: Vec<&String> = records.iter().filter(|record| record.contains("p=")).collect();
    let [record] = keys[..] else { return Err(format!("{} keys in place of one", keys.len())) };
    let tags = tags(record).ok_or("the record is malformed")?;
    let tag = |name: &str| tags.get(name).map_or("", |value| value.trim());
    if tag("p").is_empty() {
        return Err("the key was revoked: its mails will be refused".into());
    }
    let key = DomainKey::parse(record.as_bytes()).map_err(|_| "the record is malformed")?;
    if tag("t").split(':').any(|flag| flag.trim() == "y") {
        return Err("the key is called a test (t=y): its mails will be held".into());
    }
    if tag("k") == "ed25519" {
        return Ok("Ed25519".into());
    }
    match key.p.public_key_bits() {
        // The latter is mail-auth's word for a key that is not RSA's, as it reads `K=ed25519`, which is no `k=`.
        0 | usize::MAX => Err("the record is malformed".into()),
        bits if bits < RSA_BITS_MIN => Err(format!("RSA of {bits} bits: its mails will be refused")),
        bits if bits < RSA_BITS_STRONG => Err(format!("RSA of {bits} bits: its mails will be held")),
        bits => Ok(format!("RSA, {bits} bits")),
    }
}

/// A key record, as far as mail-auth does not judge it.
struct PublishedKey {
    key: DomainKey,
    /// Of RSA; Ed25519 is as strong as it is.
    bits: usize,
    testing: bool,
}

impl PublishedKey {
    /// The only usable record. The refusal completes "the signature of leaf7.fun …".
    fn choose(records: &[String], signature: &Signature<'_>) -> Result<Self, &'static str> {
        let keys: Vec<&String> = records.iter().filter(|record| record.contains("p=")).collect();
        let [record] = keys[..] else { return Err("has no one key in the DNS") };
        let tags = tags(record).ok_or("has a malformed key in the DNS")?;
        let tag = |name: &str| tags.get(name).map(|value| value.trim());
        let lists =
            |name: &str, word: &str| tag(name).is_some_and(|list| list.split(':').any(|w| w.trim() == word));
        if tag("p") == Some("") {
            return Err("has a key that was revoked");
        }
        if tag("h").is_some() && !lists("h", "sha256") {
            return Err("has a key that is not for sha256");
        }
        if tag("s").is_some() && !lists("s", "email") && !lists("s", "*") {
            return Err("has a key that is not for mail");
        }
        if lists("t", "s") && !signature.identity_is_domain {
            return Err("names a subdomain in i=, which its key forbids");
        }
        let key = DomainKey::parse(record.as_bytes()).map_err(|_| "has a malformed key in the DNS")?;
        let is_rsa = signature.algorithm != Algorithm::Ed25519Sha256;
        let bits = if is_rsa { key.p.public_key_bits() } else { RSA_BITS_STRONG };
        if bits < RSA_BITS_MIN {
            return Err("has a key of fewer than 1024 bits");
        }
        Ok(Self { key, bits, testing: lists("t", "y") })
    }
}

#[cfg(test)]
mod tests;
