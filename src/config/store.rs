//! `store` and `spool`.

use super::{
    address::origin,
    read::{Item, Table},
    secrets::{random_key, secret},
    values::{path, store_path, text, text_or_empty},
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
    let address = table.need("address", origin);
    let namespace = table.get("namespace", text_or_empty).unwrap_or_default();
    let ca_cert = table.get("ca_cert", certificate);
    let mount = table.get("mount", store_path).unwrap_or_else(|| "secret".into());
    let state_path = table.get("state_path", store_path).unwrap_or_else(|| STATE_PATH.into());
    table.default("namespace", "");
    table.default("mount", "secret");
    table.default("state_path", STATE_PATH);
    let auth = table.table("auth", auth);
    let settings = vault::Settings { address: address?, namespace, ca_cert, mount, auth: auth? };
    Some(Store { settings: store::Settings::Vault(settings), state_path })
}

fn auth(table: &mut Table) -> Option<vault::Auth> {
    match table.need_choice(&["token", "approle"])? {
        "token" => table.need("token", secret).map(vault::Auth::Token),
        _ => table.table("approle", |table| {
            let role_id = table.need("role_id", text);
            let secret_id = table.need("secret_id", secret);
            let mount = table.get("mount", store_path).unwrap_or_else(|| "approle".into());
            table.default("mount", "approle");
            Some(vault::Auth::AppRole { role_id: role_id?, secret_id: secret_id?, mount })
        }),
    }
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
