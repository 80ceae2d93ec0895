//! What a vendor writes: the wordings beside the profile, each as text and as HTML, in the layouts of real mails.

use super::{
    super::mails::CONFIRMATIONS,
    content::{Coding, Part, Text},
    dice::Dice,
};

/// One wording, with `{key}` and perhaps `{old}` in it.
#[derive(Debug, Clone, Default)]
struct Wording {
    subject: String,
    plain: Option<String>,
    html: Option<String>,
}

const STUB: &str = "Please open this mail in a program that shows HTML.\n";
const BOUNDARIES: [&str; 6] = [
    "b1",
    "=_Part_7_1234.5678",
    "----=_NextPart_000_0001",
    "_av-Zm9vYmFy",
    "0000000000001c2d3e",
    "a'()+_,-./:?=x",
];
const IMAGE: [(&str, &str); 3] =
    [("Content-Type", "image/png"), ("Content-ID", "<logo>"), ("Content-Transfer-Encoding", "base64")];
const FILE: [(&str, &str); 3] = [
    ("Content-Type", "application/pdf; name=\"terms.pdf\""),
    ("Content-Disposition", "attachment; filename=\"terms.pdf\""),
    ("Content-Transfer-Encoding", "base64"),
];

/// A subject and what the mail says, out of two wordings of the folder.
pub fn letter(dice: &mut Dice, story: &mut Vec<String>) -> (String, Part) {
    let (subject, body) = (dice.below(CONFIRMATIONS.len()), dice.below(CONFIRMATIONS.len()));
    story.push(format!("subject of {}, text of {}", CONFIRMATIONS[subject].0, CONFIRMATIONS[body].0));
    let wording = wording(CONFIRMATIONS[body].1);
    (self::wording(CONFIRMATIONS[subject].1).subject, layout(dice, &wording, story))
}

fn wording(template: &str) -> Wording {
    let (header, body) = template.split_once("\n\n").unwrap_or_default();
    let subject = header.lines().find_map(|line| line.strip_prefix("Subject: ")).unwrap_or_default();
    let mut wording = Wording { subject: subject.to_owned(), ..Wording::default() };
    if header.contains("Content-Type: multipart/") {
        parts(body, &mut wording);
    } else if header.contains("Content-Type: text/html") {
        wording.html = Some(body.to_owned());
    } else {
        wording.plain = Some(body.to_owned());
    }
    wording
}

/// The text and the HTML of a multipart template, however deep.
fn parts(body: &str, wording: &mut Wording) {
    let headed = |kind: &str| {
        let (_, behind) = body.split_once(&format!("Content-Type: text/{kind}"))?;
        let (_, text) = behind.split_once("\n\n")?;
        text.split_once("\n--").map(|(text, _)| text.to_owned())
    };
    (wording.plain, wording.html) = (headed("plain"), headed("html"));
}

fn layout(dice: &mut Dice, wording: &Wording, story: &mut Vec<String>) -> Part {
    let plain = wording.plain.clone().filter(|text| text.contains("{key}"));
    let html = wording.html.clone();
    let (plain, html) = match (plain, html) {
        (Some(plain), None) if dice.chance(40) => {
            let html = as_html(dice, &plain);
            (Some(plain), Some(html))
        }
        (None, Some(html)) if dice.chance(40) => (Some(STUB.to_owned()), Some(html)),
        other => other,
    };
    let mut texts = Vec::new();
    texts.extend(plain.map(|text| written(dice, false, text)));
    texts.extend(html.map(|text| written(dice, true, text)));
    let mut boundaries = BOUNDARIES.map(str::to_owned);
    dice.shuffle(&mut boundaries);
    let [outer, middle, inner, ..] = boundaries;
    let mut part = match texts.len() {
        1 => texts.remove(0),
        _ => Part::several("alternative", inner, texts),
    };
    if dice.chance(10) {
        part = Part::several("related", middle, vec![part, Part::other(&IMAGE, "iVBORw0KGgo=\n")]);
    }
    if dice.chance(10) {
        part = Part::several("mixed", outer, vec![part, Part::other(&FILE, "JVBERi0xLjQK\n")]);
    }
    if let (Part::Several(several), true) = (&mut part, dice.chance(20)) {
        several.preamble = "This is a multi-part message in MIME format.\n".into();
    }
    story.push(format!("as {}", shape(&part)));
    part
}

