//! What systemd is told: readiness, one line of status, and a sign of life. The sign comes out of the main loop's own
//! turns, never from a timer beside it: a loop that hangs falls silent, and systemd kills it. Without systemd nothing
//! is told to anybody.

use super::{clock, shell::Shell};
use crate::face::line::line;
use sd_notify::NotifyState;
use std::time::Duration;
use tokio::time::Instant;

/// The status is told anew no more often than this …
const STATUS_EVERY: Duration = Duration::from_secs(1);
/// … and takes no more than one part in so many of the loop's time: with many credentials it is told less often.
const STATUS_PART: u32 = 500;

/// The service manager that started this process, if one did.
pub struct Systemd {
    /// It wants to hear of us at all.
    listens: bool,
    /// It kills a process that is silent for so long.
    watchdog: Option<Duration>,
    alive_at: Instant,
    status: String,
    status_due: Instant,
    /// Something has happened since the status was made.
    changed: bool,
}

impl Systemd {
    /// As the environment of this process says.
    pub fn of_process() -> Self {
        let listens = std::env::var_os("NOTIFY_SOCKET").is_some();
        let watchdog = sd_notify::watchdog_enabled().filter(|period| listens && !period.is_zero());
        Self::new(listens, watchdog)
    }

    fn new(listens: bool, watchdog: Option<Duration>) -> Self {
        let (now, status) = (Instant::now(), String::new());
        Self { listens, watchdog, alive_at: now, status, status_due: now, changed: true }
    }

    /// The loop runs, from now on or again.
    pub fn ready(&mut self, shell: &Shell) {
        self.make_status(shell);
        self.tell(&[NotifyState::Ready, NotifyState::Status(&self.status)]);
    }
    /// [`Systemd::ready`] follows, whatever comes of it.
    pub fn reloading(&self) {
        // Without a clock there is no moment to name, and systemd before 253 does not ask for one.
        let now = NotifyState::monotonic_usec_now();
        self.tell(&[NotifyState::Reloading, now.unwrap_or(NotifyState::Status("reloading"))]);
    }
    pub fn stopping(&self) {
        self.tell(&[
            NotifyState::Stopping,
            NotifyState::Status("stopping: what exists nowhere else is spooled"),
        ]);
    }

    /// After each turn of the loop: a sign of life, and the status when it is due and has changed.
    pub fn turned(&mut self, shell: &Shell) {
        if !self.listens {
            return;
        }
        let now = Instant::now();
        if self.watchdog.is_some_and(|period| now >= self.alive_at + period / 4) {
            self.alive_at = now;
            self.tell(&[NotifyState::Watchdog]);
        }
        self.changed = true;
        if now >= self.status_due {
            let before = std::mem::take(&mut self.status);
            self.make_status(shell);
            if self.status != before {
                self.tell(&[NotifyState::Status(&self.status)]);
            }
        }
    }

    /// How long the loop may wait for something to do: it turns at least twice in the watchdog's period.
    pub fn patience(&self, longest: Duration) -> Duration {
        let watched = self.watchdog.map_or(longest, |period| longest.min(period / 2));
        let owed = (self.listens && self.changed).then(|| self.status_due.duration_since(Instant::now()));
        owed.map_or(watched, |owed| watched.min(owed))
    }

    fn make_status(&mut self, shell: &Shell) {
        let start = Instant::now();
        self.status = line(&shell.status(clock::now()));
        self.status_due = start + STATUS_EVERY.max(start.elapsed() * STATUS_PART);
        self.changed = false;
    }

    fn tell(&self, states: &[NotifyState<'_>]) {
        if let Err(error) = sd_notify::notify(states) {
            tracing::warn!("systemd cannot be told how this process is: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: Duration = Duration::from_secs(30);

    #[test]
    fn a_watched_loop_turns_twice_in_the_watchdogs_period_and_another_as_it_likes() {
        let calm = |watchdog| Systemd { changed: false, ..Systemd::new(true, watchdog) };
        assert_eq!(calm(None).patience(LONGEST), LONGEST);
        assert_eq!(calm(Some(Duration::from_secs(20))).patience(LONGEST), Duration::from_secs(10));
        assert_eq!(calm(Some(Duration::from_secs(120))).patience(LONGEST), LONGEST);
    }

    #[test]
    fn what_has_changed_is_told_as_soon_as_it_may_be_and_nobody_is_woken_for_nobody() {
        let mut systemd = Systemd::new(true, None);
        assert_eq!(systemd.patience(LONGEST), Duration::ZERO);
        systemd.changed = false;
        assert_eq!(systemd.patience(LONGEST), LONGEST);
        assert_eq!(Systemd::new(false, None).patience(LONGEST), LONGEST);
    }
}
