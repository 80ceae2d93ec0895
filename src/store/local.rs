//! Adapter: the embedded local store: one database file, each document encrypted and bound to its path and version,
//! under the same check-and-set contract as Vault's. One process uses it at a time.

use super::{Document, Fields, Read};
use crate::{
    at_rest::{SealingKey, check_private, private_dir, private_file, sync_dir},
    domain::{Secret, StoreTrouble, Timestamp, WriteOutcome},
};
use redb::{
    Builder, Database, DatabaseError, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    fs, io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};
use zeroize::Zeroizing;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub dir: PathBuf,
    /// 32 random bytes, base64.
    pub master_key: Secret,
}

const FILE: &str = "store.redb";
/// Until the first record is in it. So an empty [`FILE`] is always one that lost what it held.
const NEW_FILE: &str = "store.redb.new";
const EMPTY: &str = "it is empty, which a store never is: what it held is lost. Bring a copy of it back; or remove it, \
    and keyrelay begins without a key";

/// What [`Local::open`] says where another process has it.
pub const HELD: &str = "another keyrelay has it open; stop that one first";

/// Whether there is a store already that [`Local::open`] would open, and not make.
pub fn exists(settings: &Settings) -> bool {
    settings.dir.join(FILE).exists()
}

/// So many versions of a document are kept, the newest included, as KV version 2 does.
const VERSIONS_KEPT: u64 = 10;

/// The database's own is a gibibyte; our documents are a few kilobytes each.
const CACHE_BYTES: usize = 4 << 20;

/// (path, version) to sealed document.
const VERSIONS: TableDefinition<(&str, u64), &[u8]> = TableDefinition::new("versions");
/// What only the right master key opens.
const CHECK: TableDefinition<&str, &[u8]> = TableDefinition::new("check");
const CHECK_NAME: &str = "master-key";

/// The store, open.
#[derive(Clone)]
pub struct Local(Arc<Inner>);

struct Inner {
    dir: PathBuf,
    key: SealingKey,
    /// `None` after a disk's error: the database refuses all work then until it is opened again.
    database: Mutex<Option<Database>>,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    created_at: Timestamp,
    fields: Value,
}

/// Why a piece of work on the database ended without a result.
enum Failed {
    Database(redb::Error),
    /// The commit itself failed: it may be on disk.
    Commit(redb::Error),
    Sealing(std::io::Error),
    /// The database was closed after a disk's error, and cannot be opened again.
    Closed(String),
    /// The version there does not open.
    Damaged(u64),
}

impl<E: Into<redb::Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        Failed::Database(error.into())
    }
}

impl Local {
    pub fn open(settings: &Settings) -> Result<Self, String> {
        let key = SealingKey::from_base64(&settings.master_key)
            .map_err(|error| format!("store.local.master_key: {error}"))?;
        private_dir(&settings.dir)?;
        let inner = Inner { dir: settings.dir.clone(), key, database: Mutex::new(None) };
        let database = inner.open()?;
        *inner.database.lock().unwrap_or_else(PoisonError::into_inner) = Some(database);
        Ok(Self(Arc::new(inner)))
    }

    pub async fn read(&self, path: &str) -> Read {
        let (inner, at) = (self.0.clone(), path.to_owned());
        match blocking(move || inner.with(|database| inner.newest(database, &at))).await {
            Ok(Ok(Some(document))) => Read::Present(document),
            Ok(Ok(None)) => Read::Absent,
            Ok(Err(failed)) => Read::Failed(self.0.trouble(&failed, path)),
            Err(trouble) => Read::Failed(trouble),
        }
    }

    pub async fn write(&self, path: &str, fields: &Fields, cas: u64) -> WriteOutcome {
        let (inner, at, fields) = (self.0.clone(), path.to_owned(), fields.clone());
        match blocking(move || inner.with(|database| inner.replace(database, &at, &fields, cas))).await {
            Ok(Ok(Some(version))) => WriteOutcome::Written { version },
            Ok(Ok(None)) => WriteOutcome::Mismatch,
            Ok(Err(failed @ Failed::Commit(_))) => {
                WriteOutcome::Unknown(self.0.trouble(&failed, path).to_string())
            }
            Ok(Err(
                failed @ (Failed::Database(_) | Failed::Sealing(_) | Failed::Closed(_) | Failed::Damaged(_)),
            )) => WriteOutcome::Failed(self.0.trouble(&failed, path)),
            Err(trouble) => WriteOutcome::Unknown(trouble.to_string()),
        }
    }

    pub async fn health(&self) -> Result<(), StoreTrouble> {
        let inner = self.0.clone();
        let result = blocking(move || inner.with(|database| Ok(database.begin_read().map(drop)?))).await?;
        result.map_err(|failed| self.0.trouble(&failed, FILE))
    }
}

/// Runs work on the disk beside the event loop.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, StoreTrouble> {
    let failed = |_| StoreTrouble::Refused("the local store's task was stopped".to_owned());
    tokio::task::spawn_blocking(work).await.map_err(failed)
}

