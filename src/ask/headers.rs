//! The two headers of an answer that matter: when the vendor wants to be asked again, and what time it is there.

use crate::domain::Timestamp;
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use std::time::Duration;

/// A longer wish is a mistake, or somebody who wants us to sleep through a deadline.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(86_400);

/// The `Date` header, in any of the three forms of RFC 9110 §5.6.7.
pub fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let text = headers.get(DATE)?.to_str().ok()?;
    httpdate::parse_http_date(text.trim()).ok().map(Timestamp::from)
}

/// `Retry-After` of a 429 or 503 (RFC 9110 §10.2.3): seconds, or a date by the vendor's own clock. What is negative,
/// past, garbage or more than a day says nothing.
pub fn retry_after(status: StatusCode, headers: &HeaderMap, vendors_now: Timestamp) -> Option<Duration> {
    if !matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        return None;
    }
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if text.bytes().all(|b| b.is_ascii_digit()) {
        Duration::from_secs(text.parse().ok()?)
    } else {
        let until = Timestamp::from(httpdate::parse_http_date(text).ok()?);
        until.since(vendors_now)
    };
    (!wait.is_zero() && wait <= RETRY_AFTER_MAX).then_some(wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: &str = "Sat, 21 Nov 2026 12:00:00 GMT";

    fn waits(status: u16, text: &str) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(DATE, NOON.parse().unwrap());
        headers.insert(RETRY_AFTER, text.parse().unwrap());
        let now = date(&headers).unwrap();
        retry_after(StatusCode::from_u16(status).unwrap(), &headers, now).map(|wait| wait.as_secs())
    }

    #[test]
    fn h01_r52_seconds_and_dates_are_both_understood() {
        assert_eq!(waits(429, "30"), Some(30));
        assert_eq!(waits(503, " 30 "), Some(30));
        assert_eq!(waits(429, "86400"), Some(86_400));
        assert_eq!(waits(429, "Sat, 21 Nov 2026 12:01:00 GMT"), Some(60));
        assert_eq!(waits(429, "Saturday, 21-Nov-26 12:02:00 GMT"), Some(120));
        assert_eq!(waits(429, "Sat Nov 21 12:03:00 2026"), Some(180));
    }

    #[test]
    fn h01_r52_what_is_negative_past_absurd_or_garbage_says_nothing() {
        let past = "Sat, 21 Nov 2026 11:59:59 GMT";
        let far = "Sun, 22 Nov 2026 12:00:01 GMT";
        let long = "9".repeat(40);
        for text in ["-1", "0", "", "1.5", "86401", "1000000000", "soon", "٣", past, NOON, far, &long] {
            assert_eq!(waits(429, text), None, "{text}");
        }
    }

    #[test]
    fn h01_only_an_answer_that_asks_for_a_pause_can_name_one() {
        for status in [200, 301, 401, 500] {
            assert_eq!(waits(status, "30"), None, "{status}");
        }
    }
}
