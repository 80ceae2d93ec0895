//! Each vendor does what its documentation says, and no more.

use super::tests::{DAY, client};
use super::*;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

/// A calm vendor with two customers, and what speaks to it.
struct Place {
    vendor: Simulator,
    ours: AccountId,
    theirs: AccountId,
}

impl Place {
    async fn of(kind: Kind) -> Self {
        let vendor = start(Options::calm(kind)).await.unwrap();
        let ours = vendor.new_account("Acme Inc", &[]);
        let theirs = vendor.new_account("Other Inc", &[]);
        Self { vendor, ours, theirs }
    }

    fn key(&self) -> Key {
        self.vendor.current_key(self.ours)
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        client().request(method, self.vendor.base_url() + path)
    }

    async fn get(&self, path: &str, key: &Key) -> (u16, Value) {
        read(self.request(Method::GET, path).bearer_auth(key.expose()).send().await.unwrap()).await
    }

    async fn write(&self, key: &Key, body: &str) -> (u16, Value) {
        let request = self.request(Method::POST, "/api/public/v1/knowledge-base");
        let request = request.header("x-api-key", key.expose()).header("content-type", "application/json");
        read(request.body(body.to_owned()).send().await.unwrap()).await
    }

    async fn rotate(&self, path: &str, key: &Key, body: &Value) -> (u16, Value) {
        read(self.request(Method::POST, path).bearer_auth(key.expose()).json(body).send().await.unwrap())
            .await
    }
}

async fn read(response: Response) -> (u16, Value) {
    (response.status().as_u16(), serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default())
}

#[tokio::test]
async fn leadey_shows_whose_key_it_is_and_refuses_in_its_envelope() {
    let place = Place::of(Kind::Leadey).await;
    let (key, theirs) = (place.key(), place.vendor.current_key(place.theirs));
    assert!(key.expose().starts_with("leadey_sk_live_"));
    let (status, body) = place.get("/v1/me", &key).await;
    assert_eq!((status, &body["data"]["name"]), (200, &json!("Acme Inc")));
    assert_eq!(body["data"]["id"], json!(place.vendor.organization(place.ours)));
    assert_ne!(place.get("/v1/me", &theirs).await.1["data"]["id"], body["data"]["id"]);

    let refused = (401, json!({"error": {"message": "Invalid or revoked API key.", "details": null}}));
    let in_another_header = place.request(Method::GET, "/v1/me").header("x-api-key", key.expose());
    assert_eq!(read(in_another_header.send().await.unwrap()).await, refused);
    place.vendor.revoke(&key);
    assert_eq!(place.get("/v1/me", &key).await, refused);
    assert_eq!(place.get("/v1/me", &theirs).await.0, 200);
    let unknown = (404, json!({"error": {"message": "Not Found", "details": null}}));
    assert_eq!(place.get("/v1/you", &theirs).await, unknown);
}

#[tokio::test]
async fn a_live_key_of_leadeys_may_lack_credits_or_rights_and_a_dead_one_is_still_dead() {
    let place = Place::of(Kind::Leadey).await;
    let dead = Key::parse("leadey_sk_live_0123456789abcdef").unwrap();
    for (mode, status) in [(Mode::CreditsTooLow, 402), (Mode::NotAllowed, 403)] {
        place.vendor.set_faults(mode);
        let (answered, body) = place.get("/v1/me", &place.key()).await;
        assert_eq!((answered, &body["error"]["details"]), (status, &Value::Null), "{body}");
        assert_eq!(place.get("/v1/me", &dead).await.0, 401);
    }
    assert_eq!(place.vendor.total(Outcome::Denied), 2);
}

#[tokio::test]
async fn leadeys_limit_is_each_keys_and_says_when_it_ends() {
    let options = Options { limit: Some((2, DAY)), ..Options::calm(Kind::Leadey) };
    let vendor = start(options).await.unwrap();
    let ours = vendor.new_account("Acme Inc", &[]);
    let (first, second) = (vendor.current_key(ours), vendor.create_key(ours, None));
    let get = async |key: &Key| {
        let request = client().get(vendor.base_url() + "/v1/me").bearer_auth(key.expose());
        let response = request.send().await.unwrap();
        let wait =
            response.headers().get("retry-after").map(|value| value.to_str().unwrap().parse().unwrap());
        (response.status().as_u16(), wait.unwrap_or(0))
    };
    assert_eq!([get(&first).await, get(&first).await, get(&second).await], [(200, 0); 3]);
    let (status, secs) = get(&first).await;
    assert_eq!((status, (86_000..=86_400).contains(&secs)), (429, true), "{secs}");
}

