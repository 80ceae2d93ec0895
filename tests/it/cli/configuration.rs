//! `config.d` beside the configuration, and what comes of it all, with the built program.

use super::Shop;
use crate::world::{Daemon, until};
use serde_json::Value;

fn names(status: &Value) -> Vec<&str> {
    status["credentials"].as_array().into_iter().flatten().filter_map(|one| one["name"].as_str()).collect()
}

fn write_beside(daemon: &Daemon, file: &str, text: &str) {
    daemon.dir().folder("config.d");
    daemon.dir().write(&format!("config.d/{file}"), text);
}

#[tokio::test]
async fn a_credential_that_is_put_into_the_folder_is_looked_after_from_the_next_reload_on() {
    let mut shop = Shop::new().await;
    shop.daemon.start_up().await;
    assert_eq!(names(&shop.daemon.status().await), ["leaf7-main"]);

    write_beside(
        &shop.daemon,
        "20-second.yaml",
        "credentials: {second: {vendor: leaf7, path: vendors/second, recipient: second@example.com}}",
    );
    shop.daemon.sighup();
    shop.daemon
        .wait_status("the second credential is there", |status| {
            (names(status) == ["leaf7-main", "second"]).then_some(())
        })
        .await;

    // A file with a mistake changes nothing, and is named.
    write_beside(&shop.daemon, "30-third.yaml", "credentials: {second: {path: vendors/other}, third: {}}");
    shop.daemon.sighup();
    let message = shop
        .daemon
        .wait_status("the mistake is told", |status| {
            let incidents = status["incidents"].as_array()?;
            let refused = incidents.iter().find(|incident| incident["code"] == "config-refused")?;
            Some(refused["message"].as_str()?.to_owned())
        })
        .await;
    assert!(message.contains("config.d/30-third.yaml: credentials.second.path: "), "{message}");
    assert_eq!(names(&shop.daemon.status().await), ["leaf7-main", "second"]);

    std::fs::remove_file(shop.daemon.dir().join("config.d/30-third.yaml")).unwrap();
    shop.daemon.sighup();
    shop.daemon
        .wait_status("the mistake is resolved", |status| {
            status["incidents"].as_array()?.iter().all(|one| one["code"] != "config-refused").then_some(())
        })
        .await;
}

#[tokio::test]
async fn what_check_prints_runs_like_what_it_was_printed_of() {
    let mut shop = Shop::new().await;
    write_beside(&shop.daemon, "10-defaults.yaml", "defaults: {hand_over_within: 2h}\nobserve: false\n");
    let printed = shop.run(&["check", "--print"]).await;
    assert_eq!(printed.code, Some(0), "{printed:?}");
    assert!(printed.stdout.contains("    hand_over_within: 2h  # defaults\n"), "{printed:?}");

    std::fs::remove_dir_all(shop.daemon.dir().join("config.d")).unwrap();
    shop.daemon.dir().write("config.yaml", &printed.stdout);
    let again = shop.run(&["check", "--print"]).await;
    let settings = |text: &str| -> Value { yaml_serde::from_str(text).unwrap() };
    assert_eq!(settings(&again.stdout), settings(&printed.stdout));

    shop.daemon.start_up().await;
    let key = shop.key();
    assert_eq!(shop.ingest(&key, &[]).await.code, Some(0));
    until("the key is delivered", async || (shop.delivered().as_deref() == Some(key.expose())).then_some(()))
        .await;
}

#[tokio::test]
async fn the_schema_is_printed_without_a_configuration() {
    let shop = Shop::new().await;
    std::fs::remove_file(shop.daemon.config_path()).unwrap();
    let ran = shop.run(&["check", "--schema"]).await;
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let schema: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
}
