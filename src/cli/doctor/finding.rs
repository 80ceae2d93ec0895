//! What was tried, what was seen, and what to do about it. It tries nothing itself.

use crate::{
    cli::console::Exit,
    domain::StoreTrouble,
    face::page::{Page, Tone},
};

/// How one thing stands. The worst of all decides how doctor ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Ok,
    /// It works, or cannot be told; somebody should know.
    Warning,
    /// It was not tried, because something that it needs has failed, or is another's.
    Skipped,
    /// The daemon would fail at it.
    Failed,
    /// An outside system does not answer, or is sealed.
    Unreachable,
    /// The configuration does not hold: the daemon would not start.
    Mistake,
}

impl Level {
    fn label(self) -> (&'static str, Tone) {
        match self {
            Level::Ok => ("ok", Tone::Good),
            Level::Warning => ("warning", Tone::Warning),
            Level::Skipped => ("skipped", Tone::Plain),
            Level::Failed | Level::Unreachable | Level::Mistake => ("FAILED", Tone::Bad),
        }
    }
    fn exit(self) -> Exit {
        match self {
            Level::Ok | Level::Warning | Level::Skipped => Exit::Done,
            Level::Failed => Exit::NotHeld,
            Level::Unreachable => Exit::Unreachable,
            Level::Mistake => Exit::Mistake,
        }
    }
    pub fn is_failure(self) -> bool {
        self.exit() != Exit::Done
    }
}

/// What to do: a line to type, which is never broken, or words.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fix {
    Type(String),
    Do(String),
}

/// One line of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub level: Level,
    tried: String,
    seen: String,
    fixes: Vec<Fix>,
}

impl Line {
    pub fn new(level: Level, tried: impl Into<String>, seen: impl Into<String>) -> Self {
        Self { level, tried: tried.into(), seen: seen.into(), fixes: Vec::new() }
    }
    pub fn ok(tried: impl Into<String>, seen: impl Into<String>) -> Self {
        Self::new(Level::Ok, tried, seen)
    }
    pub fn warning(tried: impl Into<String>, seen: impl Into<String>) -> Self {
        Self::new(Level::Warning, tried, seen)
    }
    pub fn skipped(tried: impl Into<String>, seen: impl Into<String>) -> Self {
        Self::new(Level::Skipped, tried, seen)
    }
    pub fn failed(tried: impl Into<String>, seen: impl Into<String>) -> Self {
        Self::new(Level::Failed, tried, seen)
    }
    pub fn unreachable(tried: impl Into<String>, seen: impl Into<String>) -> Self {
        Self::new(Level::Unreachable, tried, seen)
    }

    /// Why the store did not do it, and what to do then.
    pub fn store_trouble(tried: impl Into<String>, trouble: &StoreTrouble) -> Self {
        match trouble {
            StoreTrouble::Unreachable(why) => {
                Self::unreachable(tried, why).advice("start the store, or correct store.vault.address")
            }
            StoreTrouble::Untrusted(why) => {
                Self::failed(tried, format!("its certificate is not trusted: {why}"))
                    .advice("name its authority's certificate: store.vault.ca_cert")
            }
            StoreTrouble::LoggedOut(why) => {
                Self::failed(tried, format!("the login is refused, or over: {why}"))
                    .advice("correct store.vault.auth, or write its secret anew")
            }
            StoreTrouble::Sealed => Self::unreachable(tried, "it is sealed").command("bao operator unseal"),
            StoreTrouble::Forbidden(why) => {
                Self::failed(tried, format!("forbidden: {why}")).command("keyrelay policy vault")
            }
            StoreTrouble::Refused(why) => Self::failed(tried, format!("refused: {why}")),
        }
    }

    /// What is seen is to be expected, for this reason: no failure, but something to know.
    pub fn at_most_warning(mut self, why: &str) -> Self {
        if self.level.is_failure() {
            (self.level, self.seen) = (Level::Warning, format!("{} ({why})", self.seen));
        }
        self
    }

    /// A line to type, complete.
    pub fn command(mut self, line: impl Into<String>) -> Self {
        self.fixes.push(Fix::Type(line.into()));
        self
    }
    pub fn advice(mut self, words: impl Into<String>) -> Self {
        self.fixes.push(Fix::Do(words.into()));
        self
    }

    fn text(&self) -> String {
        format!("{}: {}", self.tried, self.seen)
    }
    fn show_fixes(&self, page: &mut Page, indent: usize) {
        for fix in &self.fixes {
            match fix {
                Fix::Type(line) => page.verbatim(indent, &format!("$ {line}")),
                Fix::Do(words) => page.row(indent, ">", Tone::Plain, words),
            }
        }
    }
}

