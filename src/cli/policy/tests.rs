//! What is printed, whole: an operator installs it as it is read here.

use super::{super::tests::captured, *};
use crate::consumer::unit::Verb;
use secrets::Secrets;
use site::{Folder, Watch};

const CONFIG: &str = "
store:
  vault: {address: 'https://vault.example.com:8200', auth: {token: {env: TOKEN}}}
mailboxes:
  vendor-mail: {imap: {host: imap.example.com, user: rotation@example.com, password: {env: IMAP}}}
credentials:
  leaf7-main:
    vendor: leaf7
    path: vendors/leaf7/main
    consumers:
      discord-bot:
        deliver: {file: {path: /nonexistent/discord-bot/leaf7.env, env: LEAF7_API_KEY}, then: {restart: discord-bot.service}}
      nightly-ci: {prove: {report: {within: 20h}}}
      payments: {deliver: {store: {path: teams/payments/leaf7}}, prove: none}
";

fn said(config: &str, args: Args) -> (Exit, String, String) {
    let dir = tempfile::tempdir().unwrap();
    let shown = dir.path().display().to_string();
    let path = dir.path().join("config.yaml");
    std::fs::write(&path, config.replace("DIR", &shown)).unwrap();
    let (exit, said, told) =
        captured(|console| policy(&args, &path, console).unwrap_or_else(|failure| failure.tell(console)));
    (exit, said.replace(&shown, "DIR"), told.replace(&shown, "DIR"))
}

fn args(part: Option<Part>, consumer: Option<&str>) -> Args {
    Args { part, consumer: consumer.map(|name| name.parse().unwrap()), without_polkit: false }
}

#[test]
fn the_stores_policy_names_exact_paths_with_what_each_is_for() {
    let (exit, said, told) = said(CONFIG, args(Some(Part::Vault), None));
    assert_eq!((exit, told.as_str()), (Exit::Done, ""));
    insta::assert_snapshot!(said);
}

#[test]
fn a_consumers_policy_is_its_key_and_its_report() {
    let (exit, said, _) = said(CONFIG, args(None, Some("nightly-ci")));
    assert_eq!(exit, Exit::Done);
    insta::assert_snapshot!(said);
}

#[test]
fn a_consumer_that_is_handed_its_key_needs_nothing_of_the_store() {
    let said_of = |part, name| said(CONFIG, args(part, Some(name)));
    let nothing = "# The consumer discord-bot is handed its key: of the store it needs nothing.\n";
    assert_eq!(said_of(Some(Part::Vault), "discord-bot"), (Exit::Done, nothing.into(), "".into()));
    let (exit, said, told) = said_of(Some(Part::Vault), "discord-bott");
    assert_eq!((exit, said.as_str()), (Exit::Mistake, ""));
    assert_eq!(told, "there is no consumer named \"discord-bott\"; did you mean \"discord-bot\"?\n");
    let (exit, _, told) = said_of(Some(Part::Systemd), "nightly-ci");
    assert_eq!(exit, Exit::Mistake);
    assert_eq!(
        told,
        "of systemd the consumer nightly-ci needs nothing\nkeyrelay policy vault --consumer nightly-ci\n"
    );
}

#[test]
fn without_an_argument_both_parts_come_under_their_headings() {
    let (exit, both, _) = said(CONFIG, args(None, None));
    let alone = |part| said(CONFIG, args(Some(part), None)).1;
    assert_eq!(exit, Exit::Done);
    assert_eq!(
        both,
        format!(
            "### The store (alone: keyrelay policy vault)\n\n{}### systemd (alone: keyrelay policy systemd)\n\n{}",
            alone(Part::Vault),
            alone(Part::Systemd)
        )
    );
}

/// A host with one of each.
fn site() -> Site {
    let set = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let folder = |users: &[&str], groups: &[&str], file: &str| Folder {
        users: set(users),
        groups: set(groups),
        files: [file.into()].into(),
        ..Folder::default()
    };
    let unit = |name: &str| name.parse().unwrap();
    let watch = |name: &str, file: &str, verb, of: &str| Watch {
        name: name.into(),
        file: file.into(),
        verb,
        unit: unit(of),
    };
    Site {
        source: "/etc/keyrelay/config.yaml".into(),
        secrets: Secrets { daemon: set(&["crm-token", "relay-password"]), failed: set(&["relay-password"]) },
        folders: [
            ("/etc/discord-bot/keyrelay".into(), folder(&["discord-bot of leaf7-main"], &[], "leaf7.env")),
            (
                "/etc/proxy/key folder".into(),
                Folder {
                    closed: vec!["/etc/proxy".into()],
                    ..folder(&["proxy of leaf7-main"], &["proxy"], "leaf7.key")
                },
            ),
            ("/srv/shop/keyrelay".into(), folder(&["shop of leaf7-main"], &["shop"], "100%.key")),
        ]
        .into(),
        verbs_by_unit: [
            (unit("discord-bot.service"), [Verb::Restart].into()),
            (unit(r"pro\x2dxy.service"), [Verb::Reload, Verb::Restart].into()),
        ]
        .into(),
        watches: vec![
            watch(
                "keyrelay-leaf7-main-discord-bot",
                "/etc/discord-bot/keyrelay/leaf7.env",
                Verb::Restart,
                "discord-bot",
            ),
            watch("keyrelay-leaf7-main-shop", "/srv/shop/keyrelay/100%.key", Verb::Reload, r"pro\x2dxy"),
        ],
        unwatched: vec!["payments of leaf7-main".into()],
    }
}

