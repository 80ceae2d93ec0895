//! Every rule can fail: small sources that break one, and what is said of them.

use super::{checks, lockfile, places::PLACES, source::Source};

/// What is found in a file that lies at `path`, without the reasons.
fn found(path: &str, text: &str) -> Vec<String> {
    let libraries = ["tokio", "serde", "serde_json", "reqwest", "imap", "tracing"].map(str::to_owned);
    let findings = checks::findings(&Source::parse(path, text), &libraries).into_iter();
    findings
        .map(|finding| finding.split_once(';').map_or(finding.clone(), |(what, _)| what.to_owned()))
        .collect()
}

fn nothing() -> Vec<String> {
    Vec::new()
}

#[test]
fn a_place_imports_what_its_row_names_and_no_more() {
    for (path, text, finding) in [
        ("src/domain/key.rs", "use crate::rotation::Fleet;", "domain has crate::rotation::Fleet"),
        ("src/rotation/step.rs", "use crate::vendor::Profile;", "rotation has crate::vendor::Profile"),
        ("src/vendor/recognise.rs", "use crate::mail::imap::Imap;", "vendor has crate::mail::imap::Imap"),
        ("src/mail/imap/idle.rs", "use crate::mail::dns;", "mail::imap has crate::mail::dns"),
        ("src/mail/imap.rs", "use super::maildir::open;", "mail::imap has crate::mail::maildir::open"),
        (
            "src/store/vault/mod.rs",
            "use crate::rotation::Effect;",
            "store::vault has crate::rotation::Effect",
        ),
        ("src/store/layout.rs", "use super::local::Local;", "store::layout has crate::store::local::Local"),
        ("src/spool.rs", "fn f() { crate::alert::send() }", "spool has crate::alert::send"),
        ("src/alert/render.rs", "use super::smtp;", "alert has crate::alert::smtp"),
        ("src/face/status.rs", "use crate::store::Settings;", "face has crate::store::Settings"),
        ("src/config/mod.rs", "use crate::rotation::Fleet;", "config has crate::rotation::Fleet"),
        ("src/daemon/mod.rs", "use crate::demo::run;", "daemon has crate::demo::run"),
        ("src/main.rs", "use keyrelay::daemon::run;", "main has crate::daemon::run"),
    ] {
        assert_eq!(found(path, text), [format!("{path}:1: {finding}")]);
    }
    for (path, text) in [
        ("src/rotation/step.rs", "use crate::domain::{Fingerprint, KeyDocument}; use super::state::State;"),
        ("src/vendor/recognise.rs", "use crate::mail::{Search, parse::Parsed}; use crate::domain::Name;"),
        ("src/mail/imap/idle.rs", "use super::Session; use crate::mail::RawMail; use crate::tls;"),
        (
            "src/store/mod.rs",
            "pub mod local; pub mod vault; pub enum S { A(vault::Settings), B(local::Settings) }",
        ),
        ("src/probe.rs", "use crate::vendor::profile::Probe;"),
        ("src/demo/mod.rs", "use crate::{daemon, cli, rotation};"),
        ("src/main.rs", "fn main() { keyrelay::cli::main() }"),
    ] {
        assert_eq!(found(path, text), nothing());
    }
}

#[test]
fn clients_and_simulated_vendors_are_made_in_one_place() {
    for (path, text, finding) in [
        ("src/probe.rs", "use reqwest::Client; fn f() { Client::builder() }", "reqwest::Client::builder"),
        ("src/alert/web.rs", "fn f() { reqwest::Client::new() }", "reqwest::Client::new"),
        (
            "src/probe.rs",
            "use reqwest::{ClientBuilder as B}; fn f() { B::new() }",
            "reqwest::ClientBuilder::new",
        ),
        (
            "tests/it/cli.rs",
            "use keyrelay::demo::simulator::{self, Mode}; fn f() { simulator::start(o) }",
            "simulator::start",
        ),
    ] {
        let found = found(path, text);
        assert!(found.len() == 1 && found[0].starts_with(&format!("{path}:1: {finding}: ")), "{found:?}");
    }
    for (path, text) in [
        ("src/http.rs", "use reqwest::ClientBuilder; fn f() { ClientBuilder::new() }"),
        ("src/mail/imap/mod.rs", "use imap::Client; fn f() { Client::new(s) }"),
        ("src/probe/tests/mod.rs", "fn f() { reqwest::Client::new() }"),
        ("tests/it/world/secrets.rs", "use keyrelay::demo::simulator; fn f() { simulator::start(o) }"),
    ] {
        assert_eq!(found(path, text), nothing(), "{text}");
    }
}

