//! `keyrelay vendors`.

use super::{
    console::{Console, Exit, Failure},
    work,
};
use crate::{
    config::{Need, did_you_mean},
    domain::VendorName,
    face::page::{Page, Tone},
    vendor::{
        self, Profile,
        profile::{AnswerRule, BodyKind, MailRules, RotatedBy, Span},
    },
};
use std::{collections::BTreeMap, path::Path};

/// List the known vendors, or show what is known of one
///
/// Needs no configuration; one that is named shows its changes and its own vendors too.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only this one, with all that is known
    name: Option<VendorName>,
}

type Vendors = BTreeMap<VendorName, Profile>;

pub fn vendors(args: &Args, config: Option<&Path>, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let built_in = vendor::resolve(&BTreeMap::new())
        .map_err(|mistakes| Failure::refused(format!("a built-in profile is damaged: {mistakes:?}")))?;
    let vendors = match config {
        Some(path) => work::load(path, Need::Check)?.config.vendors,
        None => built_in.clone(),
    };
    let Some(name) = &args.name else {
        console.say(&list(&vendors, &built_in, console.colour, console.width));
        return Ok(Exit::Done);
    };
    let Some(profile) = vendors.get(name) else {
        let near = did_you_mean(name.as_str(), vendors.keys().map(VendorName::as_str));
        return Err(Failure::mistake(format!("there is no vendor named \"{name}\"")).hint(near));
    };
    console.say(&documentation(name, profile, built_in.get(name), console.colour, console.width));
    Ok(Exit::Done)
}

fn list(vendors: &Vendors, built_in: &Vendors, colour: bool, width: usize) -> String {
    let mut page = Page::new(colour, width);
    page.column(vendors.keys().map(|name| name.as_str().len()).max().unwrap_or(0));
    for (name, profile) in vendors {
        let origin = match built_in.get(name) {
            None => " (by the configuration)",
            Some(original) if !changes(profile, original).is_empty() => " (changed by the configuration)",
            Some(_) => "",
        };
        let cadence = profile.cadence.map(|span| format!(" every {}", text(span))).unwrap_or_default();
        let body = format!("{}, {}{cadence}{origin}", profile.title, rotates(profile.rotates));
        page.row(0, name.as_str(), Tone::Title, &body);
    }
    page.finish()
}

fn rotates(by: RotatedBy) -> &'static str {
    match by {
        RotatedBy::Vendor => "rotates keys by itself and mails them",
    }
}

/// Which of a profile's parts the configuration says otherwise.
fn changes(profile: &Profile, original: &Profile) -> Vec<String> {
    let members = |profile: &Profile| match serde_json::to_value(profile) {
        Ok(serde_json::Value::Object(members)) => members,
        Ok(_) | Err(_) => serde_json::Map::new(),
    };
    let before = members(original);
    members(profile)
        .into_iter()
        .filter(|(key, value)| before.get(key) != Some(value))
        .map(|(key, _)| key)
        .collect()
}

fn documentation(
    name: &VendorName,
    profile: &Profile,
    original: Option<&Profile>,
    colour: bool,
    width: usize,
) -> String {
    let mut page = Page::new(colour, width);
    page.row(0, &profile.title, Tone::Title, &format!("({name})"));
    page.row(0, "", Tone::Plain, &profile.about);
    page.gap();
    page.column("dashboard".len());
    let mut row = |label: &str, body: &str| page.row(0, label, Tone::Title, body);
    row("rotation", rotates(profile.rotates));
    row("cadence", &or(profile.cadence, "not known"));
    row("notice", &profile.notice_before.map_or("none".into(), |span| format!("{} before", text(span))));
    row("grace", &or(profile.grace, "none: the old key dies with the rotation"));
    row("dashboard", &format!("to fetch the key by hand: {}", profile.dashboard));
    row("limit", &format!("{} requests in {}", profile.limit.requests, text(profile.limit.per)));
    probe(&mut page, profile);
    key(&mut page, profile);
    match &profile.mail {
        Some(rules) => mail(&mut page, rules),
        None => page.row(0, "mails", Tone::Title, "none"),
    }
    match original.map(|original| changes(profile, original)) {
        None => page.row(0, "origin", Tone::Title, "the configuration"),
        Some(changed) if changed.is_empty() => page.row(0, "origin", Tone::Title, "built in"),
        Some(changed) => {
            let body = format!("built in; changed by the configuration: {}", changed.join(", "));
            page.row(0, "origin", Tone::Title, &body);
        }
    }
    page.finish()
}

