mod added;

use super::*;
use crate::domain::RotatedBy;
use crate::vendor::profile::Identity;
use serde_json::json;
use std::time::Duration;

fn name(text: &str) -> VendorName {
    text.parse().unwrap()
}

fn leaf7(over: Value) -> Result<Profile, Vec<(String, String)>> {
    let resolved = resolve(&BTreeMap::from([(name("leaf7"), over)]));
    let told = |found: Vec<ProfileMistake>| found.into_iter().map(|m| (m.path, m.message)).collect();
    resolved.map(|mut profiles| profiles.remove(&name("leaf7")).unwrap()).map_err(told)
}

fn mistakes_of(over: Value) -> Vec<(String, String)> {
    leaf7(over).err().unwrap_or_default()
}

#[test]
fn leaf7_is_built_in_as_its_documentation_says() {
    let profile = leaf7(json!({})).unwrap();
    assert_eq!(profile.base_url, "https://api.leaf7.fun");
    assert_eq!(profile.rotation.by, RotatedBy::Vendor);
    let hours = |span: Option<super::super::profile::Span>| span.map(|span| span.0.as_secs() / 3600);
    assert_eq!(
        (hours(profile.cadence), hours(profile.notice_before), hours(profile.grace)),
        (Some(168), Some(24), Some(24))
    );
    assert_eq!((profile.limit.requests, profile.limit.per.0), (60, Duration::from_secs(60)));
    assert_eq!(profile.probe.get.as_deref().unwrap(), "/api/vendor/projects/");
    assert_eq!(format!("{}{}", profile.probe.header, profile.probe.scheme), "AuthorizationBearer ");
    assert_eq!(profile.probe.identity, Some(Identity::Each("project_id".into())));
    assert_eq!(senders(&profile), ["@leaf7.fun"]);
}

#[test]
fn fields_of_the_configuration_lie_over_the_built_in_ones() {
    let profile = leaf7(json!({
        "base_url": "http://127.0.0.1:8080",
        "grace": "2h",
        "mail": {"from": ["keys@leaf7.fun"], "confirmation": {"key_after": ["the key:"]}},
        "key": {"pattern": "l7_[0-9a-f]{32}"},
    }))
    .unwrap();
    assert_eq!(profile.base_url, "http://127.0.0.1:8080");
    assert_eq!(profile.grace.unwrap().0, Duration::from_secs(7200));
    assert_eq!(profile.cadence.unwrap().0, Duration::from_secs(7 * 86_400));
    let rules = profile.mail.as_ref().unwrap();
    assert_eq!(rules.confirmation.key_after.len(), 1, "lists are replaced");
    assert!(rules.confirmation.subject.len() > 1, "what is not named is kept");
    assert_eq!((profile.key.min_len, profile.key.max_len), (20, 200));
    assert!(profile.key.pattern.is_some());
    assert_eq!(senders(&profile), ["keys@leaf7.fun"]);
}

#[test]
fn a_new_vendor_needs_a_whole_profile() {
    let mut other: Value = yaml_serde::from_str(BUILT_IN[0].1).unwrap();
    other["title"] = json!("Other");
    let both = resolve(&BTreeMap::from([(name("other"), other)])).unwrap();
    assert_eq!(
        both.keys().map(VendorName::as_str).collect::<Vec<_>>(),
        ["leadey", "leaf7", "leafpad", "legba", "other"]
    );
    let found = resolve(&BTreeMap::from([(name("other"), json!({"title": "Other"}))])).unwrap_err();
    assert_eq!((found[0].path.as_str(), found[0].message.as_str()), ("other", "missing field `about`"));
    assert_eq!(found.len(), 1);
}

#[test]
fn every_mistake_is_named_by_its_path() {
    let found = mistakes_of(json!({
        "cadence": "weekly",
        "colour": "green",
        "mail": {"signed_by": "leaf7.fun", "confirmation": {"key_after": ["a("]}},
        "key": {"min_len": -1},
    }));
    let expected = [
        ("leaf7.cadence", "a duration is one whole number and s, m, h or d, as in 90s, 15m, 24h or 7d"),
        ("leaf7.key.min_len", "invalid value: integer `-1`, expected usize"),
        ("leaf7.mail.confirmation.key_after[0]", "it is no regular expression: unclosed group"),
        ("leaf7.mail.signed_by", "invalid type: string \"leaf7.fun\", expected a sequence"),
    ];
    let found: Vec<_> = found.iter().map(|(path, message)| (path.as_str(), message.as_str())).collect();
    for mistake in expected {
        assert!(found.contains(&mistake), "{mistake:?} in {found:?}");
    }
    assert_eq!(found.len(), 5);
    assert!(
        found
            .iter()
            .any(|(path, message)| *path == "leaf7.colour" && message.starts_with("unknown field `colour`"))
    );
}