#[test]
fn a_path_is_understood_however_it_is_written() {
    let finding =
        |line: usize| format!("src/rotation/step.rs:{line}: rotation has crate::store::vault::Vault");
    for (line, text) in [
        (1, "use crate::{domain::Key2, store::{vault::{Vault, }}};"),
        (1, "use super::super::store::vault::Vault;"),
        (2, "\nfn f() -> crate::store::vault::Vault { g() }"),
        (2, "mod inner {\nuse super::super::super::store::vault::Vault; }"),
        (3, "macro_rules! m { () => {\n\ncrate::store::vault::Vault } }"),
    ] {
        assert_eq!(found("src/rotation/step.rs", text), [finding(line)], "{text}");
    }
    let twice = found("src/rotation/step.rs", "use crate::store as kept;\nfn f() { kept::vault::Vault }");
    assert_eq!(twice, ["src/rotation/step.rs:1: rotation has crate::store".to_owned(), finding(2)]);
    assert_eq!(
        found("src/rotation/step.rs", "// crate::store\nconst A: &str = \"crate::store\";"),
        nothing()
    );
}

#[test]
fn the_core_has_no_clock_no_chance_no_input_and_no_keys() {
    for (text, finding) in [
        ("use std::{fmt, fs};", "std::fs"),
        ("use std::time::Instant;", "Instant"),
        ("fn f(now: std::time::SystemTime) {}", "SystemTime"),
        ("use std::collections::HashMap;", "HashMap"),
        ("async fn f() {}", "async"),
        ("fn f(key: &Key) {}", "Key"),
        ("use tracing::info;", "tracing::info"),
        ("use reqwest::Url;", "reqwest::Url"),
    ] {
        assert!(
            found("src/rotation/state.rs", text)
                .contains(&format!("src/rotation/state.rs:1: rotation has {finding}")),
            "{text}"
        );
    }
    let calm = "use crate::domain::KeyDocument; enum Event { KeySeen } fn f(unwrap_or: Duration) {}";
    assert_eq!(found("src/rotation/state.rs", calm), nothing());
    let tests = "#[cfg(test)]\nmod tests { use std::collections::HashMap; fn f() { HashMap::new(); } }";
    assert_eq!(found("src/rotation/state.rs", tests), nothing());
    assert_eq!(found("src/rotation/state_tests.rs", "use std::collections::HashMap;"), nothing());
    let behind = "#[cfg(test)]\nmod tests;\nuse std::collections::HashMap;";
    assert_eq!(found("src/rotation/state.rs", behind), ["src/rotation/state.rs:3: rotation has HashMap"]);
}

#[test]
fn pure_places_have_no_network_and_no_clock_and_adapters_do_not_try_again() {
    for (path, text, finding) in [
        ("src/vendor/recognise.rs", "use std::net::IpAddr;", "vendor has std::net::IpAddr"),
        ("src/mail/parse.rs", "use tokio::fs::read;", "mail has tokio::fs::read"),
        (
            "src/store/layout.rs",
            "fn f() { std::time::SystemTime::now(); }",
            "store::layout has std::time::SystemTime::now",
        ),
        ("src/alert/render.rs", "async fn f() {}", "alert has async"),
        ("src/face/status.rs", "use std::time::Instant;", "face has Instant"),
        ("src/config/load.rs", "use std::net::TcpStream;", "config has TcpStream"),
        ("src/store/vault/mod.rs", "fn f() { for retries in 0..3 {} }", "store::vault has retries"),
        ("src/consumer/deliver/file.rs", "use figment::Figment;", "consumer has figment::Figment"),
        ("src/domain/time.rs", "use chrono::Utc; fn f() { Utc::now(); }", "domain has chrono::Utc::now"),
        ("src/domain/key.rs", "use reqwest::Url;", "domain has reqwest::Url"),
    ] {
        assert_eq!(found(path, text), [format!("{path}:1: {finding}")]);
    }
    // A module of a library's name is not the library.
    assert_eq!(found("src/mail/mod.rs", "pub mod imap;\nfn f(settings: &imap::Settings) {}"), nothing());
    assert_eq!(found("src/probe.rs", "fn f(answer: &Answer) { answer.retry_after; }"), nothing());
}

