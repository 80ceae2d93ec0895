//! `defaults`: what holds for every credential that does not say it itself.

use super::*;
use crate::consumer::{Deliver, FileForm, Prove};

/// The right configuration with two credentials in place of one, under `defaults`.
fn with_defaults(defaults: &str, credentials: &str) -> String {
    right_but(&[("defaults", defaults), ("credentials", credentials)])
}

fn accepted_with(defaults: &str, credentials: &str) -> Config {
    let text = with_defaults(defaults, credentials);
    load_text(&text, &[], Need::Run).unwrap_or_else(|lines| panic!("{lines:#?}")).0
}

fn errors_of(defaults: &str, credentials: &str) -> Vec<String> {
    load_text(&with_defaults(defaults, credentials), &[], Need::Run).unwrap_err()
}

const WEB: &str = "{vendor: leaf7, path: 'vendors/{name}', consumers: {web: {prove: {http: {url: \
                   'https://{name}.example.com/'}}}}}";

fn of<'a>(config: &'a Config, name: &str) -> &'a Credential {
    &config.credentials[&name.parse().unwrap()]
}

fn consumer<'a>(config: &'a Config, credential: &str, name: &str) -> &'a crate::consumer::Settings {
    &of(config, credential).consumers[&name.parse().unwrap()]
}

#[test]
fn a_credential_may_have_everything_from_defaults_and_its_name_is_filled_in() {
    let config = accepted_with(WEB, "{a: null, b-2: {}}");
    assert_eq!(
        (of(&config, "a").path.as_str(), of(&config, "b-2").path.as_str()),
        ("vendors/a", "vendors/b-2")
    );
    let Some(Prove::Http { urls, .. }) = &consumer(&config, "b-2", "web").prove else { panic!() };
    assert_eq!(urls, &["https://b-2.example.com/"]);
}

#[test]
fn the_credentials_own_value_wins_and_maps_are_merged_by_name() {
    let own = "{a: {field: own, recipient: [own@example.com], consumers: {web: {host: shop-1}, \
               bot: {deliver: {file: {path: /a/b}}, prove: none}}}}";
    let defaults = WEB.replacen('{', "{field: default, recipient: [x@example.com, y@example.com], ", 1);
    let config = accepted_with(&defaults, own);
    let a = of(&config, "a");
    assert_eq!((a.field.as_str(), &a.recipients), ("own", &vec!["own@example.com".to_owned()]));
    assert_eq!(a.consumers.len(), 2);
    let web = consumer(&config, "a", "web");
    assert_eq!((web.host.as_deref(), web.prove.is_some()), (Some("shop-1"), true));
}

#[test]
fn null_takes_back_what_defaults_say() {
    let defaults = WEB.replacen('{', "{field: other, account: [x], ", 1);
    let config = accepted_with(
        &defaults,
        "{a: {field: null, account: null, consumers: {web: null, bot: {prove: {http: {url: 'https://x.example.com/'}}}}}, \
          b: {}}",
    );
    assert_eq!((of(&config, "a").field.as_str(), of(&config, "a").account.is_none()), ("api_key", true));
    assert_eq!(of(&config, "a").consumers.keys().map(|name| name.as_str()).collect::<Vec<_>>(), ["bot"]);
    assert_eq!((of(&config, "b").field.as_str(), of(&config, "b").consumers.len()), ("other", 1));
}

#[test]
fn what_a_credential_chooses_takes_the_place_of_another_choice_in_defaults() {
    let defaults = "{vendor: leaf7, path: 'v/{name}', consumers: {bot: {level: working_copy, deliver: {file: {path: \
                    '/etc/bot/{name}', env: KEY}, then: {exec: [/bin/reload]}}, prove: {http: {url: \
                    'https://x.example.com/', bearer: {file: /nowhere}}}}}}";
    let config = accepted_with(
        defaults,
        "{a: {consumers: {bot: {deliver: {command: {run: [/bin/set]}}, prove: {command: {run: [/bin/prove]}, level: in_use}}}}, \
          b: {consumers: {bot: {deliver: {file: {template: 'k={key}'}}, prove: none}}}, \
          c: {consumers: {bot: {prove: {http: {url: null, urls: ['https://y.example.com/'], bearer: {env: SECRET}}}}}}, \
          d: {consumers: {bot: {prove: {report: null}}}}}",
    );
    let shown = |name| {
        let settings = consumer(&config, name, "bot");
        let deliver = match &settings.deliver {
            Some(Deliver::File { form: FileForm::Env(_), .. }) => "env",
            Some(Deliver::File { form: FileForm::Template(_), .. }) => "template",
            Some(Deliver::Command { .. }) => "command",
            _ => panic!(),
        };
        let prove = match &settings.prove {
            None => "none",
            Some(Prove::Http { .. }) => "http",
            Some(Prove::Command { .. }) => "command",
            Some(Prove::Report { .. }) => "report",
        };
        (deliver, settings.then.is_some(), prove, settings.wanted.as_str())
    };
    assert_eq!(shown("a"), ("command", true, "command", "in_use"));
    assert_eq!(shown("b"), ("template", true, "none", "working_copy"));
    assert_eq!(shown("c"), ("env", true, "http", "working_copy"));
    assert_eq!(shown("d"), ("env", true, "report", "working_copy"));
    let Some(Prove::Http { urls, bearer, .. }) = &consumer(&config, "c", "bot").prove else { panic!() };
    assert_eq!((urls.len(), bearer.as_ref().map(|secret| secret.expose())), (1, Some(CANARY)));
}

