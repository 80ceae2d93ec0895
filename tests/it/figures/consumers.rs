//! From the key readable in the store to the last of a hundred files; beside an agent that renders one.

use super::{Row, Times, agent::Agent, ms, site, site::Site};
use crate::world::{Daemon, Scratch, until};
use keyrelay::domain::Timestamp;
use serde_json::{Map, Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};

const CONSUMERS: usize = 100;
const ROTATIONS: usize = 10;

pub async fn rows() -> Vec<Row> {
    let mut site = Site::build().await;
    let copies = Scratch::new();
    let paths: Vec<PathBuf> = (0..CONSUMERS).map(|n| copies.join(&format!("{n}.key"))).collect();
    let consumers: Map<_, _> = (0..CONSUMERS).map(|n| (format!("copy-{n}"), consumer(&paths[n]))).collect();
    let mut daemon = Daemon::new(&mut site.config(Value::Object(consumers)).await);
    site::start(&mut daemon).await;
    let agent = Agent::start(&site).await;
    let (mut ours, mut agents) = (Times::default(), Times::default());
    for round in 0..ROTATIONS {
        let new = site.rotate(round).await;
        site::settled(&mut daemon, round + 1).await;
        let holds = |path: &Path| fs::read(path).is_ok_and(|bytes| bytes == new.expose().as_bytes());
        assert!(paths.iter().all(|path| holds(path)), "a file without the key");
        until("the agent's file", async || holds(&agent.file()).then_some(())).await;
        let (_, stored_at) = site.promoted().await;
        ours.add(last_read_back(&daemon).since(stored_at));
        let rendered = fs::metadata(agent.file()).and_then(|file| file.modified()).expect("a file's time");
        agents.add(Timestamp::from(rendered).since(stored_at));
    }
    let beside = format!(
        "`bao agent`, one template, looking once a second (by default every 5 min): p50 {}, at most {}",
        ms(agents.p50()),
        ms(agents.max())
    );
    let measured = format!("p50 {}, at most {}", ms(ours.p50()), ms(ours.max()));
    vec![Row("key written → last of 100 files written and read back", "≤ 250 ms", measured, beside)]
}

fn consumer(path: &Path) -> Value {
    json!({"deliver": {"file": {"path": path}}, "prove": "none"})
}

/// When the last consumer's copy was read back, by the history's newest record.
fn last_read_back(daemon: &Daemon) -> Timestamp {
    let history = daemon.state_dir().join("history/leaf7-main.jsonl");
    let history = fs::read_to_string(history).expect("a history");
    let record: Value = serde_json::from_str(history.lines().last().expect("a record")).expect("JSON");
    let consumers = record["consumers"].as_array().expect("consumers");
    assert_eq!(consumers.len(), CONSUMERS);
    let at = |consumer: &Value| serde_json::from_value(consumer["at"].clone()).expect("a time");
    consumers.iter().map(at).max().expect("a consumer")
}
