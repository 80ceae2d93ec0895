//! What is told of a service that does not do as it should.

use super::host::Host;
use keyrelay::domain::Limits;
use serde_json::json;

const READS: &str = "EnvironmentFile=-/etc/bot/keyrelay/leaf7.env";
const RUNS: &str = "ExecStart=/bin/sleep infinity";

/// The bot runs, with the first key.
async fn host() -> Option<Host> {
    let host = Host::boot().await?;
    host.service("bot", &format!("{READS}\n{RUNS}")).await;
    let file = json!({"path": "/etc/bot/keyrelay/leaf7.env", "env": "LEAF7_API_KEY"});
    host.configure(json!({"bot": {"deliver": {"file": file, "then": {"restart": "bot"}}}}), "").await;
    let key = host.ingest(false).await;
    host.shows("bot", "loaded", &key).await;
    Some(host)
}

#[tokio::test]
async fn a_service_that_does_not_start_is_told_of_at_once_and_when_it_does_again() {
    let Some(host) = host().await else { return };
    host.service("bot", &format!("{READS}\nExecStart=/bin/sh -c 'exit 7'")).await;
    let key = host.ingest(true).await;
    host.fails("bot", "its main process ended with exit code 7").await;
    host.sandbox.said("keyrelay", "the key could not be handed to bot: bot.service did not stay up").await;
    let status = host.status().await;
    let incident = &status["credentials"][0]["incidents"][0];
    assert_eq!(incident["code"], "consumer-failed");
    assert_eq!(incident["hint"], "keyrelay deliver main --consumer bot");
    let time = |value: &serde_json::Value| {
        value.as_str().and_then(|text| text.parse::<keyrelay::domain::Timestamp>().ok()).expect("a time")
    };
    let waited = time(&incident["since"]).since(time(&status["credentials"][0]["rotated_at"]));
    assert!(waited < Limits::default().unit_watch, "told only after {waited:?}: as late as one that runs");

    host.service("bot", &format!("{READS}\n{RUNS}")).await;
    host.sandbox.sh("systemctl reset-failed bot; keyrelay deliver main --consumer bot").await;
    host.shows("bot", "loaded", &key).await;
    assert_eq!(host.variable("bot", "LEAF7_API_KEY").await, key.expose());
    host.sandbox.said("keyrelay", "resolved: main: the key could not be handed to bot").await;
}

#[tokio::test]
async fn a_service_that_crashes_with_the_key_again_and_again_is_never_shown_as_loaded() {
    let Some(host) = host().await else { return };
    let key = host.ingest(true).await;
    host.shows("bot", "loaded", &key).await;
    let crashes = "ExecStart=/bin/sh -c 'sleep 0.5; exit 9'\nRestart=always\nRestartSec=0\n";
    host.service("bot", &format!("{crashes}StartLimitIntervalSec=0\n{READS}")).await;
    host.sandbox.drop_in("bot.service", "limit", "[Unit]\nStartLimitIntervalSec=0\n").await;
    host.sandbox.run(&["keyrelay", "deliver", "main", "--consumer", "bot"]).await;
    host.sandbox.said("keyrelay", "its main process ended, and another took its place").await;
    // It runs whenever somebody looks, and is no younger than its file.
    host.sandbox
        .wait_show("bot", "NRestarts", |count| count.parse::<u32>().is_ok_and(|count| count > 2))
        .await;
    for _ in 0..5 {
        host.sandbox.run(&["keyrelay", "prove", "main"]).await;
        assert_eq!(host.consumer("bot").await["proof"], "unproven");
    }
}

