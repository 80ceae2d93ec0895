//! What must not be taken, delivered to a real mail server: the profile's own list of forged, foreign and broken
//! mails, and one that is enormous. Nothing is promoted, and who has to know is told.

use super::stage::{Slot, Stage};
use crate::world::until;
use keyrelay::{
    demo::{
        dns::TxtBehaviour,
        mails::{Fields, confirmation, fill},
        sign::{SIGNED, Signer, Signing},
        simulator::Mode,
    },
    domain::{Key, Timestamp},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{fs, time::Duration};

/// As `expected.yaml` beside the mails has it.
#[derive(Deserialize)]
struct Case {
    mail: String,
    signed: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
    headers: Option<Vec<String>>,
    algorithm: Option<String>,
    #[serde(default)]
    changed: Vec<(String, String)>,
    becomes: String,
    #[serde(default)]
    why: String,
}

/// The Date of the profile's mails, where one says it or a moment near it in figures.
const WRITTEN: &str = "2026-11-20T09:00:00Z";
/// Of 30 MiB the daemon may keep so much at once, and no more.
const ENORMOUS_BYTES: usize = 30 << 20;

#[tokio::test]
async fn r01_r02_m01_m02_nothing_of_the_profiles_list_is_promoted_and_what_looked_like_ours_is_told() {
    let mut stage = Stage::build().await;
    let slot = stage.slot("main");
    let old = stage.seed(&slot).await;
    stage.start().await;
    stage.wait(&slot, "the key is known", |found| (found["phase"] == "steady").then_some(())).await;

    let mut cases = cases();
    // Without a header it has no From for the mail server to find.
    cases.retain(|case| case.mail != "25-empty-first-line");
    // A confirmation of the current key makes history of what came before it.
    cases.sort_by_key(|case| case.becomes != "known");
    for case in &cases {
        // A key of the vendor's, alive and ours: only the mail is wrong.
        let (_, new) = stage.rotate(&slot);
        let mail = make(&mut stage, &slot, case, &old, &new);
        stage.dovecot.deliver(&mail, "INBOX").await;
    }
    for (becomes, code) in [("suspicious", "mail-suspicious"), ("unparsed", "mail-unparsed")] {
        let reasons: Vec<_> =
            cases.iter().filter(|case| case.becomes == becomes).map(|case| &case.why).collect();
        for why in &reasons {
            let seen = |found: &Value| {
                let mut all = incidents(found, code);
                all.any(|incident| {
                    incident["message"].as_str().is_some_and(|text| text.contains(why.as_str()))
                })
            };
            stage.wait(&slot, &format!("{code}: {why}"), |found| seen(found).then_some(())).await;
        }
        let found = stage.credential(&slot).await;
        assert_eq!(counted(&found, code), reasons.len() as u64, "{code}");
        println!("{} mails are {becomes}, for {} reasons", reasons.len(), incidents(&found, code).count());
    }
    let held: Vec<_> = cases.iter().filter(|case| case.becomes == "held").map(|case| &case.why).collect();
    let found = stage
        .wait(&slot, "held", |found| (found["held"].as_array()?.len() == held.len()).then(|| found.clone()))
        .await;
    assert!(
        found["held"].as_array().unwrap().iter().all(|shown| held.iter().any(|why| shown["why"] == **why))
    );
    assert_eq!((&found["generation"], &found["fingerprint"]), (&json!(0), &json!(old.fingerprint().hex())));
    assert_eq!(stage.document(&slot).await, Some(json!({"api_key": old.expose()})));
    let log = stage.daemon.log();
    assert_eq!(log.matches("is the current key").count(), 0);

    // None of them has closed the way for a genuine one.
    stage.date_from_now();
    let (_, new) = stage.rotate(&slot);
    stage.confirm(&slot, 0, &old, &new).await;
    stage.wait_promoted(&slot, &new).await;
    stage.end().await;
}

#[tokio::test]
async fn r09_while_the_vendor_does_not_say_whose_key_it_is_the_key_waits_in_the_spool_and_is_promoted_then() {
    let mut stage = Stage::build().await;
    let slot = stage.slot("main");
    let old = stage.seed(&slot).await;
    stage.start().await;
    stage.wait(&slot, "the key is known", |found| (found["phase"] == "steady").then_some(())).await;
    stage.date_from_now();
    let (_, new) = stage.rotate(&slot);
    stage.vendor.set_faults(Mode::Unavailable);
    stage.confirm(&slot, 0, &old, &new).await;
    let spool = stage.daemon.state_dir().join("spool");
    until("the key is in the spool", async || {
        let mut entries = fs::read_dir(&spool).ok()?.flatten();
        entries.any(|entry| entry.file_name().to_string_lossy().starts_with("main.")).then_some(())
    })
    .await;
    let found = stage.credential(&slot).await;
    assert_eq!((&found["phase"], &found["generation"]), (&json!("probing"), &json!(0)), "{found}");
    assert_eq!(stage.document(&slot).await, Some(json!({"api_key": old.expose()})));

    stage.vendor.set_faults(Mode::Truthful);
    stage.wait_promoted(&slot, &new).await;
    stage.end().await;
}

#[tokio::test]
async fn m01_m10_r07_a_genuine_mail_after_an_unsigned_one_is_taken_and_a_foreign_account_is_refused() {
    let mut stage = Stage::build().await;
    let slot = stage.slot("main");
    let stranger = stage.slot("stranger");
    stage.config.remove("credentials.stranger");
    let old = stage.seed(&slot).await;
    stage.date_from_now();
    stage.start().await;
    let (_, new) = stage.rotate(&slot);
    let fields = stage.fields(&slot, &old, &new);
    stage.dovecot.deliver(&confirmation(0, &fields), "INBOX").await;
    stage.wait(&slot, "the unsigned one is held", |found| (found["held"] != json!([])).then_some(())).await;

    // The attacker's own genuine confirmation, passed on to us as it is (Bcc, or a redirection): addressed to him.
    let foreign = stage.vendor.current_key(stranger.account);
    let mail = stage.confirmation(&stranger, 1, &old, &foreign);
    stage.dovecot.deliver(&mail, "INBOX").await;
    // The same where the vendor has our address for his account: addressed to us, and of another account.
    let mail = stage.confirmation(&slot, 1, &old, &foreign);
    stage.dovecot.deliver(&mail, "INBOX").await;
    let refused = stage.wait_mail("the foreign key", |mail| mail.code == "candidate-refused").await;
    assert!(refused.subject.contains("of another account"), "{}", refused.subject);
    let hex = foreign.fingerprint().hex();
    let asked = stage.vendor.requests().keys().any(|(key, _)| *key == Some(foreign.fingerprint()));
    assert!(asked, "the vendor was asked whose it is");
    assert!(!stage.credential(&slot).await["held"].to_string().contains(&hex), "it is not offered");

    stage.confirm(&slot, 2, &old, &new).await;
    stage.wait_promoted(&slot, &new).await;
    assert_eq!(stage.document(&slot).await.expect("a document")["api_key"], new.expose());
    stage.wait(&slot, "nothing is held", |found| (found["held"] == json!([])).then_some(())).await;
    stage.end().await;
}

#[tokio::test]
async fn an_enormous_mail_is_told_of_and_not_read() {
    let mut stage = Stage::build().await;
    let slot = stage.slot("main");
    stage.seed(&slot).await;
    stage.date_from_now();
    stage.start().await;
    stage.wait(&slot, "the key is known", |found| (found["phase"] == "steady").then_some(())).await;

    let before = peak_memory(&stage);
    let enormous = enormous(&mut stage, &slot);
    stage.dovecot.deliver(&enormous, "INBOX").await;
    let told = stage.wait_mail("the enormous mail", |mail| mail.code == "mail-too-large").await;
    assert!(told.text.contains("keyrelay ingest"), "{}", told.text);
    let grown = peak_memory(&stage).saturating_sub(before);
    println!("a mail of {} MiB: the daemon's peak grew by {} KiB", ENORMOUS_BYTES >> 20, grown >> 10);
    assert!(grown < ENORMOUS_BYTES / 2, "{grown} bytes");
    assert_eq!(stage.credential(&slot).await["generation"], json!(0));
    stage.end().await;
}

fn folder() -> String {
    format!("{}/src/vendor/profiles/leaf7/mails/refuse", env!("CARGO_MANIFEST_DIR"))
}
fn cases() -> Vec<Case> {
    let text = fs::read_to_string(format!("{}/expected.yaml", folder())).expect("the list");
    let cases: Vec<Case> = yaml_serde::from_str(&text).expect("a list of cases");
    assert!(cases.len() >= 24);
    cases
}

/// The mail as it would arrive today.
fn make(stage: &mut Stage, slot: &Slot, case: &Case, old: &Key, new: &Key) -> Vec<u8> {
    let written: Timestamp = WRITTEN.parse().expect("a moment");
    let fields = stage.fields(slot, old, new);
    let template = fs::read_to_string(format!("{}/{}.eml", folder(), case.mail)).expect("a mail");
    let later = super::stage::now() + Duration::from_secs(3_600);
    let template = template.replace("Fri, 20 Nov 2026 09:06:00 +0000", &date(later));
    let mail = fill(&template, &fields);
    let headers = case.headers.as_ref();
    let headers = headers.map_or(SIGNED.to_vec(), |headers| headers.iter().map(String::as_str).collect());
    let tags = case.tags.iter().map(|tag| moved(tag, written, fields.date)).collect();
    let signing = Signing { headers, tags, algorithm: case.algorithm.as_deref() };
    let signed = match case.signed.as_deref() {
        None => stage.signer.sign_with(&mail, &signing),
        Some("nobody") => mail,
        Some(domain) => {
            let signer = Signer::generate(domain, "s1").expect("a signing key");
            let (name, record) = signer.txt_record();
            stage.dns.set(&name, TxtBehaviour::Records(vec![record]));
            signer.sign_with(&mail, &signing)
        }
    };
    case.changed.iter().fold(signed, |mail, (from, to)| {
        let text = String::from_utf8(mail).expect("a text");
        let to = to.replace("rotation@example.com", &slot.recipient);
        assert!(text.contains(from), "{}: there is no {from:?}", case.mail);
        text.replacen(from, &to, 1).into_bytes()
    })
}

/// `t=` and `x=` keep their distance to the mail's Date.
fn moved(tag: &str, written: Timestamp, dated: Timestamp) -> String {
    match tag.split_once('=').and_then(|(name, secs)| Some((name, secs.parse::<i64>().ok()?))) {
        Some((name @ ("t" | "x"), secs)) => format!("{name}={}", secs - written.as_secs() + dated.as_secs()),
        Some(_) | None => tag.to_owned(),
    }
}

fn date(at: Timestamp) -> String {
    let at = chrono::DateTime::from_timestamp_millis(at.as_millis()).expect("a moment");
    at.to_rfc2822()
}

fn enormous(stage: &mut Stage, slot: &Slot) -> Vec<u8> {
    let (old, new) = stage.rotate(slot);
    let fields: Fields<'_> = stage.fields(slot, &old, &new);
    let mut mail = stage.signer.sign(&confirmation(0, &fields));
    let line = format!("{}\r\n", "x".repeat(76));
    while mail.len() < ENORMOUS_BYTES {
        mail.extend_from_slice(line.as_bytes());
    }
    mail
}

/// In bytes, since the daemon was started.
fn peak_memory(stage: &Stage) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", stage.daemon.pid())).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its peak");
    line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number") << 10
}

fn incidents<'a>(found: &'a Value, code: &'a str) -> impl Iterator<Item = &'a Value> {
    let all = found["incidents"].as_array().expect("a list of incidents");
    all.iter().filter(move |incident| incident["code"] == code)
}
fn counted(found: &Value, code: &str) -> u64 {
    incidents(found, code).map(|incident| incident["count"].as_u64().expect("a count")).sum()
}
