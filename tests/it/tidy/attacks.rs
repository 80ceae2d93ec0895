//! Every attack and fault that is known has a test that bears its row's name, or a sentence that says why it does not
//! apply. `docs/attacks.md` is the list; its last column is what is found in the tree.

use super::{read, root, source::Source};
use std::{collections::BTreeMap, fmt::Write, fs, ops::RangeInclusive};

const LIST: &str = "docs/attacks.md";
const SENTENCES: &str = "docs/security.md";
const EXCUSED: &str = "[does not apply](security.md#what-does-not-apply)";

/// The rows by subject: mails, the mailbox, secrets, HTTP, clocks, faults.
const ROWS: [(&str, RangeInclusive<u32>); 8] = [
    ("M", 1..=59),
    ("IMAP", 1..=14),
    ("S", 1..=25),
    ("H", 1..=9),
    ("C", 1..=8),
    ("R", 1..=36),
    ("R", 38..=56),
    ("R", 58..=62),
];

/// What is wrong with the list. With `WRITE_DOCS` its last column is written anew first.
pub fn findings(files: &[Source]) -> Vec<String> {
    let tests = tests_by_row(files);
    let is_test = |row: &str| tests.get(row).map(|names| shown(names));
    let mut text = read(LIST);
    if std::env::var_os("WRITE_DOCS").is_some() {
        text = rewritten(&text, is_test);
        fs::write(root().join(LIST), &text).expect("the list can be written");
    }
    let (listed, sentences) = (listed(&text), read(SENTENCES));
    let mut found = Vec::new();
    for row in rows() {
        let excused =
            sentences.lines().any(|line| line.starts_with("- **") && names(line).any(|name| name == row));
        match (listed.get(row.as_str()), is_test(&row)) {
            (None, _) => found.push(format!("{LIST}: {row} is missing")),
            (Some(_), None) if !excused => {
                found.push(format!("{row}: no test bears its name, and {SENTENCES} does not say why"))
            }
            (Some(column), tests) => {
                let tests = tests.unwrap_or_else(|| EXCUSED.into());
                if *column != tests {
                    found.push(format!("{LIST}: {row}: the last column should be: {tests}"));
                }
            }
        }
    }
    if !found.is_empty() {
        found.push("WRITE_DOCS=1 scripts/test -E 'test(tidy)' writes the last column".into());
    }
    found
}

fn rows() -> impl Iterator<Item = String> {
    ROWS.iter()
        .flat_map(|(letter, numbers)| numbers.clone().map(move |number| format!("{letter}{number:02}")))
}

/// By the words that a test's name begins with: `r24_m54_what_came_with_…`.
fn tests_by_row(files: &[Source]) -> BTreeMap<String, Vec<&str>> {
    let mut tests: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for function in files.iter().flat_map(|file| &file.functions) {
        for row in function.name.split('_').take_while(|word| is_row(word)) {
            tests.entry(row.to_uppercase()).or_default().push(&function.name);
        }
    }
    tests.values_mut().for_each(|names| names.sort_unstable());
    tests
}

fn is_row(word: &str) -> bool {
    let digits = word.trim_start_matches(|c: char| c.is_ascii_lowercase());
    let letters = &word[..word.len() - digits.len()];
    digits.len() == 2
        && digits.bytes().all(|b| b.is_ascii_digit())
        && ROWS.iter().any(|(known, _)| known.eq_ignore_ascii_case(letters))
}

fn shown(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" ")
}

/// `| M06 | what it is | the tests |`: the last column by row.
fn listed(text: &str) -> BTreeMap<&str, &str> {
    text.lines().filter_map(columns).map(|[row, _, tests]| (row, tests)).collect()
}

fn columns(line: &str) -> Option<[&str; 3]> {
    let inner = line.strip_prefix("| ")?.strip_suffix(" |")?;
    let columns: Vec<&str> = inner.split(" | ").collect();
    let columns = <[&str; 3]>::try_from(columns).ok()?;
    is_row(&columns[0].to_lowercase()).then_some(columns)
}

fn rewritten(text: &str, tests: impl Fn(&str) -> Option<String>) -> String {
    let mut written = String::new();
    for line in text.lines() {
        let line = match columns(line) {
            Some([row, what, _]) => {
                format!("| {row} | {what} | {} |", tests(row).unwrap_or_else(|| EXCUSED.into()))
            }
            None => line.to_owned(),
        };
        // Writing to a text cannot fail.
        let _ = writeln!(written, "{line}");
    }
    written
}

/// The rows that a sentence speaks of: `- **M50, M51** …`.
fn names(line: &str) -> impl Iterator<Item = &str> {
    let bold = line.split("**").nth(1).unwrap_or_default();
    bold.split(", ")
}
