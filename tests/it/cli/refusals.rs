//! One case for each way in which a command is refused: the exit code, and what is said.

use super::Shop;
use crate::world::{Config, Daemon};
use serde_json::json;
use std::{fs, io, process::Command};

#[tokio::test]
async fn r62_check_names_every_mistake_at_once_and_run_refuses_for_the_same() {
    let shop = Shop::with(|config| {
        config
            .set("store.local.master_key", "a literal secret")
            .set("mailboxs", json!({}))
            .set("credentials.leaf7-main.vendor", "leaf8")
            .set(
                "credentials.leaf7-main.consumers.storefront.prove.http.url",
                "http://shop.internal/keyrelay",
            )
            .set("schedules.mailbox_poll", "every minute");
    })
    .await;
    for command in ["check", "run", "status"] {
        let ran = shop.run(&[command]).await;
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{command}: {ran:?}");
        let path = shop.daemon.config_path();
        for key in [
            "store.local.master_key",
            "mailboxs",
            "credentials.leaf7-main.vendor",
            "credentials.leaf7-main.consumers.storefront.prove.http.url",
            "schedules.mailbox_poll",
        ] {
            let place = format!("{}: {key}: ", path.display());
            assert!(ran.stderr.contains(&place), "{command}: {place}is not in\n{}", ran.stderr);
        }
        assert!(ran.stderr.contains("did you mean \"leaf7\"?"), "{}", ran.stderr);
        assert!(!ran.stderr.contains("a literal secret"), "{}", ran.stderr);
    }
}

#[tokio::test]
async fn a_configuration_that_is_not_there_is_a_mistake() {
    let shop = Shop::new().await;
    fs::remove_file(shop.daemon.config_path()).unwrap();
    let ran = shop.run(&["check"]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    let path = shop.daemon.config_path();
    assert_eq!(
        ran.stderr,
        format!("{}: there is no such file; name another with --config PATH\n", path.display())
    );
}

#[tokio::test]
async fn a_name_that_is_not_there_is_a_mistake_and_the_nearest_is_named() {
    let shop = Shop::new().await;
    for (args, told) in [
        (
            &["prove", "leaf7-mian"][..],
            "there is no credential named \"leaf7-mian\"; did you mean \"leaf7-main\"?\n",
        ),
        (&["deliver", "other"], "there is no credential named \"other\"\n"),
        (
            &["ingest", "leaf7-maim"],
            "there is no credential named \"leaf7-maim\"; did you mean \"leaf7-main\"?\n",
        ),
        (&["accept", "other", "0123456789abcdef"], "there is no credential named \"other\"\n"),
        (&["explain", "--credential", "other"], "there is no credential named \"other\"\n"),
        (
            &["prove", "leaf7-main", "--consumer", "store-front"],
            "leaf7-main has no consumer named \"store-front\"; did you mean \"storefront\"?\n",
        ),
        (&["prove", "--consumer", "bot"], "there is no consumer named \"bot\"\n"),
    ] {
        let ran = shop.run(args).await;
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(2), "", told), "{args:?}");
    }
    let ran = shop.run(&["status", "leaf7-mian"]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(ran.stderr.ends_with("; did you mean \"leaf7-main\"?\n"), "{ran:?}");
}

#[tokio::test]
async fn what_is_no_key_is_refused_before_anybody_is_asked() {
    let shop = Shop::new().await;
    for (typed, why) in [
        ("", "it is empty"),
        (
            "canary key 0123456789\n",
            "character 7 may not be in a key; allowed are A-Z a-z 0-9 . _ ~ + / = : -",
        ),
        ("canary\n", "it has 6 characters; a key has 16 to 512"),
    ] {
        let ran = shop.daemon.run_with(&["ingest", "leaf7-main"], typed).await;
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
        assert_eq!(
            ran.stderr,
            format!("this is no key: {why}\ngive the key alone, without quotes or blanks\n")
        );
    }
}

#[tokio::test]
async fn a_store_whose_master_key_is_another_refuses_by_name() {
    let shop = Shop::new().await;
    assert_eq!(shop.ingest(&shop.key(), &[]).await.code, Some(0));
    shop.dir.secret("master", "//////////////////////////////////////////8=\n");
    let ran = shop.run(&["status"]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
    assert!(ran.stderr.contains(&shop.dir.join("store").display().to_string()), "{ran:?}");
}

#[tokio::test]
async fn a_reader_that_has_gone_away_is_no_reason_to_fail() {
    let daemon = Daemon::new(&mut Config::new());
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyrelay"));
    let ended = command.args(["vendors", "leaf7"]).env_clear().stdout(writer).output().unwrap();
    assert_eq!((ended.status.code(), String::from_utf8_lossy(&ended.stderr).as_ref()), (Some(0), ""));
    drop(daemon);
}
