//! What is not written has the documented default.

use super::*;
use crate::mail::imap;
use std::time::Duration;

#[test]
fn everything_else_has_a_default() {
    let config = accepted(&[]);
    let key_store::Settings::Vault(vault) = &config.store else { panic!("{:?}", config.store) };
    assert_eq!(
        (vault.namespace.as_str(), vault.mount.as_str(), &vault.ca_cert, config.state_path.as_str()),
        ("", "secret", &None, "keyrelay")
    );
    assert_eq!(config.state_dir, Path::new("/var/lib/keyrelay"));
    assert_eq!(config.spool, spool::Settings { dir: "/var/lib/keyrelay/spool".into(), key: None });
    assert_eq!(config.dns, dns::Settings::default());
    assert_eq!(config.listen, [Listen::Tcp("127.0.0.1:7718".parse().unwrap())]);
    assert_eq!(config.control, Path::new("/run/keyrelay/control.sock"));
    assert_eq!(
        config.schedules,
        Schedules {
            mailbox_poll: "0 * * * * *".into(),
            current_key_probe: "0 */10 * * * *".into(),
            consumer_prove: "0 17 * * * *".into(),
        }
    );
    let main = &config.credentials[&"main".parse().unwrap()];
    assert_eq!((main.field.as_str(), main.hand_over_within), ("api_key", Duration::from_secs(86_400)));
    assert_eq!((&main.account, main.consumers.len()), (&None, 1));
}

#[test]
fn without_a_grace_the_hand_over_has_an_hour() {
    let within =
        |changes: &[(&str, &str)]| accepted(changes).credentials[&"main".parse().unwrap()].hand_over_within;
    assert_eq!(within(&[("vendors.leaf7.grace", "null")]), Duration::from_secs(3_600));
    assert_eq!(within(&[("credentials.main.hand_over_within", "90s")]), Duration::from_secs(90));
}

#[test]
fn a_mail_servers_port_follows_from_its_tls() {
    let imap_port = |tls: &str| {
        let changes =
            [("mailboxes.vendor-mail.imap.tls", tls), ("mailboxes.vendor-mail.imap.host", "localhost")];
        match &accepted(&changes).mailboxes[&"vendor-mail".parse().unwrap()] {
            mail::MailboxSettings::Imap(imap::Settings { port, .. }) => *port,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(["implicit", "starttls", "none", "null"].map(imap_port), [993, 143, 143, 993]);
    let smtp_port = |tls: &str| {
        accepted(&[("alerts.email.smtp.tls", tls), ("alerts.email.smtp.host", "'::1'")]).email.unwrap().port
    };
    assert_eq!(["starttls", "implicit", "none", "null"].map(smtp_port), [587, 465, 25, 587]);
}

#[test]
fn the_smtp_user_is_the_sender_and_without_a_password_nobody_logs_in() {
    let email = accepted(&[]).email.unwrap();
    assert_eq!((email.user.as_deref(), email.password.is_some()), (Some("keyrelay@example.com"), true));
    let email = accepted(&[("alerts.email.smtp.user", "relay")]).email.unwrap();
    assert_eq!(email.user.as_deref(), Some("relay"));
    let email = accepted(&[("alerts.email.smtp.password", "~")]).email.unwrap();
    assert_eq!((email.user, email.password), (None, None));
}

#[test]
fn store_and_spool_lie_in_systemds_state_directory() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let key = STANDARD.encode([7; 32]);
    let variables = [("STATE_DIRECTORY", "/srv/state:/srv/other"), ("KEY", key.as_str())];
    let text = right_but(&[("store", "{local: {master_key: {env: KEY}}}")]);
    let (config, _) = load_text(&text, &variables, Need::Run).unwrap();
    let key_store::Settings::Local(local) = &config.store else { panic!() };
    assert_eq!(
        (local.dir.as_path(), local.master_key.expose()),
        (Path::new("/srv/state/store"), key.as_str())
    );
    assert_eq!(config.spool.dir, Path::new("/srv/state/spool"));
    assert_eq!(
        (config.state_dir.as_path(), config.state_path.as_str()),
        (Path::new("/srv/state"), "keyrelay")
    );
}
