//! The schedules: cron ticks, in UTC, as events. A tick whose work is still under way is harmless: the core spreads
//! and merges.

use super::inbox::Message;
use crate::{
    config::{Config, Schedules},
    domain::CredentialName,
    rotation::{Event, Schedule},
};
use std::collections::BTreeMap;
use tokio::sync::mpsc;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

/// Running schedules. They end when this is dropped.
pub struct Ticking {
    scheduler: JobScheduler,
    inbox: mpsc::Sender<Message>,
    /// Each credential's `rotate_at`, and the job for it.
    rotating: BTreeMap<CredentialName, (String, Job)>,
}

impl Ticking {
    /// The configuration has checked the expressions before.
    pub async fn start(schedules: &Schedules, inbox: mpsc::Sender<Message>) -> Result<Self, String> {
        let failed = |error| format!("the schedules cannot be started: {error}");
        let scheduler = JobScheduler::new().await.map_err(failed)?;
        let jobs = [
            (&schedules.mailbox_poll, Schedule::MailboxPoll),
            (&schedules.current_key_probe, Schedule::CurrentKeyProbe),
            (&schedules.consumer_prove, Schedule::ConsumerProve),
        ];
        for (expression, schedule) in jobs {
            let inbox = inbox.clone();
            let job = Job::new(expression.as_str(), move |_, _| {
                // A full inbox means that the loop has work: the next tick does as well.
                let _ = inbox.try_send(Message::Event(Event::Tick(schedule)));
            });
            scheduler.add(job.map_err(failed)?).await.map_err(failed)?;
        }
        scheduler.start().await.map_err(failed)?;
        Ok(Self { scheduler, inbox, rotating: BTreeMap::new() })
    }

    /// Credentials whose `rotate_at` came, changed or went.
    pub async fn rotate(&mut self, config: &Config) -> Result<(), String> {
        let wanted = |name: &CredentialName| config.credentials.get(name)?.rotating.rotate_at.as_ref();
        let failed = |error| format!("the schedules of rotations cannot be changed: {error}");
        let over = |(name, (at, _)): &(&CredentialName, &(String, Job))| wanted(name) != Some(at);
        let over: Vec<_> = self.rotating.iter().filter(over).map(|(name, _)| name.clone()).collect();
        for name in over {
            if let Some((_, job)) = self.rotating.remove(&name) {
                self.scheduler.remove(&job.guid()).await.map_err(failed)?;
            }
        }
        for name in config.credentials.keys() {
            if let Some(at) = wanted(name).filter(|_| !self.rotating.contains_key(name)) {
                let job = self.job(at, name.clone()).map_err(failed)?;
                self.scheduler.add(job.clone()).await.map_err(failed)?;
                self.rotating.insert(name.clone(), (at.clone(), job));
            }
        }
        Ok(())
    }
    /// A moment that finds the inbox full waits for it: the next one may be a month away.
    fn job(&self, at: &str, name: CredentialName) -> Result<Job, JobSchedulerError> {
        let inbox = self.inbox.clone();
        Job::new_async(at, move |_, _| {
            let (inbox, name) = (inbox.clone(), name.clone());
            Box::pin(async move { _ = inbox.send(Message::RotationDue(name)).await })
        })
    }
    pub async fn stop(mut self) {
        // Nothing is lost by a schedule that does not end: the process does.
        let _ = self.scheduler.shutdown().await;
    }
}
