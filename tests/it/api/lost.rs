//! Answers that are lost, late, or that nobody can read: the truth is told, and a key that came is not lost.

use super::stage::{Slot, Stage, rotated};
use crate::{
    rotation::stage::codes,
    world::{Hold, Proxy, until},
};
use keyrelay::demo::simulator::{Faults, Outcome, Part, RotationFault};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::time::Duration;
use tokio::process::Command;

/// Asks, and goes away as soon as the vendor was asked: that takes nothing back.
async fn ask(stage: &mut Stage, slot: &Slot, fault: RotationFault) {
    stage.vendor.set_faults(fault);
    let before = stage.vendor.total(Outcome::Lost) + stage.vendor.total(Outcome::Failed);
    let rotations = stage.vendor.rotations().len();
    let (vendor, daemon) = (stage.vendor.clone(), &stage.daemon);
    let called = until("the vendor was asked", async || {
        let lost = vendor.total(Outcome::Lost) + vendor.total(Outcome::Failed) > before;
        (lost || vendor.rotations().len() > rotations).then_some(())
    });
    let args = ["rotate", &slot.name];
    tokio::select! {
        _ = daemon.run(&args) => {}
        () = called => {}
    }
    stage.wait(slot, "the call is over", |found| found["rotation_asked_at"].is_string().then_some(())).await;
    stage.vendor.set_faults(Faults::none());
}

/// SIGKILL while the vendor has not got the first call, and has made the new key for the second.
async fn kill_during_both_calls(stage: &mut Stage, proxy: &Proxy, slots: [&Slot; 2]) {
    proxy.hold("/api/key/rotate", Hold::Request);
    stage.vendor.set_faults(RotationFault::Late(Duration::from_secs(60)));
    let [unheard, unread] = slots.map(|slot| ["rotate", slot.name.as_str()]);
    let under_way = async {
        proxy.holds().await;
        rotated(&stage.vendor, 1).await;
    };
    tokio::select! {
        _ = stage.daemon.run(&unheard) => panic!("it has no answer"),
        _ = stage.daemon.run(&unread) => panic!("it has no answer"),
        () = under_way => {}
    }
    stage.daemon.kill9();
    stage.vendor.set_faults(Faults::none());
    stage.daemon.start_up().await;
}

#[tokio::test]
async fn the_old_key_says_what_became_of_a_lost_answer() {
    let mut stage = Stage::build().await;
    let nothing = [
        (stage.slot("reset").await, RotationFault::LostBefore),
        (stage.slot("failed").await, RotationFault::FailedBefore),
    ];
    let lost = [
        (stage.slot("silent").await, RotationFault::LostAfter(Part::Nothing)),
        (stage.slot("headless").await, RotationFault::LostAfter(Part::Head)),
        (stage.slot("excused").await, RotationFault::FailedAfter),
        (stage.slot("paged").await, RotationFault::WebPage),
    ];
    let (unheard, unread) = (stage.slot("unheard").await, stage.slot("unread").await);
    let proxy = Proxy::to(&stage.vendor.base_url(), None).await;
    stage.config.set("credentials.unheard.params.host", proxy.url().replace("http://", ""));
    stage.start().await;
    kill_during_both_calls(&mut stage, &proxy, [&unheard, &unread]).await;
    for (slot, fault) in nothing.iter().chain(&lost) {
        ask(&mut stage, slot, *fault).await;
        assert!(codes(&stage.daemon.status().await["credentials"][0]).len() < 2);
    }
    let count = stage.vendor.rotations().len();
    assert_eq!(count, lost.len() + 1);
    // While it is not known, nobody is asked again.
    let ran = stage.keyrelay(&["rotate", "silent"]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("what came of it is not known yet"), "{ran:?}");
    // Half of the time is over when the old key is asked about.
    let last = &lost[3].0;
    let asked_at = |found: &serde_json::Value| found["last_probe"]["at"].as_str().map(str::to_owned);
    let before = stage.wait(last, "it was asked about", asked_at).await;
    stage.wait(last, "it is asked about again", |found| asked_at(found).filter(|at| *at != before)).await;
    for slot in nothing.iter().map(|(slot, _)| slot).chain([&unheard]) {
        stage
            .wait(slot, "nothing was rotated", |found| (codes(found) == ["rotation-failed"]).then_some(()))
            .await;
        until("the wish is closed", async || stage.state(slot).await["wish"].is_null().then_some(())).await;
    }
    for slot in lost.iter().map(|(slot, _)| slot).chain([&unread]) {
        let told = |found: &serde_json::Value| {
            (codes(found) == ["key-lost"] && found["phase"] == "parked").then_some(())
        };
        stage.wait(slot, "the key is issued and lost", told).await;
        let ran = stage.keyrelay(&["rotate", &slot.name]).await;
        assert_eq!(ran.code, Some(1), "{ran:?}");
    }
    assert_eq!(stage.vendor.rotations().len(), count, "nobody was asked again");
    // The way out that the notice names.
    let (slot, _) = &lost[0];
    let new = stage.vendor.create_key(slot.account, None);
    let ran = stage.daemon.run_with(&["ingest", &slot.name, "--yes"], new.expose()).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    stage.wait_settled(slot, &new).await;
    stage.smtp.wait_for("key-lost", |mail| mail.contains("X-Keyrelay-Code: key-lost")).await;
    stage.end().await;
}

