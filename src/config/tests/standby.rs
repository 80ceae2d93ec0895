//! Two daemons with one configuration.

use super::*;
use crate::config::rights::store_rights;

const SHOP: &str = "credentials.main.consumers.shop";

/// What is said of the consumer where there are two daemons.
fn said(written: &str) -> Vec<String> {
    let lines = said_of(&[("standby", "true"), (SHOP, written)]).into_iter();
    lines.filter(|line| line.starts_with(&format!("{SHOP}.host"))).collect()
}

#[test]
fn alone_is_the_default() {
    assert!(!accepted(&[]).standby);
    each_is_refused(&[("standby", "both", "standby: true or false is needed here")]);
}

#[test]
fn what_lives_on_one_machine_names_it() {
    for (written, what) in [
        ("{deliver: {file: {path: /a/b}}, prove: none}", "a file"),
        ("{deliver: {command: {run: [/bin/a]}}, prove: none}", "a command"),
        ("{prove: {command: {run: [/bin/a]}}}", "a command"),
        ("{prove: {http: {url: 'http://127.0.0.1:8080/x'}}}", "a loopback address"),
        ("{prove: {http: {urls: ['https://a.example/x', 'https://localhost/x']}}}", "a loopback address"),
        ("{deliver: {store: {path: a/b}, then: {restart: a.service}}, prove: {report: }}", "a unit"),
        ("{deliver: {store: {path: a/b}, then: {exec: [/bin/a]}}, prove: {report: }}", "a command"),
    ] {
        let line = format!(
            "{SHOP}.host: this key is missing: with standby there are two daemons, and {what} is on one machine; \
             write what uname -n says there"
        );
        assert_eq!(said(written), [line], "{written}");
        let named = written.replacen('{', "{host: shop-1, ", 1);
        assert_eq!(said(&named), [""; 0], "{named}");
        let alone = said_of(&[(SHOP, written)]);
        assert!(alone.iter().all(|line| !line.contains(".host")), "{alone:?}");
    }
}

#[test]
fn what_both_can_reach_needs_no_host() {
    for written in [
        "{prove: {http: {url: 'https://shop.example.com/x'}}}",
        "{prove: {report: }}",
        "{deliver: {store: {path: a/b}}, prove: none}",
    ] {
        assert_eq!(said(written), [""; 0], "{written}");
    }
}

#[test]
fn the_local_store_is_one_machine_s() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let text = right_but(&[("store", "{local: {master_key: {env: KEY}}}"), ("standby", "true")]);
    let lines = load_text(&text, &[("KEY", &STANDARD.encode([7; 32]))], Need::Run).unwrap_err();
    let line = "config.yaml: standby: two daemons share a store, and the local one is this machine's alone; use \
                store.vault, or leave standby out";
    assert!(lines.contains(&line.to_owned()), "{lines:?}");
}

#[test]
fn only_two_daemons_need_a_right_to_the_lease() {
    let leases = |standby: &str| {
        let rights = store_rights(&accepted(&[("standby", standby), (SHOP, "{prove: {report: }}")]));
        rights.into_iter().filter(|right| right.path.ends_with("/_lease")).collect::<Vec<_>>()
    };
    let [data, metadata] = &leases("true")[..] else { panic!() };
    assert_eq!(
        (data.path.as_str(), metadata.path.as_str()),
        ("secret/data/keyrelay/_lease", "secret/metadata/keyrelay/_lease")
    );
    assert_eq!(data.capabilities, ["create", "read", "update"]);
    assert_eq!(leases("false"), []);
}

#[test]
fn two_are_configured_alike_where_all_but_their_own_sockets_is_the_same() {
    let one = accepted(&[]).written;
    let same = [
        ("store.vault.address", "https://near:8200"),
        ("listen", "127.0.0.1:99"),
        ("control", "/a/b.sock"),
        ("spool", "{dir: /a/b}"),
        ("dns", "null"),
    ];
    assert_eq!(accepted(&same).written, one);
    for other in [
        ("dns.servers", "['127.0.0.1:53']"),
        ("credentials.main.path", "vendors/other"),
        ("store.vault.mount", "kv"),
    ] {
        assert_ne!(accepted(&[other]).written, one, "{other:?}");
    }
}
