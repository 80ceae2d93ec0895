//! The byte stream between the `imap` crate and the server, line by line: the crate never holds a byte beyond the
//! line it asked for, so IDLE can be spoken here, beside it. Answers have a budget, and what the parser need not
//! see it does not see ([`super::answer`]).

use super::{
    answer::{Answers, Use},
    socket::{Socket, Stop},
};
use crate::mail::waker::Woken;
use rustls::{ClientConnection, StreamOwned};
use std::{
    io::{self, Read, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// The longest line: a SEARCH answer of a hundred thousand numbers.
const LINE_MAX: usize = 1 << 20;
/// What one answer may have besides the mails in it.
pub(super) const ANSWER_MAX: usize = LINE_MAX + (64 << 10);

pub(super) enum Stream {
    Plain(Socket),
    Tls(Box<StreamOwned<ClientConnection, Socket>>),
}

impl Stream {
    fn socket(&mut self) -> &mut Socket {
        match self {
            Stream::Plain(socket) => socket,
            Stream::Tls(tls) => &mut tls.sock,
        }
    }
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(socket) => socket.read(buffer),
            Stream::Tls(tls) => tls.read(buffer),
        }
    }
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Stream::Plain(socket) => socket.write_all(bytes),
            Stream::Tls(tls) => tls.write_all(bytes).and_then(|()| tls.flush()),
        }
    }
}

/// One side of the conversation, shared with the `imap` session that owns the other handle. Never contended.
#[derive(Clone)]
pub(super) struct Shared(Arc<Mutex<Wire>>);

impl Shared {
    pub fn new(stream: Stream) -> Self {
        Self(Arc::new(Mutex::new(Wire {
            stream,
            pending: Vec::new(),
            start: 0,
            ready: 0,
            literal_left: 0,
            answer_max: ANSWER_MAX,
            spent: 0,
            answers: Answers::default(),
        })))
    }
    pub fn lock(&self) -> MutexGuard<'_, Wire> {
        // A panic of the parser happens outside the lock; were it inside, the connection is dropped anyway.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Read for Shared {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.lock().read(buffer)
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lock().stream.write_all(bytes)?;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What was heard while idling.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// A line that is tagged, or begins with `+`.
    Line(Vec<u8>),
    /// An untagged line passed; see [`Wire::take_news`].
    Passing,
    Woken(Woken),
}

pub(super) struct Wire {
    stream: Stream,
    /// Read and not yet handed out: from `start` on, of which the first `ready` bytes may be.
    pending: Vec<u8>,
    start: usize,
    ready: usize,
    literal_left: usize,
    /// The answer to the command that runs has at most so many bytes …
    answer_max: usize,
    /// … of which so many were read.
    spent: usize,
    answers: Answers,
}

impl Wire {
    /// A new command, whose answer has at most `bytes` bytes.
    pub fn begin(&mut self, bytes: usize) {
        (self.answer_max, self.spent) = (bytes, 0);
        self.stream.socket().begin();
    }
    pub fn set_patience(&mut self, patience: Duration) {
        self.stream.socket().set_patience(patience);
    }
    /// Whether a mail arrived in the selected folder since it was last asked.
    pub fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.answers.news)
    }
    /// The server's last words, if it took its leave.
    pub fn bye(&self) -> Option<&str> {
        self.answers.bye.as_deref()
    }
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// The next line, within a command's time.
    pub fn line(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        while !line.ends_with(b"\n") {
            let mut piece = [0; 512];
            match self.read(&mut piece)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                n => line.extend_from_slice(&piece[..n]),
            }
        }
        Ok(line)
    }

    /// Listens in silence: until something is said, somebody calls, or it is `until`.
    pub fn listen(&mut self, until: Instant) -> io::Result<Heard> {
        self.stream.socket().set_idle(Some(until));
        let heard = self.advance();
        self.stream.socket().set_idle(None);
        match heard {
            // Nobody sends a mail unasked.
            Ok(true) if self.literal_left > 0 => Err(Stop::Nonsense.into()),
            Ok(true) if self.ready > 0 => self.line().map(Heard::Line),
            Ok(true) if self.bye().is_none() => Ok(Heard::Passing),
            Ok(_) => Err(io::ErrorKind::UnexpectedEof.into()),
            Err(e) => match e.get_ref().and_then(|inner| inner.downcast_ref()) {
                Some(Stop::Idle(woken)) => Ok(Heard::Woken(*woken)),
                _ => Err(e),
            },
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.ready == 0 {
            if !self.advance()? {
                return Ok(0);
            }
        }
        let n = self.ready.min(buffer.len());
        buffer[..n].copy_from_slice(&self.pending[self.start..self.start + n]);
        self.start += n;
        self.ready -= n;
        Ok(n)
    }

    /// Takes in one line, or a piece of a literal no longer than a line; `false` at the connection's end.
    fn advance(&mut self) -> io::Result<bool> {
        let end = loop {
            let unread = &self.pending[self.start..];
            let line = unread.iter().position(|b| *b == b'\n').map(|at| at + 1);
            match line {
                Some(end) => break end,
                None if self.literal_left > 0 && !unread.is_empty() => break unread.len(),
                None if unread.len() > LINE_MAX => return Err(Stop::TooLarge(LINE_MAX).into()),
                None if !self.fill()? => return Ok(false),
                None => {}
            }
        };
        let used = if self.literal_left > 0 {
            let end = end.min(self.literal_left);
            self.literal_left -= end;
            (self.answers.literal_use(), end)
        } else {
            (self.judge(end)?, end)
        };
        match used {
            (Use::Keep, end) => self.ready = end,
            (Use::Drop, end) => self.start += end,
        }
        Ok(true)
    }

    fn judge(&mut self, end: usize) -> io::Result<Use> {
        let line = &mut self.pending[self.start..self.start + end];
        let used = self.answers.line(line).map_err(|_| Stop::Nonsense)?;
        self.literal_left = self.answers.literal;
        let here = self.pending.len() - self.start - end;
        if self.literal_left.saturating_sub(here) > self.answer_max - self.spent {
            return Err(Stop::TooLarge(self.answer_max).into());
        }
        Ok(used)
    }

    /// Reads what is there, at least a byte; `false` at the connection's end.
    fn fill(&mut self) -> io::Result<bool> {
        if self.spent == self.answer_max {
            return Err(Stop::TooLarge(self.answer_max).into());
        }
        let mut buffer = [0; 16 << 10]; // a TLS record
        let most = buffer.len().min(self.answer_max - self.spent);
        let n = self.stream.read(&mut buffer[..most])?;
        self.spent += n;
        self.pending.drain(..self.start);
        self.start = 0;
        self.pending.extend_from_slice(&buffer[..n]);
        Ok(n > 0)
    }
}
