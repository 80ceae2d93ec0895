//! The first look at a large mailbox, beside the bare SEARCH and FETCH of the twelve mails that count.

use super::{
    Row, Times, bare, full, memory, ms,
    proxy::From,
    ratio,
    site::{self, Site},
    watch,
};
use crate::world::{Daemon, Imap, until};
use keyrelay::domain::Timestamp;
use serde_json::json;
use std::time::{Duration, Instant, SystemTime};

const OURS: usize = 12;
const LOOKS: usize = 5;
const DAY: Duration = Duration::from_secs(86_400);

pub async fn rows() -> Vec<Row> {
    let mut site = Site::build().await;
    let mails = if full() { 100_000 } else { 10_000 };
    fill(&mut site, mails).await;
    let search = format!("UID SEARCH SINCE {} FROM leaf7.fun", day(SystemTime::now() - 14 * DAY));
    let mut lasting = bare::session(site.dovecot.imap.number).await;
    // The server reads each mail's header once, and remembers it: neither side pays for that.
    look(&mut lasting, &search).await;
    let (mut ours, mut theirs, mut again, mut peak) =
        (Times::default(), Times::default(), Times::default(), String::new());
    for _ in 0..LOOKS {
        // As ours: in a session that has not fetched anything yet, for which Dovecot reads its list of all mails.
        let mut fresh = bare::session(site.dovecot.imap.number).await;
        theirs.add(look(&mut fresh, &search).await);
        again.add(look(&mut lasting, &search).await);

        let copy = crate::world::Scratch::new();
        let file = json!({"deliver": {"file": {"path": copy.join("leaf7.key")}}, "prove": "none"});
        let mut daemon = Daemon::new(&mut site.config(json!({"storefront": file})).await);
        let start = Instant::now();
        site::start(&mut daemon).await;
        let began = watch("SEARCH", async || site.mail.first(start, From::Client, "SEARCH")).await;
        let ended = watch("IDLE", async || site.mail.first(began, From::Client, "IDLE")).await;
        ours.add(ended - began);
        peak = memory(daemon.pid(), "VmHWM");
    }
    vec![Row(
        if full() {
            "first look at 100,000 mails, 12 of them ours"
        } else {
            "first look at 10,000 mails, 12 of them ours"
        },
        "≤ 1.3 × (with 100,000), ≤ 32 MiB",
        format!("{} = {}; at most {peak} resident", ms(ours.p50()), ratio(ours.p50(), theirs.p50())),
        format!(
            "the bare SEARCH and FETCH: {}, in a session that has fetched before {}",
            ms(theirs.p50()),
            ms(again.p50())
        ),
    )]
}

/// The bare SEARCH, and the FETCH of what it finds.
async fn look(imap: &mut Imap, search: &str) -> Duration {
    let start = Instant::now();
    let found = imap.command(search).await;
    let uids = found.iter().find_map(|line| line.strip_prefix("* SEARCH ")).expect("mails found");
    let uids = uids.trim().replace(' ', ",");
    assert_eq!(uids.split(',').count(), OURS);
    imap.command(&format!("UID FETCH {uids} (UID INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.65536>)")).await;
    start.elapsed()
}

/// Mails of others, and a confirmation a day; the last confirmation holds the key that the store has.
async fn fill(site: &mut Site, mails: usize) {
    let now = SystemTime::now();
    for number in 0..mails - OURS {
        let mail = format!(
            "From: Shop {number} <news{number}@shop.example>\r\nTo: rotation@example.com\r\n\
            Subject: Offer {number}\r\nMessage-ID: <{number}@shop.example>\r\n\r\n{}\r\n",
            "Nothing that matters here.\r\n".repeat(40)
        );
        let age = Duration::from_secs(60 * number as u64);
        site.dovecot.deliver_at(mail.as_bytes(), "INBOX", now - age);
    }
    let mut old = site.vendor.current_key(site.account);
    for number in 0..OURS {
        let new = site.vendor.rotate(site.account, Duration::from_secs(60));
        let at = now - DAY * (OURS - number) as u32;
        let mail = site.confirmation(number, &new, &old, Timestamp::from(at));
        site.dovecot.deliver_at(&mail, "INBOX", at);
        old = new;
    }
    site.bao.write(site::PATH, json!({"api_key": old.expose()})).await;
    until("the server has seen every mail", async || {
        (site.dovecot.mail_count("INBOX").await == mails).then_some(())
    })
    .await;
}

/// `07-Nov-2026`, as IMAP writes a day.
fn day(at: SystemTime) -> String {
    let secs = Timestamp::from(at).as_secs();
    chrono::DateTime::from_timestamp(secs, 0).expect("a time").format("%d-%b-%Y").to_string()
}
