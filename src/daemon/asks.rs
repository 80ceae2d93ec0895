//! Operators' commands on their way through the core: one ticket for each credential that a command is about, one
//! answer for the command.

use super::{
    clock, history,
    inbox::Asked,
    manage::Call,
    request::{Called, Outcome, Pasted, Request, Response},
    rotate_at,
    tools::Tools,
};
use crate::{
    domain::{ConsumerName, CredentialName, Fingerprint, Key},
    face::status::Status,
    rotation::{CallInput, Event, Fleet, Input, Occasion, Reply, Ticket},
    vendor::{Profile, looks_like},
};
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::oneshot;

#[derive(Default)]
pub struct Asks {
    last_ticket: Ticket,
    open: Vec<Open>,
    /// Calls to a vendor, for which the core is asked for leave.
    calls: BTreeMap<Ticket, (Call, oneshot::Sender<Response>)>,
}

struct Open {
    tickets: BTreeSet<Ticket>,
    name: Option<CredentialName>,
    /// The worst that was heard so far.
    heard: Option<(Outcome, String)>,
    answer: oneshot::Sender<Response>,
}

impl Asks {
    /// What the core must be told. What needs no core is answered at once.
    pub fn take(&mut self, asked: Asked, fleet: &Fleet, tools: &Tools, status: Status) -> Vec<Event> {
        let Asked { request, uid, answer } = asked;
        let name = match &request {
            Request::Status => None,
            Request::History { credential } => return remember(answer, credential, fleet, tools, status),
            Request::Leaf7 { credential, operation, refused } => {
                let (name, operation) = (credential.clone(), operation.clone());
                let call = Call { name, operation, refused: *refused, uid };
                return self.ask_leave(call, answer).into_iter().collect();
            }
            Request::Prove { credential, .. } => credential.clone(),
            Request::Deliver { credential, .. }
            | Request::Ingest { credential, .. }
            | Request::Rollback { credential, .. }
            | Request::Accept { credential, .. }
            | Request::Rotate { credential } => Some(credential.clone()),
        };
        match self.events(request, uid, fleet, tools) {
            Ok(events) if events.is_empty() => {
                respond(answer, Outcome::Done, String::new(), None, status);
                Vec::new()
            }
            Ok(events) => {
                let tickets = events.iter().map(|(ticket, _)| *ticket).collect();
                self.open.push(Open { tickets, name, heard: None, answer });
                events.into_iter().map(|(_, event)| event).collect()
            }
            Err((outcome, message)) => {
                respond(answer, outcome, message, None, status);
                Vec::new()
            }
        }
    }

    fn events(
        &mut self,
        request: Request,
        uid: u32,
        fleet: &Fleet,
        tools: &Tools,
    ) -> Result<Vec<(Ticket, Event)>, (Outcome, String)> {
        match request {
            Request::Status | Request::History { .. } | Request::Leaf7 { .. } => Ok(Vec::new()),
            Request::Prove { credential, consumer } => {
                let names = match credential {
                    Some(name) => vec![known(fleet, name)?],
                    None => fleet.credentials().map(|rotation| rotation.name().clone()).collect(),
                };
                if let Some(consumer) = &consumer {
                    known_consumer(tools, &names, consumer)?;
                }
                let ask = |name: CredentialName| {
                    self.event(name, |ticket| Input::ProveAsked { consumer: consumer.clone(), ticket })
                };
                Ok(names.into_iter().map(ask).collect())
            }
            Request::Deliver { credential, consumer } => {
                let name = known(fleet, credential)?;
                if let Some(consumer) = &consumer {
                    known_consumer(tools, std::slice::from_ref(&name), consumer)?;
                }
                Ok(vec![self.event(name, |ticket| Input::DeliverAsked { consumer, ticket })])
            }
            Request::Ingest { credential, key, sure, expires_at } => {
                let (name, rotation_id) = (known(fleet, credential)?, clock::rotation_id());
                let fingerprint = take_key(tools, &name, &key)?;
                let ask =
                    |ticket| Input::Ingested { fingerprint, uid, sure, expires_at, ticket, rotation_id };
                Ok(vec![self.event(name, ask)])
            }
            Request::Rollback { credential, check } => {
                let (name, rotation_id) = (known(fleet, credential)?, clock::rotation_id());
                let ask = |ticket| Input::RollbackAsked { uid, check, ticket, rotation_id };
                Ok(vec![self.event(name, ask)])
            }
            Request::Accept { credential, fingerprint } => {
                let name = known(fleet, credential)?;
                let fingerprint = held(fleet, &name, &fingerprint)?;
                let rotation_id = clock::rotation_id();
                Ok(vec![self.event(name, |ticket| Input::Accepted { fingerprint, uid, ticket, rotation_id })])
            }
            Request::Rotate { credential } => {
                let (name, occasion) = (known(fleet, credential.clone())?, occasion(tools, &credential));
                Ok(vec![
                    self.event(name, |ticket| Input::Call(CallInput::RotateAsked { uid, ticket, occasion })),
                ])
            }
        }
    }
    fn event(&mut self, name: CredentialName, input: impl FnOnce(Ticket) -> Input) -> (Ticket, Event) {
        self.last_ticket += 1;
        let ticket = self.last_ticket;
        (ticket, Event::Credential { name, input: input(ticket) })
    }

