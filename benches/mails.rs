//! What the worst mails cost to decide: `cargo bench --bench mails`, which `scripts/bench` runs. The goal is 100 ms and
//! 64 MiB for any mail of a mebibyte.

#![expect(unsafe_code, reason = "an allocator that counts is unsafe to write")]

use keyrelay::{
    demo::{
        sign::Signer,
        worst::{SUBJECTS, WORST, many_signatures, with_subject},
    },
    domain::{Finding, Key, Limits},
    mail::{RawMail, TxtAnswer, TxtAnswers},
    vendor::{Expectation, Profile, Recognised, recognise, resolve},
};
use std::{
    alloc::{GlobalAlloc, Layout, System},
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::{Duration, Instant},
};

/// The system's allocator, counted.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator as it came; only numbers are kept.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        MOST.fetch_max(NOW.fetch_add(layout.size(), Relaxed) + layout.size(), Relaxed);
        // SAFETY: as it came.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as it came.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Each mail is decided so often; the fastest counts, the others were disturbed.
const TIMES: usize = 5;

struct Room {
    signer: Signer,
    answers: TxtAnswers,
    profile: Profile,
    key: Key,
}

impl Room {
    fn new() -> Self {
        let signer = Signer::generate("leaf7.fun", "s1").expect("a key");
        let (name, record) = signer.txt_record();
        let mut profiles = resolve(&BTreeMap::new()).expect("the built-in profiles");
        Self {
            signer,
            answers: TxtAnswers::from([(name, TxtAnswer::Found(vec![record]))]),
            profile: profiles.remove(&"leaf7".parse().expect("a name")).expect("leaf7's"),
            key: Key::parse("l7_0a1b2c3d4e5f60718293a4b5c6d7e8f9").expect("a key"),
        }
    }

    /// How long it takes, how much it needs besides the mail, and what comes of it.
    fn decide(&self, mail: &[u8], with_shape: bool) -> (Duration, usize, Recognised) {
        let raw = RawMail {
            bytes: mail.to_vec().into(),
            size: mail.len(),
            header_only: false,
            arrived_at: "2026-11-20T09:00:10Z".parse().expect("a time"),
            folder: "INBOX".into(),
            junk: false,
            place: "1/1".into(),
        };
        let (credential, known, done) = (
            "leaf7-main".parse().expect("a name"),
            BTreeSet::from([self.key.fingerprint()]),
            BTreeSet::new(),
        );
        let shape = self.key.shape();
        let expected = Expectation {
            credential: &credential,
            recipients: &["rotation@example.com".to_owned()],
            authserv_ids: &[],
            others: &[],
            known: &known,
            done: &done,
            shape: with_shape.then_some(&shape),
        };
        let before = NOW.load(Relaxed);
        MOST.store(before, Relaxed);
        let began = Instant::now();
        let recognised = recognise(&raw, &self.answers, &self.profile, &expected, &Limits::default());
        (began.elapsed(), MOST.load(Relaxed) - before, recognised)
    }
}

fn outcome(finding: &Finding) -> String {
    match finding {
        Finding::NewKey(_) => "a new key".into(),
        Finding::Warning(_) => "a warning".into(),
        Finding::Known { .. } => "a known key".into(),
        Finding::Held { why, .. }
        | Finding::Wait { why, .. }
        | Finding::Suspicious { why, .. }
        | Finding::Unparsed { why, .. }
        | Finding::NotOurs { why, .. } => why.clone(),
    }
}

fn main() {
    let room = Room::new();
    let mut mails: Vec<(&str, Vec<u8>)> =
        WORST.iter().map(|worst| (worst.name, worst.mail(&room.signer))).collect();
    mails.push(("ten signatures", many_signatures(&room.signer)));
    mails.extend(SUBJECTS.iter().map(|(name, subject)| (*name, with_subject(&room.signer, &subject()))));
    let mut rows = Vec::new();
    for (name, mail) in &mails {
        let runs = (0..2 * TIMES).map(|nth| room.decide(mail, nth % 2 == 0));
        let mut runs: Vec<_> = runs.collect();
        // With and without a key to compare with; the worse of the two.
        let fastest = |runs: &[(Duration, usize, Recognised)], with: usize| {
            runs.iter().skip(with).step_by(2).map(|run| run.0).min().unwrap_or_default()
        };
        let time = fastest(&runs, 0).max(fastest(&runs, 1));
        let bytes = runs.iter().map(|run| run.1).max().unwrap_or_default();
        rows.push((time, bytes, *name, mail.len(), outcome(&runs.remove(0).2.finding)));
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.0));
    println!("\n| mail | KiB | ms | MiB | decided |\n| --- | --- | --- | --- | --- |");
    for (time, bytes, name, size, outcome) in &rows {
        let (ms, mib) = (time.as_secs_f64() * 1e3, *bytes as f64 / 1_048_576.0);
        println!("| {name} | {} | {ms:.1} | {mib:.1} | {outcome} |", size / 1024);
    }
}
