//! From the key readable in the store to the last of a hundred files; beside an agent that renders one.

use super::{Row, Times, agent::Agent, ms, site, site::Site, watch};
use crate::world::{Daemon, Scratch};
use serde_json::{Map, Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
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
    let (mut written, mut read_back, mut rendered) = (Times::default(), Times::default(), Times::default());
    for round in 0..ROTATIONS {
        let new = site.rotate(round).await;
        watch("the new key in the store", async || site.stored(&new).await).await;
        let start = Instant::now();
        let holds = |path: &Path| fs::read(path).is_ok_and(|bytes| bytes == new.expose().as_bytes());
        let mut missing: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
        watch("every file written", async || {
            missing.retain(|path| !holds(path));
            missing.is_empty().then_some(())
        })
        .await;
        written.add(start.elapsed());
        watch("every file read back", async || complete(&daemon.status().await, round + 1)).await;
        read_back.add(start.elapsed());
        watch("the agent's file", async || holds(&agent.file()).then_some(())).await;
        rendered.add(start.elapsed());
        site::settled(&mut daemon, round + 1).await;
    }
    let beside = format!(
        "`bao agent`, one template, looking once a second (by default every 5 min): p50 {}, at most {}",
        ms(rendered.p50()),
        ms(rendered.max())
    );
    let measured = format!(
        "written p50 {}, read back p50 {}, at most {}",
        ms(written.p50()),
        ms(read_back.p50()),
        ms(read_back.max())
    );
    vec![Row("key readable → last of 100 files written and read back", "≤ 250 ms", measured, beside)]
}

fn consumer(path: &Path) -> Value {
    json!({"deliver": {"file": {"path": path}}, "prove": "none"})
}

/// Whether every consumer's copy is known to be right.
fn complete(status: &Value, generation: usize) -> Option<()> {
    let credential = &status["credentials"][0];
    let consumers = credential["consumers"].as_array()?;
    let right = |consumer: &Value| {
        consumer["proof"] == "working_copy" && consumer["fingerprint"] == credential["fingerprint"]
    };
    (credential["generation"] == generation && consumers.iter().all(right)).then_some(())
}
