//! The rules of each key outside the credentials.

use super::*;

#[test]
fn there_is_exactly_one_store_with_exactly_one_login() {
    assert_eq!(said_of(&[("store", "{}")]), ["store: a key is missing; write one of vault, local"]);
    let local = "{dir: /a, master_key: {env: SECRET}}";
    assert_eq!(
        said_of(&[("store.local", local)]),
        ["store: vault and local exclude each other; keep one of vault, local"]
    );
    assert_eq!(
        said_of(&[("store.vault.auth", "{}")]),
        ["store.vault.auth: a key is missing; write one of token, approle, kubernetes, cert"]
    );
    let approle = "{role_id: a, secret_id: {env: SECRET}}";
    assert_eq!(
        said_of(&[("store.vault.auth.approle", approle)]),
        [
            "store.vault.auth: token and approle exclude each other; keep one of token, approle, kubernetes, cert"
        ]
    );
    assert_eq!(
        said_of(&[("store.vault.auth", "{approle: {}}")]),
        [
            "store.vault.auth.approle.role_id: this key is missing",
            "store.vault.auth.approle.secret_id: this key is missing",
        ]
    );
}

#[test]
fn plain_http_goes_to_this_machine_only() {
    let address = "store.vault.address";
    for good in ["http://127.0.0.1:8200", "http://127.8.9.1", "http://localhost:8200/", "http://[::1]:8200"] {
        accepted(&[(address, good)]);
    }
    each_is_refused(&[
        (
            address,
            "http://vault.example.com",
            "store.vault.address: plain http to vault.example.com, which is not this machine; use https",
        ),
        (
            address,
            "http://127.0.0.1.example.com",
            "store.vault.address: plain http to 127.0.0.1.example.com, which is not this machine; use https",
        ),
        (
            address,
            "http://localhost.example.com",
            "store.vault.address: plain http to localhost.example.com, which is not this machine; use https",
        ),
        (
            address,
            "http://[::2]",
            "store.vault.address: plain http to [::2], which is not this machine; use https",
        ),
    ]);
}

#[test]
fn an_address_of_the_store_is_scheme_host_and_port() {
    let address = "store.vault.address";
    each_is_refused(&[
        (address, "vault", "store.vault.address: this is no URL; write it as https://host:port/path"),
        (
            address,
            "'unix:/run/vault'",
            "store.vault.address: the URL names no host; write it as https://host:port/path",
        ),
        (address, "ftp://vault", "store.vault.address: ftp is not spoken here; use https"),
        (
            address,
            "https://vault/v1",
            "store.vault.address: the address holds a path; end it after host and port",
        ),
        (
            address,
            "https://user:canary-s3cr3t@vault",
            "store.vault.address: the URL holds a login, which would end up in logs",
        ),
    ]);
}

#[test]
fn a_mailbox_is_imap_or_a_maildir() {
    let mailbox = "mailboxes.vendor-mail";
    let imap = "mailboxes.vendor-mail.imap";
    each_is_refused(&[
        (mailbox, "{}", "mailboxes.vendor-mail: a key is missing; write one of imap, maildir"),
        (
            "mailboxes.vendor-mail.maildir",
            "{path: /a}",
            "mailboxes.vendor-mail: imap and maildir exclude each other; keep one of imap, maildir",
        ),
        (
            "mailboxes.vendor-mail.imap.host",
            "'imap:x'",
            r#"mailboxes.vendor-mail.imap.host: "imap:x" is no host; write a name or an IP address, without scheme and port"#,
        ),
        (
            "mailboxes.vendor-mail.imap.host",
            "imap.example.com:993",
            r#"mailboxes.vendor-mail.imap.host: "imap.example.com:993" is no host; write host: imap.example.com and port: 993"#,
        ),
        (
            "mailboxes.vendor-mail.imap.tls",
            "ssl",
            r#"mailboxes.vendor-mail.imap.tls: "ssl" is none of the words here; write "implicit", "starttls" or "none""#,
        ),
        (
            "mailboxes.vendor-mail.imap.tls",
            "none",
            "mailboxes.vendor-mail.imap.tls: tls: none is for this machine only; write implicit or starttls, or a loopback host",
        ),
        (
            "mailboxes.vendor-mail.imap.folders",
            "INBOX",
            "mailboxes.vendor-mail.imap.folders: a list is needed here, not text; write it as [a, b]",
        ),
    ]);
    assert_eq!(
        said_of(&[(imap, "{}")]),
        [
            "mailboxes.vendor-mail.imap.host: this key is missing",
            "mailboxes.vendor-mail.imap.user: this key is missing",
            "mailboxes.vendor-mail.imap: a key is missing; write one of password, oauth2",
        ]
    );
    let maildir =
        said_of(&[(mailbox, "{maildir: {path: Mail}}"), ("credentials.main.recipient", "a@example.com")]);
    assert_eq!(maildir, ["mailboxes.vendor-mail.maildir.path: the path is not absolute; begin it with /"]);
}

