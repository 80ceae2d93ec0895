//! The checks of one file. Each finding says where, what, and why the rule is there.

use super::{
    places::{
        HAVE_TIMERS, IN_ONE_PLACE, NO_NOTES_TO_SELF, NOT_IN_PRODUCTION, NOWHERE, PLACES, Place, SLEEPERS,
        SLEEPS, UNSAFE,
    },
    source::{PathUse, Source, Token},
};
use std::collections::BTreeSet;

const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 60;

/// Everything that is wrong with the tree.
pub fn tree_findings(mut files: Vec<Source>, libraries: &[String]) -> Vec<String> {
    let for_tests: Vec<_> = files.iter().flat_map(|source| source.test_modules.clone()).collect();
    for source in &mut files {
        if source.path.starts_with("src/") && for_tests.iter().any(|above| is_below(&source.module(), above))
        {
            source.mark_as_test();
        }
    }
    let mut all: Vec<_> = files.iter().flat_map(|source| findings(source, libraries)).collect();
    all.extend(orphans(&files));
    all
}

/// Files that the compiler never sees, because no `mod` line names them.
fn orphans(files: &[Source]) -> Vec<String> {
    let children = files.iter().flat_map(|source| &source.children);
    let declared: BTreeSet<_> = children.map(|(_, path)| path[1..].join("::")).collect();
    let named: BTreeSet<_> = files.iter().flat_map(files_beside).collect();
    let is_root =
        |path: &str| path.ends_with("/lib.rs") || path.ends_with("/main.rs") || path.starts_with("benches/");
    let is_orphan = |source: &&Source| {
        !is_root(&source.path) && !declared.contains(&source.module()) && !named.contains(&source.path)
    };
    let orphans = files.iter().filter(is_orphan);
    orphans
        .map(|source| {
            format!("{}: no mod line names it, so that nothing in it is checked or run", source.path)
        })
        .collect()
}

/// What `#[path = "step_tests.rs"]` names.
fn files_beside(source: &Source) -> Vec<String> {
    let folder = source.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let names =
        source.text.lines().filter_map(|line| line.trim().strip_prefix("#[path = \"")?.strip_suffix("\"]"));
    names.map(|name| format!("{folder}/{name}")).collect()
}

/// Everything that is wrong with a file; `libraries` are the package's dependencies as Rust writes them.
pub fn findings(source: &Source, libraries: &[String]) -> Vec<String> {
    let mut findings = lengths(source);
    findings.extend(words(source));
    findings.extend(sleeps(source));
    findings.extend(elsewhere(source));
    findings.extend(unsafes(source));
    if source.path.starts_with("src/") {
        findings.extend(place_rules(source, libraries));
    }
    findings
}

fn lengths(source: &Source) -> Vec<String> {
    let (path, count) = (&source.path, source.lines());
    let mut findings = Vec::new();
    if count > FILE_LINES_MAX {
        findings.push(format!("{path}: {count} lines; more than {FILE_LINES_MAX} are two things: split it"));
    }
    let long = source.functions.iter().filter(|function| function.lines > FUNCTION_LINES_MAX);
    findings.extend(long.map(|function| {
        let (name, line, lines) = (&function.name, function.line, function.lines);
        format!("{path}:{line}: {name} has {lines} lines; a function fits on a screen ({FUNCTION_LINES_MAX})")
    }));
    findings
}

fn words(source: &Source) -> Vec<String> {
    let path = &source.path;
    let mut findings = Vec::new();
    let mut look = |pattern: &[&str], instead: &str, counts: fn(&Token) -> bool| {
        let fits = |tokens: &&[Token]| tokens.iter().zip(pattern).all(|(token, word)| token.text == *word);
        let found = source.tokens.windows(pattern.len()).filter(fits).filter(|tokens| counts(&tokens[0]));
        findings.extend(
            found.map(|tokens| format!("{path}:{}: {}: {instead}", tokens[0].line, pattern.concat())),
        );
    };
    for (pattern, instead) in NOWHERE {
        look(pattern, instead, |_| true);
    }
    for (pattern, instead) in NOT_IN_PRODUCTION.iter().filter(|_| path.starts_with("src/")) {
        look(pattern, instead, |token| !token.in_test);
    }
    for (number, line) in source.text.lines().enumerate() {
        let is_comment = line.trim_start().starts_with("//") || line.contains(" // ");
        let mut words = line.split(|c: char| !c.is_ascii_alphanumeric());
        let note = words.find(|word| is_comment && NO_NOTES_TO_SELF.contains(word));
        findings.extend(note.map(|note| format!("{path}:{}: {note}: build it, or leave it out", number + 1)));
    }
    findings
}

