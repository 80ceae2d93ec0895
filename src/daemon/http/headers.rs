//! What keeps a stranger's page in the same browser out: the name that was asked for, and what every answer forbids.

use crate::face::web;
use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

const GUARDS: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// A page in a browser must not reach this by another name for loopback, nor from a page of somebody else's: it could
/// read nothing, but take every watcher's place. A link to here may be followed.
pub async fn only_loopback_names(request: Request, next: Next) -> Response {
    match refusal(request.headers()) {
        Some(status) => status.into_response(),
        None => next.run(request).await,
    }
}

fn refusal(headers: &HeaderMap) -> Option<StatusCode> {
    let value = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let host = value(header::HOST);
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let loopback = name.eq_ignore_ascii_case("localhost")
        || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    // Fetch Metadata: browsers say where a request comes from, other programs do not.
    let from_elsewhere = matches!(value(SEC_FETCH_SITE), "cross-site" | "same-site");
    match (loopback, from_elsewhere && value(SEC_FETCH_MODE) != "navigate") {
        (false, _) => Some(StatusCode::MISDIRECTED_REQUEST),
        (true, true) => Some(StatusCode::FORBIDDEN),
        (true, false) => None,
    }
}

pub async fn guard(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in GUARDS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::from_str(&web::CONTENT_SECURITY_POLICY) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}
