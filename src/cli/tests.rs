//! The command line as a person types it, and the exit codes as a script reads them.

use super::{console::Console, work::Done, *};
use crate::{daemon::request::Outcome, face::status::Status};
use clap::CommandFactory;
use std::io::{self, Write};

#[test]
fn the_help_is_what_was_agreed_on() {
    let mut help = String::new();
    let mut whole = Cli::command().term_width(100);
    help += &whole.render_long_help().to_string();
    for command in whole.get_subcommands_mut().filter(|command| command.get_name() != "help") {
        help +=
            &format!("\n=== {}\n{}", command.get_name(), command.clone().term_width(100).render_long_help());
    }
    insta::assert_snapshot!(help);
}

#[test]
fn the_configuration_may_be_named_anywhere() {
    for line in ["keyrelay --config a.yaml status --json", "keyrelay status --json --config a.yaml"] {
        let cli = parse(line).unwrap();
        assert_eq!(cli.path(), Path::new("a.yaml"), "{line}");
        assert!(matches!(cli.command, Command::Status(_)), "{line}");
    }
}

#[test]
fn put_and_test_are_other_names_of_ingest_and_prove() {
    assert!(matches!(parse("keyrelay put leaf7-main").unwrap().command, Command::Ingest(_)));
    assert!(matches!(parse("keyrelay test").unwrap().command, Command::Prove(_)));
}

#[test]
fn what_cannot_be_meant_is_a_mistake() {
    for line in [
        "keyrelay",
        "keyrelay frobnicate",
        "keyrelay deliver",
        "keyrelay accept leaf7-main",
        "keyrelay status Not_A_Name",
        "keyrelay status a b",
        "keyrelay explain --days 0",
        "keyrelay run --fast",
        "keyrelay ingest leaf7-main the-key-itself",
    ] {
        assert_eq!(parse(line).unwrap_err().exit_code(), i32::from(Exit::Mistake.code()), "{line}");
    }
}

#[test]
fn each_outcome_has_its_exit_code() {
    let codes = [
        (Outcome::Done, 0),
        (Outcome::NotProven, 1),
        (Outcome::Held, 1),
        (Outcome::Refused, 1),
        (Outcome::Unknown, 2),
        (Outcome::Spooled, 3),
        (Outcome::Unreachable, 3),
    ];
    for (outcome, code) in codes {
        assert_eq!(done(outcome, calm()).exit().code(), code, "{outcome:?}");
    }
}

#[test]
fn of_several_exits_the_mistake_counts_first_and_then_what_cannot_be_reached() {
    let mut all = [Exit::Unreachable, Exit::Done, Exit::Mistake, Exit::NotHeld];
    all.sort();
    assert_eq!(all.map(Exit::code), [0, 1, 3, 2]);
}

#[test]
fn good_news_are_a_result_and_everything_else_is_told_beside_it() {
    let hear = |outcome| captured(|console| done(outcome, calm()).tell(console));
    assert_eq!(hear(Outcome::Done), (Exit::Done, "it holds\n".into(), "keyrelay status\n".into()));
    assert_eq!(hear(Outcome::Refused), (Exit::NotHeld, "".into(), "it holds\nkeyrelay status\n".into()));
}

#[test]
fn a_reader_that_goes_away_is_no_failure_and_a_full_disk_is_one() {
    for (kind, exit) in
        [(io::ErrorKind::BrokenPipe, Exit::Done), (io::ErrorKind::StorageFull, Exit::Unreachable)]
    {
        let (mut results, mut errors) = (Broken(kind), Vec::new());
        let mut console = Console::new(&mut results, &mut errors);
        console.say("a result");
        assert_eq!(console.finish(Exit::Done), exit, "{kind}");
        assert_eq!(errors.is_empty(), exit == Exit::Done, "{kind}");
    }
}

struct Broken(io::ErrorKind);

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split(' '))
}

/// What a command ends with, says and tells.
pub fn captured<T>(command: impl FnOnce(&mut Console<'_>) -> T) -> (T, String, String) {
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    let ended = command(&mut Console::new(&mut results, &mut errors));
    (ended, String::from_utf8(results).unwrap(), String::from_utf8(errors).unwrap())
}

pub fn done(outcome: Outcome, status: Status) -> Done {
    Done { outcome, message: "it holds".into(), hint: Some("keyrelay status".into()), status, alone: false }
}

/// One credential, one consumer that is tested, and nothing wrong.
pub fn calm() -> Status {
    serde_json::from_value(serde_json::json!({
        "schema": 1, "generated_at": "2026-11-21T09:00:00Z",
        "daemon": {"version": "0.1.0", "host": "relay-1", "role": "active", "since": "2026-11-21T08:00:00Z"},
        "store": {"reachable": true, "since": null}, "mailboxes": [],
        "alerts": {"last_sent_at": null, "queued": 0}, "incidents": [],
        "credentials": [{
            "name": "leaf7-main", "vendor": "leaf7", "phase": "steady", "parked": null, "retiring": false,
            "fingerprint": "0123456789abcdef", "generation": 7, "rotation_id": null, "rotated_at": null,
            "grace_until": null, "next_rotation_expected_at": null, "account": [], "last_probe": null, "held": [],
            "consumers": [{
                "name": "storefront", "fingerprint": "0123456789abcdef", "proof": "in_use",
                "instances": {"proven": 1, "wanted": null}, "wanted": "in_use", "at": "2026-11-21T08:59:00Z",
                "stale": false, "error": null, "next_try_at": null, "elsewhere": false,
            }],
            "incidents": [],
        }],
    }))
    .unwrap()
}