#[tokio::test]
async fn leafpad_writes_what_holds_a_document_and_refuses_what_does_not() {
    let place = Place::of(Kind::LeafPad).await;
    let key = place.key();
    for body in ["{}", r#"{"text": ""}"#, "[]", "no JSON"] {
        let expected = (422, json!({"error": "Either text or file is required"}));
        assert_eq!(place.write(&key, body).await, expected, "{body}");
    }
    assert_eq!(place.vendor.documents(), 0);
    for (unfit_body, status) in [(UnfitBody::BadRequest, 400), (UnfitBody::UnsupportedMediaType, 415)] {
        place.vendor.set_faults(unfit_body);
        assert_eq!(place.write(&key, "{}").await.0, status);
    }
    assert_eq!((place.vendor.documents(), place.vendor.total(Outcome::Denied)), (0, 6));
    place.vendor.set_faults(UnfitBody::Written);
    assert_eq!((place.write(&key, "{}").await.0, place.vendor.documents()), (200, 1));
    assert_eq!((place.write(&key, r#"{"text": "a"}"#).await.0, place.vendor.documents()), (201, 2));
    let file = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\na\r\n--b--\r\n";
    let request = place.request(Method::POST, "/api/public/v1/knowledge-base").body(file);
    let request = request.header("content-type", "multipart/form-data; boundary=b");
    let written = request.header("x-api-key", key.expose()).send().await.unwrap();
    assert_eq!((written.status().as_u16(), place.vendor.documents()), (201, 3));
}

#[tokio::test]
async fn leafpad_asks_for_the_key_first_and_looks_for_it_in_one_header() {
    let place = Place::of(Kind::LeafPad).await;
    let key = place.key();
    let refused = (401, json!({"error": "Invalid API key"}));
    let bearer = place.request(Method::POST, "/api/public/v1/knowledge-base").bearer_auth(key.expose());
    assert_eq!(read(bearer.json(&json!({"text": "a"})).send().await.unwrap()).await, refused);
    place.vendor.revoke(&key);
    assert_eq!(place.write(&key, r#"{"text": "a"}"#).await, refused);
    assert_eq!((place.vendor.documents(), place.vendor.account(place.ours).is_empty()), (0, true));
}

#[tokio::test]
async fn a_key_that_expires_dies_without_anybodys_doing() {
    let place = Place::of(Kind::LeafPad).await;
    let soon = place.vendor.create_key(place.ours, Some(now() + Duration::from_millis(100)));
    let later = place.vendor.create_key(place.ours, Some(now() + DAY));
    let expired = async { while place.write(&soon, "{}").await.0 != 401 {} };
    tokio::time::timeout(Duration::from_secs(10), expired).await.expect("it expires");
    assert_eq!(place.write(&later, "{}").await.0, 422);
}

#[tokio::test]
async fn the_dashboard_lists_keys_masked_with_their_last_use_newest_first() {
    let place = Place::of(Kind::Leadey).await;
    let first = place.key();
    place.get("/v1/me", &first).await;
    let second = place.vendor.create_key(place.ours, Some(now() + DAY));
    assert_eq!(place.key(), second);
    place.vendor.revoke(&first);
    let listed = place.vendor.list(place.ours);
    let shown: Vec<_> = listed.iter().map(|key| (key.last_used_at.is_some(), key.works)).collect();
    assert_eq!(shown, [(false, true), (true, false)]);
    assert_eq!([listed[0].expires_at.is_some(), listed[1].expires_at.is_some()], [true, false]);
    let last = &second.expose()[second.expose().len() - 4..];
    assert_eq!(listed[0].masked, format!("leadey_sk_live_••••{last}"));
    assert_eq!(listed[0].masked, place.vendor.masked(&second));
    assert_eq!(listed[0].key_id, place.vendor.key_id(&second));
    assert_ne!(listed[0].key_id, listed[1].key_id);
    assert_eq!(place.vendor.list(place.theirs).len(), 1);
}

#[tokio::test]
async fn legba_rotates_and_the_old_key_is_dead_in_the_same_instant() {
    let place = Place::of(Kind::Legba).await;
    let (old, theirs) = (place.key(), place.vendor.current_key(place.theirs));
    let org = place.vendor.organization(place.ours);
    let at = |path: &str| format!("/orgs/{org}/api/{path}");
    let (status, about) = place.get(&at("key"), &old).await;
    assert_eq!((status, &about["key_id"]), (200, &json!(place.vendor.key_id(&old))));
    assert_eq!(about["scopes"], json!(["instances:read", "instances:write"]));
    let of_another = (404, json!({"error": {"code": "NOT_FOUND", "message": "Organization not found"}}));
    assert_eq!(place.get(&at("key"), &theirs).await, of_another);
    assert_eq!(place.rotate(&at("key/rotate"), &theirs, &json!({})).await, of_another);
    assert_eq!(place.vendor.rotations(), BTreeMap::new());

    let (status, rotated) = place.rotate(&at("key/rotate"), &old, &json!({})).await;
    let new = place.key();
    assert_eq!((status, &rotated["key"]), (200, &json!(new.expose())));
    assert_eq!(rotated["key_id"], json!(place.vendor.key_id(&new)));
    assert!(rotated["created_at"].as_str().unwrap().ends_with('Z'), "{rotated}");
    let refused = json!({"error": {"code": "UNAUTHORIZED", "message": "Invalid or missing API key"}});
    assert_eq!(place.get(&at("key"), &old).await, (401, refused.clone()));
    assert_eq!(place.rotate(&at("key/rotate"), &old, &json!({})).await, (401, refused));
    let (status, instances) = place.get(&at("instances"), &new).await;
    assert_eq!((status, instances["instances"].as_array().map(Vec::len)), (200, Some(2)));
    assert_eq!(place.vendor.rotations(), [(old.fingerprint(), 1)].into());
    assert!(place.vendor.is_alive(&theirs));
}

#[tokio::test]
async fn the_example_takes_a_word_for_its_grace_and_refuses_a_second_rotation_meanwhile() {
    let place = Place::of(Kind::Example).await;
    let old = place.key();
    let rotate = async |key: &Key, word: &str| {
        place.rotate("/v2/key/rotate", key, &json!({"grace_period": word})).await
    };
    let (status, account) = place.get("/v2/account", &old).await;
    assert_eq!((status, &account["account"]["id"]), (200, &json!(place.vendor.organization(place.ours))));
    assert_eq!(account["key"], json!({"id": place.vendor.key_id(&old), "expires_at": null}));
    let (status, body) = rotate(&old, "2h").await;
    assert_eq!((status, &body["code"]), (400, &json!("bad_request")));

    let (status, rotated) = rotate(&old, "24h").await;
    let new = place.key();
    assert_eq!((status, &rotated["key"]["secret"]), (200, &json!(new.expose())));
    assert_eq!(rotated["previous"]["id"], json!(place.vendor.key_id(&old)));
    assert_eq!([&old, &new].map(|key| place.vendor.is_alive(key)), [true, true]);
    for key in [&old, &new] {
        let (status, body) = rotate(key, "now").await;
        assert_eq!((status, &body["code"]), (409, &json!("conflict")));
    }
    place.vendor.end_grace(place.ours);
    assert_eq!(rotate(&new, "now").await.0, 200);
    assert!(!place.vendor.is_alive(&new));
    assert_eq!(rotate(&place.vendor.current_key(place.theirs), "7d").await.0, 200);
}

#[tokio::test]
async fn each_vendor_makes_the_same_noise_by_default() {
    for kind in Kind::ALL {
        let faults = Options::of(kind).faults;
        assert_eq!((&faults, &Options::calm(kind).faults), (&Faults::nasty(), &Faults::none()));
        let percents =
            [faults.limited_percent, faults.failing_percent, faults.reset_percent, faults.late_percent];
        assert_eq!(percents, [5, 5, 2, 5]);
    }
}
