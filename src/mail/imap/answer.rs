//! What of a server's answer the parser gets to see. The parser stumbles over much that real servers say (other
//! extensions' responses, text that is no ASCII) and can be made to overflow the stack or to compute for hours; of
//! what we ask only a handful of responses matters, so everything else is left out before it.
//!
//! It sees one line at a time, literals skipped, and does no I/O.

/// No response to what we ask has more open parentheses, or more literals.
const NESTING_MAX: usize = 64;
const LITERALS_MAX: usize = 16;

/// What a line is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Keep,
    Drop,
}

/// What was noticed while answers passed by.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// There are mails in the selected folder: said when it is opened, and whenever one arrives.
    pub news: bool,
    /// The server took its leave: its words, cut and cleaned.
    pub bye: Option<String>,
    /// The bytes that the literal after the last line has.
    pub literal: usize,
    response: Option<Response>,
}

/// A response of which only a part has passed: a literal stands between its lines.
#[derive(Debug)]
struct Response {
    used: Use,
    parentheses: usize,
    literals: usize,
}

/// The response nests deeper or has more parts than any that was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooIntricate;

impl Answers {
    /// Judges the next line, its line end included, and takes out of it what would hurt.
    pub fn line(&mut self, line: &mut [u8]) -> Result<Use, TooIntricate> {
        let mut response = match self.response.take() {
            Some(response) => response,
            None => Response { used: self.first_line(line), parentheses: 0, literals: 0 },
        };
        response.parentheses += line.iter().filter(|b| **b == b'(').count();
        self.literal = literal_length(line).unwrap_or(0);
        let used = response.used;
        if literal_length(line).is_some() {
            response.literals += 1;
            if response.literals > LITERALS_MAX {
                return Err(TooIntricate);
            }
            self.response = Some(response);
        } else if response.parentheses > NESTING_MAX && used == Use::Keep {
            return Err(TooIntricate);
        }
        Ok(used)
    }

    /// Whether a response's literal, which now follows, is kept.
    pub fn literal_use(&self) -> Use {
        self.response.as_ref().map_or(Use::Drop, |response| response.used)
    }

    fn first_line(&mut self, line: &mut [u8]) -> Use {
        let Some(untagged) = line.strip_prefix(b"* ") else {
            to_ascii(line); // a tagged line, or "+": its text is only ever shown
            return Use::Keep;
        };
        let (word, rest) = split_word(untagged);
        if word.iter().all(u8::is_ascii_digit) {
            let (kind, _) = split_word(rest);
            self.news |= kind.eq_ignore_ascii_case(b"EXISTS") && word != b"0";
            return if kind.eq_ignore_ascii_case(b"FETCH") { Use::Keep } else { Use::Drop };
        }
        if word.eq_ignore_ascii_case(b"BYE") {
            self.bye = Some(clean(rest));
            return Use::Drop;
        }
        let codes = [&b"[UIDVALIDITY "[..], b"[UIDNEXT "];
        if word.eq_ignore_ascii_case(b"OK") && codes.iter().any(|code| starts_with(rest, code)) {
            to_ascii(line);
            return Use::Keep;
        }
        let known = [&b"SEARCH"[..], b"LIST", b"CAPABILITY", b"MYRIGHTS"];
        if known.iter().any(|known| word.eq_ignore_ascii_case(known)) { Use::Keep } else { Use::Drop }
    }
}

/// A server's words for an operator: printable ASCII, at most 200 characters.
pub(super) fn clean(words: &[u8]) -> String {
    let words: String =
        words.iter().take(200).map(|b| if b.is_ascii_graphic() { char::from(*b) } else { ' ' }).collect();
    words.trim().to_owned()
}

fn to_ascii(line: &mut [u8]) {
    for byte in line.iter_mut().filter(|b| !b.is_ascii()) {
        *byte = b'?';
    }
}

/// The first word, and what follows the blank after it.
fn split_word(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|b| b" \r\n".contains(b)).unwrap_or(text.len());
    (&text[..end], text.get(end + 1..).unwrap_or_default())
}

