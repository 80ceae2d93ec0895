//! What cannot be mailed now is mailed later, by whichever process.

use super::scene::{Scene, first_id};
use crate::world::{SmtpMode, until};
use std::fs;

#[tokio::test]
async fn r59_a_notice_outlives_the_mail_servers_outage_and_the_process() {
    let mut scene = Scene::build().await;
    scene.smtp.stop();
    scene.start().await;
    let kept = scene.kept("mail", 1).await;
    let id = first_id(&kept);
    scene.logged("cannot be reached").await;
    let (status, body) = scene.daemon.get("readyz").await.expect("the daemon answers");
    assert_eq!((status, body.contains("alerts")), (503, true), "{body}");
    for _ in 0..3 {
        scene.kill_and_start().await;
        let queued = scene.daemon.status().await["alerts"]["queued"].clone();
        assert_eq!(queued, 1);
        assert_eq!(first_id(&scene.kept("mail", 1).await), id, "the same incident, the same step");
    }
    scene.smtp.start_again().await;
    scene.wait_mails(&["unseeded"]).await;
    assert_eq!(scene.mails(), [("unseeded".to_owned(), id.clone())]);
    scene.kept("mail", 0).await;
    scene.daemon.wait_ready().await;
    // What was told is not told again, and its end is the next of its thread.
    scene.kill_and_start().await;
    scene.daemon.wait_ready().await;
    scene.ingest().await;
    let thread = until("the end is told", async || {
        let mails = scene.mails().into_iter();
        let ids: Vec<_> = mails.filter(|(code, _)| code == "unseeded").map(|(_, id)| id).collect();
        (ids.len() >= 2).then_some(ids)
    })
    .await;
    assert_eq!(thread, [id.clone(), id.replace(".0@", ".1@")]);
}

#[tokio::test]
async fn r59_a_server_that_is_busy_or_falls_silent_gets_the_mail_later_and_once() {
    for (mode, sign) in [(SmtpMode::Busy, "answered 451"), (SmtpMode::Silent, "Notify { channel: Mail")] {
        let mut scene = Scene::build().await;
        scene.smtp.set_mode(mode);
        scene.start().await;
        let id = first_id(&scene.kept("mail", 1).await);
        scene.logged(sign).await;
        // Killed while it waits for the next try, or for an answer that never comes.
        scene.daemon.kill9();
        scene.smtp.set_mode(SmtpMode::Accept);
        scene.daemon.start_up().await;
        scene.kept("mail", 0).await;
        assert_eq!(scene.mails(), [("unseeded".to_owned(), id)]);
    }
}

#[tokio::test]
async fn a_mail_that_is_refused_for_good_waits_and_goes_when_the_server_is_mended() {
    let mut scene = Scene::build().await;
    scene.smtp.set_mode(SmtpMode::Refuse);
    scene.start().await;
    // It, and what is told of the refusal itself.
    let kept = scene.kept("mail", 2).await;
    let id = first_id(&kept);
    scene
        .daemon
        .wait_status("it is told in the status", |status| {
            let codes: Vec<_> =
                status["incidents"].as_array()?.iter().map(|incident| &incident["code"]).collect();
            codes.iter().any(|code| *code == "alerts-failing").then_some(())
        })
        .await;
    scene.kill_and_start().await;
    scene.kept("mail", 2).await;
    assert_eq!(scene.mails(), []);
    scene.smtp.set_mode(SmtpMode::Accept);
    scene.daemon.sighup();
    until("the mail comes", async || scene.mails().iter().any(|(_, came)| *came == id).then_some(())).await;
    scene.kept("mail", 0).await;
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_set_aside_and_told_of() {
    let mut scene = Scene::build().await;
    scene.smtp.stop();
    scene.start().await;
    scene.kept("mail", 1).await;
    scene.daemon.kill9();
    let file = scene.daemon.state_dir().join("alerts.json");
    let whole = fs::read(&file).expect("the file");
    fs::write(&file, &whole[..whole.len() / 2]).expect("half of it");
    scene.smtp.start_again().await;
    scene.daemon.start_up().await;
    let lost = scene.smtp.wait_for("alerts-lost", |mail| mail.contains("X-Keyrelay-Code: alerts-lost")).await;
    assert!(lost.contains("alerts.json.unreadable"), "{lost}");
    assert_eq!(fs::read(file.with_extension("json.unreadable")).expect("the file"), whole[..whole.len() / 2]);
    // What is open is told anew.
    until("unseeded is told", async || {
        scene.mails().iter().any(|(code, _)| code == "unseeded").then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_is_urgent_wakes_others_too_and_one_mail_goes_to_all() {
    let mut scene = Scene::build().await;
    scene.config.set("alerts.email.urgent_to", "pager@example.com");
    scene.start().await;
    let unseeded = scene.smtp.wait_for("unseeded", |mail| mail.contains("X-Keyrelay-Code: unseeded")).await;
    assert!(
        unseeded.contains("X-Envelope-To: ops@example.com\r\nReceived") || !unseeded.contains("pager@"),
        "{unseeded}"
    );
    // Refused mails are urgent once the server takes mails again.
    scene.smtp.set_mode(SmtpMode::Refuse);
    scene.ingest().await;
    scene
        .daemon
        .wait_status("alerts fail", |status| {
            let incidents = status["incidents"].as_array()?;
            incidents.iter().any(|incident| incident["code"] == "alerts-failing").then_some(())
        })
        .await;
    scene.smtp.set_mode(SmtpMode::Accept);
    scene.daemon.sighup();
    let mail =
        scene.smtp.wait_for("alerts-failing", |mail| mail.contains("X-Keyrelay-Code: alerts-failing")).await;
    assert!(
        mail.contains("X-Envelope-To: ops@example.com\r\nX-Envelope-To: pager@example.com\r\n"),
        "{mail}"
    );
}
