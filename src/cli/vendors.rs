//! `keyrelay vendors`.

use super::{
    console::{Console, Exit, Failure},
    work,
};
use crate::{
    config::{Need, did_you_mean},
    domain::{RotatedBy, VendorName},
    face::page::{Page, Tone},
    vendor::{
        self, Profile,
        profile::{AnswerRule, BodyKind, Identity, Label, LimitScope, MailRules, RotateCall, Span},
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
        let body = format!("{}, {}{cadence}{origin}", profile.title, rotates(profile.rotation.by));
        page.row(0, name.as_str(), Tone::Title, &body);
    }
    page.finish()
}

fn rotates(by: RotatedBy) -> &'static str {
    match by {
        RotatedBy::Vendor => "rotates keys by itself and mails them",
        RotatedBy::Operator => "an operator makes each key in its dashboard",
        RotatedBy::Api => "makes a new key on a call of its API",
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
        .filter(|(key, value)| before.get(key) != Some(value) && key != "examples")
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
    row("rotation", rotates(profile.rotation.by));
    row("cadence", &or(profile.cadence, "not known"));
    row("notice", &profile.notice_before.map_or("none".into(), |span| format!("{} before", text(span))));
    let no_grace = match profile.rotation.by {
        RotatedBy::Operator => "none: the old key works until it is revoked",
        RotatedBy::Vendor | RotatedBy::Api => "none: the old key dies with the rotation",
    };
    row("grace", &or(profile.grace, no_grace));
    row("dashboard", &format!("to fetch the key by hand: {}", profile.dashboard));
    let of = match profile.limit.of {
        LimitScope::Origin => "for all keys together",
        LimitScope::Key => "for each key",
    };
    row("limit", &format!("{} requests in {} {of}", profile.limit.requests, text(profile.limit.per)));
    params(&mut page, profile);
    by_hand(&mut page, profile);
    if let Some(made) = &profile.rotation.call {
        call(&mut page, profile, made);
    }
    probe(&mut page, profile);
    key(&mut page, profile);
    match &profile.mail {
        Some(rules) => mail(&mut page, rules),
        None => page.row(0, "mails", Tone::Title, "none"),
    }
    for (n, (about, link)) in profile.links.iter().enumerate() {
        page.row(0, if n == 0 { "links" } else { "" }, Tone::Title, &format!("{about}: {link}"));
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

/// What each credential must say of itself.
fn params(page: &mut Page, profile: &Profile) {
    for (n, (name, param)) in profile.params.iter().enumerate() {
        let label = if n == 0 { "params" } else { "" };
        page.row(0, label, Tone::Title, &format!("{name}: {}", param.about));
    }
}

/// What an operator does at the vendor.
fn by_hand(page: &mut Page, profile: &Profile) {
    for (label, steps) in [("new key", &profile.rotation.create), ("old key", &profile.rotation.revoke)] {
        for (n, step) in steps.iter().enumerate() {
            page.row(0, if n == 0 { label } else { "" }, Tone::Title, &format!("{}. {step}", n + 1));
        }
    }
    let label = match profile.key.label {
        Some(Label::Last4) => "the dashboard shows a key by its last four characters",
        Some(Label::KeyId) => "the dashboard shows a key by its id",
        None => return,
    };
    page.row(0, "label", Tone::Title, label);
}

fn call(page: &mut Page, profile: &Profile, call: &RotateCall) {
    let body = call.json.as_ref().map(|json| format!(" and {json}")).unwrap_or_default();
    page.row(0, "call", Tone::Title, &format!("POST {}{}{body}", profile.base_url, call.post));
    call.issued.iter().for_each(|rule| page.row(0, "", Tone::Plain, &format!("a new key: {}", answer(rule))));
    call.refused.iter().for_each(|rule| page.row(0, "", Tone::Plain, &format!("refused: {}", answer(rule))));
    page.row(0, "", Tone::Plain, &format!("the new key stands at {} of the answer, its only copy", call.key));
    if !call.graces.is_empty() {
        let graces: Vec<_> =
            call.graces.iter().map(|(span, word)| format!("{} ({word})", text(*span))).collect();
        page.row(0, "", Tone::Plain, &format!("the caller chooses the grace: {}", graces.join(", ")));
    }
}

fn probe(page: &mut Page, profile: &Profile) {
    let probe = &profile.probe;
    let (method, path) = match (&probe.get, &probe.post) {
        (None, Some(path)) => ("POST", path.as_str()),
        (path, _) => ("GET", path.as_deref().unwrap_or_default()),
    };
    let body = probe.json.as_ref().map(|json| format!(" and {json}")).unwrap_or_default();
    let header = format!("{}: {}KEY", probe.header, probe.scheme);
    page.row(0, "probe", Tone::Title, &format!("{method} {}{path} with {header}{body}", profile.base_url));
    for (verdict, rules) in
        [("alive", &probe.alive), ("dead", &probe.dead), ("of another account", &probe.wrong_account)]
    {
        rules.iter().for_each(|rule| page.row(0, "", Tone::Plain, &format!("{verdict}: {}", answer(rule))));
    }
    if probe.writes {
        page.row(
            0,
            "",
            Tone::Plain,
            "a success (2xx) would have written something: it switches the probe off",
        );
    }
    page.row(0, "", Tone::Plain, "any other answer is unclear: it proves nothing");
    for (host, reason) in &profile.forbidden_hosts {
        page.row(0, "", Tone::Plain, &format!("never {host}: {reason}"));
    }
    let account = match &probe.identity {
        Some(Identity::Each(member)) => format!("the {member} of each element of an alive answer"),
        Some(Identity::At(pointer)) => format!("what stands at {pointer} of an alive answer"),
        Some(Identity::Param(name)) => format!("{name}: whoever is welcome at that address belongs to it"),
        None => "not shown: a new key is let in by an operator only".into(),
    };
    page.row(0, "account", Tone::Title, &account);
}

fn answer(rule: &AnswerRule) -> String {
    let status: Vec<String> = rule.status.iter().map(u16::to_string).collect();
    let body = match rule.body {
        BodyKind::Array => "a JSON array",
        BodyKind::Object => "a JSON object",
        BodyKind::Json => "JSON of any kind",
    };
    let mut text = format!("{} with {body}", status.join(" or "));
    if !rule.each_has.is_empty() {
        text += &format!(" whose elements have {}", rule.each_has.join(", "));
    }
    if !rule.has.is_empty() {
        text += &format!(" with text at {}", rule.has.join(", "));
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
