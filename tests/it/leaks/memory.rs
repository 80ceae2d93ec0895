//! The process' memory: in no core dump, in no debugger of the same user, and of an old key nothing left.

use crate::{
    rotation::{consumers::FileConsumer, stage::Stage},
    world::{Dovecot, Scratch, Server, strip, until},
};
use rustix::process::{Signal, geteuid};
use std::{
    fs::{self, File, Permissions},
    os::unix::{
        fs::{FileExt, MetadataExt, PermissionsExt},
        process::ExitStatusExt,
    },
    path::Path,
};

/// Nobody's: where the tests run as root, what they start for this is not.
const UID: u32 = 65_534;

/// The program itself, for another user to run; it holds keys, and needs nothing.
struct Demo {
    server: Server,
    dir: Scratch,
}

impl Demo {
    async fn start() -> Self {
        let dir = Scratch::new();
        fs::set_permissions(dir.folder("tmp"), Permissions::from_mode(0o777)).expect("its mode");
        let program = dir.join("keyrelay");
        strip(&program);
        let server = start(&dir, "exec \"$2\" demo", &program);
        until("the demo runs", async || server.log().contains("as a page, live: ").then_some(())).await;
        Self { server, dir }
    }
}

/// A shell script in a folder where it may leave a core as large as it likes. `$2` is the program.
fn start(dir: &Scratch, script: &str, program: &Path) -> Server {
    let script = format!("ulimit -c unlimited; cd \"$1/tmp\"; {script}");
    let uid = if geteuid().is_root() { UID } else { geteuid().as_raw() };
    let (folder, program) = (dir.path().display().to_string(), program.display().to_string());
    let run_as = [format!("--reuid={uid}"), format!("--regid={uid}"), "--clear-groups".into()];
    let shell = ["/bin/sh".to_owned(), "-c".into(), script, "sh".into(), folder, program];
    let temporary = dir.join("tmp");
    let env = [("TMPDIR", temporary.as_os_str())];
    match geteuid().is_root() {
        true => Server::start(
            Path::new("/usr/bin/setpriv"),
            run_as.into_iter().chain(shell),
            &env,
            &dir.join("log"),
        ),
        false => Server::start(Path::new("/bin/sh"), shell.into_iter().skip(1), &env, &dir.join("log")),
    }
}

fn cores(dir: &Scratch) -> Vec<String> {
    let entries = fs::read_dir(dir.join("tmp")).expect("a folder").flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with("core")).collect()
}

/// Files of a process that shows itself are its user's; of any other, root's.
fn owner(pid: u32, file: &str) -> u32 {
    fs::metadata(format!("/proc/{pid}/{file}")).expect("a process that runs").uid()
}

#[tokio::test]
async fn s11_a_process_that_is_aborted_leaves_no_core_and_shows_its_memory_to_root_alone() {
    let control = Scratch::new();
    fs::set_permissions(control.folder("tmp"), Permissions::from_mode(0o777)).expect("its mode");
    let mut shell = start(&control, "echo runs; read _ </dev/full || sleep 60", Path::new("/bin/true"));
    until("the shell runs", async || shell.log().contains("runs").then_some(())).await;
    let Demo { mut server, dir } = Demo::start().await;

    let uid = if geteuid().is_root() { UID } else { geteuid().as_raw() };
    for file in ["mem", "environ", "maps", "fd"] {
        assert_eq!(owner(shell.pid(), file), uid, "{file} of a process that hides nothing");
        assert_eq!(owner(server.pid(), file), 0, "{file}");
    }
    let limits = fs::read_to_string(format!("/proc/{}/limits", server.pid())).expect("its limits");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("the limit");
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{core}");

    for server in [&mut shell, &mut server] {
        server.signal(Signal::ABORT);
        assert_eq!(server.ended().await.signal(), Some(Signal::ABORT.as_raw()));
    }
    assert_eq!(cores(&dir), Vec::<String>::new());
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").expect("the kernel's pattern");
    if pattern.trim() == "core" {
        assert_eq!(cores(&control).len(), 1, "a process that hides nothing leaves one");
    } else {
        eprintln!("this machine's cores go to {}: whether there is one was not looked at", pattern.trim());
    }
}

