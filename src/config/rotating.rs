//! What a credential says of its own rotation: the parts of the vendor's addresses that are its own, and when somebody
//! or something is to make a new key.

use super::{
    mistake::{Severity, any_of},
    read::{Item, Table},
    schedule::cron,
    values::{duration, shown, text},
};
use crate::{
    domain::{RotatedBy, Timestamp},
    vendor::{Profile, address_mistakes},
};
use std::{collections::BTreeMap, time::Duration};

/// When a new key is made, where that is not for the vendor to say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rotating {
    /// What stands for each `{NAME}` in the vendor's addresses.
    pub params: BTreeMap<String, String>,
    /// When the API is asked for a new key: cron, six fields.
    pub rotate_at: Option<String>,
    /// When the current key ends.
    pub expires_at: Option<Timestamp>,
    /// How often an operator wants to make a new key; the vendor's own otherwise.
    pub cadence: Option<Duration>,
    /// When the API may be asked at all.
    pub window: Option<Window>,
}

/// A stretch of time that comes again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Cron, six fields.
    pub opens: String,
    pub lasts: Duration,
}

/// Reads all of it; `None` where the vendor is not known or a parameter is wrong.
pub(super) fn rotating(table: &mut Table, profile: Option<&Profile>) -> Option<Rotating> {
    let by = profile.map(|profile| profile.rotation.by);
    let rotate_at = table.get("rotate_at", cron);
    let expires_at = table.get("expires_at", moment);
    let cadence = table.get("cadence", duration);
    let has_window = table.has("window");
    let window = table.table("window", |table| if has_window { window(table) } else { None });
    let refuses = [
        (
            "rotate_at",
            rotate_at.is_some(),
            by != Some(RotatedBy::Api),
            "only an API can be asked by a schedule",
        ),
        ("window", has_window, by != Some(RotatedBy::Api), "only a call of an API keeps to a window"),
        ("expires_at", expires_at.is_some(), by == Some(RotatedBy::Vendor), "the vendor rotates by itself"),
        (
            "cadence",
            cadence.is_some(),
            by != Some(RotatedBy::Operator),
            "no operator makes this vendor's keys",
        ),
    ];
    for (key, _, _, rule) in
        refuses.into_iter().filter(|(_, written, wrong, _)| *written && *wrong && profile.is_some())
    {
        let hint = Some("leave it out (keyrelay vendors shows how each vendor rotates)".to_owned());
        table.sheet.note(Severity::Error, &table.at(key), rule, hint);
    }
    let params = params(table, profile)?;
    Some(Rotating { params, rotate_at, expires_at, cadence, window })
}

fn window(table: &mut Table) -> Option<Window> {
    let (opens, lasts) = (table.need("opens", cron), table.need("lasts", duration));
    Some(Window { opens: opens?, lasts: lasts? })
}

/// RFC 3339.
fn moment(item: &Item) -> Option<Timestamp> {
    let text = text(item)?;
    match text.parse() {
        Ok(moment) => Some(moment),
        Err(_) => {
            let rule = format!("\"{}\" is no moment in time", shown(&text));
            item.refuse_with(rule, "write it as 2027-03-01T12:00:00Z")
        }
    }
}

fn params(table: &mut Table, profile: Option<&Profile>) -> Option<BTreeMap<String, String>> {
    let written = table.get_names("params", |item| {
        let Some(entries) = item.entries() else { return item.wrong_kind("a group of keys") };
        let each = |(name, item): (&str, Item)| Some((name.to_owned(), one(name, &item, profile)?));
        entries.into_iter().map(each).collect::<Option<BTreeMap<_, _>>>()
    });
    let written = match (table.has("params"), written) {
        (true, None) => return None,
        (_, written) => written.unwrap_or_default(),
    };
    let profile = profile?;
    let mut complete = true;
    for (name, param) in profile.params.iter().filter(|(name, _)| !written.contains_key(*name)) {
        let at = format!("{}.{name}", table.at("params"));
        table.sheet.note(Severity::Error, &at, "this key is missing", Some(format!("write {}", param.about)));
        complete = false;
    }
    for mistake in complete.then(|| address_mistakes(&profile.filled(&written))).into_iter().flatten() {
        table.sheet.note(Severity::Error, &table.at("params"), mistake.message, Some(mistake.hint));
        complete = false;
    }
    complete.then_some(written)
}

fn one(name: &str, item: &Item, profile: Option<&Profile>) -> Option<String> {
    let value = text(item)?;
    let Some(profile) = profile else { return Some(value) };
    let Some(param) = profile.params.get(name) else {
        let hint = match profile.params.is_empty() {
            true => format!("{} asks for none: leave it out", profile.title),
            false => format!("write {}", any_of(profile.params.keys().map(String::as_str))),
        };
        return item.refuse_with(format!("{} has no such parameter", profile.title), hint);
    };
    if !param.kind.fits(&value) {
        let rule = format!("\"{}\" is not {}", shown(&value), param.kind.words());
        return item.refuse_with(rule, format!("write {}", param.about));
    }
    Some(value)
}
