//! What a vendor answers: alive and dead by status and shape alone, and an account of a live key only.
#![no_main]

use keyrelay::{
    domain::Verdict,
    vendor::{Reading, classify},
};
use keyrelay_fuzz::{LEAF7, assert_printable};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const STATUSES: [u16; 10] = [200, 401, 403, 204, 301, 404, 407, 429, 500, 599];

// A status (one byte) and the body.
fuzz_target!(init: keyrelay_fuzz::init(), |input: &[u8]| {
    let Some((status, body)) = input.split_first() else { return };
    let status = STATUSES[usize::from(*status) % STATUSES.len()];
    let Reading { verdict, account, why, .. } = classify(&LEAF7, status, body);
    assert_printable(&why);
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    match verdict {
        Verdict::Alive => {
            assert_eq!(status, 200, "{why}");
            let projects = json.as_array().expect("an array");
            let is_project = |json: &Value| json["project_id"].is_string() && json["name"].is_string();
            assert!(projects.iter().all(is_project) && account.is_some(), "{why}");
        }
        Verdict::Dead => {
            assert!(matches!(status, 401 | 403) && account.is_none(), "{why}");
            assert_eq!(json["detail"], "Not authenticated");
        }
        Verdict::Unclear => assert!(account.is_none(), "{why}"),
    }
});
