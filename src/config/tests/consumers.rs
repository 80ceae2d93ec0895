//! The rules of a consumer.

use super::*;
use crate::{
    consumer::{Deliver, FileForm, Prove, Settings},
    domain::ProofLevel,
};
use std::time::Duration;

const SHOP: &str = "credentials.main.consumers.shop";

fn shop(written: &str) -> Settings {
    let config = accepted(&[(SHOP, written)]);
    config.credentials[&"main".parse().unwrap()].consumers[&"shop".parse().unwrap()].clone()
}

/// What is said of the consumer, the places without its own.
#[track_caller]
fn is_refused(written: &str, line: &str) {
    assert!(load_text(&right_but(&[(SHOP, written)]), &[], Need::Run).is_err(), "{written} is accepted");
    let lines: Vec<_> = said_of(&[(SHOP, written)]).iter().map(|said| said.replace(SHOP, "shop")).collect();
    assert_eq!(lines, [line], "{written}");
}

#[test]
fn a_consumer_is_delivered_to_or_proven() {
    const LINE: &str = "shop: nothing is delivered and nothing is proven; add prove (http, command or report) where it fetches the key itself, or deliver";
    for written in ["{}", "null", "{prove: none}", "{host: a}", "{deliver: null, prove: null}"] {
        is_refused(written, LINE);
    }
}

#[test]
fn there_is_one_way_to_deliver() {
    is_refused("{deliver: {}}", "shop.deliver: a key is missing; write one of store, file, command");
    is_refused(
        "{deliver: {then: {exec: [/bin/true]}}}",
        "shop.deliver: a key is missing; write one of store, file, command",
    );
    is_refused(
        "{deliver: {file: {path: /a/b}, store: {path: a}}}",
        "shop.deliver: store and file exclude each other; keep one of store, file, command",
    );
}

#[test]
fn a_file_has_one_form_and_a_narrow_mode() {
    is_refused("{deliver: {file: }}", "shop.deliver.file.path: this key is missing");
    is_refused(
        "{deliver: {file: {path: a}}, prove: none}",
        "shop.deliver.file.path: the path is not absolute; begin it with /",
    );
    is_refused(
        "{deliver: {file: {path: /a/b, env: A, template: '{key}'}}, prove: none}",
        "shop.deliver.file: env and template exclude each other; keep one of env, template",
    );
    is_refused(
        "{deliver: {file: {path: /a/b, env: 'A=B'}}, prove: none}",
        "shop.deliver.file.env: a variable's name is letters, digits and _, and does not begin with a digit",
    );
    is_refused(
        "{deliver: {file: {path: /a/b, template: 'key={Key}'}}, prove: none}",
        "shop.deliver.file.template: the template has no place for the key; write {key} where the key belongs",
    );
    is_refused(
        "{deliver: {file: {path: /a/b, template: '{key}{key}'}}, prove: none}",
        "shop.deliver.file.template: the template holds {key} more than once",
    );
    is_refused(
        "{deliver: {file: {path: /a/b, mode: '0644'}}, prove: none}",
        r#"shop.deliver.file.mode: "0644" is none of the words here; write "0600" or "0640""#,
    );
    is_refused(
        "{deliver: {file: {path: /a/b, mode: '0640'}}, prove: none}",
        "shop.deliver.file.mode: mode 0640 is for a group, and none is named; add group: NAME",
    );
    is_refused(
        "{deliver: {file: {path: /a/b, group: 'a b'}}, prove: none}",
        r#"shop.deliver.file.group: "a b" is no group's name"#,
    );
}

