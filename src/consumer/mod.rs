//! Consumers: handing a key to one, and proving that it works with it. Each adapter does one thing once and says
//! what came of it; when to do it, and what it means, is the core's. A copy in the store and a report are read and
//! written by the shell, and judged here.

pub mod deliver;
mod output;
pub mod prove;
mod run;
pub mod unit;

use crate::domain::{ProofLevel, Secret};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};
use unit::{UnitName, Verb};

/// One consumer of one credential, as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `None`: the consumer fetches the key itself.
    pub deliver: Option<Deliver>,
    /// What is done after each delivery.
    pub then: Option<Then>,
    /// `None`: what the delivery can show by itself.
    pub prove: Option<Prove>,
    /// The level that counts as good; resolved, so always set.
    pub wanted: ProofLevel,
    /// `prove: none` was written: the operator accepts what the delivery shows.
    pub accepted: bool,
    pub host: Option<String>,
}

impl Settings {
    /// The unit that is to be shown to have loaded the file, where that is what counts as good.
    pub fn unit_to_prove(&self) -> Option<(&UnitName, &Path)> {
        match (&self.deliver, &self.then) {
            (Some(Deliver::File { path, .. }), Some(Then::Unit(Verb::Restart, unit)))
                if self.prove.is_none() && self.wanted == ProofLevel::Loaded =>
            {
                Some((unit, path))
            }
            _ => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deliver {
    Store { path: String, field: String, mount: String },
    File { path: PathBuf, form: FileForm, mode: u32, group: Option<String> },
    Command { run: Vec<String>, env: BTreeMap<String, Secret> },
}

/// What makes a consumer take up what was delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Then {
    Exec(Vec<String>),
    Unit(Verb, UnitName),
}

/// A file's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileForm {
    /// The key, without a newline.
    Bare,
    /// `NAME=KEY` and one newline.
    Env(String),
    /// The text with `{key}` replaced, nothing added.
    Template(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prove {
    Http { urls: Vec<String>, instances: Option<u32>, ca_cert: Option<PathBuf>, bearer: Option<Secret> },
    Command { run: Vec<String> },
    Report { within: Duration },
}
