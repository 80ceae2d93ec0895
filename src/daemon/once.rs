//! One command without a daemon: the same core and the same check-and-set, for as long as the command takes.

use super::{
    inbox::{Asked, Message},
    request::{Outcome, Request, Response},
    shell::{Reach, Shell},
    tools::Tools,
};
use crate::{config::Config, domain::Limits, rotation::Event};
use std::{sync::Arc, time::Duration};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
    time::Instant,
};

/// How long a look waits for what is slow.
const LOOK_MAX: Duration = Duration::from_secs(15);

/// Does what a daemon would. The error is what the operator must mend on this host.
pub async fn once(config: Config, limits: Limits, request: Request) -> Result<Response, String> {
    let reach = if request.only_looks() { Reach::LookOnly } else { Reach::OneCommand };
    let mut shell = Shell::start(Tools::new(Arc::new(config), &limits, None)?, &limits, reach);
    look_around(&mut shell, reach).await;
    let unreachable = store_trouble(&shell);
    let ends = matches!(request, Request::Rotate { .. }).then(Ends::new).transpose()?;
    let mut response = answer(&mut shell, request, ends).await?;
    if let Some(trouble) = unreachable
        .filter(|_| matches!(response.outcome, Outcome::Done | Outcome::Refused | Outcome::NotProven))
    {
        (response.outcome, response.message) = (Outcome::Unreachable, trouble);
    }
    shell.stop().await;
    Ok(response)
}

/// Until the documents are read; for a look, until all is quiet.
async fn look_around(shell: &mut Shell, reach: Reach) {
    let patience = Instant::now() + LOOK_MAX;
    let unknown = |shell: &Shell| {
        shell.fleet.credentials().any(|rotation| !rotation.is_known()) && store_trouble(shell).is_none()
    };
    while unknown(shell) || (reach == Reach::LookOnly && shell.is_busy()) {
        if tokio::time::timeout_at(patience, shell.turn()).await.is_err() {
            return;
        }
    }
}
fn store_trouble(shell: &Shell) -> Option<String> {
    shell.fleet.store_trouble().map(ToString::to_string)
}

/// What would end this process. While a call for a new key is under way, its answer comes first.
struct Ends([Signal; 3]);

impl Ends {
    fn new() -> Result<Self, String> {
        let listen = |kind| signal(kind).map_err(|error| format!("signals cannot be listened to: {error}"));
        let kinds = (SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup());
        Ok(Self([listen(kinds.0)?, listen(kinds.1)?, listen(kinds.2)?]))
    }
    async fn next(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

async fn answer(shell: &mut Shell, request: Request, mut ends: Option<Ends>) -> Result<Response, String> {
    let (sender, mut answered) = oneshot::channel();
    // The caller's own uid, as the socket would say.
    let uid = rustix::process::getuid().as_raw();
    let asked = Asked { request, uid, answer: sender };
    shell.sender().send(Message::Asked(asked)).await.map_err(|_| "the loop has ended".to_owned())?;
    loop {
        match answered.try_recv() {
            Ok(response) => return Ok(response),
            Err(oneshot::error::TryRecvError::Empty) => match &mut ends {
                None => shell.turn().await,
                Some(waits) => tokio::select! {
                    () = shell.turn() => {}
                    () = waits.next() => shell.handle(Event::Stopping),
                },
            },
            Err(oneshot::error::TryRecvError::Closed) => {
                return Err("the command got no answer (a bug: please report it)".into());
            }
        }
    }
}
