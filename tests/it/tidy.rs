//! The rules of the house, checked on the tree itself: who may import what, what is said nowhere, how long things
//! may get, and which libraries may come in. A finding says why its rule is there.

mod attacks;
mod checks;
mod lockfile;
mod places;
mod rules_tests;
mod source;

use source::Source;
use std::{
    fs,
    path::{Path, PathBuf},
};

#[test]
fn the_tree_keeps_the_rules_of_the_house() {
    let libraries = lockfile::libraries(&read("Cargo.toml"));
    let files: Vec<_> = rust_files().iter().map(|path| Source::parse(path, &read(path))).collect();
    assert!(files.len() > 20, "the tree is looked at: {} files", files.len());
    assert_none(checks::tree_findings(files, &libraries));
}

#[test]
fn every_known_attack_has_a_test_that_bears_its_name_or_a_sentence_why_not() {
    let files: Vec<_> = rust_files().iter().map(|path| Source::parse(path, &read(path))).collect();
    assert_none(attacks::findings(&files));
}

#[test]
fn the_map_in_lib_rs_names_every_place() {
    let mut names: Vec<_> =
        entries("src").iter().map(|path| path.file_stem().expect("a name").to_owned()).collect();
    names.retain(|name| name != "lib" && name != "main");
    let names: Vec<_> = names.iter().map(|name| name.to_str().expect("a plain name")).collect();
    assert_none(lockfile::unnamed(&names, &read("src/lib.rs")));
}

#[test]
fn one_tls_stack_one_http_client_and_no_archived_crate_are_locked() {
    assert_none(lockfile::findings(&read("Cargo.lock")));
}

#[test]
fn every_fuzz_target_is_built_and_has_a_few_seeds() {
    let manifest = read("fuzz/Cargo.toml");
    let targets = entries("fuzz/fuzz_targets");
    assert!(targets.len() >= 14, "the targets are looked at: {}", targets.len());
    for target in targets {
        let name = target.file_stem().and_then(|name| name.to_str()).expect("a plain name");
        let built = manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\""));
        assert!(built, "fuzz/Cargo.toml has no [[bin]] for {name}: nobody builds it");
        let seeds = entries(&format!("fuzz/corpus/{name}"));
        let bytes: u64 = seeds.iter().map(|seed| seed.metadata().expect("a seed").len()).sum();
        assert!((1..=32 << 10).contains(&bytes), "fuzz/corpus/{name} has {bytes} bytes; a few kilobytes do");
    }
}

#[test]
fn every_bug_that_is_planted_for_the_simulation_applies_to_the_tree() {
    let patches = entries("tests/planted");
    assert!(patches.len() >= 20, "the patches are looked at: {}", patches.len());
    for patch in patches {
        let git =
            std::process::Command::new("git").arg("apply").arg("--check").arg(&patch).output().expect("git");
        let why = String::from_utf8_lossy(&git.stderr);
        assert!(git.status.success(), "{}: write it anew for the tree as it is: {why}", patch.display());
    }
}

fn assert_none(findings: Vec<String>) {
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn entries(folder: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(root().join(folder)) else { return Vec::new() };
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a directory entry").path()).collect();
    paths.sort();
    paths
}

/// Every Rust file of the package, as paths from its root.
fn rust_files() -> Vec<String> {
    let mut files = Vec::new();
    let mut folders: Vec<String> = ["src", "tests", "benches", "examples"].map(str::to_owned).into();
    while let Some(folder) = folders.pop() {
        for path in entries(&folder) {
            let below =
                path.strip_prefix(root()).expect("below the root").to_str().expect("a plain name").to_owned();
            if path.is_dir() {
                folders.push(below);
            } else if below.ends_with(".rs") {
                files.push(below);
            }
        }
    }
    files
}
