//! The metrics, read by those who will read them: Prometheus itself, and the strictest reader of OpenMetrics that
//! there is.

use super::fixtures;
use crate::{
    rotation::{
        consumers::{FileConsumer, all_in_use},
        stage::Stage,
    },
    world::{Port, Scratch, Server, run, tool, until},
};
use keyrelay::face::metrics::{self, Counted};
use serde_json::{Value, json};
use std::path::Path;
use tokio::process::Command;

/// Prints each family's name, and each sample; fails where a rule of the format is broken.
const READER: &str = "
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
for family in text_string_to_metric_families(sys.stdin.read()):
    assert family.documentation, family.name
    for sample in family.samples:
        print(sample.name, *(f'{name}={value}' for name, value in sorted(sample.labels.items())), sample.value)
";

async fn read_strictly(text: &str) -> Vec<String> {
    let ran = run(Command::new(tool("python")).args(["-c", READER]), text.as_bytes()).await;
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    ran.stdout.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn the_text_keeps_every_rule_of_the_format_with_credentials_in_every_phase() {
    for fleet in
        [fixtures::every_phase(), fixtures::calm(), fixtures::urgent(), fixtures::twenty(), fixtures::wide()]
    {
        let samples = read_strictly(&metrics::exposition(&fleet.status, &Counted::default())).await;
        for credential in &fleet.status.credentials {
            let (name, phase) = (&credential.name, &credential.phase);
            let expected = format!("keyrelay_credential_phase credential={name} phase={phase} 1.0");
            assert!(samples.contains(&expected), "{expected}");
        }
    }
    let odd = format!("{}x", metrics::exposition(&fixtures::calm().status, &Counted::default()));
    let ran = run(Command::new(tool("python")).args(["-c", READER]), odd.as_bytes()).await;
    assert_eq!(ran.code, Some(1), "the reader refuses what is no OpenMetrics");
}

#[tokio::test]
async fn a_large_fleet_has_a_bounded_number_of_series() {
    let mut fleet = fixtures::twenty();
    let count = |fleet: &fixtures::Fleet| {
        let text = metrics::exposition(&fleet.status, &Counted::default());
        text.lines().filter(|line| !line.starts_with('#')).count()
    };
    let twenty = count(&fleet);
    let names = (0..20).map(|number| format!("more-{number}").parse().expect("a name"));
    let more: Vec<_> = fleet
        .status
        .credentials
        .iter()
        .zip(names)
        .map(|(like, name)| keyrelay::face::status::Credential { name, ..like.clone() })
        .collect();
    fleet.status.credentials.extend(more);
    let (each, rest) = ((count(&fleet) - twenty) / 20, twenty % 20);
    println!("{each} series for a credential with three consumers, {twenty} for twenty");
    assert!(each <= 60, "{each} series for each credential");
    assert!(rest + 20 * each <= twenty, "what belongs to no credential is counted once");
}

#[tokio::test]
async fn prometheus_itself_scrapes_a_running_daemon_and_its_rules_hold() {
    let mut stage = Stage::build().await;
    let slot = stage.slot("main");
    let key = stage.seed(&slot).await;
    let shop = FileConsumer::add(&mut stage, &slot, "shop").await;
    shop.put(&key);
    stage.start().await;
    stage.wait(&slot, "the shop is tested", |found| all_in_use(found, &["shop"], &key).then_some(())).await;
    let prometheus = Prometheus::start(&stage.daemon.url());
    let up = prometheus.wait("up").await;
    assert_eq!(up[0]["value"][1], "1", "{up}");
    let good = prometheus.wait("keyrelay_consumer_proven{credential=\"main\",consumer=\"shop\"}").await;
    assert_eq!(good[0]["value"][1], "1", "{good}");
    let alive = prometheus.wait("keyrelay_probes_total{credential=\"main\",verdict=\"alive\"} > 0").await;
    assert_eq!(alive[0]["metric"]["job"], "keyrelay", "{alive}");

    stage.date_from_now();
    let (old, new) = stage.rotate(&slot);
    stage.confirm(&slot, 0, &old, &new).await;
    stage.wait(&slot, "the shop is tested", |found| all_in_use(found, &["shop"], &new).then_some(())).await;
    let margin = prometheus.wait("keyrelay_credential_last_margin_seconds > 3600").await;
    assert_eq!(margin[0]["metric"]["credential"], "main", "{margin}");
    prometheus.wait("keyrelay_rotations_total == 1").await;
    prometheus.wait("sum(keyrelay_rotation_margin_seconds_bucket{le=\"+Inf\"}) == 1").await;

    let rules = prometheus.get("rules").await;
    let rules = rules["data"]["groups"][0]["rules"].as_array().expect("rules").clone();
    assert!(rules.len() > 10, "{rules:?}");
    for rule in &rules {
        assert_ne!(rule["health"], "err", "{rule}");
    }
    let info = stage.daemon.get("metrics").await.expect("an answer").1;
    assert!(!info.contains(&new.fingerprint().hex()), "no fingerprint is a label");
    // A restart goes on with what the last rotation left.
    stage.restart().await;
    until("the margin is remembered", async || {
        let text = stage.daemon.get("metrics").await?.1;
        text.contains("keyrelay_credential_last_margin_seconds{credential=\"main\"}").then_some(())
    })
    .await;
    stage.end().await;
}

struct Prometheus {
    _server: Server,
    _dir: Scratch,
    url: String,
    http: reqwest::Client,
}

impl Prometheus {
    /// With the rules that we give away.
    fn start(url: &str) -> Self {
        let (dir, port) = (Scratch::new(), Port::free());
        let target = url.strip_prefix("http://").expect("a URL");
        let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/monitoring/alerts.yml");
        let config = json!({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [rules],
            "scrape_configs": [{"job_name": "keyrelay", "static_configs": [{"targets": [target]}]}],
        });
        dir.write("prometheus.yml", &config.to_string());
        let args = [
            format!("--config.file={}", dir.join("prometheus.yml").display()),
            format!("--storage.tsdb.path={}", dir.join("data").display()),
            format!("--web.listen-address=127.0.0.1:{}", port.number),
        ];
        let server = Server::start(&tool("prometheus"), args, &[], &dir.join("log"));
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        Self { _server: server, _dir: dir, url: format!("http://127.0.0.1:{}/api/v1", port.number), http }
    }
    async fn get(&self, what: &str) -> Value {
        let url = format!("{}/{what}", self.url);
        let answer = async { self.http.get(&url).send().await.ok()?.json().await.ok() };
        answer.await.unwrap_or_default()
    }
    /// Waits until a query has a result.
    async fn wait(&self, query: &str) -> Value {
        let encoded: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
        until(&format!("Prometheus: {query}"), async || {
            let answer = self.get(&format!("query?query={encoded}")).await;
            let result = answer["data"]["result"].clone();
            result.as_array().is_some_and(|found| !found.is_empty()).then_some(result)
        })
        .await
    }
}
