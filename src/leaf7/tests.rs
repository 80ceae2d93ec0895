//! What each operation sends, and what each answer is taken for.

use super::{answer::read, *};
use reqwest::{StatusCode, Url};
use serde_json::{Value, json};
use std::time::Duration;

fn id(text: &str) -> Id {
    text.parse().unwrap()
}
fn batch(lifetime: Option<Lifetime>) -> Operation {
    Operation::GenerateBuyer(Batch { project: id("p-1"), amount: 3, lifetime })
}
/// Method, path with query, body.
fn sent(operation: &Operation) -> (String, String, Option<Value>) {
    let url = operation.url(&Url::parse("https://api.leaf7.fun").unwrap()).unwrap();
    let path = url.as_str().strip_prefix("https://api.leaf7.fun").unwrap().to_owned();
    (operation.method().to_string(), path, operation.body())
}

#[test]
fn each_operation_is_the_documented_request_with_a_slash_at_its_end() {
    let (key, lifetime) = (id("k-1"), Some(Lifetime { days: 0, hours: 5, minutes: 0 }));
    let hwid = Some("a machine".parse().unwrap());
    let (buyer, active) = ("/api/vendor/keys/buyer/", "/api/vendor/keys/active/");
    let order = json!({"project_id": "p-1", "amount": 3});
    let lasting = json!({"project_id": "p-1", "amount": 3, "key_days": 0, "key_hours": 5, "key_minutes": 0});
    for (operation, method, path, body) in [
        (batch(None), "POST", buyer.to_owned(), Some(order)),
        (batch(lifetime), "POST", buyer.to_owned(), Some(lasting)),
        (Operation::ListBuyer { project: None }, "GET", buyer.to_owned(), None),
        (
            Operation::ListBuyer { project: Some(id("p+1&x")) },
            "GET",
            format!("{buyer}?project_id=p%2B1%26x"),
            None,
        ),
        (Operation::DeleteBuyer { key: key.clone() }, "DELETE", format!("{buyer}k-1/"), None),
        (Operation::ListActive { project: Some(id("p-1")) }, "GET", format!("{active}?project_id=p-1"), None),
        (Operation::Ban { key: key.clone() }, "POST", format!("{active}k-1/ban/"), None),
        (Operation::Unban { key: key.clone() }, "POST", format!("{active}k-1/unban/"), None),
        (Operation::ResetHwid { key: key.clone() }, "POST", format!("{active}k-1/reset_hwid/"), None),
        (
            Operation::SetHwid { key: key.clone(), hwid },
            "PATCH",
            format!("{active}k-1/hwid/"),
            Some(json!({"new_hwid": "a machine"})),
        ),
        (
            Operation::SetHwid { key, hwid: None },
            "PATCH",
            format!("{active}k-1/hwid/"),
            Some(json!({"new_hwid": null})),
        ),
    ] {
        assert_eq!(sent(&operation), (method.to_owned(), path, body), "{operation:?}");
    }
    let below = Url::parse("http://127.0.0.1:8080/proxy/").unwrap();
    let url = Operation::ListBuyer { project: None }.url(&below).unwrap();
    assert_eq!(url.as_str(), "http://127.0.0.1:8080/proxy/api/vendor/keys/buyer/");
}

proptest::proptest! {
    /// An id is one step of a path, or none at all.
    #[test]
    fn no_id_leads_to_another_path(text in "\\PC{0,12}|[./\\\\%?#a-z]{1,6}") {
        if let Ok(key) = text.parse::<Id>() {
            let url = Operation::Ban { key }.url(&Url::parse("https://api.leaf7.fun").unwrap()).unwrap();
            let steps: Vec<_> = url.path_segments().unwrap().collect();
            assert_eq!((steps.len(), &steps[..4]), (7, &["api", "vendor", "keys", "active"][..]));
            assert_eq!((&steps[5..], url.query(), url.fragment()), (&["ban", ""][..], None, None));
        }
    }
}

#[test]
fn what_is_no_id_is_said_without_repeating_it() {
    for (text, why) in [
        ("", BadId::Empty),
        ("..", BadId::Dots),
        ("a/b", BadId::Character),
        ("a b", BadId::Character),
        ("é", BadId::Character),
        ("a\n", BadId::Character),
        (&"x".repeat(201), BadId::TooLong),
    ] {
        assert_eq!(text.parse::<Id>().err(), Some(why), "{text:?}");
    }
    assert_eq!(" ".parse::<Hwid>().err(), Some(BadId::Empty));
    assert_eq!("a\u{1b}".parse::<Hwid>().err(), Some(BadId::Control));
    let wire = json!({"do": "ban", "key": "a/b"});
    assert!(serde_json::from_value::<Operation>(wire).is_err(), "over the socket neither");
}

