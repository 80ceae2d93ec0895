//! What a reader of the mail sees, line by line: the text part and the HTML part, each for itself. Attachments,
//! mails within the mail and whatever HTML hides are not seen; what they say is kept beside. It knows nothing of keys.

mod html;
mod mime;

use super::parse::{Entity, Fault};
use crate::domain::Limits;
use zeroize::Zeroizing;

/// Of one mail, shown and beside. Real ones have some hundred.
const LINES_MAX: usize = 50_000;

/// A mail's visible text. `None`: there is no such part.
pub struct Visible {
    pub plain: Option<Lines>,
    pub html: Option<Lines>,
    /// What is in the mail besides, and may be seen elsewhere: nothing is taken from here, but it must not disagree.
    pub beside: Lines,
}

/// Lines, table cells and lines of code, with blanks collapsed and without those that hold neither letter nor
/// digit. Wiped when dropped.
pub type Lines = Vec<Zeroizing<String>>;

/// Reads every part that is shown as text.
pub fn read(mail: &Entity<'_>, limits: &Limits) -> Result<Visible, Fault> {
    let (mut plain, mut html, mut beside) = (None, None, Lines::new());
    let mut count = 0;
    let mut add = |lines: &mut Lines, text: &str| {
        let before = lines.len();
        lines.extend(self::lines(text).take(LINES_MAX + 1 - count));
        count += lines.len() - before;
        if count > LINES_MAX {
            return Err(format!("it has more than {LINES_MAX} lines"));
        }
        Ok(())
    };
    for shown in mime::shown(mail, limits.mail_depth_max)? {
        match shown {
            mime::Shown::Plain(text) => add(plain.get_or_insert_with(Lines::new), straight(&text)?)?,
            mime::Shown::Html(text) => {
                let page = html::read(&text)?;
                add(html.get_or_insert_with(Lines::new), straight(&page.shown)?)?;
                add(&mut beside, &page.beside)?;
            }
            mime::Shown::Beside(text) => add(&mut beside, &text)?,
        }
    }
    if plain.is_none() && html.is_none() {
        return Err("it has no text".into());
    }
    Ok(Visible { plain, html, beside })
}

/// With U+202D and U+202E a reader sees other words than a program.
fn straight(text: &str) -> Result<&str, Fault> {
    let turns = text.contains(['\u{202d}', '\u{202e}']);
    if turns { Err("a text turns the direction of its letters".into()) } else { Ok(text) }
}

/// A part that is shown as text, or is beside it, decoded and no further.
pub use mime::Shown as Source;

/// Those parts, in order.
pub fn sources(mail: &Entity<'_>, limits: &Limits) -> Result<Vec<Source>, Fault> {
    mime::shown(mail, limits.mail_depth_max)
}

/// The subject as people read it. `None` where it is missing.
pub fn subject(mail: &Entity<'_>) -> Result<Option<String>, Fault> {
    let Some(field) = mail.one("Subject")? else { return Ok(None) };
    let decoded = mime::decode_words(&field.unfolded()?)?;
    Ok(Some(decoded.split_whitespace().collect::<Vec<_>>().join(" ")))
}

fn lines(text: &str) -> impl Iterator<Item = Zeroizing<String>> {
    let collapse = |line: &str| Zeroizing::new(line.split_whitespace().collect::<Vec<_>>().join(" "));
    text.lines().filter(|line| line.chars().any(char::is_alphanumeric)).map(collapse)
}

#[cfg(test)]
mod tests;