#[test]
fn the_commands_variables_are_merged_by_name() {
    let defaults = "{vendor: leaf7, path: 'v/{name}', consumers: {bot: {prove: none, deliver: {command: {run: [/bin/set], \
                    env: {A: {env: SECRET}, B: {env: SECRET}}}}}}}";
    let config = accepted_with(
        defaults,
        "{a: {consumers: {bot: {deliver: {command: {env: {B: {env: OTHER}, C: {env: SECRET}}}}}}}}"
            .replace("OTHER", "SECRET")
            .as_str(),
    );
    let Some(Deliver::Command { env, .. }) = &consumer(&config, "a", "bot").deliver else { panic!() };
    assert_eq!(env.keys().map(String::as_str).collect::<Vec<_>>(), ["A", "B", "C"]);
}

#[test]
fn a_mistake_in_defaults_is_told_once() {
    let names: Vec<String> = (0..1_000).map(|number| format!("c{number:03}: {{}}")).collect();
    let all = format!("{{{}}}", names.join(", "));
    let defaults = WEB
        .replacen('{', "{mailbox: vendor-mial, hand_over_within: 24, field: 'a b', ", 1)
        .replace("https", "http");
    assert_eq!(
        errors_of(&defaults, &all),
        [
            r#"config.yaml: defaults.mailbox: no mailbox named "vendor-mial" (credential c000 and 999 others); did you mean "vendor-mail"?"#,
            "config.yaml: defaults.field: a field's name is 1 to 128 of A-Z a-z 0-9 . _ - (credential c000 and 999 others)",
            "config.yaml: defaults.hand_over_within: a duration is one whole number and s, m, h or d, as in 90s, 15m, 24h or 7d (credential c000 and 999 others)",
            "config.yaml: defaults.consumers.web.prove.http.url: plain http to c000.example.com, which is not this machine (credential c000 and 999 others); use https",
        ]
    );
}

#[test]
fn a_mistake_names_those_credentials_alone_that_have_it() {
    let defaults = "{vendor: leaf7, path: shared, mailbox: other}";
    let said = errors_of(defaults, "{a: {mailbox: vendor-mail}, b: {path: own}, c: {}}");
    let errors: Vec<_> = said.iter().filter(|line| !line.contains("no consumer")).collect();
    assert_eq!(
        errors,
        [
            r#"config.yaml: defaults.mailbox: no mailbox named "other" (credential b and one other); there is "vendor-mail""#,
            r#"config.yaml: defaults.path: "shared" is also credentials.a.path (credential c); write {name} where the credential's name makes the difference"#,
        ]
    );
}

#[test]
fn what_a_credential_adds_is_its_own_mistake() {
    assert_eq!(
        errors_of(
            WEB,
            "{a: {consumers: {web: {prove: {http: {instances: 0}}}}}, b: {consumers: {web: {hots: x}}}}"
        ),
        [
            "config.yaml: credentials.a.consumers.web.prove.http.instances: a whole number from 1 to 1000 is needed here",
            r#"config.yaml: credentials.b.consumers.web.hots: unknown key; did you mean "host"?"#,
        ]
    );
}

#[test]
fn an_unknown_key_of_defaults_is_an_error_though_no_credential_takes_it() {
    let defaults = "{feild: x, consumers: {web: {hots: x, prove: {htpp: {}}}}}";
    let own = "{a: {vendor: leaf7, path: x, consumers: {web: null, b: {prove: {http: {url: 'https://b.example.com/'}}}}}}";
    assert_eq!(
        errors_of(defaults, own),
        [
            r#"config.yaml: defaults.consumers.web.prove.htpp: unknown key; did you mean "http"?"#,
            r#"config.yaml: defaults.consumers.web.hots: unknown key; did you mean "host"?"#,
            r#"config.yaml: defaults.feild: unknown key; did you mean "field"?"#,
        ]
    );
    assert_eq!(
        errors_of("[]", &own.replace("web: null, ", "")),
        ["config.yaml: defaults: a group of keys is needed here, not a list"]
    );
}

#[test]
fn a_wrong_value_of_defaults_is_an_error_though_every_credential_has_its_own() {
    let defaults =
        WEB.replacen('{', "{hand_over_within: 24, observe: 1, recipient: [x, 'a@example.com'], ", 1);
    assert_eq!(
        errors_of(&defaults, "{a: {hand_over_within: 1h, observe: false, recipient: [a@example.com]}}"),
        [
            r#"config.yaml: defaults.recipient[0]: "x" is no mail address; write it as name@example.com"#,
            "config.yaml: defaults.hand_over_within: a duration is one whole number and s, m, h or d, as in 90s, 15m, 24h or 7d",
            "config.yaml: defaults.observe: true or false is needed here",
        ]
    );
}

