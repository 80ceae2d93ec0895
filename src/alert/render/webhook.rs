//! A notice for a program: the incident as `status --json` shows it, and beside it what a person would read.

use super::text;
use crate::domain::{Notice, Severity, Timestamp};
use serde::Serialize;

#[derive(Serialize)]
struct Posted<'a> {
    code: &'a str,
    severity: Severity,
    since: Timestamp,
    credential: Option<&'a str>,
    message: &'a str,
    hint: &'a str,
    until: Option<Timestamp>,
    count: u32,
    /// The incident is over.
    resolved: bool,
    /// The same for all posts about one incident: what a pager deduplicates by.
    incident: &'a str,
    step: u32,
    at: Timestamp,
    host: &'a str,
    version: &'a str,
    text: String,
}

/// The body of a post, as JSON.
pub fn webhook(notice: &Notice, host: &str, version: &str) -> String {
    let posted = Posted {
        code: notice.code.as_str(),
        severity: notice.severity,
        since: notice.since,
        credential: notice.credential.as_ref().map(|name| name.as_str()),
        message: &notice.message,
        hint: &notice.hint,
        until: notice.until,
        count: notice.count,
        resolved: notice.resolved,
        incident: &notice.incident,
        step: notice.step,
        at: notice.at,
        host,
        version,
        text: text(notice),
    };
    serde_json::to_string(&posted).expect("texts, numbers and moments are always JSON")
}