fn probe(page: &mut Page, profile: &Profile) {
    let probe = &profile.probe;
    let request = format!("GET {}{} with {}: {}KEY", profile.base_url, probe.get, probe.header, probe.scheme);
    page.row(0, "probe", Tone::Title, &request);
    probe.alive.iter().for_each(|rule| page.row(0, "", Tone::Plain, &format!("alive: {}", answer(rule))));
    probe.dead.iter().for_each(|rule| page.row(0, "", Tone::Plain, &format!("dead: {}", answer(rule))));
    page.row(0, "", Tone::Plain, "any other answer is unclear: it proves nothing");
    for (host, reason) in &profile.forbidden_hosts {
        page.row(0, "", Tone::Plain, &format!("never {host}: {reason}"));
    }
    let account = match &probe.identity {
        Some(identity) => format!("the {} of each element of an alive answer", identity.each),
        None => "not shown: a new key is let in by an operator only".into(),
    };
    page.row(0, "account", Tone::Title, &account);
}

fn answer(rule: &AnswerRule) -> String {
    let status: Vec<String> = rule.status.iter().map(u16::to_string).collect();
    let body = match rule.body {
        BodyKind::Array => "a JSON array",
        BodyKind::Object => "a JSON object",
    };
    let mut text = format!("{} with {body}", status.join(" or "));
    if !rule.each_has.is_empty() {
        text += &format!(" whose elements have {}", rule.each_has.join(", "));
    }
    for (pointer, value) in &rule.equals {
        text += &format!(" that says \"{value}\" at {pointer}");
    }
    text
}

fn key(page: &mut Page, profile: &Profile) {
    let rule = &profile.key;
    let mut body = format!("{} to {} characters", rule.min_len, rule.max_len);
    if !rule.prefix.is_empty() {
        body += &format!(", beginning with {}", rule.prefix);
    }
    body += &match &rule.pattern {
        Some(pattern) => format!(", matching {}", shown(pattern)),
        None => "; a new one must be of the same make as the current one".into(),
    };
    page.row(0, "key", Tone::Title, &body);
}

/// As it is written in the profile.
fn shown(pattern: &impl serde::Serialize) -> String {
    match serde_json::to_value(pattern) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(_) | Err(_) => String::new(),
    }
}

fn mail(page: &mut Page, rules: &MailRules) {
    let aligned = if rules.aligned { ", and From is in that domain" } else { "" };
    let selectors = match &rules.selectors[..] {
        [] => String::new(),
        pinned => format!(" (selector {})", pinned.join(" or ")),
    };
    let signed = format!("signed by {}{selectors}{aligned}", rules.signed_by.join(" or "));
    page.row(0, "mails", Tone::Title, &signed);
    if !rules.from.is_empty() {
        page.row(0, "", Tone::Plain, &format!("from {}", rules.from.join(" or ")));
    }
    for (title, patterns) in [
        (
            "a warning's subject is, in any case, one of",
            rules.warning.subject.iter().map(shown).collect::<Vec<_>>(),
        ),
        ("a confirmation's is one of", rules.confirmation.subject.iter().map(shown).collect()),
        ("a key stands right behind one of", rules.confirmation.key_after.iter().map(shown).collect()),
    ] {
        page.row(0, "", Tone::Plain, &format!("{title}:"));
        patterns.iter().for_each(|pattern| page.verbatim(2, pattern));
    }
}

fn or(span: Option<Span>, none: &str) -> String {
    span.map_or(none.into(), text)
}

fn text(span: Span) -> String {
    crate::domain::spell_duration(span.0)
}

#[cfg(test)]
#[path = "vendors_tests.rs"]
mod tests;
