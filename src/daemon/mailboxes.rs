//! The shell's part in reading mail: watchers are started, what they fetch is judged, and findings go into the core.

use super::{
    clock,
    inbox::Message,
    intake,
    shell::Shell,
    tokens::{Admission, Kept},
    watcher::{Watch, Watcher},
};
use crate::{
    domain::{MailboxName, Timestamp},
    mail::{MailboxSettings, MailboxTrouble, RawMail},
    rotation::{Event, Input, MailboxInput},
    vendor,
};
use std::time::Duration;

/// What was asked for before a mailbox can be opened, and with which settings.
pub struct Admitted {
    name: MailboxName,
    settings: MailboxSettings,
    outcome: Result<Admission, MailboxTrouble>,
}

impl Shell {
    pub(super) fn open_mailbox(&mut self, name: &MailboxName) {
        let Some(settings) = self.tools.config.mailboxes.get(name).cloned() else { return };
        let Some(grant) = settings.grant().cloned() else { return self.watch(name, settings, None) };
        let (tools, sender, name) = (self.tools.clone(), self.sender(), name.clone());
        self.busy += 1;
        tokio::spawn(async move {
            let work = {
                let (tools, name) = (tools.clone(), name.clone());
                async move { tools.tokens.admit(&name, &grant, &tools.token_place()).await }
            };
            let outcome = tokio::spawn(work).await.unwrap_or_else(|_| {
                Err(MailboxTrouble::Unreachable(
                    "asking for an access token panicked (a bug: please report it)".into(),
                ))
            });
            let _ = sender.send(Message::Admitted(Box::new(Admitted { name, settings, outcome }))).await;
        });
    }
    pub(super) fn admitted(&mut self, admitted: Admitted) {
        let Admitted { name, settings, outcome } = admitted;
        if self.tools.config.mailboxes.get(&name) != Some(&settings) {
            let why = "its configuration has changed".into();
            return self.handle(Event::Mailbox { name, input: MailboxInput::Lost { why } });
        }
        match outcome {
            Ok(admission) => {
                admission.kept.clone().into_iter().for_each(|kept| self.token_kept(&name, kept));
                self.watch(&name, settings.with_token(&admission.access), Some(&admission));
            }
            Err(trouble) => self.mailbox_ended(name, trouble),
        }
    }
    fn watch(&mut self, name: &MailboxName, settings: MailboxSettings, admission: Option<&Admission>) {
        let watch = Watch {
            name: name.clone(),
            settings,
            senders: self.senders(name),
            since: self.search_since(name),
            limits: self.limits.clone(),
            renew_at: admission.and_then(|admission| admission.access.renew_at),
            login_is_new: admission.is_none_or(|admission| admission.is_new),
        };
        match Watcher::start(watch, self.sender()) {
            Ok(watcher) => _ = self.watchers.insert(name.clone(), watcher),
            Err(why) => self.handle(Event::Mailbox { name: name.clone(), input: MailboxInput::Lost { why } }),
        }
    }
    pub(super) fn mailbox_ended(&mut self, name: MailboxName, trouble: MailboxTrouble) {
        self.watchers.remove(&name);
        let input = match trouble {
            MailboxTrouble::Unreachable(why) => MailboxInput::Lost { why },
            MailboxTrouble::Busy(why) => MailboxInput::Busy { why },
            MailboxTrouble::TokenEnded(why) => {
                self.tools.tokens.forget(&name);
                MailboxInput::TokenEnded { why }
            }
            MailboxTrouble::Refused(why) => {
                self.tools.tokens.forget(&name);
                MailboxInput::Refused { why }
            }
        };
        self.handle(Event::Mailbox { name, input });
    }

    pub(super) fn save_token(&mut self, name: MailboxName) {
        let grant = self.tools.config.mailboxes.get(&name).and_then(MailboxSettings::grant).cloned();
        let tools = self.tools.clone();
        self.spawn(async move {
            let kept = match grant {
                Some(grant) => tools.tokens.save(&name, &grant, &tools.token_place()).await,
                None => Kept::Saved,
            };
            Some(Event::Mailbox { name, input: kept_input(kept) })
        });
    }
    fn token_kept(&mut self, name: &MailboxName, kept: Kept) {
        self.handle(Event::Mailbox { name: name.clone(), input: kept_input(kept) });
    }
    /// Every sender of every credential that this mailbox serves.
    fn senders(&self, name: &MailboxName) -> Vec<String> {
        let mut senders: Vec<_> = self.profiles_in(name).flat_map(vendor::senders).collect();
        senders.sort();
        senders.dedup();
        senders
    }
    /// Of each credential whose mails come there.
    fn profiles_in<'a>(&'a self, name: &'a MailboxName) -> impl Iterator<Item = &'a vendor::Profile> {
        let all = self.tools.config.credentials.iter();
        let here = all.filter(move |(_, credential)| credential.mailbox.as_ref() == Some(name));
        here.filter_map(|(name, _)| self.tools.profile(name))
    }
    /// Two weeks back, or as far as a rotation and its grace reach.
    pub(super) fn search_since(&self, name: &MailboxName) -> Timestamp {
        let reach = self.profiles_in(name).map(|profile| {
            profile.cadence.map_or(Duration::ZERO, |span| span.0)
                + profile.grace.map_or(Duration::ZERO, |span| span.0)
        });
        // By a clock that is ahead, a mail of today would lie before all that is searched for.
        self.fleet.passed(clock::now()) - reach.max().unwrap_or_default().max(self.limits.mailbox_window)
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

fn kept_input(kept: Kept) -> MailboxInput {
    match kept {
        Kept::Saved => MailboxInput::TokenSaved,
        Kept::OnDisk(why) => MailboxInput::TokenUnsaved { why, on_disk: true },
        Kept::InMemory(why) => MailboxInput::TokenUnsaved { why, on_disk: false },
    }
}
