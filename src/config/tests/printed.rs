//! `check --print`: every key with what holds there, and it can be fed back.

use super::{
    example::{general, variants},
    *,
};
use std::collections::BTreeSet;

fn printed(text: &str, variables: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.yaml");
    std::fs::write(&file, text).unwrap();
    let print =
        load_and_print(&file, &environment(variables)).unwrap_or_else(|mistakes| panic!("{mistakes}")).1;
    assert!(!print.contains(CANARY), "{print}");
    print
}

/// What it resolves to, whatever the file is called.
fn resolved(text: &str, variables: &[(&str, &str)]) -> String {
    let config =
        load_text(text, variables, Need::Check).unwrap_or_else(|lines| panic!("{lines:#?}\n{text}")).0;
    format!("{:#?}", Config { source: PathBuf::new(), ..config })
}

#[test]
fn every_configuration_of_the_example_can_be_fed_back() {
    for tree in variants() {
        let text = yaml_serde::to_string(&tree).unwrap();
        let print = printed(&text, &[]);
        assert_eq!(resolved(&print, &[]), resolved(&text, &[]), "{print}");
        let bare = |print: &str| print.replace("  # defaults", "").replace("  # default", "");
        assert_eq!(bare(&printed(&print, &[])), bare(&print));
    }
}

/// A reader that has a default says so with `Table::default`; these have none to show.
const WITHOUT_DEFAULT: [&str; 28] = [
    "alerts.email.smtp.ca_cert",
    "alerts.heartbeat",
    "alerts.webhook",
    "credentials.NAME.account",
    "credentials.NAME.cadence",
    "credentials.NAME.consumers.NAME.deliver",
    "credentials.NAME.consumers.NAME.deliver.file.group",
    "credentials.NAME.consumers.NAME.deliver.then",
    "credentials.NAME.consumers.NAME.host",
    "credentials.NAME.consumers.NAME.level", // where prove.level says it
    "credentials.NAME.consumers.NAME.prove",
    "credentials.NAME.consumers.NAME.prove.http.bearer",
    "credentials.NAME.consumers.NAME.prove.http.ca_cert",
    "credentials.NAME.consumers.NAME.prove.http.instances",
    "credentials.NAME.consumers.NAME.prove.level",
    "credentials.NAME.expires_at",
    "credentials.NAME.mailbox",
    "credentials.NAME.params",
    "credentials.NAME.recipient",
    "credentials.NAME.rotate_at",
    "credentials.NAME.window",
    "mailboxes.NAME.authserv_id",
    "mailboxes.NAME.imap.ca_cert",
    "mailboxes.NAME.imap.folders",
    "mailboxes.NAME.imap.oauth2.refresh_token",
    "spool.key",
    "store.vault.auth.cert.name",
    "store.vault.ca_cert",
];

#[test]
fn every_default_is_printed() {
    let mut found = BTreeSet::new();
    for mut tree in variants() {
        // What the example writes out must not hide what is there without it.
        for key in [
            "store/vault/auth/cert/name",
            "store/vault/ca_cert",
            "store/vault/auth/kubernetes/mount",
            "store/vault/auth/cert/mount",
        ] {
            let (map, key) = key.rsplit_once('/').unwrap();
            if let Some(map) = tree.pointer_mut(&format!("/{map}")).and_then(Value::as_object_mut) {
                map.remove(key);
            }
        }
        let printed = printed(&yaml_serde::to_string(&tree).unwrap(), &[]);
        nulls("", &yaml_serde::from_str(&printed).unwrap(), &mut found);
    }
    assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), WITHOUT_DEFAULT);
}

fn nulls(path: &str, value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) if path != "vendors" => {
            for (key, value) in map {
                nulls(format!("{path}.{key}").trim_start_matches('.'), value, found);
            }
        }
        Value::Null => _ = found.insert(general(path)),
        _ => {}
    }
}

