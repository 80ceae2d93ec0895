//! The simulated vendor does what the real one documents.

use super::*;
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use serde_json::{Value, json};

pub const DAY: Duration = Duration::from_secs(86_400);

pub fn client() -> Client {
    rustls::crypto::ring::default_provider().install_default().unwrap_or(());
    Client::builder().no_proxy().redirect(Policy::none()).timeout(Duration::from_secs(10)).build().unwrap()
}

async fn get(vendor: &Simulator, path: &str, key: Option<&Key>) -> Response {
    let mut request = client().get(vendor.base_url() + path);
    if let Some(key) = key {
        request = request.bearer_auth(key.expose());
    }
    request.send().await.unwrap()
}

async fn projects(vendor: &Simulator, key: &Key) -> (u16, Value) {
    let response = get(vendor, "/api/vendor/projects/", Some(key)).await;
    (response.status().as_u16(), serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default())
}

fn refused() -> (u16, Value) {
    (401, json!({"detail": "Not authenticated"}))
}

async fn vendor() -> (Simulator, AccountId) {
    let vendor = start(Options::calm(Kind::Leaf7)).await.unwrap();
    let account = vendor.new_account("Aim Trainer", &["p-1", "p-2"]);
    (vendor, account)
}

#[tokio::test]
async fn a_live_key_lists_its_own_accounts_projects() {
    let (vendor, ours) = vendor().await;
    let theirs = vendor.new_account("Map Editor", &["q-1"]);
    let expected = json!([
        {"project_id": "p-1", "name": "Aim Trainer 1"},
        {"project_id": "p-2", "name": "Aim Trainer 2"},
    ]);
    assert_eq!(projects(&vendor, &vendor.current_key(ours)).await, (200, expected));
    let expected = json!([{"project_id": "q-1", "name": "Map Editor 1"}]);
    assert_eq!(projects(&vendor, &vendor.current_key(theirs)).await, (200, expected));
    vendor.set_projects(theirs, &[]);
    assert_eq!(projects(&vendor, &vendor.current_key(theirs)).await, (200, json!([])));
    assert_eq!(vendor.account(ours), ["p-1", "p-2"].into_iter().collect());
}

#[tokio::test]
async fn without_its_slash_the_path_is_a_redirect_whoever_asks() {
    let (vendor, ours) = vendor().await;
    let response = get(&vendor, "/api/vendor/projects", Some(&vendor.current_key(ours))).await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["location"]),
        (307, &"/api/vendor/projects/".parse().unwrap())
    );
    assert_eq!(vendor.total(Outcome::Redirected), 1);
    assert_eq!(get(&vendor, "/api/vendor/keys", None).await.status(), 404);
}

