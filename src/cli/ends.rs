//! What ends a command from outside, for those that have something to bring to an end first.

use std::{io, time::Duration};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Ctrl-C, and whatever else ends a program.
pub struct Ends([Signal; 3]);

impl Ends {
    pub fn new() -> io::Result<Self> {
        let [interrupt, terminate, hangup] =
            [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        Ok(Self([signal(interrupt)?, signal(terminate)?, signal(hangup)?]))
    }
    /// Whether it came within this time.
    pub async fn within(&mut self, period: Duration) -> bool {
        tokio::time::timeout(period, self.any()).await.is_ok()
    }
    /// What comes of it; `None`: the end came first.
    pub async fn unless<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            done = work => Some(done),
            () = self.any() => None,
        }
    }
    async fn any(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
