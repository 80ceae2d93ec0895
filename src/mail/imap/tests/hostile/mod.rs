//! A hostile server, case by case: each has a script and what is expected to come of it. What must hold whatever a
//! server does is checked after every one of them by [`Case::play`], which also proves by its controls that it would
//! notice.

mod answers;
mod lines;
mod login;
mod moments;
mod server;
mod suite;

use super::{super::*, LONG, search};
use crate::{domain::Limits, mail::Folders};
use server::{Encryption, Heard, Then, Twist};
use std::{
    cell::RefCell,
    io::ErrorKind,
    net::TcpListener,
    path::PathBuf,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

/// In everything that somebody says before TLS and that nobody may ever use.
const SPOOF: &str = "SPOOF";
/// Whatever a server does, one case takes no more memory, in KiB (the mails in it are small).
const MEMORY_KIB_MAX: usize = 16 << 10;
/// Nor does a client read more of it, in bytes: its own limit, and what lies in the sockets' buffers.
const SAID_MAX: usize = 32 << 20;

/// How the client goes about it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Against a certificate that it trusts, or one that is for another name.
    StartTls,
    StartTlsAtAStranger,
    Implicit,
    Clear,
}

struct Case {
    name: String,
    /// The kind of the published suite that it plays.
    kind: Option<&'static str>,
    way: Way,
    twists: Vec<Twist>,
    /// INBOX, or whatever the server flags as junk beside it.
    finds_junk: bool,
    /// Whether the client waits for news after its first look, and looks again.
    waits: bool,
    /// Whether the server falls silent: the client then waits half a second for each read.
    silent: bool,
    expected: Vec<String>,
}

fn case(name: &str) -> Case {
    Case {
        name: name.to_owned(),
        kind: None,
        way: Way::Implicit,
        twists: Vec::new(),
        finds_junk: false,
        waits: false,
        silent: false,
        expected: Vec::new(),
    }
}

impl Case {
    fn at(self, at: &'static str, say: impl Into<Vec<u8>>) -> Self {
        self.then(at, say, Then::GoOn)
    }
    fn then(mut self, at: &'static str, say: impl Into<Vec<u8>>, then: Then) -> Self {
        self.silent |= matches!(then, Then::Silence | Then::Drip(_));
        self.twists.push(Twist { at, say: say.into(), then });
        self
    }
    fn way(self, way: Way) -> Self {
        Self { way, ..self }
    }
    fn kind(self, kind: &'static str) -> Self {
        Self {
            kind: Some(kind),
            way: if self.way == Way::Implicit { Way::StartTls } else { self.way },
            ..self
        }
    }
    fn finds_junk(self) -> Self {
        Self { finds_junk: true, ..self }
    }
    fn waits(self) -> Self {
        Self { waits: true, ..self }
    }
    /// For news as long as it takes; where none comes, or DONE is of interest, not long.
    fn waits_for(&self) -> Duration {
        let none = self.expected.iter().any(|line| line == "Timeout");
        let done = self.twists.iter().any(|twist| twist.at == server::DONE);
        if none || done { Duration::from_millis(200) } else { LONG }
    }
    fn expect(self, expected: &[&str]) -> Self {
        Self { expected: expected.iter().map(|line| (*line).to_owned()).collect(), ..self }
    }
}

