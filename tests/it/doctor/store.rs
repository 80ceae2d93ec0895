//! The store, broken in one way at a time.

use super::{Ward, lines};
use crate::world::{run, tool};
use reqwest::Method;
use serde_json::json;
use std::path::Path;
use tokio::process::Command;

const POLICY: &str = "$ keyrelay policy vault | bao policy write keyrelay -";

/// What the daemon may on the state and the mount, without the key's own path.
const STATE: &str = r#"
path "secret/config" { capabilities = ["read"] }
path "secret/data/keyrelay/*" { capabilities = ["create", "read", "update"] }
path "secret/metadata/*" { capabilities = ["read"] }
path "auth/token/renew-self" { capabilities = ["update"] }
"#;

impl Ward {
    async fn policy(&self, text: &str) {
        self.root("sys/policies/acl/keyrelay", json!({"policy": text})).await;
    }
    async fn root(&self, path: &str, body: serde_json::Value) {
        let (status, answer) = self.stage.bao.must_call(Method::POST, path, body).await;
        assert!((200..300).contains(&status), "{path}: {status} {answer}");
    }
    /// Types what a failure says, as the store's administrator would; doctor is content afterwards.
    async fn mend(&mut self, failure: &str) {
        let (_, typed) = failure.split_once(" $ ").expect("something to type");
        let (bao, keyrelay) = (tool("bao"), Path::new(env!("CARGO_BIN_EXE_keyrelay")));
        let path = [bao.as_path(), keyrelay]
            .map(|program| program.parent().expect("a folder").display().to_string());
        let mut shell = Command::new("/bin/sh");
        shell
            .args(["-euc", typed])
            .env("PATH", format!("{}:/usr/bin:/bin", path.join(":")))
            .env("KEYRELAY_CONFIG", self.stage.daemon.config_path())
            .env("BAO_ADDR", self.stage.bao.address())
            .env("BAO_CACERT", self.stage.bao.ca_path())
            .env("BAO_TOKEN", self.stage.bao.root_token());
        let ran = run(&mut shell, b"").await;
        assert_eq!(ran.code, Some(0), "{typed}: {ran:?}");
        assert_eq!(self.failures().await, (Some(0), vec![]), "{typed}");
    }

    fn store_line(&self, rest: &str) -> String {
        format!("store {}: {rest}", self.stage.bao.address())
    }
}

#[tokio::test]
async fn a_sealed_store_is_told_once_and_what_needs_it_is_skipped() {
    let mut ward = Ward::new().await;
    ward.stage.bao.seal().await;
    let ran = ward.doctor(&[]).await;
    let sealed = ward.store_line("reachable and unsealed: it is sealed $ bao operator unseal");
    assert_eq!((ran.code, super::what_to_fix(&ran)), (Some(3), vec![sealed]), "{}", ran.stdout);
    for skipped in
        ["skipped current key of main: the store is sealed", "skipped main/shop proof: the store is sealed"]
    {
        assert!(lines(&ran).iter().any(|line| line == skipped), "{skipped}\n{}", ran.stdout);
    }
    ward.stage.bao.unseal().await;
    assert_eq!(ward.failures().await, (Some(0), vec![]));
}

#[tokio::test]
async fn a_store_that_hangs_or_is_away_does_not_hang_doctor() {
    let mut ward = Ward::new().await;
    ward.stage.bao.freeze();
    let (code, failures) = ward.failures().await;
    assert_eq!(code, Some(3));
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert!(
        failures[0].contains("no answer within 2 s > start the store, or correct store.vault.address"),
        "{failures:?}"
    );
    ward.stage.bao.kill();
    let (code, failures) = ward.failures().await;
    assert_eq!(code, Some(3));
    assert!(failures[0].contains("reachable and unsealed: 127.0.0.1:"), "{failures:?}");
}

#[tokio::test]
async fn each_missing_right_is_named_with_what_it_is_for() {
    let mut ward = Ward::new().await;
    let read_only = "path \"secret/data/vendors/leaf7/main\" { capabilities = [\"read\"] }";
    ward.policy(&format!("{STATE}{read_only}")).await;
    let lacking = "rights on secret/data/vendors/leaf7/main: create, update is missing (the key of main)";
    let told = ward.store_line(&format!("{lacking} {POLICY}"));
    assert_eq!(ward.failures().await, (Some(1), vec![told.clone()]));
    ward.mend(&told).await;
}

