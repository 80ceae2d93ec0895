//! What the vendor lists, as a person reads it.

use crate::{
    cli::console::Failure,
    face::table::table,
    leaf7::{ActiveKey, Body, BuyerKey},
};
use serde::de::DeserializeOwned;

/// What is not known, or not there.
const NOTHING: &str = "-";

pub fn buyer(body: &Body) -> Result<String, Failure> {
    let keys: Vec<BuyerKey> = listed(body)?;
    if keys.is_empty() {
        return Ok("there are no buyer keys".into());
    }
    let rows: Vec<_> = keys
        .into_iter()
        .map(|key| {
            let (lasts, redeemed) = (lasts(&key), yes_or_no(key.redeemed));
            vec![key.key_id, or(key.project_id), or(key.created_at), lasts, redeemed, or(key.discord_id)]
        })
        .collect();
    Ok(table(&["KEY ID", "PROJECT", "CREATED", "WORKS FOR", "REDEEMED", "DISCORD"], &rows))
}

pub fn active(body: &Body) -> Result<String, Failure> {
    let keys: Vec<ActiveKey> = listed(body)?;
    if keys.is_empty() {
        return Ok("there are no active keys".into());
    }
    let number = |number: Option<u64>| or(number.map(|number| number.to_string()));
    let row = |key: ActiveKey| {
        let expires = key.expires_at.unwrap_or_else(|| "never".into());
        let (resets, runs) = (number(key.hwid_resets), number(key.total_executions));
        let (redeemed, last) = (or(key.redeemed_at), or(key.last_execution));
        let banned = yes_or_no(key.banned);
        vec![
            key.key_id,
            or(key.project_id),
            or(key.discord_id),
            or(key.hwid),
            resets,
            runs,
            last,
            redeemed,
            expires,
            banned,
        ]
    };
    let titles = [
        "KEY ID", "PROJECT", "DISCORD", "HWID", "RESETS", "RUNS", "LAST RUN", "REDEEMED", "EXPIRES", "BANNED",
    ];
    Ok(table(&titles, &keys.into_iter().map(row).collect::<Vec<_>>()))
}

fn listed<T: DeserializeOwned>(body: &Body) -> Result<Vec<T>, Failure> {
    serde_json::from_str(&body.0).map_err(|_| {
        Failure::unreachable("the vendor's list has another form than its documentation says")
            .hint("to see it as it is, add --json".to_owned())
    })
}

fn or(text: Option<String>) -> String {
    text.filter(|text| !text.is_empty()).unwrap_or_else(|| NOTHING.into())
}
fn yes_or_no(word: Option<bool>) -> String {
    or(word.map(|word| if word { "yes" } else { "no" }.to_owned()))
}

/// `30 d`, `1 d 12 h`; all zero is for ever.
fn lasts(key: &BuyerKey) -> String {
    let parts = [(key.key_days, "d"), (key.key_hours, "h"), (key.key_minutes, "min")];
    if parts.iter().all(|(number, _)| number.is_none()) {
        return NOTHING.into();
    }
    let parts =
        parts.into_iter().filter_map(|(number, unit)| Some((number.filter(|number| *number > 0)?, unit)));
    let words: Vec<_> = parts.map(|(number, unit)| format!("{number} {unit}")).collect();
    if words.is_empty() { "ever".into() } else { words.join(" ") }
}
