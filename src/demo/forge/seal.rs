//! How a mail is signed (DKIM): in every canonical form, with the tags and folds that real signers write, or with
//! those that a forger would like to be believed.

use super::{
    super::sign::{Signer, relaxed_body, relaxed_field},
    content::Field,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Simple,
    Relaxed,
}

/// Where a signature's field is folded.
#[derive(Debug, Clone, Copy)]
pub enum Folds {
    Nowhere,
    AfterEachTag,
    /// In the middle of lists and of `b=`, as OpenDKIM does.
    Everywhere,
}

/// How one signature is made.
#[derive(Debug, Clone)]
pub struct Seal {
    pub header: Form,
    pub body: Form,
    /// `h=`, as written.
    pub names: Vec<String>,
    /// Further tags, and those that replace what would be true of `v`, `a`, `c`, `d`, `s`, `bh`. In this order.
    pub tags: Vec<(String, String)>,
    pub folds: Folds,
    /// `b=` stands before the other tags.
    pub value_first: bool,
    /// The body that is hashed, in place of the mail's.
    pub instead: Option<Vec<u8>>,
}

impl Seal {
    /// A `DKIM-Signature` over these fields and this body.
    pub fn sign(&self, signer: &Signer, fields: &[Field], body: &[u8]) -> Field {
        let body = self.instead.as_deref().unwrap_or(body);
        let hashed = match self.body {
            Form::Relaxed => relaxed_body(body),
            Form::Simple => simple_body(body),
        };
        let tags = self.tags(signer, &STANDARD.encode(Sha256::digest(hashed)));
        let mut data = Vec::new();
        let mut unsigned: Vec<&Field> = fields.iter().collect();
        for name in &self.names {
            let name = name.trim();
            if let Some(at) = unsigned.iter().rposition(|field| field.0.eq_ignore_ascii_case(name)) {
                data.extend(self.canonical(unsigned.remove(at)).into_bytes());
            }
        }
        let own = |value: &str| ("DKIM-Signature".to_owned(), self.written(&tags, value));
        let signed = self.canonical(&own(""));
        data.extend(signed.trim_end_matches("\r\n").bytes());
        let value = STANDARD.encode(signer.sign_bytes(&data));
        let folded = match self.folds {
            Folds::Nowhere => value,
            Folds::AfterEachTag | Folds::Everywhere => {
                let lines = value.as_bytes().chunks(64).map(String::from_utf8_lossy);
                lines.collect::<Vec<_>>().join("\r\n\t")
            }
        };
        own(&folded)
    }

    /// Without `b`.
    fn tags(&self, signer: &Signer, hash: &str) -> Vec<(String, String)> {
        let (domain, selector, algorithm) = signer.names();
        let form = |form| if form == Form::Simple { "simple" } else { "relaxed" };
        let forms = format!("{}/{}", form(self.header), form(self.body));
        let own = [("v", "1"), ("a", algorithm), ("c", &forms), ("d", domain), ("s", selector)];
        let list = self.names.join(if matches!(self.folds, Folds::Everywhere) { ":\r\n\t " } else { ":" });
        let last = [("h", list.as_str()), ("bh", hash)];
        let claimed = |name: &str| self.tags.iter().any(|(claimed, _)| claimed == name);
        let true_of_it = |pairs: &[(&str, &str)]| {
            let unclaimed = pairs.iter().filter(|(name, _)| !claimed(name));
            unclaimed.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>()
        };
        [true_of_it(&own), self.tags.clone(), true_of_it(&last)].concat()
    }

    fn written(&self, tags: &[(String, String)], value: &str) -> String {
        let between = match self.folds {
            Folds::Nowhere => "; ",
            Folds::AfterEachTag | Folds::Everywhere => ";\r\n\t",
        };
        let mut all: Vec<String> = tags.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let at = if self.value_first { 0 } else { all.len() };
        all.insert(at, format!("b={value}"));
        format!(" {}", all.join(between))
    }

    fn canonical(&self, (name, value): &Field) -> String {
        match self.header {
            Form::Relaxed => relaxed_field(name, value) + "\r\n",
            Form::Simple => format!("{name}:{value}\r\n"),
        }
    }
}

/// RFC 6376 §3.4.3.
fn simple_body(body: &[u8]) -> Vec<u8> {
    let mut end = body;
    while let Some(shorter) = end.strip_suffix(b"\r\n") {
        end = shorter;
    }
    [end, b"\r\n"].concat()
}
