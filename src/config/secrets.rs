//! References to secrets. A secret itself is never written in the configuration, and no message here shows one: not
//! even what stands where a reference should.

use super::{read::Item, values::is_variable};
use crate::{
    at_rest::{LiveSecret, NoSecret, SecretFile},
    domain::Secret,
};
use figment::value::{Dict, Value};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Where systemd puts the unit's credentials; looked into by commands that run outside the unit.
const UNIT_CREDENTIALS: &str = "/run/credentials/keyrelay.service";
/// Where systemd itself looks for a credential that is named without a path.
const CREDSTORE: &str = "/etc/credstore";
/// Where a pod finds its service account's token. Kubernetes lets everybody in the pod read it, and there is nobody else.
const POD_SECRETS: [&str; 2] =
    ["/var/run/secrets/kubernetes.io/serviceaccount", "/run/secrets/kubernetes.io/serviceaccount"];
/// Read by group or world.
const GROUP_OR_WORLD: u32 = 0o044;
const WORLD: u32 = 0o004;

/// A reference to a secret, and what stands behind it; never the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The key that holds it: `store.vault.auth.approle.secret_id`.
    pub key: String,
    /// As it is written: `{credential: vault-secret-id}`.
    pub written: String,
    pub found: Found,
}

impl Reference {
    /// The name of systemd's credential, where it is one.
    pub fn credential(&self) -> Option<&str> {
        self.written.strip_prefix("{credential: ")?.strip_suffix('}')
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// `mode`: the permission bits.
    File {
        path: PathBuf,
        mode: u32,
    },
    Variable,
    /// What was looked for where, and what to type.
    Missing {
        rule: String,
        hint: String,
    },
}

/// The secret that a reference names: one line of text. With `Need::Check` one that cannot be found is a warning
/// and empty.
pub(super) fn secret(item: &Item) -> Option<Secret> {
    live_secret(item).map(|secret| secret.first().clone())
}

/// The same, with the file in which it may be another one later.
pub(super) fn live_secret(item: &Item) -> Option<LiveSecret> {
    let secret = any_live_secret(item)?;
    if secret.first().expose().chars().any(char::is_control) {
        return item.refuse_with(
            "the secret holds a line break or another control character",
            "write it as one line: printf %s SECRET",
        );
    }
    Some(secret)
}

/// 32 random bytes in base64.
pub(super) fn random_key(item: &Item) -> Option<Secret> {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let secret = secret(item)?;
    let decoded = STANDARD.decode(secret.expose()).map(Zeroizing::new);
    if secret.is_missing() || decoded.is_ok_and(|bytes| bytes.len() == 32) {
        return Some(secret);
    }
    item.refuse_with("the secret is not 32 bytes in base64", "make one: head -c 32 /dev/urandom | base64")
}

/// A secret of any number of lines.
pub(super) fn any_secret(item: &Item) -> Option<Secret> {
    any_live_secret(item).map(|secret| secret.first().clone())
}

/// The same, with the file in which it may be another one later.
pub(super) fn any_live_secret(item: &Item) -> Option<LiveSecret> {
    let (kind, name) = reference(item)?;
    let found = match kind {
        Kind::Credential => credential(item, &name),
        Kind::File => file(Path::new(&name)),
        Kind::Env => variable(item, &name),
    };
    let note = |found| {
        let written = format!("{{{}: {name}}}", kind.word());
        item.sheet.references.borrow_mut().push(Reference { key: item.path.clone(), written, found });
    };
    match found {
        Ok((secret, found)) => {
            note(found);
            Some(secret)
        }
        Err(NoSecret::Open { rule, hint }) => item.refuse_with(rule, hint),
        Err(NoSecret::Missing { rule, hint }) => {
            note(Found::Missing { rule: rule.clone(), hint: hint.clone() });
            item.note_missing(rule, hint)?;
            Some(LiveSecret::fixed(Secret::default()))
        }
    }
}

enum Kind {
    Credential,
    File,
    Env,
}

impl Kind {
    fn word(&self) -> &'static str {
        match self {
            Kind::Credential => "credential",
            Kind::File => "file",
            Kind::Env => "env",
        }
    }
}