#[test]
fn the_whole_of_a_small_configuration() {
    insta::assert_snapshot!(printed(RIGHT, &[]));
}

#[test]
fn texts_that_yaml_could_take_for_something_else_come_back_as_they_are() {
    for text in [
        "no",
        "null",
        "~",
        "12",
        "1e3",
        "a: b",
        "a #b",
        "- a",
        "'",
        "\"",
        "\\",
        "a\tb",
        "a\nb\n",
        "é {key}",
        "*a",
        "{x}",
        " a",
        "2026-11-21",
    ] {
        let template = format!("{text}{{key}}").replace("{key}{key}", "{key}");
        let mut tree: Value = yaml_serde::from_str(RIGHT).unwrap();
        let file =
            serde_json::json!({"deliver": {"file": {"path": "/a/b", "template": template}}, "prove": "none"});
        tree["credentials"]["main"]["consumers"]["bot"] = file;
        let text = yaml_serde::to_string(&tree).unwrap();
        assert_eq!(resolved(&printed(&text, &[]), &[]), resolved(&text, &[]), "{template:?}");
    }
}

#[test]
fn each_line_says_where_it_comes_from_and_what_the_environment_wrote_has_its_type() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("config.d")).unwrap();
    let own = "{a: {}, b: {field: own, consumers: {web: {host: shop-1}}}}";
    let file = folder.path().join("config.yaml");
    std::fs::write(&file, right_but(&[("credentials", own)])).unwrap();
    std::fs::write(
        folder.path().join("config.d/10-defaults.yaml"),
        "defaults: {vendor: leaf7, path: 'v/{name}', consumers: {web: {prove: {http: {url: 'https://{name}.example.com/'}}}}}\n\
         dns: {servers: ['127.0.0.1:53']}\nvendors: {leaf7: {cadence: 8d}}\n",
    )
    .unwrap();
    let variables = [
        ("KEYRELAY_LISTEN", "off"),
        ("KEYRELAY_OBSERVE", "true"),
        ("KEYRELAY_MAILBOXES__VENDOR_MAIL__IMAP__PORT", "1993"),
        ("KEYRELAY_MAILBOXES__VENDOR_MAIL__IMAP__PASSWORD__FILE", "/nowhere"),
        ("KEYRELAY_CREDENTIALS__A__RECIPIENT", "[x@example.com]"),
        ("KEYRELAY_VENDORS__LEAF7__KEY__MIN_LEN", "30"),
    ];
    let (loaded, print) = load_and_print(&file, &environment(&variables)).unwrap();
    let print = print.replace(&format!("{}/", folder.path().display()), "");
    for line in [
        "    - 127.0.0.1:53",
        "  servers:  # config.d/10-defaults.yaml",
        "listen: off  # environment: KEYRELAY_LISTEN",
        "observe: true  # environment: KEYRELAY_OBSERVE",
        "      port: 1993  # environment: KEYRELAY_MAILBOXES__VENDOR_MAIL__IMAP__PORT",
        "      password: {file: /nowhere}  # environment: KEYRELAY_MAILBOXES__VENDOR_MAIL__IMAP__PASSWORD__FILE",
        "    recipient:  # environment: KEYRELAY_CREDENTIALS__A__RECIPIENT",
        "    path: v/a  # defaults",
        "            url: https://b.example.com/  # defaults",
        "    field: own",
        "        host: shop-1",
        "    field: api_key  # default",
        "    cadence: 8d  # config.d/10-defaults.yaml",
        "    grace: 1d  # default",
        "      min_len: 30  # environment: KEYRELAY_VENDORS__LEAF7__KEY__MIN_LEN",
    ] {
        assert!(print.lines().any(|other| other == line), "{line}\nis not in\n{print}");
    }
    assert!(!print.contains("defaults:"), "{print}");
    let shown = |config| format!("{:#?}", Config { source: PathBuf::new(), ..config });
    assert_eq!(resolved(&print, &[]), shown(loaded.config));
}