    /// Nothing more comes of what is asked.
    pub fn end(&mut self, why: &str, status: &serde_json::Value) {
        let open = std::mem::take(&mut self.open).into_iter().map(|open| open.answer);
        let calls = std::mem::take(&mut self.calls).into_values().map(|(_, answer)| answer);
        for answer in open.chain(calls) {
            // Who asked has given up.
            let response = Response::without_status(Outcome::Unreachable, why.to_owned());
            let _ = answer.send(Response { status: status.clone(), ..response });
        }
    }

    /// Nobody waits for the answer of one who has given up: then nothing is done.
    fn ask_leave(&mut self, call: Call, answer: oneshot::Sender<Response>) -> Option<Event> {
        if answer.is_closed() {
            return None;
        }
        self.last_ticket += 1;
        let (name, weight, ticket) = (call.name.clone(), call.operation.weight(), self.last_ticket);
        self.calls.insert(ticket, (call, answer));
        Some(Event::CallAsked { name, weight, ticket })
    }
    /// The call that may be made now.
    pub fn take_call(&mut self, ticket: Ticket) -> Option<(Call, oneshot::Sender<Response>)> {
        self.calls.remove(&ticket)
    }

    /// The core's answer to one ticket; the command is answered when all of its tickets are.
    pub fn reply(&mut self, ticket: Ticket, reply: Reply, status: Status) {
        if let Some((_, answer)) = self.calls.remove(&ticket) {
            // Who asked has given up.
            let _ = answer.send(not_called(reply));
            return;
        }
        let Some(index) = self.open.iter().position(|open| open.tickets.contains(&ticket)) else { return };
        let open = &mut self.open[index];
        open.tickets.remove(&ticket);
        let heard = outcome(reply);
        if open.heard.as_ref().is_none_or(|known| rank(heard.0) > rank(known.0)) {
            open.heard = Some(heard);
        }
        if open.tickets.is_empty() {
            let open = self.open.remove(index);
            let (outcome, message) = open.heard.unwrap_or((Outcome::Done, String::new()));
            let hint = hint(outcome, open.name.as_ref());
            respond(open.answer, outcome, message, hint, status);
        }
    }
}

/// Here and now.
fn occasion(tools: &Tools, name: &CredentialName) -> Occasion {
    let window = rotate_at::window(&tools.config, name, clock::now());
    Occasion { rotation_id: clock::rotation_id(), host: tools.host.clone(), window }
}

/// The core has put the call off, or knows of nobody to make it for.
pub fn not_called(reply: Reply) -> Response {
    let called = if let Reply::Later { at } = reply { Some(Called::Later { at }) } else { None };
    let (outcome, message) = outcome(reply);
    Response { called, ..Response::without_status(outcome, message) }
}

/// The history as it is on this machine; no core is asked.
fn remember(
    answer: oneshot::Sender<Response>,
    name: &CredentialName,
    fleet: &Fleet,
    tools: &Tools,
    status: Status,
) -> Vec<Event> {
    let dir = &tools.config.state_dir;
    let (outcome, message, history) = match history::read(dir, name) {
        Ok(past) if past.records.is_empty() && fleet.credential(name).is_none() => {
            (Outcome::Unknown, format!("no credential is named {name}"), None)
        }
        Ok(past) => (Outcome::Done, past.trouble(), Some(past.records)),
        Err(error) => (Outcome::Unreachable, format!("the history of {name} cannot be read: {error}"), None),
    };
    let status = serde_json::to_value(status).unwrap_or_default();
    // Who asked has given up.
    let _ = answer.send(Response { status, history, ..Response::without_status(outcome, message) });
    Vec::new()
}

