//! What a consumer's command is given: the key on its standard input, and nothing else of keyrelay's.

use crate::{
    rotation::stage::Stage,
    world::{secrets, until},
};
use serde_json::json;
use std::{fs, os::unix::fs::PermissionsExt};

#[tokio::test]
async fn s09_a_command_gets_the_key_on_its_input_and_no_secret_by_argument_environment_or_descriptor() {
    let mut stage = Stage::build().await;
    let slot = stage.slot("main");
    let key = stage.seed(&slot).await;
    let (got, about) = (stage.scratch.join("got"), stage.scratch.join("about"));
    let script = format!(
        "#!/bin/sh\ncat /proc/$$/cmdline /proc/$$/environ >{about}\nls -l /proc/$$/fd >>{about}\ncat >{got}\n",
        got = got.display(),
        about = about.display()
    );
    let script = stage.scratch.write("take-it", &script);
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("its mode");
    stage.consumer(&slot, "crm", json!({"deliver": {"command": {"run": [script]}}, "prove": "none"}));
    stage.start().await;
    let taken = until("the command has the key", async || {
        fs::read_to_string(&got).ok().filter(|got| !got.is_empty())
    });
    assert_eq!(taken.await.trim(), key.expose());
    let about = fs::read(&about).expect("what it saw");
    secrets::none_in("a command's arguments, environment and descriptors", &about);
    let about = String::from_utf8_lossy(&about).into_owned();
    assert!(about.contains("PATH="), "{about}");
    for variable in ["SSLKEYLOGFILE", "HTTP_PROXY", "STATE_DIRECTORY", "CREDENTIALS_DIRECTORY"] {
        assert!(!about.contains(variable), "the daemon's own environment is handed on: {about}");
    }
    let environ = fs::read_to_string(format!("/proc/{}/environ", stage.daemon.pid())).unwrap_or_default();
    assert!(environ.is_empty() || environ.contains("SSLKEYLOGFILE"), "the daemon has them: {environ}");
    // Input, output and errors are pipes; the script itself is the only file.
    let files: Vec<_> = about.lines().filter_map(|line| line.split_once(" -> ")).map(|(_, to)| to).collect();
    let odd: Vec<_> = files
        .iter()
        .filter(|to| !to.starts_with("pipe:") && !to.ends_with("/take-it") && !to.ends_with("/about"))
        .collect();
    assert_eq!(odd, Vec::<&&str>::new(), "{about}");
    fs::remove_file(&got).expect("the key");
    stage.end().await;
}
