//! The times of a mail: what its sender signed, and when it arrived. Nothing else that a mail says of time is read.

use super::*;
use crate::demo::mails::CONFIRMATIONS;
use std::time::Duration;

impl World {
    /// Signed with this text for a Date.
    fn dated_as(&self, date: &str) -> Vec<u8> {
        self.signer.sign(&self.fill(&CONFIRMATIONS[0].1.replace("{date}", date)))
    }

    fn date_of(&self, date: &str) -> Result<Timestamp, String> {
        let recognised = self.recognise(&self.dated_as(date));
        match recognised.finding {
            Finding::NewKey(confirmation) => Ok(confirmation.dated),
            other => Err(outcome(&other).1.to_owned()),
        }
    }
}

#[test]
fn c03_the_grace_begins_at_the_earlier_of_the_signed_date_and_the_arrival() {
    let mut world = World::new();
    let mail = world.dated_as("{date}");
    let hour = Duration::from_secs(3_600);
    for (arrived_at, rotated_at) in [
        (world.dated(), world.dated()),
        (world.dated() - Duration::from_secs(299), world.dated() - Duration::from_secs(299)),
        (world.dated() + hour, world.dated()),
        (world.dated() + 400 * 24 * hour, world.dated()),
    ] {
        world.arrived_at = arrived_at;
        let Finding::NewKey(confirmation) = world.recognise(&mail).finding else { panic!("{arrived_at}") };
        assert_eq!((confirmation.dated, confirmation.rotated_at), (world.dated(), rotated_at));
    }
    // Neither what servers wrote on the way nor what the text says moves it.
    world.arrived_at = world.dated();
    let received = b"Received: from a by b; Fri, 1 Jan 2021 00:00:00 +0000\r\n";
    let Finding::NewKey(confirmation) = world.recognise(&[&received[..], &mail].concat()).finding else {
        panic!()
    };
    assert_eq!(confirmation.rotated_at, world.dated());
}

#[test]
fn c03_a_date_that_is_more_than_five_minutes_ahead_of_the_arrival_is_refused() {
    let mut world = World::new();
    let mail = world.dated_as("{date}");
    for (ahead, wanted) in [
        (300, (Outcome::NewKey, "")),
        (301, (Outcome::Suspicious, "its Date is later than its arrival")),
        (86_400, (Outcome::Suspicious, "its Date is later than its arrival")),
    ] {
        world.arrived_at = world.dated() - Duration::from_secs(ahead);
        assert_eq!(outcome(&world.recognise(&mail).finding), wanted, "{ahead} s");
    }
}

#[test]
fn c06_obsolete_zones_two_digit_years_and_comments_are_read_as_the_standard_says() {
    let world = World::new();
    for (date, at) in [
        ("Fri, 20 Nov 2026 09:00:00 +0000", "2026-11-20T09:00:00Z"),
        ("20 Nov 2026 09:00:00 +0000", "2026-11-20T09:00:00Z"),
        ("Fri, 20 Nov 2026 09:00 +0000", "2026-11-20T09:00:00Z"),
        ("fri, 20 nov 2026 09:00:00 GMT", "2026-11-20T09:00:00Z"),
        ("Fri, 20 Nov 2026 09:00:00 UT", "2026-11-20T09:00:00Z"),
        ("Fri, 20 Nov 2026 04:00:00 EST", "2026-11-20T09:00:00Z"),
        ("Fri, 20 Nov 2026 02:00:00 PDT", "2026-11-20T09:00:00Z"),
        ("Fri, 20 Nov 2026 09:00:00 -0000", "2026-11-20T09:00:00Z"),
        ("Fri, 20 Nov 2026 14:30:00 +0530", "2026-11-20T09:00:00Z"),
        ("Fri, 20 Nov 26 09:00:00 +0000", "2026-11-20T09:00:00Z"),
        ("Fri, 20 Nov 2026 09:00:00 +0000 (UTC)", "2026-11-20T09:00:00Z"),
        ("Fri, 20 Nov 2026 09:00:00 +0000 (a (b (c) \\) d))", "2026-11-20T09:00:00Z"),
        // Years of two digits up to 49 are of this century, the others of the last one (RFC 5322 §4.3).
        ("Sat, 20 Nov 99 09:00:00 +0000", "1999-11-20T09:00:00Z"),
        ("Mon, 20 Nov 50 09:00:00 +0000", "1950-11-20T09:00:00Z"),
        ("Thu, 29 Feb 2024 23:59:59 +0000", "2024-02-29T23:59:59Z"),
        // A leap second has no number of its own.
        ("Sat, 31 Dec 2016 23:59:60 +0000", "2016-12-31T23:59:59Z"),
    ] {
        assert_eq!(world.date_of(date), Ok(at.parse().unwrap()), "{date}");
    }
}

#[test]
fn c06_what_is_no_date_is_refused_however_deep_it_is() {
    let world = World::new();
    let wrong = Err("its Date is no date".to_owned());
    let genuine = "Fri, 20 Nov 2026 09:00:00 +0000";
    for date in [
        "",
        "tomorrow",
        "2026-11-20T09:00:00Z",
        "Fri, 32 Nov 2026 09:00:00 +0000",
        "Fri, 30 Feb 2026 09:00:00 +0000",
        "Sat, 20 Nov 2026 09:00:00 +0000",
        "Fri, 20 Nov 2026 25:00:00 +0000",
        "Fri, 20 Nov 2026 09:00:00",
        "Fri, 20 Nov 2026 09:00:00 +0000 and more",
        "Fri, 20 Nov 2026 09:00:00 +0000 (never closed",
        "Fri, 20 Nov 99999999999 09:00:00 +0000",
        "Fri, ٢٠ Nov 2026 09:00:00 +0000",
        &format!("{genuine} {}{}", "(".repeat(500), ")".repeat(500)),
        &format!("{genuine} {}", "(".repeat(100_000)),
        &format!("{}{genuine}", "(a)".repeat(40)),
    ] {
        assert_eq!(world.date_of(date), wrong, "{date:.60}");
    }
    assert!(world.date_of(genuine).is_ok());
    assert!(world.date_of(&format!("{genuine} ((((((((((x))))))))))")).is_ok(), "a few levels are read");
}
