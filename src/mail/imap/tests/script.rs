//! A server that plays a script: it expects commands and says what it was told to say.

use super::LONG;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread::{self, JoinHandle},
};

/// A script that plays. Declare it before the connection, so that it is dropped after: a disappointed script then
/// fails the test.
pub struct Played(Option<JoinHandle<()>>);

impl Drop for Played {
    fn drop(&mut self) {
        let ended = self.0.take().map_or(Ok(()), JoinHandle::join);
        if let (Err(panic), false) = (ended, thread::panicking()) {
            std::panic::resume_unwind(panic);
        }
    }
}

/// Listens on a free port and plays the script for whoever connects first.
pub fn play(script: impl FnOnce(&mut Peer) + Send + 'static) -> (Played, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = thread::spawn(move || {
        let (tcp, _) = listener.accept().unwrap();
        tcp.set_read_timeout(Some(LONG)).unwrap();
        tcp.set_nodelay(true).unwrap();
        script(&mut Peer {
            tcp: tcp.try_clone().unwrap(),
            stream: BufReader::new(Box::new(tcp)),
            tag: String::new(),
            said: 0,
        });
    });
    (Played(Some(thread)), port)
}

trait Both: Read + Write + Send {}
impl<T: Read + Write + Send> Both for T {}

pub struct Peer {
    tcp: TcpStream,
    stream: BufReader<Box<dyn Both>>,
    tag: String,
    /// So many bytes.
    pub said: usize,
}

impl Peer {
    /// From here on in TLS, as the holder of that certificate.
    pub fn encrypt(&mut self, config: Arc<ServerConfig>) {
        let connection = ServerConnection::new(config).unwrap();
        let tls = StreamOwned::new(connection, self.tcp.try_clone().unwrap());
        self.stream = BufReader::new(Box::new(tls));
    }
    pub fn say(&mut self, text: &str) {
        self.said += text.len();
        self.stream.get_mut().write_all(text.as_bytes()).unwrap();
        self.stream.get_mut().flush().unwrap();
    }
    /// Says what the client may no longer want to hear.
    pub fn say_in_vain(&mut self, text: &str) -> bool {
        self.stream.get_mut().write_all(text.as_bytes()).is_ok()
    }
    /// The next line, without its end; empty when the client is gone.
    pub fn hear(&mut self) -> String {
        let mut line = Vec::new();
        // A TLS client that leaves without a word is gone too.
        let _ = self.stream.read_until(b'\n', &mut line);
        String::from_utf8_lossy(&line).trim_end().to_owned()
    }
    /// The next line is exactly this command.
    pub fn expect(&mut self, command: &str) {
        let line = self.hear();
        let (tag, said) = line.split_once(' ').unwrap_or((&line, ""));
        assert_eq!(said, command);
        self.tag = tag.to_owned();
    }
    /// Ends the command that was expected last.
    pub fn end(&mut self, status: &str) {
        self.say(&format!("{} {status}\r\n", self.tag));
    }
    /// The same to a client that may have left.
    pub fn ends_in_vain(&mut self, status: &str) -> bool {
        self.say_in_vain(&format!("{} {status}\r\n", self.tag.clone()))
    }
    /// Expects a command, says untagged lines, ends it with OK.
    pub fn answer(&mut self, command: &str, untagged: &[&str]) {
        self.expect(command);
        for line in untagged {
            self.say(&format!("* {line}\r\n"));
        }
        self.end("OK done");
    }
    /// Greeting to login, as a server with IDLE.
    pub fn welcome(&mut self) {
        self.say("* OK ready\r\n");
        self.admit();
    }
    pub fn admit(&mut self) {
        self.answer("CAPABILITY", &["CAPABILITY IMAP4rev1"]);
        self.answer("LOGIN \"relay\" \"canary\"", &[]);
        self.answer("CAPABILITY", &["CAPABILITY IMAP4rev1 IDLE LIST-EXTENDED SPECIAL-USE"]);
    }
    pub fn examined(&mut self, folder: &str, validity: u32) {
        let validity = format!("OK [UIDVALIDITY {validity}] UIDs valid");
        self.answer(&format!("EXAMINE \"{folder}\""), &["FLAGS (\\Seen)", "1 EXISTS", "0 RECENT", &validity]);
    }
    pub fn found(&mut self, uids: &str) {
        self.found_from("", uids);
    }
    pub fn found_from(&mut self, range: &str, uids: &str) {
        let found = format!("SEARCH {uids}");
        self.answer(&SEARCH.replace("SINCE", &format!("{range}SINCE")), &[found.trim_end()]);
    }
    /// The client says nothing more and hangs up.
    pub fn expect_end(&mut self) {
        assert_eq!(self.hear(), "");
    }
}

pub const SEARCH: &str = "UID SEARCH SINCE 19-Nov-2026 FROM \"v@vendor.example\"";

/// One mail in a FETCH answer, without the leading `* `.
pub fn mail(uid: u32, day: u32, section: &str, text: &str) -> String {
    sized_mail(uid, day, text.len(), section, text)
}

pub fn sized_mail(uid: u32, day: u32, size: usize, section: &str, text: &str) -> String {
    format!(
        "{uid} FETCH (UID {uid} INTERNALDATE \"{day:2}-Nov-2026 09:00:00 +0100\" RFC822.SIZE {size} {section}<0> {{{}}}\r\n{text})",
        text.len()
    )
}
