//! systemd's manager over D-Bus: the few calls that are needed, each once and under a time-out. One connection for
//! all, made when it is first needed and made anew when it was lost. Errors are whole sentences for an operator.
//!
//! Of a unit only what is named here is read: its `Environment=` may hold secrets of its own.

use super::{name::UnitName, reads::Reads, state::State};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use std::{future::Future, time::Duration};
use tokio::{sync::Mutex, time::timeout};
use zbus::{
    Connection, DBusError, DynamicType, MatchRule, Message, MessageStream, OwnedObjectPath, OwnedVariant,
    connection::Builder, fdo, match_rule, message::Type,
};

const SYSTEMD: &str = "org.freedesktop.systemd1";
const PATH: &str = "/org/freedesktop/systemd1";
const MANAGER: &str = "org.freedesktop.systemd1.Manager";
const UNIT: &str = "org.freedesktop.systemd1.Unit";
const SERVICE: &str = "org.freedesktop.systemd1.Service";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// What is asked of a unit; systemd's word for it is also what a polkit rule sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    Restart,
    Reload,
}

impl Verb {
    pub fn as_str(self) -> &'static str {
        match self {
            Verb::Restart => "restart",
            Verb::Reload => "reload",
        }
    }
    fn method(self) -> &'static str {
        match self {
            Verb::Restart => "RestartUnit",
            Verb::Reload => "ReloadUnit",
        }
    }
}

impl std::fmt::Display for Verb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// How a job is queued.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mode {
    /// In place of another job of the unit that is waiting.
    Replace,
    /// Never: systemd allows this mode for other verbs only, and says so after it has asked polkit.
    Refused,
}

pub(super) struct Bus {
    connection: Mutex<Option<Connection>>,
    call_timeout: Duration,
}

/// A unit that is loaded.
pub(super) struct Unit<'a> {
    bus: &'a Bus,
    connection: Connection,
    path: OwnedObjectPath,
    /// As it was asked for, for messages.
    name: &'a UnitName,
}

impl Bus {
    pub fn new(call_timeout: Duration) -> Self {
        Self { connection: Mutex::default(), call_timeout }
    }

    /// Has systemd load the unit file. The error says what is wrong with it.
    pub async fn unit<'a>(&'a self, name: &'a UnitName) -> Result<Unit<'a>, String> {
        let connection = self.connection().await?;
        let answer = self.call(&connection, PATH, MANAGER, "LoadUnit", &(name.as_str(),)).await;
        let path = body(&answer.map_err(|error| error.about(name, "load"))?)?;
        let unit = Unit { bus: self, connection, path, name };
        match unit.text(UNIT, "LoadState").await?.as_str() {
            "loaded" => Ok(unit),
            "not-found" => Err(format!("there is no unit {name} on this host (systemctl status {name})")),
            "masked" => Err(format!("{name} is masked (systemctl unmask {name})")),
            other => Err(format!("the unit file of {name} is wrong: {other} (systemctl status {name})")),
        }
    }

    async fn connection(&self) -> Result<Connection, String> {
        let mut kept = self.connection.lock().await;
        if let Some(connection) = kept.as_ref().filter(|connection| !connection.is_closed()) {
            return Ok(connection.clone());
        }
        let connect = async {
            let connection = Builder::system().build().await.map_err(Failed::from)?;
            // Without a subscriber systemd sends no signals at all.
            self.call(&connection, PATH, MANAGER, "Subscribe", &()).await?;
            Ok::<_, Failed>(connection)
        };
        let connection = self.within(connect).await.and_then(|made| made).map_err(|error| {
            format!("systemd cannot be asked on D-Bus: {} (systemctl status dbus.socket; on Debian the package is dbus)", error.text())
        })?;
        *kept = Some(connection.clone());
        Ok(connection)
    }

