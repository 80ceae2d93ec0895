//! A sign of life while all is well; its silence is the alarm.

use super::{receiver::Receiver, scene::Scene};
use crate::world::{moment, until};
use std::{fs, time::Duration};

#[tokio::test]
async fn it_is_given_while_all_is_well_and_not_while_a_mailbox_cannot_be_read() {
    let (receiver, mut scene) = (Receiver::start().await, Scene::build().await);
    scene.config.set("alerts.heartbeat.url", receiver.url("/beat")).set("alerts.heartbeat.every", "1s");
    scene.start().await;
    scene.ingest().await;
    until("three beats", async || (receiver.beats() >= 3).then_some(())).await;
    let mail = scene.dir.join("mail");
    fs::rename(&mail, scene.dir.join("away")).expect("the mailbox is gone");
    let unwell = |status: &serde_json::Value| (status["alerts"]["heartbeat"]["ok"] == false).then_some(());
    scene.daemon.wait_status("not well", unwell).await;
    moment(Duration::from_secs(2)).await;
    let before = receiver.beats();
    moment(Duration::from_secs(3)).await;
    assert_eq!(receiver.beats(), before, "silence");
    fs::rename(scene.dir.join("away"), &mail).expect("the mailbox is back");
    until("it goes on", async || (receiver.beats() > before).then_some(())).await;
}
