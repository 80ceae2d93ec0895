//! What a mail says, as a tree of parts that is written as its own headers say, well or badly.

use super::super::mails::{charset_bytes, quoted_printable};
use base64::{Engine, engine::general_purpose::STANDARD};

/// A field of a header: its name, and everything behind the colon without the last line end.
pub type Field = (String, String);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    SevenBit,
    EightBit,
    QuotedPrintable,
    Base64,
}

#[derive(Debug, Clone)]
pub enum Part {
    Text(Text),
    /// An image, an attachment, a mail: its header, and its body as it stands.
    Other {
        header: Vec<Field>,
        body: String,
    },
    Several(Multipart),
}

/// A text; `{key}` and `{old}` stand for the keys, `{other}` for one that is neither.
#[derive(Debug, Clone)]
pub struct Text {
    pub html: bool,
    pub charset: &'static str,
    pub coding: Coding,
    pub text: String,
    /// In place of what the fields above say of it: `Content-Type`, `Content-Transfer-Encoding`.
    pub kind: Option<String>,
    pub claims: Option<String>,
    /// In place of the true encoding: the filled-in text to bytes.
    pub encode: Option<fn(&str) -> Vec<u8>>,
    pub further: Vec<Field>,
}

#[derive(Debug, Clone)]
pub struct Multipart {
    /// `alternative`
    pub kind: &'static str,
    pub boundary: String,
    pub parts: Vec<Part>,
    pub preamble: String,
    pub epilogue: String,
    /// It has its last line.
    pub closed: bool,
    /// In place of the `Content-Type` that fits.
    pub header: Option<Vec<Field>>,
}

impl Text {
    pub fn new(html: bool, text: String) -> Self {
        let (charset, coding) = ("utf-8", Coding::Base64);
        Self { html, charset, coding, text, kind: None, claims: None, encode: None, further: Vec::new() }
    }

    fn header(&self) -> Vec<Field> {
        let name = if self.html { "html" } else { "plain" };
        let kind = self.kind.clone().unwrap_or_else(|| format!("text/{name}; charset={}", self.charset));
        let claims = self.claims.clone().unwrap_or_else(|| self.coding.name().into());
        let mut fields = vec![field("Content-Type", &kind), field("Content-Transfer-Encoding", &claims)];
        fields.extend(self.further.clone());
        fields
    }

    fn body(&self, key: &str, old: &str) -> Vec<u8> {
        let text = filled(&self.text, key, old);
        if let Some(encode) = self.encode {
            return encode(&text);
        }
        // Which character set it is written in was chosen by what the text holds.
        let bytes = charset_bytes(text.as_bytes(), self.charset).unwrap_or_else(|_| text.into_bytes());
        match self.coding {
            Coding::SevenBit | Coding::EightBit => bytes,
            Coding::QuotedPrintable => quoted_printable(&bytes),
            Coding::Base64 => base64_lines(&bytes),
        }
    }
}

impl Coding {
    pub fn name(self) -> &'static str {
        match self {
            Coding::SevenBit => "7bit",
            Coding::EightBit => "8bit",
            Coding::QuotedPrintable => "quoted-printable",
            Coding::Base64 => "base64",
        }
    }
}

impl Part {
    pub fn text(html: bool, text: impl Into<String>) -> Self {
        Part::Text(Text::new(html, text.into()))
    }

    pub fn several(kind: &'static str, boundary: impl Into<String>, parts: Vec<Part>) -> Self {
        let (boundary, preamble, epilogue) = (boundary.into(), String::new(), String::new());
        Part::Several(Multipart { kind, boundary, parts, preamble, epilogue, closed: true, header: None })
    }

    pub fn other(header: &[(&str, &str)], body: impl Into<String>) -> Self {
        let header = header.iter().map(|(name, value)| field(name, value)).collect();
        Part::Other { header, body: body.into() }
    }

    pub fn header(&self) -> Vec<Field> {
        match self {
            Part::Text(text) => text.header(),
            Part::Other { header, .. } => header.clone(),
            Part::Several(several) => several.header.clone().unwrap_or_else(|| {
                let kind = format!("multipart/{}; boundary=\"{}\"", several.kind, several.boundary);
                vec![field("Content-Type", &kind)]
            }),
        }
    }

    pub fn body(&self, key: &str, old: &str) -> Vec<u8> {
        match self {
            Part::Text(text) => text.body(key, old),
            Part::Other { body, .. } => filled(body, key, old).into_bytes(),
            Part::Several(several) => {
                let filled = |text: &str| filled(text, key, old).into_bytes();
                let mut body = filled(&several.preamble);
                for part in &several.parts {
                    body.extend(format!("--{}\r\n", several.boundary).into_bytes());
                    body.extend(part.whole(key, old));
                    body.extend(b"\r\n");
                }
                if several.closed {
                    body.extend(format!("--{}--\r\n", several.boundary).into_bytes());
                }
                [body, filled(&several.epilogue)].concat()
            }
        }
    }

    /// Header, empty line, body.
    pub fn whole(&self, key: &str, old: &str) -> Vec<u8> {
        let header: String =
            self.header().iter().map(|(name, value)| format!("{name}:{value}\r\n")).collect();
        [header.into_bytes(), b"\r\n".to_vec(), self.body(key, old)].concat()
    }

    /// Every text in the tree.
    pub fn texts(&mut self) -> Vec<&mut Text> {
        match self {
            Part::Text(text) => vec![text],
            Part::Other { .. } => Vec::new(),
            Part::Several(several) => several.parts.iter_mut().flat_map(Part::texts).collect(),
        }
    }
}

pub fn field(name: &str, value: &str) -> Field {
    (name.to_owned(), format!(" {value}"))
}

pub fn base64_lines(bytes: &[u8]) -> Vec<u8> {
    let text = STANDARD.encode(bytes).into_bytes();
    text.chunks(76).flat_map(|line| [line, b"\r\n"].concat()).collect()
}

/// With the keys in it, and with the line ends of a mail.
fn filled(text: &str, key: &str, old: &str) -> String {
    let (fixed, random) = key.split_at(key.len() / 2);
    let other: String = fixed.chars().chain(random.chars().rev()).collect();
    let text = text.replace("{key}", key).replace("{old}", old).replace("{other}", &other);
    text.replace("\r\n", "\n").replace('\n', "\r\n")
}
