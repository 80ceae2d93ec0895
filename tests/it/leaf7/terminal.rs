//! Somebody sits at a terminal: what is hard to take back is asked for, and a long generation shows how far it is.

use super::{Office, PROJECT};
use crate::{cli::terminal::talk, world::secrets};
use std::process::Command;

impl Office {
    async fn type_in(&self, args: &[&str], answers: Vec<(&'static str, String)>) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keyrelay"));
        command.arg("--config").arg(self.daemon.config_path()).arg("leaf7").args(args);
        command.env_clear().env("STATE_DIRECTORY", self.daemon.state_dir()).env("TERM", "xterm");
        let talk = tokio::task::spawn_blocking(move || talk(command, answers));
        let (code, shown) = talk.await.unwrap();
        secrets::none_in("a terminal", shown.as_bytes());
        (code, shown)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_answered_by_the_operator() {
    let office = Office::new().await;
    office.vendor.stock_buyer_keys(office.account, PROJECT, 1);
    let id = office.buyer_ids()[0].clone();
    let question = "Whoever has this key cannot redeem it any more. Delete it? [y/N] ";
    let (code, shown) = office.type_in(&["buyer", "delete", &id], vec![(question, "\n".into())]).await;
    assert_eq!((code, office.vendor.management_requests().0), (Some(1), 0), "{shown}");
    let (code, shown) = office.type_in(&["buyer", "delete", &id], vec![(question, "y\n".into())]).await;
    assert_eq!((code, office.buyer_ids().len()), (Some(0), 0), "{shown}");
    assert!(shown.ends_with("the key is deleted\r\n"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_generation_shows_how_far_it_is() {
    let office = Office::new().await;
    let generate = ["buyer", "generate", "--project", PROJECT, "--amount", "250"];
    let (code, shown) = office.type_in(&generate, Vec::new()).await;
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains(" of 250 keys"), "{shown}");
    assert!(shown.ends_with("250 keys were generated\r\n"), "{shown}");
    assert!(office.buyer_ids().iter().all(|id| shown.contains(id)), "every key is shown");
}
