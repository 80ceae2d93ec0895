//! `keyrelay doctor` on real servers: all is well, and then one thing at a time is broken, and exactly that is told,
//! with what to type.

mod alerts;
mod beside_a_daemon;
mod consumers;
mod host;
mod in_systemd;
mod mailboxes;
mod store;
mod vendors;
mod well;

use crate::{
    rotation::stage::{Slot, Stage, now},
    world::Ran,
};
use keyrelay::demo::consumer::{self, Consumer, Source};
use serde_json::json;
use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

/// A site in order: one key, one consumer that reads a file and proves it, and a mail that brought the key.
struct Ward {
    stage: Stage,
    slot: Slot,
    shop: Consumer,
}

impl Ward {
    async fn new() -> Self {
        let mut stage = Stage::build().await;
        let slot = stage.slot("main");
        let old = stage.vendor.current_key(slot.account);
        let (_, new) = stage.rotate(&slot);
        stage.next_date = now().whole_secs() - std::time::Duration::from_secs(60);
        stage.confirm(&slot, 0, &old, &new).await;
        let key = stage.seed(&slot).await;
        let path = stage.scratch.folder("shop").join("leaf7.key");
        let source = Source::File { path: path.clone(), variable: None };
        let shop = consumer::start(consumer::Options::new("shop".parse().unwrap(), source)).await.unwrap();
        let private = fs::Permissions::from_mode(0o600);
        fs::write(&path, key.expose()).and_then(|()| fs::set_permissions(&path, private)).unwrap();
        shop.tell(key);
        stage.consumer(
            &slot,
            "shop",
            json!({"deliver": {"file": {"path": path}}, "prove": {"http": {"url": shop.url()}}}),
        );
        let mut ward = Self { stage, slot, shop };
        ward.stage.daemon.configure(&mut ward.stage.config);
        ward
    }

    /// `change` has the last word.
    async fn configure(&mut self, change: impl FnOnce(&mut crate::world::Config)) {
        change(&mut self.stage.config);
        self.stage.daemon.configure(&mut self.stage.config);
    }

    async fn doctor(&mut self, args: &[&str]) -> Ran {
        let args = [&["doctor"], args].concat();
        self.stage.keyrelay(&args, "").await
    }

    /// What is to be fixed, each as one line with what to type behind it; and the exit code.
    async fn failures(&mut self) -> (Option<i32>, Vec<String>) {
        let ran = self.doctor(&[]).await;
        (ran.code, what_to_fix(&ran))
    }

    fn file(&self) -> PathBuf {
        self.stage.scratch.join("shop/leaf7.key")
    }
}

/// The list at the end, unwrapped.
fn what_to_fix(ran: &Ran) -> Vec<String> {
    let Some((_, list)) = ran.stdout.split_once("\nwhat to fix\n") else { return Vec::new() };
    let (list, _) = list.rsplit_once("\n\n").unwrap_or((list, ""));
    let mut items: Vec<String> = Vec::new();
    for line in list.lines() {
        let words = line.trim();
        let number = format!("{}. ", items.len() + 1);
        match (words.strip_prefix(&number), items.last_mut()) {
            (Some(first), _) => items.push(first.to_owned()),
            (None, Some(item)) => *item += &format!(" {words}"),
            (None, None) => panic!("no number before {line:?}"),
        }
    }
    items
}

/// Its lines, unwrapped: `ok login: …`.
fn lines(ran: &Ran) -> Vec<String> {
    let all = ran.stdout.split("\nwhat to fix\n").next().unwrap_or_default();
    let mut lines: Vec<String> = Vec::new();
    for line in all.lines() {
        let begins =
            ["  ok ", "  warning ", "  skipped ", "  FAILED "].iter().any(|label| line.starts_with(label));
        let words = line.split_whitespace().collect::<Vec<_>>().join(" ");
        match lines.last_mut() {
            Some(last) if line.starts_with("   ") => *last += &format!(" {words}"),
            _ if begins => lines.push(words),
            _ => {}
        }
    }
    lines
}
