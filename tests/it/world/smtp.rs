//! An SMTP server (aiosmtpd) that keeps what it gets, and can be told to misbehave.

use super::{Ca, Port, Scratch, Server, secrets, tool, until};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};
use tokio::net::TcpStream;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum SmtpTls {
    StartTls,
    Implicit,
    None,
}

pub struct SmtpOptions {
    pub tls: SmtpTls,
    /// Whether a login is demanded ([`Smtp::USER`], [`Smtp::PASSWORD`]).
    pub login: bool,
}

/// What becomes of the next mails.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum SmtpMode {
    Accept,
    /// 451: try again later.
    Busy,
    /// 554: never.
    Refuse,
    /// The mail is taken, and no answer comes.
    Silent,
}

pub struct Smtp {
    server: Option<Server>,
    dir: Scratch,
    pub port: Port,
    options: SmtpOptions,
    ca: PathBuf,
    cert: PathBuf,
    key: PathBuf,
}

impl Smtp {
    pub const USER: &'static str = "keyrelay@example.com";
    pub const PASSWORD: &'static str = "smtp 4Wn7xRb3 password";
    /// Whom the server does not know.
    pub const GONE: &'static str = "gone@example.com";

    /// With STARTTLS and a login.
    pub async fn start(ca: &Ca) -> Self {
        Self::start_with(ca, SmtpOptions { tls: SmtpTls::StartTls, login: true }).await
    }

    pub async fn start_with(ca: &Ca, options: SmtpOptions) -> Self {
        let (dir, port) = (Scratch::new(), Port::free());
        let (cert, key) = (ca.cert_path(), ca.key_path());
        let mut smtp = Self { server: None, dir, port, options, ca: ca.ca_path(), cert, key };
        smtp.set_mode(SmtpMode::Accept);
        smtp.start_again().await;
        smtp
    }

    /// The `alerts` of a configuration.
    pub fn alerts(&self, to: &[&str]) -> Value {
        let mut smtp =
            json!({"host": "localhost", "port": self.port.number, "tls": self.tls(), "ca_cert": self.ca});
        if self.options.login {
            let password = self.dir.secret("smtp-password", Self::PASSWORD);
            smtp["user"] = Self::USER.into();
            smtp["password"] = json!({"file": password});
        }
        json!({"email": {"from": Self::USER, "to": to, "smtp": smtp}})
    }

    /// Nobody answers on its port any more.
    pub fn stop(&mut self) {
        self.server = None;
    }

    pub async fn start_again(&mut self) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/world/smtp.py");
        let mut args =
            vec![script, self.port.number.to_string().into(), self.dir.path().into(), self.tls().into()];
        args.extend([self.cert.clone(), self.key.clone()]);
        if self.options.login {
            args.extend([Self::USER.into(), Self::PASSWORD.into()]);
        }
        let mut server = Server::start(&tool("python"), args, &[], &self.dir.join("log"));
        let port = self.port.number;
        until("the SMTP server answers", async || {
            server.assert_running();
            TcpStream::connect(("127.0.0.1", port)).await.ok()
        })
        .await;
        self.server = Some(server);
    }

    pub fn set_mode(&self, mode: SmtpMode) {
        let word = match mode {
            SmtpMode::Accept => "accept",
            SmtpMode::Busy => "451",
            SmtpMode::Refuse => "554",
            SmtpMode::Silent => "silent",
        };
        self.dir.write("mode", word);
    }

    /// Every mail kept, oldest first, as it came, with `X-Envelope-From` and `X-Envelope-To` lines before it.
    pub fn mails(&self) -> Vec<String> {
        let entries = fs::read_dir(self.dir.path()).expect("the folder of mails");
        let mut paths: Vec<_> = entries.map(|entry| entry.expect("a mail").path()).collect();
        paths.retain(|path| path.extension().is_some_and(|ending| ending == "eml"));
        paths.sort();
        paths
            .iter()
            .map(|path| String::from_utf8_lossy(&fs::read(path).expect("a mail")).into_owned())
            .collect()
    }

    /// The first mail that fits; waits for it.
    pub async fn wait_for(&self, what: &str, fits: impl Fn(&str) -> bool) -> String {
        until(&format!("a mail: {what}"), async || self.mails().into_iter().find(|mail| fits(mail))).await
    }

    /// The folder that holds the mails, for a scan.
    pub fn folder(&self) -> &Path {
        self.dir.path()
    }

    fn tls(&self) -> &'static str {
        match self.options.tls {
            SmtpTls::StartTls => "starttls",
            SmtpTls::Implicit => "implicit",
            SmtpTls::None => "none",
        }
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        self.mails().iter().for_each(|mail| secrets::none_in("a mail", mail.as_bytes()));
    }
}
