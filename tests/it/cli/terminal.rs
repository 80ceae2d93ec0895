//! Somebody sits at a terminal: the key is typed at a hidden prompt, and questions are asked.

use super::Shop;
use crate::world::secrets;
use keyrelay::demo::{
    dns::{self, TxtBehaviour},
    mails::{self, Fields},
    sign::Signer,
};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::json;
use std::{
    fs::{self, File},
    io::{Read, Write},
    process::Command,
};

const INGEST: [&str; 2] = ["ingest", "leaf7-main"];

#[tokio::test(flavor = "multi_thread")]
async fn which_line_of_a_mail_holds_the_key_is_asked_and_the_key_is_not_shown() {
    let dns = dns::start().await.unwrap();
    let signer = Signer::generate("leaf7.fun", "s1").unwrap();
    let (name, record) = signer.txt_record();
    dns.set(&name, TxtBehaviour::Records(vec![record]));
    let shop = Shop::with(|config| _ = config.set("dns.servers", json!([dns.addr().to_string()]))).await;

    let key = shop.key();
    let fields = Fields {
        key: &key,
        old: &key,
        from: "noreply@leaf7.fun",
        to: "rotation@example.com",
        date: "2024-11-20T09:00:00Z".parse().unwrap(),
    };
    let file = shop.dir.join("mail.eml");
    fs::write(&file, signer.sign(&mails::confirmation(1, &fields))).unwrap();
    let learn = ["explain", file.to_str().unwrap(), "--learn"];
    let question = "Which line holds the new key? ";
    let (code, shown) = shop.type_in(&learn, vec![(question, "one\n".into())]).await;
    assert_eq!(code, Some(2), "{shown}");
    let hidden = format!("[{} characters]", key.expose().len());
    let line = shown.lines().find(|line| line.contains(&hidden)).expect("the key's line, without the key");
    let number = line.split_whitespace().next().unwrap().to_owned();
    let (code, shown) = shop.type_in(&learn, vec![(question, format!("{number}\n"))]).await;
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("key_after:") && shown.contains("Subject: "), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_typed_key_is_not_shown_and_a_question_is_answered_by_the_operator() {
    let shop = Shop::with(|config| _ = config.remove("credentials.leaf7-main.account")).await;
    let key = shop.key();
    let typed = || [("(not shown): ", format!("{}\n", key.expose()))];

    let no = [("Let it in all the same? [y/N] ", "\n".to_owned())];
    let (code, shown) = shop.type_in(&INGEST, [typed(), no].concat()).await;
    assert_eq!(code, Some(1), "{shown}");
    assert!(shown.contains("it is held until somebody decides: keyrelay status leaf7-main"), "{shown}");
    assert_eq!(shop.delivered(), None);

    let yes = [("Let it in all the same? [y/N] ", "y\n".to_owned())];
    let (code, shown) = shop.type_in(&INGEST, [typed(), yes].concat()).await;
    assert_eq!(code, Some(0), "{shown}");
    assert_eq!(shop.delivered().as_deref(), Some(key.expose()));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_keys_may_end_the_end_is_asked_for_until_it_is_a_moment() {
    let by_hand = json!({"by": "operator", "create": ["make one"], "revoke": ["revoke the old one"]});
    let shop = Shop::with(|config| _ = config.set("vendors.leaf7.rotation", by_hand)).await;
    let key = shop.key();
    let asked = "empty: never, or unknown) ";
    let answers =
        [("(not shown): ", format!("{}\n", key.expose())), (asked, "soon\n".into()), (asked, "30d\n".into())];
    let (code, shown) = shop.type_in(&INGEST, answers.to_vec()).await;
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("\"soon\" is no moment in time"), "{shown}");
    assert_eq!(shop.delivered().as_deref(), Some(key.expose()));
    assert!(shop.credential().await["expires_at"].is_string());
}

impl Shop {
    /// Runs a command at a terminal, and types each answer when its question is there.
    async fn type_in(&self, args: &[&str], answers: Vec<(&'static str, String)>) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keyrelay"));
        command.arg("--config").arg(self.daemon.config_path()).args(args);
        command.env_clear().env("STATE_DIRECTORY", self.daemon.state_dir());
        let talk = tokio::task::spawn_blocking(move || talk(command, answers));
        let (code, shown) = talk.await.unwrap();
        secrets::none_in("a terminal", shown.as_bytes());
        (code, shown)
    }
}

/// Answers each question once it is there; the exit code, and all that the terminal showed.
pub fn talk(mut command: Command, answers: Vec<(&str, String)>) -> (Option<i32>, String) {
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
