//! Signs mails as a vendor's mail server does (DKIM, RFC 6376 and 8463), for the simulated vendor and the tests.
//! Its canonicalization is its own, not the judge's: what one gets wrong the other finds.

use base64::{Engine, engine::general_purpose::STANDARD};
use mail_auth::common::crypto::{DkimKey, Ed25519Key, RsaKey, Sha256 as Rsa, SigningKey};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject};
use sha2::{Digest, Sha256};

/// What a careful mail server signs.
pub const SIGNED: [&str; 8] = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
];

/// RFC 8410 §7: what stands before the 32 bytes of an Ed25519 key in PKCS #8.
const ED25519_PKCS8: [u8; 16] = *b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";

/// One domain's signing key under one selector.
pub struct Signer {
    domain: String,
    selector: String,
    key: DkimKey,
    public: String,
}

/// What a signature says besides the default; a forger sets what he likes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signing<'a> {
    /// `h=`, in this order; names that the mail lacks are signed as absent.
    pub headers: Vec<&'a str>,
    /// Further tags, as they stand: `t=1795251600`, `x=…`, `l=0`.
    pub tags: Vec<String>,
    /// `a=`, whatever the key's own algorithm is.
    pub algorithm: Option<&'a str>,
}

impl Default for Signing<'_> {
    fn default() -> Self {
        Self { headers: SIGNED.to_vec(), tags: Vec::new(), algorithm: None }
    }
}

impl Signer {
    /// A fresh Ed25519 key.
    pub fn generate(domain: &str, selector: &str) -> Result<Self, String> {
        let pkcs8 = Ed25519Key::generate_pkcs8().map_err(|e| format!("no Ed25519 key: {e}"))?;
        Self::ed25519(domain, selector, &pkcs8)
    }

    /// The same Ed25519 key each time, for mails that have to come out the same again.
    pub fn from_seed(domain: &str, selector: &str, seed: [u8; 32]) -> Result<Self, String> {
        Self::ed25519(domain, selector, &[&ED25519_PKCS8[..], &seed].concat())
    }

    fn ed25519(domain: &str, selector: &str, pkcs8: &[u8]) -> Result<Self, String> {
        let key =
            Ed25519Key::from_pkcs8_maybe_unchecked_der(pkcs8).map_err(|e| format!("no Ed25519 key: {e}"))?;
        let public = format!("k=ed25519; p={}", STANDARD.encode(key.public_key()));
        Ok(Self { domain: domain.into(), selector: selector.into(), key: key.into(), public })
    }

