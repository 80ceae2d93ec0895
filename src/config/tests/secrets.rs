//! References to secrets: what is found, what is refused, and that none is ever shown.

use super::*;
use crate::{domain::Secret, mail::imap};
use std::os::unix::fs::PermissionsExt;

const PASSWORD: &str = "mailboxes.vendor-mail.imap.password";
const HINT: &str = "write a reference: {credential: NAME}, {file: PATH} or {env: NAME}";

/// A folder of its own with one file in it.
struct Place(tempfile::TempDir);

impl Place {
    fn new(content: impl AsRef<[u8]>, mode: u32) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        std::fs::write(place.file(), content).unwrap();
        std::fs::set_permissions(place.file(), std::fs::Permissions::from_mode(mode)).unwrap();
        place
    }
    fn folder(&self) -> String {
        self.0.path().display().to_string()
    }
    fn file(&self) -> String {
        format!("{}/a-secret", self.folder())
    }
}

fn load_with(
    reference: &str,
    variables: &[(&str, &str)],
    need: Need,
) -> Result<(Secret, Vec<String>), Vec<String>> {
    let (config, warnings) = load_text(&right_but(&[(PASSWORD, reference)]), variables, need)?;
    let mailbox = config.mailboxes[&"vendor-mail".parse().unwrap()].clone();
    let mail::MailboxSettings::Imap(imap) = mailbox else { panic!("{mailbox:?}") };
    let imap::Login::Password(password) = imap.login else { panic!("{:?}", imap.login) };
    Ok((password, warnings))
}

/// The one line about the password, in both needs.
#[track_caller]
fn is_refused(reference: &str, line: &str) {
    for need in [Need::Check, Need::Run] {
        let lines = load_with(reference, &[], need).unwrap_err();
        assert_eq!(lines, [format!("config.yaml: {PASSWORD}: {line}")], "{reference}");
    }
}

/// A warning for who looks, and an empty secret; an error for who runs.
#[track_caller]
fn is_missing(reference: &str, variables: &[(&str, &str)], line: &str) {
    let lines = [format!("config.yaml: {PASSWORD}: {line}")];
    let (secret, warnings) = load_with(reference, variables, Need::Check).unwrap();
    assert!(secret.is_missing());
    assert_eq!(warnings, lines, "{reference}");
    assert_eq!(load_with(reference, variables, Need::Run).unwrap_err(), lines, "{reference}");
}

#[test]
fn a_literal_is_refused_and_not_shown() {
    for literal in [CANARY, "12345", "true", "[canary-s3cr3t]"] {
        is_refused(literal, &format!("a secret is never written here itself; {HINT}"));
    }
    for wrong in
        ["{canary-s3cr3t}", "{value: canary-s3cr3t}", "{env: [canary-s3cr3t]}", "{}", "{env: A, file: /a}"]
    {
        is_refused(wrong, &format!("this is no reference to a secret; {HINT}"));
    }
    is_refused("{env: canary-s3cr3t}", "this is no variable's name; write it as {env: VAULT_TOKEN}");
    is_refused(
        "{file: canary-s3cr3t}",
        "the secret's file is not named by an absolute path; begin it with /",
    );
    is_refused(
        "{credential: ../canary-s3cr3t}",
        "this is no credential's name; write the name that the unit gives it",
    );
}

#[test]
fn a_secret_in_a_file_is_read_without_its_line_end() {
    for content in [CANARY.to_owned(), format!("{CANARY}\n"), format!("{CANARY}\r\n")] {
        for mode in [0o600, 0o400] {
            let place = Place::new(&content, mode);
            let (secret, warnings) =
                load_with(&format!("{{file: {}}}", place.file()), &[], Need::Run).unwrap();
            assert_eq!((secret.expose(), warnings), (CANARY, vec![]));
        }
    }
}

#[test]
fn a_file_that_others_can_read_is_refused_even_when_nothing_is_needed() {
    for mode in [0o640, 0o604, 0o644, 0o444] {
        let place = Place::new(CANARY, mode);
        let file = place.file();
        is_refused(
            &format!("{{file: {file}}}"),
            &format!("{file} can be read by others (mode {mode:04o}); type: chmod 600 {file}"),
        );
    }
}

#[test]
fn a_file_that_holds_no_secret_is_refused() {
    let place = Place::new(b"\xff\xfe", 0o600);
    is_refused(
        &format!("{{file: {}}}", place.file()),
        &format!("{} is not UTF-8 text; name a file that holds the secret alone", place.file()),
    );
    let place = Place::new("x".repeat(65_537), 0o600);
    is_refused(
        &format!("{{file: {}}}", place.file()),
        &format!("{} is larger than 64 KiB; name a file that holds the secret alone", place.file()),
    );
    let place = Place::new("", 0o600);
    is_refused(
        &format!("{{file: {}}}", place.folder()),
        &format!("{} is not a file; name a file that holds the secret", place.folder()),
    );
    let place = Place::new(format!("{CANARY}\n\n"), 0o600);
    is_refused(
        &format!("{{file: {}}}", place.file()),
        "the secret holds a line break or another control character; write it as one line: printf %s SECRET",
    );
}

