//! From the IMAP server's EXISTS on the wire to the new key readable in the store.

use super::{
    Row, Times,
    bare::Bare,
    proxy::From,
    ratio,
    site::{self, Site},
};
use crate::world::Daemon;
use serde_json::json;
use std::time::Instant;

const ROTATIONS: usize = 50;

pub async fn rows() -> Vec<Row> {
    let mut site = Site::build().await;
    let copy = crate::world::Scratch::new();
    let file = json!({"deliver": {"file": {"path": copy.join("leaf7.key")}}, "prove": "none"});
    let mut daemon = Daemon::new(&mut site.config(json!({"storefront": file})).await);
    site::start(&mut daemon).await;
    let mut bare = Bare::open(&site).await;
    let (mut ours, mut theirs) = (Times::default(), Times::default());
    // The first one is not counted: connections are opened, and the probe's negative control is made.
    for round in 0..=ROTATIONS {
        let (old, start) = (site.vendor.current_key(site.account), Instant::now());
        let new = site.rotate(round).await;
        site::settled(&mut daemon, round + 1).await;
        let announced = site.mail.first(start, From::Server, "EXISTS").expect("EXISTS passed");
        let (readable, _) = site.promoted().await;
        let took = readable - announced;
        let bare_took = bare.round_trips(&site, &old, &new).await;
        if round > 0 {
            ours.add(took);
            theirs.add(bare_took);
        }
    }
    let both =
        format!("{} (p50), {} (p99)", ratio(ours.p50(), theirs.p50()), ratio(ours.p99(), theirs.p99()));
    vec![
        Row(
            "EXISTS on the wire → key readable in the store",
            "p50 ≤ 25 ms, p99 ≤ 100 ms",
            ours.p50_and_p99(),
            format!("the bare round trips: {}", theirs.p50_and_p99()),
        ),
        Row("… as a ratio", "≤ 1.5 ×", both, format!("the same {ROTATIONS} rotations")),
    ]
}
