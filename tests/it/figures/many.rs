//! A thousand credentials with ten consumers each.

use super::{Row, memory, site::Site};
use crate::world::{Daemon, Scratch, until};
use serde_json::{Map, Value, json};

const CREDENTIALS: usize = 1_000;
const CONSUMERS: usize = 10;

pub async fn rows() -> Vec<Row> {
    let site = Site::build().await;
    let copies = Scratch::new();
    let mut config = site.config(json!({})).await;
    for number in 0..CREDENTIALS {
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
    config.remove("credentials.leaf7-main");
    let mut daemon = Daemon::new(&mut config);
    daemon.start_logging("warn");
    until("the daemon answers", async || daemon.get("healthz").await).await;
    // Each key is written before the next is asked for: a document in the store, ten files, and the state.
    let mut settled = 0;
    while settled < CREDENTIALS {
        let before = settled;
        settled = until("more credentials are settled", async || {
            let now = count(&daemon.status().await);
            (now > before).then_some(now)
        })
        .await;
    }
    vec![Row(
        "resident, idle, 1,000 credentials × 10 consumers",
        "≤ 40 MiB",
        format!("{} (at most {})", memory(daemon.pid(), "VmRSS"), memory(daemon.pid(), "VmHWM")),
        "—".into(),
    )]
}

/// Credentials whose consumers all have their copy.
fn count(status: &Value) -> usize {
    let right = |consumer: &Value| consumer["proof"] == "working_copy";
    let complete = |credential: &&Value| {
        credential["consumers"].as_array().is_some_and(|all| all.len() == CONSUMERS && all.iter().all(right))
    };
    status["credentials"].as_array().map_or(0, |all| all.iter().filter(complete).count())
}