#[test]
fn a_secret_that_is_not_there_is_named_with_what_to_type() {
    is_missing(
        "{file: /nonexistent/secret}",
        &[],
        "no file /nonexistent/secret; write it: install -m 600 /dev/stdin /nonexistent/secret",
    );
    let empty = Place::new("\n", 0o600);
    is_missing(
        &format!("{{file: {}}}", empty.file()),
        &[],
        &format!("{0} is empty; write it: install -m 600 /dev/stdin {0}", empty.file()),
    );
    is_missing("{env: NOWHERE}", &[], "the environment has no variable NOWHERE; set it: export NOWHERE=…");
    is_missing(
        "{env: EMPTY}",
        &[("EMPTY", "")],
        "the environment has no variable EMPTY; set it: export EMPTY=…",
    );
}

#[test]
fn a_credential_is_looked_for_where_systemd_puts_it() {
    let place = Place::new(CANARY, 0o440);
    let inside = [("CREDENTIALS_DIRECTORY", place.folder())];
    let inside = inside.each_ref().map(|(name, folder)| (*name, folder.as_str()));
    let (secret, _) = load_with("{credential: a-secret}", &inside, Need::Run).unwrap();
    assert_eq!(secret.expose(), CANARY, "systemd's access lists show as the group's bits");
    is_missing(
        "{credential: keyrelay-test-nowhere}",
        &inside,
        &format!(
            "no credential \"keyrelay-test-nowhere\" in {}; write it: sudo install -m 600 /dev/stdin /etc/credstore/keyrelay-test-nowhere; then let the unit read it: keyrelay policy systemd | sudo sh",
            place.folder()
        ),
    );
    is_missing(
        "{credential: keyrelay-test-nowhere}",
        &[],
        "no credential \"keyrelay-test-nowhere\" in /run/credentials/keyrelay.service/ or /etc/credstore/; write it: sudo install -m 600 /dev/stdin /etc/credstore/keyrelay-test-nowhere",
    );
}

#[test]
fn a_credential_that_the_world_can_read_is_refused() {
    let place = Place::new(CANARY, 0o444);
    let (folder, file) = (place.folder(), place.file());
    let lines =
        load_with("{credential: a-secret}", &[("CREDENTIALS_DIRECTORY", &folder)], Need::Check).unwrap_err();
    assert_eq!(
        lines,
        [format!(
            "config.yaml: {PASSWORD}: {file} can be read by others (mode 0444); type: chmod 600 {file}"
        )]
    );
}

#[test]
fn the_environment_may_refer_to_a_secret_in_another_way_than_the_file() {
    let place = Place::new("another", 0o600);
    let variables = [("KEYRELAY_MAILBOXES__VENDOR_MAIL__IMAP__PASSWORD__FILE", place.file())];
    let variables = variables.each_ref().map(|(name, file)| (*name, file.as_str()));
    let (secret, _) = load_with("{env: SECRET}", &variables, Need::Run).unwrap();
    assert_eq!(secret.expose(), "another");
}

#[test]
fn a_random_key_is_32_bytes_in_base64() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let with = |key: &str, need| load_text(&right_but(&[("spool.key", "{env: KEY}")]), &[("KEY", key)], need);
    let (config, _) = with(&STANDARD.encode([7; 32]), Need::Run).unwrap();
    assert_eq!(config.spool.key.unwrap().expose(), STANDARD.encode([7; 32]));
    for wrong in [CANARY.to_owned(), STANDARD.encode([7; 31]), STANDARD.encode([7; 33])] {
        assert_eq!(
            with(&wrong, Need::Check).unwrap_err(),
            [
                "config.yaml: spool.key: the secret is not 32 bytes in base64; make one: head -c 32 /dev/urandom | base64"
            ]
        );
    }
    let (config, warnings) = with("", Need::Check).unwrap();
    assert!(config.spool.key.unwrap().is_missing());
    assert_eq!(
        warnings,
        ["config.yaml: spool.key: the environment has no variable KEY; set it: export KEY=…"]
    );
}

#[test]
fn a_variable_of_a_command_may_hold_several_lines() {
    let place = Place::new("one\ntwo\n", 0o600);
    let shop = format!(
        "{{deliver: {{command: {{run: [/bin/a], env: {{A: {{file: {}}}}}}}}}, prove: none}}",
        place.file()
    );
    let config = accepted(&[("credentials.main.consumers.shop", &shop)]);
    let shop = &config.credentials[&"main".parse().unwrap()].consumers[&"shop".parse().unwrap()];
    let Some(crate::consumer::Deliver::Command { env, .. }) = &shop.deliver else { panic!() };
    assert_eq!(env["A"].expose(), "one\ntwo");
}
