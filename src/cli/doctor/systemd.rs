//! What systemd and its clock service say, over D-Bus: asked once, under a time-out, and with no right but to read.

use serde::de::DeserializeOwned;
use std::{path::Path, time::Duration};
use zbus::{Connection, Error, OwnedObjectPath, OwnedVariant};

/// systemd answers at once, or not at all.
const TIMEOUT: Duration = Duration::from_secs(3);
const SYSTEMD: &str = "org.freedesktop.systemd1";
const CLOCK: &str = "org.freedesktop.timedate1";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// What systemd says of the unit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unit {
    /// Empty: root.
    pub user: String,
    pub group: String,
    pub supplementary_groups: Vec<String>,
    /// Of the daemon, while it runs.
    pub main_pid: Option<u32>,
    /// `strict`: nothing is writable but what is named.
    pub protect_system: String,
    pub writable: Vec<String>,
    /// What `LoadCredential=` gives it.
    pub credentials: Vec<String>,
}

impl Unit {
    /// Whether its sandbox leaves the path writable, as far as its settings show.
    pub fn may_write(&self, path: &Path) -> bool {
        let named = |folder: &String| path.starts_with(folder.trim_start_matches(['-', '+']));
        self.protect_system != "strict" || self.writable.iter().any(named)
    }
}

/// `None`: there is no such unit. The error: nobody can be asked.
pub async fn unit(name: &str) -> Result<Option<Unit>, String> {
    within(look(name)).await
}

/// Whether the clock is kept in step, as `timedatectl` shows it.
pub async fn clock_is_synchronised() -> Result<bool, String> {
    within(async {
        let bus = Connection::system().await.map_err(|error| words(&error))?;
        let clock = Object { bus: &bus, name: CLOCK, path: "/org/freedesktop/timedate1" };
        clock.property(CLOCK, "NTPSynchronized").await
    })
    .await
}

async fn within<T>(asked: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    tokio::time::timeout(TIMEOUT, asked).await.unwrap_or_else(|_| Err("no answer".into()))
}

async fn look(name: &str) -> Result<Option<Unit>, String> {
    let bus = Connection::system().await.map_err(|error| words(&error))?;
    let manager = Object { bus: &bus, name: SYSTEMD, path: "/org/freedesktop/systemd1" };
    let at: OwnedObjectPath = manager.call("org.freedesktop.systemd1.Manager", "LoadUnit", &name).await?;
    let unit = Object { path: at.as_str(), ..manager };
    if unit.property::<String>("org.freedesktop.systemd1.Unit", "LoadState").await? != "loaded" {
        return Ok(None);
    }
    let service = "org.freedesktop.systemd1.Service";
    let text = async |name| unit.property::<String>(service, name).await;
    let list = async |name| unit.property::<Vec<String>>(service, name).await;
    let main_pid: u32 = unit.property(service, "MainPID").await?;
    let credentials: Vec<(String, String)> = unit.property(service, "LoadCredential").await?;
    let mut writable = list("ReadWritePaths").await?;
    for (name, above) in [("StateDirectory", "/var/lib"), ("RuntimeDirectory", "/run")] {
        writable.extend(list(name).await?.iter().map(|folder| format!("{above}/{folder}")));
    }
    Ok(Some(Unit {
        user: text("User").await?,
        group: text("Group").await?,
        supplementary_groups: list("SupplementaryGroups").await?,
        main_pid: (main_pid > 0).then_some(main_pid),
        protect_system: text("ProtectSystem").await?,
        writable,
        credentials: credentials.into_iter().map(|(name, _)| name).collect(),
    }))
}

/// One object of a service's.
#[derive(Clone, Copy)]
struct Object<'a> {
    bus: &'a Connection,
    name: &'a str,
    path: &'a str,
}

impl Object<'_> {
    async fn property<T: TryFrom<OwnedVariant>>(&self, interface: &str, name: &str) -> Result<T, String> {
        let value: OwnedVariant = self.call(PROPERTIES, "Get", &(interface, name)).await?;
        T::try_from(value).map_err(|_| format!("D-Bus: {name} is of another form"))
    }

    async fn call<B, T>(&self, interface: &str, method: &str, arguments: &B) -> Result<T, String>
    where
        B: serde::Serialize + zbus::DynamicType,
        T: DeserializeOwned + zbus::Type,
    {
        let answer =
            self.bus.call_method(Some(self.name), self.path, Some(interface), method, arguments).await;
        let answer = answer.map_err(|error| words(&error))?;
        let body = answer.body();
        body.deserialize_ignore_signature().map_err(|error| format!("D-Bus: {method}: {error}"))
    }
}

fn words(error: &Error) -> String {
    match error {
        Error::Connection(error, _) | Error::InputOutput(error) => format!("no D-Bus: {error}"),
        other => format!("D-Bus: {other}"),
    }
}
