//! A header as the many programs write it that send a vendor's mails and carry them on.

use super::{
    content::{Field, field},
    dice::Dice,
    mailroom::RECIPIENT,
};
use crate::domain::Timestamp;
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, FixedOffset};

const FROM: [&str; 9] = [
    "Leaf7 <noreply@leaf7.fun>",
    "\"Leaf7\" <noreply@leaf7.fun>",
    "noreply@leaf7.fun",
    "<noreply@leaf7.fun>",
    "=?utf-8?q?Leaf7_=E2=9C=93?= <security@leaf7.fun>",
    "=?UTF-8?B?TGVhZjc=?= <no-reply@leaf7.fun>",
    "\"Leaf7, Inc. (Security)\" <noreply@Leaf7.fun>",
    "Leaf7 Team <api.keys+rotation@leaf7.fun>",
    "noreply@leaf7.fun (Leaf7)",
];
const FURTHER: [(&str, &str); 14] = [
    ("X-Mailer", "Leaf7 Mailer 2.1"),
    ("Auto-Submitted", "auto-generated"),
    ("Precedence", "bulk"),
    ("List-Unsubscribe", "<https://leaf7.fun/unsubscribe?u=1>,\r\n <mailto:unsubscribe@leaf7.fun>"),
    ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    ("Reply-To", "support@leaf7.fun"),
    ("Sender", "Leaf7 <noreply@leaf7.fun>"),
    ("X-Priority", "1 (Highest)"),
    ("Feedback-ID", "1.eu-west-1.abc=:AmazonSES"),
    ("X-SES-Outgoing", "2026.11.20-54.240.3.1"),
    ("Organization", "=?utf-8?q?Leaf7_GmbH?="),
    ("References", "<00@leaf7.fun>"),
    ("X-Entity-Ref-ID", "0123456789abcdef"),
    ("User-Agent", ""),
];
const CARRIED: [(&str, &str); 9] = [
    (
        "Received",
        "from out1.leaf7.fun (out1.leaf7.fun [192.0.2.1])\r\n\tby mx.example.com (Postfix) with ESMTPS id 4X\r\n\tfor <rotation@example.com>; Fri, 20 Nov 2026 09:00:02 +0000 (UTC)",
    ),
    (
        "Received",
        "from localhost (localhost [127.0.0.1]) by mx.example.com with LMTP id 1; Fri, 20 Nov 2026 09:00:03 +0000",
    ),
    ("Return-Path", "<bounce+1@leaf7.fun>"),
    ("Delivered-To", "rotation@example.com"),
    (
        "X-Spam-Status",
        "No, score=-2.0 required=5.0 tests=DKIM_SIGNED,\r\n\tDKIM_VALID autolearn=ham version=4.0.0",
    ),
    ("Received-SPF", "pass (mx.example.com: domain of leaf7.fun designates 192.0.2.1 as permitted sender)"),
    ("X-Original-To", "rotation@example.com"),
    ("ARC-Seal", "i=1; a=rsa-sha256; t=1795165202; cv=none; d=gate.example; s=arc; b=AAAA"),
    ("ARC-Authentication-Results", "i=1; gate.example; dkim=pass header.d=leaf7.fun"),
];

/// The fields that a vendor writes, in some order.
pub fn fields(dice: &mut Dice, subject: &str, dated: Timestamp) -> Vec<Field> {
    let id = format!("<{:016x}@leaf7.fun>", dice.roll());
    let to = [
        RECIPIENT.to_owned(),
        format!("<{RECIPIENT}>"),
        format!("\"Ops, Team\" <{RECIPIENT}>"),
        format!("{RECIPIENT} <{RECIPIENT}>").replacen(RECIPIENT, "\"rotation@example.com\"", 1),
        "Rotation@Example.COM".to_owned(),
        format!("ops@example.com,\r\n\t{RECIPIENT}"),
    ];
    let mut fields = vec![
        field("From", dice.pick(&FROM)),
        field("To", &dice.pick(&to)),
        field("Subject", &written(dice, subject)),
        field("Date", &date(dice, dated)),
        field("Message-ID", &id),
        field("MIME-Version", dice.pick(&["1.0", "1.0 (produced by Leaf7)"])),
    ];
    let further = dice.below(4);
    for _ in 0..further {
        let (name, value) = dice.pick(&FURTHER);
        // Of each name one: the mail has it once.
        if !fields.iter().any(|(there, _)| there == name) {
            fields.push(field(name, value));
        }
    }
    if dice.chance(60) {
        dice.shuffle(&mut fields);
    }
    for (name, _) in &mut fields {
        match dice.below(12) {
            0 => *name = name.to_ascii_lowercase(),
            1 => *name = name.to_ascii_uppercase(),
            _ => {}
        }
    }
    fields
}

/// What servers put above a mail on its way.
pub fn carried(dice: &mut Dice) -> Vec<Field> {
    let count = dice.below(6);
    (0..count).map(|_| dice.pick(&CARRIED)).map(|(name, value)| field(name, value)).collect()
}

/// As it is, folded, or in encoded words.
fn written(dice: &mut Dice, subject: &str) -> String {
    let spaces: Vec<usize> = subject.match_indices(' ').map(|(at, _)| at).collect();
    if subject.is_ascii() && dice.chance(70) {
        return match dice.below(3) {
            0 if !spaces.is_empty() => {
                let at = dice.pick(&spaces);
                format!("{}\r\n{}", &subject[..at], &subject[at..])
            }
            _ => subject.to_owned(),
        };
    }
    let charset = if subject.chars().all(|c| u8::try_from(c).is_ok()) && dice.chance(40) {
        "iso-8859-1"
    } else {
        "utf-8"
    };
    let quoted = dice.chance(50);
    let size = 4 + dice.below(8);
    let chars: Vec<char> = subject.chars().collect();
    let words = chars.chunks(size).map(|chars| {
        let text: String = chars.iter().collect();
        let bytes = if charset == "utf-8" {
            text.into_bytes()
        } else {
            text.chars().filter_map(|c| u8::try_from(c).ok()).collect()
        };
        if quoted {
            format!("=?{charset}?Q?{}?=", q_word(&bytes))
        } else {
            format!("=?{charset}?B?{}?=", STANDARD.encode(bytes))
        }
    });
    words.collect::<Vec<_>>().join(if dice.chance(50) { "\r\n " } else { " " })
}

fn q_word(bytes: &[u8]) -> String {
    let letter = |byte: &u8| match byte {
        b' ' => "_".to_owned(),
        byte if byte.is_ascii_alphanumeric() => char::from(*byte).to_string(),
        byte => format!("={byte:02X}"),
    };
    bytes.iter().map(letter).collect()
}

/// The same moment in the forms and time zones that occur.
fn date(dice: &mut Dice, dated: Timestamp) -> String {
    let utc = DateTime::from_timestamp_millis(dated.as_millis()).unwrap_or_default();
    let hours = dice.pick(&[0, 0, 1, 2, -5, -8, 9]);
    let zone = FixedOffset::east_opt(hours * 3_600).or_else(|| FixedOffset::east_opt(0));
    let Some(zone) = zone else { return utc.to_rfc2822() };
    let local = utc.with_timezone(&zone);
    match dice.below(4) {
        0 => local.format("%d %b %Y %H:%M:%S %z").to_string(),
        1 => format!("{} (local time)", local.format("%a, %-d %b %Y %H:%M:%S %z")),
        2 => utc.format("%a, %d %b %Y %H:%M:%S GMT").to_string(),
        _ => local.format("%a, %d %b %Y %H:%M:%S %z").to_string(),
    }
}
