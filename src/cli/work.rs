//! Who does the work: the running daemon, or this process by the same rules where none answers.

use super::{
    alone::alone,
    console::{Console, Exit, Failure},
};
use crate::{
    config::{self, Config, Loaded, Mistakes, Need, Reference, Severity, did_you_mean},
    daemon::{
        client,
        request::{Outcome, Request, Response},
    },
    domain::{ConsumerName, CredentialName, Timestamp},
    face::status::Status,
};
use std::{collections::BTreeMap, path::Path, time::SystemTime};

pub fn now() -> Timestamp {
    SystemTime::now().into()
}

/// The configuration, or all of its mistakes.
pub fn load(path: &Path, need: Need) -> Result<Loaded, Failure> {
    config::load(path, &environment(), need).map_err(|mistakes| Failure::mistake(all(&mistakes)))
}

/// The same without secrets, and what every key is, as YAML.
pub fn load_and_print(path: &Path) -> Result<(Loaded, String), Failure> {
    config::load_and_print(path, &environment()).map_err(|mistakes| Failure::mistake(all(&mistakes)))
}

/// This process's variables. What is no text cannot be one of ours; the reader of the configuration names those that
/// are wrong.
pub fn environment() -> BTreeMap<String, String> {
    let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect()
}

/// One line each; what would not stop the daemon says so.
pub fn all(mistakes: &Mistakes) -> String {
    let lines = mistakes.0.iter().map(|mistake| match mistake.severity {
        Severity::Error => mistake.to_string(),
        Severity::Warning => format!("warning: {mistake}"),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// What a command was given back.
#[derive(Debug)]
pub struct Done {
    pub outcome: Outcome,
    pub message: String,
    pub hint: Option<String>,
    pub status: Status,
    /// No daemon answered.
    pub alone: bool,
}

/// The configuration as a command without secrets needs it, to find the daemon and to check names.
pub struct Work<'a> {
    pub path: &'a Path,
    pub config: Config,
    /// To the secrets that it names.
    pub references: Vec<Reference>,
}

impl<'a> Work<'a> {
    pub fn new(path: &'a Path) -> Result<Self, Failure> {
        // A daemon that answers has the secrets; whoever asks it need not be able to read them.
        let Loaded { config, references, .. } = load(path, Need::Check)?;
        Ok(Self { path, config, references })
    }

    /// What a running daemon answers; where there is none, that is said.
    pub async fn ask_daemon(
        &self,
        request: &Request,
        console: &mut Console<'_>,
    ) -> Result<Option<Response>, Failure> {
        let socket = &self.config.control;
        let answer = client::ask(socket, request).await.map_err(Failure::unreachable)?;
        if answer.is_none() {
            console.tell(&format!("no daemon answers at {}; doing it here", socket.display()));
        }
        Ok(answer)
    }

    /// Asks the daemon; where none answers, says so and does it here.
    pub async fn ask(&self, request: Request, console: &mut Console<'_>) -> Result<Done, Failure> {
        if let Some(response) = self.ask_daemon(&request, console).await? {
            return read(response, false);
        }
        let loaded = load(self.path, Need::Run)?;
        let response = alone(loaded.config, request).await.map_err(Failure::mistake)?;
        read(response, true)
    }

    /// Names are checked before anything is asked for or done.
    pub fn check_names(
        &self,
        credential: Option<&CredentialName>,
        consumer: Option<&ConsumerName>,
    ) -> Result<(), Failure> {
        let credentials = &self.config.credentials;
        if let Some(name) = credential.filter(|name| !credentials.contains_key(name)) {
            return Err(unknown_credential(name, credentials.keys()));
        }
        let Some(consumer) = consumer else { return Ok(()) };
        let asked = credentials.iter().filter(|(name, _)| credential.is_none_or(|asked| asked == *name));
        let names: Vec<_> = asked.flat_map(|(_, credential)| credential.consumers.keys()).collect();
        if names.contains(&consumer) {
            return Ok(());
        }
        let of = credential.map(|name| format!("{name} has ")).unwrap_or_else(|| "there is ".into());
        let near = did_you_mean(consumer.as_str(), names.iter().map(|name| name.as_str()));
        Err(Failure::mistake(format!("{of}no consumer named \"{consumer}\"{}", and(near))))
    }
}

pub fn unknown_credential<'n>(
    name: &CredentialName,
    known: impl IntoIterator<Item = &'n CredentialName>,
) -> Failure {
    let near = did_you_mean(name.as_str(), known.into_iter().map(|name| name.as_str()));
    Failure::mistake(format!("there is no credential named \"{name}\"{}", and(near)))
}

fn and(hint: Option<String>) -> String {
    hint.map(|hint| format!("; {hint}")).unwrap_or_default()
}

fn read(response: Response, alone: bool) -> Result<Done, Failure> {
    let Response { outcome, message, hint, status, history: _, called: _ } = response;
    let status = serde_json::from_value(status).map_err(|error| {
        let message = format!("the daemon's answer cannot be read: {error}");
        Failure::unreachable(message).hint("is it of another version? restart it".to_owned())
    })?;
    Ok(Done { outcome, message, hint, status, alone })
}

impl Done {
    pub fn exit(&self) -> Exit {
        match self.outcome {
            Outcome::Done => Exit::Done,
            Outcome::NotProven | Outcome::Held | Outcome::Refused => Exit::NotHeld,
            Outcome::Unknown => Exit::Mistake,
            Outcome::Spooled | Outcome::Unreachable => Exit::Unreachable,
        }
    }

    /// What happened, in words, and what to type next. Good news are a result, anything else is told.
    pub fn tell(&self, console: &mut Console<'_>) -> Exit {
        let exit = self.exit();
        match exit {
            _ if self.message.is_empty() => {}
            Exit::Done => console.say(&self.message),
            Exit::NotHeld | Exit::Unreachable | Exit::Mistake => console.tell(&self.message),
        }
        self.hint.iter().for_each(|hint| console.tell(hint));
        exit
    }
}
