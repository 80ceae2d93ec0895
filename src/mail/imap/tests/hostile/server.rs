//! A server that is polite, but for its twists, and writes down what it reads: every byte of the wire, and every
//! command.

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::Duration,
};

/// Where a twist stands: at a command, or at a moment without one.
pub const GREETING: &str = "greeting";
pub const STARTTLS: &str = "STARTTLS";
/// CAPABILITY before the login, and after it.
pub const CAPABILITY: &str = "CAPABILITY";
pub const CAN: &str = "CAPABILITY after LOGIN";
pub const LOGIN: &str = "LOGIN";
pub const AUTHENTICATE: &str = "AUTHENTICATE";
/// Any line that begins with no command: a SASL response.
pub const OTHER: &str = "another line";
pub const LIST: &str = "LIST";
pub const EXAMINE: &str = "EXAMINE";
pub const SEARCH: &str = "UID SEARCH";
pub const FETCH: &str = "UID FETCH";
pub const IDLE: &str = "IDLE";
pub const DONE: &str = "DONE";

/// What is done otherwise, the first time that its moment comes. In `say`, `<tag>` is the command's tag, `<trap>` the
/// port of a listener that nobody may call, and `<polite>` what would have been said without it.
#[derive(Clone)]
pub struct Twist {
    pub at: &'static str,
    pub say: Vec<u8>,
    pub then: Then,
}

#[derive(Clone, Copy)]
pub enum Then {
    GoOn,
    Close,
    /// Nothing more is said; what is heard is written down.
    Silence,
    /// Says it again and again, until nobody listens.
    Flood(fn(usize) -> Vec<u8>),
    /// Says it byte by byte, each as late as it can be.
    Drip(&'static str),
    /// Says it when the client's handshake has begun, and goes on.
    AfterHello(&'static [u8]),
}

/// How the server gets to TLS.
#[derive(Clone)]
pub enum Encryption {
    Never,
    Implicit(Arc<ServerConfig>),
    Start(Arc<ServerConfig>),
}

/// What the server read, and how much it said.
#[derive(Default)]
pub struct Heard {
    /// Every byte that came over the wire, as an eavesdropper sees it.
    pub wire: Vec<u8>,
    pub commands: Vec<String>,
    pub said: usize,
}

/// A stream that keeps what is read from it.
struct Tap(TcpStream, Arc<Mutex<Heard>>);

impl Read for Tap {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.0.read(buffer)?;
        self.1.lock().unwrap().wire.extend_from_slice(&buffer[..n]);
        Ok(n)
    }
}

impl Write for Tap {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let n = self.0.write(bytes)?;
        self.1.lock().unwrap().said += n;
        Ok(n)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

trait Both: Read + Write + Send {}
impl<T: Read + Write + Send> Both for T {}

pub struct Server {
    stream: BufReader<Box<dyn Both>>,
    tcp: TcpStream,
    heard: Arc<Mutex<Heard>>,
    encryption: Encryption,
    twists: Vec<Twist>,
    trap: u16,
    logged_in: bool,
    /// IDLE's, which DONE ends.
    idles: String,
}

/// Serves whoever connects first, in a thread that ends when the client has hung up.
pub fn serve(
    encryption: Encryption,
    twists: Vec<Twist>,
    trap: u16,
) -> (u16, Arc<Mutex<Heard>>, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Arc::new(Mutex::new(Heard::default()));
    let theirs = heard.clone();
    let thread = thread::spawn(move || {
        let (tcp, _) = listener.accept().unwrap();
        tcp.set_nodelay(true).unwrap();
        let stream = BufReader::new(Box::new(Tap(tcp.try_clone().unwrap(), theirs.clone())) as Box<dyn Both>);
        let mut server = Server {
            stream,
            tcp,
            heard: theirs,
            encryption,
            twists,
            trap,
            logged_in: false,
            idles: String::new(),
        };
        // However it ends: the client is gone, and what counts is what it did.
        let _ = server.serve();
    });
    (port, heard, thread)
}

type Ended = std::io::Result<()>;

impl Server {
    fn serve(&mut self) -> Ended {
        if let Encryption::Implicit(config) = self.encryption.clone() {
            self.encrypt(config);
        }
        self.answer(GREETING, "", "* OK IMAP4rev1 ready\r\n")?;
        loop {
            let Some(line) = self.hear()? else { return Ok(()) };
            let idles = self.idles.clone();
            let (tag, command) = line.split_once(' ').unwrap_or((&idles, &line));
            let polite = self.polite(tag, command);
            let now = self.moment_of(command);
            self.answer(now, tag, &polite)?;
            match (now, self.encryption.clone()) {
                (STARTTLS, Encryption::Start(config)) => self.encrypt(config),
                (LOGIN | OTHER, _) => self.logged_in = true,
                (IDLE, _) => self.idles = tag.to_owned(),
                ("LOGOUT", _) => return Ok(()),
                _ => {}
            }
        }
    }

