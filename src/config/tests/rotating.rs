//! What a credential says of its own rotation.

use super::*;
use std::time::Duration;

const LEGBA: [(&str, &str); 3] = [
    ("credentials.main.vendor", "legba"),
    ("credentials.main.params.host", "api.legba.example"),
    ("credentials.main.params.org_uuid", "0f8fad5b-d9cb-469f-a165-70867728950e"),
];

fn legba_but(changes: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    LEGBA.into_iter().chain(changes.iter().copied()).collect()
}
fn main_name() -> CredentialName {
    "main".parse().unwrap()
}
fn rotating(changes: &[(&str, &str)]) -> Rotating {
    accepted(changes).credentials[&main_name()].rotating.clone()
}

#[test]
fn parameters_stand_in_the_addresses_of_their_credential_alone() {
    let config = accepted(&LEGBA);
    let profile = config.profile(&main_name()).unwrap();
    assert_eq!(profile.base_url, "https://api.legba.example");
    assert_eq!(profile.probe.get.as_deref(), Some("/orgs/0f8fad5b-d9cb-469f-a165-70867728950e/api/key"));
    assert_eq!(config.vendors[&"legba".parse().unwrap()].base_url, "https://{host}");
    assert_eq!(accepted(&[]).profile(&main_name()).unwrap().base_url, "https://api.leaf7.fun");
}

#[test]
fn a_parameter_is_asked_for_with_what_it_is() {
    let host = "credentials.main.params.host: this key is missing; write the host of your API, without https:// (Legba \
                tells each customer their own)";
    let org = "credentials.main.params.org_uuid: this key is missing; write your organization's UUID, as it stands in \
               the addresses of the dashboard";
    assert_eq!(said_of(&[("credentials.main.vendor", "legba")]), [host, org]);
    let said = |key: &'static str, value: &'static str| said_of(&legba_but(&[(key, value)]));
    let no_host = |value: &str| {
        let hint = "write the host of your API, without https:// (Legba tells each customer their own)";
        format!(
            "credentials.main.params.host: \"{value}\" is not a host name, with a port if need be; {hint}"
        )
    };
    for host in
        ["https://api.legba.example", "api.legba.example/orgs", "a@b.example", "a b", "b.example:0", "x?y"]
    {
        assert_eq!(said("credentials.main.params.host", host), [no_host(host)], "{host}");
    }
    for uuid in
        ["0f8fad5b", "0f8fad5b-d9cb-469f-a165-70867728950", "0f8fad5b-d9cb-469f-a165-7086772895zz", "../x"]
    {
        assert!(said("credentials.main.params.org_uuid", uuid)[0].contains("is not a UUID"), "{uuid}");
    }
    assert_eq!(
        said("credentials.main.params.zone", "eu"),
        ["credentials.main.params.zone: Legba has no such parameter; write \"host\" or \"org_uuid\""]
    );
    assert_eq!(
        said_of(&[("credentials.main.params.host", "a.example")]),
        ["credentials.main.params.host: Leaf7 has no such parameter; Leaf7 asks for none: leave it out"]
    );
}

#[test]
fn s21_a_parameter_leads_no_key_out_in_clear_or_to_a_forbidden_host() {
    let clear = legba_but(&[("vendors.legba.base_url", "\"http://{host}\"")]);
    let line = "credentials.main.params: a key goes out over https only, but to loopback; write it as https://api.example.com";
    assert_eq!(said_of(&clear), [line]);
    let here =
        [("vendors.legba.base_url", "\"http://{host}\""), ("credentials.main.params.host", "127.0.0.1:8080")];
    assert_eq!(accepted(&legba_but(&here)).profile(&main_name()).unwrap().base_url, "http://127.0.0.1:8080");
    let forbidden = legba_but(&[("vendors.legba.forbidden_hosts", "{api.legba.example: use b.example}")]);
    assert_eq!(
        said_of(&forbidden),
        ["credentials.main.params: api.legba.example must not be called: use b.example; use b.example"]
    );
}

#[test]
fn when_a_new_key_is_made_is_for_whom_the_vendor_leaves_it_to() {
    let api = rotating(&legba_but(&[
        ("credentials.main.rotate_at", "17 3 1 * *"),
        ("credentials.main.window", "{opens: '0 2 * * *', lasts: 4h}"),
        ("credentials.main.expires_at", "2027-03-01T12:00:00Z"),
    ]));
    assert_eq!(api.rotate_at.as_deref(), Some("0 17 3 1 * *"));
    let window = Window { opens: "0 0 2 * * *".into(), lasts: Duration::from_secs(4 * 3_600) };
    assert_eq!(api.window, Some(window));
    assert_eq!(api.expires_at, "2027-03-01T12:00:00Z".parse().ok());
    let leadey = ("credentials.main.vendor", "leadey");
    let operator = rotating(&[leadey, ("credentials.main.cadence", "90d")]);
    assert_eq!(operator.cadence, Some(Duration::from_secs(90 * 86_400)));

    let hint = "leave it out (keyrelay vendors shows how each vendor rotates)";
    for (vendor, key, value, why) in [
        ("leaf7", "rotate_at", "0 3 * * *", "only an API can be asked by a schedule"),
        ("leadey", "rotate_at", "0 3 * * *", "only an API can be asked by a schedule"),
        ("leadey", "window", "{opens: '0 2 * * *', lasts: 4h}", "only a call of an API keeps to a window"),
        ("leaf7", "expires_at", "2027-03-01T12:00:00Z", "the vendor rotates by itself"),
        ("leaf7", "cadence", "90d", "no operator makes this vendor's keys"),
    ] {
        let path = format!("credentials.main.{key}");
        let said = said_of(&[("credentials.main.vendor", vendor), (&path, value)]);
        assert_eq!(said, [format!("{path}: {why}; {hint}")], "{vendor}");
    }
}

#[test]
fn a_moment_and_a_window_are_written_in_one_way() {
    let leadey = ("credentials.main.vendor", "leadey");
    for moment in ["tomorrow", "2027-03-01", "2027-13-01T00:00:00Z"] {
        let said = said_of(&[leadey, ("credentials.main.expires_at", moment)]);
        let line = format!(
            "credentials.main.expires_at: \"{moment}\" is no moment in time; write it as 2027-03-01T12:00:00Z"
        );
        assert_eq!(said, [line]);
    }
    let said = said_of(&legba_but(&[("credentials.main.window", "{opens: '0 2 * * *'}")]));
    assert_eq!(said, ["credentials.main.window.lasts: this key is missing"]);
}

#[test]
fn an_operators_vendor_needs_no_mailbox_and_its_keys_have_a_day() {
    let config = accepted(&[("credentials.main.vendor", "leafpad"), ("mailboxes", "~")]);
    let main = &config.credentials[&main_name()];
    assert_eq!((main.mailbox.clone(), main.hand_over_within), (None, Duration::from_secs(86_400)));
}
