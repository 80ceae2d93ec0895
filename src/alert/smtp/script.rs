//! A scripted SMTP server for the tests beside it: it says what the script says, and writes down what it hears.

use super::{Settings, Smtp, Tls};
use crate::alert::render::Mail;
use crate::domain::{Limits, Secret, Timestamp};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::mpsc;

/// An answer that is none: the server goes on listening.
pub(super) const SILENCE: &str = "";
/// In the place of an answer: the server hangs up.
pub(super) const HANG_UP: &str = "hang up";
/// What is said where a script has nothing else: prefix of the command, answer. `.` is the end of a mail.
const POLITE: [(&str, &str); 10] = [
    ("greeting", "220 test ESMTP"),
    ("EHLO", "250-test\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN"),
    ("STARTTLS", "220 go on"),
    ("AUTH", "235 2.7.0 welcome"),
    ("MAIL", "250 2.1.0 ok"),
    ("RCPT", "250 2.1.5 ok"),
    ("DATA", "354 go on"),
    (".", "250 2.0.0 queued"),
    ("QUIT", "221 bye"),
    ("", "500 what"),
];

/// One connection: what differs from being polite.
pub(super) type Script = Vec<(&'static str, &'static str)>;

pub(super) struct Server {
    pub(super) port: u16,
    heard: JoinHandle<Vec<String>>,
    silences: mpsc::UnboundedReceiver<()>,
}

#[derive(Clone)]
pub(super) enum ServerTls {
    None,
    Start(Arc<ServerConfig>),
    Implicit(Arc<ServerConfig>),
}

impl Server {
    /// Serves one connection after the other, a script for each, then ends.
    pub(super) fn start(scripts: Vec<Script>) -> Self {
        Self::with_tls(ServerTls::None, scripts)
    }

    pub(super) fn with_tls(tls: ServerTls, scripts: Vec<Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (silent, silences) = mpsc::unbounded_channel();
        let heard = std::thread::spawn(move || {
            let serve = |script| Connection::accept(&listener, &tls, script, silent.clone()).serve();
            scripts.into_iter().map(serve).collect()
        });
        Self { port, heard, silences }
    }

    /// Waits until the server has been silent where it should have answered.
    pub(super) async fn fell_silent(&mut self) {
        self.silences.recv().await.unwrap();
    }

    /// What was heard on each connection, in clear, when all have ended.
    pub(super) fn heard(self) -> Vec<String> {
        self.heard.join().unwrap()
    }
}

trait Wire: Read + Write {}
impl<T: Read + Write> Wire for T {}

struct Connection {
    wire: Box<dyn Wire>,
    /// Its other end, to go over to TLS.
    tcp: TcpStream,
    tls: ServerTls,
    script: Script,
    silent: mpsc::UnboundedSender<()>,
    heard: String,
}

impl Connection {
    fn accept(
        listener: &TcpListener,
        tls: &ServerTls,
        script: Script,
        silent: mpsc::UnboundedSender<()>,
    ) -> Self {
        let (tcp, _) = listener.accept().unwrap();
        let wire = Box::new(tcp.try_clone().unwrap());
        let mut connection = Self { wire, tcp, tls: tls.clone(), script, silent, heard: String::new() };
        if let ServerTls::Implicit(config) = tls {
            connection.encrypt(config.clone());
        }
        connection
    }

    fn encrypt(&mut self, config: Arc<ServerConfig>) {
        let session = ServerConnection::new(config).unwrap();
        self.wire = Box::new(StreamOwned::new(session, self.tcp.try_clone().unwrap()));
    }

    /// Until the client is gone, or is hung up on.
    fn serve(mut self) -> String {
        let mut said = self.answer("greeting");
        while said != HANG_UP
            && let Some(line) = self.read_line()
        {
            self.heard.push_str(&line);
            said = self.answer(&line);
            if line.starts_with("DATA") && said.starts_with("354") && self.read_mail() {
                said = self.answer(".");
            }
            if let (true, ServerTls::Start(config)) = (line.starts_with("STARTTLS"), self.tls.clone()) {
                self.encrypt(config);
            }
        }
        self.heard
    }

    /// Says what belongs to this command.
    fn answer(&mut self, command: &str) -> &'static str {
        let mut answers = self.script.iter().chain(&POLITE);
        let (_, said) = *answers.find(|(prefix, _)| command.starts_with(prefix)).unwrap();
        match said {
            HANG_UP => {}
            SILENCE => drop(self.silent.send(())),
            // A client that is gone is seen by the next read.
            _ => drop(self.wire.write_all(format!("{said}\r\n").as_bytes()).and_then(|()| self.wire.flush())),
        }
        said
    }

    fn read_line(&mut self) -> Option<String> {
        let (mut line, mut byte) = (Vec::new(), [0]);
        while !line.ends_with(b"\r\n") {
            self.wire.read_exact(&mut byte).ok()?;
            line.push(byte[0]);
        }
        Some(String::from_utf8(line).unwrap())
    }

    fn read_mail(&mut self) -> bool {
        while let Some(line) = self.read_line() {
            self.heard.push_str(&line);
            if line == ".\r\n" {
                return true;
            }
        }
        false
    }
}

/// Plain SMTP to this port, without login.
pub(super) fn settings(port: u16) -> Settings {
    Settings {
        from: "keyrelay@example.com".into(),
        to: vec!["ops@example.com".into()],
        urgent_to: vec!["ops@example.com".into()],
        host: "localhost".into(),
        port,
        tls: Tls::None,
        user: None,
        password: None,
        ca_cert: None,
    }
}

pub(super) fn with_password(settings: Settings) -> Settings {
    Settings { password: Some(Secret::new("pass-canary")), ..settings }
}

pub(super) fn smtp(settings: &Settings) -> Smtp {
    Smtp::new(settings, &Limits::default()).unwrap()
}

/// One that gives up soon.
pub(super) fn hasty(settings: &Settings, timeout: Duration) -> Smtp {
    Smtp::new(settings, &Limits { smtp_timeout: timeout, ..Limits::default() }).unwrap()
}

pub(super) fn mail(to: &[&str]) -> Mail {
    Mail {
        from: "Key Relay <keyrelay@example.com>".into(),
        to: to.iter().map(|to| (*to).into()).collect(),
        subject: "[keyrelay] URGENT leaf7-main: the vendor refuses the current key".into(),
        body: "the vendor refuses the current key.\n.hidden".into(),
        message_id: "<3f9c2a71d04be865.1@example.com>".into(),
        references: Some("<3f9c2a71d04be865.0@example.com>".into()),
        date: Timestamp::from_secs(1_795_251_600),
        headers: vec![("Auto-Submitted", "auto-generated".into()), ("X-Keyrelay-Code", "key-dead".into())],
    }
}
