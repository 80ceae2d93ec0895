//! `Retry-After` never keeps anybody waiting for more than a day, and only where a pause was asked for.
#![no_main]

use keyrelay::ask::{date, retry_after};
use keyrelay_fuzz::arrived_at;
use libfuzzer_sys::fuzz_target;
use reqwest::{
    StatusCode,
    header::{DATE, HeaderMap, HeaderValue, RETRY_AFTER},
};

const STATUSES: [u16; 8] = [429, 503, 200, 301, 401, 403, 500, 599];

// A status (one byte), the wish, a NUL, the vendor's own date.
fuzz_target!(|input: &[u8]| {
    let Some((status, rest)) = input.split_first() else { return };
    let mut halves = rest.splitn(2, |b| *b == 0);
    let (wish, today) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
    let status = STATUSES[usize::from(*status) % STATUSES.len()];
    let mut headers = HeaderMap::new();
    for (name, value) in [(RETRY_AFTER, wish), (DATE, today)] {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.insert(name, value);
        }
    }
    let now = date(&headers).unwrap_or(arrived_at());
    let waits = retry_after(StatusCode::from_u16(status).expect("a status"), &headers, now);
    let Some(waits) = waits else { return };
    assert!(matches!(status, 429 | 503), "{status} asks for no pause");
    assert!(!waits.is_zero() && waits.as_secs() <= 86_400, "{waits:?}");
    let wish = String::from_utf8_lossy(wish);
    if wish.trim().bytes().all(|b| b.is_ascii_digit()) {
        assert_eq!(wish.trim().parse(), Ok(waits.as_secs()));
    }
});
