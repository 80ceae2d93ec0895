//! How long a login lasts: what of it ends is seen before it bites, what somebody puts in its place is used, and a login
//! that was refused is not shown over and over.

use super::{
    trouble::{Scripted, plain},
    *,
};
use keyrelay::domain::{Ending, LoginPart, StoreFacts};
use std::sync::atomic::Ordering::SeqCst;

fn now() -> Timestamp {
    SystemTime::now().into()
}

/// What of the login ends; there is one thing at most.
async fn ending(store: &Store) -> Option<Ending> {
    let endings = store.health().await.unwrap().endings;
    assert!(endings.len() <= 1, "{endings:?}");
    endings.into_iter().next()
}

async fn token_with(bao: &Bao, wish: Value) -> String {
    bao.approle(PATHS).await;
    let (status, made) = bao.must_call(Method::POST, "auth/token/create", wish).await;
    assert_eq!(status, 200, "{made}");
    made["auth"]["client_token"].as_str().unwrap().to_owned()
}

/// Whether the moment is so long from now, give or take a minute.
fn is_in(moment: Option<Timestamp>, length: Duration) -> bool {
    let minute = Duration::from_secs(60);
    moment.is_some_and(|moment| moment > now() + length - minute && moment < now() + length + minute)
}

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn the_end_of_a_given_token_is_seen_where_no_renewal_leads_beyond() {
    let ca = Ca::new();
    let bao = Bao::start(&ca).await;
    let of = async |wish: Value| {
        let token = token_with(&bao, wish).await;
        ending(&open(&bao, Auth::Token(fixed(&token)))).await
    };
    let policies = ["keyrelay"];
    let fixed_life = of(json!({"policies": policies, "ttl": "10h", "renewable": false})).await.unwrap();
    assert_eq!((fixed_life.part, fixed_life.lost), (LoginPart::Token, None));
    assert!(is_in(fixed_life.until, 10 * HOUR) && is_in(fixed_life.from, Duration::ZERO));
    let longest = of(json!({"policies": policies, "ttl": "1h", "explicit_max_ttl": "5h"})).await.unwrap();
    assert!(is_in(longest.until, 5 * HOUR));
    assert_eq!(of(json!({"policies": policies, "ttl": "1h"})).await, None, "renewed for a long while");
    assert_eq!(of(json!({"policies": policies, "period": "1h"})).await, None, "renewed for ever");
    assert_eq!(ending(&open(&bao, root(&bao))).await, None, "it never ends");
    let counted = of(json!({"policies": policies, "ttl": "10h", "num_uses": 9})).await.unwrap();
    // Two of the nine: it was renewed, and looked at.
    let lost = "it is good for 7 more calls (num_uses), and keyrelay makes one every minute";
    assert_eq!(counted.lost.as_deref(), Some(lost));
}

#[tokio::test]
async fn a_renewal_that_is_cut_short_shows_the_end_of_the_longest_life() {
    let ca = Ca::new();
    let bao = Bao::start(&ca).await;
    let tune = json!({"max_lease_ttl": "20s"});
    bao.must_call(Method::POST, "sys/auth/token/tune", tune).await;
    let token = token_with(&bao, json!({"policies": ["keyrelay"], "ttl": "15s"})).await;
    let made = now();
    let store = open(&bao, Auth::Token(fixed(&token)));
    let seen = until("the end is seen", async || ending(&store).await).await;
    let until = seen.until.unwrap();
    assert!(until > made + Duration::from_secs(15) && until < made + Duration::from_secs(25), "{until}");
}

#[tokio::test]
async fn the_next_renewal_is_asked_for_in_time_whoever_else_calls() {
    let ca = Ca::new();
    let bao = Bao::start(&ca).await;
    let token = bao.token(PATHS, 9).await;
    let store = open(&bao, Auth::Token(fixed(&token)));
    // The first look learns how long it lasts.
    store.health().await.unwrap();
    let StoreFacts { renew_in, .. } = store.health().await.unwrap();
    assert!(renew_in.is_some_and(|renew_in| renew_in <= Duration::from_secs(6)), "{renew_in:?}");
    assert_eq!(open(&bao, root(&bao)).health().await.unwrap().renew_in, None);
}

#[tokio::test]
async fn a_token_that_was_put_in_place_of_another_is_used_by_the_next_call_that_needs_it() {
    let ca = Ca::new();
    let bao = Bao::start(&ca).await;
    let scratch = Scratch::new();
    let first = bao.token(PATHS, 3_600).await;
    let file = scratch.secret("token", &first);
    let store = open(&bao, Auth::Token(in_file(&file)));
    store.write(None, PATH, &fields("one"), 0).await;
    bao.revoke(&first).await;
    let dead = "it does not know the token: that has ended or was revoked";
    assert_eq!(failed(store.read(None, PATH).await), StoreTrouble::LoggedOut(dead.into()));

    let second = bao.token(PATHS, 3_600).await;
    scratch.secret("token", &second);
    assert_eq!(version(&store).await, (1, "one".to_owned()));

    // Health changes over to a third one while the second still works.
    let third = token_with(&bao, json!({"policies": ["keyrelay"], "ttl": "10h", "renewable": false})).await;
    scratch.secret("token", &third);
    assert!(is_in(ending(&store).await.unwrap().until, 10 * HOUR));
    bao.revoke(&second).await;
    assert_eq!(version(&store).await, (1, "one".to_owned()));
}

