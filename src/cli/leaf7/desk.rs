//! Has operations done, one after the other: by the running daemon, else by this process. It waits where the vendor's
//! limit is used up, and it asks once more where the key was rotated in between; never for any other reason.

use crate::{
    cli::{
        alone::Calls,
        console::{Console, Failure},
        ends::Ends,
        work::{Work, load, now},
    },
    config::Need,
    daemon::{
        client,
        request::{Called, Outcome, Request, Response},
    },
    domain::{CredentialName, Fingerprint, spell_duration},
    leaf7::{Answer, Operation},
};
use indicatif::ProgressBar;
use std::{pin::pin, time::Duration};

pub struct Desk<'a> {
    work: &'a Work<'a>,
    pub name: CredentialName,
    /// Where one is on the terminal, what is waited for stands beside it.
    pub bar: Option<ProgressBar>,
    hands: Option<Hands>,
    ends: Ends,
    /// Somebody wants an end of it.
    to_end: bool,
}

enum Hands {
    Daemon,
    Own(Calls),
}

impl<'a> Desk<'a> {
    pub fn new(work: &'a Work<'a>, name: CredentialName) -> Result<Self, Failure> {
        let ends = Ends::new().map_err(|error| Failure::unreachable(format!("signals: {error}")))?;
        Ok(Self { work, name, bar: None, hands: None, ends, to_end: false })
    }

    /// How long the vendor counts requests.
    pub fn window(&self) -> Duration {
        let profile = self.work.config.profile(&self.name);
        profile.map_or(Duration::from_secs(60), |profile| profile.limit.per.0)
    }

    /// What came of it. The error: nothing was asked of the vendor.
    pub async fn ask(&mut self, operation: &Operation, console: &mut Console<'_>) -> Result<Answer, Failure> {
        let mut refused: Option<(Answer, Fingerprint)> = None;
        loop {
            let request = self.send(operation, refused.as_ref().map(|(_, with)| *with), console).await?;
            let response = match request {
                Sent::Answered(response) => response,
                Sent::Lost(why) => return Ok(Answer::Unclear { why }),
            };
            match (response.called, refused.take()) {
                (Some(Called::Later { at }), before) => {
                    refused = before;
                    if self.wait(at.since(now()), "the vendor's limit is used up", console).await {
                        return Ok(Answer::NotDone { why: "it was interrupted".into() });
                    }
                }
                (Some(Called::Answered { answer: answer @ Answer::KeyRefused { .. }, with }), None) => {
                    refused = Some((answer, with));
                }
                (Some(Called::SameKey), Some((answer, _))) => return Ok(answer),
                (Some(Called::Answered { answer, .. }), _) => return Ok(answer),
                (Some(Called::SameKey) | None, _) => {
                    return Err(failed(response.outcome, response.message).hint(response.hint));
                }
            }
        }
    }

    /// Lets time pass; whether somebody wants it to end.
    pub async fn wait(&mut self, time: Duration, why: &str, console: &mut Console<'_>) -> bool {
        let secs = Duration::from_secs(time.as_millis().div_ceil(1_000).try_into().unwrap_or(u64::MAX));
        let message = format!("{why}; going on in {}", spell_duration(secs));
        let bar = self.bar.as_ref().filter(|bar| !bar.is_hidden());
        match bar {
            Some(bar) => bar.set_message(message),
            None => console.tell(&message),
        }
        let to_end = self.to_end || self.ends.within(time).await;
        self.bar.iter().for_each(|bar| bar.set_message(""));
        to_end
    }
    pub async fn is_to_end(&mut self) -> bool {
        self.to_end || self.ends.within(Duration::ZERO).await
    }

    async fn send(
        &mut self,
        operation: &Operation,
        refused: Option<Fingerprint>,
        console: &mut Console<'_>,
    ) -> Result<Sent, Failure> {
        self.take_hands(console).await?;
        let generates = matches!(operation, Operation::GenerateBuyer(_));
        let (name, operation) = (self.name.clone(), operation.clone());
        let socket = &self.work.config.control;
        let mut sending = pin!(async {
            match &self.hands {
                Some(Hands::Own(calls)) => calls.ask(name, operation, refused).await.ok_or_else(panicked),
                Some(Hands::Daemon) => {
                    let request = Request::Leaf7 { credential: name, operation, refused };
                    match client::ask(socket, &request).await {
                        Ok(Some(response)) => Ok(response),
                        Ok(None) => Err(Failure::unreachable("the daemon has gone; nothing more is done")),
                        Err(why) => return Ok(Sent::Lost(why)),
                    }
                }
                None => Err(panicked()),
            }
            .map(|response| Sent::Answered(Box::new(response)))
        });
        match self.ends.unless(&mut sending).await {
            Some(sent) => sent,
            None if generates => {
                console.tell("it ends once the request that is under way is answered");
                self.to_end = true;
                sending.await
            }
            None => Ok(Sent::Lost("it was interrupted".into())),
        }
    }

    /// Whoever does the first does them all.
    async fn take_hands(&mut self, console: &mut Console<'_>) -> Result<(), Failure> {
        if self.hands.is_some() {
            return Ok(());
        }
        let socket = &self.work.config.control;
        let hands = if client::is_there(socket).map_err(Failure::unreachable)? {
            Hands::Daemon
        } else {
            console.tell(&format!("no daemon answers at {}; doing it here", socket.display()));
            let loaded = load(self.work.path, Need::Run)?;
            Hands::Own(Calls::begin(loaded.config).await.map_err(Failure::mistake)?)
        };
        self.hands = Some(hands);
        Ok(())
    }
}

fn panicked() -> Failure {
    Failure::unreachable("the work panicked (a bug: please report it)")
}

enum Sent {
    Answered(Box<Response>),
    /// The daemon did not answer, and may have done it.
    Lost(String),
}

fn failed(outcome: Outcome, message: String) -> Failure {
    match outcome {
        Outcome::Done | Outcome::NotProven | Outcome::Held | Outcome::Refused => Failure::refused(message),
        Outcome::Unknown => Failure::mistake(message),
        Outcome::Spooled | Outcome::Unreachable => Failure::unreachable(message),
    }
}
