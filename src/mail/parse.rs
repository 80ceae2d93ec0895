//! Cuts a mail into header fields and body, in one pass and by the letter. It knows nothing of vendors, signatures
//! or keys, and mends nothing: what two programs could read in two ways is a fault.
//!
//! A fault is a sentence for the operator, without anything of the mail's content.

mod address;

pub use address::addresses;

use crate::domain::{Limits, Timestamp};
use chrono::DateTime;
use zeroize::Zeroizing;

/// Header fields of one mail or part. Real mails have fewer than a hundred; each costs a look-up.
const FIELDS_MAX: usize = 512;
/// A `Date` is some 31 characters; the rest is room for a comment. chrono refuses what it cannot read in one go.
const DATE_MAX: usize = 128;
/// Fields that decide something here, and that some other program may read from another occurrence.
const AT_MOST_ONCE: [&str; 12] = [
    "From",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Sender",
    "Reply-To",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Content-Disposition",
];

/// A mail's text with every line ended by CRLF, which is what was signed. Wiped when dropped.
pub struct Text(Zeroizing<Vec<u8>>);

/// Why a mail cannot be read in exactly one way.
pub type Fault = String;

/// One header field, as it stands.
#[derive(Clone, Copy)]
pub struct Field<'a> {
    pub name: &'a str,
    /// Everything behind the colon, with folds and the last CRLF.
    pub value: &'a [u8],
}

/// A mail or a part of one: its fields from the top, and its body.
pub struct Entity<'a> {
    pub fields: Vec<Field<'a>>,
    pub body: &'a [u8],
}

impl Text {
    /// Takes a mail's bytes: line ends are all CRLF (from IMAP) or all LF (from a maildir), never mixed.
    pub fn new(raw: &[u8]) -> Result<Self, Fault> {
        let (mut pairs, mut feeds, mut returns) = (0, 0, 0);
        for (at, byte) in raw.iter().enumerate() {
            match byte {
                b'\n' if at > 0 && raw[at - 1] == b'\r' => pairs += 1,
                b'\n' => feeds += 1,
                b'\r' => returns += 1,
                _ => {}
            }
        }
        if returns != pairs || (pairs > 0 && feeds > 0) {
            return Err("its line ends are not all of one kind".into());
        }
        let mut text = Zeroizing::new(Vec::with_capacity(raw.len() + feeds + 2));
        for byte in raw {
            if *byte == b'\n' && pairs == 0 {
                text.push(b'\r');
            }
            text.push(*byte);
        }
        Ok(Self(text))
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The mail's own header and body. Refuses what a mail may hold only once and holds twice, and what was sent on.
    pub fn mail(&self) -> Result<Entity<'_>, Fault> {
        let mail = Entity::cut(&self.0)?;
        if mail.fields.is_empty() {
            return Err("it does not begin with a header field".into());
        }
        for name in AT_MOST_ONCE {
            if mail.all(name).count() > 1 {
                return Err(format!("it has more than one {name}"));
            }
        }
        if mail.fields.iter().any(|field| starts_with(field.name, "Resent-")) {
            return Err("it was sent on by somebody (Resent-)".into());
        }
        Ok(mail)
    }
}

impl<'a> Entity<'a> {
    /// Cuts at the first empty line. A part of a multipart may have no fields at all.
    pub fn cut(text: &'a [u8]) -> Result<Self, Fault> {
        let mut fields: Vec<Field<'a>> = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let line = first_line(rest);
            if line == b"\r\n" {
                return Ok(Self { fields, body: &rest[2..] });
            }
            let field = &rest[..line.len() + folds_len(&rest[line.len()..])];
            fields.push(Field::parse(field)?);
            if fields.len() > FIELDS_MAX {
                return Err(format!("it has more than {FIELDS_MAX} header fields"));
            }
            rest = &rest[field.len()..];
        }
        Ok(Self { fields, body: rest })
    }

    pub fn all(&self, name: &str) -> impl Iterator<Item = Field<'a>> {
        self.fields.iter().copied().filter(move |field| field.name.eq_ignore_ascii_case(name))
    }

    /// The only field of that name; a second one is a fault.
    pub fn one(&self, name: &str) -> Result<Option<Field<'a>>, Fault> {
        let mut all = self.all(name);
        match (all.next(), all.next()) {
            (first, None) => Ok(first),
            (_, Some(_)) => Err(format!("it has more than one {name}")),
        }
    }

    /// The one address in `From`, lower case.
    pub fn sender(&self) -> Result<String, Fault> {
        let from = self.one("From")?.ok_or("it has no From")?;
        let found = addresses(&from.unfolded()?).map_err(|fault| format!("its From {fault}"))?;
        match <[String; 1]>::try_from(found) {
            Ok([address]) => Ok(address),
            // Not how many: each number would be a cause, and an incident, of its own.
            Err(several) if several.len() == 2 => Err("its From has 2 addresses".into()),
            Err(_) => Err("its From has more than 2 addresses".into()),
        }
    }

    /// What `Date` says; whole seconds.
    pub fn date(&self) -> Result<Timestamp, Fault> {
        let date = self.one("Date")?.ok_or("it has no Date")?.unfolded()?;
        let text = date.trim();
        let readable = text.len() <= DATE_MAX && text.is_ascii();
        let time = readable.then(|| DateTime::parse_from_rfc2822(text).ok()).flatten();
        let time = time.map(|time| Timestamp::from_secs(time.timestamp()));
        // A year of five digits would be written into a document, and never read out of it again.
        time.filter(|time| time.to_string().parse() == Ok(*time)).ok_or_else(|| "its Date is no date".into())
    }
}

impl<'a> Field<'a> {
    fn parse(field: &'a [u8]) -> Result<Self, Fault> {
        let colon = field.iter().position(|b| *b == b':').ok_or("a header line has no colon")?;
        let (name, value) = (&field[..colon], &field[colon + 1..]);
        let legal = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
        if !legal {
            return Err("a header field's name holds what no name holds".into());
        }
        if value.iter().any(|b| (*b < b' ' && !matches!(b, b'\t' | b'\r' | b'\n')) || *b == 0x7f) {
            return Err("a header field holds control characters".into());
        }
        // A fold of blanks alone ends the header for some programs and not for others.
        if value.split(|b| *b == b'\n').skip(1).any(|fold| !fold.is_empty() && fold.trim_ascii().is_empty()) {
            return Err("a header field is folded over an empty line".into());
        }
        let name = std::str::from_utf8(name).map_err(|_| "a header field's name is no text")?;
        Ok(Self { name, value })
    }

    /// The value on one line.
    pub fn unfolded(&self) -> Result<String, Fault> {
        let bytes = self.value.iter().copied().filter(|b| !matches!(b, b'\r' | b'\n')).collect();
        String::from_utf8(bytes).map_err(|_| format!("its {} is not UTF-8", self.name))
    }
}

/// Whether a mail is worth reading at all, before anything is read: `size` is what the mailbox said.
pub fn is_too_large(size: usize, header_only: bool, limits: &Limits) -> bool {
    header_only || size > limits.mail_bytes_max
}

/// Up to and with its line end.
pub fn first_line(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|b| *b == b'\n').map_or(text.len(), |at| at + 1);
    &text[..end]
}

fn folds_len(rest: &[u8]) -> usize {
    let mut len = 0;
    while matches!(rest.get(len), Some(b' ' | b'\t')) {
        len += first_line(&rest[len..]).len();
    }
    len
}

fn starts_with(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix))
}

#[cfg(test)]
mod tests;
