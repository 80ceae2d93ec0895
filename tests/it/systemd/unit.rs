//! The unit: started, watched, reloaded, killed and stopped.

use super::site::{Site, UNIT};
use crate::world::until;

#[tokio::test]
async fn s10_started_means_that_the_loop_runs_and_the_secrets_come_from_the_credstore() {
    let Some(site) = Site::build().await else { return };
    site.start().await;
    assert_eq!(site.show("SubState").await, "running");
    site.wait_status("1 credential, all tested").await;
    let status = site.status().await;
    assert_eq!(status["store"]["reachable"], true, "the store took the secret");
    assert_eq!(status["mailboxes"][0]["ok"], true, "so did the mail server");
    let pid = site.pid().await;
    let environment = site.sandbox.sh(&format!("tr '\\0' '\\n' </proc/{pid}/environ")).await;
    assert!(environment.contains("CREDENTIALS_DIRECTORY=/run/credentials/keyrelay.service"), "{environment}");
    let folder = site.sandbox.sh("ls /run/credentials/keyrelay.service").await;
    assert_eq!(
        folder, "imap-password\nsmtp-password\nvault-secret-id\n",
        "those that are there, and no others"
    );
}

#[tokio::test]
async fn a_sealed_store_times_no_start_out_and_the_status_says_so() {
    let Some(site) = Site::build().await else { return };
    site.servers.bao.seal().await;
    site.start().await;
    site.wait_status("the store is sealed").await;
    site.servers.bao.unseal().await;
    site.wait_status("1 credential, all tested").await;
}

#[tokio::test]
async fn a_killed_daemon_is_started_again_and_loses_nothing() {
    let Some(mut site) = Site::running().await else { return };
    let before = site.pid().await;
    site.servers.bao.seal().await;
    let key = site.servers.rotate().await;
    site.sandbox.said(UNIT, "waits in the spool").await;
    site.sandbox.sh(&format!("kill -9 {before}")).await;
    site.sandbox.wait_show(UNIT, "MainPID", |pid| pid != "0" && pid != before).await;
    assert_eq!(site.show("NRestarts").await, "1");
    site.servers.bao.unseal().await;
    site.in_use(&key).await;
    assert_eq!(site.servers.smtp.mails().iter().filter(|mail| mail.contains("daemon-down")).count(), 0);
}

/// Only the loop writes the history: a pipe in its place that nobody reads holds the loop, and nothing else.
#[tokio::test]
async fn a_loop_that_hangs_is_killed_though_the_rest_of_the_process_lives() {
    let Some(mut site) = Site::build().await else { return };
    site.sandbox.drop_in(UNIT, "watchdog", "[Service]\nWatchdogSec=3s\nRestartSec=100ms\n").await;
    site.start().await;
    site.wait_status("1 credential, all tested").await;
    assert_eq!(site.show("NRestarts").await, "0", "a loop that turns is left alone");
    let before = site.pid().await;
    site.sandbox
        .sh("cd /var/lib/keyrelay; mkdir -p history; rm -f history/leaf7-main.jsonl; mkfifo -m 666 history/leaf7-main.jsonl")
        .await;
    let key = site.servers.rotate().await;
    let healthz = [
        "curl",
        "-s",
        "--max-time",
        "2",
        "--unix-socket",
        "/run/keyrelay/face.sock",
        "http://localhost/healthz",
    ];
    let lives = site.sandbox.run(&healthz).await;
    assert_eq!(lives.code, Some(0), "a thread that answers is no sign of life: {lives:?}");
    site.sandbox.said(UNIT, "Watchdog timeout (limit 3s)!").await;
    site.sandbox.sh("rm /var/lib/keyrelay/history/leaf7-main.jsonl").await;
    site.sandbox.wait_show(UNIT, "MainPID", |pid| pid != "0" && pid != before).await;
    site.in_use(&key).await;
}

