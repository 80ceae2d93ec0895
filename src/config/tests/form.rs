//! The form of the file and of the environment, whatever the keys mean.

use super::*;

#[test]
fn a_file_that_is_no_yaml_is_one_mistake_with_its_place() {
    for (text, line) in [
        (
            "store:\n  vault: [\n",
            "config.yaml: did not find expected node content at line 3 column 1, while parsing a flow node",
        ),
        (
            "store: 1\n  vault: 2\n",
            "config.yaml: mapping values are not allowed in this context at line 2 column 8",
        ),
        ("- a\n- b\n", "config.yaml: this is no YAML file of keys and values"),
        ("canary-s3cr3t", "config.yaml: this is no YAML file of keys and values"),
        ("store: !vault {}\n", "config.yaml: store: tags (!name) are not used here at line 1 column 8"),
        (
            "a: 1\n---\nb: 2\n",
            "config.yaml: deserializing from YAML containing more than one document is not supported",
        ),
    ] {
        assert_eq!(load_text(text, &[], Need::Check).unwrap_err(), [line], "{text}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let error = load(Path::new("/nonexistent/config.yaml"), &environment(&[]), Need::Check).unwrap_err();
    assert_eq!(
        error.to_string(),
        "/nonexistent/config.yaml: there is no such file; name another with --config PATH"
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.yaml");
    std::fs::write(&file, b"\xff\xfe").unwrap();
    let error = load(&file, &environment(&[]), Need::Check).unwrap_err().to_string();
    assert!(
        error.contains("config.yaml: the file is not UTF-8 text; name another with --config PATH"),
        "{error}"
    );
}

#[test]
fn an_empty_file_lacks_what_has_no_default() {
    for text in ["", "# nothing\n", "---\n", "{}\n"] {
        assert_eq!(
            load_text(text, &[], Need::Check).unwrap_err(),
            [
                "config.yaml: store: a key is missing; write one of vault, local",
                "config.yaml: alerts: nobody is told when something goes wrong; add alerts.email with from, to and smtp",
                "config.yaml: credentials: this key is missing",
            ],
            "{text:?}"
        );
    }
}

#[test]
fn every_key_that_is_set_twice_is_named_and_neither_value_wins() {
    let text = format!("{RIGHT}listen: off\nlisten: 127.0.0.1:1\nspool: {{dir: /a, dir: /b}}\n");
    assert_eq!(
        load_text(&text, &[], Need::Run).unwrap_err(),
        [
            "config.yaml: listen: this key is set twice in the file",
            "config.yaml: spool.dir: this key is set twice in the file",
        ]
    );
}

#[test]
fn an_unknown_key_is_named_with_the_one_that_was_meant() {
    each_is_refused(&[
        (
            "mailboxes.vendor-mail.imap.prot",
            "993",
            r#"mailboxes.vendor-mail.imap.prot: unknown key; did you mean "port"?"#,
        ),
        ("alert", "{}", r#"alert: unknown key; did you mean "alerts"?"#),
        ("dns.resolver", "[]", "dns.resolver: unknown key; the keys here are servers"),
        (
            "store.vault.auth.userpass",
            "{}",
            "store.vault.auth.userpass: unknown key; the keys here are approle, cert, kubernetes, token",
        ),
    ]);
}

#[test]
fn all_mistakes_are_told_at_once() {
    let changes = [
        ("lisen", "off"),
        ("store.vault.mount", "12"),
        ("mailboxes.vendor-mail.imap.port", "99999"),
        ("credentials.main.vendor", "leaf8"),
        ("credentials.main.mailbox", "vendor-mial"),
        ("credentials.main.path", "~"),
        ("schedules.mailbox_poll", "often"),
        ("credentials.main.consumers.shop.prove.http.url", "http://shop.example.com"),
    ];
    assert_eq!(
        said_of(&changes),
        [
            "store.vault.mount: text is needed here, not a number; put it in quotes",
            "mailboxes.vendor-mail.imap.port: a whole number from 1 to 65535 is needed here",
            r#"schedules.mailbox_poll: "often" is no cron schedule; write five fields (minute hour day month weekday), or six with seconds first"#,
            r#"credentials.main.vendor: no vendor named "leaf8"; did you mean "leaf7"?"#,
            r#"credentials.main.mailbox: no mailbox named "vendor-mial"; did you mean "vendor-mail"?"#,
            "credentials.main.path: this key is missing",
            "credentials.main.consumers.shop.prove.http.url: plain http to shop.example.com, which is not this machine; use https",
            r#"lisen: unknown key; did you mean "listen"?"#,
        ]
    );
}

#[test]
fn a_value_of_the_wrong_type_is_named_by_its_type_alone() {
    each_is_refused(&[
        ("store", "[]", "store: a group of keys is needed here, not a list"),
        ("spool.dir", "[/a]", "spool.dir: text is needed here, not a list"),
        ("control", "true", "control: text is needed here, not true or false; put it in quotes"),
        (
            "mailboxes.vendor-mail.authserv_id",
            "true",
            "mailboxes.vendor-mail.authserv_id: text is needed here, not true or false; put it in quotes",
        ),
        ("dns.servers", "127.0.0.1:53", "dns.servers: a list is needed here, not text; write it as [a, b]"),
        (
            "credentials.main.hand_over_within",
            "24",
            "credentials.main.hand_over_within: a duration is one whole number and s, m, h or d, as in 90s, 15m, 24h or 7d",
        ),
        (
            "credentials.main.hand_over_within",
            "1.5h",
            "credentials.main.hand_over_within: a duration is one whole number and s, m, h or d, as in 90s, 15m, 24h or 7d",
        ),
        (
            "mailboxes.vendor-mail.imap.port",
            "x",
            "mailboxes.vendor-mail.imap.port: a number is needed here, not text",
        ),
        (
            "mailboxes.vendor-mail.imap.port",
            "1.5",
            "mailboxes.vendor-mail.imap.port: a whole number from 1 to 65535 is needed here",
        ),
        (
            "mailboxes.vendor-mail.imap.port",
            "0",
            "mailboxes.vendor-mail.imap.port: a whole number from 1 to 65535 is needed here",
        ),
        ("mailboxes.vendor-mail.imap.user", "''", "mailboxes.vendor-mail.imap.user: the text is empty"),
        (
            "mailboxes.vendor-mail.imap.user",
            r#""a\nb""#,
            "mailboxes.vendor-mail.imap.user: the text holds a line break or another control character",
        ),
        ("credentials", "x", "credentials: a group of keys is needed here, not text"),
        (
            "credentials.main.consumers.shop",
            "[]",
            "credentials.main.consumers.shop: a group of keys is needed here, not a list",
        ),
    ]);
}

#[test]
fn the_environment_overrides_and_its_text_is_read_by_the_keys_type() {
    let variables = [
        ("KEYRELAY_CONFIG", "/elsewhere"),
        ("KEYRELAY_LISTEN", "off"),
        ("KEYRELAY_DNS__SERVERS", "[127.0.0.1:5353, '[::1]:53']"),
        ("KEYRELAY_MAILBOXES__VENDOR_MAIL__IMAP__PORT", "1993"),
        ("KEYRELAY_MAILBOXES__VENDOR_MAIL__IMAP__USER", "12345"),
        ("KEYRELAY_MAILBOXES__VENDOR_MAIL__AUTHSERV_ID", "[MX.example.com, 1]"),
        ("KEYRELAY_CREDENTIALS__MAIN__RECIPIENT", "[a@example.com, b@example.com]"),
        ("KEYRELAY_CREDENTIALS__MAIN__ACCOUNT", "0012"),
        ("KEYRELAY_CREDENTIALS__MAIN__CONSUMERS__SHOP__PROVE__HTTP__INSTANCES", "3"),
        ("KEYRELAY_VENDORS__LEAF7__BASE_URL", "http://127.0.0.1:9999"),
        ("KEYRELAY_VENDORS__LEAF7__KEY__MIN_LEN", "30"),
        ("KEYRELAY_VENDORS__LEAF7__MAIL__SIGNED_BY", "[a.example, b.example]"),
    ];
    let (config, warnings) = load_text(RIGHT, &variables, Need::Run).unwrap();
    assert_eq!(warnings, [""; 0]);
    assert_eq!(config.listen, []);
    assert_eq!(config.dns.servers, ["127.0.0.1:5353".parse().unwrap(), "[::1]:53".parse().unwrap()]);
    let mail::MailboxSettings::Imap(imap) = &config.mailboxes[&"vendor-mail".parse().unwrap()] else {
        panic!()
    };
    assert_eq!((imap.port, imap.user.as_str()), (1993, "12345"));
    let main = &config.credentials[&"main".parse().unwrap()];
    assert_eq!(config.authserv_ids(main), ["mx.example.com", "1"]);
    assert_eq!(main.recipients, ["a@example.com", "b@example.com"]);
    assert_eq!(main.account, Some(["0012"].into_iter().collect()));
    let leaf7 = &config.vendors[&"leaf7".parse().unwrap()];
    assert_eq!((leaf7.base_url.as_str(), leaf7.key.min_len), ("http://127.0.0.1:9999", 30));
    assert_eq!(leaf7.mail.as_ref().unwrap().signed_by, ["a.example", "b.example"]);
}

#[test]
fn a_mistake_in_the_environment_names_the_variable() {
    let variables = [
        ("KEYRELAY_LOG", "debug"),
        ("KEYRELAY_DNS__SERVERS", "127.0.0.1:53"),
        ("KEYRELAY_MAILBOXES__VENDOR_MAIL__IMAP__PORT", "many"),
        ("KEYRELAY_MAILBOXES__VENDOR_MAIL__IMAP__PASSWORD", CANARY),
        ("KEYRELAY_CREDENTIALS__MIAN__PATH", "vendors/other"),
        ("KEYRELAY_LISTEN", "[127.0.0.1:1, 1.2.3.4:5]"),
    ];
    assert_eq!(
        load_text(RIGHT, &variables, Need::Run).unwrap_err(),
        [
            "KEYRELAY_MAILBOXES__VENDOR_MAIL__IMAP__PORT: mailboxes.vendor-mail.imap.port: a whole number from 1 to 65535 is needed here",
            "KEYRELAY_MAILBOXES__VENDOR_MAIL__IMAP__PASSWORD: mailboxes.vendor-mail.imap.password: a secret is never written here itself; write a reference: {credential: NAME}, {file: PATH} or {env: NAME}",
            "KEYRELAY_DNS__SERVERS: dns.servers: a list is needed here, not text; write it as [a, b]",
            "KEYRELAY_LISTEN: listen[1]: 1.2.3.4 is not a loopback address: others could reach it; write 127.0.0.1:PORT, [::1]:PORT, unix:/PATH, or off",
            "KEYRELAY_CREDENTIALS__MIAN__PATH: credentials.mian.vendor: this key is missing",
            "KEYRELAY_CREDENTIALS__MIAN__PATH: credentials.mian.consumers: there is no consumer: nobody is shown to work with a new key; add those who use the key",
            "KEYRELAY_LOG: log: unknown key; the keys here are alerts, control, credentials, defaults, dns, listen, mailboxes, observe, schedules, spool, standby, store, vendors",
        ]
    );
}