#[test]
fn no_customers_key_is_printed() {
    let key = id("k-secret");
    let printed = format!("{:?}", (Operation::Ban { key: key.clone() }, Body("[\"k-secret\"]".into())));
    assert!(!printed.contains("secret"), "{printed}");
    // printf %s k-secret | sha256sum
    assert_eq!(key.mark(), "a9d47e48fea8e20c");
}

fn answer(operation: &Operation, status: u16, body: &str) -> Answer {
    read(operation, StatusCode::from_u16(status).unwrap(), Some(Duration::from_secs(7)), body.as_bytes())
}
fn unclear(why: &str) -> Answer {
    Answer::Unclear { why: why.into() }
}

#[test]
fn an_answer_means_what_its_status_and_its_body_say_together() {
    let (list, ban) = (Operation::ListBuyer { project: None }, Operation::Ban { key: id("k-1") });
    let done = |body: &str| Answer::Done { body: Body(body.into()) };
    let refused = |status, detail: &str| Answer::Refused { status, detail: detail.into() };
    let key_refused = |status| Answer::KeyRefused { status, detail: "Not authenticated".into() };
    let busy =
        |detail: &str| Answer::Busy { detail: detail.into(), retry_after: Some(Duration::from_secs(7)) };
    for (operation, status, body, expected) in [
        (&list, 200, " [{\"key_id\": \"k\"}]\n", done("[{\"key_id\": \"k\"}]")),
        (&list, 200, "{}", unclear("200 (OK) with an object that says nothing of it")),
        (&list, 200, "", unclear("200 (OK) with an empty body")),
        (&list, 200, "[{", unclear("200 (OK) with JSON that is broken or cut off")),
        (&list, 200, "<html>", unclear("200 (OK) with a web page")),
        (&batch(None), 200, "{\"key\": 1}", done("{\"key\": 1}")),
        (&batch(None), 201, "[]", done("[]")),
        (&ban, 200, "{\"status\": \"success\"}", done("{\"status\": \"success\"}")),
        (&ban, 204, "", done("")),
        (&ban, 200, "OK", unclear("200 (OK) with a body that is no JSON")),
        (&ban, 404, "{\"detail\": \"Key not found\"}", refused(404, "Key not found")),
        (&ban, 404, "{}", refused(404, "an object that says nothing of it")),
        (&ban, 422, "{\"detail\": [{\"msg\": \"no\"}]}", refused(422, "[{\"msg\":\"no\"}]")),
        (&ban, 400, "{\"detail\": \"a\\u001b[31mb\\n\"}", refused(400, "a\\u{1b}[31mb\\n")),
        (&ban, 401, "{\"detail\": \"Not authenticated\"}", key_refused(401)),
        (&ban, 403, "{\"detail\": \"Not authenticated\"}", key_refused(403)),
        (&ban, 404, "{\"detail\": \"Not authenticated\"}", refused(404, "Not authenticated")),
        (&ban, 403, "{\"detail\": \"Forbidden\"}", refused(403, "Forbidden")),
        (&ban, 403, "<html>", unclear("403 (Forbidden) with a web page")),
        (&ban, 401, "Not authenticated", unclear("401 (Unauthorized) with a body that is no JSON")),
        (&ban, 429, "{\"detail\": \"Slow down\"}", busy("Slow down")),
        (&ban, 429, "<html>", busy("a web page")),
        (
            &ban,
            500,
            "{\"detail\": \"oops\"}",
            unclear("500 (Internal Server Error) with an object that says nothing of it"),
        ),
    ] {
        assert_eq!(answer(operation, status, body), expected, "{status} {body}");
    }
    let long = format!("{{\"detail\": \"{}\"}}", "x".repeat(600));
    let Answer::Refused { detail, .. } = answer(&ban, 400, &long) else { panic!("a refusal") };
    assert_eq!((detail.chars().count(), detail.ends_with("x…")), (501, true));
}

#[test]
fn keys_are_counted_whatever_is_in_them() {
    assert_eq!(Body("[1, {\"a\": []}]".into()).count(), 2);
    assert_eq!(Body("{}".into()).count(), 1);
    assert_eq!(Body(String::new()).count(), 0);
    assert_eq!(Body("[1e999]".into()).json(), json!("[1e999]"), "nothing is lost");
}
