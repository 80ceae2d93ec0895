//! A mailbox that is entered with access tokens.

use super::*;
use crate::{
    config::rights::store_rights,
    domain::{Grant, Secret},
    mail::{MailboxSettings, imap},
};

const IMAP: &str = "mailboxes.vendor-mail.imap";
const PASSWORD: &str = "mailboxes.vendor-mail.imap.password";
const OAUTH2: &str = "mailboxes.vendor-mail.imap.oauth2";
const OFFICE: &str = "{token_url: 'https://login.example.com/token', client_id: relay, client_secret: {env: SECRET}, \
                      scope: 'https://outlook.office365.com/.default'}";
const GMAIL: &str =
    "{token_url: 'https://login.example.com/token', client_id: relay, refresh_token: {env: SECRET}}";

fn grant(oauth2: &str) -> Grant {
    let config = accepted(&[(PASSWORD, "~"), (OAUTH2, oauth2)]);
    let MailboxSettings::Imap(imap) = &config.mailboxes[&"vendor-mail".parse().unwrap()] else { panic!() };
    let imap::Login::OAuth2(grant) = &imap.login else { panic!("{:?}", imap.login) };
    (**grant).clone()
}

/// The one line that is said of a mailbox with this in place of its password.
#[track_caller]
fn is_refused(oauth2: &str, line: &str) {
    assert_eq!(said_of(&[(PASSWORD, "~"), (OAUTH2, oauth2)]), [format!("{OAUTH2}{line}")], "{oauth2}");
}

#[test]
fn a_refresh_token_or_the_clients_own_credentials_let_in() {
    let secret = || Some(Secret::new(CANARY));
    let office = Grant {
        token_url: "https://login.example.com/token".into(),
        client_id: "relay".into(),
        client_secret: secret(),
        refresh_token: None,
        scope: "https://outlook.office365.com/.default".into(),
    };
    assert_eq!(grant(OFFICE), office);
    let gmail = Grant { client_secret: None, refresh_token: secret(), scope: String::new(), ..office };
    assert_eq!(grant(GMAIL), gmail);
    let with_secret = GMAIL.replace("}}", "}, client_secret: {env: SECRET}}");
    assert_eq!(grant(&with_secret), Grant { client_secret: secret(), ..gmail });
}

#[test]
fn a_password_and_oauth2_exclude_each_other_and_one_of_them_is_needed() {
    assert_eq!(
        said_of(&[(OAUTH2, OFFICE)]),
        [format!("{IMAP}: password and oauth2 exclude each other; keep one of password, oauth2")]
    );
    assert_eq!(
        said_of(&[(PASSWORD, "~")]),
        [format!("{IMAP}: a key is missing; write one of password, oauth2")]
    );
}

#[test]
fn every_mistake_in_it_is_named() {
    assert_eq!(
        said_of(&[(PASSWORD, "~"), (OAUTH2, "{}")]),
        [
            format!("{OAUTH2}.token_url: this key is missing"),
            format!("{OAUTH2}.client_id: this key is missing"),
            format!("{OAUTH2}.client_secret: this key is missing"),
        ]
    );
    is_refused(
        &OFFICE.replace("https://login", "http://login"),
        ".token_url: plain http to login.example.com, which is not this machine; use https",
    );
    grant(&OFFICE.replace("https://login.example.com", "http://127.0.0.1:8080"));
    is_refused(
        &OFFICE.replace("https://login", "https://me:canary-s3cr3t@login"),
        ".token_url: the URL holds a login, which would end up in logs",
    );
    is_refused(&OFFICE.replace("relay", "''"), ".client_id: the text is empty");
    is_refused(&OFFICE.replace("scope", "scopes"), r#".scopes: unknown key; did you mean "scope"?"#);
    is_refused(
        &OFFICE.replace("'https://outlook.office365.com/.default'", "[a]"),
        ".scope: text is needed here, not a list",
    );
    let literal = "a secret is never written here itself; write a reference: {credential: NAME}, {file: PATH} or {env: NAME}";
    is_refused(&OFFICE.replace("{env: SECRET}", CANARY), &format!(".client_secret: {literal}"));
    is_refused(&GMAIL.replace("{env: SECRET}", CANARY), &format!(".refresh_token: {literal}"));
    is_refused(
        &GMAIL.replace("SECRET", "NOT_SET"),
        ".refresh_token: the environment has no variable NOT_SET; set it: export NOT_SET=…",
    );
}

#[test]
fn only_a_refresh_token_needs_a_document_in_the_store() {
    for (oauth2, document) in [(OFFICE, false), (GMAIL, true)] {
        let config = accepted(&[(PASSWORD, "~"), (OAUTH2, oauth2)]);
        let rights: Vec<_> =
            store_rights(&config).into_iter().filter(|right| right.path.contains("_mailboxes")).collect();
        let paths: Vec<_> =
            rights.iter().map(|right| (right.path.as_str(), right.capabilities.join(","))).collect();
        let expected = [
            ("secret/data/keyrelay/_mailboxes/vendor-mail", "create,read,update".to_owned()),
            ("secret/metadata/keyrelay/_mailboxes/vendor-mail", "read".to_owned()),
        ];
        assert_eq!(paths, if document { &expected[..] } else { &[] });
        assert!(rights.iter().all(|right| right.why.starts_with("the refresh token of vendor-mail")));
    }
}
