//! `store.vault`: its nodes, its namespace, and the four ways in.

use super::*;
use crate::{
    at_rest::{LiveSecret, SecretFile},
    domain::Secret,
    store::{self as key_store, vault},
};
use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

const ADDRESS: &str = "store.vault.address";
const AUTH: &str = "store.vault.auth";

fn settings(changes: &[(&str, &str)]) -> vault::Settings {
    match accepted(changes).store {
        key_store::Settings::Vault(vault) => vault,
        key_store::Settings::Local(local) => panic!("{local:?}"),
    }
}

/// A file in a folder of its own.
fn write(folder: &Path, name: &str, text: &str, mode: u32) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    path
}

#[test]
fn the_address_is_one_node_or_several() {
    assert_eq!(settings(&[(ADDRESS, "https://vault:8200/")]).nodes, ["https://vault:8200"]);
    let three = "[https://a:8200, https://b:8200, http://127.0.0.1:8200]";
    assert_eq!(
        settings(&[(ADDRESS, three)]).nodes,
        ["https://a:8200", "https://b:8200", "http://127.0.0.1:8200"]
    );
    let text = right_but(&[]);
    let variables = [("KEYRELAY_STORE__VAULT__ADDRESS", "[https://a, https://b]")];
    let (config, _) = load_text(&text, &variables, Need::Run).unwrap();
    let key_store::Settings::Vault(vault) = config.store else { panic!() };
    assert_eq!(vault.nodes, ["https://a", "https://b"]);
}

#[test]
fn each_node_is_a_place_that_a_token_may_be_sent_to_and_is_there_once() {
    each_is_refused(&[
        (ADDRESS, "[]", "store.vault.address: the list is empty; write it as https://host:port"),
        (
            ADDRESS,
            "[https://a, http://b]",
            "store.vault.address[1]: plain http to b, which is not this machine; use https",
        ),
        (
            ADDRESS,
            "[https://a, https://b, https://a:443/]",
            "store.vault.address: the node of [2] is there twice",
        ),
        (ADDRESS, "[https://a, {b: c}]", "store.vault.address[1]: text is needed here, not a group of keys"),
    ]);
}

#[test]
fn a_namespace_is_names_with_slashes_between_them() {
    let key = "store.vault.namespace";
    for (written, namespace) in [("\"\"", ""), ("team", "team"), ("team/payments/", "team/payments")] {
        assert_eq!(settings(&[(key, written)]).namespace, namespace);
    }
    let hint = "write names with one / between two of them, as in team/payments";
    for bad in ["/team", "team//a", "team/../a", "te am", "/"] {
        each_is_refused(&[(
            key,
            &format!("\"{bad}\""),
            &format!("store.vault.namespace: \"{bad}\" is no namespace; {hint}"),
        )]);
    }
    each_is_refused(&[(
        key,
        "root",
        "store.vault.namespace: root is the namespace at the top; leave the key out",
    )]);
}

#[test]
fn each_way_in_has_its_usual_mount() {
    let secret = || LiveSecret::fixed(Secret::new(CANARY));
    let auth = |written| settings(&[(AUTH, written)]).auth;
    assert_eq!(auth("{token: {env: SECRET}}"), vault::Auth::Token(secret()));
    assert_eq!(
        auth("{approle: {role_id: a, secret_id: {env: SECRET}}}"),
        vault::Auth::AppRole { role_id: "a".into(), secret_id: secret(), mount: "approle".into() }
    );
    assert_eq!(
        auth("{kubernetes: {role: a, jwt: {env: SECRET}}}"),
        vault::Auth::Kubernetes { role: "a".into(), jwt: secret(), mount: "kubernetes".into() }
    );
    assert_eq!(
        auth("{kubernetes: {role: a, jwt: {env: SECRET}, mount: k8s/shop}}"),
        vault::Auth::Kubernetes { role: "a".into(), jwt: secret(), mount: "k8s/shop".into() }
    );
}

#[test]
fn what_a_login_needs_is_missed_by_name() {
    each_is_refused(&[
        (AUTH, "{kubernetes: {jwt: {env: SECRET}}}", "store.vault.auth.kubernetes.role: this key is missing"),
        (AUTH, "{kubernetes: {role: a}}", "store.vault.auth.kubernetes.jwt: this key is missing"),
        (AUTH, "{cert: {key: {env: SECRET}}}", "store.vault.auth.cert.cert: this key is missing"),
    ]);
}

#[test]
fn a_secret_in_a_file_keeps_its_place_so_that_it_can_be_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "secret-id", "canary-s3cr3t\n", 0o600);
    let written = format!("{{approle: {{role_id: a, secret_id: {{file: {}}}}}}}", path.display());
    let vault::Auth::AppRole { secret_id, .. } = settings(&[(AUTH, &written)]).auth else { panic!() };
    let file = SecretFile { path: path.clone(), forbidden: 0o044 };
    assert_eq!(secret_id, LiveSecret::in_file(Secret::new(CANARY), file));
    std::fs::write(&path, "another").unwrap();
    assert_eq!(secret_id.now(), Ok(Secret::new("another")));
}

#[test]
fn a_client_certificate_is_read_and_its_key_is_private() {
    let folder = tempfile::tempdir().unwrap();
    let pair = rcgen::KeyPair::generate().unwrap();
    let pem = rcgen::CertificateParams::default().self_signed(&pair).unwrap().pem();
    let cert = write(folder.path(), "cert.pem", &pem, 0o644);
    let key = write(folder.path(), "key.pem", &pair.serialize_pem(), 0o600);
    let written =
        |cert: &Path| format!("{{cert: {{cert: {}, key: {{file: {}}}}}}}", cert.display(), key.display());
    let vault::Auth::Cert { cert: path, name, mount, .. } = settings(&[(AUTH, &written(&cert))]).auth else {
        panic!()
    };
    assert_eq!((path, name, mount.as_str()), (cert.clone(), None, "cert"));

    let nothing = folder.path().join("nothing.pem");
    let missing = format!(
        "store.vault.auth.cert.cert: no file {}; put the client's certificate there as PEM",
        nothing.display()
    );
    assert_eq!(said_of(&[(AUTH, &written(&nothing))]), [missing]);
    let junk = write(folder.path(), "junk.pem", "junk", 0o644);
    let no_pem = format!(
        "store.vault.auth.cert.cert: {}: holds no certificate; put the certificate there as PEM, its chain behind it",
        junk.display()
    );
    assert_eq!(said_of(&[(AUTH, &written(&junk))]), [no_pem]);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let open = format!(
        "store.vault.auth.cert.key: {0} can be read by others (mode 0644); type: chmod 600 {0}",
        key.display()
    );
    assert_eq!(said_of(&[(AUTH, &written(&cert))]), [open]);
}

#[test]
fn a_client_certificate_is_not_shown_over_plain_http() {
    let folder = tempfile::tempdir().unwrap();
    let pair = rcgen::KeyPair::generate().unwrap();
    let pem = rcgen::CertificateParams::default().self_signed(&pair).unwrap().pem();
    let cert = write(folder.path(), "cert.pem", &pem, 0o644);
    let auth = format!("{{cert: {{cert: {}, key: {{env: SECRET}}}}}}", cert.display());
    assert_eq!(
        said_of(&[(AUTH, &auth), (ADDRESS, "http://127.0.0.1:8200")]),
        [
            "store.vault: a certificate is shown over TLS only, and http://127.0.0.1:8200 is plain http; use https, or another auth"
        ]
    );
}
