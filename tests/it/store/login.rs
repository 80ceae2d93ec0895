//! Tokens: given ones and those of an AppRole, renewed, revoked, refused.

use super::*;
#[tokio::test]
async fn an_app_role_may_what_its_policy_says_and_no_more() {
    let ca = Ca::new();
    let bao = Bao::start(&ca).await;
    let store = open(&bao, app_role(&bao, 3600).await);
    assert_eq!(store.write(None, PATH, &fields("one"), 0).await, WriteOutcome::Written { version: 1 });
    assert_eq!(version(&store).await, (1, "one".to_owned()));
    let forbidden = |doing: &str| {
        StoreTrouble::Forbidden(format!("{doing} secret/data/vendors/other: 403 (permission denied)"))
    };
    for _ in 0..3 {
        assert_eq!(failed(store.read(None, "vendors/other").await), forbidden("reading"));
    }
    assert_eq!(
        store.write(None, "vendors/other", &fields("one"), 0).await,
        WriteOutcome::Failed(forbidden("writing"))
    );
    assert_eq!(tokens(&bao).await.len(), 1, "each new login took its former token away");
    assert!(store.health().await.unwrap().time.is_some());
}

#[tokio::test]
async fn r47_a_revoked_token_is_replaced_once_however_many_calls_meet_it() {
    let ca = Ca::new();
    let bao = Bao::start(&ca).await;
    let store = open(&bao, app_role(&bao, 3600).await);
    store.write(None, PATH, &fields("one"), 0).await;
    revoke_logins(&bao).await;
    assert_eq!(tokens(&bao).await.len(), 0);
    let store = std::sync::Arc::new(store);
    let calls = (0..16).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { version(&store).await })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap(), (1, "one".to_owned()));
    }
    assert_eq!(tokens(&bao).await.len(), 1);
}

#[tokio::test]
async fn an_app_roles_token_is_renewed_by_the_calls_made_with_it() {
    let ca = Ca::new();
    let bao = Bao::start(&ca).await;
    let auth = app_role(&bao, 3).await;
    renews(&bao, auth).await;
}

#[tokio::test]
async fn a_given_token_is_renewed_by_the_calls_made_with_it() {
    let ca = Ca::new();
    let bao = Bao::start(&ca).await;
    let token = bao.token(PATHS, 3).await;
    renews(&bao, Auth::Token(fixed(&token))).await;
}

