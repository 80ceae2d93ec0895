//! `mailboxes` and `dns`: what is needed to read and judge mails.

use super::{
    address::{host, is_loopback, socket, url},
    mistake::Severity,
    read::{Item, Table},
    secrets::secret,
    store::certificate,
    values::{flag, path, port, text, word},
};
use crate::{
    domain::{Grant, Hygiene, Settled},
    mail::{MailboxSettings, dns, imap, maildir},
};
use figment::value::Value;

/// As long as a host name may be.
const AUTHSERV_ID_MAX: usize = 253;

pub(super) fn mailbox(table: &mut Table) -> Option<(MailboxSettings, Hygiene)> {
    let settings = match table.need_choice(&["imap", "maildir"]) {
        Some("imap") => table.table("imap", imap).map(MailboxSettings::Imap),
        Some(_) => table.table("maildir", maildir).map(MailboxSettings::Maildir),
        None => None,
    };
    let hygiene = hygiene(table, settings.as_ref());
    settings.zip(hygiene)
}

/// What becomes of confirmations, and what is told of them: nothing, unless it is said here.
fn hygiene(table: &mut Table, settings: Option<&MailboxSettings>) -> Option<Hygiene> {
    let settled = settled(table, settings);
    let report_copies = table.get("report_copies", |item| match (flag(item)?, settings) {
        (true, Some(MailboxSettings::Maildir(_))) => {
            item.refuse_with("a maildir is one folder, and only read", "this is for imap")
        }
        (wanted, _) => Some(wanted),
    });
    if !table.has("settled") {
        table.default("settled", "keep");
    }
    table.default("report_copies", false);
    Some(Hygiene { settled: settled?, report_copies: report_copies.unwrap_or(false) })
}

fn settled(table: &mut Table, settings: Option<&MailboxSettings>) -> Option<Settled> {
    if !table.has("settled") {
        return Some(Settled::Keep);
    }
    let is_word =
        table.get("settled", |item| Some(matches!(item.value(), Value::String(..) | Value::Char(..))))?;
    let settled = if is_word {
        let words = [("keep", Settled::Keep), ("delete", Settled::Delete)];
        table.get("settled", |item| word(item, &words))?
    } else {
        table.table("settled", |table| table.need("move", |item| target(item, settings)))?
    };
    match settings {
        Some(MailboxSettings::Maildir(_)) if settled != Settled::Keep => {
            let (rule, hint) =
                ("a maildir is only read: nothing in it is moved or deleted", "write settled: keep");
            table.sheet.note(Severity::Error, &table.at("settled"), rule, Some(hint.into()));
            None
        }
        Some(_) | None => Some(settled),
    }
}

/// A folder that is watched itself would hand out again what is moved there.
fn target(item: &Item, settings: Option<&MailboxSettings>) -> Option<Settled> {
    let folder = text(item)?;
    let watched = match settings {
        Some(MailboxSettings::Imap(imap)) if imap.folders.is_empty() => vec!["INBOX".to_owned()],
        Some(MailboxSettings::Imap(imap)) => imap.folders.clone(),
        Some(MailboxSettings::Maildir(_)) | None => Vec::new(),
    };
    if watched.iter().any(|watched| imap::is_same_folder(watched, &folder)) {
        return item.refuse_with(
            format!("{folder} is a folder that is watched"),
            "name another folder, which must be there already",
        );
    }
    Some(Settled::Move(folder))
}

/// Under which names the mailbox's own server says what it found out about a mail.
pub(super) fn authserv_ids(table: &mut Table) -> Vec<String> {
    table.get("authserv_id", |item| item.one_or_list(authserv_id)).unwrap_or_default()
}

/// RFC 8601 §2.2 allows more; no server writes it.
fn authserv_id(item: &Item) -> Option<String> {
    let id = text(item)?.to_ascii_lowercase();
    let legal = |c: char| c.is_ascii_alphanumeric() || "-._/".contains(c);
    if id.len() > AUTHSERV_ID_MAX || !id.chars().all(legal) {
        let hint = "write what stands right behind Authentication-Results: in a mail of that mailbox, up to the \
            semicolon: mx.example.com";
        return item.refuse_with("this is no name that a mail server gives itself", hint);
    }
    Some(id)
}

fn imap(table: &mut Table) -> Option<imap::Settings> {
    let host = table.need("host", host);
    let port = table.get("port", port);
    let words =
        [("implicit", imap::Tls::Implicit), ("starttls", imap::Tls::StartTls), ("none", imap::Tls::None)];
    let is_remote = host.as_deref().is_some_and(|host| !is_loopback(host));
    let tls = table.get("tls", |item| match word(item, &words)? {
        imap::Tls::None if is_remote => plain_to_remote(item),
        tls => Some(tls),
    });
    let tls = tls.unwrap_or(imap::Tls::Implicit);
    let default_port = match tls {
        imap::Tls::Implicit => 993,
        imap::Tls::StartTls | imap::Tls::None => 143,
    };
    table.default("tls", "implicit");
    table.default("port", default_port);
    let ca_cert = table.get("ca_cert", certificate);
    let user = table.need("user", text);
    let login = login(table);
    let folders = table.get("folders", |item| item.list(text)).unwrap_or_default();
    Some(imap::Settings {
        host: host?,
        port: port.unwrap_or(default_port),
        tls,
        ca_cert,
        user: user?,
        login: login?,
        folders,
    })
}

fn login(table: &mut Table) -> Option<imap::Login> {
    match table.need_choice(&["password", "oauth2"])? {
        "password" => table.need("password", secret).map(imap::Login::Password),
        _ => table.table("oauth2", grant).map(|grant| imap::Login::OAuth2(Box::new(grant))),
    }
}

/// With a refresh token its client may be a public one; without it the client's secret is all there is.
fn grant(table: &mut Table) -> Option<Grant> {
    let token_url = table.need("token_url", url);
    let client_id = table.need("client_id", text);
    let refreshes = table.has("refresh_token");
    let refresh_token = table.get("refresh_token", secret);
    let client_secret = match refreshes {
        true if !table.has("client_secret") => Some(None),
        _ => table.need("client_secret", secret).map(Some),
    };
    let writes_scope = table.has("scope");
    let scope = table.get("scope", text);
    if refreshes && refresh_token.is_none() || writes_scope && scope.is_none() {
        return None;
    }
    let (scope, client_secret) = (scope.unwrap_or_default(), client_secret?);
    Some(Grant { token_url: token_url?, client_id: client_id?, client_secret, refresh_token, scope })
}

/// A login without encryption stays on this machine.
pub(super) fn plain_to_remote<T>(item: &Item) -> Option<T> {
    item.refuse_with("tls: none is for this machine only", "write implicit or starttls, or a loopback host")
}

fn maildir(table: &mut Table) -> Option<maildir::Settings> {
    table.need("path", path).map(|path| maildir::Settings { path })
}

pub(super) fn dns(table: &mut Table) -> Option<dns::Settings> {
    table.default("servers", Vec::<String>::new());
    Some(dns::Settings { servers: table.get("servers", |item| item.list(socket)).unwrap_or_default() })
}