fn reference(item: &Item) -> Option<(Kind, String)> {
    const HINT: &str = "write a reference: {credential: NAME}, {file: PATH} or {env: NAME}";
    let Value::Dict(_, dict) = item.value() else {
        return item.refuse_with("a secret is never written here itself", HINT);
    };
    // The environment overrides a reference of another kind, too.
    let by_variable: Vec<_> = dict
        .iter()
        .filter(|(key, _)| item.sheet.source.is_override(&format!("{}.{key}", item.path)))
        .collect();
    let written = if by_variable.is_empty() { dict.iter().collect() } else { by_variable };
    let [(key, Value::String(_, name))] = written[..] else {
        return item.refuse_with("this is no reference to a secret", HINT);
    };
    item.became(Dict::from([(key.clone(), Value::from(name.as_str()))]));
    let is_file_name = |b: u8| b.is_ascii_alphanumeric() || b"._-@:".contains(&b);
    match key.as_str() {
        "credential" if !name.is_empty() && !name.starts_with('.') && name.bytes().all(is_file_name) => {
            Some((Kind::Credential, name.clone()))
        }
        "credential" => {
            item.refuse_with("this is no credential's name", "write the name that the unit gives it")
        }
        "file" if name.starts_with('/') => Some((Kind::File, name.clone())),
        "file" => item.refuse_with("the secret's file is not named by an absolute path", "begin it with /"),
        "env" if is_variable(name) => Some((Kind::Env, name.clone())),
        "env" => item.refuse_with("this is no variable's name", "write it as {env: VAULT_TOKEN}"),
        _ => item.refuse_with("this is no reference to a secret", HINT),
    }
}

/// Inside the unit the folder that systemd names; outside it the unit's folder, then the store of credentials.
fn credential(item: &Item, name: &str) -> Result<(LiveSecret, Found), NoSecret> {
    let write_it = format!("write it: sudo install -m 600 /dev/stdin {CREDSTORE}/{name}");
    let given = item.sheet.environment.get("CREDENTIALS_DIRECTORY").filter(|folder| !folder.is_empty());
    if let Some(folder) = given {
        return read(PathBuf::from(folder).join(name), WORLD)?.ok_or_else(|| NoSecret::Missing {
            rule: format!("no credential \"{name}\" in {folder}"),
            hint: format!("{write_it}; then let the unit read it: keyrelay policy systemd | sudo sh"),
        });
    }
    // systemd grants its files by access lists, whose mask shows as the group's bits.
    if let Some(secret) = read(Path::new(UNIT_CREDENTIALS).join(name), WORLD)? {
        return Ok(secret);
    }
    read(Path::new(CREDSTORE).join(name), GROUP_OR_WORLD)?.ok_or_else(|| NoSecret::Missing {
        rule: format!("no credential \"{name}\" in {UNIT_CREDENTIALS}/ or {CREDSTORE}/"),
        hint: write_it,
    })
}

fn file(path: &Path) -> Result<(LiveSecret, Found), NoSecret> {
    let forbidden = if POD_SECRETS.iter().any(|pod| path.starts_with(pod)) { 0 } else { GROUP_OR_WORLD };
    read(path.to_owned(), forbidden)?.ok_or_else(|| NoSecret::Missing {
        rule: format!("no file {}", path.display()),
        hint: format!("write it: install -m 600 /dev/stdin {}", path.display()),
    })
}

fn variable(item: &Item, name: &str) -> Result<(LiveSecret, Found), NoSecret> {
    let text = item.sheet.environment.get(name).filter(|text| !text.is_empty());
    text.map(|text| (LiveSecret::fixed(Secret::new(text)), Found::Variable)).ok_or_else(|| {
        NoSecret::Missing {
            rule: format!("the environment has no variable {name}"),
            hint: format!("set it: export {name}=…"),
        }
    })
}

/// The secret in a file that exists. `forbidden` are the mode bits that give it to others.
fn read(path: PathBuf, forbidden: u32) -> Result<Option<(LiveSecret, Found)>, NoSecret> {
    let file = SecretFile { path, forbidden };
    Ok(file.read()?.map(|(secret, mode)| {
        let found = Found::File { path: file.path.clone(), mode };
        (LiveSecret::in_file(secret, file), found)
    }))
}
