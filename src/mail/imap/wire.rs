//! The byte stream between the `imap` crate and the server, line by line: the crate never holds a byte beyond the
//! response that it asked for, so IDLE can be spoken here, beside it. Answers have a budget, what the parser need not
//! see it does not see ([`super::answer`]), and mails go past it: they are wiped when dropped, and the parser would
//! copy them, and look at the response anew after each of their lines.

use super::{
    answer::{Answers, Asked, LiteralUse, Use},
    socket::{Socket, Stop},
};
use crate::mail::waker::Woken;
use rustls::{ClientConnection, StreamOwned};
use std::{
    io::{self, Read, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use zeroize::Zeroizing;

/// What of one answer is kept besides the mails in it: the longest SEARCH, and as much as a line around it.
pub(super) const ANSWER_MAX: usize = super::answer::SEARCH_LINE_MAX + super::answer::LINE_MAX;
/// What of one answer, or while one IDLE lasts, is passed over: a hundred thousand folders or expunged mails. It
/// costs time and no memory.
const PASSED_MAX: usize = 16 << 20;
/// A TLS record.
const READ_BYTES: usize = 16 << 10;
/// What stands for a mail where the parser sees it: NUL, which no string but a literal can hold, and a number.
const PLACE_BYTES: usize = 9;

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
            pending: Zeroizing::new(Vec::with_capacity(4 * READ_BYTES)),
            start: 0,
            scanned: 0,
            ready: 0,
            literal_left: 0,
            kept_max: ANSWER_MAX,
            kept: 0,
            passed: 0,
            tag: Vec::new(),
            mails: Vec::new(),
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
        let mut wire = self.lock();
        if wire.tag.is_empty() {
            wire.tag = bytes.iter().copied().take_while(|b| *b != b' ').chain(*b" ").collect();
        }
        wire.stream.write_all(bytes)?;
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
    pending: Zeroizing<Vec<u8>>,
    start: usize,
    /// So many bytes after `start` hold no line end.
    scanned: usize,
    ready: usize,
    literal_left: usize,
    /// Of the answer to the command that runs at most so many bytes are kept …
    kept_max: usize,
    /// … so many were, and so many were passed over.
    kept: usize,
    passed: usize,
    /// The running command's tag, and the blank after it.
    tag: Vec<u8>,
    /// The mails in the answer, in their order.
    mails: Vec<Zeroizing<Vec<u8>>>,
    answers: Answers,
}

impl Wire {
    /// A new command, of whose answer at most `bytes` bytes are kept.
    pub fn begin(&mut self, command: &str, bytes: usize) {
        self.answers.asked = Asked::of(command);
        (self.kept_max, self.kept, self.passed) = (bytes, 0, 0);
        self.tag.clear();
        self.mails.clear();
        self.stream.socket().begin();
    }
    /// The command that runs is to end: its time begins anew.
    pub fn finish(&mut self) {
        self.stream.socket().begin();
    }
    pub fn set_patience(&mut self, patience: Duration) {
        self.stream.socket().set_patience(patience);
    }
    /// Whether a mail arrived in the selected folder since it was last asked.
    pub fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.answers.news)
    }
    /// Whether the selected folder got another UIDVALIDITY since it was last asked.
    pub fn take_renumbered(&mut self) -> bool {
        std::mem::take(&mut self.answers.renumbered)
    }
    /// The server's last words, if it took its leave.
    pub fn bye(&self) -> Option<&[u8]> {
        self.answers.bye.as_deref()
    }
    /// Whether that line ends the command that runs.
    pub fn ends(&self, line: &[u8]) -> bool {
        !self.tag.is_empty() && line.starts_with(&self.tag)
    }
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// The bytes that the parser took `text` for, once. A server that quotes a mail instead has no secret in it.
    pub fn mail(&mut self, text: &[u8]) -> Zeroizing<Vec<u8>> {
        match text.strip_prefix(b"\0") {
            Some(number) => std::str::from_utf8(number)
                .ok()
                .and_then(|number| self.mails.get_mut(number.parse::<usize>().ok()?))
                .map(std::mem::take)
                .unwrap_or_default(),
            None => Zeroizing::new(text.to_vec()),
        }
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

    /// Takes in one line, or a piece of a literal; `false` at the connection's end.
    fn advance(&mut self) -> io::Result<bool> {
        if self.literal_left > 0 {
            return self.advance_in_literal();
        }
        let end = loop {
            let unread = &self.pending[self.start..];
            let line =
                unread[self.scanned..].iter().position(|b| *b == b'\n').map(|at| self.scanned + at + 1);
            let max = self.answers.line_max(unread);
            if line.unwrap_or(unread.len() + 1) > max && (line.is_some() || unread.len() >= max) {
                return Err(Stop::TooLarge(max).into());
            }
            if let Some(end) = line {
                break end;
            }
            self.scanned = unread.len();
            if !self.fill()? {
                return Ok(false);
            }
        };
        self.scanned = 0;
        let line = &mut self.pending[self.start..self.start + end];
        let used = self.answers.line(line).map_err(|_| Stop::Nonsense)?;
        let literal = self.answers.literal.take();
        self.count(used, end.saturating_add(literal.unwrap_or(0)))?;
        self.literal_left = literal.unwrap_or(0);
        match used {
            Use::Keep => self.ready = end,
            Use::Drop => self.start += end,
        }
        if let (Some(bytes), LiteralUse::Aside) = (literal, self.answers.literal_use()) {
            self.set_aside(end, bytes);
        }
        Ok(true)
    }

    /// Puts a place-holder where the line's literal is announced.
    fn set_aside(&mut self, end: usize, bytes: usize) {
        let line = &self.pending[self.start..self.start + end];
        let announced = line.iter().rposition(|b| *b == b'{').unwrap_or(end);
        let place = format!("{{{PLACE_BYTES}}}\r\n\0{:08}", self.mails.len());
        self.mails.push(Zeroizing::new(Vec::with_capacity(bytes)));
        self.pending.splice(self.start + announced..self.start + end, place.bytes());
        self.ready = announced + place.len();
    }

    fn advance_in_literal(&mut self) -> io::Result<bool> {
        if self.start == self.pending.len() && !self.fill()? {
            return Ok(false);
        }
        let piece = &self.pending[self.start..];
        let piece = &piece[..piece.len().min(self.literal_left)];
        self.literal_left -= piece.len();
        match self.answers.literal_use() {
            LiteralUse::Keep => self.ready = piece.len(),
            LiteralUse::Drop => self.start += piece.len(),
            LiteralUse::Aside => {
                if let Some(mail) = self.mails.last_mut() {
                    mail.extend_from_slice(piece);
                }
                self.start += piece.len();
            }
        }
        Ok(true)
    }

    /// A literal counts when it is announced: what is too long is not waited for.
    fn count(&mut self, used: Use, bytes: usize) -> io::Result<()> {
        let (sum, max) = match used {
            Use::Keep => (&mut self.kept, self.kept_max),
            Use::Drop => (&mut self.passed, PASSED_MAX),
        };
        *sum = sum.saturating_add(bytes);
        if *sum > max { Err(Stop::TooLarge(max).into()) } else { Ok(()) }
    }

    /// Reads what is there, at least a byte; `false` at the connection's end.
    fn fill(&mut self) -> io::Result<bool> {
        self.pending.drain(..self.start);
        self.start = 0;
        let had = self.pending.len();
        self.pending.resize(had + READ_BYTES, 0);
        let read = self.stream.read(&mut self.pending[had..]);
        self.pending.truncate(had + read.as_ref().map_or(0, |n| *n));
        Ok(read? > 0)
    }
}