    /// An RSA key as PKCS #8 in PEM.
    pub fn rsa(domain: &str, selector: &str, pem: &[u8]) -> Result<Self, String> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|e| format!("no RSA key: {e}"))?;
        Self::rsa_from_der(domain, selector, der.secret_pkcs8_der())
    }

    /// The same in DER.
    pub fn rsa_from_der(domain: &str, selector: &str, der: &[u8]) -> Result<Self, String> {
        let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(der));
        let key = RsaKey::<Rsa>::from_key_der(der).map_err(|e| format!("no RSA key: {e}"))?;
        let public = format!("k=rsa; p={}", STANDARD.encode(key.public_key()));
        Ok(Self { domain: domain.into(), selector: selector.into(), key: key.into(), public })
    }

    /// The DNS name (without a final dot) and the TXT record to publish there.
    pub fn txt_record(&self) -> (String, String) {
        (format!("{}._domainkey.{}", self.selector, self.domain), format!("v=DKIM1; {}", self.public))
    }

    /// `d=`, `s=` and `a=`.
    pub(super) fn names(&self) -> (&str, &str, &'static str) {
        (&self.domain, &self.selector, self.key.algorithm().name())
    }

    /// Signing fails for lack of memory only; such a mail goes out unsigned, and is not believed.
    pub(super) fn sign_bytes(&self, data: &[u8]) -> Vec<u8> {
        self.key.sign(data).unwrap_or_default()
    }

    /// The mail with a signature on top. Lines end in CRLF.
    pub fn sign(&self, mail: &[u8]) -> Vec<u8> {
        self.sign_with(mail, &Signing::default())
    }

    pub fn sign_with(&self, mail: &[u8], signing: &Signing<'_>) -> Vec<u8> {
        let (fields, body) = cut(mail);
        let mut value = format!(
            "v=1; a={}; c=relaxed/relaxed; d={}; s={};\r\n\th={};\r\n\t",
            signing.algorithm.unwrap_or(self.key.algorithm().name()),
            self.domain,
            self.selector,
            signing.headers.join(":")
        );
        signing.tags.iter().for_each(|tag| value += &format!("{tag}; "));
        value += &format!("bh={};\r\n\tb=", STANDARD.encode(Sha256::digest(relaxed_body(body))));
        let mut data = Vec::new();
        let mut unsigned: Vec<&Field> = fields.iter().collect();
        for name in &signing.headers {
            // Of several, the lowest is signed first (RFC 6376 §5.4.2).
            if let Some(at) = unsigned.iter().rposition(|field| field.0.eq_ignore_ascii_case(name)) {
                let (name, value) = unsigned.remove(at);
                data.extend(relaxed_field(name, value).bytes().chain(*b"\r\n"));
            }
        }
        data.extend(relaxed_field("dkim-signature", &value).bytes());
        let lines = STANDARD.encode(self.sign_bytes(&data)).into_bytes();
        let folded: Vec<String> =
            lines.chunks(70).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
        [format!("DKIM-Signature: {value}{}\r\n", folded.join("\r\n\t")).as_bytes(), mail].concat()
    }
}

type Field = (String, String);

fn cut(mail: &[u8]) -> (Vec<Field>, &[u8]) {
    let end = mail.windows(4).position(|four| four == b"\r\n\r\n");
    let (header, body) = end.map_or((mail, &mail[mail.len()..]), |at| (&mail[..at + 2], &mail[at + 4..]));
    let header = String::from_utf8_lossy(header).replace("\r\n ", " ").replace("\r\n\t", "\t");
    let field = |line: &str| line.split_once(':').map(|(name, value)| (name.to_owned(), value.to_owned()));
    (header.split("\r\n").filter_map(field).collect(), body)
}

/// RFC 6376 §3.4.2.
pub(super) fn relaxed_field(name: &str, value: &str) -> String {
    let words: Vec<&str> = value.split([' ', '\t', '\r', '\n']).filter(|word| !word.is_empty()).collect();
    format!("{}:{}", name.trim().to_ascii_lowercase(), words.join(" "))
}

/// RFC 6376 §3.4.4.
pub(super) fn relaxed_body(body: &[u8]) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for line in body.split(|b| *b == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let mut relaxed: Vec<u8> = Vec::with_capacity(line.len());
        for byte in line.iter().map(|b| if *b == b'\t' { b' ' } else { *b }) {
            if byte != b' ' || relaxed.last() != Some(&b' ') {
                relaxed.push(byte);
            }
        }
        if relaxed.last() == Some(&b' ') {
            relaxed.pop();
        }
        lines.push(relaxed);
    }
    while lines.last().is_some_and(Vec::is_empty) {
        lines.pop();
    }
    lines.into_iter().flat_map(|line| [line, b"\r\n".to_vec()].concat()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_and_body_are_relaxed_as_the_standard_says() {
        // RFC 6376 §3.4.5, its own example.
        assert_eq!(relaxed_field("A", " X"), "a:X");
        assert_eq!(relaxed_field("B ", " Y\t\r\n\tZ  "), "b:Y Z");
        assert_eq!(relaxed_body(b" C \r\nD \t E\r\n\r\n\r\n"), b" C\r\nD E\r\n");
        assert_eq!(relaxed_body(b""), b"");
    }
}