    async fn call<B>(
        &self,
        connection: &Connection,
        path: &str,
        interface: &str,
        method: &str,
        arguments: &B,
    ) -> Result<Message, Failed>
    where
        B: serde::Serialize + DynamicType,
    {
        let call = connection.call_method(Some(SYSTEMD), path, Some(interface), method, arguments);
        Ok(self.within(call).await??)
    }

    async fn within<T>(&self, what: impl Future<Output = T>) -> Result<T, Failed> {
        timeout(self.call_timeout, what).await.map_err(|_| Failed::TimedOut(self.call_timeout))
    }
}

impl Unit<'_> {
    pub async fn state(&self) -> Result<State, String> {
        Ok(State {
            active: self.text(UNIT, "ActiveState").await?,
            kind: self.text(SERVICE, "Type").await?,
            main_pid: self.property(SERVICE, "MainPID").await?,
            restarts: self.property(SERVICE, "NRestarts").await?,
            result: self.text(SERVICE, "Result").await?,
            ended: (
                self.property(SERVICE, "ExecMainCode").await?,
                self.property(SERVICE, "ExecMainStatus").await?,
            ),
            // Of one that was not started since it was loaded they were not looked at.
            conditions_held: self.property::<u64>(UNIT, "ConditionTimestamp").await? == 0
                || self.property(UNIT, "ConditionResult").await?,
        })
    }
    /// What it read when it was started, by the unit file as systemd has it.
    pub async fn reads(&self) -> Result<Reads, String> {
        let environment: Vec<(String, bool)> = self.property(SERVICE, "EnvironmentFiles").await?;
        let credentials: Vec<(String, String)> = self.property(SERVICE, "LoadCredential").await?;
        Ok(Reads {
            environment: environment.into_iter().map(|(path, _)| path).collect(),
            credentials: credentials.into_iter().map(|(_, source)| source).collect(),
        })
    }
    /// When its main process was started, in microseconds since 1970; 0: never.
    pub async fn started_at(&self) -> Result<u64, String> {
        self.property(SERVICE, "ExecMainStartTimestamp").await
    }

    /// The ends of this unit's jobs, from now on.
    pub async fn job_ends(&self) -> Result<JobEnds, String> {
        // systemd says the name that is not an alias.
        let id = self.text(UNIT, "Id").await?;
        let rule = signals().interface(MANAGER).member("JobRemoved").path(PATH).arg(2, id);
        self.listen(rule).await.map(JobEnds)
    }
    /// A message for each time that something of this unit has changed, from now on.
    pub async fn changes(&self) -> Result<Changes, String> {
        let rule = signals().interface(PROPERTIES).member("PropertiesChanged").path(&self.path);
        self.listen(rule).await.map(Changes)
    }
    async fn listen(&self, rule: match_rule::Builder<'_>) -> Result<MessageStream, String> {
        let listen = async { MessageStream::for_match_rule(rule.build()?, &self.connection, None).await };
        let stream = self.bus.within(listen).await.and_then(|stream| Ok(stream?));
        stream.map_err(|error| error.about(self.name, "watch"))
    }

    /// Queues a job, and returns it.
    pub async fn queue(&self, verb: Verb, mode: Mode) -> Result<OwnedObjectPath, Refusal> {
        let mode = match mode {
            Mode::Replace => "replace",
            Mode::Refused => "triggering",
        };
        let arguments = (self.name.as_str(), mode);
        match self.bus.call(&self.connection, PATH, MANAGER, verb.method(), &arguments).await {
            Ok(answer) => body(&answer).map_err(Refusal::Other),
            Err(error) if error.is(&["InvalidArgs"]) => Err(Refusal::Mode),
            Err(error) => Err(Refusal::Other(error.about(self.name, verb.as_str()))),
        }
    }

    async fn text(&self, interface: &str, name: &str) -> Result<String, String> {
        self.property(interface, name).await
    }
    async fn property<T: TryFrom<OwnedVariant>>(&self, interface: &str, name: &str) -> Result<T, String> {
        let (path, what) = (self.path.as_str(), (interface, name));
        let answer = self.bus.call(&self.connection, path, PROPERTIES, "Get", &what).await;
        let answer = answer.map_err(|error| error.about(self.name, "look at"))?;
        let value: OwnedVariant = body(&answer)?;
        T::try_from(value).map_err(|_| format!("systemd says {name} of {} in another form", self.name))
    }
}

