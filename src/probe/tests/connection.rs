//! Where a probe goes and where it does not; and vendors that never finish.

use super::*;
use crate::domain::Timestamp;
use std::time::Duration;

const OK: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\n";

#[tokio::test]
async fn a_probe_is_one_get_with_the_key_in_one_header() {
    let server = Canned::saying(format!("{OK}Content-Length: 2\r\n\r\n[]"));
    let answer = ask(&server.url()).await;
    assert_eq!((answer.verdict, answer.account), (Verdict::Alive, ids(&[])));
    let version = env!("CARGO_PKG_VERSION");
    let mut lines: Vec<_> = server.heads.recv().unwrap().trim().lines().map(str::to_owned).collect();
    lines[1..].sort();
    assert_eq!(
        lines,
        [
            "GET /api/vendor/projects/ HTTP/1.1".to_owned(),
            "accept: application/json".to_owned(),
            format!("authorization: Bearer {}", key().expose()),
            "content-type: application/json".to_owned(),
            format!("host: {}", server.addr),
            format!("user-agent: keyrelay/{version}"),
        ]
    );
    assert!(server.heads.try_recv().is_err(), "one request");
}

#[tokio::test]
async fn r48_s05_no_redirect_is_followed_and_its_target_hears_nothing() {
    let trap = Canned::saying(format!("{OK}Content-Length: 2\r\n\r\n[]"));
    let same_port = trap.addr.port();
    for status in [301, 302, 303, 307, 308] {
        for target in
            [trap.url(), format!("//127.0.0.1:{same_port}/"), format!("http://localhost:{same_port}/x")]
        {
            let server = Canned::saying(format!("HTTP/1.1 {status} Moved\r\nLocation: {target}\r\n\r\n"));
            let why = format!("{status}: a redirect to another origin is not followed");
            assert_eq!(ask(&server.url()).await, unclear(&why), "{target}");
            assert_eq!(server.heads.try_iter().count(), 1);
        }
    }
    assert!(trap.heads.try_recv().is_err(), "the trap heard nothing");
}

#[tokio::test]
async fn r48_a_redirect_within_the_origin_is_not_followed_either_and_hints_at_the_path() {
    for target in ["/api/vendor/projects", "projects"] {
        let server = Canned::saying(format!("HTTP/1.1 307 Temporary Redirect\r\nLocation: {target}\r\n\r\n"));
        let why = "307: a redirect is not followed; it leads to the same origin, so the path of the vendor's probe may be misspelt";
        assert_eq!(ask(&server.url()).await, unclear(why));
        assert_eq!(server.heads.try_iter().count(), 1);
    }
}

#[tokio::test]
async fn a_redirect_without_a_target_is_unclear() {
    let server = Canned::saying("HTTP/1.1 302 Found\r\n\r\n");
    assert_eq!(ask(&server.url()).await, unclear("302: a redirect that names no target"));
    let server = Canned::saying("HTTP/1.1 304 Not Modified\r\n\r\n");
    assert_eq!(ask(&server.url()).await, unclear("304 to a question that was not conditional"));
}

#[tokio::test]
async fn h01_the_vendors_clock_and_its_wish_for_a_pause_are_read() {
    let head = "HTTP/1.1 429 Too Many Requests\r\nDate: Sat, 21 Nov 2026 09:00:00 GMT\r\n";
    let server = Canned::saying(format!(
        "{head}Retry-After: Sat, 21 Nov 2026 09:00:30 GMT\r\nContent-Length: 0\r\n\r\n"
    ));
    let expected = ProbeAnswer {
        retry_after: Some(Duration::from_secs(30)),
        vendor_time: Some(Timestamp::from_secs(1_795_251_600)),
        ..unclear("429 (Too Many Requests) with an empty body")
    };
    assert_eq!(ask(&server.url()).await, expected);
}

#[tokio::test]
async fn h07_a_body_without_end_is_cut_at_the_limit_and_not_judged() {
    let server = Canned::start(|stream| {
        let mut sent = stream.write_all(format!("{OK}\r\n[").as_bytes());
        while sent.is_ok() {
            sent = stream.write_all(&[b' '; 4096]);
        }
    });
    assert_eq!(
        ask(&server.url()).await,
        unclear("200, but the answer of 127.0.0.1 is larger than 65536 bytes")
    );
}

#[tokio::test]
async fn h07_headers_without_end_are_no_answer() {
    let server = Canned::start(|stream| {
        let mut sent = stream.write_all(OK.as_bytes());
        while sent.is_ok() {
            sent = stream.write_all(b"X-More: and more\r\n");
        }
    });
    assert_eq!(ask(&server.url()).await, unclear("127.0.0.1 did not send a whole HTTP answer"));
}

#[tokio::test]
async fn a_body_that_stops_in_the_middle_is_unclear() {
    let server = Canned::saying(format!("{OK}Content-Length: 10\r\n\r\n[]"));
    assert_eq!(ask(&server.url()).await, unclear("200, but 127.0.0.1 did not send a whole HTTP answer"));
}