/// What is done to the host, and what is said then.
const TROUBLES: &[(&str, &str)] = &[
    (
        "mv /etc/polkit-1/rules.d/50-keyrelay.rules /root",
        "systemd does not let keyrelay restart bot.service: polkit or its rule is missing, or the rule does not name it (keyrelay policy systemd prints it)",
    ),
    (
        "mv /root/50-keyrelay.rules /etc/polkit-1/rules.d; echo ExecStartPre=/bin/false >>$UNIT",
        "a command of its unit file ended with an error (exit-code)",
    ),
    ("echo EnvironmentFile=/etc/nothing >>$UNIT", "it could not be set up (resources)"),
    ("echo User=nobody-at-all >>$UNIT", "exit code 217: its user does not exist"),
    (
        "printf 'LoadCredential=a:/etc/nothing\\n' >>$UNIT",
        "exit code 243: a credential of its unit file could not be read",
    ),
    (
        "printf 'Type=notify\\nTimeoutStartSec=1\\n' >>$UNIT",
        "it was not ready, or did not end, in time (timeout)",
    ),
    ("printf '[Unit]\\nConditionPathExists=/nothing\\n' >>$UNIT", "bot.service did not stay up: "),
    ("printf '[Unit]\\nRequires=nothing.service\\n' >>$UNIT", "Unit nothing.service not found."),
    (
        "printf '[Unit]\\nRefuseManualStart=yes\\n' >>$UNIT",
        "Operation refused, unit bot.service may be requested by dependency only",
    ),
    (
        "printf 'ExecStart=nowhere\\n' >>$UNIT",
        "the unit file of bot.service is wrong: bad-setting (systemctl status bot.service)",
    ),
    ("rm $UNIT; ln -s /dev/null $UNIT", "bot.service is masked (systemctl unmask bot.service)"),
    (
        "rm $UNIT; systemctl stop bot || true",
        "there is no unit bot.service on this host (systemctl status bot.service)",
    ),
];

#[tokio::test]
async fn each_trouble_with_a_service_is_said_in_words_and_ends_when_it_is_mended() {
    let Some(host) = host().await else { return };
    let right = format!("[Service]\n{READS}\n{RUNS}\n");
    let again = "systemctl daemon-reload; systemctl reset-failed bot || true
                 keyrelay deliver main --consumer bot >/dev/null 2>&1 &";
    for (done, told) in TROUBLES {
        let script =
            format!("UNIT=/etc/systemd/system/bot.service; rm -f $UNIT; cat >$UNIT; {done}; {again}");
        host.sandbox.sh_with(&script, right.as_bytes()).await;
        host.fails("bot", told).await;
    }
    let key = host.consumer("bot").await["fingerprint"].clone();
    host.sandbox.sh_with(&format!("cat >/etc/systemd/system/bot.service; {again}"), right.as_bytes()).await;
    is_loaded(&host).await;
    assert_eq!(host.consumer("bot").await["fingerprint"], key);
}

#[tokio::test]
async fn a_service_that_is_stopped_or_older_than_its_file_or_reads_another_is_unproven_and_nobody_restarts_it()
 {
    let Some(host) = host().await else { return };
    let prove = "keyrelay prove main || true";
    host.sandbox.sh(&format!("systemctl stop bot; {prove}")).await;
    host.fails("bot", "bot.service does not run: it is inactive (journalctl -u bot.service)").await;
    assert_eq!(host.consumer("bot").await["proof"], "unproven");
    assert_eq!(host.pid("bot").await, "0");

    host.sandbox.sh(&format!("systemctl start bot; {prove}")).await;
    is_loaded(&host).await;
    let pid = host.pid("bot").await;
    host.sandbox.sh(&format!("touch /etc/bot/keyrelay/leaf7.env; {prove}")).await;
    host.fails("bot", "/etc/bot/keyrelay/leaf7.env was changed after that, at ").await;

    host.service("bot", RUNS).await;
    host.sandbox.sh(prove).await;
    let why =
        "bot.service names /etc/bot/keyrelay/leaf7.env neither in EnvironmentFile= nor in LoadCredential=";
    host.fails("bot", why).await;
    assert_eq!(
        (host.pid("bot").await, host.consumer("bot").await["proof"].clone()),
        (pid, "unproven".into())
    );
}

#[tokio::test]
async fn without_dbus_there_is_no_telling_and_with_it_there_is_again() {
    let Some(host) = host().await else { return };
    host.sandbox.sh("systemctl stop dbus.socket dbus.service; keyrelay prove main || true").await;
    let why = "systemd cannot be asked on D-Bus: Connection refused (os error 111) (systemctl status dbus.socket; on Debian the package is dbus)";
    host.fails("bot", why).await;
    assert_eq!(host.consumer("bot").await["proof"], "loaded", "as it was last seen");
    host.sandbox.sh("systemctl start dbus.socket; keyrelay prove main").await;
    is_loaded(&host).await;
}

async fn is_loaded(host: &Host) {
    crate::world::until("the bot is shown to have loaded its key", async || {
        let bot = host.consumer("bot").await;
        (bot["proof"] == "loaded" && bot["error"].is_null()).then_some(())
    })
    .await;
}
