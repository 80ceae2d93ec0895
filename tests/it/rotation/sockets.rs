//! A Unix socket beside the loopback port: programs of other users ask and hint there, and the history names them.

use super::stage::{Slot, Stage, credential};
use crate::world::{Ran, run, until};
use keyrelay::demo::simulator::Outcome;
use serde_json::{Value, json};
use std::{
    fs,
    os::unix::{
        fs::{FileTypeExt, PermissionsExt},
        net::UnixStream,
    },
    path::{Path, PathBuf},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::Command,
};

/// Nobody's: no user needs a name to have a program.
const UID: u32 = 47_110;
const JSON: &str = "Content-Type: application/json";
const HINT: &str = "api/v1/credentials/main/unauthorized";

/// What another user's `curl` gets over the socket: status and body.
async fn ask(socket: &Path, args: &[&str], path: &str) -> (u16, String) {
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--max-time", "20", "--write-out", "\n%{http_code}"]);
    command.arg("--unix-socket").arg(socket).args(args).arg(format!("http://localhost/{path}"));
    command.uid(UID).gid(UID);
    let Ran { code, stdout, stderr } = run(&mut command, b"").await;
    assert_eq!(code, Some(0), "{stderr}");
    let (body, status) = stdout.rsplit_once('\n').expect("a status in the last line");
    (status.parse().expect("a status"), body.to_owned())
}

async fn hint(socket: &Path, body: &str) -> (u16, String) {
    ask(socket, &["--header", JSON, "--data", body], HINT).await
}

async fn stage() -> (Stage, Slot, PathBuf) {
    let mut stage = Stage::build().await;
    let slot = stage.slot("main");
    stage.seed(&slot).await;
    let socket = stage.scratch.join("http.sock");
    (stage, slot, socket)
}

fn listen_there(stage: &mut Stage, socket: &Path) {
    stage.daemon.also_listen = vec![format!("unix:{}", socket.display())];
    stage.daemon.configure(&mut stage.config);
}

/// The hints that are written down.
async fn hints(stage: &Stage) -> Vec<Value> {
    let ran = stage.keyrelay(&["history", "main", "--json"], "").await;
    let records: Vec<Value> = serde_json::from_str(&ran.stdout).expect("a JSON document");
    records.into_iter().filter(|record| record["kind"] == "hint").collect()
}

#[tokio::test]
async fn a_hint_over_the_socket_leads_to_one_probe_and_the_history_names_its_user_once() {
    let (mut stage, slot, socket) = stage().await;
    listen_there(&mut stage, &socket);
    stage.start().await;
    let alive = |found: &Value| (found["last_probe"]["verdict"] == "alive").then_some(());
    stage.wait(&slot, "the key is alive", alive).await;
    let about = fs::symlink_metadata(&socket).expect("the socket");
    assert_eq!((about.file_type().is_socket(), about.permissions().mode() & 0o777), (true, 0o666));

    for (args, path, expected) in [
        (&["--header", "Content-Type: text/plain", "--data", "{}"][..], HINT, 415),
        (&["--header", JSON, "--data", "not JSON"], HINT, 400),
        (&["--header", JSON, "--data", "{\"other\":1}"], HINT, 400),
        (&["--header", JSON, "--data", "{}"], "api/v1/credentials/nobody/unauthorized", 404),
        // No browser gets here, by whatever name.
        (&["--header", "Host: keyrelay.example.com"], "healthz", 200),
        (&[], "readyz", 200),
    ] {
        assert_eq!(ask(&socket, args, path).await.0, expected, "{args:?} {path}");
    }
    assert_eq!(hints(&stage).await, [] as [Value; 0], "what is refused is no hint");

    let probes = stage.vendor.total(Outcome::Welcomed);
    let other = hint(&socket, r#"{"fingerprint":"0123456789abcdef"}"#).await;
    assert_eq!(other, (202, r#"{"current":false}"#.into()));
    for _ in 0..5 {
        assert_eq!(hint(&socket, "{}").await, (202, r#"{"current":true}"#.into()));
    }
    let written = until("the hint is written down", async || hints(&stage).await.pop()).await;
    assert_eq!(written["trigger"], json!({"kind": "hint", "uid": UID}));
    let phases = written["phases"].as_array().map(|all| all.iter().map(|entered| entered["phase"].clone()));
    assert_eq!(phases.map(Iterator::collect::<Vec<_>>), Some(vec![json!("hinted"), json!("alive")]));
    let status = stage.daemon.status().await;
    assert_eq!(written["old_fingerprint"], credential(&status, "main")["fingerprint"]);
    assert_eq!(credential(&status, "main")["phase"], "steady", "it changes nothing");
    assert_eq!((hints(&stage).await.len(), stage.vendor.total(Outcome::Welcomed) > probes), (1, true));
    let told = stage.keyrelay(&["history", "main"], "").await.stdout;
    assert!(told.contains(&format!("a program on this machine (uid {UID})")), "{told}");

    stage.daemon.kill9();
    assert!(fs::symlink_metadata(&socket).is_ok(), "what a killed daemon leaves");
    stage.daemon.start_up().await;
    assert_eq!(ask(&socket, &[], "healthz").await.0, 200);
    stage.end().await;
    assert!(fs::symlink_metadata(&socket).is_err(), "it goes with the daemon");
}

#[tokio::test]
async fn a_reload_opens_the_socket_that_is_new_and_closes_the_one_that_is_gone() {
    let (mut stage, _, socket) = stage().await;
    stage.start().await;
    assert!(UnixStream::connect(&socket).is_err());
    listen_there(&mut stage, &socket);
    stage.daemon.sighup();
    until("the socket is there", async || UnixStream::connect(&socket).is_ok().then_some(())).await;
    assert_eq!(ask(&socket, &[], "healthz").await.0, 200);
    assert_eq!(stage.daemon.status().await["daemon"]["needs_restart"], json!([]));

    // Open while its listener goes.
    let mut watching = tokio::net::UnixStream::connect(&socket).await.expect("the socket");
    watching.write_all(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("a request");
    let mut seen = [0; 64];
    watching.read_exact(&mut seen).await.expect("the answer begins");
    let old = socket.clone();
    let socket = stage.scratch.join("other.sock");
    listen_there(&mut stage, &socket);
    stage.daemon.sighup();
    until("the other one is there", async || UnixStream::connect(&socket).is_ok().then_some(())).await;
    until("the first one is gone", async || (!old.exists()).then_some(())).await;
    watching.read_to_end(&mut Vec::new()).await.expect("who watches over it is not left waiting");
    assert_eq!(stage.daemon.get("healthz").await.map(|(status, _)| status), Some(200));

    let nowhere = stage.scratch.join("no/such/folder.sock");
    listen_there(&mut stage, &nowhere);
    stage.daemon.sighup();
    let refused = |status: &Value| {
        let incidents = status["incidents"].as_array()?;
        incidents.iter().find(|incident| incident["code"] == "config-refused").cloned()
    };
    let incident = stage.daemon.wait_status("the configuration is refused", refused).await;
    assert!(
        incident["message"].as_str().is_some_and(|text| text.contains("cannot listen on unix:")),
        "{incident}"
    );
    assert_eq!(ask(&socket, &[], "healthz").await.0, 200, "the old one stays in force");
    stage.end().await;
}
