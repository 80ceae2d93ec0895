//! The form of the configuration as JSON Schema, for editors: which keys there are, what each is for, and which kind
//! of value it has. A file may hold a part of the configuration, so no key is asked for. It knows the form alone; what
//! is true of the values, `keyrelay check` says.

mod alerts;
mod consumer;
mod credential;
mod mail;
mod store;
mod values;

#[cfg(test)]
pub(in crate::config) mod tests;

use credential::Credential;
use schemars::{JsonSchema, generate::SchemaSettings};
use std::collections::BTreeMap;
use values::{Name, OneOrList};

/// The schema as JSON, in the draft that editors of YAML speak (7).
pub fn schema() -> String {
    let schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<Configuration>();
    let mut schema = schema.to_value();
    // A profile is written in part: what is left out is the built-in one's.
    for definition in schema["definitions"].as_object_mut().into_iter().flat_map(|all| all.values_mut()) {
        if let Some(definition) = definition.as_object_mut() {
            definition.remove("required");
        }
    }
    format!("{schema:#}\n")
}

/// The configuration of keyrelay, or a part of it in config.d. `keyrelay check` finds what this cannot.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(title = "keyrelay")]
pub struct Configuration {
    /// Where the keys live.
    pub store: Option<store::Store>,
    /// Where a key waits while the store cannot take it.
    pub spool: Option<store::Spool>,
    /// Where the vendors' mails arrive, by name.
    pub mailboxes: Option<BTreeMap<Name, mail::Mailbox>>,
    /// Who answers for the vendors' DKIM keys.
    pub dns: Option<mail::Dns>,
    /// Who is told.
    pub alerts: Option<alerts::Alerts>,
    /// Status over HTTP: a loopback address, unix:PATH, a list of them, or off. Default: 127.0.0.1:7718.
    pub listen: Option<values::Listen>,
    /// The socket of keyrelay's own commands. Default: /run/keyrelay/control.sock.
    pub control: Option<String>,
    /// When to look: cron in UTC, five fields, or six with seconds first.
    pub schedules: Option<Schedules>,
    /// Two daemons with this configuration, on two hosts, of which one acts. Default: false.
    pub standby: Option<bool>,
    /// Watch, verify, probe and tell, but change nothing. Default: false.
    pub observe: Option<bool>,
    /// What the vendors do: override any field of a built-in profile (keyrelay vendors NAME), or add a vendor.
    pub vendors: Option<BTreeMap<Name, crate::vendor::Profile>>,
    /// Any key of a credential, for all of them; {name} stands for the credential's name, and its own keys go first.
    pub defaults: Option<Credential>,
    /// One key each: where it lives, and who works with it.
    pub credentials: Option<BTreeMap<Name, Option<Credential>>>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Schedules {
    /// A look at each mailbox, whatever the server announces. Default: each minute.
    pub mailbox_poll: Option<String>,
    /// Does the vendor still take the current key? Default: every ten minutes.
    pub current_key_probe: Option<String>,
    /// Does each consumer still work with it? Default: each hour, 17 minutes past.
    pub consumer_prove: Option<String>,
}
