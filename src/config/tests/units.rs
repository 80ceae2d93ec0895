//! Consumers that are systemd services, judged by the unit files that this host has.

use super::*;
use crate::{
    consumer::{Settings, Then, unit::Verb},
    domain::ProofLevel,
};

const SHOP: &str = "credentials.main.consumers.shop";
const RESTART: &str =
    "{deliver: {file: {path: /etc/bot/key.env, env: API_KEY}, then: {restart: bot.service}}}";

/// What comes of a consumer on a host with these unit files: the settings, or nothing; and the lines, the places
/// without its own.
fn on_a_host_with(units: &[(&str, &str)], written: &str) -> (Option<Settings>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in units {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let path = folder.path().display().to_string();
    let loaded = load_text(&right_but(&[(SHOP, written)]), &[("SYSTEMD_UNIT_PATH", &path)], Need::Run);
    let lines = |lines: Vec<String>| {
        lines.iter().map(|line| line.replace(&format!("config.yaml: {SHOP}"), "shop")).collect()
    };
    match loaded {
        Ok((config, warnings)) => {
            let main = &config.credentials[&"main".parse().unwrap()];
            (Some(main.consumers[&"shop".parse().unwrap()].clone()), lines(warnings))
        }
        Err(mistakes) => (None, lines(mistakes)),
    }
}

/// A service whose file holds these lines.
fn bot(lines: &str) -> [(&'static str, String); 1] {
    [("bot.service", format!("[Service]\nExecStart=/usr/bin/bot\n{lines}\n"))]
}
fn with_bot(lines: &str, written: &str) -> (Option<Settings>, Vec<String>) {
    let files = bot(lines);
    on_a_host_with(&files.each_ref().map(|(name, text)| (*name, text.as_str())), written)
}

#[track_caller]
fn is_refused(unit: &str, written: &str, line: &str) {
    let (settings, lines) = with_bot(unit, written);
    assert_eq!((settings.is_none(), lines), (true, vec![line.to_owned()]), "{written}");
}

#[test]
fn a_restarted_unit_that_names_the_file_is_wanted_to_have_loaded_it() {
    for unit in ["EnvironmentFile=/etc/bot/key.env", "EnvironmentFile=-/etc/bot/*.env"] {
        let (settings, lines) = with_bot(unit, RESTART);
        let settings = settings.unwrap();
        assert_eq!((settings.wanted, lines.len()), (ProofLevel::Loaded, 0), "{unit}: {lines:?}");
        let unit = "bot.service".parse().unwrap();
        assert_eq!(settings.then, Some(Then::Unit(Verb::Restart, unit)));
        assert_eq!(settings.unit_to_prove().unwrap().1, Path::new("/etc/bot/key.env"));
    }
    let credential = "{deliver: {file: {path: /etc/bot/key}, then: {restart: bot}}}";
    let (settings, lines) = with_bot("LoadCredential=key:/etc/bot/key", credential);
    assert_eq!((settings.unwrap().wanted, lines.len()), (ProofLevel::Loaded, 0), "{lines:?}");
}

#[test]
fn a_proof_that_is_asked_for_is_wanted_more() {
    let written = RESTART.replace("}}}", "}}, prove: {http: {url: 'https://a'}}}");
    let (settings, lines) = with_bot("EnvironmentFile=/etc/bot/key.env", &written);
    let settings = settings.unwrap();
    assert_eq!((settings.wanted, settings.unit_to_prove(), lines.len()), (ProofLevel::InUse, None, 0));
}

#[test]
fn less_than_loaded_may_be_wanted() {
    let written = RESTART.replace("}}}", "}}, prove: none, level: working_copy}");
    let (settings, lines) = with_bot("EnvironmentFile=/etc/bot/key.env", &written);
    let settings = settings.unwrap();
    assert_eq!((settings.wanted, settings.unit_to_prove(), lines.len()), (ProofLevel::WorkingCopy, None, 0));
}

#[test]
fn a_unit_that_does_not_name_the_file_cannot_be_shown_to_have_loaded_it() {
    const HINT: &str = "add prove: {http: {url: …}}, or accept it with prove: none";
    let why = "bot.service names /etc/bot/key.env neither in EnvironmentFile= nor in LoadCredential=";
    let (settings, lines) = with_bot("EnvironmentFile=/etc/bot/other.env", RESTART);
    assert_eq!(settings.unwrap().wanted, ProofLevel::WorkingCopy);
    assert_eq!(lines, [format!("shop: copy works, use not tested at best: {why}; {HINT}")]);

    let (_, lines) = with_bot("Type=oneshot\nEnvironmentFile=/etc/bot/key.env", RESTART);
    let why = "bot.service runs to its end, and is not there to be looked at";
    assert_eq!(lines, [format!("shop: copy works, use not tested at best: {why}; {HINT}")]);

    let accepted = RESTART.replace("}}}", "}}, prove: none}");
    assert_eq!(with_bot("", &accepted).1, [""; 0]);
    is_refused(
        "",
        &RESTART.replace("}}}", "}}, level: loaded}"),
        "shop.level: loaded cannot be shown here, working_copy is the most; add prove: {http: {url: …}}",
    );
}

#[test]
fn a_unit_without_a_file_on_this_host_is_a_warning() {
    const HINT: &str = "add prove: {http: {url: …}}, or accept it with prove: none";
    let why = "there is no unit file of bot.service on this host";
    let (settings, lines) = on_a_host_with(&[], RESTART);
    assert_eq!(settings.unwrap().wanted, ProofLevel::WorkingCopy);
    assert_eq!(lines, [format!("shop: copy works, use not tested at best: {why}; {HINT}")]);

    // Whoever says that it will be there is believed.
    let (settings, lines) = on_a_host_with(&[], &RESTART.replace("}}}", "}}, level: loaded}"));
    assert_eq!((settings.unwrap().wanted, lines), (ProofLevel::Loaded, vec![format!("shop: {why}")]));
    let http = RESTART.replace("}}}", "}}, prove: {http: {url: 'https://a'}}}");
    assert_eq!(on_a_host_with(&[], &http).1, [format!("shop: {why}")]);

    let (_, lines) = on_a_host_with(&[("bot.service", "")], RESTART);
    let why = "bot.service is masked (systemctl unmask bot.service)";
    assert_eq!(lines, [format!("shop: copy works, use not tested at best: {why}; {HINT}")]);
}

#[test]
fn another_hosts_unit_is_judged_there() {
    let written = RESTART.replace("{deliver", "{host: not-this-one, deliver");
    let (settings, lines) = on_a_host_with(&[], &written);
    assert_eq!((settings.unwrap().wanted, lines.len()), (ProofLevel::Loaded, 0));
}

#[test]
fn a_reload_is_refused_where_it_would_not_take_up_the_key() {
    let reload = "{deliver: {file: {path: /etc/bot/key.env, env: A}, then: {reload: bot}}, prove: none}";
    const RELOADS: &str = "ExecReload=/bin/kill -HUP $MAINPID";
    is_refused(
        &format!("{RELOADS}\nEnvironmentFile=/etc/bot/key.env"),
        reload,
        "shop.deliver.then.reload: bot.service names /etc/bot/key.env in EnvironmentFile=, which is read at its start only; write restart: bot.service",
    );
    is_refused(
        &format!("{RELOADS}\nLoadCredential=key:/etc/bot/key.env"),
        reload,
        "shop.deliver.then.reload: bot.service names /etc/bot/key.env in LoadCredential=, which is read at its start only; write restart: bot.service",
    );
    is_refused(
        "",
        reload,
        "shop.deliver.then.reload: bot.service cannot be reloaded: its unit file has no ExecReload=; write restart: bot.service",
    );
    let (settings, lines) = with_bot(RELOADS, reload);
    assert_eq!((settings.unwrap().wanted, lines.len()), (ProofLevel::WorkingCopy, 0));
}

#[test]
fn an_environment_file_holds_a_name_and_the_key() {
    is_refused(
        "EnvironmentFile=/etc/bot/key",
        "{deliver: {file: {path: /etc/bot/key}, then: {restart: bot}}, prove: none}",
        "shop.deliver.file: bot.service names it in EnvironmentFile=, which takes NAME=KEY and not the key alone; add env: NAME",
    );
}

#[test]
fn there_is_one_action_and_it_names_a_service() {
    let then = |then: &str| format!("{{deliver: {{file: {{path: /a/b}}, then: {then}}}, prove: none}}");
    for (written, line) in [
        ("{}", "shop.deliver.then: a key is missing; write one of restart, reload, exec"),
        (
            "{restart: a, exec: [/bin/true]}",
            "shop.deliver.then: restart and exec exclude each other; keep one of restart, reload, exec",
        ),
        (
            "{restart: a.socket}",
            "shop.deliver.then.restart: only a service has a process that can be watched; name one (NAME.service)",
        ),
        (
            "{reload: 'a@.service'}",
            "shop.deliver.then.reload: this is a template; name an instance of it, as in worker@2.service",
        ),
        (
            "{restart: '../a'}",
            r"shop.deliver.then.restart: a unit's name is at most 255 of A-Z a-z 0-9 : - _ . \ @, and does not begin with @",
        ),
    ] {
        is_refused("", &then(written), line);
    }
}
