//! The mail server goes away, refuses, or loses the mail.

use super::scene::{NAME, OPERATOR, Scene};
use crate::world::{Dovecot, Imap, until};
use sha2::{Digest, Sha256};
use std::fs;

#[tokio::test]
async fn r31_imap05_a_mail_server_that_was_killed_or_that_kicks_is_found_again_with_the_mail_that_came_meanwhile()
 {
    let mut scene = Scene::running().await;
    scene.dovecot.kill().await;
    let key = scene.rotate();
    scene.lay_confirmation(&key);
    scene.dovecot.start_again().await;
    scene.completed(&key).await;

    scene.dovecot.kick().await;
    let key = scene.rotate();
    scene.confirm(&key).await;
    scene.completed(&key).await;

    // Its users' directory is down for a while: no login at the moment, which is no wrong password.
    let log = scene.daemon.log_len();
    scene.dovecot.lose_passwords(true);
    scene.dovecot.kill().await;
    scene.dovecot.start_again().await;
    scene.logged(log, "no login at the moment: [UNAVAILABLE]").await;
    let key = scene.rotate();
    scene.lay_confirmation(&key);
    scene.dovecot.lose_passwords(false);
    scene.dovecot.kill().await;
    scene.dovecot.start_again().await;
    scene.completed(&key).await;
    let refused = scene.daemon.log_since(log).matches("MailboxRefused").count();
    assert_eq!(refused, 0);
}

#[tokio::test]
async fn r28_imap01_another_uidvalidity_in_idle_makes_no_second_rotation_and_loses_no_later_one() {
    let mut scene = Scene::running().await;
    for value in [77, 78, 77] {
        scene.dovecot.set_uidvalidity("INBOX", value).await;
        // Everything in it is looked at anew, and nothing in it is.
        let key = scene.rotate();
        scene.confirm(&key).await;
        scene.completed(&key).await;
    }
}

#[tokio::test]
async fn r34_one_connection_is_enough_and_a_full_house_is_waited_for() {
    let mut scene = Scene::build().await;
    let ca = crate::world::Ca::new();
    scene.dovecot = Dovecot::start_with(&ca, 1).await;
    scene.config.set("mailboxes.vendor-mail", scene.dovecot.mailbox());
    // Somebody else has the one place that there is.
    let guest = Imap::login(scene.dovecot.imap.number).await;
    scene.start().await;
    let told = scene.told("mailbox-unreachable").await;
    let message = told["message"].as_str().expect("a message");
    assert!(
        message.contains("no login at the moment: [") && message.contains("how many connections?"),
        "{message}"
    );
    let key = scene.rotate();
    scene.confirm(&key).await;
    drop(guest);
    // By itself it would come back in a quarter of an hour; who reloads does not wait.
    scene.daemon.sighup();
    scene.completed(&key).await;
    scene.resolved("mailbox-unreachable").await;
    let key = scene.rotate();
    scene.confirm(&key).await;
    scene.completed(&key).await;
    let logins = scene.dovecot.log().matches("Login: user=").count();
    assert_eq!(logins, 2, "the guest's, and one of ours: {}", scene.dovecot.log());
}

#[tokio::test]
async fn r32_a_refused_login_is_told_at_once_and_tried_rarely_and_a_reload_mends_it() {
    let mut scene = Scene::build().await;
    // A look each second, if the mailbox were open.
    scene.config.set("schedules.mailbox_poll", "* * * * * *");
    scene.dovecot.set_password("another 5Jd6yLs1 password");
    scene.start().await;
    let incident = scene.told("mailbox-refused").await;
    assert_eq!(incident["severity"], "urgent");
    let mail = scene.mailed("mailbox-refused").await;
    assert!(
        mail.starts_with(&format!("X-Envelope-From: keyrelay@example.com\r\nX-Envelope-To: {OPERATOR}\r\n")),
        "{mail}"
    );
    assert!(!mail.contains(Dovecot::PASSWORD), "{mail}");

    let key = scene.rotate();
    scene.confirm(&key).await;
    let log = scene.daemon.log_len();
    let five_polls = async || (scene.daemon.log_since(log).matches("CheckStore").count() >= 5).then_some(());
    until("five polls", five_polls).await;
    assert_eq!(scene.dovecot.log().matches("auth failed").count(), 1, "{}", scene.dovecot.log());
    scene.dovecot.set_password(Dovecot::PASSWORD);
    scene.daemon.sighup();
    scene.completed(&key).await;
    scene.resolved("mailbox-refused").await;
}

#[tokio::test]
async fn r29_a_mail_that_is_expunged_while_the_store_is_sealed_has_its_key_in_the_spool_also_after_a_kill() {
    let mut scene = Scene::running().await;
    scene.bao.seal().await;
    let key = scene.rotate();
    scene.confirm(&key).await;
    let hex = key.fingerprint().hex();
    let seen = async || scene.daemon.log().contains(&hex).then_some(());
    until("the confirmation was read", seen).await;
    scene.dovecot.expunge("INBOX").await;
    scene.in_spool().await;
    scene.daemon.kill9();
    scene.start().await;
    scene.bao.unseal().await;
    scene.completed(&key).await;
}

#[tokio::test]
async fn m49_a_mail_over_which_the_process_died_twice_is_not_opened_again_and_told_of() {
    let mut scene = Scene::running().await;
    let note = |scene: &Scene, mail: &[u8], end: &str| {
        let hash: String = Sha256::digest(mail).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let path = scene.daemon.state_dir().join(format!("mails/{hash}.{end}"));
        fs::write(path, "").expect("a note");
    };
    // Once: whoever was killed then, a key may be in it.
    let key = scene.rotate();
    scene.daemon.kill9();
    let mail = scene.lay_confirmation(&key);
    note(&scene, &mail, "reading");
    scene.start().await;
    scene.completed(&key).await;
    let left = fs::read_dir(scene.daemon.state_dir().join("mails")).expect("the notes").count();
    assert_eq!(left, 0, "it was read to its end");

    let key = scene.rotate();
    scene.daemon.kill9();
    let mail = scene.lay_confirmation(&key);
    note(&scene, &mail, "died-once");
    note(&scene, &mail, "reading");
    scene.start().await;
    let told = scene.mailed("mail-broken").await;
    assert!(told.contains("keyrelay ingest"), "{told}");
    assert!(!scene.daemon.status().await.to_string().contains(&key.fingerprint().hex()));

    // What the notice says helps.
    let ran = scene.daemon.run_with(&["ingest", NAME], key.expose()).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    scene.completed(&key).await;
}