/// What every case needs: certificates, and a port that nobody may call.
struct Stage {
    folder: tempfile::TempDir,
    trusted: Arc<rustls::ServerConfig>,
    stranger: Arc<rustls::ServerConfig>,
    trap: TcpListener,
    /// Cases that did not end as expected, all of them told at once.
    wrong: RefCell<Vec<String>>,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [trusted, stranger] =
            super::pki::two_servers(folder.path(), ["localhost", "attacker.example.org"]);
        let trap = TcpListener::bind("127.0.0.1:0").unwrap();
        trap.set_nonblocking(true).unwrap();
        let stage = Self { folder, trusted, stranger, trap, wrong: RefCell::default() };
        // The first connection of a process pages its code in, which would be counted as the first case's memory.
        stage.outcome(&case("the first").way(Way::StartTls).expect(&lines::CALM));
        stage
    }
    fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Plays the case and returns what was seen: mails, what could not be read, why it ended.
    fn outcome(&self, case: &Case) -> (Vec<String>, Heard) {
        let (encryption, tls) = match case.way {
            Way::StartTls => (Encryption::Start(self.trusted.clone()), Tls::StartTls),
            Way::StartTlsAtAStranger => (Encryption::Start(self.stranger.clone()), Tls::StartTls),
            Way::Implicit => (Encryption::Implicit(self.trusted.clone()), Tls::Implicit),
            Way::Clear => (Encryption::Never, Tls::None),
        };
        let trap = self.trap.local_addr().unwrap().port();
        let (port, heard, server) = server::serve(encryption, case.twists.clone(), trap);
        let folders = if case.finds_junk { vec![] } else { vec!["INBOX".into()] };
        let settings = Settings { ca_cert: Some(self.ca()), folders, ..super::settings(port, tls) };
        let patience = if case.silent { Duration::from_millis(500) } else { LONG };
        let limits = Limits { mail_read_timeout: patience, ..Limits::default() };

        let waits = case.waits.then(|| case.waits_for());
        let (tell, told) = mpsc::channel();
        let client = thread::spawn(move || tell.send(drive(&settings, &limits, waits)));
        let outcome = told.recv_timeout(4 * LONG);
        if client.is_finished() || outcome.is_ok() {
            client.join().unwrap_or_else(|_| panic!("{}: a panic reached the caller", case.name)).unwrap();
        }
        let outcome = outcome.unwrap_or_else(|_| panic!("{}: the client has not ended", case.name));
        server.join().unwrap_or_else(|_| panic!("{}: the server's script failed", case.name));
        let outcome = outcome.iter().map(|line| line.replace(&format!(":{trap}/"), ":TRAP/")).collect();
        (outcome, std::mem::take(&mut *heard.lock().unwrap()))
    }

    /// Plays the case, and checks what must hold in every one. Returns the commands that the server heard.
    fn play(&self, case: &Case) -> Vec<String> {
        let before = memory::begin();
        let (seen, heard) = self.outcome(case);
        let used = memory::peak().saturating_sub(before);
        let name = &case.name;
        assert!(
            !tells_the_password(&heard.wire) || case.way == Way::Clear,
            "{name}: the password was sent in clear"
        );
        let messages = seen.iter().map(String::as_str);
        assert_eq!(faults_of_messages(messages), [""; 0], "{name}");
        let logins = heard.commands.iter().filter(|said| tells_the_password(said.as_bytes())).count();
        assert!(logins <= 1, "{name}: the password was told {logins} times");
        let used_spoof = heard.commands.iter().chain(&seen).find(|text| text.contains(SPOOF));
        assert_eq!(used_spoof, None, "{name}: what was said before TLS was used");
        let called = self.trap.accept().map(drop).map_err(|e| e.kind());
        assert_eq!(called, Err(ErrorKind::WouldBlock), "{name}: a referral was followed");
        assert!(used <= MEMORY_KIB_MAX, "{name}: {used} KiB of memory");
        assert!(heard.said <= SAID_MAX, "{name}: the client listened to {} bytes", heard.said);
        if seen != case.expected {
            self.wrong.borrow_mut().push(format!("{name}\n     saw {seen:?}\n     not {:?}", case.expected));
        }
        heard.commands
    }

    fn judge(self) {
        let wrong = self.wrong.into_inner();
        assert!(wrong.is_empty(), "{} cases end otherwise:\n{}", wrong.len(), wrong.join("\n"));
    }
}

/// Connects, looks, where it is asked to waits and looks again, and leaves.
fn drive(settings: &Settings, limits: &Limits, waits: Option<Duration>) -> Vec<String> {
    let mut lines = Vec::new();
    let mut run = || -> Result<(), MailboxTrouble> {
        let (mut connection, _waker) = connect(settings, limits)?;
        lines.extend(super::seen(&connection.look(&search(1 << 20), Folders::All)?));
        if let Some(time) = waits {
            lines.push(format!("{:?}", connection.wait(time)?));
            lines.extend(super::seen(&connection.look(&search(1 << 20), Folders::First)?));
        }
        connection.close();
        Ok(())
    };
    if let Err(trouble) = run() {
        lines.push(super::told(&trouble));
    }
    lines
}

/// Every form in which a login can bear it, in every mode.
fn tells_the_password(wire: &[u8]) -> bool {
    ["canary", "Y2FuYXJ5", "AHJlbGF5AGNhbmFyeQ"]
        .iter()
        .any(|form| wire.windows(form.len()).any(|part| part == form.as_bytes()))
}

fn faults_of_messages<'a>(messages: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    messages
        .filter(|text| {
            text.contains(char::is_control) || text.len() > 400 || tells_the_password(text.as_bytes())
        })
        .collect()
}

/// The peak of this process's memory since it was last asked to begin, in KiB. Each test has a process of its own.
mod memory {
    pub fn begin() -> usize {
        std::fs::write("/proc/self/clear_refs", "5").unwrap();
        read("VmRSS:")
    }
    pub fn peak() -> usize {
        read("VmHWM:")
    }
    fn read(what: &str) -> usize {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(what)).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}
