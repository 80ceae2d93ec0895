//! Keys that end: told in time, and told when they have ended.

use super::desk::Desk;
use keyrelay::{demo::simulator::Kind, domain::Timestamp};
use serde_json::json;
use std::time::{Duration, SystemTime};

#[tokio::test]
async fn an_end_is_told_before_it_comes_and_is_over_with_the_next_key() {
    let mut desk = Desk::build(Kind::LeafPad).await;
    desk.start().await;
    let end = (Timestamp::from(SystemTime::now()) + Duration::from_secs(60)).whole_secs();
    let first = desk.vendor.create_key(desk.account, Some(end));
    desk.take_in(&first, &["--yes", "--expires-at", &end.to_string()]).await;
    let found = desk.credential().await;
    assert_eq!((&found["expires_at"], &found["next_rotation_expected_at"]), (&json!(end), &json!(end)));
    desk.restart().await;
    let told = desk.wait_mail("key-expiring", false).await;
    assert!(told.subject.contains(&end.minutes()), "{}", told.subject);
    assert!(told.text.contains("Settings, API Keys, create a key"), "{}", told.text);
    let second = desk.new_key();
    desk.take_in(&second, &["--yes"]).await;
    desk.wait_mail("key-expiring", true).await;
    let found = desk.credential().await;
    assert_eq!(found["expires_at"], json!(null), "the next key inherits nothing");
    // The old one ends by itself: there is nothing left to revoke.
    desk.wait_retired().await;
    desk.end().await;
}

#[tokio::test]
async fn an_end_in_the_configuration_is_not_taken_for_the_next_keys() {
    let mut desk = Desk::build(Kind::Leadey).await;
    desk.config.set("credentials.main.expires_at", "2040-01-01T00:00:00Z");
    desk.start().await;
    desk.first_key().await;
    assert_eq!(desk.credential().await["expires_at"], "2040-01-01T00:00:00Z");
    let second = desk.new_key();
    desk.take_in(&second, &[]).await;
    let told = desk.wait_mail("expiry-outdated", false).await;
    assert!(told.text.contains("credentials.main.expires_at (2040-01-01T00:00:00Z)"), "{}", told.text);
    assert_eq!(desk.credential().await["expires_at"], json!(null));
    desk.config.set("credentials.main.expires_at", "2041-01-01T00:00:00Z");
    desk.reload();
    desk.wait_mail("expiry-outdated", true).await;
    assert_eq!(desk.credential().await["expires_at"], "2041-01-01T00:00:00Z");
    for (when, why) in [("2020-01-01", "is over already"), ("soon", "is no moment in time")] {
        let ran = desk.ingest(desk.new_key().expose(), &["--expires-at", when]).await;
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains(why), "{ran:?}");
    }
    desk.end().await;
}
