//! Against an endpoint that says what it is told to, and remembers what it was asked.

use super::*;
use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// The whole of one request.
async fn hear(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    loop {
        let mut bytes = [0; 4096];
        let count = stream.read(&mut bytes).await.unwrap();
        request.extend_from_slice(&bytes[..count]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length =
            head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if count == 0 || body.len() >= length.unwrap_or(0) {
            return text;
        }
    }
}

/// Answers every request with this; gives its address and what it heard.
async fn endpoint(answer: String) -> (String, Arc<Mutex<Vec<String>>>) {
    crate::tls::install();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/tenant/token", listener.local_addr().unwrap());
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let hears = heard.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let request = hear(&mut stream).await;
            hears.lock().unwrap().push(request);
            // A client that has read enough may be gone.
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (url, heard)
}

fn http(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

fn limits() -> Limits {
    Limits { request_timeout: Duration::from_secs(2), ..Limits::default() }
}

fn grant(token_url: &str) -> Grant {
    Grant {
        token_url: token_url.into(),
        client_id: "relay & co".into(),
        client_secret: Some(Secret::new("canary-client+secret")),
        refresh_token: Some(Secret::new("canary-refresh/token")),
        scope: "https://mail.google.com/".into(),
    }
}

/// What comes of one question, without the port that changes. No trouble holds a secret.
async fn asked(answer: String, refreshing: bool) -> Result<Issued, TokenTrouble> {
    let (url, _) = endpoint(answer).await;
    let grant = grant(&url);
    let outcome =
        Endpoint::new(&limits()).ask(&grant, grant.refresh_token.as_ref().filter(|_| refreshing)).await;
    let origin = super::origin(&url);
    let shown = |why: String| {
        assert!(!why.contains("canary"), "{why}");
        why.replace(&origin, "ORIGIN")
    };
    outcome.map_err(|trouble| match trouble {
        TokenTrouble::NotAsked(why) => TokenTrouble::NotAsked(shown(why)),
        TokenTrouble::Lost(why) => TokenTrouble::Lost(shown(why)),
        TokenTrouble::Later(why) => TokenTrouble::Later(shown(why)),
        TokenTrouble::Revoked(why) => TokenTrouble::Revoked(shown(why)),
        TokenTrouble::Refused(why) => TokenTrouble::Refused(shown(why)),
    })
}

#[tokio::test]
async fn a_refresh_token_or_the_clients_credentials_are_posted_as_a_form_and_nowhere_else() {
    let (url, heard) = endpoint(http("200 OK", r#"{"access_token":"a","token_type":"Bearer"}"#)).await;
    let (endpoint, grant) = (Endpoint::new(&limits()), grant(&url));
    endpoint.ask(&grant, grant.refresh_token.as_ref()).await.unwrap();
    endpoint
        .ask(&Grant { client_secret: None, scope: "".into(), ..grant.clone() }, Some(&Secret::new("r")))
        .await
        .unwrap();
    endpoint.ask(&grant, None).await.unwrap();
    let heard = heard.lock().unwrap();
    let bodies: Vec<_> = heard.iter().map(|request| request.split_once("\r\n\r\n").unwrap().1).collect();
    let client =
        "client_id=relay+%26+co&client_secret=canary-client%2Bsecret&scope=https%3A%2F%2Fmail.google.com%2F";
    assert_eq!(
        bodies,
        [
            format!("grant_type=refresh_token&refresh_token=canary-refresh%2Ftoken&{client}"),
            "grant_type=refresh_token&refresh_token=r&client_id=relay+%26+co".into(),
            format!("grant_type=client_credentials&{client}"),
        ]
    );
    for request in &*heard {
        let head = request.split_once("\r\n\r\n").unwrap().0.to_lowercase();
        assert!(head.starts_with("post /tenant/token http/1.1\r\n"), "{head}");
        assert!(head.contains("content-type: application/x-www-form-urlencoded"), "{head}");
        assert!(!head.contains("canary") && !head.contains("authorization"), "{head}");
    }
}

#[tokio::test]
async fn what_is_given_is_an_access_token_for_its_time_and_perhaps_another_refresh_token() {
    let issued = |body: &str| asked(http("200 OK", body), true);
    let before = Timestamp::from(SystemTime::now());
    let google = r#"{"access_token":"ya29.canary","expires_in":3599,"scope":"https://mail.google.com/","token_type":"Bearer"}"#;
    let given = issued(google).await.unwrap();
    assert_eq!((given.access.secret.expose(), given.refresh_token), ("ya29.canary", None));
    let lasts = given.access.renew_at.unwrap().since(before);
    assert!((3_299..3_310).contains(&lasts.as_secs()), "five minutes before its end: {lasts:?}");

    let microsoft = r#"{"token_type":"bearer","expires_in":"3600","ext_expires_in":3600,"access_token":"eyJ","refresh_token":"0.AX"}"#;
    let given = issued(microsoft).await.unwrap();
    assert_eq!(given.refresh_token.unwrap().expose(), "0.AX");
    assert!(given.access.renew_at.is_some());

    for (body, renewed) in [
        (r#"{"access_token":"a"}"#, None),
        (r#"{"access_token":"a","expires_in":"soon"}"#, None),
        (r#"{"access_token":"a","expires_in":18446744073709551615}"#, Some(86_400 - 300)),
    ] {
        let renew_at = issued(body).await.unwrap().access.renew_at;
        assert_eq!(renew_at.is_some(), renewed.is_some(), "{body}");
        let secs = renew_at.map(|at| at.since(before).as_secs());
        assert!(secs.is_none_or(|secs| secs.abs_diff(renewed.unwrap_or(0)) < 10), "{body}: {secs:?}");
    }
    let odd = issued(r#"{"access_token":"a","refresh_token":"two words"}"#).await.unwrap();
    assert_eq!(odd.refresh_token, None, "what is no token takes no token's place");
}

#[tokio::test]
async fn a_refusal_is_told_in_the_endpoints_own_words_cleaned_and_without_secrets() {
    let revoked = |why: &str| Err(TokenTrouble::Revoked(why.into()));
    let refused = |why: &str| Err(TokenTrouble::Refused(why.into()));
    for (body, told) in [
        (
            r#"{"error":"invalid_grant","error_description":"Token has been expired or revoked."}"#,
            revoked("ORIGIN answers invalid_grant: Token has been expired or revoked."),
        ),
        (r#"{"error":"invalid_grant"}"#, revoked("ORIGIN answers invalid_grant")),
        (
            r#"{"error":"invalid_client","error_description":"AADSTS7000222: The provided client secret keys for app are expired.\r\nTrace ID: 1","error_codes":[7000222]}"#,
            refused(
                "ORIGIN answers invalid_client: AADSTS7000222: The provided client secret keys for app are expired. Trace ID: 1",
            ),
        ),
        (
            r#"{"error":"invalid_scope","error_description":"\u001b[31mred\u0000 \u00fc"}"#,
            refused("ORIGIN answers invalid_scope: [31mred"),
        ),
        (
            r#"{"error":"unauthorized_client","error_description":"you said canary-client+secret"}"#,
            refused("ORIGIN answers unauthorized_client"),
        ),
        (r#"{"error":"canary-refresh/token"}"#, refused("ORIGIN answers 400")),
        (r#"{"error":"slow_down"}"#, Err(TokenTrouble::Later("ORIGIN answers slow_down".into()))),
        (
            r#"{"error":"temporarily_unavailable"}"#,
            Err(TokenTrouble::Lost("ORIGIN answers temporarily_unavailable".into())),
        ),
    ] {
        assert_eq!(asked(http("400 Bad Request", body), true).await, told, "{body}");
    }
    let long = format!(r#"{{"error":"x","error_description":"{}"}}"#, "a ".repeat(2_000));
    let Err(TokenTrouble::Refused(why)) = asked(http("401 Unauthorized", &long), true).await else {
        panic!()
    };
    assert!(why.len() < 400, "{}", why.len());
}

#[tokio::test]
async fn what_is_no_answer_of_oauth_gives_nothing() {
    let lost = |why: &str| Err(TokenTrouble::Lost(why.into()));
    let nothing = |status: u16| lost(&format!("ORIGIN answered {status}, and nothing that OAuth 2.0 knows"));
    let large = format!(r#"{{"access_token":"a","x":"{}"}}"#, "y".repeat(64 << 10));
    for (answer, told) in [
        (http("200 OK", "<html>Sign in</html>"), nothing(200)),
        (http("200 OK", r#"{"access_token":"canary"#), nothing(200)),
        (http("404 Not Found", "<html>"), nothing(404)),
        (http("400 Bad Request", r#"{"error":{"code":400}}"#), nothing(400)),
        (http("500 Internal Server Error", "<html>"), lost("ORIGIN answers 500")),
        (http("429 Too Many Requests", ""), Err(TokenTrouble::Later("ORIGIN answers 429".into()))),
        (http("200 OK", "{}"), lost("ORIGIN: its answer holds no access token")),
        (
            http("200 OK", r#"{"access_token":"can ary\u0001"}"#),
            lost("ORIGIN: its access token is none: empty, too long, or not printable"),
        ),
        (
            http("200 OK", r#"{"access_token":"canary","token_type":"mac"}"#),
            lost("ORIGIN: its access token is not for the bearer (token_type)"),
        ),
        (http("200 OK", &large), lost("ORIGIN: its answer is larger than 65536 bytes")),
        ("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{".into(), lost("ORIGIN sent no whole HTTP answer")),
        ("220 smtp\r\n".into(), lost("ORIGIN sent no whole HTTP answer")),
    ] {
        assert_eq!(asked(answer.clone(), true).await, told, "{}", &answer[..answer.len().min(120)]);
    }
}

#[tokio::test]
async fn h07_an_endpoint_that_is_away_or_silent_is_told_apart_because_only_one_was_asked() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    crate::tls::install();
    let limits = Limits { request_timeout: Duration::from_secs(1), ..limits() };
    let endpoint = Endpoint::new(&limits);
    let nobody = endpoint.ask(&grant(&format!("http://{free}/token")), None).await;
    assert_eq!(
        nobody,
        Err(TokenTrouble::NotAsked(format!(
            "http://{free} cannot be reached (name, port, and whom this machine trusts)"
        )))
    );
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = silent.local_addr().unwrap();
    let told = endpoint.ask(&grant(&format!("http://{at}/token")), None).await;
    assert_eq!(told, Err(TokenTrouble::Lost(format!("http://{at} gave no answer within 1 s"))));
}

#[tokio::test]
async fn r48_s05_s06_nothing_leads_the_secrets_elsewhere() {
    let (trap, trapped) = endpoint(http("200 OK", r#"{"access_token":"a"}"#)).await;
    for status in
        ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"]
    {
        let moved = format!(
            "HTTP/1.1 {status}\r\nlocation: {trap}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        );
        let Err(TokenTrouble::Refused(why)) = asked(moved, true).await else { panic!("{status}") };
        assert!(why.ends_with(" and would lead elsewhere: write in token_url where"), "{why}");
    }
    assert_eq!(*trapped.lock().unwrap(), [""; 0]);
}
