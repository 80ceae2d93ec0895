//! Adapter: sends one mail over one SMTP connection. It never tries again and decides nothing: it says what became of
//! the mail. Each mail has a connection of its own, because one that was given up in the middle must not meet the
//! next mail, whose answers it would take for its own.

mod compose;
mod connect;
mod line_stream;
mod rehearse;
mod trouble;

use super::render::Mail;
use crate::domain::{self, Limits, Secret, spell_duration};
use lettre::Message;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::{Response, Severity};
pub use rehearse::{NotRehearsed, Rehearsed};
use std::path::PathBuf;
use std::time::Duration;
use trouble::Trouble;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub from: String,
    pub to: Vec<String>,
    /// Who is woken besides by what is urgent.
    pub urgent_to: Vec<String>,
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    pub user: Option<String>,
    /// `None`: no login.
    pub password: Option<Secret>,
    pub ca_cert: Option<PathBuf>,
}

impl Settings {
    /// Everybody reads everything; what is urgent, and its end, wakes others too. One mail, each named once.
    pub fn recipients(&self, severity: domain::Severity) -> Vec<String> {
        let mut all = self.to.clone();
        if severity == domain::Severity::Urgent {
            all.extend(self.urgent_to.iter().filter(|who| !self.to.contains(who)).cloned());
        }
        all
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    StartTls,
    Implicit,
    /// Loopback only.
    None,
}

/// What became of one mail. Texts name server, answer and cause, and never the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendOutcome {
    /// The server took it for every recipient.
    Sent,
    /// The server took it, and refused the recipients that the text names.
    SentToSome(String),
    /// The server will never take this mail: sending it again is of no use.
    Refused(String),
    /// It may go another time: no connection, no login, a passing refusal, or no answer. Where the answer to the whole
    /// mail was lost it may have arrived; sent again, it bears the same Message-ID.
    Failed(String),
}

/// A configured SMTP server; holds no connection.
pub struct Smtp {
    settings: Settings,
    security: connect::Security,
    hello: ClientId,
    timeout: Duration,
}

impl Smtp {
    /// Reads `ca_cert`; connects nowhere. The error names the configuration's key.
    pub fn new(settings: &Settings, limits: &Limits) -> Result<Self, String> {
        Ok(Self {
            settings: settings.clone(),
            security: connect::security(settings)?,
            hello: connect::hello(&settings.from),
            timeout: limits.smtp_timeout,
        })
    }

    /// Sends one mail; ends within `Limits::smtp_timeout`. May be cancelled at any point.
    pub async fn send(&self, mail: &Mail) -> SendOutcome {
        let message = match compose::compose(mail) {
            Ok(message) => message,
            Err(why) => return SendOutcome::Refused(why),
        };
        match self.converse(Some(&message)).await {
            Ok(refused) if refused.is_empty() => SendOutcome::Sent,
            Ok(refused) => {
                SendOutcome::SentToSome(format!("{} refused {}", self.server(), refused.join(", ")))
            }
            Err(Trouble::Permanent(why)) => SendOutcome::Refused(why),
            Err(Trouble::Passing(why) | Trouble::Silent(why)) => SendOutcome::Failed(why),
        }
    }

    /// Connects and logs in, and sends nothing: whether the alert path works now.
    pub async fn check(&self) -> Result<(), String> {
        self.converse(None).await.map(drop).map_err(Trouble::into_why)
    }

    /// One connection from greeting to QUIT. Gives the recipients that were refused.
    async fn converse(&self, mail: Option<&Message>) -> Result<Vec<String>, Trouble> {
        let mut doing = "connecting".to_owned();
        let mut outcome = None;
        let conversation = async {
            match self.open(&mut doing).await {
                Ok(mut connection) => {
                    outcome = Some(match mail {
                        Some(mail) => transfer(&mut connection, mail, &mut doing).await,
                        None => Ok(Vec::new()),
                    });
                    // What became of the mail is known: how the server says goodbye does not change it.
                    connection.quit().await.ok();
                }
                Err(trouble) => outcome = Some(Err(trouble)),
            }
        };
        tokio::time::timeout(self.timeout, conversation).await.ok();
        let late = || Err(Trouble::Silent(format!("gave no answer within {}", spell_duration(self.timeout))));
        outcome.unwrap_or_else(late).map_err(|trouble| trouble.with_place(&self.server(), &doing))
    }

    fn server(&self) -> String {
        format!("{}:{}", self.settings.host, self.settings.port)
    }
}

/// What is being done while the server may or may not have taken the mail.
const SENDING: &str = "sending the mail";

/// One mail over an open connection. A refused recipient keeps it from nobody else: an operator who left must not
/// silence the others.
async fn transfer(
    connection: &mut AsyncSmtpConnection,
    mail: &Message,
    doing: &mut String,
) -> Result<Vec<String>, Trouble> {
    let envelope = mail.envelope();
    *doing = "naming the sender".into();
    accepted(connection.command(MailFrom::new(envelope.from().cloned(), Vec::new())).await)?;
    let (mut refused, mut passing) = (Vec::new(), false);
    for to in envelope.to() {
        *doing = format!("naming {to}");
        match accepted(connection.command(Rcpt::new(to.clone(), Vec::new())).await) {
            Ok(()) => {}
            Err(Trouble::Permanent(why)) => refused.push(format!("{to}: {why}")),
            Err(Trouble::Passing(why)) => {
                passing = true;
                refused.push(format!("{to}: {why}"));
            }
            Err(Trouble::Silent(why)) => return Err(Trouble::Silent(why)),
        }
    }
    if refused.len() == envelope.to().len() {
        *doing = "naming the recipients".into();
        let why = format!("refused {}", refused.join(", "));
        return Err(if passing { Trouble::Passing(why) } else { Trouble::Permanent(why) });
    }
    *doing = "announcing the mail".into();
    in_turn(connection.command(Data).await, Severity::PositiveIntermediate)?;
    *doing = SENDING.into();
    accepted(connection.message(&mail.formatted()).await)?;
    Ok(refused)
}

fn accepted(answer: Result<Response, lettre::transport::smtp::Error>) -> Result<(), Trouble> {
    in_turn(answer, Severity::PositiveCompletion)
}

/// lettre calls every 2xx and 3xx a success; here only the answer that belongs to the command is one.
fn in_turn(
    answer: Result<Response, lettre::transport::smtp::Error>,
    wanted: Severity,
) -> Result<(), Trouble> {
    let code = answer.map_err(|error| trouble::trouble(&error))?.code();
    match code.severity == wanted {
        true => Ok(()),
        false => Err(Trouble::Silent(format!("answered {code} out of turn"))),
    }
}
#[cfg(test)]
mod script;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tls_tests;
