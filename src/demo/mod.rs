//! `keyrelay demo`: a vendor, a name server and consumers to run against, with nothing installed, and a guided run of
//! one rotation after the other. The rest of the program does not know that it is in a demo.

pub mod consumer;
pub mod dns;
pub mod forge;
pub mod mails;
pub mod post;
pub mod serve;
pub mod sign;
pub mod simulator;
pub mod worst;

mod print;
mod scale;
mod stage;
mod vendor;

use crate::{
    daemon::{self, Order, client, request::Request},
    domain::ProofLevel,
    face::status::{Credential, Status},
};
use stage::Stage;
use std::{path::Path, time::Duration};
use tokio::{
    sync::mpsc,
    time::{Instant, interval},
};

/// Runs until Ctrl-C; with `once`, until one rotation is complete. The error says what did not hold.
pub async fn run(once: bool) -> Result<(), String> {
    print::to_terminal();
    let stage = Stage::build().await?;
    print::opening(&stage);
    let (orders, ordered) = mpsc::channel(1);
    let mut daemon = tokio::spawn(daemon::serve(stage.config(), scale::limits(), ordered));
    let control = stage.control();
    let vendor = tokio::spawn(vendor::live(stage.vendor()));
    let ended = tokio::select! {
        // What a task's end says of a panic is the panic's message.
        ended = &mut daemon => Err(ended.map_or_else(|_| "the daemon panicked".into(), |ended| format!("{ended:?}"))),
        _ = tokio::signal::ctrl_c() => Ok(()),
        outcome = one_rotation(&control, once) => outcome,
    };
    vendor.abort();
    // A daemon that has ended already hears nothing.
    let _ = orders.send(Order::Stop).await;
    if !daemon.is_finished() {
        let _ = daemon.await;
    }
    ended
}

/// How long a rotation may take: two of the vendor's, so that a slow machine has its chance.
const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until a rotation was promoted and every consumer is tested with it; without `once`, for ever.
async fn one_rotation(control: &Path, once: bool) -> Result<(), String> {
    let until = Instant::now() + PATIENCE;
    let mut looks = interval(Duration::from_millis(200));
    loop {
        looks.tick().await;
        let answer = client::ask(control, &Request::Status).await.ok().flatten();
        let status = answer.and_then(|answer| serde_json::from_value::<Status>(answer.status).ok());
        let credential = status.and_then(|status| status.credentials.into_iter().next());
        match credential {
            Some(credential) if once && is_complete(&credential) => {
                print::closing(&credential);
                return Ok(());
            }
            Some(credential) if once && Instant::now() > until => {
                return Err(format!(
                    "the rotation was not complete after {} s: it is {}",
                    PATIENCE.as_secs(),
                    credential.phase
                ));
            }
            Some(_) | None => {}
        }
    }
}
fn is_complete(credential: &Credential) -> bool {
    let in_use = |consumer: &crate::face::status::Consumer| {
        consumer.proof == ProofLevel::InUse && consumer.fingerprint == credential.fingerprint
    };
    credential.generation > 0 && credential.consumers.iter().all(in_use)
}
