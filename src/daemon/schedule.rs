//! The schedules: cron ticks, in UTC, as events. A tick whose work is still under way is harmless: the core spreads
//! and merges.

use super::inbox::Message;
use crate::{
    config::Schedules,
    rotation::{Event, Schedule},
};
use tokio::sync::mpsc;
use tokio_cron_scheduler::{Job, JobScheduler};

/// Running schedules. They end when this is dropped.
pub struct Ticking {
    scheduler: JobScheduler,
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
        Ok(Self { scheduler })
    }
    pub async fn stop(mut self) {
        // Nothing is lost by a schedule that does not end: the process does.
        let _ = self.scheduler.shutdown().await;
    }
}
