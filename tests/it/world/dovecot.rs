//! Dovecot (Debian's dovecot-imapd), with one mail account, its INBOX, and a folder flagged `\Junk`.

use super::{Ca, MailServer, Port, Scratch, Server, debian, run, secrets, until};
use rustix::process::{Signal, getegid, geteuid};
use serde_json::{Value, json};
use std::{
    fs::{self, FileTimes},
    os::unix::fs::chown,
    path::{Path, PathBuf},
    time::SystemTime,
};
use tokio::{net::TcpStream, process::Command};

/// Owns the mails where the tests run as root, to whom Dovecot gives none. It needs no account of that number.
const MAIL_UID: u32 = 7718;

pub struct Dovecot {
    server: Option<Server>,
    dir: Scratch,
    ca: PathBuf,
    pub imaps: Port,
    /// Answers STARTTLS, and plain logins too.
    pub imap: Port,
    delivered: u32,
}

impl Dovecot {
    pub const USER: &'static str = "rotation@example.com";
    pub const PASSWORD: &'static str = "imap 8Kq2vTz9 password";

    pub async fn start(ca: &Ca) -> Self {
        Self::start_with(ca, 10).await
    }

    /// Access tokens let in as well as the password does; whose one is, that address answers when a token is appended.
    pub async fn start_with_tokens(ca: &Ca, tokeninfo_url: &str) -> Self {
        Self::start_as(ca, 10, Some(tokeninfo_url)).await
    }

    /// `connections_max` is Dovecot's `mail_max_userip_connections`.
    pub async fn start_with(ca: &Ca, connections_max: u32) -> Self {
        Self::start_as(ca, connections_max, None).await
    }

    async fn start_as(ca: &Ca, connections_max: u32, tokeninfo_url: Option<&str>) -> Self {
        let (dir, imaps, imap) = (Scratch::new(), Port::free(), Port::free());
        for name in ["run", "state", "mail"] {
            dir.folder(name);
        }
        give_to_owner(&dir.join("mail"));
        let users = users().await;
        let settings = configuration(dir.path(), ca, imaps.number, imap.number, connections_max);
        let tokens = tokeninfo_url.map(|url| tokens(&dir, url)).unwrap_or_default();
        dir.write("dovecot.conf", &(settings + &users + &tokens));
        let mut dovecot = Self { server: None, dir, ca: ca.ca_path(), imaps, imap, delivered: 0 };
        dovecot.set_password(Self::PASSWORD);
        dovecot.start_again().await;
        // Opening them makes both folders, so that a mail can be put into their files.
        assert_eq!((dovecot.mail_count("INBOX").await, dovecot.mail_count("Junk").await), (0, 0));
        dovecot
    }

    /// The mailbox of a configuration: `mailboxes: {NAME: this}`.
    pub fn mailbox(&self) -> Value {
        let password = self.dir.secret("imap-password", Self::PASSWORD);
        json!({"imap": {"host": "localhost", "port": self.imaps.number, "tls": "implicit", "ca_cert": self.ca,
            "user": Self::USER, "password": {"file": password}}})
    }

    pub fn imaps_port(&self) -> u16 {
        self.imaps.number
    }

    /// On the same ports, with the same mails.
    pub async fn start_again(&mut self) {
        let args = ["-F".into(), "-c".into(), self.config().into_os_string()];
        let program = debian("dovecot", "dovecot-imapd");
        let mut server = Server::start(&program, args, &[], &self.dir.join("log"));
        let port = self.imap.number;
        until("Dovecot answers", async || {
            server.assert_running();
            TcpStream::connect(("127.0.0.1", port)).await.ok()
        })
        .await;
        self.server = Some(server);
    }

    /// From now on the server says that it can do this, and no more.
    pub async fn start_again_as(&mut self, capability: &str) {
        self.kill().await;
        let path = self.config();
        let settings = fs::read_to_string(&path).expect("its configuration");
        fs::write(&path, format!("{settings}imap_capability = {capability}\n")).expect("its configuration");
        self.start_again().await;
    }

    /// Every session is told `BYE`, then nobody answers any more. (Dovecot's own way out takes seconds.)
    pub async fn stop(&mut self) {
        // Fails when there is no session.
        self.try_doveadm(&["kick", Self::USER], b"").await.ok();
        self.kill().await;
    }

    /// As a power cut stops it: nobody is told anything.
    pub async fn kill(&mut self) {
        self.server = None;
        let port = self.imap.number;
        until("Dovecot is gone", async || TcpStream::connect(("127.0.0.1", port)).await.err()).await;
    }