/// Whoever else sends signals of these names is not heard.
fn signals<'m>() -> match_rule::Builder<'m> {
    MatchRule::builder().msg_type(Type::Signal).sender(SYSTEMD)
}

/// Why a job was not queued.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// For its mode alone: whatever else is asked first was granted.
    Mode,
    Other(String),
}

pub(super) struct JobEnds(MessageStream);

impl JobEnds {
    /// Waits for the end of a job: `done`, `failed`, `timeout`, `dependency`, `canceled` or `skipped`.
    pub async fn of(&mut self, job: &OwnedObjectPath) -> Result<String, String> {
        while let Some(Ok(message)) = self.0.next().await {
            let (_, ended, _, result): (u32, OwnedObjectPath, String, String) = body(&message)?;
            if ended == *job {
                return Ok(result);
            }
        }
        Err(LOST.into())
    }
}

pub(super) struct Changes(MessageStream);

impl Changes {
    pub async fn next(&mut self) -> Result<(), String> {
        match self.0.next().await {
            Some(Ok(_)) => Ok(()),
            Some(Err(_)) | None => Err(LOST.into()),
        }
    }
}

const LOST: &str = "the connection to D-Bus was lost meanwhile";

fn body<T: DeserializeOwned + zbus::Type>(message: &Message) -> Result<T, String> {
    message
        .body()
        .deserialize_ignore_signature()
        .map_err(|error| format!("systemd's answer is of another form: {error}"))
}

enum Failed {
    TimedOut(Duration),
    Bus(zbus::Error),
}

impl From<zbus::Error> for Failed {
    fn from(error: zbus::Error) -> Self {
        Failed::Bus(error)
    }
}

impl Failed {
    /// Whether it is one of these errors, by the last part of its name.
    fn is(&self, names: &[&str]) -> bool {
        let name = match self {
            Failed::Bus(zbus::Error::MethodError(name, ..)) => name.to_string(),
            Failed::Bus(zbus::Error::FDO(error)) => error.name().to_string(),
            Failed::Bus(_) | Failed::TimedOut(_) => return false,
        };
        names.iter().any(|wanted| name.rsplit('.').next() == Some(wanted))
    }

    fn about(&self, unit: &UnitName, doing: &str) -> String {
        if self.is(&["InteractiveAuthorizationRequired", "AccessDenied", "AuthFailed"]) {
            return format!(
                "systemd does not let keyrelay {doing} {unit}: polkit or its rule is missing, or the rule does \
                 not name it (keyrelay policy systemd prints it)"
            );
        }
        if self.is(&["UnitMasked"]) {
            return format!("{unit} is masked (systemctl unmask {unit})");
        }
        if self.is(&["JobTypeNotApplicable"]) {
            return format!("{unit} cannot {doing}: it has no ExecReload=; write restart in place of reload");
        }
        format!("systemd does not {doing} {unit}: {}", self.text())
    }

    fn text(&self) -> String {
        match self {
            Failed::TimedOut(limit) => format!("no answer within {}", crate::domain::spell_duration(*limit)),
            Failed::Bus(zbus::Error::MethodError(name, text, _)) => {
                text.clone().unwrap_or_else(|| name.to_string())
            }
            Failed::Bus(zbus::Error::FDO(error)) => described(error),
            Failed::Bus(zbus::Error::Connection(error, _) | zbus::Error::InputOutput(error)) => {
                error.to_string()
            }
            Failed::Bus(error) => error.to_string(),
        }
    }
}

fn described(error: &fdo::Error) -> String {
    match error {
        fdo::Error::ZBus(error) => error.to_string(),
        error => error.description().map_or_else(|| error.name().to_string(), str::to_owned),
    }
}
