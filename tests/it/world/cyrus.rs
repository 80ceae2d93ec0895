//! Cyrus (Debian's cyrus-imapd, unpacked), with one mail account, its INBOX, and a folder flagged `\Junk`.

use super::{
    Ca, Dovecot, Imap, MailServer, Port, Scratch, Server, run,
    unpacked::{libraries, library_folders, unpacked},
    until,
};
use rustix::process::geteuid;
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};
use tokio::{net::TcpStream, process::Command};

/// Whom Cyrus becomes where the tests run as root, whom it does not serve: a user that every Debian has.
const USER: &str = "mail";

pub struct Cyrus {
    _server: Server,
    dir: Scratch,
    ca: PathBuf,
    imaps: Port,
    imap: Port,
}

impl MailServer for Cyrus {
    const REFUSES: &'static str = "Login failed: authentication failure";

    async fn start(ca: &Ca) -> Self {
        let (dir, imaps, imap) = (Scratch::new(), Port::free(), Port::free());
        for name in ["db", "lock", "log", "msg", "proc", "ptclient", "quota", "socket", "user"] {
            dir.folder(&format!("conf/{name}"));
        }
        dir.folder("spool");
        copy_programs(&dir);
        fs::copy(ca.cert_path(), dir.join("cert.pem")).expect("its certificate");
        fs::copy(ca.key_path(), dir.join("key.pem")).expect("its key");
        let user = if geteuid().is_root() { USER.into() } else { output("id", &["-un"]).await };
        dir.write("imapd.conf", &settings(dir.path(), &user));
        dir.write("cyrus.conf", &services(dir.path(), imap.number, imaps.number));
        set_password(&dir).await;
        if geteuid().is_root() {
            output("chown", &["-R", &format!("{user}:"), &dir.path().display().to_string()]).await;
        }

        let path = |name: &str| dir.join(name).into_os_string();
        let args = [
            "-C".into(),
            path("imapd.conf"),
            "-M".into(),
            path("cyrus.conf"),
            "-p".into(),
            path("pid"),
            "-D".into(),
        ];
        let env = [("LD_LIBRARY_PATH", path("lib"))];
        let env = env.each_ref().map(|(name, value)| (*name, value.as_os_str()));
        let mut server = Server::start_between(&dir.join("bin/master"), args, &env, &dir.join("out"));
        until("Cyrus answers", async || {
            server.assert_running();
            TcpStream::connect(("127.0.0.1", imap.number)).await.ok()
        })
        .await;
        // The first login makes the folders.
        Imap::login(imap.number).await.command("STATUS Junk (MESSAGES)").await;
        Self { _server: server, dir, ca: ca.ca_path(), imaps, imap }
    }

    fn imaps_port(&self) -> u16 {
        self.imaps.number
    }
    fn imap_port(&self) -> u16 {
        self.imap.number
    }
    fn mailbox(&self) -> Value {
        let password = self.dir.secret("imap-password", Dovecot::PASSWORD);
        json!({"imap": {"host": "localhost", "port": self.imaps.number, "tls": "implicit", "ca_cert": self.ca,
            "user": Dovecot::USER, "password": {"file": password}}})
    }

    async fn deliver(&self, raw: &[u8], folder: &str) {
        Imap::login(self.imap.number).await.append(folder, raw, None).await;
    }
    async fn deliver_at(&mut self, raw: &[u8], folder: &str, arrived_at: SystemTime) {
        Imap::login(self.imap.number).await.append(folder, raw, Some(arrived_at)).await;
    }
}

impl Cyrus {
    /// A new mail, by way of Cyrus' own delivery: with a few header fields more, as any mail server adds them.
    pub async fn take(&self, raw: &[u8]) {
        let mut deliver = Command::new(self.dir.join("bin/deliver"));
        deliver.arg("-C").arg(self.dir.join("imapd.conf")).arg(Dovecot::USER);
        let ran = run(deliver.env("LD_LIBRARY_PATH", self.dir.join("lib")), raw).await;
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
}

/// Cyrus' user need not reach this project's folder.
fn copy_programs(dir: &Scratch) {
    let (programs, shared) = (dir.folder("bin"), dir.folder("lib"));
    for program in ["master", "imapd", "idled", "lmtpd", "deliver", "ctl_cyrusdb"] {
        fs::copy(unpacked(&format!("usr/lib/cyrus/bin/{program}")), programs.join(program))
            .expect("a program");
    }
    for folder in library_folders() {
        for file in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = file.file_name().to_string_lossy().into_owned();
            // Only its virus scanner uses ClamAV, which is larger than everything else together.
            if name.contains(".so") && !name.contains("clam") {
                fs::copy(file.path(), shared.join(name)).expect("a library");
            }
        }
    }
}

async fn set_password(dir: &Scratch) {
    let (name, realm) = Dovecot::USER.split_once('@').expect("an address");
    let mut program = Command::new(unpacked("usr/sbin/saslpasswd2"));
    program.args(["-p", "-c", "-u", realm, "-f"]).arg(dir.join("sasldb2")).arg(name);
    let ran = run(program.env("LD_LIBRARY_PATH", libraries()), Dovecot::PASSWORD.as_bytes()).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

async fn output(program: &str, args: &[&str]) -> String {
    let ran = run(Command::new(program).args(args), b"").await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran.stdout.trim().to_owned()
}

fn settings(dir: &Path, user: &str) -> String {
    let dir = dir.display();
    format!(
        "configdirectory: {dir}/conf
partition-default: {dir}/spool
cyrus_user: {user}
virtdomains: userid
unixhierarchysep: yes
allowplaintext: yes
sasl_mech_list: PLAIN LOGIN
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {dir}/sasldb2
tls_server_cert: {dir}/cert.pem
tls_server_key: {dir}/key.pem
idlesocket: {dir}/conf/socket/idle
lmtpsocket: {dir}/conf/socket/lmtp
autocreate_quota: 0
autocreate_inbox_folders: Junk
xlist-junk: Junk
"
    )
}

fn services(dir: &Path, imap: u16, imaps: u16) -> String {
    let dir = dir.display();
    let program = |name: &str| format!("{dir}/bin/{name} -C {dir}/imapd.conf");
    format!(
        r#"START {{
  recover cmd="{recover} -r"
  idled cmd="{idled}"
}}
SERVICES {{
  imap cmd="{imapd}" listen="127.0.0.1:{imap}"
  imaps cmd="{imapd} -s" listen="127.0.0.1:{imaps}"
  lmtp cmd="{lmtpd}" listen="{dir}/conf/socket/lmtp"
}}
"#,
        recover = program("ctl_cyrusdb"),
        idled = program("idled"),
        imapd = program("imapd"),
        lmtpd = program("lmtpd"),
    )
}