#[tokio::test]
async fn a_state_that_cannot_be_written_is_tried_and_not_only_asked_about() {
    let mut ward = Ward::new().await;
    let state = STATE.replace(r#"["create", "read", "update"]"#, r#"["read"]"#);
    ward.policy(&format!(
        "{state} path \"secret/data/vendors/*\" {{ capabilities = [\"create\", \"read\", \"update\"] }}"
    ))
    .await;
    let (code, failures) = ward.failures().await;
    let forbidden = |tried: &str, path: &str| {
        ward.store_line(&format!(
            "{tried}: forbidden: writing secret/data/{path}: 403 (permission denied) $ keyrelay policy vault"
        ))
    };
    assert_eq!(code, Some(1));
    assert!(
        failures.contains(&forbidden("check-and-set of keyrelay/_doctor", "keyrelay/_doctor")),
        "{failures:#?}"
    );
    assert!(failures.contains(&forbidden("the state at keyrelay/main", "keyrelay/main")), "{failures:#?}");
}

#[tokio::test]
async fn a_mount_that_forgets_versions_is_refused_and_so_is_a_path_that_does() {
    let mut ward = Ward::new().await;
    ward.root("secret/config", json!({"max_versions": 2})).await;
    let few = "max_versions is 2: a key that still works would be destroyed; 3 are the least";
    let mount = "$ bao write secret/config max_versions=10 delete_version_after=0s";
    let told = ward.store_line(&format!("versions kept in secret/: {few} {mount}"));
    assert_eq!(ward.failures().await, (Some(1), vec![told]));

    ward.root("secret/config", json!({"max_versions": 10, "delete_version_after": "768h"})).await;
    let gone = "delete_version_after is 768h0m0s: the current key itself would be deleted";
    let told = ward.store_line(&format!("versions kept in secret/: {gone} {mount}"));
    assert_eq!(ward.failures().await, (Some(1), vec![told.clone()]));
    ward.mend(&told).await;

    ward.root("secret/metadata/vendors/leaf7/main", json!({"max_versions": 1})).await;
    let few = "max_versions is 1: a key that still works would be destroyed; 3 are the least";
    let path =
        "$ bao kv metadata put -mount=secret -max-versions=10 -delete-version-after=0s vendors/leaf7/main";
    let told = ward.store_line(&format!("versions kept at vendors/leaf7/main: {few} {path}"));
    assert_eq!(ward.failures().await, (Some(1), vec![told.clone()]));
    ward.mend(&told).await;
}

#[tokio::test]
async fn a_refused_login_is_a_finding_and_no_silence() {
    let mut ward = Ward::new().await;
    let wrong = ward.stage.scratch.secret("wrong-id", "no-such-secret-id");
    ward.configure(|config| {
        config.set("store.vault.auth.approle.secret_id", json!({"file": wrong}));
    })
    .await;
    let (code, failures) = ward.failures().await;
    assert_eq!((code, failures.len()), (Some(1), 1), "{failures:?}");
    assert!(
        failures[0].contains("login: the login is refused, or over: logging in at auth/approle: 400 (invalid role or secret ID)"),
        "{failures:?}"
    );
}

#[tokio::test]
async fn a_key_that_was_deleted_says_how_it_comes_back() {
    let mut ward = Ward::new().await;
    ward.stage.bao.delete("vendors/leaf7/main").await;
    let told = "the key of main at vendors/leaf7/main: version 1, the newest, is deleted \
                $ bao kv undelete -mount=secret -versions=1 vendors/leaf7/main";
    let told = ward.store_line(told);
    assert_eq!(ward.failures().await, (Some(1), vec![told.clone()]));
    ward.mend(&told).await;
}

#[tokio::test]
async fn nothing_is_written_but_a_document_of_its_own() {
    let mut ward = Ward::new().await;
    for (path, versions) in [("keyrelay/main", 0), ("keyrelay/main", 1)] {
        assert_eq!(ward.failures().await, (Some(0), vec![]));
        assert_eq!(ward.stage.bao.versions(path).await, versions, "{path} is as it was");
        ward.stage.bao.write(path, json!({"schema": 1})).await;
    }
    assert_eq!(ward.stage.bao.versions("vendors/leaf7/main").await, 1);
    assert_eq!(ward.stage.bao.versions("keyrelay/_doctor").await, 2);
    let written = ward.stage.bao.read("keyrelay/_doctor").await.unwrap();
    assert_eq!(written["host"], keyrelay::daemon::host_name());
}
