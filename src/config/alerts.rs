//! `alerts`: who is told, and how.

use super::{
    address::{host, is_loopback},
    mailbox::plain_to_remote,
    mistake::Severity,
    read::Table,
    secrets::secret,
    store::certificate,
    values::{address, port, text, word},
};
use crate::alert::smtp;

/// `Some(None)`: nobody is told.
pub(super) fn alerts(table: &mut Table) -> Option<Option<smtp::Settings>> {
    if !table.has("email") {
        let hint = "add alerts.email with from, to and smtp".to_owned();
        table.sheet.note(
            Severity::Warning,
            &table.path,
            "nobody is told when something goes wrong",
            Some(hint),
        );
        return Some(None);
    }
    table.table("email", email).map(Some)
}

fn email(table: &mut Table) -> Option<smtp::Settings> {
    let from = table.need("from", address);
    let to = table.need("to", |item| {
        let to = item.one_or_list(address)?;
        if to.is_empty() { item.refuse("the list is empty: nobody would be told") } else { Some(to) }
    });
    let server = table.table("smtp", |table| smtp(table, from.as_deref()))?;
    Some(smtp::Settings { from: from?, to: to?, ..server })
}

/// The server; sender and recipients are the caller's.
fn smtp(table: &mut Table, from: Option<&str>) -> Option<smtp::Settings> {
    let host = table.need("host", host);
    let port = table.get("port", port);
    let words =
        [("starttls", smtp::Tls::StartTls), ("implicit", smtp::Tls::Implicit), ("none", smtp::Tls::None)];
    let is_remote = host.as_deref().is_some_and(|host| !is_loopback(host));
    let tls = table.get("tls", |item| match word(item, &words)? {
        smtp::Tls::None if is_remote => plain_to_remote(item),
        tls => Some(tls),
    });
    let tls = tls.unwrap_or(smtp::Tls::StartTls);
    let default_port = match tls {
        smtp::Tls::StartTls => 587,
        smtp::Tls::Implicit => 465,
        smtp::Tls::None => 25,
    };
    table.default("tls", "starttls");
    table.default("port", default_port);
    let user = table.get("user", text);
    let has_password = table.has("password");
    let password = table.get("password", secret);
    if user.is_some() && !has_password {
        let hint = "add password, or leave user out".to_owned();
        let rule = "a user without a password: there will be no login";
        table.sheet.note(Severity::Warning, &table.at("user"), rule, Some(hint));
    }
    if let (Some(from), true) = (from, has_password) {
        table.default("user", from);
    }
    let ca_cert = table.get("ca_cert", certificate);
    Some(smtp::Settings {
        from: String::new(),
        to: Vec::new(),
        host: host?,
        port: port.unwrap_or(default_port),
        tls,
        user: user.or(from.map(str::to_owned)).filter(|_| password.is_some()),
        password,
        ca_cert,
    })
}
