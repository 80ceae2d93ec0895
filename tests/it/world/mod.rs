//! Real servers for the tests: Dovecot, Cyrus, Postfix, OpenBao, an SMTP server, and the built daemon, each on free
//! loopback ports in a folder of its own. Whoever drops one kills it with everything it started; dropped in a panic, it shows the
//! end of its log. Start a server in the test's own thread: the kernel kills it when that thread ends.
//!
//! It knows how to run servers, and nothing of what the tests expect of keyrelay.

mod bao;
mod ca;
mod canary;
mod clock;
mod cluster;
mod config;
mod cyrus;
mod daemon;
mod disk;
mod dovecot;
mod forward;
mod imap;
mod port;
mod postfix;
mod process;
mod provider;
mod proxy;
mod sandbox;
mod scratch;
pub mod secrets;
mod smtp;
mod tap;
mod unpacked;

pub use bao::Bao;
pub use ca::Ca;
pub use canary::{Canary, Leak};
pub use clock::Clock;
pub use cluster::Cluster;
pub use config::Config;
pub use cyrus::Cyrus;
pub use daemon::Daemon;
pub use disk::SmallDisk;
pub use dovecot::Dovecot;
pub use forward::Forward;
pub use imap::{Imap, MailServer};
pub use port::Port;
pub use postfix::Postfix;
pub use process::{Ran, Server, run};
pub use provider::Provider;
pub use proxy::{Hold, Proxy};
pub use sandbox::{Sandbox, strip};
pub use scratch::Scratch;
pub use smtp::{Smtp, SmtpMode, SmtpOptions, SmtpTls};
pub use tap::Tap;

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Long enough for a busy machine; no test asserts how long anything takes.
pub const PATIENCE: Duration = Duration::from_secs(100);

/// Looks until there is something to see; panics after [`PATIENCE`], saying what was waited for.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(start.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Lets time pass, where that is the experiment: an answer that comes late, a kill at a random moment.
pub async fn moment(length: Duration) {
    tokio::time::sleep(length).await;
}

/// The TLS provider of this test process.
pub fn install_tls() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// A program of Debian's, where Debian puts it.
pub fn debian(program: &str, package: &str) -> PathBuf {
    ["/usr/sbin", "/usr/bin", "/sbin", "/bin"]
        .iter()
        .map(|folder| Path::new(folder).join(program))
        .find(|path| path.exists())
        .unwrap_or_else(|| {
            panic!("{program} is missing; install it: apt-get install {package} (scripts/test does)")
        })
}

/// What scripts/test has put together for the tests; `TEST_TOOLS_DIR` names another folder.
fn tools() -> PathBuf {
    let standard = || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-tools");
    std::env::var_os("TEST_TOOLS_DIR").map_or_else(standard, PathBuf::from)
}

/// A program of its Python environment.
pub fn tool(program: &str) -> PathBuf {
    let path = tools().join("bin").join(program);
    assert!(path.exists(), "{} is missing; scripts/test installs it", path.display());
    path
}
