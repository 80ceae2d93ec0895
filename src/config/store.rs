//! `store` and `spool`.

use super::{
    address::origin,
    read::{Item, Table},
    secrets::{any_live_secret, live_secret, random_key},
    values::{is_store_path, path, shown, store_path, text, text_or_empty},
};
use crate::{
    spool,
    store::{self, local, vault},
    tls,
};
use std::path::{Path, PathBuf};

/// Where keyrelay keeps its own documents, unless told otherwise.
const STATE_PATH: &str = "keyrelay";

pub(super) struct Store {
    pub settings: store::Settings,
    pub state_path: String,
}

impl Store {
    /// The mount that paths are on; the local store has none.
    pub fn mount(&self) -> &str {
        match &self.settings {
            store::Settings::Vault(vault) => &vault.mount,
            store::Settings::Local(_) => "",
        }
    }
    pub fn is_local(&self) -> bool {
        match &self.settings {
            store::Settings::Vault(_) => false,
            store::Settings::Local(_) => true,
        }
    }
}

pub(super) fn store(table: &mut Table, state_dir: &Path) -> Option<Store> {
    match table.need_choice(&["vault", "local"])? {
        "vault" => table.table("vault", vault),
        _ => {
            let settings = table.table("local", |table| local(table, state_dir))?;
            Some(Store { settings: store::Settings::Local(settings), state_path: STATE_PATH.into() })
        }
    }
}

fn vault(table: &mut Table) -> Option<Store> {
    let nodes = table.need("address", nodes);
    let namespace = table.get("namespace", namespace).unwrap_or_default();
    let ca_cert = table.get("ca_cert", certificate);
    let mount = table.get("mount", store_path).unwrap_or_else(|| "secret".into());
    let state_path = table.get("state_path", store_path).unwrap_or_else(|| STATE_PATH.into());
    table.default("namespace", "");
    table.default("mount", "secret");
    table.default("state_path", STATE_PATH);
    let auth = table.table("auth", auth);
    let settings = vault::Settings { nodes: nodes?, namespace, ca_cert, mount, auth: auth? };
    let plain = settings.nodes.iter().find(|node| node.starts_with("http:"));
    if let (vault::Auth::Cert { .. }, Some(plain)) = (&settings.auth, plain) {
        let rule = format!("a certificate is shown over TLS only, and {plain} is plain http");
        return table.refuse(rule, "use https, or another auth");
    }
    Some(Store { settings: store::Settings::Vault(settings), state_path })
}

/// One node of a cluster, or a list of them, each once.
fn nodes(item: &Item) -> Option<Vec<String>> {
    let nodes = item.one_or_list(origin)?;
    let twice = (1..nodes.len()).find(|at| nodes[..*at].iter().any(|node| same_node(node, &nodes[*at])));
    match twice {
        _ if nodes.is_empty() => item.refuse_with("the list is empty", "write it as https://host:port"),
        Some(at) => item.refuse(format!("the node of [{at}] is there twice")),
        None => Some(nodes),
    }
}

fn same_node(one: &str, other: &str) -> bool {
    let parsed = |text| url::Url::parse(text).map(|url: url::Url| url.origin());
    parsed(one).is_ok_and(|one| parsed(other).is_ok_and(|other| one == other))
}

/// `team/payments`; empty or absent for the one at the top. Vault itself prints it with a slash behind.
fn namespace(item: &Item) -> Option<String> {
    let text = text_or_empty(item)?;
    let name = text.strip_suffix('/').unwrap_or(&text);
    if name.is_empty() && text.is_empty() {
        return Some(text);
    }
    if name == "root" {
        return item.refuse_with("root is the namespace at the top", "leave the key out");
    }
    if is_store_path(name) {
        return Some(name.to_owned());
    }
    item.refuse_with(
        format!("\"{}\" is no namespace", shown(&text)),
        "write names with one / between two of them, as in team/payments",
    )
}

fn auth(table: &mut Table) -> Option<vault::Auth> {
    match table.need_choice(&["token", "approle", "kubernetes", "cert"])? {
        "token" => table.need("token", live_secret).map(vault::Auth::Token),
        "approle" => table.table("approle", |table| {
            let role_id = table.need("role_id", text);
            let secret_id = table.need("secret_id", live_secret);
            let mount = table.get("mount", store_path).unwrap_or_else(|| "approle".into());
            table.default("mount", "approle");
            Some(vault::Auth::AppRole { role_id: role_id?, secret_id: secret_id?, mount })
        }),
        "kubernetes" => table.table("kubernetes", |table| {
            let role = table.need("role", text);
            let jwt = table.need("jwt", live_secret);
            let mount = table.get("mount", store_path).unwrap_or_else(|| "kubernetes".into());
            table.default("mount", "kubernetes");
            Some(vault::Auth::Kubernetes { role: role?, jwt: jwt?, mount })
        }),
        _ => table.table("cert", |table| {
            let cert = table.need("cert", client_certificate);
            let key = table.need("key", any_live_secret);
            let name = table.get("name", text);
            let mount = table.get("mount", store_path).unwrap_or_else(|| "cert".into());
            table.default("mount", "cert");
            Some(vault::Auth::Cert { cert: cert?, key: key?, name, mount })
        }),
    }
}

/// A client's certificate, with its chain, as PEM.
fn client_certificate(item: &Item) -> Option<PathBuf> {
    let path = path(item)?;
    if path.is_file() {
        return match tls::certificate_validity(&path) {
            Ok(_) => Some(path),
            Err(why) => item.refuse_with(why, "put the certificate there as PEM, its chain behind it"),
        };
    }
    item.note_missing(format!("no file {}", path.display()), "put the client's certificate there as PEM")?;
    Some(path)
}

fn local(table: &mut Table, state_dir: &Path) -> Option<local::Settings> {
    let default_dir = state_dir.join("store");
    table.default("dir", default_dir.to_string_lossy().as_ref());
    let dir = table.get("dir", path).unwrap_or(default_dir);
    let master_key = table.need("master_key", random_key);
    Some(local::Settings { dir, master_key: master_key? })
}

pub(super) fn spool(table: &mut Table, state_dir: &Path) -> Option<spool::Settings> {
    let default_dir = state_dir.join("spool");
    table.default("dir", default_dir.to_string_lossy().as_ref());
    let dir = table.get("dir", path).unwrap_or(default_dir);
    Some(spool::Settings { dir, key: table.get("key", random_key) })
}

/// A file of PEM certificates. Whoever uses it reads it again; that it holds some is seen here.
pub(super) fn certificate(item: &Item) -> Option<PathBuf> {
    let path = path(item)?;
    if path.is_file() {
        let hint = "put the authority's certificate there as PEM, or leave the key out to trust the system's";
        return match item.sheet.check_file(&path, tls::check_roots) {
            Ok(()) => Some(path),
            Err(why) => item.refuse_with(why, hint),
        };
    }
    let hint = "put the PEM file there, or leave the key out to trust the system's authorities";
    item.note_missing(format!("no file {}", path.display()), hint)?;
    Some(path)
}
