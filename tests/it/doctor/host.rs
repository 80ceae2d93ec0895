//! This host: secrets, folders, addresses, and the service's user.

use super::{Ward, lines};
use serde_json::json;
use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt};

#[tokio::test]
async fn a_secret_that_is_missing_is_named_and_everything_else_is_still_tried() {
    let mut ward = Ward::new().await;
    ward.configure(|config| {
        config.set("mailboxes.vendor-mail.imap.password", json!({"credential": "no-such-secret"}));
    })
    .await;
    let ran = ward.doctor(&[]).await;
    let told = "secrets: mailboxes.vendor-mail.imap.password: {credential: no-such-secret}: no credential \
                \"no-such-secret\" in /run/credentials/keyrelay.service/ or /etc/credstore/ $ sudo install -m 600 \
                /dev/stdin /etc/credstore/no-such-secret";
    assert_eq!((ran.code, super::what_to_fix(&ran)), (Some(2), vec![told.to_owned()]), "{}", ran.stdout);
    let skipped = "skipped login of rotation@example.com: its password is missing: see secrets";
    assert!(lines(&ran).contains(&skipped.to_owned()), "{}", ran.stdout);
    assert!(lines(&ran).contains(&"ok main/shop proof: in use".to_owned()), "{}", ran.stdout);
}

#[tokio::test]
async fn whoever_misses_a_secret_is_skipped_and_told_once() {
    let mut ward = Ward::new().await;
    let gone = ward.stage.scratch.join("gone");
    ward.configure(|config| {
        for key in ["store.vault.auth.approle.secret_id", "alerts.email.smtp.password", "spool.key"] {
            config.set(key, json!({"file": gone}));
        }
    })
    .await;
    let ran = ward.doctor(&[]).await;
    let (code, failures) = (ran.code, super::what_to_fix(&ran));
    assert_eq!((code, failures.len()), (Some(2), 3), "{}", ran.stdout);
    let (gone, skipped) = (gone.display(), "is missing: see secrets");
    assert!(
        failures.iter().all(|line| line.ends_with(&format!("$ install -m 600 /dev/stdin {gone}"))),
        "{failures:#?}"
    );
    let shown = lines(&ran);
    assert_eq!(shown.iter().filter(|line| line.ends_with(skipped)).count(), 3, "{}", ran.stdout);
    let unknown = "skipped current key of main: nobody can log in to the store";
    assert!(shown.contains(&unknown.to_owned()), "{}", ran.stdout);
}

#[tokio::test]
async fn a_secret_that_others_can_read_is_a_mistake_as_it_is_for_check() {
    let mut ward = Ward::new().await;
    let path = ward.stage.scratch.write("open-secret", "secret");
    ward.configure(|config| {
        config.set("mailboxes.vendor-mail.imap.password", json!({"file": path}));
    })
    .await;
    let ran = ward.doctor(&[]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    let shown = path.display();
    assert!(
        ran.stderr
            .ends_with(&format!("{shown} can be read by others (mode 0644); type: chmod 600 {shown}\n")),
        "{}",
        ran.stderr
    );
}

#[tokio::test]
async fn a_taken_address_and_an_open_spool_are_told_before_the_first_start() {
    let mut ward = Ward::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let spool = ward.stage.scratch.folder("spool");
    ward.configure(|config| {
        config.set("spool.dir", spool.display().to_string());
    })
    .await;
    fs::set_permissions(&spool, fs::Permissions::from_mode(0o755)).unwrap();
    let config = fs::read_to_string(ward.stage.daemon.config_path()).unwrap();
    let own = ward.stage.daemon.url().trim_start_matches("http://").to_owned();
    fs::write(ward.stage.daemon.config_path(), config.replace(&own, &address.to_string())).unwrap();
    let (code, failures) = ward.failures().await;
    let host = format!("this host ({})", keyrelay::daemon::host_name());
    let shown = spool.display();
    let expected = [
        format!("{host}: spool {shown}: others may enter it (mode 0755) $ chmod 700 {shown}"),
        format!(
            "{host}: listen {address}: it cannot be opened: Address already in use (os error 98) $ ss -ltnp 'sport = :{}'",
            address.port()
        ),
    ];
    assert_eq!((code, failures), (Some(1), expected.to_vec()));
}