    /// SIGSTOP: nobody answers any more, and no connection ends.
    pub fn freeze(&self) {
        self.running().signal_all(Signal::STOP);
    }
    pub fn thaw(&self) {
        self.running().signal_all(Signal::CONT);
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.join("log")).unwrap_or_default()
    }

    /// A new mail; sessions in IDLE hear of it half a second later (Dovecot's own delay).
    pub async fn deliver(&self, raw: &[u8], folder: &str) {
        self.doveadm_with(&["save", "-u", Self::USER, "-m", folder], raw).await;
    }

    /// A new mail whose INTERNALDATE is `arrived_at`, laid into the maildir as a delivery agent does.
    pub fn deliver_at(&mut self, raw: &[u8], folder: &str, arrived_at: SystemTime) {
        self.delivered += 1;
        let maildir = if folder == "INBOX" { self.inbox() } else { self.inbox().join(format!(".{folder}")) };
        let name = format!("{}.{}.world", std::process::id(), self.delivered);
        let path = maildir.join("tmp").join(&name);
        fs::write(&path, raw).expect("a mail");
        give_to_owner(&path);
        let file = fs::File::options().write(true).open(&path).expect("the mail");
        file.set_times(FileTimes::new().set_modified(arrived_at)).expect("the mail's time");
        fs::rename(&path, maildir.join("new").join(&name)).expect("the mail in its folder");
    }

    /// Its maildir.
    pub fn inbox(&self) -> PathBuf {
        self.dir.join("mail").join(Self::USER).join("Maildir")
    }

    /// Removes every mail of the folder.
    pub async fn expunge(&self, folder: &str) {
        self.doveadm(&["expunge", "-u", Self::USER, "mailbox", folder, "all"]).await;
    }

    pub async fn mail_count(&self, folder: &str) -> usize {
        let answer = self.doveadm(&["mailbox", "status", "-u", Self::USER, "messages", folder]).await;
        let number = answer.trim().rsplit('=').next().and_then(|number| number.parse().ok());
        number.unwrap_or_else(|| panic!("no count of mails in {answer:?}"))
    }

    /// Each mail's IMAP flags, in the folder's order.
    pub async fn flags(&self, folder: &str) -> Vec<String> {
        let answer =
            self.doveadm(&["-f", "tab", "fetch", "-u", Self::USER, "flags", "mailbox", folder, "all"]).await;
        answer.lines().skip(1).map(str::to_owned).collect()
    }

    /// Gives the folder another UIDVALIDITY, as a restored backup does.
    pub async fn set_uidvalidity(&self, folder: &str, value: u32) {
        self.doveadm(&["mailbox", "update", "-u", Self::USER, "--uid-validity", &value.to_string(), folder])
            .await;
    }

    /// Ends every session of the user.
    pub async fn kick(&self) {
        self.doveadm(&["kick", Self::USER]).await;
    }

    /// The ways to log in, from the next start on.
    pub fn set_mechanisms(&self, mechanisms: &str) {
        let settings = fs::read_to_string(self.config()).expect("the configuration");
        let kept: Vec<_> = settings.lines().filter(|line| !line.starts_with("auth_mechanisms")).collect();
        self.dir.write("dovecot.conf", &format!("{}\nauth_mechanisms = {mechanisms}\n", kept.join("\n")));
    }

    /// From now on only this password logs in.
    pub fn set_password(&self, password: &str) {
        secrets::note(password);
        self.dir.write("passwd", &format!("{}:{{PLAIN}}{password}\n", Self::USER));
    }

    /// From the next start on passwords are looked up where nobody answers, as while a directory is down; or where they
    /// are.
    pub fn lose_passwords(&self, lost: bool) {
        let port = Port::free();
        let dict = format!(
            "uri = redis:host=127.0.0.1:port={}\nkey passdb {{\n key = %u\n format = json\n}}\npassdb_objects = passdb\n",
            port.number
        );
        let dict = format!("driver = dict\n  args = {}", self.dir.write("dict.conf", &dict).display());
        let file = passwords(self.dir.path());
        let config = fs::read_to_string(self.config()).expect("its configuration");
        let (from, to) = if lost { (file, dict) } else { (dict, file) };
        assert!(config.contains(&from), "{config}");
        self.dir.write("dovecot.conf", &config.replace(&from, &to));
    }

    /// One administrator's command; panics unless it succeeds; returns what it printed.
    pub async fn doveadm(&self, args: &[&str]) -> String {
        self.doveadm_with(args, b"").await
    }

    async fn doveadm_with(&self, args: &[&str], stdin: &[u8]) -> String {
        self.try_doveadm(args, stdin).await.unwrap_or_else(|error| panic!("doveadm {args:?}: {error}"))
    }

    async fn try_doveadm(&self, args: &[&str], stdin: &[u8]) -> Result<String, String> {
        let config = ["-c".into(), self.config().into_os_string()];
        let args = config.into_iter().chain(args.iter().map(Into::into));
        let ran = run(Command::new(debian("doveadm", "dovecot-imapd")).args(args), stdin).await;
        if ran.code == Some(0) { Ok(ran.stdout) } else { Err(ran.stderr) }
    }

    fn running(&self) -> &Server {
        self.server.as_ref().expect("Dovecot runs")
    }
    fn config(&self) -> PathBuf {
        self.dir.join("dovecot.conf")
    }
}

