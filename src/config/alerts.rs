//! `alerts`: who is told, and how.

use super::{
    address::{host, is_loopback, secret_url},
    mailbox::plain_to_remote,
    mistake::Severity,
    read::Table,
    secrets::secret,
    store::certificate,
    values::{address, duration, port, text, word},
};
use crate::{
    alert::{self, smtp},
    domain::{GoodNews, write_duration},
};
use figment::value::Value;
use std::time::Duration;

const HEARTBEAT: Duration = Duration::from_secs(300);

/// The mail server, where one is configured, and the rest. Everything is read before anything is given up.
pub(super) fn alerts(table: &mut Table) -> Option<(Option<smtp::Settings>, alert::Settings)> {
    let (has_email, has_webhook) = (table.has("email"), table.has("webhook"));
    let email = has_email.then(|| table.table("email", email));
    let webhook = has_webhook.then(|| table.table("webhook", |table| table.need("url", secret_url)));
    let heartbeat = table.has("heartbeat").then(|| table.table("heartbeat", heartbeat));
    if !has_email && !has_webhook {
        let hint = "add alerts.email with from, to and smtp".to_owned();
        table.sheet.note(
            Severity::Warning,
            &table.path,
            "nobody is told when something goes wrong",
            Some(hint),
        );
    }
    let (email, good_news) = email.map_or(Some((None, GoodNews::Each)), |email| {
        email.map(|(email, good_news)| (Some(email), good_news))
    })?;
    let settings = alert::Settings {
        good_news,
        webhook: webhook.map_or(Some(None), |url| url.map(Some))?,
        heartbeat: heartbeat.map_or(Some(None), |heartbeat| heartbeat.map(Some))?,
    };
    Some((email, settings))
}

fn heartbeat(table: &mut Table) -> Option<alert::Heartbeat> {
    let url = table.need("url", secret_url);
    let every = table.get("every", duration);
    table.default("every", write_duration(HEARTBEAT));
    Some(alert::Heartbeat { url: url?, every: every.unwrap_or(HEARTBEAT) })
}

fn email(table: &mut Table) -> Option<(smtp::Settings, GoodNews)> {
    let from = table.need("from", address);
    let to = table.need("to", |item| {
        let to = item.one_or_list(address)?;
        if to.is_empty() { item.refuse("the list is empty: nobody would be told") } else { Some(to) }
    });
    let urgent_to = table.get("urgent_to", |item| item.one_or_list(address));
    let words = [("each", GoodNews::Each), ("weekly", GoodNews::Weekly), ("off", GoodNews::Off)];
    let good_news = table.get("good_news", |item| match item.value() {
        Value::Bool(_, false) => Some(GoodNews::Off), // what YAML makes of a plain off
        _ => word(item, &words),
    });
    table.default("good_news", "each");
    if let Some(to) = &to {
        table.default("urgent_to", to.clone());
    }
    let server = table.table("smtp", |table| smtp(table, from.as_deref()))?;
    let to = to?;
    let urgent_to = urgent_to.unwrap_or_else(|| to.clone());
    let settings = smtp::Settings { from: from?, to, urgent_to, ..server };
    Some((settings, good_news.unwrap_or_default()))
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
        urgent_to: Vec::new(),
        host: host?,
        port: port.unwrap_or(default_port),
        tls,
        user: user.or(from.map(str::to_owned)).filter(|_| password.is_some()),
        password,
        ca_cert,
    })
}
