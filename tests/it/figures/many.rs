//! A thousand credentials with ten consumers each.

use super::{Row, memory, processor_time, site::Site, watch_for};
use crate::world::{Config, Daemon, Scratch, moment, until};
use keyrelay::domain::Timestamp;
use serde_json::{Map, Value, json};
use std::time::{Duration, SystemTime};

const CREDENTIALS: usize = 1_000;
const CONSUMERS: usize = 10;
const MIN: Duration = Duration::from_secs(60);

pub async fn rows() -> Vec<Row> {
    let site = Site::build().await;
    let copies = Scratch::new();
    let mut config = site.config(json!({})).await;
    config.remove("credentials.leaf7-main");
    for number in 0..CREDENTIALS {
        credential(&site, &copies, &mut config, number).await;
    }
    // The default but for its minute, which would be too far away.
    let prove_at = minute() + 8;
    config.set("schedules", json!({"consumer_prove": format!("{} * * * *", prove_at % 60)}));
    let mut daemon = Daemon::new(&mut config);
    daemon.start_logging("warn");
    until("the daemon answers", async || daemon.get("healthz").await).await;
    let all = "all consumers have their copy";
    watch_for(all, 10 * MIN, async || (count(&daemon.status().await) == CREDENTIALS).then_some(())).await;
    assert!(minute() < prove_at, "the schedule has come before it can be measured");
    watch_for("the schedule", 10 * MIN, async || (minute() + 1 >= prove_at && second() >= 50).then_some(()))
        .await;
    let scheduled = share(&daemon, 10 * MIN).await;
    // No probe of keys goes on then, and no poll.
    let calm = async || ((2..9).contains(&(minute() % 10)) && (5..8).contains(&second())).then_some(());
    watch_for("a calm minute", 10 * MIN, calm).await;
    let resident = format!("{} (at most {})", memory(daemon.pid(), "VmRSS"), memory(daemon.pid(), "VmHWM"));
    let between = share(&daemon, Duration::from_secs(50)).await;
    vec![
        Row("resident, idle, 1,000 credentials × 10 consumers", "≤ 40 MiB", resident, "—".into()),
        Row("processor time, 1,000 credentials × 10 consumers, between ticks", "≤ 0.2 % of a core", between, "50 s".into()),
        Row(
            "… with the default schedules",
            "≤ 2 % of a core",
            scheduled,
            "10 minutes with one proof of every consumer, which comes once an hour, one probe of every key and ten polls".into(),
        ),
    ]
}

async fn credential(site: &Site, copies: &Scratch, config: &mut Config, number: usize) {
    let project = format!("00000000-0000-4000-8000-{number:012}");
    let account = site.vendor.new_account(&format!("customer-{number}"), &[&project]);
    let path = format!("vendors/leaf7/{number}");
    site.bao.write(&path, json!({"api_key": site.vendor.current_key(account).expose()})).await;
    let consumers: Map<_, _> = (0..CONSUMERS)
        .map(|n| {
            let file = copies.join(&format!("{number}-{n}.key"));
            (format!("copy-{n}"), json!({"deliver": {"file": {"path": file}}, "prove": "none"}))
        })
        .collect();
    config.set(
        &format!("credentials.customer-{number}"),
        json!({"vendor": "leaf7", "path": path, "recipient": [format!("{number}@example.com")],
            "consumers": consumers}),
    );
}

/// Credentials whose consumers all have their copy.
fn count(status: &Value) -> usize {
    let right = |consumer: &Value| consumer["proof"] == "working_copy";
    let complete = |credential: &&Value| {
        credential["consumers"].as_array().is_some_and(|all| all.len() == CONSUMERS && all.iter().all(right))
    };
    status["credentials"].as_array().map_or(0, |all| all.iter().filter(complete).count())
}

/// Of a core, in percent. Nobody asks the daemon anything meanwhile.
async fn share(daemon: &Daemon, span: Duration) -> String {
    let before = processor_time(daemon.pid());
    moment(span).await;
    let took = processor_time(daemon.pid()) - before;
    format!("{:.2} %", 100.0 * took.as_secs_f64() / span.as_secs_f64())
}

/// Minutes since 1970.
fn minute() -> i64 {
    Timestamp::from(SystemTime::now()).as_secs() / 60
}
fn second() -> i64 {
    Timestamp::from(SystemTime::now()).as_secs() % 60
}
