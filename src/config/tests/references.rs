//! What credentials refer to, and what they may not share.

use super::*;

const PATH: &str = "credentials.main.path";

#[test]
fn a_credential_names_a_known_vendor_and_mailbox() {
    each_is_refused(&[
        (
            "credentials.main.vendor",
            "acme",
            r#"credentials.main.vendor: no vendor named "acme"; there is "leadey", "leaf7", "leafpad" or "legba""#,
        ),
        (
            "credentials.main.mailbox",
            "inbox",
            r#"credentials.main.mailbox: no mailbox named "inbox"; there is "vendor-mail""#,
        ),
    ]);
    assert_eq!(
        said_of(&[("credentials.main.vendor", "~"), ("credentials.main.path", "~")]),
        ["credentials.main.vendor: this key is missing", "credentials.main.path: this key is missing"]
    );
}

#[test]
fn the_mailbox_goes_without_saying_where_there_is_one() {
    let main = |config: Config| config.credentials[&"main".parse().unwrap()].clone();
    assert_eq!(main(accepted(&[])).mailbox, Some("vendor-mail".parse().unwrap()));
    assert_eq!(
        said_of(&[("mailboxes.other", "{maildir: {path: /a}}")]),
        [
            r#"credentials.main.mailbox: this key is missing: there are several mailboxes; write "other" or "vendor-mail""#
        ]
    );
    assert_eq!(
        said_of(&[("mailboxes", "~")]),
        [
            "credentials.main.mailbox: leaf7 mails its new keys, and there is no mailbox; add one under mailboxes"
        ]
    );
    assert_eq!(
        said_of(&[("mailboxes", "~"), ("credentials.main.mailbox", "vendor-mail")]),
        [r#"credentials.main.mailbox: no mailbox named "vendor-mail"; there is no mailbox at all"#]
    );
}

#[test]
fn a_mistake_in_a_mailbox_is_not_told_again_by_the_credential() {
    assert_eq!(
        said_of(&[("mailboxes.vendor-mail.imap.host", "~")]),
        ["mailboxes.vendor-mail.imap.host: this key is missing"]
    );
}

#[test]
fn the_recipient_is_the_mailboxs_user_where_that_is_an_address() {
    let recipients =
        |changes: &[(&str, &str)]| accepted(changes).credentials[&"main".parse().unwrap()].recipients.clone();
    assert_eq!(recipients(&[]), ["rotation@example.com"]);
    assert_eq!(recipients(&[("credentials.main.recipient", "Keys@Example.com")]), ["keys@example.com"]);
    assert_eq!(
        recipients(&[("credentials.main.recipient", "[a@b.example, c@d.example]")]),
        ["a@b.example", "c@d.example"]
    );
    assert_eq!(
        said_of(&[("mailboxes.vendor-mail.imap.user", "rotation")]),
        [
            r#"credentials.main.recipient: this key is missing: the user of mailbox "vendor-mail" is no mail address; write the address that the vendor's mails are sent to"#
        ]
    );
    assert_eq!(
        said_of(&[("mailboxes.vendor-mail", "{maildir: {path: /a}}")]),
        [
            r#"credentials.main.recipient: this key is missing: mailbox "vendor-mail" is a maildir and has no user; write the address that the vendor's mails are sent to"#
        ]
    );
    each_is_refused(&[
        ("credentials.main.recipient", "[]", "credentials.main.recipient: the list is empty"),
        (
            "credentials.main.recipient",
            "keys",
            r#"credentials.main.recipient: "keys" is no mail address; write it as name@example.com"#,
        ),
    ]);
}

#[test]
fn an_account_is_one_id_or_several() {
    let account = |written| {
        accepted(&[("credentials.main.account", written)]).credentials[&"main".parse().unwrap()]
            .account
            .clone()
    };
    assert_eq!(account("org_1"), Some(["org_1"].into_iter().collect()));
    assert_eq!(account("[b, a]"), Some(["a", "b"].into_iter().collect()));
    assert_eq!(account("null"), None);
    each_is_refused(&[("credentials.main.account", "[]", "credentials.main.account: the list is empty")]);
}

#[test]
fn a_path_in_the_store_is_words_and_slashes() {
    const HINT: &str =
        "write words of A-Z a-z 0-9 . _ ~ @ : - with one / between two of them, as in vendors/leaf7/main";
    for bad in ["/a", "a/", "a//b", "a/../b", "./a", "a b", "a?b", "a%2fb", "ä"] {
        let line = format!("{PATH}: \"{bad}\" is no path in a store; {HINT}");
        assert_eq!(said_of(&[(PATH, bad)]), [line], "{bad}");
    }
}

#[test]
fn a_field_is_a_plain_word_and_not_keyrelays_mark() {
    let field = "credentials.main.field";
    each_is_refused(&[
        (field, "a b", "credentials.main.field: a field's name is 1 to 128 of A-Z a-z 0-9 . _ -"),
        (
            field,
            "keyrelay",
            "credentials.main.field: the field \"keyrelay\" is keyrelay's own mark in a document",
        ),
    ]);
}

#[test]
fn nothing_lies_under_the_state_path() {
    each_is_refused(&[
        (
            PATH,
            "keyrelay",
            r#"credentials.main.path: "keyrelay" lies under state_path "keyrelay", where keyrelay keeps its own notes"#,
        ),
        (
            PATH,
            "keyrelay/main",
            r#"credentials.main.path: "keyrelay/main" lies under state_path "keyrelay", where keyrelay keeps its own notes"#,
        ),
        (
            "store.vault.state_path",
            "vendors",
            r#"credentials.main.path: "vendors/leaf7" lies under state_path "vendors", where keyrelay keeps its own notes"#,
        ),
        (
            "credentials.main.consumers.shop.deliver",
            "{store: {path: keyrelay/x}}",
            r#"credentials.main.consumers.shop.deliver.store.path: "keyrelay/x" lies under state_path "keyrelay", where keyrelay keeps its own notes"#,
        ),
    ]);
    accepted(&[(PATH, "keyrelays")]);
    accepted(&[("credentials.main.consumers.shop.deliver", "{store: {path: keyrelay/x, mount: other}}")]);
}

#[test]
fn no_path_in_the_store_has_two_owners() {
    let deliver = "credentials.main.consumers.shop.deliver";
    assert_eq!(
        said_of(&[(
            "credentials.other",
            "{vendor: leaf7, path: vendors/leaf7, consumers: {a: {prove: {report: {}}}}}"
        )]),
        [
            r#"credentials.other.path: "vendors/leaf7" is also credentials.main.path; give each a place of its own"#
        ]
    );
    assert_eq!(
        said_of(&[(deliver, "{store: {path: vendors/leaf7}}")]),
        [
            r#"credentials.main.consumers.shop.deliver.store.path: "vendors/leaf7" is also credentials.main.path; give each a place of its own"#
        ]
    );
    accepted(&[(deliver, "{store: {path: vendors/leaf7, mount: other}}")]);
    assert_eq!(
        said_of(&[
            (deliver, "{store: {path: x, field: a}}"),
            ("credentials.main.consumers.b.deliver", "{store: {path: x, field: b}}"),
            ("credentials.main.consumers.b.prove", "none")
        ]),
        [
            r#"credentials.main.consumers.shop.deliver.store.path: "x" is also credentials.main.consumers.b.deliver.store.path; give each a place of its own"#
        ]
    );
}

#[test]
fn no_file_has_two_owners_on_one_host() {
    let two = |first: &str, second: &str| {
        let consumer =
            |host: &str| format!("{{{host} deliver: {{file: {{path: /etc/a/key}}}}, prove: none}}");
        said_of(&[
            ("credentials.main.consumers.a", &consumer(first)),
            ("credentials.main.consumers.b", &consumer(second)),
        ])
    };
    let taken = [
        r#"credentials.main.consumers.b.deliver.file.path: "/etc/a/key" is also credentials.main.consumers.a.deliver.file.path; give each a place of its own"#,
    ];
    assert_eq!(two("", ""), taken);
    assert_eq!(two("host: one,", "host: one,"), taken);
    assert_eq!(two("host: one,", ""), taken);
    assert_eq!(two("host: one,", "host: two,"), [""; 0]);
}

#[test]
fn a_credential_without_consumers_is_a_warning() {
    assert_eq!(
        said_of(&[("credentials.main.consumers", "~")]),
        [
            "credentials.main.consumers: there is no consumer: nobody is shown to work with a new key; add those who use the key"
        ]
    );
    assert_eq!(said_of(&[("credentials", "{}")]), ["credentials: there is no credential to look after"]);
}
