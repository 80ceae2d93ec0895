//! What can become of a call that rotates: each with what the client sees, and which keys work then.

use super::tests::{DAY, client};
use super::*;
use tokio::{io::AsyncWriteExt, net::TcpStream};

const ORG: &str = "5f0c0d9c-5c3c-4a39-9d9b-3f0e0f6f9f11";

struct Scene {
    vendor: Simulator,
    ours: AccountId,
    old: Key,
}

impl Scene {
    async fn with(fault: RotationFault) -> Self {
        let vendor = start(Options::calm(Kind::Legba)).await.unwrap();
        let ours = vendor.new_account("Acme Inc", &[ORG]);
        vendor.set_faults(fault);
        Self { old: vendor.current_key(ours), vendor, ours }
    }

    /// The status, and as much of the body as came; no status: not even that came.
    async fn rotate(&self, patience: Duration) -> (Option<u16>, String) {
        let request = client().post(format!("{}/orgs/{ORG}/api/key/rotate", self.vendor.base_url()));
        let request = request.bearer_auth(self.old.expose()).timeout(patience);
        let Ok(mut response) = request.send().await else { return (None, String::new()) };
        let (status, mut body) = (response.status().as_u16(), Vec::new());
        while let Ok(Some(chunk)) = response.chunk().await {
            body.extend_from_slice(&chunk);
        }
        (Some(status), String::from_utf8(body).unwrap())
    }

    async fn until(&self, works: (bool, bool)) {
        let reached = async {
            while self.works() != works {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, reached).await.expect("it comes to that");
    }

    /// Whether the old key works, and whether there is a new one that does.
    fn works(&self) -> (bool, bool) {
        let new = self.vendor.current_key(self.ours);
        (self.vendor.is_alive(&self.old), new != self.old && self.vendor.is_alive(&new))
    }
}

const PATIENCE: Duration = Duration::from_secs(10);
const NOTHING_DONE: (bool, bool) = (true, false);
const ROTATED: (bool, bool) = (false, true);

#[tokio::test]
async fn an_answer_that_is_lost_leaves_as_much_as_it_says() {
    let scene = Scene::with(RotationFault::LostBefore).await;
    assert_eq!((scene.rotate(PATIENCE).await, scene.works()), ((None, String::new()), NOTHING_DONE));
    for part in [Part::Nothing, Part::Head, Part::HalfOfTheBody, Part::AllButTheEnd, Part::All] {
        let scene = Scene::with(RotationFault::LostAfter(part)).await;
        let (status, body) = scene.rotate(PATIENCE).await;
        let whole = format!(
            r#"{{"key":"{}","key_id":"{}","created_at":"{}"}}"#,
            scene.vendor.current_key(scene.ours).expose(),
            scene.vendor.key_id(&scene.vendor.current_key(scene.ours)),
            scene.vendor.list(scene.ours)[0].created_at.whole_secs(),
        );
        let (expected, through) = match part {
            Part::Nothing => (None, 0),
            Part::Head => (Some(200), 0),
            Part::HalfOfTheBody => (Some(200), whole.len() / 2),
            Part::AllButTheEnd => (Some(200), whole.len() - 1),
            Part::All => (Some(200), whole.len()),
        };
        assert_eq!((status, body.as_str()), (expected, &whole[..through]), "{part:?}");
        assert_eq!((scene.works(), scene.vendor.total(Outcome::Lost)), (ROTATED, 1), "{part:?}");
    }
}

#[tokio::test]
async fn an_error_says_nothing_of_what_was_done() {
    for (fault, expected) in
        [(RotationFault::FailedBefore, NOTHING_DONE), (RotationFault::FailedAfter, ROTATED)]
    {
        let scene = Scene::with(fault).await;
        let (status, body) = scene.rotate(PATIENCE).await;
        assert!(status.is_some_and(|status| status >= 500) && !body.contains("legba_"), "{fault:?}");
        assert_eq!((scene.works(), scene.vendor.total(Outcome::Failed)), (expected, 1), "{fault:?}");
    }
}

#[tokio::test]
async fn the_answer_may_be_a_web_page_or_of_another_shape() {
    let scene = Scene::with(RotationFault::WebPage).await;
    let (status, body) = scene.rotate(PATIENCE).await;
    assert_eq!((status, body.contains("<html>"), scene.works()), (Some(200), true, ROTATED));
    let scene = Scene::with(RotationFault::UnknownShape).await;
    let (status, body) = scene.rotate(PATIENCE).await;
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &body["key"]), (Some(200), &serde_json::Value::Null));
    let key = scene.vendor.current_key(scene.ours);
    assert_eq!(body["result"][0]["attributes"]["key"], serde_json::json!(key.expose()));
}

#[tokio::test]
async fn a_slow_vendor_has_rotated_long_before_it_answers() {
    let scene = Scene::with(RotationFault::Late(DAY)).await;
    tokio::select! {
        answer = scene.rotate(DAY) => panic!("{answer:?}"),
        () = scene.until(ROTATED) => {}
    }
}

#[tokio::test]
async fn a_slower_one_rotates_also_when_its_client_has_gone() {
    let scene = Scene::with(RotationFault::DoneLate(Duration::from_millis(300))).await;
    let (base_url, key) = (scene.vendor.base_url(), scene.old.expose());
    let mut wire = TcpStream::connect(base_url.trim_start_matches("http://")).await.unwrap();
    let request = format!(
        "POST /orgs/{ORG}/api/key/rotate HTTP/1.1\r\nHost: legba\r\nAuthorization: Bearer {key}\r\n\r\n"
    );
    wire.write_all(request.as_bytes()).await.unwrap();
    drop(wire);
    scene.until(ROTATED).await;
}

#[tokio::test]
async fn a_key_that_was_just_rotated_may_be_refused() {
    let mut scene = Scene::with(RotationFault::RefusedWithin(DAY)).await;
    assert_eq!(scene.rotate(PATIENCE).await.0, Some(200));
    scene.old = scene.vendor.current_key(scene.ours);
    let (status, body) = scene.rotate(PATIENCE).await;
    let expected = r#"{"error":{"code":"CONFLICT","message":"This API key was rotated just now"}}"#;
    assert_eq!((status, body.as_str(), scene.works()), (Some(409), expected, NOTHING_DONE));
}

#[tokio::test]
async fn a_late_key_leaves_nobody_with_a_key_that_works() {
    let scene = Scene::with(RotationFault::None).await;
    scene.vendor.set_faults(Faults::late_by(DAY));
    assert_eq!((scene.rotate(PATIENCE).await.0, scene.works()), (Some(200), (false, false)));
}
