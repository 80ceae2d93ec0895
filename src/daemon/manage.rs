//! An operator's own calls to a vendor, for Leaf7's key management. The core gives leave, because they count in the
//! vendor's limit like everything else; the key is read from the store each time, and never leaves this process.

use super::{
    asks::not_called,
    clock, history,
    request::{Called, Outcome, Response},
    settings,
    shell::{Reach, Shell},
    tools::Tools,
};
use crate::{
    config::Config,
    domain::{CredentialName, Fingerprint, Key, Limits},
    leaf7::{self, Answer, Operation},
    rotation::{Effect, Event, Fleet, Input, Ticket},
    store::{Read, layout},
};
use serde_json::json;
use std::sync::Arc;

/// One call that somebody asked for.
pub struct Call {
    pub name: CredentialName,
    pub operation: Operation,
    /// The key that the vendor did not know.
    pub refused: Option<Fingerprint>,
    pub uid: u32,
}

impl Shell {
    /// The core has given leave.
    pub(super) fn call(&mut self, ticket: Ticket) {
        let Some((call, answer)) = self.asks.take_call(ticket) else { return };
        let tools = self.tools.clone();
        self.spawn(async move {
            let response = perform(&tools, &call).await;
            let refused = refused(&response);
            // Who asked has given up: what was done is in the journal.
            let _ = answer.send(response);
            // A key that the vendor does not know any more is a sign of a rotation.
            let input = Input::Unauthorized { fingerprint: Some(refused?), from: None };
            Some(Event::Credential { name: call.name, input })
        });
    }
}

fn refused(response: &Response) -> Option<Fingerprint> {
    match response.called {
        Some(Called::Answered { answer: Answer::KeyRefused { .. }, with }) => Some(with),
        Some(Called::Answered { .. } | Called::Later { .. } | Called::SameKey) | None => None,
    }
}

/// The same without a daemon: one command's calls, with a budget of their own.
pub struct Alone {
    fleet: Fleet,
    tools: Tools,
    uid: u32,
    tickets: Ticket,
}

impl Alone {
    /// The error is what the operator must mend on this host.
    pub fn new(config: Config, limits: &Limits, uid: u32) -> Result<Self, String> {
        let tools = Tools::new(Arc::new(config), limits, None)?;
        // It is asked for leave and for nothing else: what it wants to begin with is not done.
        let (fleet, _) = Fleet::new(settings::core(&tools.config, limits, Reach::OneCommand), clock::now());
        Ok(Self { fleet, tools, uid, tickets: 0 })
    }

    pub async fn call(
        &mut self,
        name: CredentialName,
        operation: Operation,
        refused: Option<Fingerprint>,
    ) -> Response {
        self.tickets += 1;
        let (ticket, weight) = (self.tickets, operation.weight());
        let asked = Event::CallAsked { name: name.clone(), weight, ticket };
        for effect in self.fleet.handle(asked, clock::now()) {
            match effect {
                Effect::Call { .. } => {
                    let call = Call { name, operation, refused, uid: self.uid };
                    return perform(&self.tools, &call).await;
                }
                Effect::Answer { ticket: of, reply } if of == ticket => return not_called(reply),
                _ => {}
            }
        }
        let message = "the core gave no answer (a bug: please report it)".to_owned();
        Response::without_status(Outcome::Unreachable, message)
    }
}

/// Reads the key and makes the call, each once.
async fn perform(tools: &Tools, call: &Call) -> Response {
    let (key, with) = match current_key(tools, &call.name).await {
        Ok(key) => key,
        Err(response) => return *response,
    };
    let answered =
        |called| Response { called: Some(called), ..Response::without_status(Outcome::Done, String::new()) };
    if call.refused == Some(with) {
        return answered(Called::SameKey);
    }
    let Some(profile) = tools.profile(&call.name) else { return not_configured() };
    let answer = leaf7::call(tools.vendor.connection(), profile, &key, &call.operation).await;
    if call.operation.changes_something() {
        history::append_call(&tools.config.state_dir, &call.name, &line(call, &answer));
    }
    answered(Called::Answered { answer, with })
}

/// The key that is in the store now; nothing of the daemon's own picture of it is used or changed.
async fn current_key(tools: &Tools, name: &CredentialName) -> Result<(Key, Fingerprint), Box<Response>> {
    let Some((credential, profile)) = tools.config.credentials.get(name).zip(tools.profile(name)) else {
        return Err(Box::new(not_configured()));
    };
    let failed = |outcome, message: String, hint: String| {
        Err(Box::new(Response { hint: Some(hint), ..Response::without_status(outcome, message) }))
    };
    let _permit = tools.store_calls.acquire().await.ok();
    let document = match tools.store.read(None, &credential.path).await {
        Read::Present(document) => document,
        Read::Absent | Read::Deleted { .. } => {
            let message = format!("there is no key of {name} in the store");
            return failed(Outcome::Refused, message, format!("keyrelay ingest {name}"));
        }
        Read::Failed(trouble) => {
            let message = format!("nothing was done, because the key cannot be read: {trouble}");
            return failed(Outcome::Unreachable, message, "keyrelay doctor".into());
        }
    };
    let prefix = &profile.key.prefix;
    match layout::read_key(&document, &credential.field, prefix).current {
        Some(key) => {
            let fingerprint = key.fingerprint_without(prefix);
            Ok((key, fingerprint))
        }
        None => {
            let message = format!("there is no key of {name} in the store's document");
            failed(Outcome::Refused, message, format!("keyrelay status {name}"))
        }
    }
}

fn not_configured() -> Response {
    Response::without_status(Outcome::Unknown, "the credential is no longer configured".into())
}

/// Who did what, and how many; of a customer's key only its mark.
fn line(call: &Call, answer: &Answer) -> serde_json::Value {
    let Call { operation, uid, .. } = call;
    let (outcome, count) = match answer {
        Answer::Done { body } => ("done", Some(body.count())),
        Answer::Refused { .. } | Answer::KeyRefused { .. } | Answer::Busy { .. } => ("refused", None),
        Answer::NotDone { .. } => ("not done", None),
        Answer::Unclear { .. } => ("unclear", None),
    };
    let mut line = json!({
        "at": clock::now(), "uid": uid, "operation": operation.name(), "outcome": outcome,
    });
    if let Operation::GenerateBuyer(batch) = operation {
        line["amount"] = batch.amount.into();
        line["generated"] = count.into();
    }
    if let Some(project) = operation.project() {
        line["project_id"] = project.as_str().into();
    }
    if let Some(key) = operation.key() {
        line["key_sha256"] = key.mark().into();
    }
    line
}