    fn encrypt(&mut self, config: Arc<ServerConfig>) {
        let connection = ServerConnection::new(config).unwrap();
        let tap = Tap(self.tcp.try_clone().unwrap(), self.heard.clone());
        self.stream = BufReader::new(Box::new(StreamOwned::new(connection, tap)));
    }

    fn hear(&mut self) -> std::io::Result<Option<String>> {
        let mut line = Vec::new();
        if self.stream.read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
        self.heard.lock().unwrap().commands.push(line.clone());
        Ok(Some(line))
    }

    fn say(&mut self, bytes: &[u8]) -> Ended {
        self.stream.get_mut().write_all(bytes)?;
        self.stream.get_mut().flush()
    }

    fn answer(&mut self, now: &str, tag: &str, polite: &str) -> Ended {
        let Some(at) = self.twists.iter().position(|twist| twist.at == now) else {
            return self.say(polite.as_bytes());
        };
        let twist = self.twists.remove(at);
        let trap = self.trap.to_string();
        let mut say = twist.say;
        for (place, text) in [("<tag>", tag), ("<trap>", &trap), ("<polite>", polite)] {
            say = replace(&say, place.as_bytes(), text.as_bytes());
        }
        self.say(&say)?;
        match twist.then {
            Then::GoOn => Ok(()),
            Then::Close => self.tcp.shutdown(std::net::Shutdown::Both),
            Then::Silence => {
                while self.hear()?.is_some() {}
                Ok(())
            }
            Then::Flood(text) => {
                for n in 0.. {
                    self.say(&text(n))?;
                }
                Ok(())
            }
            Then::AfterHello(bytes) => {
                self.tcp.peek(&mut [0])?;
                self.say(bytes)
            }
            Then::Drip(text) => {
                for byte in text.as_bytes().iter().cycle() {
                    moment();
                    self.say(&[*byte])?;
                }
                Ok(())
            }
        }
    }

    fn moment_of(&self, command: &str) -> &'static str {
        let known =
            [STARTTLS, CAPABILITY, LOGIN, AUTHENTICATE, LIST, EXAMINE, SEARCH, FETCH, IDLE, DONE, "LOGOUT"];
        match known.into_iter().find(|known| command.starts_with(known)) {
            Some(CAPABILITY) if self.logged_in => CAN,
            Some(known) => known,
            None => OTHER,
        }
    }

    fn polite(&self, tag: &str, command: &str) -> String {
        let said = match self.moment_of(command) {
            CAPABILITY => "* CAPABILITY IMAP4rev1\r\n".into(),
            CAN => "* CAPABILITY IMAP4rev1 IDLE LIST-EXTENDED SPECIAL-USE\r\n".into(),
            LIST => "* LIST (\\HasNoChildren) \"/\" INBOX\r\n".into(),
            EXAMINE => "* FLAGS (\\Seen)\r\n* 1 EXISTS\r\n* 0 RECENT\r\n\
                * OK [UIDVALIDITY 7] UIDs valid\r\n* OK [UIDNEXT 5] Predicted\r\n"
                .into(),
            SEARCH => "* SEARCH 4\r\n".into(),
            FETCH => mails(command),
            IDLE => return "+ idling\r\n".into(),
            _ => String::new(),
        };
        format!("{said}{tag} OK done\r\n")
    }
}

/// The genuine mail under each UID that is asked for.
fn mails(command: &str) -> String {
    let uids = command.split(' ').nth(2).unwrap_or_default();
    uids.split(',').map(|uid| mail(uid, "genuine")).collect()
}

/// One mail, whole and with nothing unusual.
pub fn mail(uid: &str, text: &str) -> String {
    let size = text.len();
    format!(
        "* {uid} FETCH (UID {uid} INTERNALDATE \"20-Nov-2026 09:00:00 +0100\" RFC822.SIZE {size} BODY[]<0> {{{size}}}\r\n{text})\r\n"
    )
}

fn replace(text: &[u8], place: &[u8], by: &[u8]) -> Vec<u8> {
    match text.windows(place.len()).position(|part| part == place) {
        Some(at) => [&text[..at], by, &replace(&text[at + place.len()..], place, by)].concat(),
        None => text.to_vec(),
    }
}

/// The network is late: that is the experiment.
fn moment() {
    thread::sleep(Duration::from_millis(20));
}
