//! What goes wrong with the old key: nobody revokes it, or somebody revokes the other one.

use super::desk::{Desk, all_in_use};
use crate::{rotation::stage::codes, world::until};
use keyrelay::demo::simulator::Kind;

#[tokio::test]
async fn an_old_key_that_is_still_alive_after_its_time_is_a_warning_until_it_is_dead() {
    let mut desk = Desk::build(Kind::Leadey).await;
    desk.config.set("vendors.leadey.rotation.revoke_within", "3s");
    desk.start().await;
    let first = desk.first_key().await;
    let second = desk.new_key();
    desk.take_in(&second, &[]).await;
    let old = desk.label(&first).expect("a label");
    desk.wait("its time is over", |found| {
        let incidents = found["incidents"].as_array()?;
        let open = incidents.iter().find(|incident| incident["code"] == "revoke-old-key")?;
        let message = open["message"].as_str()?;
        (open["severity"] == "warning" && message.starts_with(&format!("the old key {old} still works")))
            .then_some(())
    })
    .await;
    let ran = desk.daemon.run_with(&["status", "main"], "").await;
    assert_eq!(ran.code, Some(1), "a warning is open: {ran:?}");
    desk.vendor.revoke(&first);
    desk.wait_retired().await;
    desk.wait("all is calm", |found| codes(found).is_empty().then_some(())).await;
    desk.end().await;
}

#[tokio::test]
async fn where_the_new_key_was_revoked_in_place_of_the_old_one_the_way_back_is_told_and_works() {
    let mut desk = Desk::build(Kind::Leadey).await;
    desk.start().await;
    let first = desk.first_key().await;
    let second = desk.new_key();
    desk.take_in(&second, &[]).await;
    desk.wait_mail("revoke-old-key", false).await;
    desk.vendor.revoke(&second);
    desk.somebody_was_refused().await;
    let told = desk.wait_mail("key-dead", false).await;
    let old = desk.label(&first).expect("a label");
    assert!(
        told.text.contains(&format!("the old key {old} works still: leave it as it is")),
        "{}",
        told.text
    );
    assert!(told.text.contains("keyrelay rollback main"), "{}", told.text);
    assert!(told.text.contains("keyrelay ingest main"), "{}", told.text);
    desk.web.tell(first.clone());
    let ran = desk.daemon.run_with(&["rollback", "main"], "").await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    desk.wait("both work with the first key", |found| all_in_use(found, &first).then_some(())).await;
    desk.wait_mail("key-dead", true).await;
    let open = codes(&desk.credential().await);
    assert!(!open.contains(&"revoke-old-key".to_owned()), "{open:?}");
    desk.end().await;
}

#[tokio::test]
async fn an_old_key_that_is_revoked_while_a_consumer_needs_it_is_told_at_once() {
    let mut desk = Desk::build(Kind::Leadey).await;
    desk.start().await;
    let first = desk.first_key().await;
    let second = desk.new_key();
    // `web` does not know of it, and the old key is asked about within a minute.
    let too_early = async {
        until("it is promoted", async || {
            (desk.credential().await["fingerprint"] == second.fingerprint().hex()).then_some(())
        })
        .await;
        desk.vendor.revoke(&first);
        desk.wait_mail("old-key-died", false).await
    };
    let (_, told) = tokio::join!(desk.ingest(second.expose(), &[]), too_early);
    assert!(told.subject.contains("URGENT") && told.text.contains("web"), "{told:?}");
    desk.web.tell(second.clone());
    desk.wait_mail("old-key-died", true).await;
    desk.wait_retired().await;
    assert!(desk.alerts().iter().all(|mail| mail.code != "revoke-old-key"), "there is nothing to revoke");
    desk.end().await;
}
