//! The login with a client certificate: OpenBao's own method, the certificate in the TLS of every call.

use super::*;
use std::path::PathBuf;

const DAY: Duration = Duration::from_secs(86_400);

/// A role for clients of this authority with this name; tokens live so long, and with renewals twice that.
async fn enable(bao: &Bao, ca: &Ca, ttl_secs: u32) {
    bao.approle(PATHS).await;
    bao.must_call(Method::POST, "sys/auth/cert", json!({"type": "cert"})).await;
    let role = json!({
        "certificate": ca.ca_pem(), "allowed_common_names": "keyrelay", "token_policies": "keyrelay",
        "token_ttl": ttl_secs, "token_max_ttl": 2 * ttl_secs
    });
    let (status, answer) = bao.must_call(Method::POST, "auth/cert/certs/keyrelay", role).await;
    assert_eq!(status, 204, "{answer}");
}

fn auth((cert, key): (PathBuf, PathBuf), name: Option<&str>) -> Auth {
    Auth::Cert { cert, key: in_file(&key), name: name.map(str::to_owned), mount: "cert".into() }
}

#[tokio::test]
async fn a_certificate_lets_in_with_its_role_or_with_whichever_fits() {
    let ca = Ca::new();
    let bao = Bao::start(&ca).await;
    enable(&bao, &ca, 3_600).await;
    for (cas, name) in [None, Some("keyrelay")].into_iter().enumerate() {
        let store = open(&bao, auth(ca.client("keyrelay", DAY), name));
        let written = store.write(None, PATH, &fields("one"), cas as u64).await;
        assert_eq!(written, WriteOutcome::Written { version: cas as u64 + 1 });
    }
    let store = open(&bao, auth(ca.client("keyrelay", DAY), Some("another")));
    let StoreTrouble::LoggedOut(why) = failed(store.read(None, PATH).await) else { panic!() };
    assert!(why.starts_with("logging in at auth/cert: 4"), "{why}");
}

#[tokio::test]
async fn one_of_another_name_or_another_authority_is_refused() {
    let (ca, other) = (Ca::new(), Ca::new());
    let bao = Bao::start(&ca).await;
    enable(&bao, &ca, 3_600).await;
    for client in [ca.client("stranger", DAY), other.client("keyrelay", DAY)] {
        let store = open(&bao, auth(client, None));
        let StoreTrouble::LoggedOut(why) = failed(store.read(None, PATH).await) else { panic!() };
        assert!(why.starts_with("logging in at auth/cert: 4"), "{why}");
    }
}

#[tokio::test]
async fn a_new_certificate_in_place_of_the_old_is_shown_at_the_next_login() {
    let ca = Ca::new();
    let bao = Bao::start(&ca).await;
    enable(&bao, &ca, 3_600).await;
    let files = ca.client("keyrelay", DAY);
    let store = open(&bao, auth(files.clone(), None));
    store.write(None, PATH, &fields("one"), 0).await;
    let ends_at = async || store.health().await.unwrap().endings[0].until.unwrap();
    let first = ends_at().await;

    assert_eq!(ca.client("keyrelay", 30 * DAY), files);
    assert!(ends_at().await > first + 28 * DAY, "its end is that of the file");
    let serial = async || {
        let (_, found) = bao.must_call("LIST".parse().unwrap(), "auth/token/accessors", Value::Null).await;
        found["data"]["keys"].as_array().unwrap().len()
    };
    let before = serial().await;
    bao.must_call(Method::POST, "sys/leases/revoke-prefix/auth/cert/login", json!({})).await;
    assert_eq!(version(&store).await, (1, "one".to_owned()));
    assert_eq!(serial().await, before, "one login took the other's place");
}

#[tokio::test]
async fn a_key_that_does_not_belong_to_the_certificate_is_named_without_being_shown() {
    let ca = Ca::new();
    let bao = Bao::start(&ca).await;
    enable(&bao, &ca, 3_600).await;
    let (cert, _) = ca.client("keyrelay", DAY);
    let (_, key) = ca.client("another", DAY);
    let store = open(&bao, auth((cert.clone(), key), None));
    assert_eq!(
        failed(store.read(None, PATH).await),
        StoreTrouble::LoggedOut(format!(
            "{}: the key does not belong to the certificate, or is of no known kind",
            cert.display()
        ))
    );
    std::fs::remove_file(&cert).unwrap();
    let StoreTrouble::LoggedOut(why) = failed(store.read(None, PATH).await) else { panic!() };
    assert!(why.starts_with(&format!("{}: No such file", cert.display())), "{why}");
}

#[tokio::test]
async fn the_token_of_a_certificate_is_renewed_and_at_its_longest_life_replaced() {
    let ca = Ca::new();
    let bao = Bao::start(&ca).await;
    enable(&bao, &ca, 2).await;
    let store = open(&bao, auth(ca.client("keyrelay", DAY), None));
    store.write(None, PATH, &fields("one"), 0).await;
    for _ in 0..2 {
        let (_, lives) = bao.must_call("LIST".parse().unwrap(), "auth/token/accessors", Value::Null).await;
        until("another token took its place", async || {
            assert_eq!(version(&store).await.1, "one");
            let (_, now) = bao.must_call("LIST".parse().unwrap(), "auth/token/accessors", Value::Null).await;
            (now["data"]["keys"] != lives["data"]["keys"]).then_some(())
        })
        .await;
    }
}
