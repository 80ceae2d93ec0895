//! The consumers, broken in one way at a time.

use super::{Ward, lines};
use keyrelay::demo::consumer::Manner;
use serde_json::json;
use std::{fs, os::unix::fs::PermissionsExt};

const PROVE: &str = "$ keyrelay prove main --consumer shop";

#[tokio::test]
async fn a_folder_that_is_missing_or_a_link_and_a_file_that_is_somebody_elses_are_refused() {
    let mut ward = Ward::new().await;
    let folder = ward.stage.scratch.join("shop");
    fs::remove_dir_all(&folder).unwrap();
    let shown = folder.display().to_string();
    let told = format!(
        "consumers: main/shop file: the folder {shown} does not exist: create it, writable for the user that keyrelay \
         runs as $ keyrelay policy systemd"
    );
    assert_eq!(ward.failures().await, (Some(1), vec![told]));

    let real = ward.stage.scratch.folder("real");
    std::os::unix::fs::symlink(&real, &folder).unwrap();
    let (code, failures) = ward.failures().await;
    assert_eq!((code, failures.len()), (Some(1), 1), "{failures:?}");
    assert!(failures[0].contains("is a symbolic link, and none is followed"), "{failures:?}");

    fs::remove_file(&folder).unwrap();
    fs::create_dir(&folder).unwrap();
    fs::write(ward.file(), "SETTING=1\nOTHER=2\n").unwrap();
    let path = ward.file().display().to_string();
    let told = format!(
        "consumers: main/shop file: {path} holds something else than one key in the configured form; keyrelay will not \
         overwrite it $ sudo mv {path} {path}.before-keyrelay"
    );
    assert_eq!(ward.failures().await, (Some(1), vec![told]));
    let left: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["leaf7.key"], "nothing of the trial is left");
}

#[tokio::test]
async fn a_consumer_that_is_silent_lies_or_lags_is_told_as_such() {
    let mut ward = Ward::new().await;
    for (manner, told) in [(Manner::Failing, "silent: "), (Manner::WrongProof, ""), (Manner::WebPage, "")] {
        ward.shop.set_manner(manner);
        let (code, failures) = ward.failures().await;
        assert_eq!((code, failures.len()), (Some(1), 1), "{manner:?}: {failures:?}");
        assert!(failures[0].starts_with(&format!("consumers: main/shop proof: {told}")), "{failures:?}");
        assert!(failures[0].ends_with(PROVE), "{failures:?}");
    }
    ward.shop.set_manner(Manner::Silent);
    let (code, failures) = ward.failures().await;
    assert_eq!((code, failures.len()), (Some(1), 1), "{failures:?}");
    assert!(failures[0].contains("see that shop runs, and answers where prove asks it"), "{failures:?}");
}

#[tokio::test]
async fn who_was_not_handed_the_key_yet_is_no_failure_before_the_daemon_starts() {
    let mut ward = Ward::new().await;
    fs::remove_file(ward.file()).unwrap();
    ward.shop.set_manner(Manner::Failing);
    let ran = ward.doctor(&[]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.stdout);
    let told = lines(&ran).into_iter().find(|line| line.contains("main/shop proof: ")).unwrap();
    assert!(
        told.starts_with("warning ") && told.contains(" (it was not handed the current key yet) "),
        "{told}"
    );
}

#[tokio::test]
async fn the_programs_of_a_consumer_are_looked_at_and_only_its_proof_is_run() {
    let mut ward = Ward::new().await;
    let scratch = &ward.stage.scratch;
    let mark = scratch.join("was-run").display().to_string();
    let program = |name: &str, text: &str| {
        let path = scratch.write(name, text);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path.display().to_string()
    };
    let deliver = program("deliver", &format!("#!/bin/sh\ntouch {mark}\n"));
    let prove = program("prove", "#!/bin/sh\nexit 0\n");
    ward.configure(|config| {
        config.set(
            "credentials.main.consumers.shop",
            json!({"deliver": {"command": {"run": [deliver]}, "then": {"exec": ["/no/such/program"]}},
                "prove": {"command": {"run": [prove]}, "level": "working_copy"}}),
        );
    })
    .await;
    let ran = ward.doctor(&[]).await;
    let told =
        "consumers: main/shop then: /no/such/program cannot be run by the service $ ls -l /no/such/program";
    assert_eq!((ran.code, super::what_to_fix(&ran)), (Some(1), vec![told.to_owned()]), "{}", ran.stdout);
    assert!(lines(&ran).contains(&format!("ok main/shop deliver: {deliver} can be run")), "{}", ran.stdout);
    assert!(!fs::exists(&mark).unwrap(), "a delivery is no trial");
}

#[tokio::test]
async fn a_copy_in_the_store_is_read_and_a_report_judged() {
    let mut ward = Ward::new().await;
    let key = ward.stage.vendor.current_key(ward.slot.account);
    ward.stage.bao.write("teams/shop", json!({"api_key": key.expose()})).await;
    ward.configure(|config| {
        config.set(
            "credentials.main.consumers.shop",
            json!({"deliver": {"store": {"path": "teams/shop"}}, "prove": {"report": {"within": "20h"}}}),
        );
    })
    .await;
    let ran = ward.doctor(&[]).await;
    assert!(
        lines(&ran).contains(&"ok main/shop copy at secret/teams/shop: holds the current key".into()),
        "{}",
        ran.stdout
    );
    let told = "consumers: main/shop proof: silent: it has not reported yet";
    assert!(super::what_to_fix(&ran).iter().any(|line| line.starts_with(told)), "{}", ran.stdout);
}

#[tokio::test]
async fn a_consumer_of_another_host_is_left_to_a_doctor_there() {
    let mut ward = Ward::new().await;
    ward.configure(|config| {
        config.set("credentials.main.consumers.shop.host", "another-host");
    })
    .await;
    let ran = ward.doctor(&[]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.stdout);
    let told = "skipped main/shop on another host: type keyrelay doctor on another-host";
    assert!(lines(&ran).contains(&told.to_owned()), "{}", ran.stdout);
    assert_eq!(ward.shop.asked(), 0);
}
