//! Somebody sits at a terminal: the key is typed at a hidden prompt, and questions are asked.

use super::Shop;
use crate::world::secrets;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::{
    fs::File,
    io::{Read, Write},
    process::Command,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_typed_key_is_not_shown_and_a_question_is_answered_by_the_operator() {
    let shop = Shop::with(|config| _ = config.remove("credentials.leaf7-main.account")).await;
    let key = shop.key();
    let typed = || [("(not shown): ", format!("{}\n", key.expose()))];

    let no = [("Let it in all the same? [y/N] ", "\n".to_owned())];
    let (code, shown) = shop.type_in([typed(), no].concat()).await;
    assert_eq!(code, Some(1), "{shown}");
    assert!(shown.contains("it is held until somebody decides: keyrelay status leaf7-main"), "{shown}");
    assert_eq!(shop.delivered(), None);

    let yes = [("Let it in all the same? [y/N] ", "y\n".to_owned())];
    let (code, shown) = shop.type_in([typed(), yes].concat()).await;
    assert_eq!(code, Some(0), "{shown}");
    assert_eq!(shop.delivered().as_deref(), Some(key.expose()));
}

impl Shop {
    /// Runs `ingest` at a terminal, and types each answer when its question is there.
    async fn type_in(&self, answers: Vec<(&'static str, String)>) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keyrelay"));
        command.arg("--config").arg(self.daemon.config_path()).args(["ingest", "leaf7-main"]);
        command.env_clear().env("STATE_DIRECTORY", self.daemon.state_dir());
        let talk = tokio::task::spawn_blocking(move || talk(command, answers));
        let (code, shown) = talk.await.unwrap();
        secrets::none_in("a terminal", shown.as_bytes());
        (code, shown)
    }
}

fn talk(mut command: Command, answers: Vec<(&str, String)>) -> (Option<i32>, String) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let path = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    let terminal = || File::options().read(true).write(true).open(&path).unwrap();
    let mut child = command.stdin(terminal()).stdout(terminal()).stderr(terminal()).spawn().unwrap();
    // The command holds the terminal open; when it ends, reading does.
    drop(command);
    let (mut master, mut shown, mut seen) = (File::from(master), String::new(), 0);
    let mut answers = answers.into_iter().peekable();
    let mut bytes = [0; 4096];
    while let Ok(len @ 1..) = master.read(&mut bytes) {
        shown += &String::from_utf8_lossy(&bytes[..len]);
        while let Some((_, answer)) = answers.next_if(|(question, _)| shown[seen..].contains(question)) {
            seen = shown.len();
            master.write_all(answer.as_bytes()).unwrap();
        }
    }
    let code = child.wait().unwrap().code();
    assert_eq!(answers.next(), None, "it was never asked for:\n{shown}");
    (code, shown)
}