impl Inner {
    /// Opens or makes the file, and shows that the master key is the right one.
    fn open(&self) -> Result<Database, String> {
        let path = self.dir.join(FILE);
        let named = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
        let new = self.dir.join(NEW_FILE);
        let mut options = private_file();
        options.read(true).write(true);
        let found = match options.open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            found => Some(found.map_err(|error| named(&error))?),
        };
        let is_new = found.is_none();
        let file = match found {
            Some(file) => file,
            None => options.create(true).open(&new).map_err(|error| named(&error))?,
        };
        check_private(&file, &path)?;
        if !is_new && file.metadata().is_ok_and(|data| data.len() == 0) {
            return Err(named(&EMPTY));
        }
        sync_dir(&self.dir).map_err(|error| named(&error))?;
        let mut builder = Builder::new();
        let database =
            builder.set_cache_size(CACHE_BYTES).create_file(file).map_err(|error| match error {
                DatabaseError::DatabaseAlreadyOpen => named(&HELD),
                other => named(&other),
            })?;
        match self.is_right_key(&database) {
            Ok(true) if is_new => {
                let named =
                    fs::rename(&new, &path).and_then(|()| sync_dir(&self.dir)).map_err(|error| named(&error));
                named.map(|()| database)
            }
            Ok(true) => Ok(database),
            Ok(false) => Err(named(
                &"store.local.master_key does not open it; give the key that it was made with (nothing was changed)",
            )),
            Err(failed) => Err(named(&failed)),
        }
    }

    /// A new database gets its check record; an existing one must open with this key.
    fn is_right_key(&self, database: &Database) -> Result<bool, Failed> {
        let transaction = database.begin_write()?;
        let right = {
            let mut table = transaction.open_table(CHECK)?;
            let found = table.get(CHECK_NAME)?.map(|sealed| sealed.value().to_vec());
            match found {
                Some(sealed) => self.key.open(CHECK_NAME.as_bytes(), &sealed).is_some(),
                None => {
                    transaction.open_table(VERSIONS)?;
                    let sealed = self.key.seal(CHECK_NAME.as_bytes(), b"").map_err(Failed::Sealing)?;
                    table.insert(CHECK_NAME, sealed.as_slice())?;
                    true
                }
            }
        };
        commit(transaction)?;
        Ok(right)
    }

    /// Works on the database, which is opened again first where a disk's error had closed it.
    fn with<T>(&self, work: impl FnOnce(&Database) -> Result<T, Failed>) -> Result<T, Failed> {
        let mut guard = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        let database = match guard.take() {
            Some(database) => database,
            None => self.open().map_err(Failed::Closed)?,
        };
        let result = work(&database);
        if !matches!(result, Err(Failed::Database(_) | Failed::Commit(_))) {
            *guard = Some(database);
        }
        result
    }

    fn newest(&self, database: &Database, path: &str) -> Result<Option<Document>, Failed> {
        let transaction = database.begin_read()?;
        let table = transaction.open_table(VERSIONS)?;
        let Some(entry) = table.range((path, 0)..=(path, u64::MAX))?.next_back() else { return Ok(None) };
        let (key, sealed) = entry?;
        let version = key.value().1;
        let plain = self.key.open(&place(path, version), sealed.value()).ok_or(Failed::Damaged(version))?;
        let document =
            serde_json::from_slice::<Sealed>(&plain).ok().and_then(|Sealed { created_at, fields }| {
                Some(Document { version, created_at, fields: Fields::from_json(fields)? })
            });
        document.map(Some).ok_or(Failed::Damaged(version))
    }

    /// The new version, or `None` where the newest one is not `cas`.
    fn replace(
        &self,
        database: &Database,
        path: &str,
        fields: &Fields,
        cas: u64,
    ) -> Result<Option<u64>, Failed> {
        let transaction = database.begin_write()?;
        let version;
        {
            let mut table = transaction.open_table(VERSIONS)?;
            let newest = table.range((path, 0)..=(path, u64::MAX))?.next_back().transpose()?;
            if newest.map_or(0, |(key, _)| key.value().1) != cas {
                return Ok(None);
            }
            version = cas + 1;
            let plain = plain_text(fields).map_err(Failed::Sealing)?;
            let sealed = self.key.seal(&place(path, version), &plain).map_err(Failed::Sealing)?;
            table.insert((path, version), sealed.as_slice())?;
            let expired = version.saturating_sub(VERSIONS_KEPT);
            table.retain_in((path, 0)..=(path, expired), |_, _| false)?;
        }
        commit(transaction)?;
        Ok(Some(version))
    }

    fn trouble(&self, failed: &Failed, path: &str) -> StoreTrouble {
        let file = self.dir.join(FILE);
        StoreTrouble::Refused(format!("{path} in {}: {failed}", file.display()))
    }
}

/// The database's errors tell of files, pages and tables, never of a value.
impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failed::Database(error) | Failed::Commit(error) => error.fmt(f),
            Failed::Sealing(error) => error.fmt(f),
            Failed::Closed(why) => f.write_str(why),
            Failed::Damaged(version) => {
                write!(f, "version {version} is damaged; bring the file back from a copy")
            }
        }
    }
}

fn commit(transaction: WriteTransaction) -> Result<(), Failed> {
    transaction.commit().map_err(|error| Failed::Commit(error.into()))
}

/// What a sealed document is bound to, so that none can be moved to another path or put back as a newer version.
fn place(path: &str, version: u64) -> Vec<u8> {
    [version.to_be_bytes().as_slice(), path.as_bytes()].concat()
}

fn plain_text(fields: &Fields) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut sealed = Sealed { created_at: SystemTime::now().into(), fields: fields.to_json() };
    let plain = serde_json::to_vec(&sealed).map(Zeroizing::new).map_err(std::io::Error::other);
    super::fields::wipe(&mut sealed.fields);
    plain
}

#[cfg(test)]
#[path = "local_tests.rs"]
mod tests;
