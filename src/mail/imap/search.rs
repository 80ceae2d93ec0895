//! What SEARCH is asked. Pure: text in, text out.

use crate::mail::Search;
use chrono::{DateTime, Days, Utc};

/// So many senders in one command, which keeps its line under the 8,000 octets of RFC 2683.
const SENDERS_PER_COMMAND: usize = 16;

/// A [`Search`] in IMAP's words.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Query {
    /// The arguments of UID SEARCH; together they find everything.
    pub searches: Vec<String>,
    pub bytes_max: usize,
}

impl Query {
    /// The senders come from the configuration; one that could end its quotation is refused all the same.
    pub fn new(search: &Search) -> Result<Self, String> {
        let harmless = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'\\';
        if let Some(bad) = search.senders.iter().find(|s| s.is_empty() || !s.bytes().all(harmless)) {
            return Err(format!("{bad:?} is no sender that can be searched for"));
        }
        // Days are counted in the server's time zone, which may be behind ours.
        let since = DateTime::<Utc>::from_timestamp(search.since.as_secs(), 0)
            .and_then(|day| day.checked_sub_days(Days::new(1)))
            .unwrap_or_default()
            .format("%-d-%b-%Y");
        let searches = search
            .senders
            .chunks(SENDERS_PER_COMMAND)
            .map(|senders| format!("SINCE {since} {}", any_sender(senders)))
            .collect();
        Ok(Self { searches, bytes_max: search.bytes_max })
    }
}

/// `OR FROM "a" OR FROM "b" FROM "c"`
fn any_sender(senders: &[String]) -> String {
    let last = senders.len() - 1;
    let terms = senders.iter().enumerate().map(|(n, sender)| {
        let or = if n < last { "OR " } else { "" };
        format!("{or}FROM \"{sender}\"")
    });
    terms.collect::<Vec<_>>().join(" ")
}

/// A folder's name as the wire wants it: modified UTF-7 (RFC 3501, 5.1.3).
pub(super) fn encode_folder(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let plain = |c: char| c.is_ascii_graphic() || c == ' ';
        let end = rest.find(|c| plain(c) != plain(first)).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        if plain(first) {
            encoded.push_str(&run.replace('&', "&-"));
        } else {
            encoded.push_str(&shift(run));
        }
        rest = after;
    }
    encoded
}

/// One run that is no ASCII: UTF-16 in base64 with a comma for the slash, between `&` and `-`.
fn shift(run: &str) -> String {
    use base64::Engine;
    let utf16: Vec<u8> = run.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let base64 = base64::engine::general_purpose::STANDARD_NO_PAD.encode(utf16);
    format!("&{}-", base64.replace('/', ","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    fn search(senders: &[&str]) -> Search {
        let senders = senders.iter().map(|s| (*s).to_owned()).collect();
        Search { senders, since: Timestamp::from_secs(1_795_251_600), bytes_max: 1_000 }
    }

    #[test]
    fn senders_are_alternatives_and_one_day_more_is_asked() {
        let asked = |senders: &[&str]| Query::new(&search(senders)).unwrap().searches;
        assert_eq!(asked(&["a@b.example"]), [r#"SINCE 20-Nov-2026 FROM "a@b.example""#]);
        assert_eq!(
            asked(&["a@b.example", "@c.example", "d@e.example"]),
            [r#"SINCE 20-Nov-2026 OR FROM "a@b.example" OR FROM "@c.example" FROM "d@e.example""#]
        );
        assert_eq!(asked(&[]), [""; 0]);
    }

    #[test]
    fn the_day_has_no_leading_zero_and_the_first_day_of_time_is_no_trouble() {
        let since = |secs| {
            let search = Search { since: Timestamp::from_secs(secs), ..search(&["@a.example"]) };
            Query::new(&search).unwrap().searches.remove(0)
        };
        assert_eq!(since(1_795_251_600 - 19 * 86_400), r#"SINCE 1-Nov-2026 FROM "@a.example""#);
        assert_eq!(since(0), r#"SINCE 31-Dec-1969 FROM "@a.example""#);
        assert_eq!(since(i64::MAX), r#"SINCE 1-Jan-1970 FROM "@a.example""#);
    }

    #[test]
    fn many_senders_are_asked_for_in_several_commands() {
        let senders: Vec<_> = (0..40).map(|n| format!("{n}@a.example")).collect();
        let senders: Vec<_> = senders.iter().map(String::as_str).collect();
        let searches = Query::new(&search(&senders)).unwrap().searches;
        assert_eq!(searches.len(), 3);
        assert_eq!(searches.iter().map(|s| s.matches("FROM").count()).sum::<usize>(), 40);
        assert!(searches.iter().all(|s| s.len() < 8_000));
    }

    #[test]
    fn imap12_a_sender_that_could_say_more_than_a_sender_is_refused() {
        for bad in ["", "a\"@b", "a\\@b", "a@b\r\na1 LOGOUT", "a @b", "\u{e4}@b", "a\0@b"] {
            let refused = Query::new(&search(&["ok@a.example", bad])).unwrap_err();
            assert_eq!(refused, format!("{bad:?} is no sender that can be searched for"));
        }
    }

    #[test]
    fn folder_names_are_written_in_modified_utf_7() {
        for (name, wire) in [
            ("INBOX", "INBOX"),
            ("Vendor & Co", "Vendor &- Co"),
            ("Schl\u{fc}ssel", "Schl&APw-ssel"),
            ("~peter/mail/\u{53f0}\u{5317}/\u{65e5}\u{672c}\u{8a9e}", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("\u{1f511}", "&2D3dEQ-"),
        ] {
            assert_eq!(encode_folder(name), wire);
        }
    }
}
