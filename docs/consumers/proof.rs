use axum::{Json, http::HeaderMap};
use hmac::{Hmac, KeyInit, Mac};

/// Answers with the key that the calls to the vendor use: `move |headers| prove(key, headers)` is the route's handler.
pub async fn prove(key: &'static str, headers: HeaderMap) -> Json<serde_json::Value> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (consumer, challenge) = (header("keyrelay-consumer"), header("keyrelay-challenge"));
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key.as_bytes()).expect("a key of any length");
    mac.update(format!("keyrelay-proof-v1\n{consumer}\n{challenge}").as_bytes());
    let proof: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    Json(serde_json::json!({ "proof": proof }))
}
