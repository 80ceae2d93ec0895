//! The consumer's side of the contract, and each of its bad habits.

use super::*;

const CHALLENGE: &str = "00112233445566778899aabbccddeeff";
const OLD: &str = "l7_oldold0123456789";
const NEW: &str = "l7_newnew0123456789";
/// printf 'keyrelay-proof-v1\nstorefront\n00112233445566778899aabbccddeeff' | openssl dgst -sha256 -hmac KEY
const OLD_PROOF: &str = "8cb8394e0055cc5a591b1da56d032a1cfde74fab96395af0551b1f6d89b0ad8f";
const NEW_PROOF: &str = "dc33e6228d7b7513ade859dff8b9a65752363092fe8f094a1214604b45278b10";
const HOUR: Duration = Duration::from_secs(3600);

fn name() -> ConsumerName {
    "storefront".parse().unwrap()
}

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

async fn told(options: Options) -> Consumer {
    let consumer = start(options).await.unwrap();
    consumer.tell(key(OLD));
    consumer
}

async fn ask_with(consumer: &Consumer, headers: &[(&str, &str)]) -> (u16, Value) {
    rustls::crypto::ring::default_provider().install_default().unwrap_or(());
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().unwrap();
    let mut request = client.get(consumer.url());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default())
}

async fn ask(consumer: &Consumer) -> (u16, Value) {
    let headers = [("Keyrelay-Challenge", CHALLENGE), ("Keyrelay-Consumer", "storefront")];
    ask_with(consumer, &[headers[0], headers[1], ("Keyrelay-Credential", "leaf7-main")]).await
}

fn proves(proof: &str) -> (u16, Value) {
    (200, json!({"instance": "storefront-1", "proof": proof}))
}

#[tokio::test]
async fn it_proves_the_key_that_it_was_told() {
    let consumer = start(Options::new(name(), Source::Told)).await.unwrap();
    assert_eq!(ask(&consumer).await, (503, Value::Null), "there is no key yet");
    consumer.tell(key(OLD));
    assert_eq!(ask(&consumer).await, proves(OLD_PROOF));
    consumer.tell(key(NEW));
    assert_eq!(ask(&consumer).await, proves(NEW_PROOF));
    assert_eq!((consumer.key(), consumer.asked()), (Some(key(NEW)), 3));
}

#[tokio::test]
async fn it_reads_its_file_before_each_use_or_only_on_demand() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("leaf7.env");
    let write = |text: &str| std::fs::write(&path, format!("OTHER=1\nLEAF7_API_KEY={text}\n")).unwrap();
    let variable = Some("LEAF7_API_KEY".to_owned());
    let eager =
        start(Options::new(name(), Source::File { path: path.clone(), variable: variable.clone() })).await;
    write(OLD);
    let lazy = start(Options::new(name(), Source::FileOnDemand { path: path.clone(), variable })).await;
    let (eager, lazy) = (eager.unwrap(), lazy.unwrap());
    assert_eq!((ask(&eager).await, ask(&lazy).await), (proves(OLD_PROOF), proves(OLD_PROOF)));
    write(NEW);
    assert_eq!((ask(&eager).await, ask(&lazy).await), (proves(NEW_PROOF), proves(OLD_PROOF)));
    reqwest::Client::new().post(lazy.reload_url()).send().await.unwrap();
    assert_eq!(ask(&lazy).await, proves(NEW_PROOF));
    std::fs::write(&path, "half a fi").unwrap();
    assert_eq!(ask(&eager).await, proves(NEW_PROOF), "a broken file changes nothing");
}

