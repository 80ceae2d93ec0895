//! `docs/consumers.md` tells consumers how to prove themselves: what stands there is run, and asked by the real prover.

use crate::world::{Port, Scratch, Server, install_tls, until};
use keyrelay::{
    consumer::prove::{Http, Prover, Question},
    domain::{ConsumerName, CredentialName, Instances, Key, Limits, ProofLevel, ProofOutcome, Timestamp},
};
use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

#[path = "../../docs/consumers/proof.rs"]
mod proof;

/// Longer than the block of SHA-256, as HMAC treats those keys in another way.
const CURRENT: &str =
    "current-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const OLD: &str = "old-key-0123456789abcdef";

#[test]
fn the_page_shows_the_snippets_that_are_tested() {
    let page = fs::read_to_string(root().join("docs/consumers.md")).unwrap();
    for (snippet, fence) in [
        ("proof.py", "python"),
        ("proof.mjs", "js"),
        ("proof.go", "go"),
        ("proof.rs", "rust,ignore"),
        ("proof.sh", "sh"),
    ] {
        let block = format!("```{fence}\n{}```\n", fs::read_to_string(path(snippet)).unwrap());
        assert!(page.contains(&block), "docs/consumers.md does not show docs/consumers/{snippet} as it is");
    }
}

#[tokio::test]
async fn the_python_consumer_proves_the_key_it_uses() {
    proves_what_it_uses("/usr/bin/python3", &[path("proof.py").as_os_str()]).await;
}

#[tokio::test]
async fn the_node_consumer_proves_the_key_it_uses() {
    let Some(node) = found("node") else { return };
    proves_what_it_uses(&node, &[path("proof.mjs").as_os_str()]).await;
}

#[tokio::test]
async fn the_go_consumer_proves_the_key_it_uses() {
    let Some(go) = found("go") else { return };
    let scratch = Scratch::new();
    let program = scratch.join("proof");
    let built = tokio::process::Command::new(go)
        .args(["build", "-o"])
        .arg(&program)
        .arg(path("proof.go"))
        .env("GOCACHE", scratch.join("cache"))
        .env("GO111MODULE", "off")
        .status()
        .await
        .unwrap();
    assert!(built.success());
    proves_what_it_uses(program.to_str().unwrap(), &[]).await;
}

#[tokio::test]
async fn the_rust_consumer_proves_the_key_it_uses() {
    for (uses, expected) in [(CURRENT, proven()), (OLD, other())] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let handler = move |headers| proof::prove(uses, headers);
        let app = axum::Router::new().route("/keyrelay", axum::routing::get(handler));
        let serving = tokio::spawn(async move { axum::serve(listener, app).await });
        assert_eq!(ask(port).await, expected);
        serving.abort();
    }
}

#[tokio::test]
async fn the_shell_command_proves_the_key_in_the_file() {
    install_tls();
    let scratch = Scratch::new();
    for (holds, expected) in [(CURRENT, proven()), (OLD, other())] {
        let file = scratch.secret("leaf7.key", holds);
        let command = [path("proof.sh"), file].map(|path| path.to_str().unwrap().to_owned());
        assert_eq!(
            with_question(async |prover, question| prover.command(&command, question).await).await,
            expected
        );
    }
    let mode = fs::metadata(path("proof.sh")).unwrap().permissions().mode();
    assert_eq!(mode & 0o111, 0o111, "it is run as it lies there");
}

/// Started with the current key, then with the old one: as a consumer that nobody restarted.
async fn proves_what_it_uses(program: &str, args: &[&OsStr]) {
    for (uses, expected) in [(CURRENT, proven()), (OLD, other())] {
        let (port, scratch) = (Port::free(), Scratch::new());
        let number = port.number.to_string();
        let env = [("LEAF7_API_KEY", OsStr::new(uses)), ("PORT", OsStr::new(&number))];
        let mut server = Server::start(Path::new(program), args, &env, &scratch.join("log"));
        until("the consumer listens", async || {
            server.assert_running();
            tokio::net::TcpStream::connect(("127.0.0.1", port.number)).await.ok()
        })
        .await;
        assert_eq!(ask(port.number).await, expected, "{program}");
    }
}

async fn ask(port: u16) -> ProofOutcome {
    install_tls();
    let urls = [format!("http://127.0.0.1:{port}/keyrelay")];
    let http = Http { urls: &urls, instances: None, ca_cert: None, bearer: None };
    with_question(async |prover, question| prover.http(&http, question).await).await
}

async fn with_question(ask: impl AsyncFnOnce(&Prover, &Question<'_>) -> ProofOutcome) -> ProofOutcome {
    let (credential, consumer): (CredentialName, ConsumerName) =
        ("leaf7-main".parse().unwrap(), "storefront".parse().unwrap());
    let (key, others) = (Key::parse(CURRENT).unwrap(), [Key::parse(OLD).unwrap()]);
    let question =
        Question { credential: &credential, consumer: &consumer, key: &key, others: &others, now: now() };
    ask(&Prover::new(&Limits::default()), &question).await
}

fn proven() -> ProofOutcome {
    let instances = Instances { proven: 1, wanted: None };
    ProofOutcome::Proven { level: ProofLevel::InUse, instances, at: now(), last_401_at: None }
}
fn other() -> ProofOutcome {
    ProofOutcome::OtherKey(Key::parse(OLD).unwrap().fingerprint())
}
fn now() -> Timestamp {
    Timestamp::from_secs(1_795_255_200)
}

fn root() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}
fn path(snippet: &str) -> PathBuf {
    root().join("docs/consumers").join(snippet)
}

/// Where a language's program is; without it the test says so and ends.
fn found(program: &str) -> Option<String> {
    let folders = std::env::var("PATH").unwrap_or_default();
    let path = folders.split(':').map(|folder| Path::new(folder).join(program)).find(|path| path.exists());
    if path.is_none() {
        eprintln!("skipped: {program} is not installed (scripts/setup installs it on Debian)");
    }
    path.and_then(|path| path.to_str().map(str::to_owned))
}
