//! A store that is sealed, gone, strange, or whose answers are lost on the way.

use super::*;
use std::{
    io::Write,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const CANARY: &str = "s.canary-0123456789";

#[tokio::test]
async fn h08_a_sealed_store_says_so_and_goes_on_when_it_is_unsealed() {
    let ca = Ca::new();
    let bao = Bao::start(&ca).await;
    let store = open(&bao, root(&bao));
    store.write(None, PATH, &fields("one"), 0).await;
    bao.seal().await;
    assert_eq!(failed(store.read(None, PATH).await), StoreTrouble::Sealed);
    assert_eq!(store.write(None, PATH, &fields("two"), 1).await, WriteOutcome::Failed(StoreTrouble::Sealed));
    assert_eq!(store.health().await, Err(StoreTrouble::Sealed));
    let newcomer = open(&bao, root(&bao));
    assert_eq!(failed(newcomer.read(None, PATH).await), StoreTrouble::Sealed, "with its login");
    bao.unseal().await;
    assert_eq!(version(&store).await, (1, "one".to_owned()));
    assert_eq!(version(&newcomer).await, (1, "one".to_owned()));
}

#[tokio::test]
async fn a_killed_store_is_unreachable_and_found_again_when_it_is_back() {
    let ca = Ca::new();
    let mut bao = Bao::start(&ca).await;
    let store = open(&bao, root(&bao));
    store.write(None, PATH, &fields("one"), 0).await;
    bao.kill();
    // The connection that was kept is found closed first; a new one is then refused.
    store.read(None, PATH).await;
    let refused = format!("{}: Connection refused (os error 111)", host(&bao));
    assert_eq!(failed(store.read(None, PATH).await), StoreTrouble::Unreachable(refused.clone()));
    assert_eq!(
        store.write(None, PATH, &fields("two"), 1).await,
        WriteOutcome::Failed(StoreTrouble::Unreachable(refused.clone())),
        "nothing was sent, so nothing is unknown"
    );
    assert_eq!(store.health().await, Err(StoreTrouble::Unreachable(refused)));
    bao.start_sealed().await;
    bao.unseal().await;
    assert_eq!(version(&store).await, (1, "one".to_owned()));
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused_before_the_token_is_sent() {
    let (ca, other) = (Ca::new(), Ca::new());
    let bao = Bao::start(&ca).await;
    for ca_cert in [Some(other.ca_path()), None] {
        let store = open_with(vault::Settings { ca_cert, ..settings(&bao, root(&bao)) });
        let why = "its certificate is signed by nobody that is trusted here; name its CA's file in ca_cert";
        assert_eq!(
            failed(store.read(None, PATH).await),
            StoreTrouble::Untrusted(format!("{}: TLS: {why}", host(&bao)))
        );
    }
}

#[tokio::test]
async fn an_authority_that_was_put_in_place_of_another_is_trusted_at_the_next_look() {
    let (ca, other) = (Ca::new(), Ca::new());
    let bao = Bao::start(&ca).await;
    let scratch = Scratch::new();
    let ca_cert = Some(scratch.write("ca.pem", &other.ca_pem()));
    let store = open_with(vault::Settings { ca_cert, ..settings(&bao, root(&bao)) });
    assert!(matches!(store.health().await, Err(StoreTrouble::Untrusted(_))));
    scratch.write("ca.pem", "half a file");
    assert!(matches!(store.health().await, Err(StoreTrouble::Untrusted(_))));
    scratch.write("ca.pem", &ca.ca_pem());
    assert!(store.health().await.is_ok());
}

#[tokio::test]
async fn h09_a_lost_answer_to_a_write_is_unknown_and_is_not_sent_twice() {
    let ca = Ca::new();
    let bao = Bao::start(&ca).await;
    let wire = Wire::to(&host(&bao)).await;
    let store = open_with(vault::Settings { nodes: vec![wire.address()], ..settings(&bao, root(&bao)) });
    assert!(matches!(store.read(None, PATH).await, Read::Absent));
    wire.cut.store(true, SeqCst);
    let lost = format!("127.0.0.1:{}: the connection was closed", wire.port);
    assert_eq!(store.write(None, PATH, &fields("one"), 0).await, WriteOutcome::Unknown(lost.clone()));
    assert_eq!(wire.answers.load(SeqCst), 1, "one request reached the store");
    assert_eq!(version(&open(&bao, root(&bao))).await, (1, "one".to_owned()), "and was done");
    wire.cut.store(false, SeqCst);
    assert_eq!(version(&store).await, (1, "one".to_owned()));
}

#[tokio::test]
async fn an_answer_that_does_not_come_ends_with_its_time_and_is_unknown() {
    let ca = Ca::new();
    let bao = Bao::start(&ca).await;
    let limits = Limits { request_timeout: Duration::from_millis(1_500), ..Limits::default() };
    let store = Store::open(&Settings::Vault(settings(&bao, root(&bao))), &limits).unwrap();
    assert!(matches!(store.read(None, PATH).await, Read::Absent));
    bao.freeze();
    let why = format!("{}: no answer within 1.5 s", host(&bao));
    assert_eq!(store.write(None, PATH, &fields("one"), 0).await, WriteOutcome::Unknown(why.clone()));
    assert_eq!(failed(store.read(None, PATH).await), StoreTrouble::Unreachable(why));
    bao.thaw();
    assert!(
        matches!(store.read(None, PATH).await, Read::Absent | Read::Present(_)),
        "either, and it answers"
    );
}

#[tokio::test]
async fn r48_s06_a_redirect_is_named_and_not_followed() {
    let elsewhere = Scripted::start(|_| "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".into()).await;
    let location = format!("http://localhost:{}/v1/x?token=canary", elsewhere.port);
    let answer =
        format!("HTTP/1.1 307 Temporary Redirect\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
    let standby = Scripted::start(move |_| answer.clone()).await;
    let store = open_with(plain(standby.port));
    let named = format!(
        "127.0.0.1:{} is a standby that redirects to localhost:{}; add that node to store.vault.address",
        standby.port, elsewhere.port
    );
    assert_eq!(failed(store.read(None, PATH).await), StoreTrouble::Unreachable(named.clone()));
    assert_eq!(
        store.write(None, PATH, &fields("one"), 0).await,
        WriteOutcome::Failed(StoreTrouble::Unreachable(named))
    );
    assert_eq!(elsewhere.requests.load(SeqCst), 0);
}

#[tokio::test]
async fn h07_an_answer_without_an_end_is_cut_off() {
    let endless = Scripted::start(|_| {
        format!("HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n{}", "x".repeat(2 << 20))
    })
    .await;
    let store = open_with(plain(endless.port));
    let why = format!("127.0.0.1:{}: its answer is larger than 1048576 bytes", endless.port);
    assert_eq!(failed(store.read(None, PATH).await), StoreTrouble::Unreachable(why));
}

#[tokio::test]
async fn s01_s02_neither_token_nor_key_is_in_any_error_or_trace() {
    let written = Trace::default();
    let writer = written.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    for status in [200, 204, 400, 403, 404, 412, 429, 500, 502, 503] {
        // What a careless proxy does: it gives the whole request back, as text and as an error.
        let echo = Scripted::start(move |request| {
            let body = json!({"errors": [request], "data": request}).to_string();
            format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{body}", body.len())
        })
        .await;
        let role = Auth::AppRole { role_id: "x".into(), secret_id: fixed(CANARY), mount: "approle".into() };
        let pod = Auth::Kubernetes { role: "x".into(), jwt: fixed(CANARY), mount: "kubernetes".into() };
        for auth in [Auth::Token(fixed(CANARY)), role, pod] {
            let store = open_with(vault::Settings { auth, ..plain(echo.port) });
            let told = format!(
                "{:?} {:?} {:?}",
                store.read(None, PATH).await,
                store.write(None, PATH, &fields("canary-key"), 0).await,
                store.health().await
            );
            assert!(!told.contains("canary"), "{status}: {told}");
        }
        assert!(echo.requests.load(SeqCst) > 5);
    }
    let trace = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    assert!(trace.contains(PATH), "the trace is one");
    assert!(!trace.contains("canary"), "{trace}");
}

/// `127.0.0.1:PORT`
fn host(bao: &Bao) -> String {
    bao.address().replace("https://", "")
}

pub fn plain(port: u16) -> vault::Settings {
    vault::Settings {
        nodes: vec![format!("http://127.0.0.1:{port}")],
        namespace: String::new(),
        ca_cert: None,
        mount: "secret".into(),
        auth: Auth::Token(fixed(CANARY)),
    }
}

/// A wire to the server that can be cut: then a request still gets there, and its answer does not come back.
pub struct Wire {
    pub port: u16,
    pub cut: Arc<AtomicBool>,
    /// How many connections lost an answer.
    answers: Arc<AtomicUsize>,
}

impl Wire {
    pub async fn to(server: &str) -> Self {
        let server = server.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let wire = Self {
            port: listener.local_addr().unwrap().port(),
            cut: Arc::default(),
            answers: Arc::default(),
        };
        let (cut, answers) = (wire.cut.clone(), wire.answers.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                tokio::spawn(carry(client, server, cut.clone(), answers.clone()));
            }
        });
        wire
    }
    pub fn address(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }
}

async fn carry(client: TcpStream, server: TcpStream, cut: Arc<AtomicBool>, answers: Arc<AtomicUsize>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let requests = tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
    let mut buffer = vec![0; 16 << 10];
    while let Ok(read @ 1..) = from_server.read(&mut buffer).await {
        if cut.load(SeqCst) {
            answers.fetch_add(1, SeqCst);
            break;
        }
        to_client.write_all(&buffer[..read]).await.unwrap();
    }
    requests.abort();
}

/// A plain HTTP server that answers each request as it is told, and counts them.
pub struct Scripted {
    pub port: u16,
    pub requests: Arc<AtomicUsize>,
}

impl Scripted {
    pub async fn start(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        Self::start_at(0, answer).await
    }
    pub async fn start_at(port: u16, answer: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let scripted = Self { port: listener.local_addr().unwrap().port(), requests: Arc::default() };
        let requests = scripted.requests.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut buffer = vec![0; 64 << 10];
                let read = stream.read(&mut buffer).await.unwrap();
                requests.fetch_add(1, SeqCst);
                let request = String::from_utf8_lossy(&buffer[..read]).into_owned();
                // One that hangs up in the middle of a large answer is what one of the cases is about.
                let _ = stream.write_all(answer(&request).as_bytes()).await;
            }
        });
        scripted
    }
}

#[derive(Clone, Default)]
struct Trace(Arc<Mutex<Vec<u8>>>);

impl Write for Trace {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