#[test]
fn what_has_the_right_type_and_is_wrong_is_a_mistake_too() {
    for (over, path, message) in [
        (
            json!({"base_url": "http://api.leaf7.fun"}),
            "base_url",
            "a key goes out over https only, but to loopback",
        ),
        (
            json!({"base_url": "https://auth.leaf7.fun"}),
            "base_url",
            "auth.leaf7.fun must not be called: use https://api.leaf7.fun; the vendor answers 403 to whoever calls \
             its other host directly",
        ),
        (json!({"base_url": "api.leaf7.fun"}), "base_url", "it is no address of a server"),
        (
            json!({"base_url": "https://api.leaf7.fun/v1"}),
            "base_url",
            "it is not scheme, host and port alone",
        ),
        (
            json!({"base_url": "https://user@api.leaf7.fun"}),
            "base_url",
            "it is not scheme, host and port alone",
        ),
        (json!({"grace": "8d"}), "grace", "it is not shorter than cadence"),
        (json!({"notice_before": "7d"}), "notice_before", "it is not shorter than cadence"),
        (json!({"limit": {"requests": 0}}), "limit.requests", "it is 0"),
        (json!({"probe": {"get": "api"}}), "probe.get", "it is no path"),
        (json!({"probe": {"dead": []}}), "probe.dead", "it is empty"),
        (json!({"mail": {"signed_by": []}}), "mail.signed_by", "it is empty"),
        (
            json!({"mail": {"signed_by": ["Leaf7.fun"]}}),
            "mail.signed_by",
            "\"Leaf7.fun\" is no domain in lower case",
        ),
        (
            json!({"mail": {"from": ["Leaf7 <a@leaf7.fun>"]}}),
            "mail.from",
            "\"Leaf7 <a@leaf7.fun>\" is no plain address in lower case",
        ),
        (
            json!({"mail": {"from": ["a@mail.leaf7.fun"]}}),
            "mail.from",
            "a@mail.leaf7.fun is in none of the domains of signed_by, and aligned is true",
        ),
        (
            json!({"mail": {"aligned": false, "from": ["a@leaf7.fun"]}}),
            "mail.aligned",
            "without alignment everybody who signs with that domain could write such a mail",
        ),
        (json!({"mail": {"warning": {"subject": []}}}), "mail.warning.subject", "it is empty"),
        (json!({"mail": {"confirmation": {"key_after": []}}}), "mail.confirmation.key_after", "it is empty"),
        (json!({"key": {"min_len": 100, "max_len": 50}}), "key.min_len", "100 is more than max_len, 50"),
        (json!({"key": {"min_len": 8}}), "key.min_len", "8 is not from 16 to 512"),
        (json!({"key": {"prefix": "x".repeat(20)}}), "key.prefix", "it is as long as a whole key"),
    ] {
        assert_eq!(mistakes_of(over), [(format!("leaf7.{path}"), message.to_owned())]);
    }
}

#[test]
fn hints_say_what_to_write() {
    let over =
        BTreeMap::from([(name("leaf7"), json!({"base_url": "https://auth.leaf7.fun", "grace": "9d"}))]);
    let found = resolve(&over).unwrap_err();
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|mistake| !mistake.hint.is_empty()));
    assert!(found[0].hint.starts_with("use https://api.leaf7.fun"), "{}", found[0].hint);
}

#[test]
fn what_is_valid_is_accepted() {
    for over in [
        json!({"base_url": "http://localhost:1"}),
        json!({"base_url": "http://[::1]:8080"}),
        json!({"base_url": "https://api.example.com:8443"}),
        json!({"mail": {"aligned": false, "from": ["a@other.example"], "selectors": ["s1"]}}),
        json!({"mail": null}),
    ] {
        assert_eq!(mistakes_of(over.clone()), [], "{over}");
    }
    let silent = leaf7(json!({"mail": null})).unwrap();
    assert_eq!(senders(&silent), [""; 0]);
}
