//! Charset and encoding tricks: texts that two programs decode in two ways, and keys that are not what they look like.

use super::{Step, step};
use crate::demo::forge::{
    content::{Coding, Text, base64_lines},
    dice::Dice,
    draft::Draft,
};

/// Signs that are not seen, or look like others.
const UNSEEN: [char; 12] = [
    '\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}', '\u{feff}', '\u{ad}', '\u{202e}', '\u{2066}', '\u{301}',
    '\u{430}', '\u{ff11}', '\u{180e}',
];
const FOREIGN: [&str; 12] = [
    "utf-7",
    "UTF-16",
    "utf-16le",
    "utf-32",
    "iso-2022-jp",
    "iso-2022-kr",
    "hz-gb-2312",
    "shift_jis",
    "big5",
    "x-user-defined",
    "cp037",
    "unicode-1-1-utf-7",
];

pub const STEPS: &[Step] = &[
    step("a sign within the key that nobody sees", |draft, dice| {
        let sign = dice.pick(&UNSEEN);
        spoil(draft, dice, &sign.to_string(), false);
    }),
    step("a sign of the key in another alphabet", |draft, dice| {
        let sign = dice.pick(&['\u{430}', '\u{435}', '\u{ff41}', '\u{3b1}', '\u{1d7ce}', '\u{661}']);
        spoil(draft, dice, &sign.to_string(), true);
    }),
    step("a reference within the key that shows nothing", |draft, dice| {
        let sign = dice.pick(&["&#8203;", "&shy;", "&zwnj;", "&#x202E;", "&#0;", "&#1072;"]);
        only_html(draft);
        spoil(draft, dice, sign, false);
    }),
    step("the key in two lines", |draft, dice| spoil(draft, dice, "\n", false)),
    step("the key in two words", |draft, dice| {
        let blank = dice.pick(&[" ", "\t", "\u{a0}", "\u{3000}", "\u{2028}", "\u{2003}"]);
        spoil(draft, dice, blank, false);
    }),
    step("a sign within the key that no key has", |draft, dice| {
        let sign = dice.pick(&["*", "!", "§", "%", ",", "\\", "@", "|"]);
        spoil(draft, dice, sign, true);
    }),
    step("a character set that hides what it says", |draft, dice| {
        let charset = dice.pick(&FOREIGN);
        for text in draft.content.texts() {
            text.kind = Some(format!("{}; charset={charset}", name(text)));
        }
    }),
    step("UTF-16 that says so", |draft, _| {
        for text in draft.content.texts() {
            text.kind = Some(format!("{}; charset=utf-16be", name(text)));
            text.claims = Some("base64".into());
            text.encode = Some(|text| {
                base64_lines(&text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>())
            });
        }
    }),
    step("two character sets", |draft, _| {
        for text in draft.content.texts() {
            text.kind = Some(format!("{}; charset=utf-8; charset=utf-7", name(text)));
        }
    }),
    step("a character set in pieces", |draft, _| {
        for text in draft.content.texts() {
            text.kind = Some(format!("{}; charset*0=utf; charset*1=-8", name(text)));
        }
    }),
    step("bytes that are no UTF-8", |draft, _| {
        for text in draft.content.texts() {
            text.kind = Some(format!("{}; charset=utf-8", name(text)));
            text.claims = Some("8bit".into());
            text.encode = Some(|text| [text.as_bytes(), b"\xc0\xaf \xff\r\n"].concat());
        }
    }),
    step("bytes of 8 bits in a text of 7", |draft, _| {
        for text in draft.content.texts() {
            text.kind = Some(format!("{}; charset=us-ascii", name(text)));
            text.claims = Some("7bit".into());
            text.encode = Some(|text| format!("{text}\u{e4}\r\n").into_bytes());
        }
    }),
    step("control characters in the text", |draft, dice| {
        let sign = dice.pick(&['\0', '\u{1b}', '\u{8}', '\u{7f}', '\u{85}', '\u{9b}']);
        for text in draft.content.texts() {
            unicode(text);
            text.text.push(sign);
        }
    }),
    step("an encoding that nobody knows", |draft, dice| {
        let coding =
            dice.pick(&["x-uuencode", "uuencode", "base32", "7bit base64", "quoted_printable", "", "8 bit"]);
        draft.content.texts().into_iter().for_each(|text| text.claims = Some(coding.into()));
    }),
    step("base64 in base64", |draft, _| {
        for text in draft.content.texts() {
            text.claims = Some("base64".into());
            text.encode = Some(|text| base64_lines(&base64_lines(text.as_bytes())));
        }
    }),
    step("base64 that is none", |draft, _| {
        for text in draft.content.texts() {
            text.claims = Some("base64".into());
            text.encode = Some(|text| [&b"!*"[..], &base64_lines(text.as_bytes())].concat());
        }
    }),
    step("base64 with another text behind its end", |draft, _| {
        for text in draft.content.texts() {
            text.claims = Some("base64".into());
            text.encode = Some(|text| [base64_lines(b"Hi\r\n"), base64_lines(text.as_bytes())].concat());
        }
    }),
    step("quoted-printable that is none", |draft, _| {
        for text in draft.content.texts() {
            text.claims = Some("quoted-printable".into());
            text.encode = Some(|text| format!("{}=ZZ = 20=\r\n", text.replace('=', "=3D")).into_bytes());
        }
    }),
];

fn name(text: &Text) -> &'static str {
    if text.html { "text/html" } else { "text/plain" }
}

/// In an encoding that holds whatever comes.
fn unicode(text: &mut Text) {
    (text.charset, text.coding, text.kind, text.claims) = ("utf-8", Coding::Base64, None, None);
}

/// Puts something into the middle of each key in each text, in place of one of its signs or between two.
fn spoil(draft: &mut Draft, dice: &mut Dice, sign: &str, replaces: bool) {
    let key = draft.key.expose().to_owned();
    let at = key.len() / 2 + dice.below(4);
    let spoiled = format!("{}{sign}{}", &key[..at], &key[at + usize::from(replaces)..]);
    for text in draft.content.texts() {
        unicode(text);
        text.text = text.text.replace("{key}", &spoiled).replace("{other}", &spoiled);
    }
}

fn only_html(draft: &mut Draft) {
    for text in draft.content.texts() {
        if !text.html {
            text.text = "Please open this mail in a program that shows HTML.\n".into();
        }
    }
    if !draft.content.texts().iter().any(|text| text.html) {
        draft.content = super::mime::page();
    }
}