/// What a configuration needs besides for logins with access tokens.
fn tokens(dir: &Scratch, tokeninfo_url: &str) -> String {
    let oauth2 = format!(
        "tokeninfo_url = {tokeninfo_url}\nintrospection_mode =\nusername_attribute = email\n\
         active_attribute = active\nactive_value = true\n"
    );
    let args = dir.write("oauth2.conf.ext", &oauth2);
    let args = args.display();
    format!(
        "\nauth_mechanisms = plain login xoauth2 oauthbearer\n\
         passdb {{\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = {args}\n}}\n"
    )
}

impl MailServer for Dovecot {
    const REFUSES: &'static str = "[AUTHENTICATIONFAILED] Authentication failed.";

    async fn start(ca: &Ca) -> Self {
        Self::start(ca).await
    }
    fn imaps_port(&self) -> u16 {
        self.imaps.number
    }
    fn imap_port(&self) -> u16 {
        self.imap.number
    }
    fn mailbox(&self) -> Value {
        self.mailbox()
    }
    async fn deliver(&self, raw: &[u8], folder: &str) {
        self.deliver(raw, folder).await;
    }
    async fn deliver_at(&mut self, raw: &[u8], folder: &str, arrived_at: SystemTime) {
        self.deliver_at(raw, folder, arrived_at);
    }
}

/// The mails' user and group.
pub(super) fn owner() -> (u32, u32) {
    if geteuid().is_root() { (MAIL_UID, MAIL_UID) } else { (geteuid().as_raw(), getegid().as_raw()) }
}

fn give_to_owner(path: &Path) {
    let (user, group) = owner();
    chown(path, Some(user), Some(group)).expect("the owner of what lies in the test's own folder");
}

/// Root's Dovecot gives its parts to users that the package made; anybody else's runs as one user.
async fn users() -> String {
    if geteuid().is_root() {
        return String::new();
    }
    let name = async |kind| run(Command::new("id").args([kind, "-n"]), b"").await.stdout;
    let (user, group) = (name("-u").await, name("-g").await);
    format!("default_internal_user = {user}default_login_user = {user}default_internal_group = {group}")
}

fn passwords(dir: &Path) -> String {
    format!("driver = passwd-file\n  args = username_format=%u {}/passwd", dir.display())
}

fn configuration(dir: &Path, ca: &Ca, imaps: u16, imap: u16, connections_max: u32) -> String {
    let passwords = passwords(dir);
    let (dir, cert, key) = (dir.display(), ca.cert_path(), ca.key_path());
    let (user, group) = owner();
    format!(
        r"base_dir = {dir}/run
state_dir = {dir}/state
instance_name = keyrelay-test-{imaps}
log_path = /dev/stderr
protocols = imap
listen = 127.0.0.1
ssl = yes
disable_plaintext_auth = no
ssl_cert = <{cert}
ssl_key = <{key}
mail_location = maildir:~/Maildir
first_valid_uid = {user}
first_valid_gid = {group}
mail_max_userip_connections = {connections_max}
auth_failure_delay = 0
passdb {{
  {passwords}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={dir}/mail/%u
}}
service imap-login {{
  service_count = 0
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
# Refused logins are not made to wait.
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
namespace inbox {{
  inbox = yes
  mailbox Junk {{
    auto = subscribe
    special_use = \Junk
  }}
}}
",
        cert = cert.display(),
        key = key.display(),
    )
}
