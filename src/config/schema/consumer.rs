//! `consumers`: how each gets the key, and how its use is shown.

use super::values::{Duration, Reference, exclusive};
use schemars::JsonSchema;
use std::collections::BTreeMap;

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Consumer {
    /// What uname -n says where it lives; needed with standby where that is one machine. Default: wherever keyrelay runs.
    pub host: Option<String>,
    /// How it gets the key; left out where it fetches the key itself.
    pub deliver: Option<Deliver>,
    /// How its use of the key is shown; none accepts what the delivery can show.
    pub prove: Option<Prove>,
    /// What counts as good. Default: the best that can be shown.
    pub level: Option<Level>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Level {
    InUse,
    Loaded,
    WorkingCopy,
    Delivered,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = exclusive(&["file", "store", "command"]))]
pub struct Deliver {
    pub file: Option<File>,
    /// A copy in another document of the store.
    pub store: Option<Copy>,
    /// A command that takes the key on standard input.
    pub command: Option<DeliverCommand>,
    /// What makes the consumer load the key.
    pub then: Option<Then>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = exclusive(&["env", "template"]))]
pub struct File {
    pub path: Option<String>,
    /// The file holds NAME=KEY and a newline. Default: the key alone.
    pub env: Option<String>,
    /// The file holds this text, with {key} replaced.
    pub template: Option<String>,
    /// 0600, or 0640 for a group, which is then the default.
    pub mode: Option<String>,
    /// The group that the file's folder gives to its files.
    pub group: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Copy {
    pub path: Option<String>,
    /// Default: the credential's.
    pub field: Option<String>,
    /// Default: the store's.
    pub mount: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct DeliverCommand {
    /// The program, by its absolute path, and its arguments.
    pub run: Option<Vec<String>>,
    /// Secrets that it needs for itself; otherwise it gets PATH alone.
    pub env: Option<BTreeMap<String, Option<Reference>>>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = exclusive(&["restart", "reload", "exec"]))]
pub struct Then {
    /// A systemd service, restarted over D-Bus and watched for 10 s.
    pub restart: Option<String>,
    /// A systemd service that reads the key again when it is reloaded.
    pub reload: Option<String>,
    /// A program, by its absolute path, and its arguments.
    pub exec: Option<Vec<String>>,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum Prove {
    Accept(NoProof),
    By(Proof),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum NoProof {
    None,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = exclusive(&["http", "command", "report"]))]
pub struct Proof {
    /// A request that the consumer answers with a proof.
    pub http: Option<Http>,
    /// A command that prints the proof.
    pub command: Option<ProveCommand>,
    /// The consumer writes to the store which key it used, and when.
    pub report: Option<Report>,
    /// What counts as good. Default: in_use.
    pub level: Option<Level>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = exclusive(&["url", "urls"]))]
pub struct Http {
    pub url: Option<String>,
    /// Several in place of one: each must prove it.
    pub urls: Option<Vec<String>>,
    /// How many instances must prove it. Default: one answer is enough.
    pub instances: Option<u32>,
    /// A PEM file: trust these authorities alone. Default: the system's.
    pub ca_cert: Option<String>,
    /// Sent as Authorization: Bearer. Default: nothing.
    pub bearer: Option<Reference>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ProveCommand {
    /// The program, by its absolute path, and its arguments.
    pub run: Option<Vec<String>>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Report {
    /// How old a report may be. Default: 20h.
    pub within: Option<Duration>,
}
