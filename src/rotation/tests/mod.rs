//! The transition table, as sentences. A bench feeds events into a fleet and writes down every effect as one line; the
//! world beside it (store, vendor, consumers, spool) answers them. Each test says exactly which lines come out.

mod alerts;
mod bench;
mod beside;
mod by_api;
mod by_api_judged;
mod by_api_killed;
mod by_api_refused;
mod by_api_scheduled;
mod by_operator;
mod calls;
mod clock;
mod consumers;
mod copies;
mod ends;
mod expecting;
mod first_start;
mod fleet;
mod foreign;
mod gallery;
mod incidents;
mod judging;
mod lines;
mod loaded;
mod login;
mod mailboxes;
mod mailed;
mod observing;
mod operator;
mod parked;
mod perform;
mod probe_off;
mod properties;
mod put_aside;
mod restart;
mod rollback;
mod schema;
mod set_back;
mod store;
mod stories;
mod tidying;
mod unrevoked;
mod world;

use crate::domain::{Fingerprint, Timestamp};
use std::time::Duration;

const SEC: Duration = Duration::from_secs(1);
const MIN: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
/// 2026-11-21T09:00:00Z, a whole hour.
const START: Timestamp = Timestamp::from_secs(1_795_251_600);

/// The n-th key of the story.
fn key(n: u64) -> Fingerprint {
    format!("{n:016x}").parse().unwrap()
}
fn weak(n: u64) -> Fingerprint {
    format!("{n:016x}?").parse().unwrap()
}
/// `K1` of the first key.
fn name_of(fingerprint: Fingerprint) -> String {
    format!("K{}", u64::from_str_radix(&fingerprint.hex(), 16).unwrap())
}
