//! `GET /`: the status as one page. What is wrong stands first, with what to type; then who holds which key, and how
//! long is left. It needs no script; with one it is live.

mod axis;
mod fleet;
mod parts;
mod strip;
mod track;

use super::{page::printable, status::Status};
use crate::{
    domain::{CredentialName, Severity},
    rotation::Record,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, sync::LazyLock};

const STYLE: &str = include_str!("web/style.css");
const SCRIPT: &str = include_str!("web/live.js");

/// The newest records of each credential, newest first.
pub type Past = BTreeMap<CredentialName, Vec<Record>>;

/// Nothing from elsewhere, and of our own only these two texts: what a consumer said cannot become a program.
pub static CONTENT_SECURITY_POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    format!(
        "default-src 'none'; style-src {}; script-src {}; connect-src 'self'; img-src data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
        hash(STYLE),
        hash(SCRIPT),
    )
});

/// The whole document.
pub fn page(status: &Status, past: &Past) -> String {
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title(status)) }
                link rel="icon" href=(icon(status));
                style { (PreEscaped(STYLE)) }
                noscript { meta http-equiv="refresh" content="30"; }
            }
            body {
                main id="live" data-title=(title(status)) { (content(status, past)) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    document.into_string()
}

/// What changes: a live page takes it in the old one's place.
pub fn fragment(status: &Status, past: &Past) -> String {
    html! { main id="live" data-title=(title(status)) { (content(status, past)) } }.into_string()
}

/// Texts come from consumers and mails too: their signs stay visible, and none turns the direction of what follows.
fn content(status: &Status, past: &Past) -> Markup {
    PreEscaped(printable(&parts(status, past).into_string()))
}
fn parts(status: &Status, past: &Past) -> Markup {
    html! {
        (parts::masthead(status))
        (parts::problems(status))
        (parts::credentials(status, past))
        (parts::surroundings(status))
        footer {
            p { "keyrelay " (status.daemon.version) " on " (status.daemon.host) }
            nav aria-label="For programs" {
                a href="api/v1/status" { "status as JSON" } " "
                a href="metrics" { "metrics" }
            }
        }
    }
}

/// What a tab shows.
fn title(status: &Status) -> String {
    let count = |severity| status.open().filter(|incident| incident.severity == severity).count();
    let host = printable(&status.daemon.host);
    match (count(Severity::Urgent), count(Severity::Warning)) {
        (0, 0) => format!("keyrelay on {host}"),
        (0, 1) => format!("1 warning · keyrelay on {host}"),
        (0, warnings) => format!("{warnings} warnings · keyrelay on {host}"),
        (urgent, _) => format!("{urgent} urgent · keyrelay on {host}"),
    }
}

/// A ring in the colour of what is wrong; when something is, with a bar in it.
fn icon(status: &Status) -> String {
    let worst = status.open().map(|incident| incident.severity).max();
    let (colour, bar) = match worst {
        Some(Severity::Urgent) => {
            ("%23c0392b", "<path d='M8 4v5m0 2v1' stroke='%23c0392b' stroke-width='2'/>")
        }
        Some(Severity::Warning) => {
            ("%23b7791f", "<path d='M8 4v5m0 2v1' stroke='%23b7791f' stroke-width='2'/>")
        }
        Some(Severity::Info) | None => ("%232f855a", ""),
    };
    format!(
        "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'>\
         <circle cx='8' cy='8' r='6.5' fill='none' stroke='{colour}' stroke-width='3'/>{bar}</svg>"
    )
}

#[cfg(test)]
mod tests;
