//! The Vault adapter against a real OpenBao: over TLS, with Raft storage, sealed and killed on the way.

use crate::world::{Bao, Ca, Port, Scratch, install_tls, until};
use keyrelay::{
    at_rest::{LiveSecret, SecretFile},
    domain::{Limits, Secret, StoreTrouble, Timestamp, WriteOutcome},
    store::{
        Fields, Read, Settings, Store,
        vault::{self, Auth},
    },
};
use reqwest::Method;
use serde_json::{Value, json};
use std::{
    path::Path,
    time::{Duration, SystemTime},
};

mod certificate;
mod kubernetes;
mod lasting;
mod login;
mod nodes;
mod trouble;

const PATH: &str = "vendors/leaf7/main";
/// What the policy of the tests' logins allows.
const PATHS: &[&str] = &["vendors/leaf7/*"];

#[tokio::test]
async fn a_document_is_written_read_and_replaced_by_check_and_set() {
    let ca = Ca::new();
    let bao = Bao::start(&ca).await;
    let store = open(&bao, root(&bao));
    assert!(matches!(store.read(None, PATH).await, Read::Absent));
    assert_eq!(store.write(None, PATH, &fields("one"), 0).await, WriteOutcome::Written { version: 1 });
    assert_eq!(store.write(None, PATH, &fields("two"), 0).await, WriteOutcome::Mismatch);
    assert_eq!(store.write(None, PATH, &fields("two"), 2).await, WriteOutcome::Mismatch);
    assert_eq!(version(&store).await, (1, "one".to_owned()));
    assert_eq!(store.write(None, PATH, &fields("two"), 1).await, WriteOutcome::Written { version: 2 });
    assert_eq!(version(&store).await, (2, "two".to_owned()));
    let Read::Present(document) = store.read(None, PATH).await else { panic!() };
    assert!(Timestamp::from(SystemTime::now()).since(document.created_at) < Duration::from_secs(60));
    assert!(document.created_at.since(Timestamp::from(SystemTime::now())) < Duration::from_secs(60));
}

#[tokio::test]
async fn r49_a_deleted_version_is_told_from_one_that_never_was() {
    let ca = Ca::new();
    let bao = Bao::start(&ca).await;
    let store = open(&bao, root(&bao));
    store.write(None, PATH, &fields("one"), 0).await;
    bao.delete(PATH).await;
    assert!(matches!(store.read(None, PATH).await, Read::Deleted { version: 1 }));
    assert_eq!(store.write(None, PATH, &fields("two"), 0).await, WriteOutcome::Mismatch);
    assert_eq!(store.write(None, PATH, &fields("two"), 1).await, WriteOutcome::Written { version: 2 });
    bao.must_call(Method::POST, &format!("secret/destroy/{PATH}"), json!({"versions": [2]})).await;
    assert!(matches!(store.read(None, PATH).await, Read::Deleted { version: 2 }));
    bao.must_call(Method::DELETE, &format!("secret/metadata/{PATH}"), json!(null)).await;
    assert!(matches!(store.read(None, PATH).await, Read::Absent));
}

#[tokio::test]
async fn another_mount_is_another_place_and_a_missing_one_is_named() {
    let ca = Ca::new();
    let bao = Bao::start(&ca).await;
    bao.must_call(Method::POST, "sys/mounts/team", json!({"type": "kv", "options": {"version": "1"}})).await;
    let store = open(&bao, root(&bao));
    store.write(Some("secret"), PATH, &fields("one"), 0).await;
    assert_eq!(version(&store).await.0, 1);
    assert_eq!(
        failed(store.read(Some("nowhere"), "x").await).to_string(),
        "the store refused: reading nowhere/data/x: nothing is mounted there; look at the mount"
    );
    let WriteOutcome::Failed(trouble) = store.write(Some("team"), "x", &fields("one"), 0).await else {
        panic!()
    };
    assert_eq!(
        trouble.to_string(),
        "the store refused: writing team/data/x: the answer is not that of a KV version 2 engine; look at the mount"
    );
}

#[tokio::test]
async fn health_tells_the_stores_time_and_whether_it_lets_us_in() {
    let ca = Ca::new();
    let bao = Bao::start(&ca).await;
    let date = open(&bao, root(&bao)).health().await.unwrap().time.expect("OpenBao says its Date");
    let now = Timestamp::from(SystemTime::now());
    assert!(now.since(date).max(date.since(now)) < Duration::from_secs(60));
    let secret_id = fixed("x");
    let nobody = Auth::AppRole { role_id: "nobody".into(), secret_id, mount: "approle".into() };
    assert_eq!(
        open(&bao, nobody).health().await,
        Err(StoreTrouble::LoggedOut("logging in at auth/approle: 400 (invalid role or secret ID)".into()))
    );
}

fn fields(key: &str) -> Fields {
    Fields::from_json(json!({"api_key": key})).unwrap()
}

async fn version(store: &Store) -> (u64, String) {
    match store.read(None, PATH).await {
        Read::Present(document) => (document.version, document.fields.get_str("api_key").unwrap().to_owned()),
        other => panic!("{other:?}"),
    }
}

fn failed(read: Read) -> StoreTrouble {
    match read {
        Read::Failed(trouble) => trouble,
        other => panic!("{other:?}"),
    }
}

fn settings(bao: &Bao, auth: Auth) -> vault::Settings {
    vault::Settings {
        nodes: vec![bao.address()],
        namespace: String::new(),
        ca_cert: Some(bao.ca_path()),
        mount: "secret".into(),
        auth,
    }
}

fn open(bao: &Bao, auth: Auth) -> Store {
    open_with(settings(bao, auth))
}

fn open_with(settings: vault::Settings) -> Store {
    install_tls();
    let limits = Limits { request_timeout: Duration::from_secs(3), ..Limits::default() };
    Store::open(&Settings::Vault(settings), &limits).unwrap()
}

fn root(bao: &Bao) -> Auth {
    Auth::Token(fixed(bao.root_token()))
}

fn fixed(secret: &str) -> LiveSecret {
    LiveSecret::fixed(Secret::new(secret))
}

/// Read again at each login.
fn in_file(path: &Path) -> LiveSecret {
    let file = SecretFile { path: path.to_owned(), forbidden: 0o044 };
    let (secret, _) = file.read().unwrap().unwrap();
    LiveSecret::in_file(secret, file)
}
