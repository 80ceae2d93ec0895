//! Vendors that the configuration adds, and what a profile of the other kinds must keep to.

use super::*;

/// Of docs/vendors.md, so that it is right there.
fn acme() -> Value {
    let page = include_str!("../../../../docs/vendors.md");
    let example = page.split("<!-- example -->\n```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    yaml_serde::from_str::<Value>(example).unwrap()["vendors"]["acme"].take()
}

/// The mistakes of the example with other values at some places (`null` of a test takes the field away).
fn wrong(changes: &[(&str, Value)]) -> Vec<(String, String)> {
    let mut profile = acme();
    for (at, value) in changes {
        let (map, key) = at.rsplit_once('/').unwrap();
        let map = profile.pointer_mut(map).unwrap().as_object_mut().unwrap();
        if value.is_null() { _ = map.remove(key) } else { _ = map.insert(key.to_owned(), value.clone()) }
    }
    let found = resolve(&BTreeMap::from([(name("acme"), profile)])).err().unwrap_or_default();
    found.into_iter().map(|mistake| (mistake.path, mistake.message)).collect()
}

fn named(path: &str, message: &str) -> Vec<(String, String)> {
    vec![(format!("acme.{path}"), message.to_owned())]
}

#[test]
fn the_example_of_the_documentation_is_a_whole_vendor() {
    assert_eq!(wrong(&[]), []);
}

#[test]
fn every_field_of_an_added_vendor_that_has_a_wrong_type_is_named() {
    let found = wrong(&[
        ("/limit/requests", json!("many")),
        ("/rotation/by", json!("nobody")),
        ("/rotation/call/issued", json!([{"status": [200], "boddy": "object"}])),
        ("/probe/identity", json!({"somewhere": "/id"})),
    ]);
    let paths: Vec<&str> = found.iter().map(|(path, _)| path.as_str()).collect();
    let [identity, call] = ["acme.probe.identity", "acme.rotation.call.issued[0].boddy"];
    assert_eq!(paths, ["acme.limit.requests", identity, "acme.rotation.by", call]);
}

#[test]
fn a_rule_that_does_not_fit_its_own_examples_is_refused() {
    let dead = json!([{"status": [401], "body": "object", "equals": {"/code": "gone"}}]);
    let found = wrong(&[("/probe/dead", dead)]);
    let why = "the rules of probe read it as unclear: 401 (Unauthorized) with an object that says nothing of the key";
    assert_eq!(found, named("examples.answers.1", why));
    let found = wrong(&[("/rotation/call/key", json!("/secret"))]);
    let why = "the rules of rotation.call read it as unclear: 200 without a key at /secret";
    assert_eq!(found, named("examples.rotations.0", why));
    let paths: Vec<_> = wrong(&[("/key/prefix", json!("ex_"))]).into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths, ["acme.examples.rotations.0", "acme.examples.keys.0"]);
    let why = "probe.identity finds [\"Shop\"] in it";
    assert_eq!(
        wrong(&[("/probe/identity", json!({"at": "/account/name"}))]),
        named("examples.answers.0", why)
    );
    let found = wrong(&[("/examples/confirmation_subjects", json!(["Your new key"]))]);
    assert_eq!(found, named("examples", "there are mails, and no rules under mail"));
}

#[test]
fn each_way_to_rotate_needs_what_it_needs() {
    let none = json!(null);
    for (changes, path, message) in [
        (
            vec![("/rotation/call", none.clone())],
            "rotation.call",
            "a call is needed where by is api, and only there",
        ),
        (
            vec![
                ("/rotation/by", json!("operator")),
                ("/rotation/call", none.clone()),
                ("/rotation/revoke", none),
            ],
            "rotation.create",
            "an operator rotates, and the steps to create and to revoke a key are not both written",
        ),
        (vec![("/grace", json!("2h"))], "grace", "it is none of those that the vendor offers"),
        (
            vec![("/rotation/call/json", json!({}))],
            "rotation.call.json",
            "graces and {grace} in json belong together",
        ),
        (vec![("/rotation/call/key", json!("key"))], "rotation.call.key", "it is no JSON pointer"),
        (vec![("/rotation/call/issued", json!([]))], "rotation.call.issued", "it is empty"),
        (vec![("/rotation/call/post", json!("//evil.example/"))], "rotation.call.post", "it is no path"),
        (vec![("/probe/post", json!("/v2/x"))], "probe.get", "there must be one request, get or post"),
        (vec![("/probe/json", json!({}))], "probe.json", "only a post has a body"),
        (
            vec![("/probe/writes", json!(true))],
            "probe.writes",
            "a probe that would write must be a post that is refused, and 2xx cannot mean alive",
        ),
        (vec![("/base_url", json!("https://{host}"))], "base_url", "{host} is no parameter"),
        (
            vec![("/params", json!({"zone": {"about": "a zone", "kind": "word"}}))],
            "params.zone",
            "no address names {zone}",
        ),
        (vec![("/links/keys", json!("http://acme.example"))], "links.keys", "it is no https address"),
        (
            vec![("/probe/key_id", json!(null))],
            "key.label",
            "the dashboard shows a key's id, and probe.key_id does not say where to find it",
        ),
    ] {
        let found = wrong(&changes);
        assert!(found.contains(&named(path, message)[0]), "{path}: {found:?}");
    }
}

#[test]
fn another_way_to_tell_the_account_takes_the_place_of_the_built_in_one() {
    let profile = leaf7(json!({"probe": {"identity": {"at": "/0/project_id"}}})).unwrap();
    assert_eq!(profile.probe.identity, Some(Identity::At("/0/project_id".into())));
}

#[test]
fn parameters_fill_the_addresses_of_one_credential() {
    let legba = resolve(&BTreeMap::new()).unwrap().remove(&name("legba")).unwrap();
    let values = [("host", "api.example.com:8443"), ("org_uuid", "0f8fad5b-d9cb-469f-a165-70867728950e")];
    let filled = legba.filled(&values.into_iter().map(|(name, value)| (name.into(), value.into())).collect());
    assert_eq!(filled.base_url, "https://api.example.com:8443");
    assert_eq!(filled.probe.get.unwrap(), "/orgs/0f8fad5b-d9cb-469f-a165-70867728950e/api/key");
    let call = filled.rotation.call.unwrap();
    assert_eq!(call.post, "/orgs/0f8fad5b-d9cb-469f-a165-70867728950e/api/key/rotate");
}
