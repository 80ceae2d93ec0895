//! The shell's part in reading mail: watchers are started, what they fetch is judged, and findings go into the core.

use super::{
    clock,
    inbox::Message,
    intake,
    shell::Shell,
    watcher::{Watch, Watcher},
};
use crate::{
    domain::{MailboxName, Timestamp},
    mail::RawMail,
    rotation::{Event, Input, MailboxInput},
    vendor,
};
use std::time::Duration;

impl Shell {
    pub(super) fn open_mailbox(&mut self, name: &MailboxName) {
        let Some(settings) = self.tools.config.mailboxes.get(name).cloned() else { return };
        let watch = Watch {
            name: name.clone(),
            settings,
            senders: self.senders(name),
            since: self.search_since(name),
            limits: self.limits.clone(),
        };
        match Watcher::start(watch, self.sender()) {
            Ok(watcher) => _ = self.watchers.insert(name.clone(), watcher),
            Err(why) => self.handle(Event::Mailbox { name: name.clone(), input: MailboxInput::Lost { why } }),
        }
    }
    /// Every sender of every credential that this mailbox serves.
    fn senders(&self, name: &MailboxName) -> Vec<String> {
        let here = self
            .tools
            .config
            .credentials
            .iter()
            .filter(|(_, credential)| credential.mailbox.as_ref() == Some(name));
        let mut senders: Vec<_> =
            here.filter_map(|(name, _)| self.tools.profile(name)).flat_map(vendor::senders).collect();
        senders.sort();
        senders.dedup();
        senders
    }
    /// Two weeks back, or as far as a rotation and its grace reach.
    pub(super) fn search_since(&self, name: &MailboxName) -> Timestamp {
        let here = self
            .tools
            .config
            .credentials
            .iter()
            .filter(|(_, credential)| credential.mailbox.as_ref() == Some(name));
        let reach = here.filter_map(|(name, _)| self.tools.profile(name)).map(|profile| {
            profile.cadence.map_or(Duration::ZERO, |span| span.0)
                + profile.grace.map_or(Duration::ZERO, |span| span.0)
        });
        clock::now() - reach.max().unwrap_or_default().max(self.limits.mailbox_window)
    }

    pub(super) fn judge_later(&mut self, mailbox: MailboxName, mails: Vec<RawMail>, all: bool) {
        let (tools, sender) = (self.tools.clone(), self.sender());
        tokio::spawn(async move {
            let answered = intake::answer(tools, mailbox, mails, all).await;
            let _ = sender.send(Message::Answered(answered)).await;
        });
    }
    pub(super) fn wanted(&self, mailbox: &MailboxName) -> Vec<intake::Wanted> {
        let here = self.fleet.credentials().filter(|rotation| rotation.mailbox() == Some(mailbox));
        let wanted = here.map(|rotation| {
            let name = rotation.name().clone();
            let (known, done) = rotation.recognition();
            let current = rotation.current_fingerprint().and_then(|key| self.tools.keyring.get(&name, key));
            intake::Wanted { shape: current.map(|key| key.shape()), name, known, done }
        });
        wanted.collect()
    }
    pub(super) fn judged(&mut self, judged: intake::Judged) {
        for (name, fingerprint, key) in judged.keys {
            self.tools.keyring.insert(&name, fingerprint, key);
        }
        for (place, why, broken) in judged.unread {
            let input = MailboxInput::Unread { place, why, broken };
            self.handle(Event::Mailbox { name: judged.mailbox.clone(), input });
        }
        let newest_notice_at = judged.newest_notice_at;
        self.handle(Event::Mailbox {
            name: judged.mailbox,
            input: MailboxInput::Looked { newest_notice_at },
        });
        for (name, findings) in judged.findings {
            let input = Input::MailsSeen { findings, first: judged.all, rotation_id: clock::rotation_id() };
            self.handle(Event::Credential { name, input });
        }
    }
}
