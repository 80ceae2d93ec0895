//! What is kept of a command's output, and what of it may be shown to an operator. The text is foreign: it may hold
//! escape sequences, and it may hold a key.

use base64::{Engine, engine::general_purpose::STANDARD};
use rustix::io::Errno;
use std::os::fd::AsFd;
use tokio::io::{AsyncRead, AsyncReadExt};
use zeroize::Zeroizing;

/// What is read at a time; a Linux pipe holds as much.
const PIECE: usize = 64 << 10;

/// A pipe can be made to hold so many pieces (1 MiB, `/proc/sys/fs/pipe-max-size`); more comes from somebody who lives.
const PIECES_LEFT_MAX: usize = 16;

/// Characters of a foreign line that are shown.
const SHOWN: usize = 200;

/// So many characters of a secret in a row betray it.
const WINDOW: usize = 12;

/// One stream of a command, of which so much is kept.
pub(super) struct Output<S> {
    stream: Option<S>,
    kept: Zeroizing<Vec<u8>>,
    max: usize,
    keeps_end: bool,
    overflowed: bool,
}

impl<S: AsyncRead + AsFd + Unpin> Output<S> {
    /// Keeps the first `max` bytes, and knows whether there were more.
    pub fn head(stream: Option<S>, max: usize) -> Self {
        Self { stream, kept: Zeroizing::default(), max, keeps_end: false, overflowed: false }
    }
    /// Keeps the last `max` bytes.
    pub fn tail(stream: Option<S>, max: usize) -> Self {
        Self { keeps_end: true, ..Self::head(stream, max) }
    }

    /// Reads to the end of the stream. What is too much is read and dropped, so that the command never waits.
    pub async fn fill(&mut self) {
        let mut piece = Zeroizing::new(vec![0; PIECE]);
        while let Some(stream) = &mut self.stream {
            match stream.read(&mut piece).await {
                Ok(0) | Err(_) => self.stream = None,
                Ok(len) => self.keep(&piece[..len]),
            }
        }
    }

    /// Takes what a dead command left in the pipe, without waiting for those who may still hold its other end.
    fn drain(&mut self) {
        let Some(stream) = self.stream.take() else { return };
        let mut piece = Zeroizing::new(vec![0; PIECE]);
        for _ in 0..PIECES_LEFT_MAX {
            match rustix::io::read(&stream, &mut **piece) {
                Ok(0) => return,
                Ok(len) => self.keep(&piece[..len]),
                Err(Errno::INTR) => {}
                // Mostly: nothing is there, and somebody still holds the other end.
                Err(_) => return,
            }
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = self.max - self.kept.len();
        self.overflowed |= bytes.len() > room;
        if !self.keeps_end {
            self.kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
            return;
        }
        let bytes = &bytes[bytes.len().saturating_sub(self.max)..];
        let too_many = (self.kept.len() + bytes.len()).saturating_sub(self.max);
        self.kept.drain(..too_many);
        self.kept.extend_from_slice(bytes);
    }

    /// Everything, or `None` where there was more than `max`.
    pub fn whole(mut self) -> Option<Zeroizing<Vec<u8>>> {
        self.drain();
        (!self.overflowed).then_some(self.kept)
    }

    /// The last line that is not blank, as text.
    pub fn last_line(mut self) -> Option<Zeroizing<String>> {
        self.drain();
        let line = self.kept.split(|byte| *byte == b'\n').rfind(|line| !line.trim_ascii().is_empty())?;
        Some(Zeroizing::new(String::from_utf8_lossy(line).trim().to_owned()))
    }
}

/// A foreign line as an operator may see it: without control characters, cut, and not at all where it holds a
/// stretch of one of `secrets`, plain or in hex, base64, percent or backslash escapes.
pub(super) fn shown<'a>(line: &str, secrets: impl IntoIterator<Item = &'a str>) -> String {
    if secrets.into_iter().any(|secret| betrays(line, secret)) {
        return "(a line that holds a secret is not shown)".into();
    }
    let mut text = String::new();
    for (count, char) in line.chars().enumerate() {
        if count == SHOWN {
            text.push('…');
            break;
        }
        match char {
            '"' | '\'' | '\\' => text.push(char),
            _ => text.extend(char.escape_debug()),
        }
    }
    text
}

/// Compares letters and digits only, in any case: signs are what escapes, alphabets and line breaks differ in.
fn betrays(line: &str, secret: &str) -> bool {
    let line = Zeroizing::new(bare(line));
    spellings(secret).iter().any(|spelling| {
        let width = WINDOW.min(spelling.len());
        width > 0 && spelling.as_bytes().windows(width).any(|part| contains(line.as_bytes(), part))
    })
}

/// The ways in which a secret is commonly written; base64 has three, by what stands before it.
fn spellings(secret: &str) -> [Zeroizing<String>; 6] {
    let hex = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let escaped = |byte: u8| match byte.is_ascii_alphanumeric() {
        true => char::from(byte).to_string(),
        false => format!("{byte:02x}"),
    };
    let base64 = |behind: &[u8]| STANDARD.encode([behind, secret.as_bytes()].concat());
    let percent = secret.bytes().map(escaped).collect();
    [secret.into(), hex, percent, base64(b""), base64(b"-"), base64(b"--")]
        .map(|text| Zeroizing::new(bare(&text)))
}

fn bare(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|char| char.to_ascii_lowercase()).collect()
}

fn contains(line: &[u8], part: &[u8]) -> bool {
    line.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
#[path = "output_tests.rs"]
mod tests;