#[test]
fn what_systemd_must_allow_is_a_script_of_the_files_that_say_so() {
    insta::assert_snapshot!(systemd::script(&site(), false));
}

#[test]
fn without_polkit_units_of_roots_do_what_keyrelay_may_not() {
    insta::assert_snapshot!(systemd::script(&site(), true));
}

#[test]
fn where_nothing_is_delivered_nothing_is_needed_and_nothing_is_left() {
    let site = Site { source: "/etc/keyrelay/config.yaml".into(), ..Site::default() };
    insta::assert_snapshot!(systemd::script(&site, false));
}

#[test]
fn the_scripts_are_shell() {
    for without_polkit in [false, true] {
        let mut sh = std::process::Command::new("sh")
            .arg("-n")
            .stdin(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let script = systemd::script(&site(), without_polkit);
        std::io::Write::write_all(&mut sh.stdin.take().unwrap(), script.as_bytes()).unwrap();
        let ended = sh.wait_with_output().unwrap();
        assert_eq!((ended.status.code(), String::from_utf8_lossy(&ended.stderr)), (Some(0), "".into()));
    }
}

#[test]
fn a_folder_that_holds_other_files_is_never_given_away() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("discord-bot");
    std::fs::create_dir(&folder).unwrap();
    for file in ["leaf7.env", ".keyrelay-0123-4567", "bot.conf"] {
        std::fs::write(folder.join(file), "").unwrap();
    }
    let shown = dir.path().display().to_string();
    let config = CONFIG.replace("/nonexistent", &shown);
    let (exit, said, told) = said(&config, args(Some(Part::Systemd), None));
    let finding = "DIR/discord-bot holds other files (bot.conf, for one), and would be keyrelay's whole; deliver to \
                   DIR/discord-bot/keyrelay/leaf7.env (discord-bot of leaf7-main)";
    assert_eq!((exit, told.replace(&shown, "DIR")), (Exit::NotHeld, format!("{finding}\n")));
    let said = said.replace(&shown, "DIR");
    assert!(said.contains(&format!("\n# NOT DONE: {finding}\n")), "{said}");
    assert!(!said.contains("ReadWritePaths") && !said.contains("\nd "), "{said}");
    assert!(said.contains(r#""discord-bot.service": ["restart"],"#), "{said}");
}

#[test]
fn a_folder_serves_one_group() {
    let config = CONFIG.replace("env: LEAF7_API_KEY}", "env: LEAF7_API_KEY, group: bots}")
        + "      shop: {deliver: {file: {path: /nonexistent/discord-bot/shop.key, group: shops}}, prove: none}\n";
    let (exit, _, told) = said(&config, args(Some(Part::Systemd), None));
    assert_eq!(exit, Exit::NotHeld);
    assert_eq!(
        told,
        "/nonexistent/discord-bot is used for several groups (bots, shops), and gives its files only one; deliver to each \
         group in a folder of its own (discord-bot of leaf7-main, shop of leaf7-main)\n"
    );
}

#[test]
fn a_folder_that_the_service_cannot_see_or_that_another_user_could_exchange_is_named() {
    let finding = |path: &str, foreign: Option<&str>| {
        let users = ["shop of main".to_owned()].into();
        let folder = Folder { users, foreign: foreign.map(Into::into), ..Folder::default() };
        folder.finding(Path::new(path)).unwrap()
    };
    assert_eq!(
        finding("/home/shop/keyrelay", None),
        "/home/shop/keyrelay is not to be seen by keyrelay.service, which is kept out of /home; deliver to a folder \
         below /etc or /var/lib (shop of main)"
    );
    assert_eq!(
        finding("/var/lib/shop/keyrelay", Some("/var/lib/shop")),
        "/var/lib/shop belongs to another user than root, who could put another folder in /var/lib/shop/keyrelay's \
         place; deliver to a folder of root's, as in /etc/NAME/keyrelay (shop of main)"
    );
}
