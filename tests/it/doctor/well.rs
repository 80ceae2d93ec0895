//! Everything is in order: what is said then.

use super::{Ward, lines};

#[tokio::test]
async fn a_site_in_order_is_shown_line_by_line_and_ends_with_0() {
    let mut ward = Ward::new().await;
    let ran = ward.doctor(&[]).await;
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{}", ran.stdout);
    let key = ward.stage.vendor.current_key(ward.slot.account).fingerprint();
    let (vendor, project) = (ward.stage.vendor.base_url(), &ward.slot.project);
    let shop = ward.stage.scratch.join("shop").display().to_string();
    let expected = [
        "ok read: 1 credential, no mistake".to_owned(),
        "ok login: the token lives for 1 h, renewable; policies: default, keyrelay".into(),
        "ok rights: all that is needed, on 10 paths".into(),
        "ok versions kept in secret/: 10 of each document, for ever".into(),
        "ok check-and-set of keyrelay/_doctor: written as version 1, and read back".into(),
        "ok the key of main at vendors/leaf7/main: version 1, field api_key".into(),
        "ok state documents: 1 may be written; each was tried without changing it".into(),
        format!("ok login of rotation@example.com: localhost:{}", ward.stage.dovecot.imaps.number),
        "ok folders: INBOX, Junk, opened for reading only".into(),
        "ok leaf7: s1._domainkey.leaf7.fun: Ed25519".into(),
        format!(
            "ok {vendor}: a random key: dead, as it should be (401 with the vendor's \"Not authenticated\")"
        ),
        "ok current key of main: alive (200 with an array of 1, as a live key gets it)".into(),
        format!("ok account of main: [\"{project}\"]; to pin it: credentials.main.account: [\"{project}\"]"),
        format!("ok main/shop file: {shop}: written and renamed in; {shop}/leaf7.key holds the current key"),
        "ok main/shop proof: in use".into(),
        format!("ok localhost:{}: login, and keyrelay@example.com may send", ward.stage.smtp.port.number),
        "ok recipients: ops@example.com would be taken".into(),
        "ok clock, by the Date of the store: the same".into(),
        format!("ok clock, by the Date of {vendor}: the same"),
    ];
    let shown = lines(&ran);
    let missing: Vec<_> = expected.iter().filter(|line| !shown.contains(line)).collect();
    assert!(missing.is_empty(), "{missing:#?}\n{}", ran.stdout);
    let notice = format!(" UTC: a key that is known, fingerprint {key}: nothing to do");
    assert!(
        shown.iter().any(|line| line.starts_with("ok newest notice for main: ") && line.ends_with(&notice))
    );
    assert!(shown.iter().all(|line| line.starts_with("ok ")), "{}", ran.stdout);
    assert!(ran.stdout.ends_with("the daemon will find what it needs: 31 ok\n"), "{}", ran.stdout);
    assert!(ward.stage.alerts().is_empty(), "nothing was sent");
}

#[tokio::test]
async fn one_credential_alone_can_be_asked_about_and_an_unknown_one_is_a_mistake() {
    let mut ward = Ward::new().await;
    let other = ward.stage.slot("other");
    ward.configure(|_| {}).await;
    let ran = ward.doctor(&["main"]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.stdout);
    assert!(!ran.stdout.contains("other"), "{}", ran.stdout);
    let ran = ward.doctor(&["othr"]).await;
    assert_eq!(ran.code, Some(2));
    assert_eq!(ran.stderr, "there is no credential named \"othr\"; did you mean \"other\"?\n");
    let ran = ward.doctor(&[]).await;
    let none =
        format!("warning the key of other at {}: there is none yet $ keyrelay ingest other", other.path);
    assert!(lines(&ran).contains(&none), "{}", ran.stdout);
    assert_eq!(ran.code, Some(0), "a key that is not there yet is no failure");
}
