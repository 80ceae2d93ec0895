//! One that is configured otherwise.

use super::pair::Pair;
use crate::world::{Config, until};

#[tokio::test]
async fn another_configuration_beside_one_that_acts_is_refused_at_a_start_and_at_a_reload() {
    let mut pair = Pair::running().await;
    // Running, it stops standing by, and says so.
    let mut other = std::mem::replace(&mut pair.stage.config, Config::new());
    other.set("credentials.main.hand_over_within", "2h");
    pair.b.configure(&mut other);
    pair.b.sighup();
    until("host-b is not ready", async || {
        let (status, body) = pair.b.get("readyz").await?;
        (status == 503 && body.contains("configuration")).then_some(())
    })
    .await;
    assert_eq!(pair.b.term().await.code(), Some(0));
    // At a start, it does not begin.
    pair.b.start();
    assert_eq!(pair.b.ended().await.code(), Some(2));
    let log = pair.b.log();
    let line = "the daemon that acts, on host-a, has another configuration (";
    assert!(log.contains(line), "{log}");
}
