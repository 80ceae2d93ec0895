//! The person (or the script) in front of the program: results go to standard output, everything else to standard
//! error, questions only to a terminal. How a command ended is an exit code.

use std::{
    io::{self, BufRead, IsTerminal, Write},
    process::ExitCode,
};

/// What a text is wrapped at where there is no terminal to ask.
const WIDTH: usize = 80;
const HEIGHT: usize = 24;
/// Longer lines are hard to read.
const WIDTH_MAX: usize = 120;

/// How a command ended. Where several fit, the worst counts; the order is that of being told first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    Done,
    /// It did not hold: a consumer is not tested, an incident is open, a key was refused.
    NotHeld,
    /// An outside system could not be reached.
    Unreachable,
    /// Usage or configuration: the operator's to mend.
    Mistake,
}

impl Exit {
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::NotHeld => 1,
            Exit::Mistake => 2,
            Exit::Unreachable => 3,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

/// Why a command ended before it had a result: what happened, and what to do or type.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    exit: Exit,
    message: String,
    hint: Option<String>,
}

impl Failure {
    pub fn mistake(message: impl Into<String>) -> Self {
        Self { exit: Exit::Mistake, message: message.into(), hint: None }
    }
    pub fn refused(message: impl Into<String>) -> Self {
        Self { exit: Exit::NotHeld, message: message.into(), hint: None }
    }
    pub fn unreachable(message: impl Into<String>) -> Self {
        Self { exit: Exit::Unreachable, message: message.into(), hint: None }
    }
    pub fn hint(mut self, hint: impl Into<Option<String>>) -> Self {
        self.hint = hint.into();
        self
    }
    pub fn tell(self, console: &mut Console<'_>) -> Exit {
        console.tell(&self.message);
        self.hint.iter().for_each(|hint| console.tell(hint));
        self.exit
    }
}

pub struct Console<'a> {
    results: &'a mut (dyn Write + Send),
    errors: &'a mut (dyn Write + Send),
    pub colour: bool,
    pub width: usize,
    /// Results go to a terminal whose cursor can be moved.
    pub terminal: bool,
    /// Somebody sits there and can be asked.
    pub asks: bool,
    /// Why results could not be written.
    lost: Option<io::Error>,
}

impl<'a> Console<'a> {
    /// For files and pipes: no colour, no questions.
    pub fn new(results: &'a mut (dyn Write + Send), errors: &'a mut (dyn Write + Send)) -> Self {
        Self { results, errors, colour: false, width: WIDTH, terminal: false, asks: false, lost: None }
    }

    /// As this process's standard streams are.
    pub fn of_process(results: &'a mut (dyn Write + Send), errors: &'a mut (dyn Write + Send)) -> Self {
        let terminal = io::stdout().is_terminal();
        let forbidden =
            |name: &str, value: fn(&str) -> bool| std::env::var(name).is_ok_and(|text| value(&text));
        let dumb = forbidden("TERM", |text| text == "dumb");
        let plain = forbidden("NO_COLOR", |text| !text.is_empty()) || dumb;
        let mut console = Self {
            colour: terminal && !plain,
            terminal: terminal && !dumb,
            asks: io::stdin().is_terminal() && io::stderr().is_terminal(),
            ..Self::new(results, errors)
        };
        console.measure();
        console
    }

    /// Takes the terminal's width, which may change; returns its height.
    pub fn measure(&mut self) -> usize {
        let size = rustix::termios::tcgetwinsize(io::stdout()).ok();
        let of = |length: fn(&rustix::termios::Winsize) -> u16, otherwise| {
            size.as_ref()
                .map(|size| usize::from(length(size)))
                .filter(|length| *length > 0)
                .unwrap_or(otherwise)
        };
        self.width = of(|size| size.ws_col, WIDTH).min(WIDTH_MAX);
        of(|size| size.ws_row, HEIGHT)
    }

    /// A result: a line, or several.
    pub fn say(&mut self, text: &str) {
        let end = if text.ends_with('\n') { "" } else { "\n" };
        if let Err(error) = write!(self.results, "{text}{end}") {
            self.lost.get_or_insert(error);
        }
    }

    /// As it stands, and at once: what redraws a terminal.
    pub fn draw(&mut self, text: &str) {
        if let Err(error) = self.results.write_all(text.as_bytes()).and_then(|()| self.results.flush()) {
            self.lost.get_or_insert(error);
        }
    }
    /// Nobody reads results any more.
    pub fn is_lost(&self) -> bool {
        self.lost.is_some()
    }

    /// Anything else. Nobody can be told that nobody can be told.
    pub fn tell(&mut self, text: &str) {
        let end = if text.ends_with('\n') { "" } else { "\n" };
        let _ = write!(self.errors, "{text}{end}");
    }

    /// Without a line's end: the answer is typed behind it.
    pub fn prompt(&mut self, text: &str) {
        let _ = write!(self.errors, "{text}").and_then(|()| self.errors.flush());
    }

    /// Only a plain yes is one.
    pub fn ask(&mut self, question: &str) -> bool {
        let answer = self.answer(&format!("{question} [y/N] "));
        matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
    }

    /// The line that is typed; empty where none can be read.
    pub fn answer(&mut self, question: &str) -> String {
        self.prompt(question);
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer).map(|_| answer).unwrap_or_default()
    }

    /// The exit code, after everything is out. A reader that went away wanted no more; a full disk is a failure.
    pub fn finish(&mut self, exit: Exit) -> Exit {
        let lost = match self.results.flush() {
            Ok(()) => self.lost.take(),
            Err(error) => Some(error),
        };
        match lost {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                self.tell(&format!("the result cannot be written: {error}"));
                exit.max(Exit::Unreachable)
            }
            Some(_) | None => exit,
        }
    }
}