fn unsafes(source: &Source) -> Vec<String> {
    let (path, may) = (&source.path, UNSAFE.contains(&source.module().as_str()));
    let found = source.tokens.iter().filter(|token| token.text == "unsafe" && !may);
    let why = "unsafe: what reads others' bytes is safe code";
    found.map(|token| format!("{path}:{}: {why}; a safe call does the same", token.line)).collect()
}

fn sleeps(source: &Source) -> Vec<String> {
    let path = &source.path;
    let module = source.module();
    let may = |used: &PathUse| {
        if used.in_test || path.starts_with("tests/") {
            let helps = |name: &str| SLEEPERS.contains(&name);
            let mut helpers = source.functions.iter().filter(|function| helps(&function.name));
            return helpers
                .any(|function| (function.line..function.line + function.lines).contains(&used.line));
        }
        HAVE_TIMERS.iter().any(|(place, timer)| is_below(&module, place) && used.is_in(timer))
    };
    let found = source.paths.iter().filter(|used| SLEEPS.iter().any(|sleep| used.is_in(sleep)) && !may(used));
    let found = found.map(|used| {
        let written = used.segments.join("::");
        format!(
            "{path}:{}: {written}: who sleeps is too late or too early; wait for what is to happen",
            used.line
        )
    });
    found.collect()
}

/// What is done in one place, and here is another.
fn elsewhere(source: &Source) -> Vec<String> {
    let path = &source.path;
    let rules = IN_ONE_PLACE.iter().filter(|(below, _, place, _)| path.starts_with(below) && path != place);
    let found = rules.flat_map(|(below, what, _, instead)| {
        let used = source.paths.iter().filter(|used| *below == "tests/" || !used.in_test);
        let used = used
            .filter(move |used| format!("::{}", used.segments.join("::")).ends_with(&format!("::{what}")));
        used.map(move |used| format!("{path}:{}: {what}: {instead}", used.line))
    });
    found.collect()
}

fn place_rules(source: &Source, libraries: &[String]) -> Vec<String> {
    let path = &source.path;
    let Some((own, place)) = place_of(&source.module()) else {
        return if path == "src/lib.rs" {
            Vec::new()
        } else {
            vec![format!(
                "{path}: tests/it/tidy/places.rs has no row for it: say what it may import, and why"
            )]
        };
    };
    let finding = |line: usize, what: &str| format!("{path}:{line}: {own} has {what}; {}", place.why);
    let mut findings = Vec::new();
    for used in source.paths.iter().filter(|used| !used.in_test) {
        let written = used.segments.join("::");
        if used.segments[0] == "crate" && !may_import(own, place, &source.module(), &used.segments[1..]) {
            findings.push(finding(used.line, &written));
        }
        if let Some(allowed) = place.libraries {
            let first = used.segments[0].as_str();
            let known =
                matches!(first, "std" | "core" | "alloc") || libraries.iter().any(|library| library == first);
            if known && !allowed.contains(&first) {
                findings.push(finding(used.line, &written));
            }
        }
        let never = place.never.iter().copied().flatten().filter(|rule| rule.contains("::"));
        if never.filter(|rule| used.is_in(rule.trim_end_matches("::"))).count() > 0 {
            findings.push(finding(used.line, &written));
        }
    }
    let words: Vec<_> = place.never.iter().copied().flatten().filter(|rule| !rule.contains("::")).collect();
    let found =
        source.tokens.iter().filter(|token| !token.in_test && words.iter().any(|word| **word == token.text));
    findings.extend(found.map(|token| finding(token.line, &token.text)));
    findings.dedup();
    findings
}

/// The row with the longest path that the module is, or is below.
pub fn place_of(module: &str) -> Option<(&'static str, &'static Place)> {
    let rows = PLACES.iter().flat_map(|place| place.paths.iter().map(move |path| (*path, place)));
    rows.filter(|(path, _)| is_below(module, path)).max_by_key(|(path, _)| path.len())
}

fn may_import(own: &str, place: &Place, module: &str, target: &[String]) -> bool {
    let target = target.join("::");
    // What a crate gives at its root belongs to no place.
    let Some((its, _)) = place_of(&target) else { return place.may_import.contains(&"*") };
    let is_child = module == own && is_below(its, own);
    let listed = |list: &[&str]| list.iter().any(|path| *path == "*" || is_below(&target, path));
    its == own || is_child || (listed(place.may_import) && !listed(place.but_not))
}

/// Whether `path` is `above`, or below it.
fn is_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

impl PathUse {
    fn is_in(&self, above: &str) -> bool {
        is_below(&self.segments.join("::"), above)
    }
}