#[test]
fn a_files_mode_follows_from_its_group() {
    let file = |rest: &str| {
        shop(&format!("{{deliver: {{file: {{path: /a/b {rest}}}}}, prove: none}}")).deliver.unwrap()
    };
    let settings = |form, mode, group: Option<&str>| Deliver::File {
        path: "/a/b".into(),
        form,
        mode,
        group: group.map(str::to_owned),
    };
    assert_eq!(file(""), settings(FileForm::Bare, 0o600, None));
    assert_eq!(file(", env: null, template: null, group: null"), settings(FileForm::Bare, 0o600, None));
    assert_eq!(file(", env: API_KEY"), settings(FileForm::Env("API_KEY".into()), 0o600, None));
    assert_eq!(
        file(r#", template: "a\n{key}\n", mode: 0600"#),
        settings(FileForm::Template("a\n{key}\n".into()), 0o600, None)
    );
    assert_eq!(file(", group: shop"), settings(FileForm::Bare, 0o640, Some("shop")));
    assert_eq!(file(", group: shop, mode: '0640'"), settings(FileForm::Bare, 0o640, Some("shop")));
}

#[test]
fn a_command_is_an_absolute_program_and_its_arguments() {
    const HINT: &str = "write it as [/path/to/program, argument]";
    for (written, place) in [
        ("{deliver: {command: {run: RUN}}}", "shop.deliver.command.run"),
        ("{deliver: {file: {path: /a/b}, then: {exec: RUN}}}", "shop.deliver.then.exec"),
        ("{prove: {command: {run: RUN}}}", "shop.prove.command.run"),
    ] {
        let run = |run: &str| written.replace("RUN", run);
        is_refused(&run("[]"), &format!("{place}: the command is empty; {HINT}"));
        is_refused(
            &run("[reload]"),
            &format!("{place}: the program is not named by an absolute path; {HINT}"),
        );
        is_refused(
            &run("/bin/true"),
            &format!("{place}: a list is needed here, not text; write it as [a, b]"),
        );
        is_refused(
            &run("[/bin/kill, 1]"),
            &format!("{place}[1]: text is needed here, not a number; put it in quotes"),
        );
    }
    let settings =
        shop("{deliver: {command: {run: [/bin/a, b], env: {API_URL: {env: SECRET}}}}, prove: none}");
    let Some(Deliver::Command { run, env }) = settings.deliver else { panic!() };
    assert_eq!((run, env["API_URL"].expose()), (vec!["/bin/a".to_owned(), "b".to_owned()], CANARY));
    is_refused(
        "{deliver: {command: {run: [/bin/a], env: {A-B: {env: SECRET}}}}, prove: none}",
        "shop.deliver.command.env.A-B: a variable's name is letters, digits and _, and does not begin with a digit",
    );
}

#[test]
fn a_copy_in_the_store_takes_field_and_mount_from_its_surroundings() {
    let store = |written: &str| {
        let changes = [(SHOP, written), ("credentials.main.field", "token"), ("store.vault.mount", "kv")];
        let config = accepted(&changes);
        config.credentials[&"main".parse().unwrap()].consumers[&"shop".parse().unwrap()]
            .deliver
            .clone()
            .unwrap()
    };
    assert_eq!(
        store("{deliver: {store: {path: a}}, prove: none}"),
        Deliver::Store { path: "a".into(), field: "token".into(), mount: "kv".into() }
    );
    assert_eq!(
        store("{deliver: {store: {path: a, field: b, mount: c}}, prove: none}"),
        Deliver::Store { path: "a".into(), field: "b".into(), mount: "c".into() }
    );
}

#[test]
fn the_local_store_is_keyrelays_alone() {
    let key = base64_of_32_bytes();
    let said = |written: &str| {
        let text = right_but(&[("store", "{local: {master_key: {env: KEY}}}"), (SHOP, written)]);
        load_text(&text, &[("KEY", &key)], Need::Run).unwrap_err()
    };
    assert_eq!(
        said("{deliver: {store: {path: a}}, prove: none}"),
        [
            "config.yaml: credentials.main.consumers.shop.deliver.store: the local store is keyrelay's alone: no consumer can read it; deliver a file"
        ]
    );
    assert_eq!(
        said("{prove: {report: {within: 20h}}}"),
        [
            "config.yaml: credentials.main.consumers.shop.prove.report: the local store is keyrelay's alone: no consumer can write a report; use http or command"
        ]
    );
}

fn base64_of_32_bytes() -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    STANDARD.encode([7; 32])
}

