//! The DKIM key comes from the DNS: a name server of our own misbehaves in every way, and is asked by the resolver
//! that the daemon asks with.

use super::*;
use crate::{
    demo::{
        dns::{self, DnsServer, TxtBehaviour},
        mails::CONFIRMATIONS,
    },
    mail::{authenticity, dns::Resolver},
};
use std::time::Duration;

/// So long each question may take: a silent server costs as much.
const TIMEOUT: Duration = Duration::from_millis(900);

struct Zone {
    server: DnsServer,
    name: String,
    record: String,
    world: World,
    mail: Vec<u8>,
}

impl Zone {
    /// With the vendor's key in it.
    async fn new() -> Self {
        let (server, world) = (dns::start().await.unwrap(), World::new());
        let (name, record) = world.signer.txt_record();
        let mail = world.signer.sign(&world.fill(CONFIRMATIONS[0].1));
        let zone = Self { server, name, record, world, mail };
        zone.server.set(&zone.name, TxtBehaviour::Records(vec![zone.record.clone()]));
        zone
    }

    /// As the daemon does when the mail has arrived.
    async fn fetch(&self) -> TxtAnswers {
        let settings = crate::mail::dns::Settings { servers: vec![self.server.addr()] };
        let resolver = Resolver::new(&settings, TIMEOUT).unwrap();
        let mut answers = TxtAnswers::new();
        for name in authenticity::questions(&self.mail, &["leaf7.fun".to_owned()]) {
            let answer = resolver.txt(&name).await;
            answers.insert(name, answer);
        }
        answers
    }

    fn judge(&mut self, answers: TxtAnswers) -> (Outcome, String) {
        self.world.answers = answers;
        let recognised = self.world.recognise(&self.mail);
        let (outcome, why) = outcome(&recognised.finding);
        (outcome, why.to_owned())
    }

    async fn decides(&mut self, behaviour: TxtBehaviour) -> (Outcome, String) {
        self.server.set(&self.name, behaviour);
        let answers = self.fetch().await;
        self.judge(answers)
    }
}

fn records(texts: &[&str]) -> TxtBehaviour {
    TxtBehaviour::Records(texts.iter().map(ToString::to_string).collect())
}

#[tokio::test]
async fn m14_r13_trouble_with_the_dns_makes_a_mail_wait_and_is_neither_a_yes_nor_a_no() {
    let mut zone = Zone::new().await;
    let (name, key) = (zone.name.clone(), zone.record.clone());
    let alias = format!("a.{name}");
    zone.server.set(&alias, TxtBehaviour::Alias(name.clone()));
    for behaviour in [
        TxtBehaviour::ServerFailure,
        TxtBehaviour::Silent,
        records(&[&"0123456789".repeat(1_024)]),
        records(&["v=spf1 -all"; 17]),
        TxtBehaviour::Alias(name.clone()),
        TxtBehaviour::Alias(alias),
    ] {
        let shown = format!("{behaviour:?}");
        let (outcome, why) = zone.decides(behaviour).await;
        assert_eq!(outcome, Outcome::Wait, "{shown:.80}: {why}");
        assert!(why.starts_with(&format!("the DNS did not say {name}: ")), "{why}");
        println!("{shown:.60}: {why}");
        assert_eq!(zone.decides(records(&[&key])).await.0, Outcome::NewKey, "after {shown:.80}");
    }
}

#[tokio::test]
async fn m14_r13_what_the_dns_says_for_certain_decides() {
    let mut zone = Zone::new().await;
    let key = zone.record.clone();
    let refused = |why: &str| (Outcome::Suspicious, format!("the signature of leaf7.fun {why}"));
    let elsewhere = "key.leaf7.fun";
    zone.server.set(elsewhere, records(&[&key]));
    for (behaviour, wanted) in [
        (TxtBehaviour::Alias(elsewhere.into()), (Outcome::NewKey, String::new())),
        (TxtBehaviour::NoSuchName, refused("has no key in the DNS")),
        (records(&[]), refused("has no key in the DNS")),
        (records(&["v=DKIM1; k=ed25519; p="]), refused("has a key that was revoked")),
        (records(&["v=DKIM1; k=ed25519; p=%%%"]), refused("has a malformed key in the DNS")),
        (records(&["p=\u{0}\u{1}\""]), refused("has a malformed key in the DNS")),
        (records(&[&key, &key]), refused("has no one key in the DNS")),
        (records(&[&format!("{key}; t=y")]), (Outcome::Held, "leaf7.fun calls its key a test (t=y)".into())),
        (records(&[&key]), (Outcome::NewKey, String::new())),
    ] {
        let shown = format!("{behaviour:?}");
        assert_eq!(zone.decides(behaviour).await, wanted, "{shown}");
    }
}

#[tokio::test]
async fn r14_a_key_that_the_vendor_changes_after_it_was_fetched_still_counts_and_one_fetched_too_late_is_told()
 {
    let mut zone = Zone::new().await;
    let at_arrival = zone.fetch().await;
    let next = Signer::generate("leaf7.fun", "s1").unwrap();
    let lost = |why: &str| (Outcome::Suspicious, format!("the signature of leaf7.fun {why}"));
    for (change, told) in [
        (
            records(&[&next.txt_record().1]),
            "does not hold: a signed header field was changed, or another key signed it",
        ),
        (TxtBehaviour::NoSuchName, "has no key in the DNS"),
        (records(&["v=DKIM1; k=ed25519; p="]), "has a key that was revoked"),
    ] {
        zone.server.set(&zone.name, change);
        assert_eq!(zone.judge(at_arrival.clone()).0, Outcome::NewKey);
        let too_late = zone.fetch().await;
        assert_eq!(zone.judge(too_late), lost(told));
    }
}