/// What belongs together, under one heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Area {
    pub title: String,
    pub lines: Vec<Line>,
}

impl Area {
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), lines: Vec::new() }
    }
    pub fn add(&mut self, line: Line) {
        self.lines.push(line);
    }
}

/// The worst of them.
pub fn exit(areas: &[Area]) -> Exit {
    areas.iter().flat_map(|area| &area.lines).map(|line| line.level.exit()).max().unwrap_or(Exit::Done)
}

const LABEL: usize = "warning".len();

/// Everything that was seen, then what to fix.
pub fn text(areas: &[Area], colour: bool, width: usize) -> String {
    let mut page = Page::new(colour, width);
    for area in areas.iter().filter(|area| !area.lines.is_empty()) {
        page.column(0);
        page.row(0, &area.title, Tone::Title, "");
        for line in &area.lines {
            let (label, tone) = line.level.label();
            page.column(LABEL);
            page.row(2, label, tone, &line.text());
            page.column(0);
            line.show_fixes(&mut page, 2 + LABEL + 1);
        }
        page.gap();
    }
    page.column(0);
    what_to_fix(areas, &mut page);
    page.row(0, "", Tone::Plain, &counts(areas));
    page.finish()
}

fn what_to_fix(areas: &[Area], page: &mut Page) {
    let failed: Vec<_> = areas
        .iter()
        .flat_map(|area| area.lines.iter().map(move |line| (area, line)))
        .filter(|(_, line)| line.level.is_failure())
        .collect();
    if failed.is_empty() {
        return;
    }
    page.row(0, "what to fix", Tone::Title, "");
    for (number, (area, line)) in failed.iter().enumerate() {
        let label = format!("{}.", number + 1);
        page.row(2, &label, Tone::Bad, &format!("{}: {}", area.title, line.text()));
        line.show_fixes(page, 2 + label.len() + 1);
    }
    page.gap();
}

fn counts(areas: &[Area]) -> String {
    let lines = || areas.iter().flat_map(|area| &area.lines);
    let of = |counts: fn(Level) -> bool| lines().filter(|line| counts(line.level)).count();
    let failed = of(Level::is_failure);
    let said = [
        (failed, "failed"),
        (of(|level| level == Level::Warning), "to know of"),
        (of(|level| level == Level::Skipped), "skipped"),
        (of(|level| level == Level::Ok), "ok"),
    ];
    let said: Vec<_> =
        said.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    let verdict = if failed == 0 { "the daemon will find what it needs" } else { "not ready" };
    format!("{verdict}: {}", said.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn areas() -> Vec<Area> {
        let mut store = Area::new("store");
        store.add(Line::ok("login", "as an AppRole; its token lives for 1 h"));
        store.add(
            Line::failed("secret/config", "max_versions is 2")
                .command("bao write secret/config max_versions=10"),
        );
        let mut mail = Area::new("mailbox vendor-mail");
        mail.add(Line::warning("newest notice", "none in 30 days"));
        mail.add(Line::skipped("folders", "no login"));
        mail.add(Line::unreachable("login", "no answer").advice("start it"));
        vec![store, mail, Area::new("nothing was tried")]
    }

    #[test]
    fn each_thing_is_a_line_and_the_failures_come_again_at_the_end_with_what_to_type() {
        assert_eq!(
            text(&areas(), false, 80),
            "store
  ok      login: as an AppRole; its token lives for 1 h
  FAILED  secret/config: max_versions is 2
          $ bao write secret/config max_versions=10

mailbox vendor-mail
  warning newest notice: none in 30 days
  skipped folders: no login
  FAILED  login: no answer
          > start it

what to fix
  1. store: secret/config: max_versions is 2
     $ bao write secret/config max_versions=10
  2. mailbox vendor-mail: login: no answer
     > start it

not ready: 2 failed, 1 to know of, 1 skipped, 1 ok
"
        );
    }

    #[test]
    fn the_worst_decides_how_it_ends_and_a_warning_is_no_failure() {
        let only = |level| {
            vec![Area { title: "a".into(), lines: vec![Line::ok("b", "c"), Line::new(level, "d", "e")] }]
        };
        for (level, ended) in [
            (Level::Warning, Exit::Done),
            (Level::Skipped, Exit::Done),
            (Level::Failed, Exit::NotHeld),
            (Level::Unreachable, Exit::Unreachable),
            (Level::Mistake, Exit::Mistake),
        ] {
            assert_eq!(exit(&only(level)), ended);
        }
        assert_eq!(exit(&areas()), Exit::Unreachable);
        assert!(text(&only(Level::Ok), false, 80).ends_with("\nthe daemon will find what it needs: 2 ok\n"));
    }
}
