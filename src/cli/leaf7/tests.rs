//! The command line of `keyrelay leaf7`, and what it shows.

use super::{csv_file::CsvFile, tables, written::Written};
use crate::{
    cli::{Cli, console::Console},
    leaf7::Body,
};
use clap::{CommandFactory, Parser};
use indicatif::ProgressBar;
use serde_json::json;

#[test]
fn the_help_is_what_was_agreed_on() {
    let mut whole = Cli::command().term_width(100);
    whole.build();
    let mut help = String::new();
    let leaf7 = whole.find_subcommand("leaf7").expect("a command");
    for group in leaf7.get_subcommands().filter(|group| group.get_name() != "help") {
        for command in group.get_subcommands().filter(|command| command.get_name() != "help") {
            let (group, name) = (group.get_name(), command.get_name());
            help += &format!("=== {group} {name}\n{}\n", command.clone().render_long_help());
        }
    }
    insta::assert_snapshot!(help);
}

#[test]
fn credential_and_json_may_stand_anywhere() {
    for line in [
        "keyrelay leaf7 --json --credential a buyer list",
        "keyrelay leaf7 buyer --json list --credential a",
        "keyrelay leaf7 buyer list --project p --json --credential a",
        "keyrelay leaf7 active set-hwid k --clear --json --yes",
        "keyrelay leaf7 active set-hwid k machine",
    ] {
        assert!(Cli::try_parse_from(line.split(' ')).is_ok(), "{line}");
    }
}

fn body(json: serde_json::Value) -> Body {
    Body(json.to_string())
}

#[test]
fn lists_are_tables_with_times_as_the_vendor_writes_them() {
    let keys = json!([
        {"key_id": "k-1", "project_id": "p", "created_at": "2026-05-03T12:00:00", "redeemed": false,
         "discord_id": null, "key_days": 1, "key_hours": 12, "key_minutes": 0, "new": "unknown"},
        {"key_id": "k-2", "redeemed": true, "discord_id": 80351110224678912_u64, "key_days": 0, "key_hours": 0,
         "key_minutes": 0},
        {"key_id": "k-3"},
    ]);
    assert_eq!(
        tables::buyer(&body(keys)).unwrap(),
        "KEY ID  PROJECT  CREATED              WORKS FOR  REDEEMED  DISCORD\n\
         k-1     p        2026-05-03T12:00:00  1 d 12 h   no        -\n\
         k-2     -        -                    ever       yes       80351110224678912\n\
         k-3     -        -                    -          -         -\n"
    );
    let keys =
        json!([{"key_id": "k-1", "hwid": "", "expires_at": null, "banned": true, "total_executions": 4}]);
    assert_eq!(
        tables::active(&body(keys)).unwrap(),
        "KEY ID  PROJECT  DISCORD  HWID  RESETS  RUNS  LAST RUN  REDEEMED  EXPIRES  BANNED\n\
         k-1     -        -        -     -       4     -         -         never    yes\n"
    );
    assert_eq!(tables::active(&body(json!([]))).unwrap(), "there are no active keys");
    assert!(tables::buyer(&body(json!([{"id": 1}]))).is_err(), "another form is no empty list");
}

/// Standard output and standard error after these answers.
fn written(answers: &[serde_json::Value], json: bool, file: Option<CsvFile>) -> (String, String) {
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    let console = &mut Console::new(&mut results, &mut errors);
    let mut written = Written::new(file, json, ProgressBar::hidden());
    answers.iter().for_each(|answer| written.add(&body(answer.clone()), console).unwrap());
    written.finish(console);
    (String::from_utf8(results).unwrap(), String::from_utf8(errors).unwrap())
}

#[test]
fn whatever_form_new_keys_have_nothing_of_them_is_left_out() {
    let texts = json!(["k-1", "k-2"]);
    assert_eq!(written(std::slice::from_ref(&texts), false, None).0, "KEY\nk-1\nk-2\n");
    let objects =
        [json!([{"key_id": "1", "zeal": {"a": 1}, "key": "k-1"}]), json!([{"key_id": "2", "new": 1}])];
    let (shown, told) = written(&objects, false, None);
    assert_eq!(shown, "KEY  KEY ID  ZEAL\nk-1  1       {\"a\":1}\n     2\n");
    assert_eq!(told, "left out, because earlier keys had none of it: new\n");
    assert_eq!(written(&[json!({"key": "k-1"})], false, None).0, "KEY\nk-1\n");
}

#[test]
fn several_answers_are_one_array_also_where_there_are_none() {
    let (shown, _) = written(&[json!([]), json!([{"a": 1}]), json!(["b"])], true, None);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), json!([{"a": 1}, "b"]));
    assert_eq!(written(&[], true, None).0, "[]\n");
}

#[test]
fn no_cell_of_the_file_is_a_formula() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keys.csv");
    let keys = json!([{"key_id": "=1+1", "note": "+a"}, {"key_id": "-k", "note": "@x,\"y\""}, {"key_id": "k", "note": "a=b"}]);
    let (shown, _) = written(&[keys], false, Some(CsvFile::create(&path).unwrap()));
    assert_eq!(shown, "");
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        "key_id,note\n'=1+1,'+a\n'-k,\"'@x,\"\"y\"\"\"\nk,a=b\n"
    );
    assert!(CsvFile::create(&path).is_err(), "never over another file");
}
