//! The mailbox's connection: what was not handed out on it is read and judged.

use super::{
    super::{
        fault::Fault,
        world::{MailKind, finding},
    },
    Answer, Coming, Sim, about_main, mailbox, main,
};
use crate::rotation::{Event, Input, MailboxInput};

impl Sim {
    pub fn is_watching(&self) -> bool {
        self.process.as_ref().is_some_and(|process| process.watching)
    }
    pub fn opened(&mut self) {
        if let Some(process) = &mut self.process {
            process.watching = true;
        }
        self.look(true, true);
    }
    pub fn lost(&mut self) {
        if let Some(process) = &mut self.process {
            process.watching = false;
        }
    }
    /// What was not handed out on this connection is read and judged.
    pub fn look(&mut self, afresh: bool, all: bool) {
        let t = self.world.luck.t;
        let Some(process) = self.process.as_mut().filter(|process| process.watching) else { return };
        if afresh {
            process.handed.clear();
        }
        let mails = self.world.mails.iter().enumerate();
        let new: Vec<usize> = mails
            .filter(|(index, mail)| mail.arrived <= t && !mail.gone && !process.handed.contains(index))
            .map(|(index, _)| index)
            .collect();
        process.handed.extend(&new);
        let (t, epoch) = (t + self.latency(), self.epoch);
        self.comes(t, Coming::Judge(epoch, new, all));
    }
    pub(super) fn judge(&mut self, mails: &[usize], all: bool) {
        let Some(process) = &self.process else { return };
        let Some(rotation) = process.fleet.credential(&main()) else { return };
        let (known, done) = if mails.is_empty() { Default::default() } else { rotation.recognition() };
        let away = !mails.is_empty() && self.world.luck.strikes(Fault::DnsAway);
        let judged = |index: &usize| {
            finding(*index, &self.world.mails[*index], self.world.validity, &known, &done, away)
        };
        let findings: Vec<_> = mails.iter().map(judged).collect();
        let key = |index: &usize| match self.world.mails[*index].kind {
            MailKind::Confirmation { key, signed } if !(away && signed) => Some(key),
            _ => None,
        };
        let keys = mails.iter().filter_map(key).collect();
        let input = MailboxInput::Looked { newest_notice_at: None };
        self.feed(Event::Mailbox { name: mailbox(), input }.into());
        let input = Input::MailsSeen { findings, first: all, rotation_id: self.rotation_id() };
        self.feed(Answer { event: about_main(input), keys });
    }
}