#[test]
fn what_is_said_nowhere_is_found_everywhere() {
    for (text, finding) in [
        ("fn f() { todo!() }", "todo!: what is not built is left out"),
        ("fn f() { unimplemented!(\"x\") }", "unimplemented!: what is not built is left out"),
        ("fn f() { dbg!(1); }", "dbg!: it prints secrets"),
        ("#[ignore]\nfn f() {}", "#[ignore: a test that does not run is no test"),
        ("#[allow(dead_code)]\nfn f() {}", "#[allow: mend what the lint says"),
        ("#![allow(dead_code)]", "#![allow: mend what the lint says"),
        ("use std::thread::sleep;", "std::thread::sleep: who sleeps is too late or too early"),
        (
            "use tokio::time;fn f() { time::sleep(x); }",
            "tokio::time::sleep: who sleeps is too late or too early",
        ),
        ("/// TODO: more", "TODO: build it, or leave it out"),
    ] {
        for path in ["src/cli/mod.rs", "tests/it/store.rs", "src/daemon/tests.rs"] {
            assert_eq!(found(path, text), [format!("{path}:1: {finding}")]);
        }
    }
    let polls = "async fn until() {\ntokio::time::sleep(x);\n}";
    assert_eq!(found("tests/it/world/mod.rs", polls), nothing());
    assert_eq!(found("src/daemon/tests.rs", polls), nothing());
    assert_eq!(found("tests/it/world/mod.rs", "async fn moment() {\ntokio::time::sleep(x);\n}"), nothing());
    let asleep = |path: &str, what: &str| [format!("{path}:2: {what}: who sleeps is too late or too early")];
    assert_eq!(found("src/cli/mod.rs", polls), asleep("src/cli/mod.rs", "tokio::time::sleep"));
    let sleeps = "async fn turn() {\ntokio::time::sleep(x);\n}";
    assert_eq!(found("src/daemon/shell.rs", sleeps), nothing());
    assert_eq!(
        found("src/daemon/shell_tests.rs", sleeps),
        asleep("src/daemon/shell_tests.rs", "tokio::time::sleep")
    );
    let blocks = "fn turn() {\nstd::thread::sleep(x);\n}";
    assert_eq!(found("src/daemon/shell.rs", blocks), asleep("src/daemon/shell.rs", "std::thread::sleep"));
    assert_eq!(found("src/cli/mod.rs", "fn f() { ignore(todo, dbg); }"), nothing());
    let unwrapped = "fn f() { x.unwrap(); }\n#[test]\nfn g() { x.unwrap(); }\nfn h() { y.unwrap_or(1); }";
    let instead = "say with expect() why it cannot fail, or return the error";
    assert_eq!(found("src/daemon/mod.rs", unwrapped), [format!("src/daemon/mod.rs:1: .unwrap(: {instead}")]);
    assert_eq!(found("tests/it/store.rs", unwrapped), nothing());
}

#[test]
fn long_files_and_long_functions_are_found() {
    let lines = |count: usize| "\n".repeat(count);
    assert_eq!(found("src/cli/run.rs", &lines(400)), nothing());
    assert_eq!(found("tests/it/a.rs", &lines(401)), ["tests/it/a.rs: 401 lines"]);
    let function = |count: usize| {
        format!("struct A {{}}\nimpl A {{ pub fn long<T>(&self)\nwhere T: Send {{{}}} }}", lines(count))
    };
    assert_eq!(found("src/cli/run.rs", &function(58)), nothing());
    assert_eq!(found("src/cli/run.rs", &function(59)), ["src/cli/run.rs:2: long has 61 lines"]);
}

#[test]
fn a_file_that_is_declared_for_tests_alone_counts_as_a_test() {
    let unwrapping = |path: &str| Source::parse(path, "fn f() { x.unwrap(); }");
    let findings = |text| {
        let parent = Source::parse("src/spool/mod.rs", text);
        let files = vec![unwrapping("src/spool/disk.rs"), parent, unwrapping("src/spool/disk/small.rs")];
        let findings = checks::tree_findings(files, &[]);
        findings.iter().filter(|finding| finding.contains(".unwrap(")).count()
    };
    assert_eq!(findings("mod disk;"), 2);
    assert_eq!(findings("#[cfg(test)]\nmod disk;"), 0);
    assert_eq!(findings("#[cfg(test)]\nmod other;\nmod disk;"), 2);
}