#[test]
fn a_consumer_of_defaults_may_be_half_of_one() {
    let defaults = "{vendor: leaf7, path: 'v/{name}', consumers: {bot: {deliver: {file: {mode: '0640', path: '/etc/{name}'}}, \
                    level: in_use}}}";
    let own = "{a: {consumers: {bot: {deliver: {file: {group: bot}}, prove: {http: {url: 'https://a.example.com/'}}}}}}";
    assert_eq!(accepted_with(defaults, own).credentials.len(), 1);
}

#[test]
fn the_name_is_filled_in_in_defaults_alone() {
    assert_eq!(
        errors_of(
            "{vendor: leaf7, consumers: {w: {prove: {http: {url: 'https://x/'}}}}}",
            "{a: {path: 'v/{name}'}}"
        ),
        [
            r#"config.yaml: credentials.a.path: "v/{name}" is no path in a store; write words of A-Z a-z 0-9 . _ ~ @ : - with one / between two of them, as in vendors/leaf7/main"#
        ]
    );
}

#[test]
fn defaults_may_stand_in_a_file_of_their_own_and_in_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("config.d")).unwrap();
    let right = right_but(&[("credentials", "{a: {}, b: {hand_over_within: 2h}}")]);
    std::fs::write(folder.path().join("config.yaml"), right).unwrap();
    std::fs::write(folder.path().join("config.d/00-defaults.yaml"), format!("defaults: {WEB}")).unwrap();
    let variables = [
        ("KEYRELAY_DEFAULTS__HAND_OVER_WITHIN", "90s"),
        ("KEYRELAY_DEFAULTS__RECIPIENT", "[x@example.com, y@example.com]"),
        ("KEYRELAY_DEFAULTS__CONSUMERS__WEB__PROVE__HTTP__INSTANCES", "3"),
        ("KEYRELAY_DEFAULTS__OBSERVE", "true"),
    ];
    let (config, _) = load_folder(folder.path(), &variables, Need::Run).unwrap();
    let within = |name| of(&config, name).hand_over_within.as_secs();
    assert_eq!((within("a"), within("b")), (90, 7_200));
    assert_eq!((of(&config, "a").recipients.len(), of(&config, "a").observe), (2, true));
    let Some(Prove::Http { instances, .. }) = &consumer(&config, "a", "web").prove else { panic!() };
    assert_eq!(*instances, Some(3));
    let variables = [("KEYRELAY_DEFAULTS__CONSUMERS__WEB__PROVE__HTTP__INSTANCES", "many")];
    assert_eq!(
        load_folder(folder.path(), &variables, Need::Run).unwrap_err(),
        [
            "KEYRELAY_DEFAULTS__CONSUMERS__WEB__PROVE__HTTP__INSTANCES: defaults.consumers.web.prove.http.instances: \
             a whole number from 1 to 1000 is needed here (credential a and one other)"
        ]
    );
}

#[test]
fn to_observe_is_said_for_all_for_defaults_or_for_one_credential_and_the_nearest_wins() {
    let observed = |everywhere: &str, defaults: &str, own: &str| {
        let path =
            "{vendor: leaf7, path: x, OWN consumers: {w: {prove: {http: {url: 'https://x.example.com/'}}}}}";
        let credentials = format!("{{a: {}}}", path.replace("OWN", own));
        let defaults = format!("{{{defaults}}}");
        let changes = [("observe", everywhere), ("defaults", &defaults), ("credentials", &credentials)];
        of(&accepted(&changes), "a").observe
    };
    assert!(!observed("null", "", ""));
    assert!(observed("true", "", ""));
    assert!(!observed("true", "observe: false", ""));
    assert!(observed("false", "observe: true", ""));
    assert!(!observed("true", "observe: true", "observe: false,"));
    assert!(observed("true", "observe: false", "observe: null,"), "null takes back what defaults say");
    each_is_refused(&[
        ("observe", "'on'", "observe: true or false is needed here"),
        ("credentials.main.observe", "1", "credentials.main.observe: true or false is needed here"),
    ]);
}

#[test]
fn a_thousand_credentials_with_ten_consumers_each_are_loaded() {
    let consumers: Vec<String> = (0..10)
        .map(|number| {
            format!("u{number}: {{deliver: {{file: {{path: '/etc/u{number}/{{name}}.key'}}}}, prove: none}}")
        })
        .collect();
    let defaults = format!("{{vendor: leaf7, path: 'v/{{name}}', consumers: {{{}}}}}", consumers.join(", "));
    let names: Vec<String> = (0..1_000).map(|number| format!("c{number}: {{}}")).collect();
    let config = accepted_with(&defaults, &format!("{{{}}}", names.join(", ")));
    let count: usize = config.credentials.values().map(|credential| credential.consumers.len()).sum();
    assert_eq!(count, 10_000);
}
