//! The mailbox and the keys of its mails' signatures, broken in one way at a time.

use super::{Ward, lines};
use keyrelay::demo::dns::TxtBehaviour;
use serde_json::json;

const KEY: &str = "s1._domainkey.leaf7.fun";

#[tokio::test]
async fn a_wrong_password_is_a_finding_and_a_silent_server_an_outside_system() {
    let mut ward = Ward::new().await;
    let (right, wrong) =
        (ward.stage.dovecot.mailbox(), ward.stage.scratch.secret("wrong", "another 5Jd6yLs1 password"));
    ward.configure(|config| {
        config.set("mailboxes.vendor-mail.imap.password", json!({"file": wrong}));
    })
    .await;
    let (code, failures) = ward.failures().await;
    assert_eq!((code, failures.len()), (Some(1), 1), "{failures:?}");
    let told = &failures[0];
    assert!(told.starts_with("mailbox vendor-mail: login of rotation@example.com: localhost:"), "{told}");
    assert!(told.contains("refuses the login of rotation@example.com: "), "{told}");
    assert!(told.ends_with(" > correct mailboxes.vendor-mail.imap.user, or its password"), "{told}");

    ward.configure(|config| {
        config.set("mailboxes.vendor-mail", right);
    })
    .await;
    ward.stage.dovecot.kill().await;
    let (code, failures) = ward.failures().await;
    assert_eq!((code, failures.len()), (Some(3), 1), "{failures:?}");
    assert!(
        failures[0].contains(
            " > correct mailboxes.vendor-mail.imap (host, port, tls, ca_cert), or start the server"
        )
    );
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_named_wherever_it_stands() {
    let mut ward = Ward::new().await;
    for folders in [json!(["INBOX", "Nowhere"]), json!(["Nowhere", "INBOX"])] {
        ward.configure(|config| {
            config.set("mailboxes.vendor-mail.imap.folders", folders);
        })
        .await;
        let (code, failures) = ward.failures().await;
        assert_eq!((code, failures.len()), (Some(1), 1), "{failures:?}");
        let told = &failures[0];
        assert!(told.contains("EXAMINE \"Nowhere\" is refused: "), "{told}");
        assert!(
            told.ends_with(" > name folders that are there: mailboxes.vendor-mail.imap.folders"),
            "{told}"
        );
    }
}

#[tokio::test]
async fn a_mailbox_without_a_notice_and_one_with_a_false_one_are_to_be_known_of() {
    let mut ward = Ward::new().await;
    ward.stage.dovecot.expunge("INBOX").await;
    let none = "warning newest notice for main: none from @leaf7.fun in 30 days \
                $ keyrelay explain --credential main --days 365";
    let ran = ward.doctor(&[]).await;
    assert!(lines(&ran).contains(&none.to_owned()), "{}", ran.stdout);
    let unknown =
        "skipped leaf7: leaf7.fun: the DNS answers; which key it signs with is seen in its first mail";
    assert!(lines(&ran).contains(&unknown.to_owned()), "{}", ran.stdout);
    assert_eq!(ran.code, Some(0));

    // Signed with a key that is not the published one.
    let foreign = keyrelay::demo::sign::Signer::generate("leaf7.fun", "s1").unwrap();
    ward.stage.dns.set(KEY, TxtBehaviour::Records(vec![foreign.txt_record().1]));
    let key = ward.stage.vendor.current_key(ward.slot.account);
    ward.stage.confirm(&ward.slot.clone(), 0, &key, &key).await;
    let ran = ward.doctor(&[]).await;
    let told = lines(&ran).into_iter().find(|line| line.contains("newest notice")).unwrap();
    assert!(told.starts_with("warning newest notice for main: ") && told.contains("suspicious"), "{told}");
}

#[tokio::test]
async fn a_signing_key_that_is_gone_revoked_or_weak_is_told_before_its_mails_are_refused() {
    let mut ward = Ward::new().await;
    let dig = format!("$ dig +short TXT {KEY}");
    for (records, told) in [
        (None, "no key is published there: the vendor's mails would be refused"),
        (Some("v=DKIM1; k=rsa; p="), "the key was revoked: its mails will be refused"),
        (Some("v=DKIM1; p=nonsense"), "the record is malformed"),
    ] {
        let behaviour = match records {
            Some(record) => TxtBehaviour::Records(vec![record.into()]),
            None => TxtBehaviour::NoSuchName,
        };
        ward.stage.dns.set(KEY, behaviour);
        let expected = format!("keys of the vendors' mail signatures (DKIM): leaf7: {KEY}: {told} {dig}");
        assert_eq!(ward.failures().await, (Some(1), vec![expected]));
    }
}

#[tokio::test]
async fn a_dns_that_does_not_answer_is_an_outside_system_and_the_mail_waits() {
    let mut ward = Ward::new().await;
    ward.stage.dns.set(KEY, TxtBehaviour::Silent);
    let ran = ward.doctor(&[]).await;
    let failures = super::what_to_fix(&ran);
    assert_eq!((ran.code, failures.len()), (Some(3), 1), "{failures:?}");
    assert!(failures[0].contains(&format!("leaf7: {KEY}: the DNS did not say: ")), "{failures:?}");
    assert!(failures[0].ends_with("dns.servers in the configuration"), "{failures:?}");
    let waits = |line: &String| {
        line.starts_with("warning newest notice for main: ") && line.contains("it cannot be judged now")
    };
    assert!(lines(&ran).iter().any(waits), "{}", ran.stdout);
}

#[tokio::test]
async fn a_maildir_must_have_its_folders() {
    let mut ward = Ward::new().await;
    let path = ward.stage.scratch.folder("maildir");
    ward.configure(|config| {
        config
            .remove("mailboxes.vendor-mail.imap")
            .set("mailboxes.vendor-mail.maildir.path", path.display().to_string());
    })
    .await;
    let (code, failures) = ward.failures().await;
    assert_eq!((code, failures.len()), (Some(1), 1), "{failures:?}");
    assert!(failures[0].contains("maildir/new: no such file or directory"), "{failures:?}");
    for folder in ["maildir/new", "maildir/cur"] {
        ward.stage.scratch.folder(folder);
    }
    assert_eq!(ward.failures().await, (Some(0), vec![]));
}

#[tokio::test]
async fn s23_whether_a_confirmation_can_be_moved_is_tried_without_moving_one() {
    let mut ward = Ward::new().await;
    ward.configure(|config| {
        config.set("mailboxes.vendor-mail.settled", json!({"move": "Rotated"}));
    })
    .await;
    let (code, failures) = ward.failures().await;
    assert_eq!((code, failures.len()), (Some(1), 1), "{failures:?}");
    let told = &failures[0];
    assert!(told.starts_with("mailbox vendor-mail: after a rotation: localhost:"), "{told}");
    assert!(told.contains(": EXAMINE \"Rotated\" is refused: "), "{told}");
    let advice = " > mend that on the mail server, or correct mailboxes.vendor-mail.settled";
    assert!(told.ends_with(advice), "{told}");

    ward.stage.dovecot.doveadm(&["mailbox", "create", "-u", crate::world::Dovecot::USER, "Rotated"]).await;
    for (settled, what) in [(json!({"move": "Rotated"}), "moved to Rotated"), (json!("delete"), "deleted")] {
        ward.configure(|config| {
            config.set("mailboxes.vendor-mail.settled", settled);
        })
        .await;
        let ran = ward.doctor(&[]).await;
        let line =
            format!("ok after a rotation: its confirmation is {what}; the server and this login can do that");
        assert!(ran.code == Some(0) && lines(&ran).contains(&line), "{}", ran.stdout);
    }
    assert_eq!(ward.stage.dovecot.mail_count("Rotated").await, 0);
    let flags = ward.stage.dovecot.flags("INBOX").await;
    assert!(flags.len() == 1 && !flags[0].contains('\\'), "{flags:?}");
}
