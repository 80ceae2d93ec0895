//! `keyrelay mail-failure`: what keyrelay-failed.service runs. It tells the operators what systemd knows of the unit
//! that is down, and nothing of what keyrelay knows: that needs a keyrelay that runs.

use super::{
    console::{Console, Exit, Failure},
    work,
};
use crate::{
    alert::{
        render,
        smtp::{SendOutcome, Smtp},
    },
    config::{self, Mistakes, Need},
    daemon::host_name,
    domain::{Code, Limits, Notice, Severity, Timestamp},
};
use std::{collections::BTreeMap, path::Path};

/// Mail the operators that a unit is down (for keyrelay-failed.service)
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The unit that failed
    unit: String,
}

pub async fn mail_failure(args: &Args, path: &Path, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let environment = work::environment();
    let failed = Failed::from(&args.unit, &environment).ok_or_else(|| {
        Failure::mistake("systemd does not say what failed (MONITOR_SERVICE_RESULT is not set)").hint(
            "this is for keyrelay-failed.service; to send a test mail: keyrelay doctor --send-mail"
                .to_owned(),
        )
    })?;
    if failed.result == "success" {
        console.say(&format!("{} is up again: nobody is told", failed.unit));
        return Ok(Exit::Done);
    }
    let told = |mistakes: &Mistakes| Failure::mistake(work::all(mistakes));
    let settings = config::load_alerts(path, &environment).map_err(|mistakes| told(&mistakes))?;
    let Some(settings) = settings else {
        return Err(Failure::refused("nobody can be told: the configuration has no alerts.email"));
    };
    // Secrets are not asked for: what this user may not read is not what ended the daemon.
    let mistakes = config::load(path, &environment, Need::Check).err().map(|mistakes| work::all(&mistakes));
    let smtp = Smtp::new(&settings, &Limits::default()).map_err(Failure::mistake)?;
    let notice = failed.notice(mistakes.as_deref(), work::now());
    let (host, version) = (host_name(), env!("CARGO_PKG_VERSION"));
    let to = settings.recipients(notice.severity);
    let facts = render::Facts { host: &host, version, from: &settings.from, to: &to };
    match smtp.send(&render::mail(&notice, &facts)).await {
        SendOutcome::Sent => console.say(&format!("told {}: {}", to.join(", "), notice.message)),
        SendOutcome::SentToSome(who) => console.tell(&format!("not everybody could be told: {who}")),
        SendOutcome::Refused(why) => return Err(Failure::refused(format!("nobody could be told: {why}"))),
        SendOutcome::Failed(why) => return Err(Failure::unreachable(format!("nobody could be told: {why}"))),
    }
    Ok(Exit::Done)
}

/// What systemd says of the unit (systemd.exec(5), `$MONITOR_SERVICE_RESULT` and the others).
struct Failed<'a> {
    unit: &'a str,
    result: &'a str,
    /// `exited`, `killed` or `dumped`; absent where no process was ever started.
    ended: Option<&'a str>,
    /// An exit code, or a signal's name.
    status: &'a str,
    /// This very run of the unit.
    invocation: &'a str,
}

impl<'a> Failed<'a> {
    fn from(unit: &'a str, environment: &'a BTreeMap<String, String>) -> Option<Self> {
        let text = |name: &str| environment.get(name).map(String::as_str);
        Some(Self {
            unit,
            result: text("MONITOR_SERVICE_RESULT")?,
            ended: text("MONITOR_EXIT_CODE").filter(|ended| !ended.is_empty()),
            status: text("MONITOR_EXIT_STATUS").unwrap_or("unknown"),
            invocation: text("MONITOR_INVOCATION_ID").unwrap_or("unknown"),
        })
    }

    fn cause(&self) -> String {
        let by_signal = matches!(self.ended, Some("killed" | "dumped"));
        match self.result {
            "exit-code" => format!("it ended with exit code {}", self.status),
            "signal" | "core-dump" => format!("it was killed by the signal {}", self.status),
            "watchdog" => "it hung, and the watchdog ended it".into(),
            "oom-kill" => "it needed more memory than it may have, and was killed".into(),
            "timeout" => "it did not start or stop in time".into(),
            "start-limit-hit" if by_signal => {
                format!("it crashed again and again, the last time by the signal {}", self.status)
            }
            "start-limit-hit" => {
                format!("it failed again and again, the last time with exit code {}", self.status)
            }
            other => format!("systemd says \"{other}\""),
        }
    }

    /// `mistakes` are those of the configuration as it is now.
    fn notice(&self, mistakes: Option<&str>, now: Timestamp) -> Notice {
        let name = self.unit.trim_end_matches(".service");
        let mut hint = vec![format!("journalctl -u {name} -n 50")];
        hint.extend(mistakes.map(|_| "keyrelay check".to_owned()));
        hint.push(format!("systemctl start {name}"));
        let found = mistakes.map(|mistakes| format!(" The configuration has mistakes: {mistakes}"));
        Notice {
            incident: self.invocation.into(),
            step: 0,
            code: Code::DaemonDown,
            severity: Severity::Urgent,
            resolved: false,
            good_news: false,
            credential: None,
            since: now,
            at: now,
            until: None,
            message: format!("{} is down: {}", self.unit, self.cause()),
            breaks: Some(
                "Nobody watches the keys. A rotation that comes now is not noticed, and every consumer stays on a key \
                 that dies at the end of its grace."
                    .into(),
            ),
            doing: Some(format!(
                "Nothing, until it runs again. Mails with new keys stay in their mailbox and are found at the next \
                 start, and so is what waits in the spool.{}",
                found.unwrap_or_default()
            )),
            hint: hint.join("\n"),
            next_mail_at: None,
            sections: Vec::new(),
            consumers: Vec::new(),
            count: 1,
            rotation_id: None,
        }
    }
}

#[cfg(test)]
#[path = "mail_failure_tests.rs"]
mod tests;