#[tokio::test]
async fn every_user_of_the_host_reaches_the_face_and_only_the_group_the_commands() {
    let Some(site) = Site::running().await else { return };
    let as_nobody = async |command: &str| {
        let nobody = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"];
        site.sandbox.run(&[&nobody[..], &["sh", "-c", command]].concat()).await
    };
    let curl = "curl -s --max-time 5 --unix-socket /run/keyrelay";
    let face = as_nobody(&format!("{curl}/face.sock http://localhost/healthz")).await;
    assert_eq!((face.code, face.stdout.as_str()), (Some(0), r#"{"failing":[],"ready":true}"#), "{face:?}");
    let control = as_nobody(&format!("{curl}/control.sock http://localhost/command")).await;
    assert_eq!(control.code, Some(7), "it cannot connect: {control:?}");
    assert_eq!(as_nobody("ls /run/keyrelay").await.code, Some(2), "it may pass through, and not look around");
}

#[tokio::test]
async fn a_reload_takes_a_right_configuration_and_refuses_a_wrong_one() {
    let Some(mut site) = Site::running().await else { return };
    let before = site.pid().await;
    let consumers = format!("credentials.{}.consumers", super::servers::NAME);
    site.config
        .set(&format!("{consumers}.nightly"), serde_json::json!({"prove": {"report": {"within": "20h"}}}));
    site.configure().await;
    site.sandbox.sh("systemctl reload keyrelay").await;
    site.wait_status("1 of 2 consumers tested").await;

    site.config.set(&format!("{consumers}.nightly.prove.report.within"), "ninety");
    site.configure().await;
    let reload = site.sandbox.run(&["systemctl", "reload", "keyrelay"]).await;
    assert_eq!(reload.code, Some(1), "{reload:?}");
    site.sandbox.said(UNIT, "consumers.nightly.prove.report.within").await;
    assert_eq!(site.show("ActiveState").await, "active");
    site.wait_status("1 of 2 consumers tested").await;

    // By hand, past the check: the daemon itself refuses it, and tells.
    site.sandbox.sh(&format!("kill -HUP {before}")).await;
    site.wait_status("1 warning: ").await;
    site.servers
        .smtp
        .wait_for("the refused configuration", |mail| mail.contains("X-Keyrelay-Code: config-refused"))
        .await;
    assert_eq!(site.pid().await, before);
}

#[tokio::test]
async fn stopped_in_mid_rotation_it_spools_the_key_and_ends_in_peace() {
    let Some(mut site) = Site::running().await else { return };
    site.servers.bao.seal().await;
    let key = site.servers.rotate().await;
    // Long before it would be spooled for its age.
    site.sandbox.said(UNIT, "Storing: the new key works").await;
    site.stop().await;
    assert_eq!(site.show("ActiveState").await, "inactive", "not failed");
    let spooled = site.sandbox.sh("ls /var/lib/keyrelay/spool").await;
    assert_eq!(spooled.lines().filter(|name| name.ends_with(".key")).count(), 1, "{spooled}");
    site.servers.dovecot.expunge("INBOX").await;
    site.servers.bao.unseal().await;
    site.start().await;
    site.in_use(&key).await;
    until("the spool is empty", async || {
        let left = site.sandbox.sh("ls /var/lib/keyrelay/spool").await;
        (!left.contains(".key")).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_root_types_beside_a_stopped_service_does_not_lock_it_out() {
    let Some(site) = Site::running().await else { return };
    site.stop().await;
    let generate = ["leaf7", "buyer", "generate", "--project", super::servers::PROJECT];
    let ran = site.keyrelay(&generate).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let written = site.sandbox.sh("cat /var/lib/keyrelay/history/leaf7-main.leaf7.jsonl").await;
    assert!(written.contains("\"buyer generate\"") && written.contains("\"uid\":0"), "{written}");
    site.servers.bao.seal().await;
    let key = site.servers.replace_key();
    let ingest = ["keyrelay", "ingest", "leaf7-main"];
    let ran = site.sandbox.run_with(&ingest, key.expose().as_bytes()).await;
    assert_eq!(ran.code, Some(3), "it waits in the spool: {ran:?}");
    let foreign = site.sandbox.sh("find /var/lib/keyrelay ! -user keyrelay").await;
    assert_eq!(foreign, "", "these are the service's own files");
    site.servers.bao.unseal().await;
    site.start().await;
    site.in_use(&key).await;
}
