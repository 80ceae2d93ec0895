//! Cuts a multipart's body at its boundary (RFC 2046 §5.1.1).

use crate::mail::parse::{Fault, first_line};

/// The parts, and what stands before the first and behind the last.
pub(super) struct Split<'a> {
    pub(super) parts: Vec<&'a [u8]>,
    pub(super) around: [&'a [u8]; 2],
}

enum Line {
    Text,
    Delimiter,
    End,
}

pub(super) fn split<'a>(body: &'a [u8], boundary: &str) -> Result<Split<'a>, Fault> {
    let (mut parts, mut around) = (Vec::new(), [&body[..0]; 2]);
    let (mut begin, mut at, mut ended) = (None, 0, false);
    while at < body.len() {
        let line = first_line(&body[at..]);
        let is_last = match what(line, boundary)? {
            Line::Text => {
                at += line.len();
                continue;
            }
            Line::Delimiter => false,
            Line::End => true,
        };
        if ended {
            return Err("a multipart goes on behind its end".into());
        }
        match begin {
            None => around[0] = &body[..at],
            // The line end before a delimiter belongs to the delimiter.
            Some(begin) => parts.push(&body[begin..at.saturating_sub(2).max(begin)]),
        }
        at += line.len();
        begin = Some(at);
        ended = is_last;
    }
    around[1] = &body[begin.unwrap_or(at)..];
    if ended { Ok(Split { parts, around }) } else { Err("a multipart has no end".into()) }
}

/// For some programs a line that begins like a delimiter is one, whatever follows.
fn what(line: &[u8], boundary: &str) -> Result<Line, Fault> {
    let Some(behind) = line.strip_prefix(b"--").and_then(|line| line.strip_prefix(boundary.as_bytes()))
    else {
        return Ok(Line::Text);
    };
    let end = behind.iter().rposition(|b| !b" \t\r\n".contains(b)).map_or(0, |at| at + 1);
    match &behind[..end] {
        b"" => Ok(Line::Delimiter),
        b"--" => Ok(Line::End),
        _ => Err("a line begins like a multipart's boundary and goes on".into()),
    }
}
