//! The README's block, and what it amounts to: another unit that really runs on the new key.

use super::stranger::{BOT, Stranger};
use crate::world::until;

#[tokio::test]
async fn who_follows_the_readme_has_every_consumer_tested_and_the_next_key_in_its_process() {
    let Some(mut stranger) = Stranger::arrives().await else { return };
    let ran = stranger.follows_the_readme().await;
    assert_eq!(ran.code, Some(0), "{}\n{}", ran.stdout, ran.stderr);
    let first = stranger.servers.key();
    assert_eq!(stranger.key_of_bot().await, first.expose());
    let status = stranger.sandbox.run(&["keyrelay", "status"]).await;
    assert_eq!(status.code, Some(0), "{status:?}");
    for shown in [&ran.stdout, &status.stdout] {
        assert!(shown.contains("1 of 1 consumers at their level"), "{shown}");
    }
    // systemd hears of it with the loop's next turn.
    stranger
        .sandbox
        .wait_show("keyrelay.service", "StatusText", |shown| shown == "1 credential, all tested")
        .await;

    let before = stranger.sandbox.show(BOT, "MainPID").await;
    let key = stranger.servers.rotate().await;
    until("the bot runs on the new key", async || {
        (stranger.key_of_bot().await == key.expose()).then_some(())
    })
    .await;
    assert_eq!(stranger.stored().await, key.expose());
    assert_ne!(stranger.sandbox.show(BOT, "MainPID").await, before);
    let seen = stranger
        .sandbox
        .sh("stat -c '%U %G %a' /etc/discord-bot/keyrelay /etc/discord-bot/keyrelay/leaf7.env")
        .await;
    assert_eq!(seen, "keyrelay keyrelay 700\nkeyrelay keyrelay 600\n");
}

#[tokio::test]
async fn a_unit_that_is_not_in_the_rule_is_refused_and_one_that_does_not_start_is_told_at_once() {
    let Some(mut stranger) = Stranger::arrives().await else { return };
    let ran = stranger.follows_the_readme().await;
    assert_eq!(ran.code, Some(0), "{}\n{}", ran.stdout, ran.stderr);
    // Somebody names another unit, and does not install the rule again.
    stranger
        .sandbox
        .sh(&format!(
            "cp /etc/systemd/system/{BOT} /etc/systemd/system/other.service; systemctl daemon-reload"
        ))
        .await;
    stranger.sandbox.sh("sed -i s/discord-bot.service/other.service/ /etc/keyrelay/config.yaml; systemctl reload keyrelay").await;
    let key = stranger.servers.rotate().await;
    let mail = stranger.servers.mailed("consumer-failed").await;
    assert!(mail.contains("other.service") && mail.contains("keyrelay policy systemd"), "{mail}");
    assert_eq!(stranger.sandbox.show("other.service", "ActiveState").await, "inactive");
    assert_ne!(stranger.key_of_bot().await, key.expose());

    // The rule is installed, and the unit is broken.
    stranger.sandbox.sh("keyrelay policy systemd | sh").await;
    stranger.sandbox.sh("sed -i 's|^ExecStart=.*|ExecStart=/bin/false|' /etc/systemd/system/other.service; systemctl daemon-reload").await;
    let deliver = stranger.sandbox.run(&["keyrelay", "deliver", "leaf7-main"]).await;
    assert_eq!(deliver.code, Some(1), "{deliver:?}");
    let said = format!("{}{}", deliver.stdout, deliver.stderr);
    assert!(said.contains("other.service") && said.contains("exit"), "{said}");

    stranger.sandbox.sh("sed -i 's|^ExecStart=.*|ExecStart=/bin/sleep infinity|' /etc/systemd/system/other.service; systemctl daemon-reload").await;
    until("the other unit runs on the new key", async || {
        let status = stranger.sandbox.run(&["keyrelay", "deliver", "leaf7-main"]).await;
        (status.code == Some(0)).then_some(())
    })
    .await;
}