#[test]
fn a_file_that_no_mod_line_names_is_found() {
    let files =
        [("src/lib.rs", "pub mod spool;"), ("src/spool/mod.rs", "mod disk;"), ("src/spool/disk.rs", BESIDE)];
    const BESIDE: &str = "#[cfg(test)]\n#[path = \"disk_tests.rs\"]\nmod tests;";
    let tests = [
        ("src/spool/disk_tests.rs", ""),
        ("tests/it/main.rs", "mod store;"),
        ("tests/it/store.rs", ""),
        ("tests/it/smtp.rs", ""),
    ];
    let files = files.iter().chain(&tests).map(|(path, text)| Source::parse(path, text)).collect();
    let finding = "tests/it/smtp.rs: no mod line names it, so that nothing in it is checked or run";
    assert_eq!(checks::tree_findings(files, &[]), [finding]);
}

#[test]
fn a_place_without_a_row_is_found_and_every_row_has_a_reason() {
    let finding =
        "src/clouds/mod.rs: tests/it/tidy/places.rs has no row for it: say what it may import, and why";
    assert_eq!(found("src/clouds/mod.rs", ""), [finding]);
    assert_eq!(found("src/lib.rs", "pub mod clouds;"), nothing());
    for place in PLACES {
        assert!(place.why.split(' ').count() > 5, "{:?}: {}", place.paths, place.why);
    }
}

#[test]
fn the_reason_stands_in_the_finding() {
    let source = Source::parse("src/face/status.rs", "use crate::store::Settings;");
    let finding = "src/face/status.rs:1: face has crate::store::Settings; status is computed from the core's states \
        at a moment it is told; it asks nobody";
    assert_eq!(checks::findings(&source, &[]), [finding]);
}

#[test]
fn refused_and_doubled_crates_are_found_in_a_lock_file() {
    let lock = |names: &[&str]| {
        names.iter().map(|name| format!("[[package]]\nname = \"{name}\"\n")).collect::<String>()
    };
    assert_eq!(lockfile::findings(&lock(&["ring", "rustls", "openssl-probe"])), nothing());
    assert_eq!(
        lockfile::findings(&lock(&["openssl-sys", "rustls", "rustls"])),
        [
            "Cargo.lock: openssl-sys: rustls is the one TLS stack",
            "Cargo.lock: rustls is there 2 times; make its users agree on one"
        ]
    );
}

#[test]
fn a_place_that_the_map_leaves_out_is_found() {
    let lib = "//! | [`mail`] | mails |\n//! [`store`]\npub mod mail;\npub mod store;\n";
    let finding =
        |name: &str| format!("src/lib.rs: {name} is missing; the map names every place and what it owns");
    assert_eq!(lockfile::unnamed(&["mail", "store", "face"], lib), [finding("store"), finding("face")]);
}

#[test]
fn libraries_are_the_dependencies_and_not_those_of_the_tests() {
    let manifest = "[package]\nname = \"a\"\n[dependencies]\nmail-auth = \"1\"\n# no\nimap = { x = 1 }\n[dev-dependencies]\ninsta = \"1\"\n";
    assert_eq!(lockfile::libraries(manifest), ["mail_auth", "imap"]);
}

/// The compiler refuses it everywhere; that it may be asked for in three places, and in no parser, is checked here.
#[test]
fn imap13_code_that_the_compiler_cannot_answer_for_stands_in_three_places_and_in_no_parser() {
    let code = "fn f() { unsafe { g() } }";
    for path in ["src/mail/parse.rs", "src/mail/imap/wire.rs", "src/vendor/extract.rs", "tests/it/imap.rs"] {
        assert_eq!(found(path, code), [format!("{path}:1: unsafe: what reads others' bytes is safe code")]);
    }
    assert_eq!(found("src/consumer/run.rs", code), nothing());
    assert!(super::read("Cargo.toml").contains("\n[lints.rust]\nunsafe_code = \"deny\""));
}
