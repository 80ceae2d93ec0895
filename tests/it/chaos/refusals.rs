//! The store answers, and refuses: another writer was first, the token is revoked, the policy forbids, a quota is used
//! up, versions are few, deleted or destroyed. One rotation after the other through the same servers.

use super::scene::{NAME, PATH, Scene};
use crate::world::Hold;
use reqwest::Method;
use serde_json::{Value, json};

const POLICY: &str = "sys/policies/acl/keyrelay";
const QUOTA: &str = "sys/quotas/rate-limit/tight";

async fn root(scene: &Scene, method: Method, path: &str, body: Value) {
    let (status, answer) = scene.bao.must_call(method, path, body).await;
    assert!((200..300).contains(&status), "{path}: {status} {answer}");
}

/// Waits until an incident of the credential says both.
async fn said(scene: &mut Scene, what: &str, why: &str) {
    scene
        .wait(&format!("{what}: {why}"), |credential| {
            let mut incidents = credential["incidents"].as_array()?.iter();
            let says = |incident: &Value| {
                incident["message"].as_str().is_some_and(|said| said.contains(what) && said.contains(why))
            };
            incidents.any(says).then_some(())
        })
        .await;
}

#[tokio::test]
async fn r45_r47_what_the_store_refuses_in_mid_rotation_is_told_and_the_key_arrives_when_it_is_mended() {
    let mut scene = Scene::running().await;

    // Its logins are revoked between the read and the write: one new login, and nobody is told.
    scene.store.hold(PATH, Hold::Request);
    let key = scene.rotate();
    scene.confirm(&key).await;
    scene.store.holds().await;
    root(&scene, Method::POST, "sys/leases/revoke-prefix/auth/approle/login", json!({})).await;
    scene.store.let_go();
    scene.completed(&key).await;

    // The policy lets it read, and no more.
    let (_, policy) = scene.bao.must_call(Method::GET, POLICY, Value::Null).await;
    let policy = policy["data"]["policy"].as_str().expect("a policy").to_owned();
    let reading = policy.replace("\"create\", \"read\", \"update\"", "\"read\"");
    assert_ne!(reading, policy);
    root(&scene, Method::POST, POLICY, json!({"policy": reading})).await;
    let key = scene.rotate();
    scene.confirm(&key).await;
    said(&mut scene, &format!("cannot be written to {PATH}"), "403 (permission denied)").await;
    scene.in_spool().await;
    root(&scene, Method::POST, POLICY, json!({"policy": policy})).await;
    scene.completed(&key).await;
    scene.resolved("store-forbidden").await;

    // Somebody asks for too much, and the quota is used up.
    root(&scene, Method::POST, QUOTA, json!({"path": "secret/", "rate": 0.001, "interval": "1h"})).await;
    let key = scene.rotate();
    scene.confirm(&key).await;
    said(&mut scene, NAME, "429 (rate limit quota exceeded)").await;
    scene.in_spool().await;
    root(&scene, Method::DELETE, QUOTA, Value::Null).await;
    scene.completed(&key).await;
    scene.resolved("store-refused").await;

    // Another account's key is written between the read and the write: nothing is written over it, and an operator
    // decides.
    scene.store.hold(PATH, Hold::Request);
    let key = scene.rotate();
    scene.confirm(&key).await;
    scene.store.holds().await;
    let stranger = scene.vendor.new_account("stranger", &["2f0c6f2e-6a55-4c1e-9d0e-000000000009"]);
    let mut theirs = scene.bao.read(PATH).await.expect("a document");
    theirs["api_key"] = scene.vendor.current_key(stranger).expose().into();
    let version = scene.bao.write(PATH, theirs.clone()).await;
    scene.others.push(version);
    scene.store.let_go();
    scene.told("store-foreign").await;
    scene.mailed("store-foreign").await;
    assert_eq!(scene.bao.read(PATH).await, Some(theirs));
    let accepted = scene.daemon.run(&["accept", NAME, &key.fingerprint().hex(), "--yes"]).await;
    assert_eq!(accepted.code, Some(0), "{accepted:?}");
    let document = scene.bao.read(PATH).await.expect("a document");
    assert_eq!((scene.bao.versions(PATH).await, &document["api_key"]), (version + 1, &json!(key.expose())));
    scene.resolved("store-foreign").await;
    scene.spool_is_empty().await;
}

#[tokio::test]
async fn r49_few_versions_cas_required_and_deleted_and_destroyed_ones_lead_to_one_version_at_the_right_place()
{
    let mut scene = Scene::running().await;
    let metadata = format!("secret/metadata/{PATH}");
    for (settings, mount) in [
        (json!({"max_versions": 1}), json!({})),
        (json!({"max_versions": 3, "cas_required": true}), json!({"cas_required": true})),
        (json!({"max_versions": 0, "cas_required": false}), json!({"cas_required": false})),
    ] {
        root(&scene, Method::POST, &metadata, settings).await;
        root(&scene, Method::POST, "secret/config", mount).await;
        for _ in 0..2 {
            let key = scene.rotate();
            scene.confirm(&key).await;
            scene.completed(&key).await;
        }
    }

    // Deleted, or destroyed: the next key is written over it, and the one before is not lost.
    for how in ["delete", "destroy"] {
        let version = scene.bao.versions(PATH).await;
        let before = scene.bao.read(PATH).await.expect("a document")["api_key"].clone();
        root(&scene, Method::POST, &format!("secret/{how}/{PATH}"), json!({"versions": [version]})).await;
        let key = scene.rotate();
        scene.confirm(&key).await;
        scene.mailed("document-deleted").await;
        scene.completed(&key).await;
        scene.resolved("document-deleted").await;
        let document = scene.bao.read(PATH).await.expect("a document");
        assert_eq!((scene.bao.versions(PATH).await, &document["api_key_previous"]), (version + 1, &before));
    }
}
