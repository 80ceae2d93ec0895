//! From the start to readiness, and what the daemon takes while nothing happens.

use super::{
    Row, Times,
    agent::Agent,
    bare::{self, Bare},
    memory, ms,
    site::{self, Site},
    watch,
};
use crate::world::{Bao, Daemon, Scratch};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const STARTS: usize = 10;

pub async fn rows() -> Vec<Row> {
    let site = Site::build().await;
    let copy = Scratch::new();
    let file = json!({"deliver": {"file": {"path": copy.join("leaf7.key")}}, "prove": "none"});
    let mut daemon = Daemon::new(&mut site.config(json!({"storefront": file})).await);
    let agent = Agent::start(&site).await;
    let (mut starts, mut answers) = (Times::default(), Times::default());
    for _ in 0..STARTS {
        let start = Instant::now();
        daemon.start_logging("warn");
        watch("readiness", async || daemon.get("readyz").await.filter(|(status, _)| *status == 200)).await;
        starts.add(start.elapsed());
        daemon.term().await;
        answers.add(outside(&site).await);
    }
    site::start(&mut daemon).await;
    let ours = starts.p50().saturating_sub(answers.p50());
    vec![
        Row(
            "start to ready, without the outside systems' answers",
            "≤ 50 ms",
            format!("{} (p50 of {STARTS})", ms(ours)),
            format!(
                "{} in all; {} of it the bare IMAP login, AppRole login, two reads and a probe",
                ms(starts.p50()),
                ms(answers.p50())
            ),
        ),
        Row(
            "resident, idle, 1 credential",
            "≤ 15 MiB",
            format!(
                "{}, of which {} are the program's own file",
                memory(daemon.pid(), "VmRSS"),
                memory(daemon.pid(), "RssFile")
            ),
            format!("`bao agent` with one template: {}", memory(agent.pid(), "VmRSS")),
        ),
    ]
}

/// What no start can do without: each over a connection of its own, one after the other.
async fn outside(site: &Site) -> Duration {
    let role = site.bao.approle(&["vendors/*"]).await;
    let bare = Bare::open(site).await;
    let trusted = reqwest::Certificate::from_pem(site.ca.ca_pem().as_bytes()).expect("a certificate");
    let http = reqwest::Client::builder().tls_certs_only([trusted]).no_proxy().build().expect("a client");
    let key = site.vendor.current_key(site.account);
    let start = Instant::now();
    bare::session(site.dovecot.imap.number).await;
    let login = json!({"role_id": role.role_id, "secret_id": role.secret_id});
    let answer = ask(&http, &site.bao, Method::POST, "auth/approle/login", "", &login).await;
    let token = answer["auth"]["client_token"].as_str().expect("a token").to_owned();
    for path in [site::PATH, "keyrelay/leaf7-main"] {
        ask(&http, &site.bao, Method::GET, &format!("secret/data/{path}"), &token, &Value::Null).await;
    }
    bare.probe(site, &key).await;
    start.elapsed()
}

async fn ask(
    http: &reqwest::Client,
    bao: &Bao,
    method: Method,
    path: &str,
    token: &str,
    body: &Value,
) -> Value {
    let request = http.request(method, format!("{}/v1/{path}", bao.address())).json(body);
    let answer = request.header("X-Vault-Token", token).send().await.expect("an answer");
    serde_json::from_slice(&answer.bytes().await.expect("its body")).expect("JSON")
}