#[test]
fn a_name_is_what_a_dns_label_may_be() {
    let lines = said_of(&[("mailboxes.Vendor_Mail", "{maildir: {path: /a}}")]);
    assert_eq!(
        lines,
        [
            r#"mailboxes.Vendor_Mail: "Vendor_Mail" is not a name: names are 1 to 63 of a-z, 0-9 and -, and do not begin with -"#
        ]
    );
    let lines = said_of(&[("vendors.Leaf7", "{}")]);
    assert_eq!(
        lines,
        [
            r#"vendors.Leaf7: "Leaf7" is not a name: names are 1 to 63 of a-z, 0-9 and -, and do not begin with -"#
        ]
    );
}

#[test]
fn below_a_wrong_name_mistakes_are_told_in_the_same_run() {
    let lines = said_of(&[("credentials.Main", "{vendor: leaf8, path: a/b, consumers: {a: {}}}")]);
    let keys: Vec<_> = lines.iter().filter_map(|line| line.split(": ").next()).collect();
    assert_eq!(
        keys,
        ["credentials.Main", "credentials.Main.vendor", "credentials.Main.consumers.a"],
        "{lines:?}"
    );
}

#[test]
fn a_path_on_this_host_is_absolute_and_does_not_climb() {
    each_is_refused(&[
        ("spool.dir", "spool", "spool.dir: the path is not absolute; begin it with /"),
        ("spool.dir", "/var/../etc", "spool.dir: the path holds .."),
        ("control", "control.sock", "control: the path is not absolute; begin it with /"),
        (
            "control",
            &format!("/{}", "x".repeat(107)),
            "control: a socket's path has at most 107 bytes, this one has 108",
        ),
    ]);
    assert_eq!(accepted(&[("spool.dir", "//a/./b/")]).spool.dir, Path::new("/a/b"));
}

#[test]
fn the_own_mail_server_is_named_as_it_names_itself() {
    let rule = "this is no name that a mail server gives itself; write what stands right behind \
        Authentication-Results: in a mail of that mailbox, up to the semicolon: mx.example.com";
    let key = "mailboxes.vendor-mail.authserv_id";
    for (yaml, at) in [("'*.example.com'", ""), ("[a.example, 'b; c']", "[1]"), ("'mx.example.com 1'", "")] {
        each_is_refused(&[(key, yaml, &format!("{key}{at}: {rule}"))]);
    }
    let ids = |yaml: &str| accepted(&[(key, yaml)]).authserv_ids[&"vendor-mail".parse().unwrap()].clone();
    assert_eq!(ids("MX.Example.com"), ["mx.example.com"]);
    assert_eq!(ids("[dmarc.icloud.com, dkim-verifier.icloud.com]").len(), 2);
    assert_eq!(ids("null"), [""; 0]);
}

