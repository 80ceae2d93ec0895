//! Adapter: keys that exist nowhere else, encrypted and fsynced, one file each. It keeps what it is given until it is
//! told to let go; what a key is good for is not its business. All of it blocks.

mod answers;
mod files;
mod tokens;

use crate::{
    at_rest::{SealingKey, private_dir},
    domain::{CredentialName, Fingerprint, Key, Origin, Secret, Timestamp},
};
pub use answers::Answer;
use files::{Files, KEY_FILE, Kind};
use serde::{Deserialize, Serialize};
use std::{
    path::PathBuf,
    sync::{Mutex, PoisonError},
};
pub use tokens::TokenNote;
use zeroize::Zeroizing;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub dir: PathBuf,
    /// 32 random bytes, base64; absent: generated beside the spool, mode 0600.
    pub key: Option<Secret>,
}

/// What is known of a spooled key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    pub origin: Origin,
    /// What orders it among others: a mail's signed Date, the time of a paste.
    pub dated: Timestamp,
    /// The vendor's time.
    pub rotated_at: Timestamp,
    pub spooled_at: Timestamp,
    /// Why only an operator may let it in.
    pub held: Option<String>,
}

/// A key that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub credential: CredentialName,
    pub key: Key,
    pub note: Note,
}

/// The folder, ready.
pub struct Spool {
    dir: PathBuf,
    key: SealingKey,
    /// One writer at a time: two puts of one key would share a temporary file.
    files: Mutex<Files>,
}

#[derive(Serialize, Deserialize)]
struct Plain<'a> {
    credential: CredentialName,
    key: std::borrow::Cow<'a, str>,
    note: Note,
}

/// Room for an entry as a rule: text that outgrows it leaves a copy of the key behind in memory.
const PLAIN_CAPACITY: usize = 8 << 10;

impl Spool {
    /// Makes the folder, and its key where none is given and nothing waits; finishes what a crash interrupted. Errors
    /// name the file and what to type.
    pub fn open(settings: &Settings) -> Result<Self, String> {
        let spool = Self::open_beside(settings)?;
        spool.finish()?;
        Ok(spool)
    }

    /// The same beside a daemon that may be writing: what looks interrupted is its own.
    pub fn open_beside(settings: &Settings) -> Result<Self, String> {
        private_dir(&settings.dir)?;
        let files = Files::new(&settings.dir);
        let key = match &settings.key {
            Some(key) => SealingKey::from_base64(key).map_err(|error| format!("spool.key: {error}"))?,
            None => {
                let text = files.own_key()?;
                let named = |error| format!("{}: {error}", settings.dir.join(KEY_FILE).display());
                SealingKey::from_base64(&text).map_err(named)?
            }
        };
        Ok(Self { dir: settings.dir.clone(), key, files: Mutex::new(files) })
    }

    fn finish(&self) -> Result<(), String> {
        let files = self.files();
        for (name, sealed) in files.unfinished() {
            let whole = self.opened(&name, &sealed).is_some()
                || self.opened_token(&name, &sealed).is_some()
                || self.opened_answer(&name, &sealed).is_some();
            if whole {
                files.finish(&name)?;
            }
        }
        files.reserve();
        Ok(())
    }

    /// Returns when the key survives a power cut. The same key of the same credential takes the place of the former.
    pub fn put(&self, credential: &CredentialName, key: &Key, note: &Note) -> Result<(), String> {
        let plain = Plain { credential: credential.clone(), key: key.expose().into(), note: note.clone() };
        let mut text = Zeroizing::new(Vec::with_capacity(PLAIN_CAPACITY));
        serde_json::to_writer(&mut *text, &plain)
            .map_err(|_| "the spool's note cannot be written".to_owned())?;
        let name = self.name(credential, &key.fingerprint());
        let sealed = self.key.seal(name.as_bytes(), &text).map_err(|error| format!("{name}: {error}"))?;
        self.files().write(&name, &sealed)
    }

    /// All that wait, and one line for each file that is none of them or cannot be opened; those are left alone.
    pub fn entries(&self) -> (Vec<Entry>, Vec<String>) {
        let files = self.files();
        let (mut entries, mut unreadable) = (Vec::new(), Vec::new());
        let names = match files.names() {
            Ok(names) => names,
            Err(why) => return (entries, vec![why]),
        };
        for (name, kind) in names {
            let found = match kind {
                Kind::Ours | Kind::Token | Kind::Answer => continue,
                Kind::Foreign => Err("it is no file of the spool's; move it away".to_owned()),
                Kind::Unfinished => Err("it was cut off while it was written".to_owned()),
                Kind::Entry => files.read(&name).and_then(|sealed| {
                    let unfit = "it does not open: damaged, or written with another spool key";
                    self.opened(&name, &sealed).ok_or_else(|| unfit.to_owned())
                }),
            };
            match found {
                Ok(entry) => entries.push(entry),
                Err(why) => unreadable.push(format!("{}: {why}", files.path(&name).display())),
            }
        }
        (entries, unreadable)
    }

    /// Whether the largest entry could be written now; room for it is kept from then on.
    pub fn try_out(&self) -> Result<(), String> {
        self.files().try_out()
    }

    /// Lets go of a key; one that is not there is gone already.
    pub fn remove(&self, credential: &CredentialName, fingerprint: &Fingerprint) -> Result<(), String> {
        self.files().remove(&self.name(credential, fingerprint))
    }

    fn files(&self) -> std::sync::MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Names credential and fingerprint, the latter so that only the key's holder knows it: a weak key could be found
    /// from its fingerprint.
    fn name(&self, credential: &CredentialName, fingerprint: &Fingerprint) -> String {
        let tag = self.key.name_for(&format!("{credential} {}", fingerprint.hex()));
        format!("{credential}.{tag}.key")
    }

    /// The entry in a file's bytes, if it belongs under this name: the name is bound to the bytes.
    fn opened(&self, name: &str, sealed: &[u8]) -> Option<Entry> {
        let text = self.key.open(name.as_bytes(), sealed)?;
        let plain = serde_json::from_slice::<Plain>(&text).ok()?;
        let text = Zeroizing::new(plain.key.into_owned());
        Some(Entry { credential: plain.credential, key: Key::parse(&text).ok()?, note: plain.note })
    }
}

#[cfg(test)]
mod tests;