#[tokio::test]
async fn an_answer_that_comes_late_or_breaks_off_after_its_key_is_no_loss() {
    let mut stage = Stage::build().await;
    let (late, all) = (stage.slot("late").await, stage.slot("all").await);
    stage.start().await;
    stage.vendor.set_faults(RotationFault::Late(Duration::from_secs(15)));
    let ran = stage.keyrelay(&["rotate", "late"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    stage.vendor.set_faults(RotationFault::LostAfter(Part::All));
    let ran = stage.keyrelay(&["rotate", "all"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for slot in [late, all] {
        let key = stage.vendor.current_key(slot.account);
        stage.wait_settled(&slot, &key).await;
    }
    stage.end().await;
}

#[tokio::test]
async fn an_answer_that_nobody_understands_is_kept_and_read_by_a_corrected_profile() {
    let mut stage = Stage::build().await;
    let slot = stage.slot("main").await;
    stage.start().await;
    ask(&mut stage, &slot, RotationFault::UnknownShape).await;
    let new = stage.vendor.current_key(slot.account);
    let told = |found: &serde_json::Value| codes(found).contains(&"answer-unreadable".into()).then_some(());
    stage.wait(&slot, "it is told", told).await;
    let mail =
        stage.smtp.wait_for("the answer", |mail| mail.contains("X-Keyrelay-Code: answer-unreadable")).await;
    assert!(mail.contains("systemctl reload keyrelay"), "{mail}");
    // It outlives the process.
    stage.daemon.kill9();
    stage.daemon.start_up().await;
    stage.wait(&slot, "it is told still", told).await;
    assert_eq!(stage.spooled().len(), 1);
    let call = json!({"post": "/orgs/{org_uuid}/api/key/rotate", "key": "/result/0/attributes/key",
        "issued": [{"status": [200], "body": "object", "has": ["/result/0/attributes/key"]}]});
    stage.config.set("vendors.legba.rotation.call", call);
    stage.daemon.configure(&mut stage.config);
    stage.daemon.sighup();
    stage.wait_settled(&slot, &new).await;
    assert_eq!(stage.spooled(), [""; 0]);
    stage.end().await;
}

#[tokio::test]
async fn r42_a_store_that_is_sealed_after_the_call_gets_the_key_from_the_spool() {
    let mut stage = Stage::build().await;
    let slot = stage.slot("main").await;
    stage.start().await;
    stage.vendor.set_faults(RotationFault::Late(Duration::from_secs(5)));
    let vendor = stage.vendor.clone();
    let asked = stage.daemon.run(&["rotate", "main"]);
    let sealed = async {
        rotated(&vendor, 1).await;
        stage.bao.seal().await;
    };
    let (ran, ()) = tokio::join!(asked, sealed);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("the key waits, safe in the spool"), "{ran:?}");
    let spooled = stage.spooled();
    assert!(spooled.len() == 1 && spooled[0].ends_with(".key"), "{spooled:?}");
    let new = stage.vendor.current_key(slot.account);
    stage.daemon.kill9();
    stage.daemon.start_up().await;
    stage.bao.unseal().await;
    stage.wait_settled(&slot, &new).await;
    assert_eq!(stage.spooled(), [""; 0]);
    stage.end().await;
}

#[tokio::test]
async fn whoever_stops_the_daemon_waits_for_the_answer() {
    let mut stage = Stage::build().await;
    let slot = stage.slot("main").await;
    stage.start().await;
    stage.vendor.set_faults(RotationFault::Late(Duration::from_secs(10)));
    let vendor = stage.vendor.clone();
    tokio::select! {
        _ = stage.daemon.run(&["rotate", "main"]) => panic!("it has not ended"),
        () = rotated(&vendor, 1) => {}
    }
    assert_eq!(stage.daemon.term().await.code(), Some(0), "the daemon ends in peace");
    let new = stage.vendor.current_key(slot.account);
    stage.vendor.set_faults(Faults::none());
    stage.daemon.start_up().await;
    stage.wait_settled(&slot, &new).await;
    assert_eq!(stage.vendor.rotations().len(), 1);
    stage.end().await;
}

#[tokio::test]
async fn an_interrupted_command_that_does_it_alone_waits_for_the_answer_too() {
    let mut stage = Stage::build().await;
    let slot = stage.slot("main").await;
    stage.daemon.configure(&mut stage.config);
    stage.vendor.set_faults(RotationFault::Late(Duration::from_secs(5)));
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyrelay"));
    command.arg("--config").arg(stage.daemon.config_path()).args(["rotate", "main"]);
    command.env_clear().envs(stage.daemon.environment()).kill_on_drop(true);
    let mut child = command.spawn().expect("keyrelay");
    rotated(&stage.vendor, 1).await;
    let pid = child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?)).expect("it runs");
    for _ in 0..2 {
        kill_process(pid, Signal::INT).expect("it is there");
    }
    assert_eq!(child.wait().await.expect("its end").code(), Some(0));
    let new = stage.vendor.current_key(slot.account);
    assert!(slot.holds(&new));
    assert_eq!(stage.document(&slot).await["api_key"], json!(new.expose()));
}

#[tokio::test]
async fn a_reload_during_the_call_loses_no_answer_not_even_that_of_a_credential_that_it_removes() {
    let mut stage = Stage::build().await;
    let (gone, changed) = (stage.slot("gone").await, stage.slot("changed").await);
    stage.start().await;
    stage.vendor.set_faults(RotationFault::Late(Duration::from_secs(4)));
    let settings = stage.config.take("credentials.gone");
    stage.config.set("credentials.changed.hand_over_within", "2h");
    let reload = async {
        rotated(&stage.vendor, 2).await;
        stage.daemon.configure(&mut stage.config);
        stage.daemon.sighup();
    };
    let asked = [["rotate", "gone"], ["rotate", "changed"]];
    let (one, other, ()) = tokio::join!(stage.daemon.run(&asked[0]), stage.daemon.run(&asked[1]), reload);
    assert_eq!((one.code, one.stderr.as_str()), (Some(1), "refused: gone is no longer configured\n"));
    assert_eq!(other.code, Some(0), "{other:?}");
    let [new, theirs] = [&gone, &changed].map(|slot| stage.vendor.current_key(slot.account));
    stage.wait_settled(&changed, &theirs).await;
    // It waits for whoever brings the credential back.
    until("its answer is in the spool", async || (stage.spooled().len() == 1).then_some(())).await;
    stage.config.set("credentials.gone", settings);
    stage.daemon.configure(&mut stage.config);
    stage.daemon.sighup();
    stage.wait_settled(&gone, &new).await;
    assert_eq!((stage.spooled(), stage.vendor.rotations().len()), (Vec::new(), 2));
    stage.end().await;
}
