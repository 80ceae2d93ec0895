//! A secret that leaks fails its test by whatever way it came out, though the test itself looks nowhere.

use crate::world::{Bao, Ca, Config, Daemon, Sandbox, Scratch, Server, Smtp, secrets, until};
use base64::{Engine, prelude::BASE64_STANDARD};
use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

/// A name in lower case, so that it can stand where names stand.
const SECRET: &str = secrets::PLANTED;

/// What the end of these says.
fn complaint<T>(ends: T) -> String {
    let panic = catch_unwind(AssertUnwindSafe(|| drop(ends))).expect_err("the leak is found");
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).expect("a message")
}

/// With a mailbox, so that something can have a name of the test's choice.
fn config(mailbox: &str) -> (Scratch, Config) {
    let (dir, mut config) = (Scratch::new(), Config::new());
    for folder in ["mail/new", "mail/cur", "mail/tmp"] {
        dir.folder(folder);
    }
    let master = dir.secret("master", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
    config
        .set("store.local.dir", dir.join("store").display().to_string())
        .set("store.local.master_key.file", master.display().to_string())
        .set("spool.dir", dir.join("spool").display().to_string())
        .set(&format!("mailboxes.{mailbox}.maildir.path"), dir.join("mail").display().to_string())
        .set("credentials.main.vendor", "leaf7")
        .set("credentials.main.path", "vendors/leaf7/main")
        .set("credentials.main.recipient", "rotation@example.com");
    (dir, config)
}

#[tokio::test]
async fn r60_a_secret_in_a_servers_log_fails_the_test() {
    let dir = Scratch::new();
    dir.secret("password", SECRET);
    let server = |text: &str| {
        let args = ["-c", "echo \"$1\"; sleep 60", "sh", text];
        Server::start(Path::new("/bin/sh"), args, &[], &dir.join("log"))
    };
    let says =
        async |server: &Server| until("it speaks", async || server.log().contains('\n').then_some(())).await;
    let leaking = server(&BASE64_STANDARD.encode(format!("x{SECRET}")));
    says(&leaking).await;
    assert!(complaint(leaking).contains("form: \"base64\""));
    let harmless = server("nothing");
    says(&harmless).await;
    drop(harmless);
}

#[tokio::test]
async fn r60_a_secret_in_the_daemons_environment_fails_the_test() {
    let (_dir, mut config) = config("mail");
    let mut daemon = Daemon::new(&mut config);
    daemon.start_logging(&format!("info,{SECRET}=trace"));
    secrets::note(SECRET);
    assert!(complaint(daemon).contains("/environ"));
}

#[tokio::test]
async fn s07_s08_who_asks_the_environments_proxy_or_writes_tls_keys_down_fails_the_test() {
    let (_dir, mut config) = config("mail");
    let daemon = Daemon::new(&mut config);
    let environment = daemon.environment();
    let value = |name: &str| {
        environment.iter().find(|(known, _)| *known == name).expect(name).1.to_str().expect(name)
    };
    let proxy = value("all_proxy").strip_prefix("http://").expect("an address");
    let _asking = std::net::TcpStream::connect(proxy).expect("the trap is there");
    assert!(complaint(daemon).contains("a proxy of the environment is asked"));
    let daemon = Daemon::new(&mut config);
    let environment = daemon.environment();
    let keys = &environment.iter().find(|(name, _)| *name == "SSLKEYLOGFILE").expect("the variable").1;
    fs::write(keys, "CLIENT_RANDOM").expect("a file");
    assert!(complaint(daemon).contains("the keys of TLS connections"));
}

#[tokio::test]
async fn r60_a_secret_on_the_daemons_face_fails_the_test() {
    let (_dir, mut config) = config(SECRET);
    let mut daemon = Daemon::new(&mut config);
    daemon.start_up().await;
    secrets::note(SECRET);
    let told = complaint(daemon);
    assert!(told.contains("/api/v1/status") && told.contains("/metrics"), "{told}");
}

#[tokio::test]
async fn r60_a_secret_in_the_state_folder_fails_the_test() {
    let (_dir, mut config) = config("mail");
    let daemon = Daemon::new(&mut config);
    let hex: String = SECRET.bytes().map(|byte| format!("{byte:02x}")).collect();
    fs::write(daemon.state_dir().join("left-behind"), hex).expect("a file");
    secrets::note(SECRET);
    let told = complaint(daemon);
    assert!(told.contains("left-behind") && told.contains("form: \"hex\""), "{told}");
}

#[tokio::test]
async fn r60_a_secret_that_a_command_prints_fails_the_test() {
    secrets::note(SECRET);
    let printing = tokio::spawn(async {
        let (_dir, mut config) = config("mail");
        config.set(SECRET, "no such key");
        Daemon::new(&mut config).run(&["check"]).await
    });
    let panic = printing.await.expect_err("the leak is found").into_panic();
    let told = panic.downcast_ref::<String>().expect("a message");
    assert!(told.contains("what a command printed"), "{told}");
}

/// As a number, a path or a name, where OpenBao hashes nothing.
#[tokio::test]
async fn s04_a_secret_in_the_stores_audit_log_fails_the_test() {
    let ca = Ca::new();
    let bao = Bao::start(&ca).await;
    secrets::note(SECRET);
    bao.write("vendors/x", serde_json::json!({"api_key": SECRET})).await;
    let harmless = bao.audit_log();
    assert!(secrets::canary().scan_bytes("here", &harmless).is_empty());
    bao.write("vendors/x", serde_json::json!({SECRET: "a name"})).await;
    assert!(bao.audit_log().len() > harmless.len(), "it is written down");
    assert!(complaint(bao).contains("OpenBao's audit log"));
}

#[tokio::test]
async fn r60_a_secret_in_a_mail_fails_the_test() {
    let ca = Ca::new();
    let smtp = Smtp::start(&ca).await;
    secrets::note(SECRET);
    fs::write(smtp.folder().join("1.eml"), format!("Subject: x\n\n{}=\n{}", &SECRET[..9], &SECRET[9..]))
        .expect("a mail");
    assert!(complaint(smtp).contains("a mail"));
}

#[tokio::test]
async fn r60_a_secret_in_the_journal_fails_the_test() {
    let Some(sandbox) = Sandbox::boot().await else { return };
    secrets::note(SECRET);
    let url: String = SECRET.replace('-', "%2D");
    sandbox.sh(&format!("logger -t test {url}; journalctl --sync")).await;
    assert!(complaint(sandbox).contains("the box's journal"));
}

/// What a vendor makes later counts as well; and what is short or of few signs is no secret, or every text had one.
#[tokio::test]
async fn what_is_noted_is_each_key_of_a_vendor_and_of_an_address_its_path() {
    let vendor = secrets::vendor(Default::default()).await;
    let account = vendor.new_account("one", &["p"]);
    let found = |text: &str| !secrets::canary().scan_bytes("here", text.as_bytes()).is_empty();
    assert!(found(vendor.current_key(account).expose()));
    let key = vendor.rotate(account, std::time::Duration::ZERO);
    assert!(found(key.expose()));
    secrets::note("http://127.0.0.1:7718/hooks/wh00k-7f3a9c51e2b8d604\nAAAAAAAAAAAAAAAAAAAA\nshort");
    assert!(found("wh00k-7f3a9c51e2b8d604"));
    for harmless in ["http://127.0.0.1:7718/hooks/", "AAAAAAAAAAAAAAAAAAAA", "short", "nothing"] {
        assert!(!found(harmless), "{harmless}");
    }
}