/// Reads until the token ends later than it did at first, and is the same.
async fn renews(bao: &Bao, auth: Auth) {
    let store = open(bao, auth);
    store.write(None, PATH, &fields("one"), 0).await;
    let first = tokens(bao).await.remove(0);
    until("the token ends later than it did", async || {
        assert_eq!(version(&store).await.1, "one");
        let now = tokens(bao).await;
        assert_eq!((now.len(), &now[0]["accessor"]), (1, &first["accessor"]));
        (now[0]["expire_time"].as_str() > first["expire_time"].as_str()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn at_the_end_of_a_tokens_longest_life_the_app_role_logs_in_anew() {
    let ca = Ca::new();
    let bao = Bao::start(&ca).await;
    bao.write(PATH, json!({"api_key": "one"})).await;
    let store = open(&bao, app_role(&bao, 2).await);
    version(&store).await;
    let first = tokens(&bao).await.remove(0);
    until("another token took its place", async || {
        assert_eq!(version(&store).await.1, "one");
        let now = tokens(&bao).await;
        (now.iter().all(|token| token["accessor"] != first["accessor"])).then_some(())
    })
    .await;
    assert_eq!(version(&store).await.1, "one");
}

#[tokio::test]
async fn a_token_that_cannot_be_renewed_is_used_as_it_is() {
    let ca = Ca::new();
    let bao = Bao::start(&ca).await;
    app_role(&bao, 3600).await;
    let wish = json!({"policies": ["keyrelay"], "type": "batch", "ttl": "1h"});
    let (_, batch) = bao.must_call(Method::POST, "auth/token/create", wish).await;
    let token = format!("{}\n", batch["auth"]["client_token"].as_str().unwrap());
    let store = open(&bao, Auth::Token(fixed(&token)));
    assert_eq!(store.write(None, PATH, &fields("one"), 0).await, WriteOutcome::Written { version: 1 });
}

#[tokio::test]
async fn a_dead_token_and_a_wrong_secret_id_are_forbidden_without_being_shown() {
    let ca = Ca::new();
    let bao = Bao::start(&ca).await;
    let store = open(&bao, Auth::Token(fixed("s.canary")));
    let dead = "it does not know the token: that has ended or was revoked";
    assert_eq!(failed(store.read(None, PATH).await), StoreTrouble::LoggedOut(dead.into()));
    assert_eq!(store.health().await, Err(StoreTrouble::LoggedOut(dead.into())));
    let Auth::AppRole { role_id, mount, .. } = app_role(&bao, 3600).await else { unreachable!() };
    let store = open(&bao, Auth::AppRole { role_id, secret_id: fixed("canary"), mount });
    let refused = "logging in at auth/approle: 400 (invalid role or secret ID)";
    assert_eq!(failed(store.read(None, PATH).await), StoreTrouble::LoggedOut(refused.into()));
    assert_eq!(
        store.write(None, PATH, &fields("one"), 0).await,
        WriteOutcome::Failed(StoreTrouble::LoggedOut(refused.into()))
    );
}

#[tokio::test]
async fn a_namespace_is_a_store_of_its_own() {
    let ca = Ca::new();
    let bao = Bao::start(&ca).await;
    bao.must_call(Method::POST, "sys/namespaces/team", json!({})).await;
    let given = |namespace: &str| {
        open_with(vault::Settings { namespace: namespace.into(), ..settings(&bao, root(&bao)) })
    };
    let inside = given("team");
    assert_eq!(
        failed(inside.read(None, PATH).await).to_string(),
        format!("the store refused: reading secret/data/{PATH}: nothing is mounted there; look at the mount")
    );
    let kv2 = json!({"type": "kv", "options": {"version": "2"}});
    bao.must_call(Method::POST, "team/sys/mounts/secret", kv2).await;
    until("the engine inside is ready", async || {
        let (status, _) = bao.must_call(Method::GET, "team/secret/config", Value::Null).await;
        (status == 200).then_some(())
    })
    .await;
    assert_eq!(inside.write(None, PATH, &fields("one"), 0).await, WriteOutcome::Written { version: 1 });
    assert!(matches!(given("").read(None, PATH).await, Read::Absent));
    assert!(inside.health().await.unwrap().time.is_some());
    assert_eq!(
        failed(given("nope").read(None, PATH).await).to_string(),
        format!("the store refused: reading secret/data/{PATH}: 404 (namespace not found)")
    );
}

/// Its tokens live so long, and with renewals twice that.
async fn app_role(bao: &Bao, ttl_secs: u32) -> Auth {
    let role = bao.approle_with(PATHS, ttl_secs).await;
    Auth::AppRole { role_id: role.role_id, secret_id: fixed(&role.secret_id), mount: "approle".into() }
}

/// The tokens of the policy that live at the server.
async fn tokens(bao: &Bao) -> Vec<Value> {
    let list = "LIST".parse().unwrap();
    let (_, accessors) = bao.must_call(list, "auth/token/accessors", Value::Null).await;
    let mut found = Vec::new();
    for accessor in accessors["data"]["keys"].as_array().unwrap() {
        let (_, token) =
            bao.must_call(Method::POST, "auth/token/lookup-accessor", json!({"accessor": accessor})).await;
        // One that ended since the list was made has no answer.
        if token["data"]["policies"].as_array().is_some_and(|policies| policies.contains(&json!("keyrelay")))
        {
            found.push(token["data"].clone());
        }
    }
    found
}

pub async fn revoke_logins(bao: &Bao) {
    bao.must_call(Method::POST, "sys/leases/revoke-prefix/auth/approle/login", json!({})).await;
}