#[test]
fn there_is_one_way_to_prove() {
    const WORDS: &str = "http, command, report";
    is_refused("{prove: {}}", &format!("shop.prove: a key is missing; write one of {WORDS}"));
    is_refused(
        "{prove: {http: {url: 'https://a'}, report: {}}}",
        &format!("shop.prove: http and report exclude each other; keep one of {WORDS}"),
    );
    is_refused("{prove: http}", r#"shop.prove: "http" is none of the words here; write "none""#);
    is_refused("{prove: [none]}", "shop.prove: a group of keys is needed here, not a list");
}

#[test]
fn an_http_proof_has_one_url_or_several() {
    is_refused("{prove: {http: {}}}", "shop.prove.http: a key is missing; write one of url, urls");
    is_refused(
        "{prove: {http: {url: 'https://a', urls: []}}}",
        "shop.prove.http: url and urls exclude each other; keep one of url, urls",
    );
    is_refused("{prove: {http: {urls: []}}}", "shop.prove.http.urls: the list is empty");
    is_refused("{prove: {http: {url: null}}}", "shop.prove.http.url: this key is missing");
    is_refused(
        "{prove: {http: {urls: ['https://a', 'http://b/']}}}",
        "shop.prove.http.urls[1]: plain http to b, which is not this machine; use https",
    );
    is_refused(
        "{prove: {http: {url: 'https://a/#x'}}}",
        "shop.prove.http.url: the URL ends in #…, which no server ever sees",
    );
    is_refused(
        "{prove: {http: {url: 'https://a', instances: 0}}}",
        "shop.prove.http.instances: a whole number from 1 to 1000 is needed here",
    );
    is_refused(
        "{prove: {http: {url: 'https://a', ca_cert: /nonexistent/ca.pem}}}",
        "shop.prove.http.ca_cert: no file /nonexistent/ca.pem; put the PEM file there, or leave the key out to trust the system's authorities",
    );
    let settings = shop(
        "{prove: {http: {urls: ['https://a', 'http://[::1]:8/x?y'], instances: 2, bearer: {env: SECRET}}}}",
    );
    let Some(Prove::Http { urls, instances, ca_cert, bearer }) = settings.prove else { panic!() };
    assert_eq!((urls.join(" "), instances, ca_cert), ("https://a http://[::1]:8/x?y".into(), Some(2), None));
    assert_eq!(bearer.unwrap().expose(), CANARY);
}

#[test]
fn a_report_may_be_20_hours_old_unless_told_otherwise() {
    let within = |written: &str| match shop(written).prove {
        Some(Prove::Report { within }) => within,
        other => panic!("{other:?}"),
    };
    assert_eq!(within("{prove: {report: }}"), Duration::from_secs(72_000));
    assert_eq!(within("{prove: {report: {within: 90s}}}"), Duration::from_secs(90));
}

#[test]
fn what_counts_as_good_follows_from_what_can_be_shown() {
    for (written, wanted) in [
        ("{prove: {http: {url: 'https://a'}}}", ProofLevel::InUse),
        ("{prove: {command: {run: [/bin/a]}}}", ProofLevel::InUse),
        ("{prove: {report: }}", ProofLevel::InUse),
        ("{deliver: {file: {path: /a/b}}, prove: {report: }}", ProofLevel::InUse),
        ("{deliver: {file: {path: /a/b}}}", ProofLevel::WorkingCopy),
        ("{deliver: {file: {path: /a/b}, then: {exec: [/bin/a]}}}", ProofLevel::WorkingCopy),
        ("{deliver: {store: {path: a}}, prove: none}", ProofLevel::WorkingCopy),
        ("{deliver: {command: {run: [/bin/a]}}}", ProofLevel::Delivered),
        ("{prove: {command: {run: [/bin/a]}, level: working_copy}}", ProofLevel::WorkingCopy),
        ("{deliver: {file: {path: /a/b}}, prove: {level: delivered}}", ProofLevel::Delivered),
        ("{deliver: {file: {path: /a/b}}, level: working_copy}", ProofLevel::WorkingCopy),
    ] {
        assert_eq!(shop(written).wanted, wanted, "{written}");
    }
}

#[test]
fn a_level_above_what_can_be_shown_is_refused() {
    const HINT: &str = "add prove: {http: {url: …}}";
    for (written, line) in [
        (
            "{deliver: {file: {path: /a/b}}, level: in_use}",
            "shop.level: in_use cannot be shown here, working_copy is the most",
        ),
        (
            "{deliver: {file: {path: /a/b}}, prove: {level: loaded}}",
            "shop.prove.level: loaded cannot be shown here, working_copy is the most",
        ),
        (
            "{deliver: {command: {run: [/bin/a]}}, prove: none, level: working_copy}",
            "shop.level: working_copy cannot be shown here, delivered is the most",
        ),
    ] {
        is_refused(written, &format!("{line}; {HINT}"));
    }
    is_refused(
        "{prove: {report: , level: unproven}}",
        r#"shop.prove.level: "unproven" is none of the words here; write "in_use", "loaded", "working_copy" or "delivered""#,
    );
    is_refused(
        "{prove: {report: , level: in_use}, level: in_use}",
        "shop.level: prove.level says it already; keep one of them",
    );
}

#[test]
fn a_weak_proof_is_a_warning_until_it_is_accepted() {
    let hint = "add prove: {http: {url: …}}, or accept it with prove: none";
    let said = |written: &str| said_of(&[(SHOP, written)]);
    assert_eq!(
        said("{deliver: {file: {path: /a/b}}}"),
        [format!("{SHOP}: copy works, use not tested at best; {hint}")]
    );
    assert_eq!(
        said("{deliver: {command: {run: [/bin/a]}}}"),
        [format!("{SHOP}: delivered, use not tested at best; {hint}")]
    );
    for accepted in
        ["{deliver: {file: {path: /a/b}}, prove: none}", "{deliver: {command: {run: [/bin/a]}}, prove: none}"]
    {
        assert_eq!(said(accepted), [""; 0]);
        assert!(shop(accepted).accepted);
    }
}

#[test]
fn a_consumer_may_name_its_host() {
    assert_eq!(shop("{host: shop-1.example, prove: {report: }}").host.as_deref(), Some("shop-1.example"));
    is_refused(
        "{host: 'a b', prove: {report: }}",
        r#"shop.host: "a b" is no host's name; write what uname -n says there"#,
    );
}
