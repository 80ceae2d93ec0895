//! Ten thousand new keys, each proven, that wait for a sealed store; beside a bare check-and-set loop.

use super::{Row, site::Site, watch_for};
use crate::world::{Daemon, until};
use futures_util::{StreamExt, stream};
use keyrelay::{
    demo::{
        mails::{self, Fields},
        simulator::AccountId,
    },
    domain::Timestamp,
};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant, SystemTime};

/// As many writes are under way at once as the daemon allows itself.
const AT_ONCE: usize = 16;
const WAITING: usize = 10_000;
const DAY: Duration = Duration::from_secs(86_400);
/// What seeding, and judging ten thousand mails, may take.
const PATIENCE: Duration = Duration::from_secs(1_200);

pub async fn rows() -> Vec<Row> {
    let mut site = Site::build().await;
    let mut config = site.config(json!({})).await;
    // Between them nothing is measured, and nothing stands.
    config.set("store.vault.address", site.bao.address());
    config.remove("credentials.leaf7-main");
    // A look hands out no more than some hundreds of mails: the next one follows at once.
    config.set("schedules", json!({"mailbox_poll": "* * * * * *"}));
    let accounts: Vec<AccountId> = (0..WAITING).map(|number| account(&site, number)).collect();
    each(WAITING, async |number| {
        let key = site.vendor.current_key(accounts[number]);
        site.bao.write(&path(number), json!({"api_key": key.expose()})).await;
    })
    .await;
    for number in 0..WAITING {
        config.set(
            &format!("credentials.customer-{number}"),
            json!({"vendor": "leaf7", "path": path(number), "recipient": [recipient(number)]}),
        );
    }
    let mut daemon = Daemon::new(&mut config);
    daemon.start_logging("warn");
    until("the daemon answers", async || daemon.get("healthz").await).await;
    watch_for("all are seeded", PATIENCE, async || {
        (count(&daemon, |credential| !credential["fingerprint"].is_null()).await == WAITING).then_some(())
    })
    .await;
    site.bao.seal().await;
    rotate_all(&mut site, &accounts);
    watch_for("all new keys are judged", PATIENCE, async || {
        (count(&daemon, |credential| credential["phase"] == "storing").await == WAITING).then_some(())
    })
    .await;
    site.bao.unseal().await;
    let start = Instant::now();
    watch_for("all are promoted", PATIENCE, async || {
        (count(&daemon, |credential| credential["generation"] == 1).await == WAITING).then_some(())
    })
    .await;
    let took = start.elapsed();
    let (writes, span) = written(&site).await;
    let bare = bare_loop(&site, writes).await;
    let (ours, theirs) = (writes as f64 / span.as_secs_f64(), writes as f64 / bare.as_secs_f64());
    vec![Row(
        "10,000 proven candidates when the store is unsealed: writes per second",
        "≥ 80 % of a bare loop's",
        format!(
            "{ours:.0}/s = {:.0} % ({writes} writes in {:.1} s; all seen promoted after {:.1} s)",
            100.0 * ours / theirs,
            span.as_secs_f64(),
            took.as_secs_f64()
        ),
        format!("as many bare check-and-set writes, {AT_ONCE} at once: {theirs:.0}/s"),
    )]
}

fn path(number: usize) -> String {
    format!("vendors/leaf7/{number}")
}
fn recipient(number: usize) -> String {
    format!("customer-{number}@example.com")
}
fn account(site: &Site, number: usize) -> AccountId {
    let project = format!("00000000-0000-4000-8000-{number:012}");
    site.vendor.new_account(&format!("customer-{number}"), &[&project])
}

/// `work` for each number, several at once.
async fn each(count: usize, work: impl AsyncFn(usize)) {
    stream::iter(0..count).for_each_concurrent(AT_ONCE, |number| work(number)).await;
}

/// Every account gets a new key, and its confirmation lies in the one mailbox.
fn rotate_all(site: &mut Site, accounts: &[AccountId]) {
    let date = Timestamp::from(SystemTime::now()).whole_secs();
    for (number, account) in accounts.iter().enumerate() {
        let old = site.vendor.current_key(*account);
        let key = site.vendor.rotate(*account, DAY);
        let to = recipient(number);
        let fields = Fields { key: &key, old: &old, from: "security@leaf7.fun", to: &to, date };
        let mail = site.signer.sign(&mails::confirmation(number, &fields));
        site.dovecot.deliver_at(&mail, "INBOX", SystemTime::now());
    }
}

async fn count(daemon: &Daemon, fits: impl Fn(&Value) -> bool) -> usize {
    let status = daemon.status().await;
    status["credentials"].as_array().map_or(0, |all| all.iter().filter(|credential| fits(credential)).count())
}

/// How many versions were written from the first promotion to the last, state documents included, and in what time, by
/// the store's own clock.
async fn written(site: &Site) -> (usize, Duration) {
    let all = stream::iter(0..WAITING).map(async |number| {
        let key = times(site, &path(number)).await;
        let state = times(site, &format!("keyrelay/customer-{number}")).await;
        (*key.last().expect("a promotion"), state)
    });
    let all: Vec<(i64, Vec<i64>)> = all.buffer_unordered(AT_ONCE).collect().await;
    let promotions = || all.iter().map(|(at, _)| *at);
    let (first, last) = (promotions().min().expect("one"), promotions().max().expect("one"));
    let notes = all.iter().flat_map(|(_, notes)| notes).filter(|at| (first..=last).contains(at)).count();
    (WAITING + notes, Duration::from_millis(u64::try_from(last - first).expect("time goes on")))
}

/// When each version was written, in milliseconds, oldest first.
async fn times(site: &Site, path: &str) -> Vec<i64> {
    let metadata = site.bao.metadata(path).await.expect("a document");
    let versions = metadata["versions"].as_object().expect("versions");
    let at = |version: &Value| {
        let at = version["created_time"].as_str().expect("a time");
        chrono::DateTime::parse_from_rfc3339(at).expect("RFC 3339").timestamp_millis()
    };
    let mut times: Vec<_> = versions.values().map(at).collect();
    times.sort();
    times
}

/// New documents of the same size, each by check-and-set.
async fn bare_loop(site: &Site, writes: usize) -> Duration {
    let (_, document) =
        site.bao.must_call(Method::GET, &format!("secret/data/{}", path(0)), Value::Null).await;
    let start = Instant::now();
    each(writes, async |number| {
        let write = json!({"data": document["data"]["data"], "options": {"cas": 0}});
        let (status, answer) =
            site.bao.must_call(Method::POST, &format!("secret/data/bench/{number}"), write).await;
        assert_eq!(status, 200, "{answer}");
    })
    .await;
    start.elapsed()
}
