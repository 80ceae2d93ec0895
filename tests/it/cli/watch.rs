//! `keyrelay status --watch`, at a terminal and in a pipe.

use super::Shop;
use crate::world::until;
use rustix::{
    process::{Pid, Signal, kill_process},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};
use std::{
    fs::File,
    io::Read,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
};

const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_is_redrawn_and_left_as_it_was() {
    let mut shop = Shop::new().await;
    shop.daemon.start_up().await;
    let mut watching = Watching::at_a_terminal(&shop, &["status", "--watch"]);
    watching.shows("unseeded").await;
    assert_eq!(shop.ingest(&shop.key(), &[]).await.code, Some(0));
    watching.shows("no open incident; 1 of 1 consumers at their level").await;
    shop.daemon.kill9();
    watching.shows("no daemon answers any more").await;
    let (code, shown) = watching.interrupted().await;
    assert_eq!(code, Some(0), "nothing was wrong when it was last seen");
    assert!(shown.starts_with(ENTER) && shown.ends_with(LEAVE), "{shown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_pipe_each_change_is_one_document() {
    let mut shop = Shop::new().await;
    shop.daemon.start_up().await;
    let mut watching = Watching::in_a_pipe(&shop, &["status", "leaf7-main", "--watch", "--json"]);
    watching.shows("\"generation\": 0").await;
    assert_eq!(shop.ingest(&shop.key(), &[]).await.code, Some(0));
    watching.shows("\"generation\": 1").await;
    let (code, shown) = watching.interrupted().await;
    assert!(code.is_some(), "it ends by itself");
    assert!(!shown.contains('\x1b'), "{shown}");
    let documents = serde_json::Deserializer::from_str(&shown).into_iter::<serde_json::Value>();
    let documents: Vec<_> = documents.map(|document| document.expect("whole documents")).collect();
    for pair in documents.windows(2) {
        let without_time = |document: &serde_json::Value| {
            let mut document = document.clone();
            document["generated_at"] = serde_json::Value::Null;
            document
        };
        assert_ne!(without_time(&pair[0]), without_time(&pair[1]), "nothing has changed");
    }
}

#[tokio::test]
async fn without_a_daemon_there_is_nothing_to_watch() {
    let shop = Shop::new().await;
    let ran = shop.run(&["status", "--watch"]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(3), ""), "{ran:?}");
    assert!(
        ran.stderr.contains("there is nothing to watch\nstart it: systemctl start keyrelay\n"),
        "{ran:?}"
    );
}

/// A command that goes on, and what it has shown so far.
struct Watching {
    child: Child,
    shown: Arc<Mutex<Vec<u8>>>,
    reader: thread::JoinHandle<()>,
}

impl Watching {
    fn at_a_terminal(shop: &Shop, args: &[&str]) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let path = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let terminal = || File::options().read(true).write(true).open(&path).unwrap();
        let size = Winsize { ws_row: 40, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&master, size).unwrap();
        let mut command = command(shop, args);
        let child = command.stdin(terminal()).stdout(terminal()).stderr(terminal()).spawn().unwrap();
        Self::reading(child, File::from(master))
    }
    fn in_a_pipe(shop: &Shop, args: &[&str]) -> Self {
        let mut child = command(shop, args).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let output = child.stdout.take().unwrap();
        Self::reading(child, output)
    }
    fn reading(child: Child, mut output: impl Read + Send + 'static) -> Self {
        let shown = Arc::new(Mutex::new(Vec::new()));
        let all = shown.clone();
        let reader = thread::spawn(move || {
            let mut bytes = [0; 4096];
            // A terminal whose last user has gone cannot be read.
            while let Ok(len @ 1..) = output.read(&mut bytes) {
                all.lock().unwrap().extend(&bytes[..len]);
            }
        });
        Self { child, shown, reader }
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap()).into_owned()
    }
    async fn shows(&mut self, what: &str) {
        until(&format!("it shows {what}"), async || self.so_far().contains(what).then_some(())).await;
    }
    /// As by Ctrl-C.
    async fn interrupted(mut self) -> (Option<i32>, String) {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
        let code = until("it ends", async || self.child.try_wait().unwrap()).await.code();
        let Self { reader, shown, .. } = self;
        tokio::task::spawn_blocking(|| reader.join()).await.unwrap().unwrap();
        let shown = String::from_utf8(shown.lock().unwrap().clone()).unwrap();
        (code, shown)
    }
}

fn command(shop: &Shop, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyrelay"));
    command.arg("--config").arg(shop.daemon.config_path()).args(args);
    command.env_clear().env("STATE_DIRECTORY", shop.daemon.state_dir());
    command
}