#[tokio::test]
async fn a_missing_key_is_403_and_a_wrong_one_401() {
    let (vendor, _) = vendor().await;
    let missing = get(&vendor, "/api/vendor/projects/", None).await;
    assert_eq!(missing.status(), 403);
    assert_eq!(missing.text().await.unwrap(), r#"{"detail":"Not authenticated"}"#);
    assert_eq!(projects(&vendor, &Key::parse("l7_0123456789abcdef").unwrap()).await, refused());
}

#[tokio::test]
async fn the_old_key_works_until_its_grace_ends() {
    let (vendor, ours) = vendor().await;
    let oldest = vendor.current_key(ours);
    let old = vendor.rotate(ours, DAY);
    let new = vendor.rotate(ours, DAY);
    let alive = || [&oldest, &old, &new].map(|key| vendor.is_alive(key));
    assert_eq!(vendor.current_key(ours), new);
    assert_eq!(alive(), [true, true, true]);
    vendor.revoke(&oldest);
    assert_eq!(alive(), [false, true, true]);
    vendor.end_grace(ours);
    assert_eq!(alive(), [false, false, true]);
    let newest = vendor.rotate(ours, Duration::ZERO);
    assert_eq!((alive(), vendor.is_alive(&newest)), ([false; 3], true));
    assert_eq!(projects(&vendor, &old).await, refused());
}

#[tokio::test]
async fn one_customers_rotation_is_no_others() {
    let (vendor, ours) = vendor().await;
    let theirs = vendor.new_account("Map Editor", &["q-1"]);
    let key = vendor.current_key(theirs);
    vendor.rotate(ours, Duration::ZERO);
    vendor.end_grace(ours);
    assert!(vendor.is_alive(&key));
}

#[tokio::test]
async fn keys_look_like_the_real_thing_and_come_again_with_the_seed() {
    let (one, ours) = vendor().await;
    let (other, same) = vendor().await;
    let key = one.current_key(ours);
    assert_eq!((key.expose().len(), key.shape().prefix.as_str()), (43, "l7_"));
    assert_eq!(key, other.current_key(same));
    let options =
        Options { seed: 2, key_prefix: "leaf7-".into(), key_random_chars: 20, ..Options::calm(Kind::Leaf7) };
    let third = start(options).await.unwrap();
    assert!(third.current_key(third.new_account("Aim Trainer", &[])).expose().starts_with("leaf7-"));
    let marked = Key::parse("l7_a-key-that-a-test-looks-for").unwrap();
    assert_eq!(one.rotate_to(ours, marked.clone(), DAY), marked);
    assert!(one.is_alive(&marked));
    let none = start(Options { key_prefix: "l7 ".into(), ..Options::calm(Kind::Leaf7) }).await;
    assert_eq!(none.map(|_| ()).unwrap_err().kind(), io::ErrorKind::InvalidInput);
}

#[tokio::test]
async fn the_rate_limit_counts_everybody() {
    let vendor = start(Options { limit: Some((3, DAY)), ..Options::calm(Kind::Leaf7) }).await.unwrap();
    let key = vendor.current_key(vendor.new_account("Aim Trainer", &["p-1"]));
    let stranger = Key::parse("l7_0123456789abcdef").unwrap();
    vendor.set_faults(Faults { retry_after: Some("1".into()), ..Faults::none() });
    let mut statuses = Vec::new();
    for key in [&key, &stranger, &stranger, &key] {
        statuses.push(projects(&vendor, key).await.0);
    }
    assert_eq!(statuses, [200, 401, 401, 429]);
    assert_eq!(get(&vendor, "/api/vendor/projects/", Some(&key)).await.headers()["retry-after"], "1");
    let requests = vendor.requests();
    assert_eq!(requests[&(Some(stranger.fingerprint()), Outcome::Refused)], 2);
    assert_eq!(requests[&(Some(key.fingerprint()), Outcome::Welcomed)], 1);
    assert_eq!(requests[&(Some(key.fingerprint()), Outcome::Limited)], 2);
    assert_eq!(requests.len(), 3);
}

#[tokio::test]
async fn a_late_key_is_dead_at_first_and_the_old_one_is_not() {
    let (vendor, ours) = vendor().await;
    let old = vendor.current_key(ours);
    vendor.set_faults(Faults::late_by(DAY));
    let new = vendor.rotate(ours, DAY);
    assert_eq!([&old, &new].map(|key| vendor.is_alive(key)), [true, false]);
    assert_eq!(projects(&vendor, &new).await, refused());
    vendor.set_faults(Faults::late_by(Duration::from_millis(100)));
    let newest = vendor.rotate(ours, DAY);
    let alive = async {
        while !vendor.is_alive(&newest) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), alive).await.expect("it comes alive");
}

#[tokio::test]
async fn a_flapping_vendor_refuses_one_of_three() {
    let (vendor, ours) = vendor().await;
    let key = vendor.current_key(ours);
    vendor.set_faults(Mode::Flapping);
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(projects(&vendor, &key).await.0);
    }
    assert_eq!(statuses, [200, 200, 401, 200, 200, 401]);
}

#[tokio::test]
async fn a_blind_vendor_welcomes_strangers() {
    let (vendor, ours) = vendor().await;
    vendor.set_faults(Mode::EverybodyAlive);
    assert_eq!(projects(&vendor, &Key::parse("l7_0123456789abcdef").unwrap()).await, (200, json!([])));
    assert_eq!(projects(&vendor, &vendor.current_key(ours)).await.1.as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn nasty_is_as_nasty_as_it_says_and_the_same_each_time() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let vendor = start(Options { limit: None, ..Options::default() }).await.unwrap();
        let key = vendor.current_key(vendor.new_account("Aim Trainer", &["p-1"]));
        let client = client();
        for _ in 0..1_000 {
            let request = client.get(vendor.base_url() + "/api/vendor/projects/").bearer_auth(key.expose());
            request.send().await.map(drop).unwrap_or(());
        }
        let of_ten = |outcome| vendor.total(outcome) / 10;
        runs.push([Outcome::Welcomed, Outcome::Limited, Outcome::Failed, Outcome::Lost].map(of_ten));
    }
    assert_eq!(runs[0], runs[1]);
    let [welcomed, limited, failed, lost] = runs[0];
    assert!((84..=92).contains(&welcomed), "{runs:?}");
    assert!((3..=7).contains(&limited) && (3..=7).contains(&failed) && (1..=3).contains(&lost), "{runs:?}");
}

#[tokio::test]
async fn it_is_gone_with_its_last_handle() {
    let (vendor, _) = vendor().await;
    let base_url = vendor.clone().base_url();
    drop(vendor);
    let gone = async { while client().get(&base_url).send().await.is_ok() {} };
    tokio::time::timeout(Duration::from_secs(10), gone).await.expect("nobody listens");
}