#[tokio::test]
async fn it_lags_from_the_moment_the_file_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, OLD).unwrap();
    let options = Options::new(name(), Source::File { path: path.clone(), variable: None });
    let consumer = start(Options { lags: vec![HOUR], ..options }).await.unwrap();
    assert_eq!(consumer.key(), Some(key(OLD)), "the first key is taken at once");
    std::fs::write(&path, NEW).unwrap();
    assert_eq!(ask(&consumer).await, proves(OLD_PROOF));
    let written = SystemTime::now() - HOUR;
    std::fs::File::options().append(true).open(&path).unwrap().set_modified(written).unwrap();
    assert_eq!(ask(&consumer).await, proves(OLD_PROOF), "the key came when it was first seen");
    consumer.set_lag(Duration::ZERO);
    assert_eq!(ask(&consumer).await, proves(NEW_PROOF));
}

#[tokio::test]
async fn several_instances_answer_in_turn_or_together() {
    for (shown, expected) in [
        (Shown::InTurn, vec![proves(NEW_PROOF).1, json!({"instance": "storefront-2", "proof": OLD_PROOF})]),
        (
            Shown::Together,
            vec![json!([proves(NEW_PROOF).1, {"instance": "storefront-2", "proof": OLD_PROOF}]); 2],
        ),
    ] {
        let options =
            Options { lags: vec![Duration::ZERO, HOUR], shown, ..Options::new(name(), Source::Told) };
        let consumer = told(options).await;
        assert_eq!(consumer.key(), Some(key(OLD)));
        consumer.tell(key(NEW));
        for expected in expected {
            assert_eq!(ask(&consumer).await, (200, expected));
        }
    }
}

#[tokio::test]
async fn it_signs_nothing_but_its_own_challenges() {
    let consumer = told(Options::new(name(), Source::Told)).await;
    let long = CHALLENGE.repeat(2);
    for challenge in ["", "0011", &CHALLENGE.to_uppercase(), &long] {
        let headers = [("Keyrelay-Challenge", challenge), ("Keyrelay-Consumer", "storefront")];
        assert_eq!(ask_with(&consumer, &headers).await, (400, Value::Null), "{challenge}");
    }
    let headers = [("Keyrelay-Challenge", CHALLENGE), ("Keyrelay-Consumer", "discord-bot")];
    assert_eq!(ask_with(&consumer, &headers).await, (404, Value::Null));
}

#[tokio::test]
async fn it_lets_in_only_who_knows_its_bearer_token() {
    let options = Options { bearer: Some(Secret::new("open-sesame")), ..Options::new(name(), Source::Told) };
    let consumer = told(options).await;
    assert_eq!(ask(&consumer).await.0, 401);
    let headers = [("Keyrelay-Challenge", CHALLENGE), ("Keyrelay-Consumer", "storefront")];
    let with = |token| [headers[0], headers[1], ("Authorization", token)];
    assert_eq!(ask_with(&consumer, &with("Bearer open")).await.0, 401);
    assert_eq!(ask_with(&consumer, &with("Bearer open-sesame")).await, proves(OLD_PROOF));
}

#[tokio::test]
async fn each_bad_habit_shows() {
    let consumer = told(Options::new(name(), Source::Told)).await;
    let fingerprint = key(OLD).fingerprint().hex();
    consumer.set_manner(Manner::FingerprintOnly);
    assert_eq!(ask(&consumer).await, (200, json!({"instance": "storefront-1", "fingerprint": fingerprint})));
    consumer.set_manner(Manner::WrongProof);
    let (status, answer) = ask(&consumer).await;
    assert_eq!((status, answer["proof"].as_str().map(str::len)), (200, Some(64)));
    assert_ne!(answer["proof"], OLD_PROOF);
    consumer.set_manner(Manner::WebPage);
    assert_eq!(ask(&consumer).await, (200, Value::Null));
    consumer.set_manner(Manner::Failing);
    assert_eq!(ask(&consumer).await, (500, Value::Null));
    consumer.set_manner(Manner::Silent);
    let answer = tokio::time::timeout(Duration::from_millis(200), ask(&consumer)).await;
    assert!(answer.is_err());
    consumer.set_manner(Manner::Honest);
    consumer.saw_401(Timestamp::from_secs(1_795_251_600));
    assert_eq!(ask(&consumer).await.1["last_401_at"], "2026-11-21T09:00:00Z");
}
