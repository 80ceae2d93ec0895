//! A genuine mail: everything in it is something that a real vendor, its mailing service or a mail server on the way
//! does, and leaves it genuine.

use super::{
    dice::Dice,
    draft::{Change, Draft},
    header,
    mailroom::Who,
    seal::{Folds, Form, Seal},
    wording,
};
use crate::domain::{Key, Timestamp};
use std::time::Duration;

/// 2026-11-20T09:00:00Z.
const DATED: Timestamp = Timestamp::from_secs(1_795_165_200);

pub fn draft(dice: &mut Dice) -> Draft {
    let mut story = Vec::new();
    let (key, old) = keys(dice);
    let dated = DATED + Duration::from_secs(dice.below(7 * 86_400) as u64);
    let late = dice.pick(&[0, 1, 2, 10, 60, 3_600, 3 * 86_400]);
    let (subject, content) = wording::letter(dice, &mut story);
    let mut draft = Draft {
        key,
        old,
        fields: header::fields(dice, &subject, dated),
        content,
        seals: Vec::new(),
        carried: header::carried(dice),
        changes: Vec::new(),
        line_feeds: false,
        dated,
        arrived_at: dated + Duration::from_secs(late),
        story,
    };
    sign(&mut draft, dice);
    carry(&mut draft, dice);
    draft
}

/// Two keys of one make.
fn keys(dice: &mut Dice) -> (Key, Key) {
    const HEX: &[u8] = b"0123456789abcdef";
    const ALL: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let (prefix, alphabet, len) = dice.pick(&[
        ("l7_", HEX, 32),
        ("", HEX, 40),
        ("sk_live_", ALL, 24),
        ("", ALL, 64),
        ("leaf7-", ALL, 43),
    ]);
    let mut key = || loop {
        let random: String = (0..len).map(|_| char::from(dice.pick(alphabet))).collect();
        // A row of 24 letters without a digit is possible, and looks like nothing.
        let mixed =
            random.bytes().any(|b| b.is_ascii_digit()) && random.bytes().any(|b| b.is_ascii_alphabetic());
        if let (Ok(key), true) = (Key::parse(&format!("{prefix}{random}")), mixed) {
            break key;
        }
    };
    (key(), key())
}

fn sign(draft: &mut Draft, dice: &mut Dice) {
    let who = if dice.chance(3) { Who::VendorRsa } else { Who::Vendor };
    let seal = seal(draft, dice);
    draft.story.push(format!("signed by {who:?}, header {:?}, body {:?}", seal.header, seal.body));
    // A mailing service signs for itself, below or above its customer's signature.
    let carrier = dice.chance(15).then(|| (Who::Carrier, seal.clone()));
    let below = dice.chance(50);
    draft.seals.push((who, seal));
    if let Some(mut carrier) = carrier {
        carrier.1.tags.retain(|(name, _)| name != "i");
        draft.story.push("and by the service that carries it".into());
        draft.seals.insert(if below { 0 } else { 1 }, carrier);
    }
}

fn seal(draft: &Draft, dice: &mut Dice) -> Seal {
    let form = |dice: &mut Dice| if dice.chance(70) { Form::Relaxed } else { Form::Simple };
    let mut names: Vec<String> = ["From", "To", "Subject", "Date"].map(str::to_owned).into();
    let there = draft.fields.iter().map(|(name, _)| name.clone());
    let content = draft.content.header().into_iter().map(|(name, _)| name);
    let others = there.chain(content).filter(|name| !names.iter().any(|n| n.eq_ignore_ascii_case(name)));
    let others: Vec<String> = others.collect();
    names.extend(others.into_iter().filter(|_| dice.chance(80)));
    match dice.below(4) {
        0 => names.extend(["From", "Subject", "To"].map(str::to_owned)), // so that none can be added
        1 => names.extend(["Cc", "In-Reply-To", "List-Id"].map(str::to_owned)), // signed as absent
        _ => {}
    }
    if dice.chance(50) {
        dice.shuffle(&mut names);
    }
    if dice.chance(50) {
        names.iter_mut().for_each(|name| *name = name.to_ascii_lowercase());
    }
    let made = draft.dated.as_secs();
    let mut tags = Vec::new();
    let mut tag = |wanted: bool, name: &str, value: String| {
        if wanted {
            tags.push((name.to_owned(), value));
        }
    };
    tag(dice.chance(60), "t", made.to_string());
    tag(dice.chance(30), "x", (made + 14 * 86_400).to_string());
    tag(dice.chance(30), "q", "dns/txt".into());
    tag(dice.chance(30), "i", dice.pick(&["@leaf7.fun", "noreply@leaf7.fun", "@mail.leaf7.fun"]).to_string());
    Seal {
        header: form(dice),
        body: form(dice),
        names,
        tags,
        folds: dice.pick(&[Folds::Nowhere, Folds::AfterEachTag, Folds::Everywhere]),
        value_first: dice.chance(10),
        instead: None,
    }
}

/// What happens on the way, and harms no signature.
fn carry(draft: &mut Draft, dice: &mut Dice) {
    let all = |is: fn(&Seal) -> Form, form| draft.seals.iter().all(|(_, seal)| is(seal) == form);
    let relaxed_header = all(|seal| seal.header, Form::Relaxed);
    if relaxed_header && dice.chance(15) {
        draft.changes.push(Change::Header(refolded));
        draft.story.push("its folds are moved on the way".into());
    }
    if dice.chance(15) {
        draft.changes.push(Change::Behind("\r\n\r\n"));
        draft.story.push("empty lines are added at its end".into());
    }
    draft.line_feeds = dice.chance(10);
}

/// Every fold of the header one blank more.
fn refolded(header: &str) -> String {
    header.replace("\r\n\t", "\r\n \t ").replace("\r\n ", "\r\n\t ")
}