#[test]
fn resolvers_are_addresses_with_ports() {
    each_is_refused(&[
        (
            "dns.servers",
            "[127.0.0.1]",
            r#"dns.servers[0]: "127.0.0.1" is no IP:PORT; write it as 127.0.0.1:53 or [::1]:53"#,
        ),
        (
            "dns.servers",
            "['127.0.0.1:53', 'dns.example.com:53']",
            r#"dns.servers[1]: "dns.example.com:53" is no IP:PORT; write it as 127.0.0.1:53 or [::1]:53"#,
        ),
    ]);
}

#[test]
fn alerts_need_a_sender_somebody_to_tell_and_a_server() {
    assert_eq!(
        said_of(&[("alerts.email", "{}")]),
        [
            "alerts.email.from: this key is missing",
            "alerts.email.to: this key is missing",
            "alerts.email.smtp.host: this key is missing",
        ]
    );
    each_is_refused(&[
        ("alerts.email.to", "[]", "alerts.email.to: the list is empty: nobody would be told"),
        (
            "alerts.email.to",
            "[ops]",
            r#"alerts.email.to[0]: "ops" is no mail address; write it as name@example.com"#,
        ),
        (
            "alerts.email.from",
            "Relay <a@example.com>",
            r#"alerts.email.from: "Relay <a@example.com>" is no mail address; write it as name@example.com"#,
        ),
        (
            "alerts.email.smtp.tls",
            "none",
            "alerts.email.smtp.tls: tls: none is for this machine only; write implicit or starttls, or a loopback host",
        ),
    ]);
    for bad in ["@a", "a@", "a b@c", "a@b..c", ".a@b", "a@b@c", "a@b c", "a@b\u{7f}"] {
        assert!(!values::is_address(bad), "{bad}");
    }
    for good in ["a@b", "first.last+tag@mail.example.com", "o'hara@example.com", "a@bücher.example"] {
        assert!(values::is_address(good), "{good}");
    }
}

#[test]
fn without_alerts_or_without_a_password_one_is_warned() {
    let nobody = "alerts: nobody is told when something goes wrong; add alerts.email with from, to and smtp";
    assert_eq!(said_of(&[("alerts", "~")]), [nobody]);
    assert_eq!(said_of(&[("alerts", "{email: null}")]), [nobody]);
    assert_eq!(accepted(&[("alerts", "~")]).email, None);
    assert_eq!(
        said_of(&[("alerts.email.smtp.password", "~"), ("alerts.email.smtp.user", "relay")]),
        [
            "alerts.email.smtp.user: a user without a password: there will be no login; add password, or leave user out"
        ]
    );
}

#[test]
fn the_face_listens_on_this_machine_only() {
    const HINT: &str = "write 127.0.0.1:PORT, [::1]:PORT, unix:/PATH, or off";
    let tcp = |text: &str| Listen::Tcp(text.parse().unwrap());
    for (written, sockets) in [
        ("off", vec![]),
        ("false", vec![]),
        ("'false'", vec![]),
        ("[]", vec![]),
        ("127.0.0.1:1", vec![tcp("127.0.0.1:1")]),
        ("localhost:1", vec![tcp("127.0.0.1:1")]),
        ("['[::1]:1', 'unix:/run/a.sock']", vec![tcp("[::1]:1"), Listen::Unix("/run/a.sock".into())]),
    ] {
        assert_eq!(accepted(&[("listen", written)]).listen, sockets, "{written}");
    }
    for (written, line) in [
        ("0.0.0.0:1", format!("listen: 0.0.0.0 is not a loopback address: others could reach it; {HINT}")),
        ("127.0.0.1", format!("listen: \"127.0.0.1\" is no socket; {HINT}")),
        ("localhost", format!("listen: \"localhost\" is no socket; {HINT}")),
        ("unix:a", format!("listen: the socket's path is not absolute; {HINT}")),
        ("[off]", format!("listen[0]: \"off\" is no socket; {HINT}")),
        ("true", "listen: text is needed here, not true or false; put it in quotes".to_owned()),
        ("['127.0.0.1:1', '127.0.0.1:1']", "listen: the socket of [1] is there twice".to_owned()),
    ] {
        assert_eq!(said_of(&[("listen", written)]), [line], "{written}");
    }
}

