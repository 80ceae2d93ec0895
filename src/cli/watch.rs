//! `keyrelay status --watch`: the daemon is asked each second. On a terminal the status is drawn over and over on the
//! alternate screen, which leaves what was there before untouched; elsewhere each change is one document.

use super::{
    console::{Console, Exit, Failure},
    ends::Ends,
    status::{self, Args},
};
use crate::{
    daemon::{client, request::Request},
    face::status::Status,
};
use std::{path::Path, time::Duration};

const PERIOD: Duration = Duration::from_secs(1);

/// The alternate screen without a cursor; and back again.
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";

/// Ends as `status` would at that moment.
pub async fn watch(args: &Args, socket: &Path, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let mut ends = Ends::new().map_err(|error| Failure::unreachable(format!("signals: {error}")))?;
    let Some(first) = look(args, socket).await? else {
        let message = format!("no daemon answers at {}, and there is nothing to watch", socket.display());
        return Err(Failure::unreachable(message).hint("start it: systemctl start keyrelay".to_owned()));
    };
    if console.terminal && args.is_for_people() {
        console.draw(ENTER);
        let ended = redraw(args, socket, first, &mut ends, console).await;
        console.draw(LEAVE);
        return ended;
    }
    each_change(args, socket, first, &mut ends, console).await
}

async fn redraw(
    args: &Args,
    socket: &Path,
    first: Status,
    ends: &mut Ends,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    let (mut last, mut lost) = (first, false);
    loop {
        let rows = console.measure();
        let absent = if lost { "no daemon answers any more; what it said last:\n\n" } else { "" };
        let shown = format!("{absent}{}", args.shown(&last, console));
        console.draw(&screen(&shown, rows));
        if ends.within(PERIOD).await || console.is_lost() {
            return Ok(status::open(&last));
        }
        match ends.unless(look(args, socket)).await.transpose()? {
            Some(Some(status)) => (last, lost) = (status, false),
            Some(None) => lost = true,
            None => return Ok(status::open(&last)),
        }
    }
}

/// From the top left corner, over what is there; no more than fits.
fn screen(text: &str, rows: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut drawn = String::from("\x1b[H");
    let room = if lines.len() > rows { rows.saturating_sub(1) } else { lines.len() };
    for (row, line) in lines.iter().take(room).enumerate() {
        let end = if row == 0 { "" } else { "\r\n" };
        drawn += &format!("{end}{line}\x1b[K");
    }
    if lines.len() > room {
        drawn += &format!("\r\n({} more lines: keyrelay status)\x1b[K", lines.len() - room);
    }
    drawn + "\x1b[J"
}

async fn each_change(
    args: &Args,
    socket: &Path,
    first: Status,
    ends: &mut Ends,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    console.draw(&line_ended(args.shown(&first, console)));
    let (mut last, mut lost) = (first, false);
    while !ends.within(PERIOD).await && !console.is_lost() {
        match ends.unless(look(args, socket)).await.transpose()? {
            Some(Some(status)) => {
                if !is_the_same(&status, &last) {
                    console.draw(&line_ended(args.shown(&status, console)));
                }
                (last, lost) = (status, false);
            }
            Some(None) if lost => {}
            Some(None) => {
                console.tell(&format!("no daemon answers at {} any more", socket.display()));
                lost = true;
            }
            None => break,
        }
    }
    Ok(status::open(&last))
}

fn line_ended(text: String) -> String {
    text.trim_end().to_owned() + "\n"
}
/// But for when it was computed.
fn is_the_same(one: &Status, other: &Status) -> bool {
    *one == Status { generated_at: one.generated_at, ..other.clone() }
}

async fn look(args: &Args, socket: &Path) -> Result<Option<Status>, Failure> {
    let Some(answer) = client::ask(socket, &Request::Status).await.map_err(Failure::unreachable)? else {
        return Ok(None);
    };
    let status = serde_json::from_value(answer.status)
        .map_err(|error| Failure::unreachable(format!("the daemon's answer cannot be read: {error}")))?;
    args.asked(status).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_drawn_over_what_was_there() {
        assert_eq!(screen("one\ntwo\n", 24), "\x1b[Hone\x1b[K\r\ntwo\x1b[K\x1b[J");
    }

    #[test]
    fn what_does_not_fit_is_counted_and_the_top_is_shown() {
        assert_eq!(
            screen("one\ntwo\nthree\nfour\n", 3),
            "\x1b[Hone\x1b[K\r\ntwo\x1b[K\r\n(2 more lines: keyrelay status)\x1b[K\x1b[J"
        );
    }
}