#[tokio::test]
async fn h07_a_vendor_that_is_silent_or_drips_is_left_at_the_time_out() {
    let short = Limits { request_timeout: Duration::from_millis(300), ..Limits::default() };
    let prober = Prober::new(&short).unwrap();
    let waits = |stream: &mut TcpStream| while stream.read(&mut [0]).is_ok_and(|n| n > 0) {};
    let silent = Canned::start(waits);
    let drips = Canned::start(|stream| {
        let mut sent = stream.write_all(format!("{OK}\r\n[").as_bytes());
        while sent.is_ok() {
            thread::park_timeout(Duration::from_millis(20));
            sent = stream.write_all(b" ");
        }
    });
    let answer = prober.probe(&leaf7(&silent.url()), &key()).await;
    assert_eq!(answer, unclear("127.0.0.1 did not answer within 0.3 s"));
    let answer = prober.probe(&leaf7(&drips.url()), &key()).await;
    assert_eq!(answer, unclear("200, but 127.0.0.1 did not answer within 0.3 s"));
}

#[tokio::test]
async fn a_vendor_that_is_not_there_is_named() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(ask(&format!("http://{closed}")).await, unclear("127.0.0.1 refuses the connection"));
    let nowhere = "https://no-such-host.invalid";
    let why = "no-such-host.invalid cannot be reached (is the name right, and does it speak TLS?)";
    assert_eq!(ask(nowhere).await, unclear(why));
    let garbage = Canned::saying("SSH-2.0-OpenSSH_9.2\r\n");
    assert_eq!(ask(&garbage.url()).await, unclear("127.0.0.1 did not send a whole HTTP answer"));
}

#[tokio::test]
async fn s21_a_key_never_goes_in_clear_over_a_network_or_away_from_base_url() {
    let clear = unclear("base_url of the vendor is not https, so the key is not sent");
    for base_url in
        ["http://api.leaf7.fun", "http://192.0.2.1", "http://localhost.example", "ftp://127.0.0.1"]
    {
        assert_eq!(ask(base_url).await, clear, "{base_url}");
    }
    let trap = Canned::saying(format!("{OK}Content-Length: 2\r\n\r\n[]"));
    for get in [format!("@{}/", trap.addr), format!(":pass@{}/", trap.addr)] {
        let mut profile = leaf7("https://api.leaf7.fun");
        profile.probe.get = Some(get);
        let answer = Prober::new(&Limits::default()).unwrap().probe(&profile, &key()).await;
        assert_eq!(answer, unclear("the path of the vendor's probe leads away from base_url"));
    }
    assert!(trap.heads.try_recv().is_err(), "the trap heard nothing");
}

#[tokio::test]
async fn a_profile_that_makes_no_request_is_named_without_the_key() {
    let prober = Prober::new(&Limits::default()).unwrap();
    let mut profile = leaf7("https://api.leaf7.fun");
    profile.probe.header = "no header".into();
    let why = "probe.header of the vendor's profile is no header name";
    assert_eq!(prober.probe(&profile, &key()).await, unclear(why));
    let mut profile = leaf7("https://api.leaf7.fun");
    profile.probe.scheme = "Bearer\n".into();
    let why = "probe.scheme of the vendor's profile cannot stand in a header";
    assert_eq!(prober.probe(&profile, &key()).await, unclear(why));
    assert_eq!(ask("leaf7").await, unclear("base_url of the vendor is no URL"));
}

#[tokio::test]
async fn two_connections_are_two_connections_and_else_one_is_kept() {
    let server = Canned::start(|stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]").unwrap();
        while !head(stream).is_empty() {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n[\"second\"]").unwrap_or(());
        }
    });
    let (prober, profile) = (Prober::new(&Limits::default()).unwrap(), leaf7(&server.url()));
    for _ in 0..2 {
        let answer = prober.probe_on_fresh_connection(&profile, &key()).await;
        assert_eq!(answer.verdict, Verdict::Alive, "each is the first on its connection");
    }
    assert_eq!(prober.probe(&profile, &key()).await.verdict, Verdict::Alive);
    assert_eq!(
        prober.probe(&profile, &key()).await.verdict,
        Verdict::Unclear,
        "the second on its connection"
    );
}

#[tokio::test]
async fn s02_at_trace_the_log_holds_no_key_and_no_body() {
    // Where there is only one dispatcher, tracing lets whichever thread comes first decide what is logged at all, and
    // other tests' threads want nothing.
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::new());
    let log = Log::default();
    let writer = log.clone();
    let everything = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE);
    let subscriber = everything.with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let server = Canned::saying(format!("{OK}Content-Length: 15\r\n\r\n{{\"a\": \"marked\"}}"));
    ask(&server.url()).await;
    let written = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(written.contains("hyper"), "{written}");
    for secret in ["canary", "marked"] {
        assert!(!written.contains(secret), "{written}");
    }
}

/// What was logged.
#[derive(Clone, Default)]
struct Log(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn s07_s08_proxy_variables_and_key_log_files_are_not_heeded() {
    let trap = Canned::saying("HTTP/1.1 502 Bad Gateway\r\n\r\n");
    let folder = tempfile::tempdir().unwrap();
    let key_log = folder.path().join("keys.log");
    let mut again = std::process::Command::new(std::env::current_exe().unwrap());
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        again.env(name, trap.url());
    }
    again.env_remove("no_proxy").env_remove("NO_PROXY").env("SSLKEYLOGFILE", &key_log).arg("--exact");
    for test in [
        "connection::a_probe_is_one_get_with_the_key_in_one_header",
        "tls::a_trusted_certificate_for_that_name_is_asked",
    ] {
        again.arg(format!("probe::tests::{test}"));
    }
    let output = again.output().unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && report.contains("2 passed"), "{report}");
    assert!(trap.heads.try_recv().is_err(), "the proxy heard nothing");
    assert!(!key_log.exists());
}
