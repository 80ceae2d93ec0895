//! Waiting for news. IDLE (RFC 2177) is spoken here and not by the `imap` crate, whose own cannot be left when the
//! server is gone, hangs on an EXISTS before the continuation, and panics on a tagged OK.

use super::{
    Connection,
    socket::Stop,
    wire::{ANSWER_MAX, Heard},
};
use crate::mail::{MailboxTrouble, waker::Woken};
use std::{
    io,
    time::{Duration, Instant},
};

impl Connection {
    /// Sleeps until the first folder has news, a waker calls, or the time is up; in IDLE where the server has it
    /// (without it nothing is news). IDLE is left before this returns: the next look needs no further round trip.
    pub fn wait(&mut self, timeout: Duration) -> Result<Woken, MailboxTrouble> {
        let end = Instant::now() + timeout;
        if self.selected != Some(0) {
            self.examine(0)?;
        }
        loop {
            let until = end.min(Instant::now() + self.renew);
            match self.wait_once(until)? {
                Woken::Timeout if Instant::now() < end => {} // IDLE is renewed
                woken => return Ok(woken),
            }
        }
    }

    fn wait_once(&mut self, until: Instant) -> Result<Woken, MailboxTrouble> {
        // A mail may have been announced beside a command's answer.
        if self.wire.lock().take_news() {
            return Ok(Woken::News);
        }
        let idling = self.idles && self.begin_idle()?;
        let heard = self.listen(until, idling);
        let (woken, idling) = heard.map_err(|e| self.lost_idle(e))?;
        if idling {
            self.end_idle().map_err(|e| self.lost_idle(e))?;
        }
        Ok(woken)
    }

    /// Whether the server agreed. One that ends the command at once has no IDLE, whatever it says.
    fn begin_idle(&mut self) -> Result<bool, MailboxTrouble> {
        self.run("IDLE", ANSWER_MAX, |session| session.run_command("IDLE"))?;
        let mut wire = self.wire.lock();
        let agreed = wire.line().and_then(|line| match line.as_slice() {
            [b'+', ..] => Ok(true),
            line if wire.ends(line) => Ok(false),
            _ => Err(Stop::Nonsense.into()), // the end of another command
        });
        drop(wire);
        let agreed = agreed.map_err(|e| self.lost_idle(e))?;
        self.idles = agreed;
        Ok(agreed)
    }

    /// Listens until there is news; also says whether IDLE still runs.
    fn listen(&mut self, until: Instant, mut idling: bool) -> io::Result<(Woken, bool)> {
        let mut wire = self.wire.lock();
        loop {
            if wire.take_news() {
                return Ok((Woken::News, idling));
            }
            match wire.listen(until)? {
                Heard::Woken(woken) => return Ok((woken, idling)),
                Heard::Passing => {}
                Heard::Line(line) if line.starts_with(b"+") => {}
                Heard::Line(line) if wire.ends(&line) => idling = false, // the server ended IDLE itself
                Heard::Line(_) => return Err(Stop::Nonsense.into()),
            }
        }
    }

    fn end_idle(&mut self) -> io::Result<()> {
        let mut wire = self.wire.lock();
        wire.finish();
        wire.send(b"DONE\r\n")?;
        loop {
            let line = wire.line()?;
            if wire.ends(&line) {
                return Ok(());
            }
            if !line.starts_with(b"+") {
                return Err(Stop::Nonsense.into());
            }
        }
    }

    fn lost_idle(&self, error: io::Error) -> MailboxTrouble {
        self.server.lost(&self.wire, "IDLE", imap::Error::Io(error))
    }
}
