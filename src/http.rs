//! The one place that makes an HTTP client. Where a request leads is decided by who makes it, and by nothing else: no
//! redirect, no variable of the environment, no second try. It knows nobody's protocol.

use reqwest::{ClientBuilder, redirect, retry};

/// Headers of an answer beyond which it is none.
const HEADERS_MAX: usize = 100;

/// Follows no redirect: headers that are not called `Authorization` survive one to another host, and 307 sends the body
/// again. Heeds no proxy variable, and neither `.netrc` nor `SSLKEYLOGFILE`. Unpacks nothing: an answer's size is what
/// was sent. Tries nothing a second time: retry is the core's.
pub fn client() -> ClientBuilder {
    ClientBuilder::new()
        .user_agent(concat!("keyrelay/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .tls_sslkeylogfile(false)
        .retry(retry::never())
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .http1_max_headers(HEADERS_MAX)
}
