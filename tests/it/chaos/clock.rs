//! This machine's clock is wrong, and is set right: a boot in 1970, ten years ahead, and back.

use super::scene::{NAME, Scene};
use crate::world::{Clock, until};

const YEAR: i64 = 365 * 86_400;

/// The schedules stood still until the clock had caught up; by one that was ahead no new mail was found.
#[tokio::test]
async fn r58_c02_c07_a_boot_in_1970_and_years_ahead_and_back_delay_no_key_and_nothing_is_called_late() {
    let clock = Clock::new();
    let mut scene = Scene::build().await;
    scene
        .config
        .set("schedules.current_key_probe", "* * * * * *")
        .set("schedules.mailbox_poll", "* * * * * *");
    scene.daemon.also_environment = clock.environment().to_vec();
    clock.set(-56 * YEAR);
    scene.start().await;
    // Certificates are not valid yet, and that is said.
    let told = scene.told("mailbox-unreachable").await;
    assert!(told["message"].as_str().is_some_and(|text| text.contains("is the clock right?")), "{told}");
    scene.told("clock-skewed").await;
    let key = scene.rotate();
    scene.confirm(&key).await;
    clock.set(0);
    scene.completed(&key).await;
    scene.resolved("clock-skewed").await;

    for step in [10 * YEAR, -10 * YEAR, 3_600, 1, -1] {
        // Set while a rotation is under way, and right again for the next one.
        scene.store.slow(std::time::Duration::from_millis(100), std::time::Duration::ZERO);
        let log = scene.daemon.log_len();
        let key = scene.rotate();
        scene.confirm(&key).await;
        scene.logged(log, "--> Probing").await;
        clock.set(step);
        scene.completed(&key).await;
        // And a whole one by the wrong clock.
        let key = scene.rotate();
        scene.confirm(&key).await;
        scene.completed(&key).await;
        clock.set(0);
        scene.store.fast();
        scene.logged(log, "--> Steady").await;
    }
    scene.resolved("clock-skewed").await;
    let log = scene.daemon.log_len();
    let ticked = async || (scene.daemon.log_since(log).matches("ProbeKey").count() >= 3).then_some(());
    until("the schedules come round", ticked).await;
    let codes: Vec<_> = scene.smtp.mails().iter().map(|mail| code(mail)).collect();
    let known =
        ["clock-skewed", "mailbox-unreachable", "alerts-failing", "rotated", "account-recorded", "unseeded"];
    assert!(codes.iter().all(|code| known.contains(&code.as_str())), "{NAME}: {codes:?}");
}

fn code(mail: &str) -> String {
    let line = mail.lines().find_map(|line| line.strip_prefix("X-Keyrelay-Code: "));
    line.unwrap_or_default().trim().to_owned()
}
