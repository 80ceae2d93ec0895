//! Lines that fit a terminal: labels, text that is wrapped beside them, and colour. It knows nothing of what is said.

use anstyle::{AnsiColor, Style};

/// No narrower than this, or every word stands on its own line.
const WIDTH_MIN: usize = 40;
/// A label that is longer pushes its text aside by itself, not everybody's.
const COLUMN_MAX: usize = 24;

/// What a label's colour says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Title,
    Good,
    Warning,
    Bad,
}

pub struct Page {
    text: String,
    colour: bool,
    width: usize,
    column: usize,
}

impl Page {
    pub fn new(colour: bool, width: usize) -> Self {
        Self { text: String::new(), colour, width: width.max(WIDTH_MIN), column: 0 }
    }

    /// From here on labels are padded to so many characters.
    pub fn column(&mut self, len: usize) {
        self.column = len.min(COLUMN_MAX);
    }

    /// An empty line between two parts.
    pub fn gap(&mut self) {
        self.text.push('\n');
    }

    /// A label and its text; what does not fit goes on below the text.
    pub fn row(&mut self, indent: usize, label: &str, tone: Tone, body: &str) {
        let label = printable(label);
        let padding = self.column.saturating_sub(label.chars().count());
        let gap = if label.is_empty() && padding == 0 { 0 } else { padding + 1 };
        let margin = indent + label.chars().count() + gap;
        let hang = if margin > self.width / 2 { indent + 4 } else { margin };
        let lines = wrap(&printable(body), self.width, margin, hang);
        self.text.push_str(&" ".repeat(indent));
        self.paint(&label, tone);
        for (number, line) in lines.iter().enumerate() {
            match number {
                0 => self.text.push_str(&" ".repeat(gap)),
                _ => self.text.push_str(&format!("\n{}", " ".repeat(hang))),
            }
            self.text.push_str(line);
        }
        self.text.push('\n');
    }

    /// What to type: never broken, so that it can be copied. A sentence is wrapped.
    pub fn command(&mut self, indent: usize, line: &str) {
        if line.starts_with("keyrelay ") || line.starts_with("systemctl ") {
            self.text.push_str(&format!("{}$ {}\n", " ".repeat(indent), printable(line)));
        } else {
            self.row(indent, ">", Tone::Plain, line);
        }
    }

    /// A line as it stands.
    pub fn verbatim(&mut self, indent: usize, line: &str) {
        self.text.push_str(&format!("{}{}\n", " ".repeat(indent), printable(line)));
    }

    pub fn finish(self) -> String {
        self.text
    }

    fn paint(&mut self, text: &str, tone: Tone) {
        let style = match tone {
            Tone::Plain => Style::new(),
            Tone::Title => Style::new().bold(),
            Tone::Good => AnsiColor::Green.on_default(),
            Tone::Warning => AnsiColor::Yellow.on_default(),
            Tone::Bad => AnsiColor::Red.on_default().bold(),
        };
        if self.colour {
            self.text.push_str(&format!("{style}{text}{style:#}"));
        } else {
            self.text.push_str(text);
        }
    }
}

/// Texts come from consumers and mails too: none may steer the terminal.
pub(super) fn printable(text: &str) -> String {
    let steers = |c: char| match c {
        '\n' | '\t' => false,
        // These turn the direction of what follows.
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        c => c.is_control(),
    };
    text.chars().map(|c| if steers(c) { '?' } else { c }).collect()
}

/// Lines of at most `width`, the first beside `first` columns of something else, the others beside `hang`. A word
/// is never broken.
fn wrap(text: &str, width: usize, first: usize, hang: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut used = 0;
    for word in text.split_whitespace() {
        let len = word.chars().count();
        match lines.last_mut() {
            Some(line) if used + 1 + len <= width => {
                line.push(' ');
                line.push_str(word);
                used += 1 + len;
            }
            last => {
                used = len + if last.is_none() { first } else { hang };
                lines.push(word.to_owned());
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_goes_on_below_its_text_and_no_word_is_broken() {
        let mut page = Page::new(false, 40);
        page.column(6);
        page.row(
            2,
            "bot",
            Tone::Bad,
            "not tested; https://bot.internal.example.com/keyrelay/proof said nothing",
        );
        page.row(0, "a-label-longer-than-its-column", Tone::Plain, "text that has no room beside it");
        assert_eq!(
            page.finish(),
            "  bot    not tested;\n         https://bot.internal.example.com/keyrelay/proof\n         said nothing\n\
             a-label-longer-than-its-column text that\n    has no room beside it\n"
        );
    }

    #[test]
    fn a_command_is_one_line_however_long() {
        let mut page = Page::new(false, 40);
        let long = "keyrelay prove a-credential-with-a-long-name --consumer another-long-name";
        page.command(2, long);
        page.command(2, "look at the consumer, and then at the one beside it");
        let text = page.finish();
        assert_eq!(
            text,
            format!("  $ {long}\n  > look at the consumer, and then at\n    the one beside it\n")
        );
    }

    #[test]
    fn nobody_elses_text_steers_the_terminal() {
        let mut page = Page::new(false, 80);
        page.row(0, "bot", Tone::Good, "said \u{1b}[32mgood\u{7}\u{202e}");
        assert_eq!(page.finish(), "bot said ?[32mgood??\n");
    }

    #[test]
    fn colour_is_around_the_label_only() {
        let mut page = Page::new(true, 80);
        page.row(0, "bot", Tone::Good, "in use");
        page.row(0, "key", Tone::Plain, "none");
        assert_eq!(page.finish(), "\u{1b}[32mbot\u{1b}[0m in use\nkey none\n");
    }
}
