//! What scripts/test does last: every secret that any test has noted, and every canary that is written in the sources of
//! a test, is looked for in all that the tests have printed, and in all that anything has left in the common folder of
//! temporary files. So it counts for tests of single functions, too, which have no world.

use crate::world::{Canary, Leak, Scratch};
use regex::Regex;
use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
};

#[test]
fn r60_no_secret_of_any_test_is_in_what_the_run_printed_or_left_behind() {
    let folder = |name: &str| env::var_os(name).map(PathBuf::from).expect("scripts/test sets it");
    let (noted, left) = (folder("TEST_SECRETS_DIR"), folder("TMPDIR"));
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let secrets = all_secrets(&noted);
    let leaks = leaks(&secrets, &target.join("nextest/default/junit.xml"), &left, &noted);
    println!("{} secrets were looked for", secrets.len());
    assert_eq!(leaks, []);
}

/// Those of the tests that had a world, and those that stand in the sources.
fn all_secrets(noted: &Path) -> BTreeSet<String> {
    let mut secrets = BTreeSet::new();
    for entry in fs::read_dir(noted).expect("the folder of secrets") {
        let texts = fs::read_to_string(entry.expect("a file").path()).expect("secrets");
        secrets.extend(texts.lines().map(str::to_owned));
    }
    let given = Regex::new(r#"\b(?:Key::parse|Secret::new|key)\("([^"\\]{16,})"\)"#).expect("a pattern");
    let in_sources = sources(&root().join("src")).into_iter().chain(sources(&root().join("tests")));
    for source in in_sources {
        let text = fs::read_to_string(source).expect("a source");
        let found = given.captures_iter(&text).map(|found| found[1].to_owned());
        // So are marked those that may be nowhere; others are like what is shown, on purpose.
        secrets.extend(found.filter(|secret| secret.contains("canary")));
    }
    secrets
}

fn leaks(secrets: &BTreeSet<String>, printed: &Path, left: &Path, but_not: &Path) -> Vec<Leak> {
    let canary = Canary::new(&secrets.iter().map(String::as_str).collect::<Vec<_>>());
    let entries = fs::read_dir(left).expect("the common folder").map(|entry| entry.expect("a file").path());
    let left_behind = entries.filter(|path| path != but_not).flat_map(|path| canary.scan(&path));
    canary.scan(printed).into_iter().chain(left_behind).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path());
    let below = entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] });
    below.filter(|path| path.extension().is_some_and(|ending| ending == "rs")).collect()
}

mod tests {
    use super::*;

    const KEY: &str = "l7_whole_run_5Jd6yLs1Kq2vTz9";

    #[test]
    fn r60_a_secret_that_was_printed_or_left_behind_is_found() {
        let scratch = Scratch::new();
        let (noted, left) = (scratch.folder("left/secrets"), scratch.folder("left"));
        scratch.write("left/secrets/1", &format!("another-4Wn7xRb3-secret\n{KEY}"));
        let printed =
            scratch.write("junit.xml", "<system-out>Fleet { key: Key(0123456789abcdef) }</system-out>");
        let secrets = all_secrets(&noted);
        assert!(secrets.contains(KEY));
        assert!(secrets.contains("canary-0123456789-secret"), "it stands in src/domain/key.rs");
        assert_eq!(leaks(&secrets, &printed, &left, &noted), []);
        scratch.write("junit.xml", &format!("<system-out>Fleet {{ key: {KEY} }}</system-out>"));
        scratch.write("left/tmp-1", &format!("left={KEY}"));
        let places: Vec<_> = leaks(&secrets, &printed, &left, &noted)
            .into_iter()
            .map(|leak| (leak.place, leak.form))
            .collect();
        let pieces = scratch.write("junit.xml", &format!("<system-out>{}</system-out>", &KEY[4..18]));
        assert_ne!(leaks(&secrets, &pieces, &noted, &noted), [], "a piece of it is enough");
        let (printed, tmp) = (printed.display().to_string(), left.join("tmp-1").display().to_string());
        assert!(places.contains(&(printed, "JSON")), "{places:?}");
        assert!(places.iter().any(|(place, _)| *place == tmp), "{places:?}");
    }
}
