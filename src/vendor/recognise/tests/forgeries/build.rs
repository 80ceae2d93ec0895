//! One case's mail, three times.

use super::{Case, Family, World};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE},
};
use serde::Deserialize;

/// What is done to a body's bytes, one after the other.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Bytes {
    /// As the only part of a multipart.
    Wrapped,
    Latin1,
    Utf16le,
    Utf16be,
    Base64,
    Base64url,
    /// Each byte as `=XX`.
    Quoted,
    /// In lines of five.
    Narrow,
    Unpadded,
    Starred,
    /// A line of text behind it.
    Footed,
}

pub(super) struct Mail {
    /// By the vendor, as it stands.
    pub(super) signed: Vec<u8>,
    /// By the vendor, over the genuine mail.
    pub(super) with_stolen_signature: Vec<u8>,
    pub(super) unsigned: Vec<u8>,
}

/// The genuine mail's header. A case's field takes the place of the one with its name.
const HEADER: [(&str, &str); 8] = [
    ("From", "Leaf7 <noreply@leaf7.fun>"),
    ("To", "rotation@example.com"),
    ("Subject", "Your Leaf7 API key has been rotated"),
    ("Date", "Fri, 20 Nov 2026 09:00:00 +0000"),
    ("Message-ID", "<1@leaf7.fun>"),
    ("MIME-Version", "1.0"),
    ("Content-Type", "text/plain"),
    ("Content-Transfer-Encoding", "8bit"),
];

impl Family {
    pub(super) fn mail(&self, world: &World, case: &Case) -> Mail {
        let mail = self.unsigned(world, case);
        let genuine = Case { body: Some("{it}\n".into()), ..Case::default() };
        let genuine = world.signer.sign(&Self::bare().unsigned(world, &genuine));
        let end = genuine.windows(7).position(|seven| seven == b"\r\nFrom:").unwrap() + 2;
        let finish = |mail: Vec<u8>| finish(world, case, mail);
        Mail {
            signed: finish(world.signer.sign(&mail)),
            with_stolen_signature: finish([&genuine[..end], &mail].concat()),
            unsigned: finish(mail),
        }
    }

    fn bare() -> Self {
        Self {
            family: String::new(),
            becomes: super::Outcome::NewKey,
            kind: None,
            cte: None,
            body: None,
            controls: Vec::new(),
            cases: Vec::new(),
        }
    }

    fn unsigned(&self, world: &World, case: &Case) -> Vec<u8> {
        let own = |name: &str| match name {
            "From" => case.from.as_ref(),
            "To" => case.to.as_ref(),
            "Subject" => case.subject.as_ref(),
            "Date" => case.date.as_ref(),
            "Message-ID" => case.id.as_ref(),
            "Content-Type" => case.kind.as_ref().or(self.kind.as_ref()),
            "Content-Transfer-Encoding" => case.cte.as_ref().or(self.cte.as_ref()),
            _ => None,
        };
        let mut header = String::new();
        for (name, value) in HEADER.iter().filter(|(name, _)| !case.no.iter().any(|no| no == name)) {
            header += &match &case.head {
                Some(head) if *name == "From" => format!("{head}\n"),
                _ => format!("{name}: {}\n", own(name).map_or(*value, |own| own)),
            };
        }
        header.extend(case.last.iter().map(|last| format!("{last}\n")));
        let body = case.body.as_ref().or(self.body.as_ref());
        let body = words(world, body.expect("a family or a case has a body"));
        let body = if case.mixed_ends { body } else { crlf(&body) };
        let body = case.bytes.iter().fold(body.into_bytes(), |body, step| step.take(&body));
        [crlf(&words(world, &header)).as_bytes(), b"\r\n", &body].concat()
    }
}

fn finish(world: &World, case: &Case, mail: Vec<u8>) -> Vec<u8> {
    let top = case.top.iter().map(|top| crlf(&format!("{top}\n"))).collect::<String>();
    let mail = [top.into_bytes(), mail].concat();
    case.after.iter().fold(mail, |mail, (from, to)| {
        let text = String::from_utf8(mail).unwrap();
        let (from, to) = (words(world, from), words(world, to));
        assert!(text.contains(&from), "{}: there is no {from:?}", case.name);
        text.replacen(&from, &to, 1).into_bytes()
    })
}

/// Fills in the keys. `{second}` is one of the same make that nobody knows.
fn words(world: &World, text: &str) -> String {
    let second = "l7_aaaabbbbccccddddeeeeffff00001111";
    let key = world.key.expose();
    let (first_half, other_half) = key.split_at(20);
    text.replace("{it}", "Your new API key is {key}.")
        .replace("{other}", "Your new API key is {second}.")
        .replace("{key}", key)
        .replace("{KEY}", &format!("l7_{}", key[3..].to_uppercase()))
        .replace("{k1}", first_half)
        .replace("{k2}", other_half)
        .replace("{k2less}", &other_half[1..])
        .replace("{old}", world.old.expose())
        .replace("{second}", second)
        .replace("{long}", &"iVBORw0KGgo".repeat(8_000))
}

fn crlf(text: &str) -> String {
    text.replace('\n', "\r\n")
}

impl Bytes {
    fn take(self, body: &[u8]) -> Vec<u8> {
        let text = || std::str::from_utf8(body).unwrap();
        let folded = |text: String, width: usize| {
            text.into_bytes().chunks(width).flat_map(|line| [line, b"\r\n"].concat()).collect()
        };
        match self {
            Self::Wrapped => [b"--b\r\n\r\n", body, b"\r\n--b--\r\n"].concat(),
            Self::Latin1 => text().chars().map(|c| u8::try_from(c).unwrap()).collect(),
            Self::Utf16le => text().encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Self::Utf16be => text().encode_utf16().flat_map(u16::to_be_bytes).collect(),
            Self::Base64 => folded(STANDARD.encode(body), 76),
            Self::Base64url => folded(URL_SAFE.encode(body), 76),
            Self::Quoted => folded(body.iter().map(|b| format!("={b:02X}")).collect(), 72)
                .split_inclusive(|b| *b == b'\n')
                .flat_map(|line| [line.trim_ascii_end(), b"=\r\n"].concat())
                .collect(),
            Self::Narrow => {
                let bare: String = text().split_whitespace().collect();
                folded(bare, 5)
            }
            Self::Unpadded => text().trim_end().trim_end_matches('=').as_bytes().to_vec(),
            Self::Starred => text().replacen('\r', "*\r", 1).into_bytes(),
            Self::Footed => [body, b"\r\nYou get this mail because you have an account.\r\n"].concat(),
        }
    }
}
