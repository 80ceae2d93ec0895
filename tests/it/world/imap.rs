//! What the tests ask of every real IMAP server, and a session with one in plain text: enough to do by hand what
//! keyrelay never does.

use super::{Ca, Dovecot};
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::{net::Ipv4Addr, time::SystemTime};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream},
    net::TcpStream,
};

/// A server with one account, of [`Dovecot::USER`] and [`Dovecot::PASSWORD`]: INBOX and Junk, both empty.
pub trait MailServer: Sized {
    /// What it says to a wrong password.
    const REFUSES: &'static str;

    async fn start(ca: &Ca) -> Self;
    fn imaps_port(&self) -> u16;
    /// Answers STARTTLS, and plain logins too.
    fn imap_port(&self) -> u16;
    /// The mailbox of a configuration: `mailboxes: {NAME: this}`.
    fn mailbox(&self) -> Value;
    /// A new mail, which comes out again as it is, byte for byte.
    async fn deliver(&self, raw: &[u8], folder: &str);
    /// The same, with this INTERNALDATE.
    async fn deliver_at(&mut self, raw: &[u8], folder: &str, arrived_at: SystemTime);
    /// Each mail's flags, in the folder's order.
    async fn flags(&self, folder: &str) -> Vec<String> {
        let mut imap = Imap::login(self.imap_port()).await;
        imap.command(&format!("EXAMINE {folder}")).await;
        let answers = imap.command("UID FETCH 1:* (FLAGS)").await;
        answers.into_iter().filter(|line| line.contains("FLAGS (")).collect()
    }
}

/// A session in plain text, logged in.
pub struct Imap(BufStream<TcpStream>);

impl Imap {
    pub async fn login(port: u16) -> Self {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.expect("the IMAP server");
        stream.set_nodelay(true).expect("a socket's option");
        let mut imap = Self(BufStream::new(stream));
        imap.line().await;
        imap.command(&format!("LOGIN {} \"{}\"", Dovecot::USER, Dovecot::PASSWORD)).await;
        imap
    }

    /// Sends it, and returns the lines of its answer; literals are read and dropped.
    pub async fn command(&mut self, command: &str) -> Vec<String> {
        self.send(format!("b {command}\r\n").as_bytes()).await;
        self.answer(command).await
    }

    /// Puts a mail there, as any client with the password can.
    pub async fn append(&mut self, folder: &str, raw: &[u8], arrived_at: Option<SystemTime>) {
        let date = |at: SystemTime| DateTime::<Utc>::from(at).format(" \"%d-%b-%Y %H:%M:%S %z\"").to_string();
        let date = arrived_at.map(date).unwrap_or_default();
        self.send(format!("b APPEND {folder}{date} {{{}}}\r\n", raw.len()).as_bytes()).await;
        let line = self.line().await;
        assert!(line.starts_with('+'), "APPEND: {line}");
        self.send(&[raw, b"\r\n"].concat()).await;
        self.answer("APPEND").await;
    }

    async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.expect("a command sent");
        self.0.flush().await.expect("a command sent");
    }

    async fn answer(&mut self, command: &str) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let line = self.line().await;
            if line.starts_with("b ") {
                assert!(line.starts_with("b OK"), "{command}: {line}");
                return lines;
            }
            lines.push(line);
        }
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).await.expect("a line");
        assert!(!line.is_empty(), "the server closed the connection");
        let line = line.trim_end().to_owned();
        let literal = line.rsplit_once('{').and_then(|(_, length)| length.strip_suffix('}')?.parse().ok());
        if let Some(length) = literal {
            self.0.read_exact(&mut vec![0; length]).await.expect("a literal");
        }
        line
    }
}