fn starts_with(text: &[u8], start: &[u8]) -> bool {
    text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

/// `… {123}` at the end of a line announces a literal.
fn literal_length(line: &[u8]) -> Option<usize> {
    let line = line.strip_suffix(b"\n")?;
    let line = line.strip_suffix(b"\r").unwrap_or(line).strip_suffix(b"}")?;
    let digits = &line[line.iter().rposition(|b| *b == b'{')? + 1..];
    let digits = std::str::from_utf8(digits).ok()?;
    let number = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.is_empty();
    // What does not fit is longer than any limit, and refused as such.
    number.then(|| digits.parse().unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(line: &str) -> (Use, Answers) {
        let mut answers = Answers::default();
        let used = answers.line(&mut line.as_bytes().to_vec()).unwrap();
        (used, answers)
    }

    #[test]
    fn only_what_was_asked_for_reaches_the_parser() {
        for line in
            ["* SEARCH 1 2\r\n", "* 3 FETCH (UID 3)\r\n", "* LIST () \"/\" INBOX\r\n", "a1 OK done\r\n"]
        {
            assert_eq!(judge(line).0, Use::Keep, "{line}");
        }
        for line in ["* OK [UIDVALIDITY 7] ok\r\n", "* CAPABILITY IMAP4rev1\r\n", "+ idling\r\n"] {
            assert_eq!(judge(line).0, Use::Keep, "{line}");
        }
        for line in
            ["* ESEARCH (TAG \"a1\") UID ALL 1\r\n", "* OK Still here\r\n", "* 5 EXPUNGE\r\n", "* \r\n"]
        {
            assert_eq!(judge(line).0, Use::Drop, "{line}");
        }
        for line in ["* OK [HIGHESTMODSEQ\r\n", "* FLAGS (x)\r\n", "* 1 RECENT\r\n", "*\r\n* X"] {
            let kept = if line.starts_with("* ") { Use::Drop } else { Use::Keep };
            assert_eq!(judge(line).0, kept, "{line}");
        }
    }

    #[test]
    fn news_and_leave_are_noticed_in_passing() {
        assert!(judge("* 4 EXISTS\r\n").1.news);
        assert!(!judge("* 4 RECENT\r\n").1.news && !judge("* 0 EXISTS\r\n").1.news);
        assert_eq!(judge("* BYE shut\u{7}ting d\u{f6}wn\r\n").1.bye.as_deref(), Some("shut ting d  wn"));
    }

    #[test]
    fn a_literal_belongs_to_the_response_around_it() {
        let mut answers = Answers::default();
        let mut line = |text: &str| {
            let used = answers.line(&mut text.as_bytes().to_vec()).unwrap();
            (used, answers.literal, answers.literal_use())
        };
        assert_eq!(line("* 1 FETCH (UID 1 BODY[] {12}\r\n"), (Use::Keep, 12, Use::Keep));
        assert_eq!(line(" FLAGS ())\r\n"), (Use::Keep, 0, Use::Drop));
        assert_eq!(line("* ID (\"name\" {4}\r\n"), (Use::Drop, 4, Use::Drop));
        assert_eq!(line(")\r\n"), (Use::Drop, 0, Use::Drop));
        assert_eq!(line("* 9 FETCH (BODY[] {99999999999999999999}\r\n").1, usize::MAX);
    }

    #[test]
    fn text_that_is_no_ascii_is_made_so() {
        let mut line = "a1 NO g\u{e4}h\r\n".as_bytes().to_vec();
        assert_eq!(Answers::default().line(&mut line), Ok(Use::Keep));
        assert_eq!(line, b"a1 NO g??h\r\n");
    }

    #[test]
    fn what_would_overflow_the_parser_s_stack_is_refused() {
        let mut deep = format!("* 1 FETCH (BODYSTRUCTURE {}\r\n", "(".repeat(500)).into_bytes();
        assert_eq!(Answers::default().line(&mut deep), Err(TooIntricate));

        let mut answers = Answers::default();
        let mut lines = std::iter::repeat_with(|| answers.line(&mut b"* 1 FETCH (X {1}\r\n".to_vec()));
        assert_eq!(lines.by_ref().take(16).filter(Result::is_ok).count(), 16);
        assert_eq!(lines.next(), Some(Err(TooIntricate)));
    }
}
