//! Good news that a kill does not lose.

use crate::{
    rotation::{consumers::FileConsumer, stage::Stage},
    world::until,
};

#[tokio::test]
async fn a_rotation_that_was_complete_before_a_kill_is_told_by_the_next_process_and_once() {
    let mut stage = Stage::build().await;
    let slot = stage.slot("main");
    let old = stage.seed(&slot).await;
    let consumer = FileConsumer::add(&mut stage, &slot, "storefront").await;
    consumer.put(&old);
    stage.date_from_now();
    stage.start().await;
    stage.smtp.stop();
    let (_, new) = stage.rotate(&slot);
    stage.confirm(&slot, 0, &old, &new).await;
    stage.wait_promoted(&slot, &new).await;
    stage.wait(&slot, "it is settled", |found| (found["phase"] == "steady").then_some(())).await;
    stage.daemon.kill9();
    stage.smtp.start_again().await;
    stage.daemon.start_up().await;
    let rotated =
        |stage: &Stage| stage.alerts().into_iter().filter(|mail| mail.code == "rotated").collect::<Vec<_>>();
    until("the rotation is told", async || (!rotated(&stage).is_empty()).then_some(())).await;
    stage.restart().await;
    assert_eq!(rotated(&stage).len(), 1);
    assert!(rotated(&stage)[0].text.contains("before its deadline"), "{}", rotated(&stage)[0].text);
    stage.end().await;
}
