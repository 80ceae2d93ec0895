//! What the store must allow.

use super::*;
use crate::config::rights::{consumer_rights, store_rights};

const CONSUMERS: &str = "
web-shop: {prove: {http: {url: 'https://shop.example.com/keyrelay'}}}
payments: {deliver: {store: {path: teams/payments/leaf7, mount: teams}}, prove: none}
nightly-ci: {prove: {report: {within: 20h}}}
bot: {deliver: {file: {path: /etc/bot/leaf7.key}}, prove: none}
";

fn lines(rights: Vec<crate::config::rights::Right>) -> Vec<String> {
    rights.into_iter().map(|right| format!("{} {}", right.path, right.capabilities.join(","))).collect()
}

#[test]
fn the_daemon_may_touch_exactly_the_paths_of_its_configuration() {
    let config = accepted(&[("credentials.main.consumers", CONSUMERS), ("store.vault.mount", "kv")]);
    assert_eq!(
        lines(store_rights(&config)),
        [
            "auth/token/lookup-self read",
            "auth/token/renew-self update",
            "sys/capabilities-self update",
            "kv/config read",
            "kv/data/keyrelay/_doctor create,read,update",
            "kv/metadata/keyrelay/_doctor read",
            "kv/data/vendors/leaf7 create,read,update",
            "kv/metadata/vendors/leaf7 read",
            "kv/data/keyrelay/main create,read,update",
            "kv/metadata/keyrelay/main read",
            "kv/data/keyrelay/_reports/main/nightly-ci read",
            "teams/data/teams/payments/leaf7 create,read,update",
            "teams/metadata/teams/payments/leaf7 read",
        ]
    );
}

#[test]
fn a_consumer_may_read_its_key_or_write_its_report_and_nothing_else() {
    let config = accepted(&[("credentials.main.consumers", CONSUMERS)]);
    let of = |name: &str| lines(consumer_rights(&config, &name.parse().unwrap()));
    assert_eq!(of("web-shop"), ["secret/data/vendors/leaf7 read"]);
    assert_eq!(of("payments"), ["teams/data/teams/payments/leaf7 read"]);
    assert_eq!(
        of("nightly-ci"),
        ["secret/data/vendors/leaf7 read", "secret/data/keyrelay/_reports/main/nightly-ci create,update"]
    );
    assert_eq!(of("bot"), [""; 0]);
    assert_eq!(of("stranger"), [""; 0]);
}

#[test]
fn the_local_store_asks_nobody_for_rights() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let text = right_but(&[("store", "{local: {master_key: {env: KEY}}}")]);
    let (config, _) = load_text(&text, &[("KEY", &STANDARD.encode([7; 32]))], Need::Run).unwrap();
    assert_eq!(store_rights(&config), []);
    assert_eq!(consumer_rights(&config, &"shop".parse().unwrap()), []);
}