/// `mixed(alternative(text, html), other)`
fn shape(part: &Part) -> String {
    match part {
        Part::Text(text) => {
            format!(
                "{} in {} by {}",
                if text.html { "html" } else { "text" },
                text.charset,
                text.coding.name()
            )
        }
        Part::Other { .. } => "other".into(),
        Part::Several(several) => {
            format!("{}({})", several.kind, several.parts.iter().map(shape).collect::<Vec<_>>().join(", "))
        }
    }
}

/// In a character set and an encoding that can hold it.
fn written(dice: &mut Dice, html: bool, text: String) -> Part {
    let mut sets = vec!["utf-8", "UTF-8"];
    let latin = |c: char| c.is_ascii() || ('\u{a0}'..='\u{ff}').contains(&c);
    if text.is_ascii() {
        sets.extend(["us-ascii", "US-ASCII"]);
    }
    if text.chars().all(|c| latin(c) && !"¤¦¨´¸¼½¾".contains(c)) {
        sets.extend(["iso-8859-1", "iso-8859-15"]);
    }
    if text.chars().all(|c| latin(c) || c == '’') {
        sets.push("windows-1252");
    }
    let text = if dice.chance(10) { format!("{text}{}", ballast(dice, html)) } else { text };
    let mut codings = vec![Coding::QuotedPrintable, Coding::Base64];
    // RFC 5322 §2.1.1: a line has 998 characters at most.
    if text.lines().all(|line| line.len() < 900) {
        codings.push(if text.is_ascii() { Coding::SevenBit } else { Coding::EightBit });
    }
    let mut written = Text::new(html, text);
    written.charset = dice.pick(&sets);
    written.coding = dice.pick(&codings);
    let name = if html { "html" } else { "plain" };
    written.kind = match dice.below(4) {
        0 => Some(format!("text/{name}; charset=\"{}\"", written.charset)),
        1 => Some(format!("text/{name};\r\n\tcharset={}", written.charset)),
        2 if !html => Some(format!("text/{name}; charset={}; format=fixed", written.charset)),
        _ => None,
    };
    if dice.chance(20) {
        written.claims = Some(written.coding.name().to_ascii_uppercase());
    }
    if dice.chance(10) {
        written.further.push(("Content-Disposition".into(), " inline".into()));
    }
    Part::Text(written)
}

/// What stands at the end of many mails: long lines, links, an address.
fn ballast(dice: &mut Dice, html: bool) -> String {
    let long = "Leaf7 is a service for people who sell scripts. ".repeat(1 + dice.below(40));
    if html {
        format!(
            "<p style=\"font-size:11px\">{long}</p><img src=\"https://leaf7.fun/o.gif?u=0a1B2c3D4e\" width=1 height=1 alt=\"\">"
        )
    } else {
        format!("\n{long}\n\nhttps://leaf7.fun/unsubscribe?u=0a1B2c3D4e5F\n")
    }
}

/// The same text as a program would write it in HTML.
fn as_html(dice: &mut Dice, plain: &str) -> String {
    let escaped =
        plain.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    match dice.below(3) {
        0 => format!("<pre>{escaped}</pre>"),
        1 => format!("<HTML><BODY>{}</BODY></HTML>", escaped.replace('\n', "<BR>\n")),
        _ => {
            let lines = escaped.lines().map(|line| format!("<div>{line}</div>\n"));
            format!(
                "<!DOCTYPE html>\n<html><head><style>p{{margin:0}}</style></head><body>{}</body></html>",
                lines.collect::<String>()
            )
        }
    }
}
