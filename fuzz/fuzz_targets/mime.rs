//! The parts of a mail: of raw bytes whatever is visible is clean text; of a tree that is built well, every text is
//! seen, and no attachment, no mail within the mail and nothing beside the parts.
#![no_main]

use arbitrary::{Arbitrary, Unstructured};
use keyrelay_fuzz::{all, visible};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Input {
    Raw(Vec<u8>),
    Tree(Part),
}

#[derive(Arbitrary, Debug)]
enum Part {
    Plain { encoding: Encoding, text: u16 },
    Html { encoding: Encoding, text: u16 },
    Attachment { text: u16, named: bool },
    Mail(Box<Part>),
    Image(u16),
    Multipart { kind: Kind, parts: Vec<Part>, boundary: u8 },
}

#[derive(Arbitrary, Debug, Clone, Copy)]
enum Encoding {
    Plain,
    Base64,
    QuotedPrintable,
}

#[derive(Arbitrary, Debug, Clone, Copy)]
enum Kind {
    Mixed,
    Alternative,
    Related,
}

/// What a reader sees of a tree, and what nobody may.
#[derive(Default)]
struct Expected {
    seen: Vec<String>,
    never: Vec<String>,
    multiparts: usize,
}

impl Encoding {
    fn encode(self, text: &str) -> (&'static str, String) {
        match self {
            Encoding::Plain => ("7bit", text.to_owned()),
            Encoding::Base64 => ("base64", base64(text.as_bytes())),
            Encoding::QuotedPrintable => {
                ("quoted-printable", text.bytes().map(|b| format!("={b:02X}=\r\n")).collect())
            }
        }
    }
}

impl Part {
    /// The part as it stands in a mail, its own header first.
    fn write(&self, expected: &mut Expected, depth: usize, hidden: bool) -> String {
        let mut word = |mark: &str, number: u16| {
            // With an end, so that no word begins another one.
            let word = format!("{mark}{number}x{}.", expected.seen.len() + expected.never.len());
            let hidden = hidden || mark == "NEVER";
            if hidden { &mut expected.never } else { &mut expected.seen }.push(word.clone());
            word
        };
        match self {
            Part::Plain { encoding, text } => {
                let (name, body) = encoding.encode(&word("PLAIN", *text));
                format!("Content-Type: text/plain\r\nContent-Transfer-Encoding: {name}\r\n\r\n{body}")
            }
            Part::Html { encoding, text } => {
                let (name, body) = encoding.encode(&format!("<p>{}</p>", word("HTML", *text)));
                format!("Content-Type: text/html\r\nContent-Transfer-Encoding: {name}\r\n\r\n{body}")
            }
            Part::Attachment { text, named } => {
                let how = if *named { "inline; filename=a.txt" } else { "attachment" };
                let word = word("NEVER", *text);
                format!("Content-Type: text/plain\r\nContent-Disposition: {how}\r\n\r\n{word}")
            }
            Part::Image(text) => format!("Content-Type: image/png\r\n\r\n{}", word("NEVER", *text)),
            Part::Mail(part) => {
                format!("Content-Type: message/rfc822\r\n\r\n{}", part.write(expected, depth + 1, true))
            }
            Part::Multipart { kind, parts, boundary } => {
                expected.multiparts += 1;
                // Only what is shown is looked into; each level has a boundary of its own.
                let boundary = format!("b{boundary}_{}", expected.multiparts);
                let mut text =
                    format!("Content-Type: multipart/{}; boundary=\"{boundary}\"\r\n\r\n", kind.name());
                for part in parts.iter().take(if depth < 4 { 4 } else { 0 }) {
                    text += &format!("--{boundary}\r\n{}\r\n", part.write(expected, depth + 1, hidden));
                }
                text + &format!("--{boundary}--\r\n")
            }
        }
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Mixed => "mixed",
            Kind::Alternative => "alternative",
            Kind::Related => "related",
        }
    }
}

fuzz_target!(|data: &[u8]| {
    // What begins like a mail is one, so that a corpus can be made of mails.
    let raw = data.first().is_some_and(u8::is_ascii_alphabetic);
    let input =
        if raw { Ok(Input::Raw(data.to_vec())) } else { Input::arbitrary(&mut Unstructured::new(data)) };
    let part = match input {
        Ok(Input::Raw(raw)) => {
            visible(&raw);
            return;
        }
        Ok(Input::Tree(part)) => part,
        Err(_) => return,
    };
    let mut expected = Expected::default();
    let mail = format!("MIME-Version: 1.0\r\n{}", part.write(&mut expected, 0, false));
    // Parts without any part are refused, and so is a mail without text.
    let Some(visible) = visible(mail.as_bytes()) else { return };
    let text = all(&visible);
    for word in &expected.seen {
        assert!(text.contains(word.as_str()), "{word} is not seen:\n{mail}");
    }
    for word in &expected.never {
        assert!(!text.contains(word.as_str()), "{word} is seen:\n{mail}");
    }
});

fn base64(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |three: &[u8]| {
        let bits = three.iter().chain([&0, &0]).take(3).fold(0u32, |bits, byte| bits << 8 | u32::from(*byte));
        let sign = |at: usize| {
            if at > three.len() { '=' } else { char::from(SIGNS[(bits >> (18 - 6 * at) & 63) as usize]) }
        };
        (0..4).map(sign).collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}
