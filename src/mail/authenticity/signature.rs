//! One `DKIM-Signature` field, read by the letter: a tag twice, a name that is none, a number that is none make the
//! whole signature worthless.

use super::super::parse::{Entity, Field};
use crate::domain::{Timestamp, is_host_name};
use base64::{Engine, engine::general_purpose::STANDARD};
use mail_auth::{common::crypto::Algorithm, dkim::Canonicalization};
use std::collections::BTreeMap;

/// A signature with a 4096-bit key has some 1,200 characters.
const FIELD_MAX: usize = 16 << 10;
/// `h=` of real mails holds some twenty names.
const SIGNED_MAX: usize = 128;
/// 2286-11-20: more digits are no time.
const TIME_DIGITS_MAX: usize = 10;

pub(super) struct Signature<'a> {
    field: Field<'a>,
    pub(super) algorithm: Algorithm,
    pub(super) domain: String,
    pub(super) selector: String,
    pub(super) value: Vec<u8>,
    pub(super) body_hash: Vec<u8>,
    pub(super) header: Canonicalization,
    pub(super) body: Canonicalization,
    /// `h=`, lower case.
    names: Vec<String>,
    pub(super) made_at: Option<Timestamp>,
    pub(super) expires_at: Option<Timestamp>,
    /// An `l=` of any value.
    pub(super) has_length: bool,
    /// `i=` is of the signing domain itself, not of one below it.
    pub(super) identity_is_domain: bool,
    /// The field's value as it was when it was signed: without what stands in `b=`, and without its line end.
    unsigned: Vec<u8>,
}

impl<'a> Signature<'a> {
    /// `None` for what RFC 6376 §3.5 does not allow.
    pub(super) fn parse(field: Field<'a>) -> Option<Self> {
        let text = std::str::from_utf8(field.value).ok().filter(|text| text.len() <= FIELD_MAX)?;
        let tags = tags(text)?;
        let tag = |name: &str| tags.get(name).map(|value| value.trim());
        let domain = tag("d")?.to_ascii_lowercase();
        let selector = tag("s")?.to_ascii_lowercase();
        let (header, body) = canonicalizations(tag("c").unwrap_or("simple"))?;
        let names: Vec<String> = tag("h")?.split(':').map(|name| name.trim().to_ascii_lowercase()).collect();
        let identity =
            tag("i").map_or(Some(domain.clone()), |i| i.rsplit_once('@').map(|(_, d)| d.to_lowercase()))?;
        let legal = tag("v")? == "1"
            && is_host_name(&domain)
            && is_host_name(&key_name(&selector, &domain))
            && names.len() <= SIGNED_MAX
            && (identity == domain || identity.ends_with(&format!(".{domain}")))
            && tag("q").is_none_or(|ways| ways.split(':').any(|way| way.trim() == "dns/txt"));
        let signature = Self {
            field,
            algorithm: Algorithm::parse(tag("a")?.as_bytes())?,
            value: base64(tag("b")?)?,
            body_hash: base64(tag("bh")?)?,
            header,
            body,
            names,
            made_at: tag("t").map_or(Some(None), |t| time(t).map(Some))?,
            expires_at: tag("x").map_or(Some(None), |x| time(x).map(Some))?,
            has_length: tag("l").is_some(),
            identity_is_domain: identity == domain,
            unsigned: without_value(field.value),
            domain,
            selector,
        };
        legal.then_some(signature)
    }

    /// Where the key is published.
    pub(super) fn key_name(&self) -> String {
        key_name(&self.selector, &self.domain)
    }

    pub(super) fn signs(&self, name: &str) -> bool {
        self.names.iter().any(|signed| signed.eq_ignore_ascii_case(name))
    }

    /// The fields that were signed, in the order of `h=`; of several with one name the lowest first (§5.4.2). A name
    /// without a field is signed as absent. Last comes the signature's own field.
    pub(super) fn signed<'s>(&'s self, mail: &'s Entity<'a>) -> impl Iterator<Item = (&'s [u8], &'s [u8])> {
        let mut taken: BTreeMap<&str, usize> = BTreeMap::new();
        let fields = self.names.iter().filter_map(move |name| {
            let nth = taken.entry(name).or_default();
            *nth += 1;
            mail.fields.iter().rev().filter(|field| field.name.eq_ignore_ascii_case(name)).nth(*nth - 1)
        });
        let own = (self.field.name.as_bytes(), self.unsigned.as_slice());
        fields.map(|field| (field.name.as_bytes(), field.value)).chain([own])
    }
}

/// A tag list (§3.2): `None` if a tag occurs twice, has no name or no value at all.
pub(super) fn tags(text: &str) -> Option<BTreeMap<&str, &str>> {
    let mut tags = BTreeMap::new();
    let parts: Vec<&str> = text.split(';').collect();
    for (at, part) in parts.iter().enumerate() {
        if part.trim().is_empty() && at + 1 == parts.len() {
            break;
        }
        let (name, value) = part.split_once('=')?;
        let name = name.trim();
        let legal = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !legal || tags.insert(name, value).is_some() {
            return None;
        }
    }
    Some(tags)
}

fn key_name(selector: &str, domain: &str) -> String {
    format!("{selector}._domainkey.{domain}")
}

fn canonicalizations(text: &str) -> Option<(Canonicalization, Canonicalization)> {
    let form = |text: &str| match text.trim() {
        "simple" => Some(Canonicalization::Simple),
        "relaxed" => Some(Canonicalization::Relaxed),
        _ => None,
    };
    let (header, body) = text.split_once('/').unwrap_or((text, "simple"));
    Some((form(header)?, form(body)?))
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let text: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(text).ok().filter(|bytes| !bytes.is_empty())
}

fn time(text: &str) -> Option<Timestamp> {
    let legal = !text.is_empty() && text.len() <= TIME_DIGITS_MAX && text.bytes().all(|b| b.is_ascii_digit());
    legal.then(|| text.parse().ok().map(Timestamp::from_secs)).flatten()
}

fn without_value(field: &[u8]) -> Vec<u8> {
    let parts = field.split(|b| *b == b';').map(|part| {
        let equals = part.iter().position(|b| *b == b'=');
        equals.filter(|at| part[..*at].trim_ascii() == b"b").map_or(part, |at| &part[..=at])
    });
    let unsigned = parts.collect::<Vec<_>>().join(&b';');
    unsigned.strip_suffix(b"\r\n").map(<[u8]>::to_vec).unwrap_or(unsigned)
}
