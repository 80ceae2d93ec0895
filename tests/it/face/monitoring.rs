//! The files for Prometheus and Grafana: their rules hold what their tests say, and they speak of nothing that is not
//! there.

use super::fixtures;
use crate::world::{Ran, Scratch, run, tool};
use keyrelay::face::metrics::{self, Counted};
use regex::Regex;
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};
use tokio::process::Command;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/monitoring").join(name)
}
fn text(name: &str) -> String {
    fs::read_to_string(file(name)).expect("a file")
}
fn dashboard() -> Value {
    serde_json::from_str(&text("grafana.json")).expect("a JSON document")
}

async fn promtool(args: &[&str]) -> Ran {
    run(Command::new(tool("promtool")).args(args).current_dir(file("")), b"").await
}

#[tokio::test]
async fn the_rules_are_sound_and_hold_their_tests_and_each_has_one() {
    let ran = promtool(&["check", "rules", "alerts.yml"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let ran = promtool(&["test", "rules", "alerts_test.yml"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let (rules, tests) = (text("alerts.yml"), text("alerts_test.yml"));
    let names = Regex::new(r"alert: (\w+)").expect("a pattern");
    for (_, [name]) in names.captures_iter(&rules).map(|found| found.extract()) {
        let line = format!("alertname: {name}\n");
        let tested = tests.split(&line).skip(1);
        assert!(
            tested.map(|rest| rest.trim_start()).any(|rest| rest.starts_with("exp_alerts:")),
            "{name} is never seen to fire"
        );
    }
}

#[test]
fn rules_and_dashboard_speak_of_metrics_that_exist_and_the_table_of_all() {
    let exposed = exposed();
    let pattern = Regex::new(r"\b(?:keyrelay|process)_[a-z_]*[a-z]\b").expect("a pattern");
    let named = |text: &str| -> BTreeSet<String> {
        pattern.find_iter(text).map(|found| found.as_str().to_owned()).collect()
    };
    for name in ["alerts.yml", "alerts_test.yml", "grafana.json"] {
        let unknown: Vec<_> = named(&text(name)).difference(&exposed).cloned().collect();
        assert_eq!(unknown, Vec::<String>::new(), "{name}");
    }
    let readme = text("README.md");
    let rows: String = readme.lines().filter(|line| line.starts_with("| `")).collect();
    let histogram = |name: &String| !["_bucket", "_sum", "_count"].iter().any(|end| name.ends_with(end));
    let mut all: BTreeSet<String> = exposed.into_iter().filter(histogram).collect();
    all.insert("keyrelay_rotation_margin_seconds".into());
    assert_eq!(named(&rows), all, "README.md");
}

/// The names of all series, of a fleet that has everything.
fn exposed() -> BTreeSet<String> {
    let counted = Counted::default();
    let mut status = fixtures::every_phase().status;
    status.incidents.extend(status.credentials[1].incidents.clone());
    counted.remember_margin(&status.credentials[0].name, 1);
    let text = metrics::exposition(&status, &counted);
    let names =
        text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split(['{', ' ']).next());
    names.map(str::to_owned).collect()
}

#[tokio::test]
async fn every_query_of_the_dashboard_is_one() {
    let mut queries: Vec<String> = Vec::new();
    let dashboard = dashboard();
    for panel in dashboard["panels"].as_array().expect("panels") {
        let targets = panel["targets"].as_array().expect("targets");
        queries.extend(targets.iter().map(|target| target["expr"].as_str().expect("a query").to_owned()));
    }
    queries.push(dashboard["annotations"]["list"][0]["expr"].as_str().expect("a query").to_owned());
    assert!(queries.len() > 15, "{queries:?}");
    let rules = queries.iter().enumerate().map(|(number, query)| {
        let query = query.replace("$instance", ".*").replace("$credential", ".*");
        serde_json::json!({"record": format!("dashboard:query_{number}"), "expr": query})
    });
    let group = serde_json::json!({"groups": [{"name": "dashboard", "rules": rules.collect::<Vec<_>>()}]});
    let dir = Scratch::new();
    let path = dir.write("rules.yml", &group.to_string());
    let ran = promtool(&["check", "rules", path.to_str().expect("a path")]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

#[test]
fn the_dashboards_panels_have_names_and_places_of_their_own() {
    let dashboard = dashboard();
    assert!(dashboard["schemaVersion"].as_u64().is_some_and(|version| version >= 36));
    assert_eq!(dashboard["id"], Value::Null, "an id is of one Grafana alone");
    let panels = dashboard["panels"].as_array().expect("panels");
    let (mut ids, mut titles, mut cells) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for panel in panels {
        let title = panel["title"].as_str().expect("a title");
        assert!(titles.insert(title), "{title} twice");
        assert!(ids.insert(panel["id"].as_u64().expect("an id")), "{title}: its id is another's");
        assert_eq!(panel["datasource"]["uid"], "${source}", "{title}: of whichever Prometheus");
        let place = |name: &str| panel["gridPos"][name].as_u64().expect("a place");
        let (x, y, w, h) = (place("x"), place("y"), place("w"), place("h"));
        assert!(x + w <= 24, "{title} is too wide");
        for cell in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
            assert!(cells.insert(cell), "{title} lies over another panel");
        }
    }
    let variables = dashboard["templating"]["list"].as_array().expect("variables");
    let names: Vec<_> = variables.iter().map(|variable| variable["name"].as_str().expect("a name")).collect();
    assert_eq!(names, ["source", "instance", "credential"]);
}
