//! The TCP connection: every read ends in time, and while idling another thread can end it. It knows no IMAP.

use crate::{
    domain::spell_duration,
    mail::waker::{Alarm, Woken, wait_readable},
    tls,
};
use rustix::net::sockopt;
use std::{
    io::{self, Read, Write},
    net::TcpStream,
    os::fd::AsFd,
    time::{Duration, Instant},
};

/// So many silences may follow each other within one command: who sends a byte now and then gets no further.
const SILENCES: u32 = 10;
/// A connection without traffic is tested after this time, and then this often.
const KEEPALIVE: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(10));

/// Why a read ended that the network did not end.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stop {
    #[error("no answer within {}", spell_duration(*.0))]
    Silent(Duration),
    #[error("its answer is larger than the {0} bytes that it may be")]
    TooLarge(usize),
    #[error("its answer is no IMAP")]
    Nonsense,
    /// Never shown: the end of an idle read.
    #[error("{0:?}")]
    Idle(Woken),
}

impl From<Stop> for io::Error {
    fn from(stop: Stop) -> Self {
        io::Error::other(stop)
    }
}

/// What an I/O error means, in words for operators.
pub(super) fn explain(error: &io::Error) -> String {
    let inner = error.get_ref();
    if let Some(stop) = inner.and_then(|e| e.downcast_ref::<Stop>()) {
        return stop.to_string();
    }
    if let Some(refused) = inner.and_then(|e| e.downcast_ref::<rustls::Error>()) {
        return tls::explain(refused);
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            "the connection is refused; does the server run, and is the port right?".into()
        }
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
            "the server closed the connection".into()
        }
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => "no answer in time".into(),
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or_default().to_lowercase()
        }
    }
}

pub(super) struct Socket {
    tcp: TcpStream,
    alarm: Alarm,
    /// How long one read may take …
    patience: Duration,
    /// … and when the whole command must be answered.
    deadline: Instant,
    /// While idling: until when. Silence is expected then, and calls are heard.
    idle_until: Option<Instant>,
}

impl Socket {
    pub fn new(tcp: TcpStream, alarm: Alarm, patience: Duration) -> io::Result<Self> {
        tcp.set_nodelay(true)?;
        tcp.set_write_timeout(Some(patience))?;
        sockopt::set_socket_keepalive(&tcp, true)?;
        sockopt::set_tcp_keepidle(&tcp, KEEPALIVE.0)?;
        sockopt::set_tcp_keepintvl(&tcp, KEEPALIVE.1)?;
        // Also ends a connection that nobody acknowledges, in keepalive as in the middle of a write.
        sockopt::set_tcp_user_timeout(&tcp, u32::try_from(patience.as_millis()).unwrap_or(u32::MAX))?;
        let mut socket = Self { tcp, alarm, patience, deadline: Instant::now(), idle_until: None };
        socket.begin();
        Ok(socket)
    }
    /// A new command: its time begins.
    pub fn begin(&mut self) {
        self.deadline = Instant::now() + self.patience * SILENCES;
    }
    pub fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
        self.begin();
    }
    /// Reads end with [`Stop::Idle`] at that moment or when called; `None`: back to a command's time.
    pub fn set_idle(&mut self, until: Option<Instant>) {
        self.idle_until = until;
    }
    /// Whether there is something to read already.
    pub fn has_more(&self) -> io::Result<bool> {
        let woken = wait_readable(self.tcp.as_fd(), None, Instant::now())?;
        Ok(woken == Woken::News && self.tcp.peek(&mut [0])? > 0)
    }
    fn wait(&self) -> io::Result<()> {
        let woken = match self.idle_until {
            Some(until) => wait_readable(self.tcp.as_fd(), Some(&self.alarm), until)?,
            None if Instant::now() >= self.deadline => Woken::Timeout,
            None => {
                let until = self.deadline.min(Instant::now() + self.patience);
                wait_readable(self.tcp.as_fd(), None, until)?
            }
        };
        match (woken, self.idle_until) {
            (Woken::News, _) => Ok(()),
            (Woken::Timeout | Woken::Called, Some(_)) => Err(Stop::Idle(woken).into()),
            (Woken::Timeout | Woken::Called, None) => Err(Stop::Silent(self.patience).into()),
        }
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.wait()?;
        self.tcp.read(buffer)
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.tcp.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.tcp.flush()
    }
}
