//! The daemon runs: doctor says so, asks what it can, and disturbs nothing.

use super::{Ward, lines};
use serde_json::json;
use std::path::Path;

#[tokio::test]
async fn the_daemons_check_and_set_holds_while_doctor_is_asked_again_and_again() {
    let mut ward = Ward::new().await;
    ward.stage.start().await;
    let slot = ward.slot.clone();
    ward.stage
        .wait(&slot, "the consumer is tested", |found| {
            (found["consumers"][0]["proof"] == "in_use").then_some(())
        })
        .await;
    for number in 1..=3 {
        let ran = ward.doctor(&[]).await;
        assert_eq!(ran.code, Some(0), "{}", ran.stdout);
        let runs = format!("it runs, version {}, no open incident", env!("CARGO_PKG_VERSION"));
        assert!(lines(&ran).iter().any(|line| line.ends_with(&runs)), "{}", ran.stdout);
        assert_eq!(ward.stage.bao.versions("keyrelay/_doctor").await, number);
    }
    // It still writes: a rotation goes through with the versions that it remembers.
    let (old, new) = ward.stage.rotate(&slot);
    ward.stage.date_from_now();
    ward.stage.confirm(&slot, 0, &old, &new).await;
    ward.stage.wait_promoted(&slot, &new).await;
    ward.stage.end().await;
}

#[tokio::test]
async fn a_local_store_is_the_daemons_while_it_runs_and_what_the_daemon_saw_counts() {
    let mut ward = Ward::new().await;
    let master = ward.stage.scratch.secret("master", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
    let dir = ward.stage.scratch.join("store");
    ward.configure(|config| {
        config.set("store", json!({"local": {"dir": dir, "master_key": {"file": master}}}));
    })
    .await;
    let ran = ward.doctor(&[]).await;
    let new = "ok opened with its master key: not there yet; the daemon makes it at its first start";
    assert!(lines(&ran).contains(&new.to_owned()), "{}", ran.stdout);
    assert!(!dir.exists(), "who asks makes no store");

    ward.stage.start().await;
    let key = ward.stage.vendor.current_key(ward.slot.account);
    let ran = ward.stage.keyrelay(&["ingest", "main", "--yes"], &format!("{}\n", key.expose())).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let ran = ward.doctor(&[]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.stdout);
    for begin in [
        "ok opened with its master key: the running daemon holds it, as it should",
        "ok current key of main: alive, as the daemon saw at ",
        "ok main/shop proof: in use, as the daemon saw at ",
    ] {
        assert!(lines(&ran).iter().any(|line| line.starts_with(begin)), "{begin}\n{}", ran.stdout);
    }
    ward.stage.daemon.term().await;
    let ran = ward.doctor(&[]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.stdout);
    assert!(
        lines(&ran).contains(&"ok opened with its master key: it opens; nobody else has it".into()),
        "{}",
        ran.stdout
    );
    assert!(
        lines(&ran).iter().any(|line| line.starts_with("ok current key of main: alive (200")),
        "{}",
        ran.stdout
    );
    assert!(Path::new(&dir).join("store.redb").exists());
}