#[tokio::test]
async fn a_secret_id_that_was_rotated_on_disk_is_shown_at_the_next_login() {
    let ca = Ca::new();
    let bao = Bao::start(&ca).await;
    let scratch = Scratch::new();
    let role = bao.approle(PATHS).await;
    let file = scratch.secret("secret-id", &role.secret_id);
    let (role_id, mount) = (role.role_id, "approle".to_owned());
    let store = open(&bao, Auth::AppRole { role_id, secret_id: in_file(&file), mount });
    store.write(None, PATH, &fields("one"), 0).await;
    let next = bao.approle(PATHS).await;
    destroy(&bao, &role.secret_id).await;
    login::revoke_logins(&bao).await;
    let refused =
        StoreTrouble::LoggedOut("logging in at auth/approle: 400 (invalid role or secret ID)".into());
    assert_eq!(failed(store.read(None, PATH).await), refused);
    scratch.secret("secret-id", &next.secret_id);
    assert_eq!(version(&store).await, (1, "one".to_owned()), "another one is tried at once");
    assert_eq!(ending(&store).await, None);
}

#[tokio::test]
async fn a_refused_login_is_not_shown_again_by_every_call() {
    let body = r#"{"errors":["invalid role or secret ID"]}"#;
    let health = r#"{"initialized":true,"sealed":false}"#;
    let server = Scripted::start(move |request| {
        let (status, body) =
            if request.starts_with("GET /v1/sys/health") { (200, health) } else { (400, body) };
        format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{body}", body.len())
    })
    .await;
    let auth = Auth::AppRole { role_id: "a".into(), secret_id: fixed("b"), mount: "approle".into() };
    let store = std::sync::Arc::new(open_with(vault::Settings { auth, ..plain(server.port) }));
    let calls = (0..16).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { failed(store.read(None, PATH).await) })
    });
    let refused =
        StoreTrouble::LoggedOut("logging in at auth/approle: 400 (invalid role or secret ID)".into());
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap(), refused);
    }
    assert_eq!(server.requests.load(SeqCst), 1, "stores lock out who is refused too often");
    assert_eq!(store.health().await, Err(refused));
    assert_eq!(server.requests.load(SeqCst), 2, "the health, and no login");
}

#[tokio::test]
async fn a_secret_id_that_is_gone_is_seen_while_the_token_that_it_gave_still_works() {
    let ca = Ca::new();
    let bao = Bao::start(&ca).await;
    let (store, secret_id) =
        limited(&bao, json!({"secret_id_ttl": "10h", "secret_id_num_uses": 5}), 3_600).await;
    let seen = ending(&store).await.unwrap();
    assert_eq!((seen.part, seen.uses_left, &seen.lost), (LoginPart::SecretId, Some(4), &None));
    assert!(is_in(seen.until, 10 * HOUR) && is_in(seen.from, Duration::ZERO));
    destroy(&bao, &secret_id).await;
    let lost = "the store does not know it any more: it has ended, was used up, or was revoked";
    assert_eq!(ending(&store).await.unwrap().lost.as_deref(), Some(lost));
    assert!(matches!(store.read(None, PATH).await, Read::Absent));
}

