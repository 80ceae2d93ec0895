//! The vendor's own limits, of which keyrelay leaves nine tenths to the consumers, and what a 429 comes to.

use super::desk::{Desk, vendor_name};
use keyrelay::demo::simulator::{Faults, Kind, Options, Outcome};

#[tokio::test]
async fn a_rotation_stays_far_below_leadeys_limit() {
    within_its_limit(Kind::Leadey).await;
}

#[tokio::test]
async fn a_rotation_stays_far_below_leafpads_limit() {
    within_its_limit(Kind::LeafPad).await;
}

async fn within_its_limit(kind: Kind) {
    let mut desk = Desk::build_with(Options::calm(kind)).await;
    desk.start().await;
    desk.first_key().await;
    let second = desk.new_key();
    desk.take_in(&second, &["--yes"]).await;
    desk.wait_mail("revoke-old-key", false).await;
    let sent: u64 = desk.vendor.requests().values().sum();
    assert!(sent <= 12, "{}: {sent} requests", vendor_name(kind));
    assert_eq!(desk.vendor.total(Outcome::Limited), 0);
    desk.end().await;
}

#[tokio::test]
async fn a_key_whose_probe_meets_the_limit_waits_in_the_spool_and_goes_in_by_itself() {
    let mut desk = Desk::build(Kind::Leadey).await;
    desk.start().await;
    desk.first_key().await;
    desk.set_faults(Faults { limited_percent: 100, retry_after: Some("2".into()), ..Faults::none() });
    let second = desk.new_key();
    desk.web.tell(second.clone());
    let ran = desk.ingest(second.expose(), &[]).await;
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("safe in the spool") && ran.stderr.contains("429"), "{ran:?}");
    desk.set_faults(Faults::none());
    desk.wait("it is promoted", |found| (found["fingerprint"] == second.fingerprint().hex()).then_some(()))
        .await;
    desk.wait_mail("revoke-old-key", false).await;
    desk.end().await;
}
