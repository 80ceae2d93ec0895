//! Postfix (Debian's, unpacked), which takes mails for example.com and lays them into Dovecot's INBOX, as a mail server
//! at the border does.

use super::{
    Dovecot, Port, Scratch, Server,
    dovecot::owner,
    unpacked::{libraries, unpacked},
    until,
};
use rustix::process::geteuid;
use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt, chown},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Its parts run as a user, and its queue belongs to a group, that every Debian has and that are not otherwise used.
const USER: u32 = 8;
const GROUP: u32 = 37;
/// What it wants of folders in its queue.
const PRIVATE: [&str; 10] =
    ["active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "trace"];

pub struct Postfix {
    _server: Server,
    _dir: Scratch,
    port: Port,
}

impl Postfix {
    /// `None`, with the reason on stderr, where it cannot run: its parts have users of their own.
    pub async fn before(dovecot: &Dovecot) -> Option<Self> {
        if !geteuid().is_root() {
            eprintln!("skipped: Postfix takes root");
            return None;
        }
        let (dir, port) = (Scratch::new(), Port::free());
        make_queue(&dir);
        dir.folder("conf");
        dir.write("conf/main.cf", &settings(&dir, dovecot));
        dir.write("conf/master.cf", &services(port.number));
        let args = ["-c".into(), dir.join("conf").into_os_string(), "-d".into()];
        let env = [("LD_LIBRARY_PATH", libraries())];
        let env = env.each_ref().map(|(name, value)| (*name, value.as_os_str()));
        let program = unpacked("usr/lib/postfix/sbin/master");
        let mut server = Server::start_between(&program, args, &env, &dir.join("out"));
        until("Postfix answers", async || {
            server.assert_running();
            TcpStream::connect(("127.0.0.1", port.number)).await.ok()
        })
        .await;
        Some(Self { _server: server, _dir: dir, port })
    }

    /// Sends a mail as any client does. Lines end in CRLF.
    pub async fn send(&self, from: &str, to: &str, raw: &[u8]) {
        let taken = self.converse(from, to, &[&stuffed(raw), &b".\r\nQUIT\r\n"[..]].concat()).await;
        assert_eq!(taken, 1, "the mail is taken");
    }

    /// Everything after DATA as it stands, in one piece; returns how many mails were taken.
    pub async fn converse(&self, from: &str, to: &str, data: &[u8]) -> usize {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port.number)).await.expect("Postfix");
        for (say, answer) in [
            (String::new(), "220 "),
            ("EHLO client.example\r\n".into(), "250 "),
            (format!("MAIL FROM:<{from}>\r\n"), "250 "),
            (format!("RCPT TO:<{to}>\r\n"), "250 "),
            ("DATA\r\n".into(), "354 "),
        ] {
            stream.write_all(say.as_bytes()).await.expect("a line sent");
            let heard = hear(&mut stream).await;
            assert!(heard.lines().last().is_some_and(|line| line.starts_with(answer)), "{say}: {heard}");
        }
        stream.write_all(data).await.expect("the mail sent");
        let mut answers = Vec::new();
        stream.read_to_end(&mut answers).await.expect("answers");
        String::from_utf8_lossy(&answers).matches("queued as").count()
    }
}

/// An answer to its last line: the one with a blank after its number.
async fn hear(stream: &mut TcpStream) -> String {
    let mut heard = String::new();
    let ends = |heard: &str| {
        heard.ends_with("\r\n")
            && heard.lines().last().is_some_and(|line| line.as_bytes().get(3) == Some(&b' '))
    };
    while !ends(&heard) {
        let mut piece = [0; 4096];
        let n = stream.read(&mut piece).await.expect("an answer");
        assert_ne!(n, 0, "Postfix closed the connection: {heard}");
        heard += &String::from_utf8_lossy(&piece[..n]);
    }
    heard
}

/// A line that begins with a dot gets another one (RFC 5321, 4.5.2).
fn stuffed(raw: &[u8]) -> Vec<u8> {
    let dot = |line: &[u8]| if line.starts_with(b".") { &b"."[..] } else { b"" };
    raw.split_inclusive(|byte| *byte == b'\n').flat_map(|line| [dot(line), line].concat()).collect()
}

fn make_queue(dir: &Scratch) {
    let give = |name: &str, user: Option<u32>, group: Option<u32>, mode: u32| {
        let path = dir.folder(name);
        chown(&path, user, group).expect("a folder's owner");
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("a folder's mode");
    };
    give("queue", None, None, 0o755);
    give("queue/pid", None, None, 0o755);
    give("data", Some(USER), None, 0o700);
    give("queue/public", Some(USER), Some(GROUP), 0o710);
    give("queue/maildrop", Some(USER), Some(GROUP), 0o730);
    for name in PRIVATE {
        give(&format!("queue/{name}"), Some(USER), None, 0o700);
    }
}

fn settings(dir: &Scratch, dovecot: &Dovecot) -> String {
    let (place, inbox) = (dir.path().display(), dovecot.inbox());
    let (mails, name) = (inbox.parent().expect("a home"), inbox.file_name().expect("a maildir"));
    let (user, group) = owner();
    format!(
        "compatibility_level = 3.6
queue_directory = {place}/queue
data_directory = {place}/data
daemon_directory = {daemons}
command_directory = {commands}
mail_owner = mail
setgid_group = operator
import_environment = MAIL_CONFIG MAIL_LOGTAG LD_LIBRARY_PATH
export_environment = MAIL_CONFIG MAIL_LOGTAG LD_LIBRARY_PATH
maillog_file = {place}/log
maillog_file_prefixes = {place}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.example.com
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
local_recipient_maps =
virtual_mailbox_domains = example.com
virtual_mailbox_base = {mails}
virtual_mailbox_maps = static:{name}/
virtual_uid_maps = static:{user}
virtual_gid_maps = static:{group}
virtual_minimum_uid = 1
",
        daemons = unpacked("usr/lib/postfix/sbin").display(),
        commands = unpacked("usr/sbin/postconf").with_file_name("").display(),
        mails = mails.display(),
        name = name.display(),
    )
}

fn services(port: u16) -> String {
    format!(
        "127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
virtual unix - n n - - virtual
postlog unix-dgram n - n - 1 postlogd
"
    )
}