#[tokio::test]
async fn a_login_that_is_refused_while_the_old_token_lives_is_told_and_stops_nothing_yet() {
    let ca = Ca::new();
    let bao = Bao::start(&ca).await;
    let (store, secret_id) = limited(&bao, json!({}), 6).await;
    store.write(None, PATH, &fields("one"), 0).await;
    destroy(&bao, &secret_id).await;
    let why = "logging in at auth/approle: 400 (invalid role or secret ID)";
    let told = until("the refused login is told", async || {
        assert_eq!(version(&store).await, (1, "one".to_owned()));
        let endings = store.health().await.unwrap().endings;
        endings.into_iter().find(|ending| ending.part == LoginPart::Login)
    })
    .await;
    assert_eq!(told.lost.as_deref(), Some(why));
    assert!(told.until.is_some_and(|until| until < now() + Duration::from_secs(12)));
    until("the old token has ended", async || {
        (failed_or_none(store.read(None, PATH).await)? == StoreTrouble::LoggedOut(why.into())).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_login_that_works_again_ends_what_was_told_of_it_before_it_is_needed() {
    let ca = Ca::new();
    let bao = Bao::start(&ca).await;
    let scratch = Scratch::new();
    let role = bao.approle_with(PATHS, 30).await;
    let file = scratch.secret("secret-id", &role.secret_id);
    let (role_id, mount) = (role.role_id.clone(), "approle".to_owned());
    let store = open(&bao, Auth::AppRole { role_id, secret_id: in_file(&file), mount });
    store.write(None, PATH, &fields("one"), 0).await;
    destroy(&bao, &role.secret_id).await;
    // What the policy forbids asks for a new login, which is refused; the token in use lives.
    let forbidden = failed(store.read(None, "vendors/other").await);
    assert!(matches!(forbidden, StoreTrouble::Forbidden(_)), "{forbidden:?}");
    let told = ending(&store).await.unwrap();
    assert_eq!(told.part, LoginPart::Login);
    assert_eq!(version(&store).await, (1, "one".to_owned()));

    let next = bao.approle_with(PATHS, 30).await;
    scratch.secret("secret-id", &next.secret_id);
    assert_eq!(ending(&store).await, None);
    assert_eq!(version(&store).await, (1, "one".to_owned()));
}

fn failed_or_none(read: Read) -> Option<StoreTrouble> {
    match read {
        Read::Failed(trouble) => Some(trouble),
        Read::Present(_) | Read::Absent | Read::Deleted { .. } => None,
    }
}

#[tokio::test]
async fn a_namespace_has_logins_of_its_own() {
    let ca = Ca::new();
    let bao = Bao::start(&ca).await;
    bao.must_call(Method::POST, "sys/namespaces/team", json!({})).await;
    bao.must_call(Method::POST, "sys/namespaces/team/sub", json!({})).await;
    bao.must_call(Method::POST, "team/sys/namespaces/sub", json!({})).await;
    let inside = async |method: Method, path: &str, body: Value| {
        let (status, answer) = bao.must_call(method, &format!("team/sub/{path}"), body).await;
        assert!((200..300).contains(&status), "{path}: {status} {answer}");
        answer
    };
    let kv2 = json!({"type": "kv", "options": {"version": "2"}});
    inside(Method::POST, "sys/mounts/secret", kv2).await;
    inside(Method::POST, "sys/auth/approle", json!({"type": "approle"})).await;
    let policy = json!({"policy": "path \"secret/data/vendors/*\" { capabilities = [\"create\", \"update\", \"read\"] }"});
    inside(Method::POST, "sys/policies/acl/keyrelay", policy).await;
    inside(Method::POST, "auth/approle/role/r", json!({"token_policies": "keyrelay"})).await;
    let role = inside(Method::GET, "auth/approle/role/r/role-id", Value::Null).await;
    let secret = inside(Method::POST, "auth/approle/role/r/secret-id", json!({})).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let auth = Auth::AppRole {
        role_id: text(&role["data"]["role_id"]),
        secret_id: fixed(&text(&secret["data"]["secret_id"])),
        mount: "approle".into(),
    };
    let store = open_with(vault::Settings { namespace: "team/sub".into(), ..settings(&bao, auth.clone()) });
    assert_eq!(store.write(None, PATH, &fields("one"), 0).await, WriteOutcome::Written { version: 1 });
    assert_eq!(version(&store).await, (1, "one".to_owned()));
    assert!(store.health().await.unwrap().time.is_some(), "health is asked at the top");
    assert!(bao.read(PATH).await.is_none(), "nothing was written outside");
    let outside = open_with(settings(&bao, auth));
    let refused =
        StoreTrouble::LoggedOut("logging in at auth/approle: 400 (invalid role or secret ID)".into());
    assert_eq!(failed(outside.read(None, PATH).await), refused);
}

/// A store with an AppRole of these limits whose policy may look at its secret-id; and that secret-id.
async fn limited(bao: &Bao, limits: Value, ttl_secs: u32) -> (Store, String) {
    let role = bao.approle_with(PATHS, ttl_secs).await;
    let look = "path \"auth/approle/role/keyrelay/secret-id/lookup\" { capabilities = [\"update\"] }";
    bao.must_call(Method::POST, "sys/policies/acl/look", json!({"policy": look})).await;
    let mut wish = limits;
    wish["token_policies"] = json!(["keyrelay", "look"]);
    bao.must_call(Method::POST, "auth/approle/role/keyrelay", wish).await;
    let (_, made) = bao.must_call(Method::POST, "auth/approle/role/keyrelay/secret-id", json!({})).await;
    let secret_id = made["data"]["secret_id"].as_str().unwrap().to_owned();
    let auth = Auth::AppRole { role_id: role.role_id, secret_id: fixed(&secret_id), mount: "approle".into() };
    (open(bao, auth), secret_id)
}

async fn destroy(bao: &Bao, secret_id: &str) {
    let path = "auth/approle/role/keyrelay/secret-id/destroy";
    let (status, answer) = bao.must_call(Method::POST, path, json!({"secret_id": secret_id})).await;
    assert_eq!(status, 204, "{answer}");
}
