//! What a mail's header says of itself: whom it is from, what it is about, which one it is. Nothing of it is proven
//! here.

use super::super::profile::MailRules;
use crate::mail::parse::Entity;

/// Of a Message-ID so much is shown.
const ID_MAX: usize = 120;
/// RFC 5322 §2.1.1: a line of a header.
const SUBJECT_MAX: usize = 998;

/// Which of the vendor's mails it claims to be, by its subject.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    Warning,
    Confirmation,
    Other,
}

pub(super) fn stream(rules: &MailRules, subject: &str) -> Stream {
    if subject.len() > SUBJECT_MAX {
        Stream::Other
    } else if rules.confirmation.subject.iter().any(|pattern| pattern.matches(subject)) {
        Stream::Confirmation
    } else if rules.warning.subject.iter().any(|pattern| pattern.matches(subject)) {
        Stream::Warning
    } else {
        Stream::Other
    }
}

pub(super) fn is_sender(rules: &MailRules, from: &str) -> bool {
    let domain = from.rsplit_once('@').map_or("", |(_, domain)| domain);
    if rules.from.is_empty() {
        rules.signed_by.iter().any(|signer| signer == domain)
    } else {
        rules.from.iter().any(|address| address == from)
    }
}

/// Whether something like a `From` in the header names one of the senders, however broken the mail is.
pub(super) fn names_in_from(raw: &[u8], senders: &[String]) -> bool {
    // A mail that begins with an empty line has its header behind it.
    let raw = raw.trim_ascii_start();
    let header =
        raw.windows(4).position(|four| four == b"\r\n\r\n" || four.starts_with(b"\n\n")).unwrap_or(raw.len());
    let header = String::from_utf8_lossy(&raw[..header]).to_lowercase();
    let mut in_from = false;
    header.lines().any(|line| {
        let folded = line.starts_with([' ', '\t']) && !line.trim_start().starts_with("from");
        in_from = if folded { in_from } else { line.trim_start().starts_with("from") };
        in_from && senders.iter().any(|sender| line.contains(sender.as_str()))
    })
}

/// As it stands, but for what may not be shown.
pub(super) fn message_id(entity: &Entity<'_>) -> Option<String> {
    let id = entity.one("Message-ID").ok()??.unfolded().ok()?;
    let show = |c: char| if c.is_ascii_graphic() { c } else { '?' };
    Some(id.trim().chars().take(ID_MAX).map(show).collect::<String>()).filter(|id| !id.is_empty())
}
