//! The challenge that only a holder of the key can answer. Pure but for [`Challenge::random`].

use super::Question;
use crate::domain::{ConsumerName, Fingerprint, Key, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use std::{collections::BTreeSet, fmt};
use subtle::ConstantTimeEq;

/// 32 lower-case hex digits, never used twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge(String);

impl Challenge {
    /// The error is for operators.
    pub fn random() -> Result<Self, String> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)
            .map_err(|error| format!("this system gives no random numbers: {error}"))?;
        Ok(Self(hex(&bytes)))
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What a consumer that holds this key answers: HMAC-SHA256 over `keyrelay-proof-v1`, its name and the challenge, a
/// line each, the last without a line end; in lower-case hex.
pub fn expected_proof(key: &Key, consumer: &ConsumerName, challenge: &str) -> String {
    // HMAC is defined for keys of every length.
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes()).expect("a key of any length");
    mac.update(format!("keyrelay-proof-v1\n{consumer}\n{challenge}").as_bytes());
    hex(&mac.finalize().into_bytes())
}

/// What one answer shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Each instance in it holds the key; their names as they gave them, `None` for one that gave none.
    Holds { instances: Vec<Option<String>>, last_401_at: Option<Timestamp> },
    /// An instance holds another key of this credential.
    HoldsOther(Fingerprint),
    /// There is a proof, and it is wrong, or the list of instances is.
    Wrong(String),
    /// There is no proof in it. A fingerprint is none.
    NoProof(String),
}

/// Judges an answer's body: one object `{"proof": "…", "instance": "…", "last_401_at": "…"}`, or an array of them.
pub fn judge_answer(body: &[u8], question: &Question, challenge: &Challenge) -> Answer {
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        return Answer::NoProof("the answer is not JSON".into());
    };
    let claims = match &value {
        Value::Array(claims) => claims.as_slice(),
        _ => std::slice::from_ref(&value),
    };
    if claims.is_empty() {
        return Answer::Wrong("the answer lists no instance".into());
    }
    if !claims.iter().any(|claim| claim.get("proof").is_some()) {
        return Answer::NoProof("the answer holds no proof".into());
    }
    let judged: Vec<_> = claims.iter().map(|claim| judge_claim(claim, question, challenge)).collect();
    let other = judged.iter().find(|answer| matches!(answer, Answer::HoldsOther(_)));
    match other.or_else(|| judged.iter().find(|answer| !matches!(answer, Answer::Holds { .. }))) {
        Some(answer) => answer.clone(),
        None => together(judged),
    }
}

fn judge_claim(claim: &Value, question: &Question, challenge: &Challenge) -> Answer {
    let Some(proof) = claim.get("proof") else {
        return Answer::Wrong("one instance of several gave no proof".into());
    };
    let proof = proof.as_str().unwrap_or_default().to_ascii_lowercase();
    let holds = |key: &Key| {
        let expected = expected_proof(key, question.consumer, challenge.as_str());
        bool::from(expected.as_bytes().ct_eq(proof.as_bytes()))
    };
    if holds(question.key) {
        let text = |name: &str| claim.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let last_401_at = text("last_401_at").and_then(|time| time.parse().ok());
        return Answer::Holds { instances: vec![text("instance").map(str::to_owned)], last_401_at };
    }
    match question.others.iter().find(|key| holds(key)) {
        Some(other) => Answer::HoldsOther(other.fingerprint()),
        None => Answer::Wrong(
            "the proof is of no key of this credential, or of another consumer or challenge".into(),
        ),
    }
}

/// One answer of several instances, each of which holds the key: they must be distinct.
fn together(judged: Vec<Answer>) -> Answer {
    let (mut all, mut last) = (Vec::new(), None);
    for answer in judged {
        if let Answer::Holds { instances, last_401_at } = answer {
            all.extend(instances);
            last = last.max(last_401_at);
        }
    }
    let distinct: BTreeSet<_> = all.iter().flatten().collect();
    if all.len() > 1 && distinct.len() < all.len() {
        return Answer::Wrong("two instances in the answer have the same name, or none".into());
    }
    Answer::Holds { instances: all, last_401_at: last }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[path = "challenge_tests.rs"]
mod tests;
