//! Fleets as they may be at some moment, made of the documents that the daemon would show.

use keyrelay::{
    domain::{CredentialName, Timestamp},
    face::{
        status::Status,
        web::{self, Past},
    },
    rotation::Record,
};
use serde_json::{Value, json};
use std::time::Duration;

pub const NOW: Timestamp = Timestamp::from_secs(1_795_251_600); // 2026-11-21T09:00:00Z
pub const HOUR: i64 = 3_600;
pub const DAY: i64 = 24 * HOUR;

/// A moment so many seconds from now.
pub fn at(secs: i64) -> String {
    Timestamp::from_secs(NOW.as_secs() + secs).to_string()
}

pub struct Fleet {
    pub name: &'static str,
    pub status: Status,
    pub past: Past,
}

impl Fleet {
    fn new(name: &'static str, credentials: Vec<Value>, past: Vec<(&str, Value)>) -> Self {
        let document = json!({
            "schema": 1, "generated_at": at(0),
            "daemon": {"version": "0.2.0", "host": "relay-1", "role": "active", "since": at(-9 * DAY)},
            "store": {"reachable": true, "since": at(-9 * DAY), "last_ok_at": at(-20)},
            "mailboxes": [{"name": "vendor-mail", "ok": true, "last_ok_at": at(-30), "last_notice_at": at(-2 * DAY)}],
            "alerts": {"last_sent_at": at(-2 * DAY), "queued": 0}, "incidents": [], "credentials": credentials,
        });
        let past = past.into_iter().map(|(name, record)| {
            let record: Record = serde_json::from_value(record).expect("a record");
            (name.parse::<CredentialName>().expect("a name"), vec![record])
        });
        Self {
            name,
            status: serde_json::from_value(document).expect("a status document"),
            past: past.collect(),
        }
    }
    pub fn page(&self) -> String {
        web::page(&self.status, &self.past)
    }
}

/// What a credential is when nothing is under way.
pub fn credential(name: &str, rotated: i64, consumers: Vec<Value>) -> Value {
    let fingerprint = format!(
        "{:016x}",
        0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(name.len() as u64 + rotated.unsigned_abs())
    );
    json!({
        "name": name, "vendor": "leaf7", "phase": "steady", "parked": null, "retiring": false,
        "fingerprint": fingerprint, "generation": 7, "rotation_id": "01KAJ3Q2M80000000000000007",
        "rotated_at": at(rotated), "grace_until": null, "next_rotation_expected_at": at(rotated + 7 * DAY),
        "announced_at": null, "deadline_at": null, "last_signal_at": at(rotated), "account": ["p-1"],
        "last_probe": {"verdict": "alive", "at": at(-240)}, "held": [], "consumers": consumers, "incidents": [],
    })
}

/// Tested in use since so many seconds ago, and last a quarter of an hour ago.
pub fn in_use(name: &str, since: i64) -> Value {
    json!({
        "name": name, "fingerprint": "0123456789abcdef", "proof": "in_use", "instances": {"proven": 1, "wanted": null},
        "wanted": "in_use", "at": at(-900), "since": at(since), "stale": false, "error": null, "next_try_at": null,
        "elsewhere": false,
    })
}
pub fn unproven(name: &str, error: &str) -> Value {
    let mut consumer = in_use(name, -6 * DAY);
    consumer["proof"] = json!("unproven");
    consumer["fingerprint"] = json!("fedcba9876543210");
    consumer["at"] = json!(at(-20 * HOUR));
    consumer["error"] = json!(error);
    consumer["next_try_at"] = json!(at(140));
    consumer
}
pub fn copied(name: &str, since: i64) -> Value {
    let mut consumer = in_use(name, since);
    (consumer["proof"], consumer["wanted"]) = (json!("working_copy"), json!("working_copy"));
    consumer
}

pub fn calm() -> Fleet {
    let shop = vec![
        in_use("storefront", -2 * DAY + 9),
        in_use("web-shop", -2 * DAY + 41),
        copied("nightly-ci", -2 * DAY + 3),
    ];
    let bot = vec![in_use("discord-bot", -5 * DAY + 12)];
    let credentials = vec![credential("leaf7-main", -2 * DAY, shop), credential("leaf7-bot", -5 * DAY, bot)];
    Fleet::new("calm", credentials, vec![("leaf7-main", record(-2 * DAY, 86_040))])
}

/// The old key works for 19 more hours; one consumer is still on it, and it is early.
pub fn grace() -> Fleet {
    let mut slow = unproven("billing-worker", "");
    slow["error"] = Value::Null;
    let consumers = vec![in_use("storefront", -5 * HOUR + 12), slow, in_use("web-shop", -3 * HOUR)];
    let mut main = credential("leaf7-main", -5 * HOUR, consumers);
    main["phase"] = json!("handing_over");
    main["grace_until"] = json!(at(19 * HOUR));
    main["deadline_at"] = json!(at(19 * HOUR - 300));
    Fleet::new("grace", vec![main], vec![("leaf7-main", record(-5 * HOUR, 0))])
}