/// Whoever reads the memory of a daemon that has retired a key finds the key that counts, and not the one before.
#[tokio::test]
async fn s13_s14_after_a_rotation_nothing_of_the_old_key_is_left_in_memory() {
    if !geteuid().is_root() {
        eprintln!("skipped: only root may read the daemon's memory");
        return;
    }
    let mut stage = Stage::build().await;
    // Ticks wipe what nobody needs; between two of them connections to the store end.
    stage.config.set("vendors.leaf7.grace", "6s").set("schedules.mailbox_poll", "*/30 * * * * *");
    let slot = stage.slot("main");
    let old = stage.seed(&slot).await;
    let shop = FileConsumer::add(&mut stage, &slot, "shop").await;
    shop.put(&old);
    stage.date_from_now();
    stage.start().await;
    let (_, new) = stage.rotate(&slot);
    stage.confirm(&slot, 0, &old, &new).await;
    stage.wait_promoted(&slot, &new).await;
    stage.vendor.end_grace(slot.account);
    until("the old key leaves the document", async || {
        stage.document(&slot).await.filter(|document| document.get("api_key_previous").is_none())
    })
    .await;
    stage.wait(&slot, "all is calm", |found| (found["retiring"] == false).then_some(())).await;
    let pid = stage.daemon.pid();
    let seen = |text: &str| occurrences(pid, text);
    assert!(seen(new.expose()) > 0, "the key that counts is in memory: the search works");
    let at_once = seen(old.expose());
    let left = async || surroundings(pid, old.expose());
    until("nobody holds the old key", async || {
        left().await.iter().all(|around| around.contains("lease_id")).then_some(())
    })
    .await;
    until("the connection to the store that read it has ended", async || {
        left().await.is_empty().then_some(())
    })
    .await;
    // The mail stays in the buffers of the IMAP connection until it reads something as long, or ends.
    let (key, mail) = (seen(new.expose()), seen("keeps working for another 24 hours"));
    let password = seen(Dovecot::PASSWORD);
    println!(
        "in memory: the old key {at_once} times, then never; the new one {key}, the mail {mail}, the password {password}"
    );
    stage.end().await;
}

/// How often a text stands in a process' memory.
fn occurrences(pid: u32, text: &str) -> usize {
    surroundings(pid, text).len()
}

/// What stands before and behind it there, each time: that tells whose copy it is.
fn surroundings(pid: u32, text: &str) -> Vec<String> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).expect("a process that runs");
    let memory = File::open(format!("/proc/{pid}/mem")).expect("root may look");
    let mut found = Vec::new();
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (from, rest) = line.split_once('-').expect("a range");
        let to = rest.split(' ').next().expect("a range");
        let [from, to] = [from, to].map(|number| u64::from_str_radix(number, 16).expect("a number"));
        let mut bytes = vec![0; usize::try_from(to - from).expect("a size")];
        // A page may go while it is read.
        if memory.read_exact_at(&mut bytes, from).is_ok() {
            found.extend(memmem(&bytes, text.as_bytes()).into_iter().map(|at| {
                let around = &bytes[at.saturating_sub(80)..bytes.len().min(at + text.len() + 80)];
                String::from_utf8_lossy(around).replace(text, "…").replace('\0', "")
            }));
        }
    }
    found
}

fn memmem(bytes: &[u8], text: &[u8]) -> Vec<usize> {
    let first = text[0];
    let starts = bytes.iter().enumerate().filter(|(_, byte)| **byte == first);
    starts.filter(|(at, _)| bytes[*at..].starts_with(text)).map(|(at, _)| at).collect()
}
