//! Signature games: what a verifier that follows the letter of the standard, or less, would pass.

use super::{Step, step};
use crate::demo::forge::{
    draft::{Change, Draft},
    mailroom::{OTHER, RECIPIENTS, Who},
};
use std::time::Duration;

const OFTEN_FORGOTTEN: [&str; 4] = ["From", "To", "Subject", "Date"];

pub const STEPS: &[Step] = &[
    step("only a part of the body is signed (l=)", |draft, dice| {
        let length = dice.pick(&["0", "1", "100", "100000000", ""]);
        tag(draft, "l", length);
    }),
    step("a field that decides is not signed", |draft, dice| {
        let name = dice.pick(&OFTEN_FORGOTTEN);
        for (_, seal) in &mut draft.seals {
            seal.names.retain(|signed| !signed.eq_ignore_ascii_case(name));
        }
    }),
    step("nothing is signed but From", |draft, _| {
        for (_, seal) in &mut draft.seals {
            seal.names = vec!["From".into()];
        }
    }),
    step("an algorithm that anybody can forge, or that nobody knows", |draft, dice| {
        let algorithm = dice.pick(&["rsa-sha1", "rsa-md5", "none", "hs256", "", "ed25519-sha1"]);
        tag(draft, "a", algorithm);
    }),
    step("expired before it arrived", |draft, _| {
        let made = draft.arrived_at.as_secs() - 90 * 86_400;
        tag(draft, "t", &made.to_string());
        tag(draft, "x", &(made + 86_400).to_string());
    }),
    step("expired before it was made", |draft, _| {
        let arrived = draft.arrived_at.as_secs();
        tag(draft, "t", &(arrived + 60).to_string());
        tag(draft, "x", &(arrived + 10).to_string());
    }),
    step("made after it arrived", |draft, _| {
        let tomorrow = draft.arrived_at.as_secs() + 86_400;
        draft.seals.iter_mut().for_each(|(_, seal)| seal.tags.retain(|(name, _)| name != "x"));
        tag(draft, "t", &tomorrow.to_string());
    }),
    step("a time that is none", |draft, dice| {
        let time = dice.pick(&["-1", "soon", "", "99999999999999999999", "1795165200.5"]);
        tag(draft, "t", time);
    }),
    step("a key that does not count", |draft, dice| {
        let who = dice.pick(&[
            Who::Revoked,
            Who::Unpublished,
            Who::Malformed,
            Who::Twice,
            Who::Testing,
            Who::NotForMail,
            Who::Impostor,
        ]);
        let only = draft.seals.iter_mut().filter(|(signer, _)| *signer != Who::Carrier);
        only.for_each(|(signer, _)| *signer = who);
    }),
    step("another signing domain is named", |draft, dice| {
        let domain = dice.pick(&[
            "fun",
            "leaf7.fun.",
            "mail.leaf7.fun",
            "leaf7.fun'",
            "evil.example",
            "leaf7.fun\0",
            "",
        ]);
        tag(draft, "d", domain);
    }),
    step("a selector that is no name", |draft, dice| {
        let long = "s".repeat(64);
        let selector = dice.pick(&[
            "s1'",
            "s1\"",
            "s1/..",
            "s(1)",
            "s1\0",
            "",
            ".",
            &long,
            "s1._domainkey.evil.example",
        ]);
        tag(draft, "s", selector);
    }),
    step("a version, a form or a way that nobody knows", |draft, dice| {
        let (name, value) =
            dice.pick(&[("v", "2"), ("v", ""), ("c", "none"), ("c", "relaxed/none/x"), ("q", "http")]);
        tag(draft, name, value);
    }),
    step("somebody else's identity", |draft, dice| {
        tag(draft, "i", dice.pick(&["@evil.example", "@notleaf7.fun", "@fun", "leaf7.fun"]));
    }),
    step("a tag twice", |draft, dice| {
        let (name, value) =
            dice.pick(&[("d", "leaf7.fun"), ("a", "ed25519-sha256"), ("h", "From"), ("q", "dns/txt")]);
        for (_, seal) in &mut draft.seals {
            seal.tags.push((name.into(), value.into()));
            seal.tags.push((name.into(), value.into()));
        }
    }),
    step("the hash of another body", |draft, _| {
        draft.seals.iter_mut().for_each(|(_, seal)| seal.instead = Some(b"Another text.\r\n".to_vec()));
    }),
    step("another body under the vendor's signature", |draft, dice| {
        let lines = ["Your new API key is l7_00112233445566778899aabbccddeeff.\r\n", "\r\n", "Hello\r\n"];
        draft.changes.push(Change::Body(dice.pick(&lines).as_bytes().to_vec()));
    }),
    step("a line more at the end of the body", |draft, dice| {
        draft.changes.push(Change::Behind(dice.pick(&["\r\nx\r\n", "-- \r\n", "\r\n\r\nNew key: abc\r\n"])));
    }),
    step("another value in the signature", |draft, _| {
        // Above the mail stands one that was made for another mail; the right one is gone.
        draft.seals.iter_mut().for_each(|(_, seal)| seal.names.push("X-Never-There".into()));
        draft.changes.push(Change::Header(|header| format!("X-Never-There: a\r\n{header}")));
    }),
    step("the signature under another name", |draft, _| {
        draft.changes.push(Change::Header(|header| header.replace("DKIM-Signature:", "X-DKIM-Signature:")));
    }),
    step("the mailbox's own server says that it is false", |draft, dice| {
        let why = dice.pick(&["dkim=fail header.d=leaf7.fun", "dmarc=fail header.from=leaf7.fun"]);
        draft.changes.push(Change::Above(format!("Authentication-Results: mx.example.com; {why}")));
    }),
    step("the same mail to another customer", |draft, dice| {
        let to = dice.pick(&[
            "customer@other.example",
            OTHER,
            "\"rotation@example.com\" <customer@other.example>",
            "customer@other.example (rotation@example.com)",
            "undisclosed-recipients:;",
            "rotation@example.com.evil.example",
        ]);
        draft.set("To", to);
    }),
    step("to two of our addresses at once", |draft, _| draft.set("To", &RECIPIENTS.join(", "))),
    // Nobody's clock is an hour fast.
    step("dated after its arrival", |draft, _| draft.arrived_at = draft.dated - Duration::from_secs(3_600)),
    step("a key that is known", |draft, _| {
        for text in draft.content.texts() {
            text.text = text.text.replace("{key}", "{old}").replace("{other}", "{old}");
        }
    }),
];

/// In every signature, in place of what is true.
fn tag(draft: &mut Draft, name: &str, value: &str) {
    for (_, seal) in &mut draft.seals {
        seal.tags.retain(|(there, _)| there != name);
        seal.tags.push((name.into(), value.into()));
    }
}