#[test]
fn a_schedule_is_five_fields_or_six_with_seconds_first() {
    let poll =
        |text: &str| accepted(&[("schedules.mailbox_poll", &format!("'{text}'"))]).schedules.mailbox_poll;
    assert_eq!(poll("*/5 * * * *"), "0 */5 * * * *");
    assert_eq!(poll(" 30  */5 * * *   MON-FRI "), "30 */5 * * * MON-FRI");
    assert_eq!(poll("0 0 29 2 *"), "0 0 0 29 2 *", "a leap day comes, if seldom");
    const HINT: &str = "write five fields (minute hour day month weekday), or six with seconds first";
    for (written, line) in [
        ("@hourly", format!("\"@hourly\" is no cron schedule; {HINT}")),
        ("* * * *", format!("\"* * * *\" is no cron schedule; {HINT}")),
        ("0 0 0 1 1 * 2027", format!("\"0 0 0 1 1 * 2027\" is no cron schedule; {HINT}")),
        ("61 * * * *", "minute \"61\": number out of bounds; write 0-59, *, or a list, range or step of them".to_owned()),
        ("* * * * 8", "day of week \"8\": number out of bounds; write 0-7 (0 and 7 are Sunday), *, or a list, range or step of them".to_owned()),
        ("x * * * *", "minute \"x\": it contains illegal character 'X' in part 'X'; write 0-59, *, or a list, range or step of them".to_owned()),
        ("0 0 31 2 *", "\"0 0 31 2 *\" never comes; there is no such day in any year".to_owned()),
    ] {
        let quoted = format!("'{written}'");
        let said = said_of(&[("schedules.consumer_prove", &quoted)]);
        assert_eq!(said, [format!("schedules.consumer_prove: {line}")], "{written}");
    }
}

#[test]
fn a_mistake_in_a_vendors_profile_is_told_with_its_place() {
    let lines = said_of(&[("vendors.leaf7.key.min_len", "many")]);
    assert!(lines[0].starts_with("vendors.leaf7.key.min_len: invalid type: string \"many\""), "{lines:?}");
    let lines = said_of(&[("vendors.leaf7.base_url", "http://api.example.com")]);
    assert!(lines[0].starts_with("vendors.leaf7.base_url: "), "{lines:?}");
    let lines = said_of(&[("vendors.other", "{}"), ("credentials.main.vendor", "other")]);
    assert!(lines[0].starts_with("vendors.other: missing field"), "{lines:?}");
    assert!(lines.iter().all(|line| line.starts_with("vendors.")), "the name itself is known: {lines:?}");
}

#[test]
fn one_is_told_where_a_vendors_limit_is_narrower_than_the_schedule() {
    // Of 60 requests a minute a tenth is ours, and half of that is kept for new keys: 180 an hour.
    let with_schedule = |schedule: &str, credentials: usize| {
        let credential = |at: usize| {
            format!("  c{at}: {{vendor: leaf7, path: p{at}, consumers: {{a: {{prove: {{report: }}}}}}}}\n")
        };
        let others: String = (1..credentials).map(credential).collect();
        let text = format!("{RIGHT}{others}schedules: {{current_key_probe: '{schedule}'}}\n");
        load_text(&text, &[], Need::Run).unwrap().1
    };
    let told = |count: usize, period: &str| {
        [format!(
            "config.yaml: schedules.current_key_probe: leaf7's rate limit allows each of its keys here ({count}) one probe in {period}; they are probed that often, not as the schedule says"
        )]
    };
    assert_eq!(with_schedule("*/10 * * * *", 30), [""; 0]);
    assert_eq!(with_schedule("*/10 * * * *", 31), told(31, "10 min 20 s"));
    assert_eq!(with_schedule("*/20 * * * * *", 1), [""; 0]);
    assert_eq!(with_schedule("* * * * * *", 1), told(1, "20 s"));
}
