//! Waiting on a file descriptor, and leaving that wait from another thread. It knows no mailbox.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::{
    io::{self, Read, Write},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream,
    },
    sync::Arc,
    time::Instant,
};

/// Why a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    /// There may be a new mail.
    News,
    /// The time is up.
    Timeout,
    /// A [`Waker`] called.
    Called,
}

/// Ends a mailbox's wait from another thread. A call that comes outside a wait ends the next one.
#[derive(Debug, Clone)]
pub struct Waker(Arc<UnixStream>);

impl Waker {
    /// Returns at once, whether or not somebody waits.
    pub fn wake(&self) {
        // Full: so many calls are waiting that one more says nothing new. Closed: nobody waits any more.
        let _ = (&*self.0).write(&[1]);
    }
}

/// The other end of a [`Waker`], held by who waits.
#[derive(Debug)]
pub(super) struct Alarm {
    sleeper: UnixStream,
    /// Keeps the line open when every waker is gone: a closed one would ring for ever.
    _caller: Waker,
}

pub(super) fn pair() -> io::Result<(Waker, Alarm)> {
    let (caller, sleeper) = UnixStream::pair()?;
    caller.set_nonblocking(true)?;
    sleeper.set_nonblocking(true)?;
    let waker = Waker(Arc::new(caller));
    Ok((waker.clone(), Alarm { sleeper, _caller: waker }))
}

impl Alarm {
    /// Forgets the calls made so far.
    fn clear(&self) {
        let mut calls = [0; 64];
        while matches!((&self.sleeper).read(&mut calls), Ok(n) if n == calls.len()) {}
    }
}

/// Sleeps until `source` can be read (`News`), somebody calls, or it is `until`. Without an alarm nobody can call.
pub(super) fn wait_readable(
    source: BorrowedFd<'_>,
    alarm: Option<&Alarm>,
    until: Instant,
) -> io::Result<Woken> {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let left = Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: left.subsec_nanos().into(),
        };
        let mut watched = [
            PollFd::from_borrowed_fd(source, PollFlags::IN),
            PollFd::from_borrowed_fd(alarm.map_or(source, |alarm| alarm.sleeper.as_fd()), PollFlags::IN),
        ];
        match poll(&mut watched, Some(&left)) {
            Err(rustix::io::Errno::INTR) => continue,
            Err(e) => return Err(e.into()),
            Ok(0) => return Ok(Woken::Timeout),
            Ok(_) => {}
        }
        return Ok(match alarm {
            Some(alarm) if !watched[1].revents().is_empty() => {
                alarm.clear();
                Woken::Called
            }
            _ => Woken::News,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn calls_made_before_a_wait_end_it_once() {
        let (waker, alarm) = pair().unwrap();
        let (quiet, _open) = UnixStream::pair().unwrap();
        let wait = |time| wait_readable(quiet.as_fd(), Some(&alarm), Instant::now() + time).unwrap();

        for _ in 0..10_000 {
            waker.wake(); // more than any buffer holds: none of them may block
        }
        assert_eq!(wait(Duration::from_secs(60)), Woken::Called);
        assert_eq!(wait(Duration::ZERO), Woken::Timeout);
        drop(waker);
        assert_eq!(wait(Duration::ZERO), Woken::Timeout);
    }
}
