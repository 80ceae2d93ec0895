//! The lease in the store: its document is read and written as the core's [`Lease`] orders, on a clock that goes on
//! while the machine sleeps.

use super::{clock, tools::Tools};
use crate::{
    config::rights::LEASE,
    domain::{Holder, LeaseRead, WriteOutcome},
    rotation::{Lease, LeaseEvent, LeaseOrder},
    store::{Read, Store, layout},
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::mpsc, time::timeout};

/// Timers stand still while the machine sleeps: the clock is looked at again at least this often.
const LOOK_EVERY: Duration = Duration::from_millis(500);

pub struct Keeper {
    pub lease: Lease,
    /// Counts each time that this daemon began to act, and who did before.
    pub reign: u64,
    pub after: Option<crate::domain::RotationId>,
    place: Arc<Place>,
    done: mpsc::UnboundedSender<LeaseEvent>,
    ended: mpsc::UnboundedReceiver<LeaseEvent>,
}

/// Where the document lies.
struct Place {
    store: Arc<Store>,
    path: String,
    patience: Duration,
    /// The last trouble that was logged: it is not said again each second.
    said: Mutex<Option<String>>,
}

impl Place {
    fn of(tools: &Tools) -> Arc<Self> {
        let path = format!("{}/{LEASE}", tools.config.state_path);
        let (store, patience) = (tools.store.clone(), tools.limits.lease().call);
        Arc::new(Self { store, path, patience, said: Mutex::default() })
    }
    fn say(&self, trouble: Option<String>) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(trouble) = trouble.as_ref().filter(|trouble| said.as_ref() != Some(trouble)) {
            tracing::warn!("the lease is out of reach: {trouble}");
        }
        *said = trouble;
    }
}

impl Keeper {
    pub fn new(tools: &Tools) -> Self {
        let configuration = tools.config.written.0.clone();
        let me = Holder { run: tools.run_id, host: tools.host.clone(), configuration };
        let (done, ended) = mpsc::unbounded_channel();
        let lease = Lease::new(me, &tools.limits, clock::since_boot());
        Self { lease, reign: 0, after: None, place: Place::of(tools), done, ended }
    }

    /// The next thing that happens to the lease, or a look at the clock.
    pub async fn turn(&mut self) {
        let due = self.lease.next_deadline().map(|at| at.saturating_sub(clock::since_boot()));
        let wait = due.unwrap_or(LOOK_EVERY).min(LOOK_EVERY);
        let orders = match timeout(wait, self.ended.recv()).await {
            Ok(Some(event)) => self.lease.handle(event, clock::since_boot()),
            Ok(None) | Err(_) => self.lease.handle_deadline(clock::since_boot()),
        };
        self.carry_out(orders);
    }
    pub fn tell(&mut self, event: LeaseEvent) {
        let orders = self.lease.handle(event, clock::since_boot());
        self.carry_out(orders);
    }
    /// The store may be another one, or have another login.
    pub fn reconfigure(&mut self, tools: &Tools) {
        self.place = Place::of(tools);
        self.tell(LeaseEvent::Configured { configuration: tools.config.written.0.clone() });
    }
    /// So that another daemon can have it at once; without the store it simply ends.
    pub async fn give_up(&mut self) {
        self.tell(LeaseEvent::Stopping);
        let patience = tokio::time::Instant::now() + 2 * self.place.patience;
        while !self.lease.is_over() && tokio::time::timeout_at(patience, self.turn()).await.is_ok() {}
    }

    fn carry_out(&mut self, orders: Vec<LeaseOrder>) {
        for order in orders {
            let (place, done) = (self.place.clone(), self.done.clone());
            match order {
                LeaseOrder::Read => {
                    // The receiver lives as long as the process acts on it.
                    tokio::spawn(async move { done.send(LeaseEvent::Read(read(&place).await)) });
                }
                LeaseOrder::Write { cas, document } => {
                    tokio::spawn(async move {
                        let fields = layout::lease_fields(&document);
                        let write = place.store.write(None, &place.path, &fields, cas);
                        let outcome = timeout(place.patience, write).await;
                        let late = |_| WriteOutcome::Unknown("no answer in time".into());
                        let outcome = outcome.unwrap_or_else(late);
                        place.say(match &outcome {
                            WriteOutcome::Failed(trouble) => Some(trouble.to_string()),
                            _ => None,
                        });
                        done.send(LeaseEvent::Written(outcome))
                    });
                }
                LeaseOrder::BecomeActive { term, after } => {
                    tracing::info!(term, "this daemon has the lease");
                    (self.reign, self.after) = (self.reign + 1, after);
                }
                LeaseOrder::BecomeStandby => tracing::info!("this daemon has no lease"),
                LeaseOrder::Refuse(why) => tracing::error!("{}", super::duty::words(&why)),
            }
        }
    }
}

async fn read(place: &Place) -> LeaseRead {
    match timeout(place.patience, place.store.read(None, &place.path)).await {
        Ok(Read::Present(document)) => match layout::read_lease(&document.fields) {
            Ok(lease) => LeaseRead::Present { version: document.version, document: lease },
            Err(why) => LeaseRead::Refused { why },
        },
        Ok(Read::Absent) => LeaseRead::Absent { version: 0 },
        Ok(Read::Deleted { version }) => LeaseRead::Absent { version },
        Ok(Read::Failed(trouble)) => {
            place.say(Some(trouble.to_string()));
            LeaseRead::Failed
        }
        Err(_) => LeaseRead::Failed,
    }
}
