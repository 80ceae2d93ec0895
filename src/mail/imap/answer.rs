//! What of a server's answer the parser gets to see. The parser stumbles over much that real servers say (other
//! extensions' responses, text that is no ASCII) and can be made to overflow the stack or to compute for hours; of
//! what we ask only a handful of responses matters, so everything else is left out before it.
//!
//! It sees one line at a time, literals skipped, and does no I/O.

/// No response to what we ask has more open parentheses, or more literals.
const NESTING_MAX: usize = 64;
const LITERALS_MAX: usize = 16;
/// A folder's name, where it comes as a literal.
const NAME_MAX: usize = 1_024;
/// The longest line (RFC 2683 advises 8,000 octets; lists of flags are longer) …
pub(super) const LINE_MAX: usize = 64 << 10;
/// … but for SEARCH's answer, which is one line however many mails match: a hundred thousand numbers.
pub(super) const SEARCH_LINE_MAX: usize = 1 << 20;

/// What a line is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Keep,
    Drop,
}

/// What a literal is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LiteralUse {
    /// The parser sees it where it stands.
    Keep,
    /// It is (of) a mail, and no business of the parser's.
    Aside,
    Drop,
}

/// The command that is being answered, as far as it has untagged responses that are of use: all others, and those to
/// commands that were never given, are left out.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    #[default]
    Nothing,
    Capability,
    List,
    /// EXAMINE or SELECT.
    Open,
    Search,
    Fetch,
    Rights,
}

impl Asked {
    /// `command` begins with the command's name, without the UID before it.
    pub fn of(command: &str) -> Self {
        match command.split(' ').next().unwrap_or_default() {
            "CAPABILITY" => Asked::Capability,
            "LIST" => Asked::List,
            "EXAMINE" | "SELECT" => Asked::Open,
            "SEARCH" => Asked::Search,
            "FETCH" => Asked::Fetch,
            "MYRIGHTS" => Asked::Rights,
            _ => Asked::Nothing,
        }
    }
}

/// What was noticed while answers passed by.
#[derive(Debug, Default)]
pub(super) struct Answers {
    pub asked: Asked,
    /// There are mails in the selected folder: said when it is opened, and whenever one arrives.
    pub news: bool,
    /// A UIDVALIDITY was named although no folder was being opened: the selected one is no longer what it was.
    pub renumbered: bool,
    /// The server took its leave: its words, as they came.
    pub bye: Option<Vec<u8>>,
    /// The bytes that the literal after the last line has, if one follows.
    pub literal: Option<usize>,
    response: Option<Response>,
}

/// A response of which only a part has passed: a literal stands between its lines.
#[derive(Debug, Clone, Copy)]
struct Response {
    used: Use,
    /// It ends in words for people, in which nothing announces a literal.
    is_text: bool,
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
            None => self.first_line(line),
        };
        response.parentheses += line.iter().filter(|b| **b == b'(').count();
        let kept = response.used == Use::Keep;
        if kept && self.asked == Asked::Fetch {
            give_a_date(line);
        }
        self.literal = if response.is_text { None } else { literal_length(line) };
        if let Some(bytes) = self.literal {
            response.literals += 1;
            let fits = match self.asked {
                _ if !kept => true,
                Asked::Fetch => response.literals <= LITERALS_MAX,
                Asked::List => response.literals == 1 && bytes <= NAME_MAX,
                Asked::Nothing | Asked::Capability | Asked::Open | Asked::Search | Asked::Rights => false,
            };
            if !fits {
                return Err(TooIntricate);
            }
            self.response = Some(response);
        }
        if kept && response.parentheses > NESTING_MAX {
            return Err(TooIntricate);
        }
        Ok(response.used)
    }

    /// The longest that a line with this beginning may get.
    pub fn line_max(&self, beginning: &[u8]) -> usize {
        let is_search = self.asked == Asked::Search && self.response.is_none();
        if is_search && starts_with(beginning, b"* SEARCH") { SEARCH_LINE_MAX } else { LINE_MAX }
    }

    /// What becomes of a response's literal, which now follows.
    pub fn literal_use(&self) -> LiteralUse {
        match self.response {
            Some(response) if response.used == Use::Keep && self.asked == Asked::Fetch => LiteralUse::Aside,
            Some(response) if response.used == Use::Keep => LiteralUse::Keep,
            Some(_) | None => LiteralUse::Drop,
        }
    }

    fn first_line(&mut self, line: &mut [u8]) -> Response {
        let response = |used, is_text| Response { used, is_text, parentheses: 0, literals: 0 };
        let Some(untagged) = line.strip_prefix(b"* ") else {
            to_text(line); // a tagged line, or "+": its text is only ever shown
            return response(Use::Keep, true);
        };
        let (word, rest) = split_word(untagged);
        let is = |known: &[u8]| word.eq_ignore_ascii_case(known);
        let wanted = |wanted: bool| if wanted { Use::Keep } else { Use::Drop };
        if word.iter().all(u8::is_ascii_digit) {
            let (kind, _) = split_word(rest);
            self.news |= kind.eq_ignore_ascii_case(b"EXISTS") && word != b"0";
            let is_mail = kind.eq_ignore_ascii_case(b"FETCH");
            return response(wanted(self.asked == Asked::Fetch && is_mail), false);
        }
        if is(b"BYE") {
            self.bye = Some(rest.to_vec());
            return response(Use::Drop, true);
        }
        if is(b"OK") || is(b"NO") || is(b"BAD") || is(b"PREAUTH") {
            let validity = is(b"OK") && starts_with(rest, b"[UIDVALIDITY ");
            let used = wanted(self.asked == Asked::Open && (validity || starts_with(rest, b"[UIDNEXT ")));
            self.renumbered |= validity && self.asked != Asked::Open;
            self.news |= self.renumbered;
            to_text(line);
            return response(used, true);
        }
        let used = match self.asked {
            Asked::Capability => is(b"CAPABILITY"),
            Asked::Search => is(b"SEARCH"),
            Asked::Rights => is(b"MYRIGHTS"),
            // Of a hundred thousand folders one is of interest.
            Asked::List => is(b"LIST") && has_flag(rest, b"\\Junk"),
            Asked::Nothing | Asked::Open | Asked::Fetch => false,
        };
        response(wanted(used), false)
    }
}

/// A server's words for an operator: printable ASCII, at most 200 characters.
pub(super) fn clean(words: &[u8]) -> String {
    let words: String =
        words.iter().take(200).map(|b| if b.is_ascii_graphic() { char::from(*b) } else { ' ' }).collect();
    words.trim().to_owned()
}

fn to_text(line: &mut [u8]) {
    for byte in line.iter_mut().filter(|b| !b.is_ascii() || **b == 0) {
        *byte = b'?';
    }
}

/// On a date of NIL the parser panics; one that is none is the same to us.
fn give_a_date(line: &mut [u8]) {
    const NIL: &[u8] = b"INTERNALDATE NIL";
    let at = line.windows(NIL.len()).position(|part| part.eq_ignore_ascii_case(NIL));
    if let Some(at) = at {
        line[at + NIL.len() - 3..at + NIL.len()].copy_from_slice(b"\"-\"");
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

/// Whether LIST's first parentheses hold that flag.
fn has_flag(list: &[u8], flag: &[u8]) -> bool {
    let flags = list.strip_prefix(b"(").and_then(|list| list.split(|b| *b == b')').next());
    flags.is_some_and(|flags| flags.split(|b| *b == b' ').any(|known| known.eq_ignore_ascii_case(flag)))
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
#[path = "answer_tests.rs"]
mod tests;
