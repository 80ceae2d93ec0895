//! One mail out of a file, for each credential.

use super::{
    super::console::{Console, Exit, Failure},
    Case, NOT_KNOWN, answers, apart, verdict,
};
use crate::{
    config::Config,
    domain::{Limits, Timestamp},
    face::page::Page,
    mail::{
        RawMail,
        parse::{Entity, Text},
    },
};
use chrono::DateTime;
use std::{fs::File, io::Read, path::Path};
use zeroize::Zeroizing;

pub async fn explain(
    config: &Config,
    cases: &[Case<'_>],
    file: &Path,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    let (mail, arrival) = read(file)?;
    let answers = answers(config, cases, std::slice::from_ref(&mail)).await?;
    console.tell(&format!("judged as if it had arrived at {} ({arrival})", mail.arrived_at));
    for case in cases {
        let (colour, width) = (console.colour, console.width);
        let text = apart(|| {
            let finding = verdict::finding(&mail, &answers, case);
            let mut page = Page::new(colour, width);
            let (tone, words) = verdict::words(&finding);
            page.row(0, &format!("{}:", case.name), tone, &words);
            verdict::facts(&mut page, &mail, &finding, case);
            page.finish()
        });
        console.say(&text.unwrap_or_else(|| format!("{}: the parser broke down over it", case.name)));
    }
    console.tell(NOT_KNOWN);
    Ok(Exit::Done)
}

/// The mail, and in words where its time of arrival comes from.
pub(super) fn read(path: &Path) -> Result<(RawMail, &'static str), Failure> {
    open(path).map_err(|error| Failure::mistake(format!("{}: cannot be read: {error}", path.display())))
}

fn open(path: &Path) -> std::io::Result<(RawMail, &'static str)> {
    let max = Limits::default().mail_bytes_max;
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(max + 1));
    file.take(max as u64 + 1).read_to_end(&mut bytes)?;
    let size = bytes.len().max(usize::try_from(metadata.len()).unwrap_or(usize::MAX));
    let header_only = bytes.len() > max;
    if header_only {
        let header = header_len(&bytes);
        bytes.truncate(header);
    }
    let saved_at = Timestamp::from(metadata.modified()?);
    let (arrived_at, how) = arrival(&bytes, saved_at);
    let place = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let folder = path.parent().unwrap_or(Path::new("")).to_string_lossy().into_owned();
    Ok((RawMail { bytes, size, header_only, arrived_at, folder, junk: false, place }, how))
}

fn header_len(bytes: &[u8]) -> usize {
    let crlf = bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4);
    let lf = bytes.windows(2).position(|two| two == b"\n\n").map(|at| at + 2);
    crlf.into_iter().chain(lf).min().unwrap_or(bytes.len())
}

/// A mailbox says when a mail arrived, a file does not: the topmost `Received` is by the server that took it in.
fn arrival(bytes: &[u8], saved_at: Timestamp) -> (Timestamp, &'static str) {
    let from_header = || {
        let text = Text::new(bytes).ok()?;
        let entity = Entity::cut(text.bytes()).ok()?;
        match received(&entity) {
            Some(at) => Some((at, "the topmost Received")),
            // It was there before it was saved, whatever it says of itself.
            None => entity.date().ok().filter(|date| *date <= saved_at).map(|date| (date, "its Date")),
        }
    };
    from_header().unwrap_or((saved_at, "the file's time"))
}

fn received(entity: &Entity<'_>) -> Option<Timestamp> {
    let field = entity.all("Received").next()?.unfolded().ok()?;
    let (_, date) = field.rsplit_once(';')?;
    let time = DateTime::parse_from_rfc2822(date.trim()).ok()?;
    Some(Timestamp::from_secs(time.timestamp()))
}