/// Two hours are left, one consumer refuses, another is unheard of; something is held, and the mail server is away.
pub fn urgent() -> Fleet {
    let error = "https://shop.internal/keyrelay: no answer within 10 s";
    let consumers = vec![
        in_use("storefront", -22 * HOUR + 10),
        unproven("web-shop", error),
        copied("nightly-ci", -22 * HOUR),
    ];
    let mut main = credential("leaf7-main", -22 * HOUR, consumers);
    main["phase"] = json!("handing_over");
    main["grace_until"] = json!(at(2 * HOUR));
    main["deadline_at"] = json!(at(2 * HOUR - 300));
    main["incidents"] = json!([{
        "code": "consumer-unproven", "severity": "urgent", "since": at(-21 * HOUR), "credential": "leaf7-main",
        "message": "web-shop was not shown to work with the new key, and the old one dies soon",
        "hint": "look at web-shop, then:\nkeyrelay prove leaf7-main --consumer web-shop", "until": at(2 * HOUR - 300), "count": 1,
    }]);
    let mut bot = credential("leaf7-bot", -6 * DAY, vec![in_use("discord-bot", -6 * DAY + 12)]);
    bot["phase"] = json!("announced");
    bot["announced_at"] = json!(at(-3 * HOUR));
    bot["next_rotation_expected_at"] = json!(at(21 * HOUR));
    bot["held"] = json!([{"fingerprint": "00112233aabbccdd", "from": "mail", "why": "no signature of a pinned domain",
        "origin": "a mail from security@leaf7.fun", "last_probe": {"verdict": "alive", "at": at(-600)}, "account": ["p-9"]}]);
    bot["incidents"] = json!([{
        "code": "candidate-held", "severity": "warning", "since": at(-700), "credential": "leaf7-bot",
        "message": "a key is held for leaf7-bot: no signature of a pinned domain",
        "hint": "if it is yours:\nkeyrelay accept leaf7-bot 00112233aabbccdd", "until": null, "count": 1,
    }]);
    let mut fleet = Fleet::new("urgent", vec![bot, main], vec![("leaf7-main", record(-22 * HOUR, 0))]);
    fleet.status.mailboxes[0].ok = false;
    fleet.status.alerts.queued = 2;
    fleet
}

/// A good day: one credential in its grace with one consumer to go, the others in order.
pub fn hand_over() -> Fleet {
    let mut main = grace().status.credentials.remove(0);
    main.consumers.sort_by_key(|consumer| consumer.proof);
    main.consumers.reverse();
    let main = serde_json::to_value(main).expect("JSON");
    let others =
        [("leaf7-bot", -6), ("leaf7-ci", -1), ("leaf7-crm", -3), ("leaf7-search", -4), ("leaf7-staging", -2)];
    let others = others.into_iter().map(|(name, days)| {
        let rotated = days * DAY - 5 * HOUR;
        credential(name, rotated, vec![in_use("api", rotated + 9), copied("cron", rotated + 5)])
    });
    let credentials = others.chain([main]).collect();
    Fleet::new("hand-over", credentials, vec![("leaf7-main", record(-5 * HOUR, 0))])
}

/// Twenty credentials, one of them handing over.
pub fn twenty() -> Fleet {
    let mut credentials: Vec<Value> = (0..19)
        .map(|number| {
            let rotated = -(number * 8 + 3) * HOUR;
            let consumers =
                vec![in_use("api", rotated + 9), in_use("worker", rotated + 60), copied("cron", rotated + 5)];
            credential(&format!("leaf7-shop-{number:02}"), rotated, consumers)
        })
        .collect();
    credentials
        .extend(grace().status.credentials.first().map(|one| serde_json::to_value(one).expect("JSON")));
    Fleet::new("twenty", credentials, Vec::new())
}

/// The longest names that the configuration allows, and texts without a blank.
pub fn wide() -> Fleet {
    let long = "a-name-of-sixty-three-characters-which-is-as-long-as-one-may-be";
    let error = format!("https://{}.example.com/keyrelay said nothing", "subdomain".repeat(12));
    let consumers = vec![unproven(long, &error), in_use("short", -DAY)];
    let mut credential = credential(long, -DAY, consumers);
    credential["incidents"] = json!([{
        "code": "consumer-unproven", "severity": "warning", "since": at(-HOUR), "credential": long, "message": error,
        "hint": format!("keyrelay prove {long} --consumer {long}"), "until": at(HOUR), "count": 3,
    }]);
    let mut fleet = Fleet::new("wide", vec![credential], Vec::new());
    fleet.status.daemon.host = format!("{}.example.com", "host".repeat(14));
    fleet
}

/// One credential in each phase, with all that a credential can have.
pub fn every_phase() -> Fleet {
    let phases = ["unseeded", "steady", "announced", "probing", "storing", "handing_over", "parked"];
    let credentials = phases.into_iter().map(|phase| {
        let mut like = urgent().status.credentials.remove(1);
        like.name = format!("in-{}", phase.replace('_', "-")).parse().expect("a name");
        like.phase = phase.into();
        like.parked = (phase == "parked").then(|| "held".into());
        like.retiring = phase == "handing_over";
        like.announced_at = Some(NOW - Duration::from_secs(60));
        if phase == "unseeded" {
            (like.fingerprint, like.rotated_at, like.last_probe) = (None, None, None);
            (like.deadline_at, like.grace_until, like.next_rotation_expected_at) = (None, None, None);
            like.consumers.clear();
        }
        serde_json::to_value(like).expect("JSON")
    });
    Fleet::new("every-phase", credentials.collect(), Vec::new())
}

/// A rotation that was warned of a day before; `margin_secs`: 0 for one that is not through.
fn record(rotated: i64, margin_secs: i64) -> Value {
    let phase = |phase: &str, secs: i64| json!({"phase": phase, "at": at(rotated + secs)});
    let phases = [
        phase("announced", -DAY),
        phase("probing", 1),
        phase("storing", 2),
        phase("handing_over", 2),
        phase("steady", 60),
    ];
    json!({
        "rotation_id": "01KAJ3Q2M80000000000000007", "kind": "rotation", "trigger": null, "phases": phases,
        "old_fingerprint": null, "new_fingerprint": null, "generation": 7, "store_version": 9, "consumers": [],
        "margin_secs": (margin_secs > 0).then_some(margin_secs),
    })
}
