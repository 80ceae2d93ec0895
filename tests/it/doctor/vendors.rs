//! The vendor, broken in one way at a time.

use super::Ward;
use axum::{
    Json, Router,
    http::{HeaderMap, StatusCode},
    routing::get,
};
use keyrelay::demo::simulator::Mode;
use serde_json::json;

#[tokio::test]
async fn a_dead_key_says_how_another_one_gets_in() {
    let mut ward = Ward::new().await;
    let key = ward.stage.vendor.current_key(ward.slot.account);
    ward.stage.vendor.revoke(&key);
    let told = "vendors: current key of main: dead (401 with the vendor's \"Not authenticated\") \
                > fetch the key: Leaf7 dashboard, Settings $ keyrelay ingest main";
    assert_eq!(ward.failures().await, (Some(1), vec![told.to_owned()]));
}

#[tokio::test]
async fn a_vendor_that_lets_anybody_in_is_called_blind() {
    let mut ward = Ward::new().await;
    ward.stage.vendor.set_faults(Mode::EverybodyAlive);
    let (code, failures) = ward.failures().await;
    assert_eq!((code, failures.len()), (Some(1), 1), "{failures:?}");
    assert!(failures[0].contains("a random key: alive (200 "), "{failures:?}");
    assert!(
        failures[0].contains("lets anybody in, so that no key can be proven there > nothing is promoted"),
        "{failures:?}"
    );
}

#[tokio::test]
async fn a_vendor_that_says_nothing_clear_is_an_outside_system() {
    let mut ward = Ward::new().await;
    ward.stage.vendor.set_faults(Mode::Unavailable);
    let (code, failures) = ward.failures().await;
    assert_eq!((code, failures.len()), (Some(3), 2), "{failures:?}");
    assert!(failures[1].starts_with("vendors: current key of main: unclear: 503"), "{failures:?}");
    assert!(failures[1].ends_with("$ keyrelay doctor main"), "{failures:?}");
}

#[tokio::test]
async fn a_key_of_another_account_than_the_pinned_one_is_told_with_both() {
    let mut ward = Ward::new().await;
    ward.configure(|config| {
        config.set("credentials.main.account", json!(["somebody-else"]));
    })
    .await;
    let project = &ward.slot.project;
    let told = format!(
        "vendors: account of main: [\"{project}\"], and another one is pinned > if this is the right account, write \
         credentials.main.account: [\"{project}\"]"
    );
    assert_eq!(ward.failures().await, (Some(1), vec![told]));
}

#[tokio::test]
async fn no_more_is_asked_at_once_than_a_tenth_of_the_vendors_limit() {
    let mut ward = Ward::new().await;
    for name in ["one", "two", "three"] {
        let slot = ward.stage.slot(name);
        ward.stage.seed(&slot).await;
    }
    ward.configure(|config| {
        config.set("vendors.leaf7.limit", json!({"requests": 30, "per": "1m"}));
    })
    .await;
    let ran = ward.doctor(&[]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.stdout);
    let lines = super::lines(&ran);
    let alive = lines.iter().filter(|line| line.contains(": alive (")).count();
    let asked: u64 = ward.stage.vendor.requests().values().sum();
    assert_eq!((alive, asked), (2, 3), "two keys and the random one");
    let skipped = "skipped current key of two: not asked: 4 keys at once are more than a tenth of Leaf7's limit \
                   $ keyrelay doctor two";
    assert!(lines.iter().any(|line| line == skipped), "{}", ran.stdout);
}

#[tokio::test]
async fn c02_a_clock_that_is_far_from_the_vendors_is_told() {
    let mut ward = Ward::new().await;
    let key = ward.stage.vendor.current_key(ward.slot.account);
    let bearer = format!("Bearer {}", key.expose());
    let answer = move |headers: HeaderMap| async move {
        let known = headers.get("authorization").is_some_and(|value| value.as_bytes() == bearer.as_bytes());
        let body = json!([{"project_id": "p-1", "name": "shop"}]);
        let (status, body) = match known {
            true => (StatusCode::OK, body),
            false => (StatusCode::UNAUTHORIZED, json!({"detail": "Not authenticated"})),
        };
        (status, [("date", "Sat, 21 Nov 2020 09:00:00 GMT")], Json(body))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/api/vendor/projects/", get(answer));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    ward.configure(|config| {
        config.set("vendors.leaf7.base_url", origin.as_str());
    })
    .await;
    let (code, failures) = ward.failures().await;
    assert_eq!((code, failures.len()), (Some(1), 1), "{failures:?}");
    assert!(failures[0].contains(&format!("clock, by the Date of {origin}: ours is ")), "{failures:?}");
    assert!(
        failures[0].ends_with("ahead of it: deadlines would be missed $ timedatectl status"),
        "{failures:?}"
    );
}