/// A paste becomes a key in the keyring, or is refused by its reason.
fn take_key(tools: &Tools, name: &CredentialName, pasted: &Pasted) -> Result<Fingerprint, (Outcome, String)> {
    let no_key = |error| (Outcome::Refused, format!("this is no key: {error}"));
    let key = Key::parse(pasted.0.expose()).map_err(no_key)?;
    let profile =
        tools.profile(name).ok_or((Outcome::Unknown, "the credential is no longer configured".to_owned()))?;
    if let Some(why) = misfit(tools, &key, profile) {
        return Err((Outcome::Refused, format!("this is no key of {}: {why}", profile.title)));
    }
    let fingerprint = key.fingerprint_without(&profile.key.prefix);
    tools.keyring.insert(name, fingerprint, key);
    Ok(fingerprint)
}

/// Why the vendor cannot have made it: it is refused before anybody is asked.
fn misfit(tools: &Tools, key: &Key, profile: &Profile) -> Option<String> {
    let text = key.expose();
    let others = looks_like(text, profile, tools.config.vendors.values());
    let others = others.map(|vendor| format!("it begins like the keys of {vendor}"));
    others.or_else(|| profile.key.misfit(text))
}

fn known(fleet: &Fleet, name: CredentialName) -> Result<CredentialName, (Outcome, String)> {
    match fleet.credential(&name) {
        Some(_) => Ok(name),
        None => Err((Outcome::Unknown, format!("no credential is named {name}"))),
    }
}
/// What an operator means by a label, as status shows it.
fn held(fleet: &Fleet, name: &CredentialName, label: &str) -> Result<Fingerprint, (Outcome, String)> {
    let found = fleet.credential(name).and_then(|rotation| rotation.candidate_labelled(label));
    let none = || (Outcome::Unknown, format!("nothing with the fingerprint {label} is held for {name}"));
    found.ok_or_else(none)
}
fn known_consumer(
    tools: &Tools,
    names: &[CredentialName],
    consumer: &ConsumerName,
) -> Result<(), (Outcome, String)> {
    let mut credentials = names.iter().filter_map(|name| tools.config.credentials.get(name));
    match credentials.any(|credential| credential.consumers.contains_key(consumer)) {
        true => Ok(()),
        false => Err((Outcome::Unknown, format!("no consumer is named {consumer}"))),
    }
}

fn outcome(reply: Reply) -> (Outcome, String) {
    match reply {
        Reply::Promoted { generation, proven, beside } => {
            let (outcome, consumers) = match proven {
                true => (Outcome::Done, ", and every consumer is tested"),
                false => (Outcome::NotProven, "; not every consumer is tested yet"),
            };
            let beside = beside.map(|text| format!("; {text}")).unwrap_or_default();
            (outcome, format!("it is the current key (generation {generation}){consumers}{beside}"))
        }
        Reply::Spooled { why } => (Outcome::Spooled, format!("the key waits, safe in the spool: {why}")),
        Reply::Held { why } => (Outcome::Held, format!("the key is held: {why}")),
        Reply::Refused { why } => (Outcome::Refused, format!("refused: {why}")),
        Reply::Unreachable { why } => (Outcome::Unreachable, format!("nothing was changed: {why}")),
        Reply::RollbackPossible { key, until } => {
            let end = until.map(|until| format!(" until {}", until.minutes()));
            let end = end.unwrap_or(", nobody knows how long".into());
            (Outcome::Done, format!("it is possible: the earlier key {key} is alive, and works{end}"))
        }
        Reply::Consumers { proven: true } => (Outcome::Done, "every consumer is tested".into()),
        Reply::Consumers { proven: false } => (Outcome::NotProven, "not every consumer is tested".into()),
        Reply::Later { at } => (Outcome::Unreachable, format!("the vendor's limit is used up until {at}")),
    }
}
fn rank(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Done => 0,
        Outcome::NotProven => 1,
        Outcome::Held => 2,
        Outcome::Refused => 3,
        Outcome::Spooled => 4,
        Outcome::Unknown => 5,
        Outcome::Unreachable => 6,
    }
}
fn hint(outcome: Outcome, name: Option<&CredentialName>) -> Option<String> {
    let name = name?;
    match outcome {
        Outcome::Done | Outcome::Refused | Outcome::Unknown => None,
        Outcome::NotProven | Outcome::Spooled | Outcome::Held | Outcome::Unreachable => {
            Some(format!("keyrelay status {name}"))
        }
    }
}

fn respond(
    answer: oneshot::Sender<Response>,
    outcome: Outcome,
    message: String,
    hint: Option<String>,
    status: Status,
) {
    let status = serde_json::to_value(status).unwrap_or_default();
    // Who asked has given up: what was asked for goes on all the same.
    let _ = answer.send(Response { hint, status, ..Response::without_status(outcome, message) });
}
