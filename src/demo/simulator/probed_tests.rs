//! Against the simulated vendor: each of its moods, and the verdict.

use super::*;
use crate::domain::{Limits, Verdict};
use crate::probe::{Prober, tests::leaf7};

async fn simulator() -> Simulator {
    start(Options::calm(Kind::Leaf7)).await.unwrap()
}

fn prober() -> Prober {
    Prober::new(&Limits::default()).unwrap()
}

async fn verdict(simulator: &Simulator, key: &Key) -> (Verdict, Option<Account>, String) {
    let answer = prober().probe(&leaf7(&simulator.base_url()), key).await;
    (answer.verdict, answer.account, answer.why)
}

fn ids(ids: &[&str]) -> Option<Account> {
    Some(ids.iter().copied().collect())
}

#[tokio::test]
async fn old_and_new_key_show_the_same_account_and_a_random_one_is_dead() {
    let vendor = simulator().await;
    let ours = vendor.new_account("Aim Trainer", &["p-1", "p-2"]);
    let old = vendor.current_key(ours);
    let new = vendor.rotate(ours, Duration::from_secs(3600));
    for key in [&old, &new] {
        let (verdict, account, _) = verdict(&vendor, key).await;
        assert_eq!((verdict, account), (Verdict::Alive, ids(&["p-1", "p-2"])));
    }
    let control = crate::probe::random_like(&new.shape(), &mut || 7);
    let (verdict, account, why) = verdict(&vendor, &control).await;
    assert_eq!((verdict, account), (Verdict::Dead, None));
    assert_eq!(why, "401 with the vendor's \"Not authenticated\"");
}

#[tokio::test]
async fn each_mood_of_the_vendor_has_its_verdict() {
    let vendor = simulator().await;
    let ours = vendor.new_account("Aim Trainer", &["p-1"]);
    let key = vendor.current_key(ours);
    for (mode, expected) in [
        (Mode::Truthful, (Verdict::Alive, "200 with an array of 1, as a live key gets it")),
        (Mode::WebPage, (Verdict::Unclear, "200 (OK) with a web page")),
        (Mode::CaptivePortal, (Verdict::Unclear, "302: a redirect to another origin is not followed")),
        (
            Mode::DiscordNotLinked,
            (Verdict::Unclear, "403 (Forbidden) with an object that says nothing of the key"),
        ),
        (
            Mode::Unavailable,
            (Verdict::Unclear, "503 (Service Unavailable) with an object that says nothing of the key"),
        ),
        (Mode::EverybodyDead, (Verdict::Dead, "401 with the vendor's \"Not authenticated\"")),
        (Mode::EverybodyAlive, (Verdict::Alive, "200 with an array of 1, as a live key gets it")),
    ] {
        vendor.set_faults(mode);
        let (verdict, _, why) = verdict(&vendor, &key).await;
        assert_eq!((verdict, why.as_str()), expected, "{mode:?}");
    }
}

#[tokio::test]
async fn a_silent_vendor_is_left_at_the_time_out() {
    let vendor = simulator().await;
    let key = vendor.current_key(vendor.new_account("Aim Trainer", &["p-1"]));
    vendor.set_faults(Mode::Silent);
    let prober =
        Prober::new(&Limits { request_timeout: Duration::from_millis(300), ..Limits::default() }).unwrap();
    let answer = prober.probe(&leaf7(&vendor.base_url()), &key).await;
    assert_eq!(
        (answer.verdict, answer.why.as_str()),
        (Verdict::Unclear, "127.0.0.1 did not answer within 0.3 s")
    );
}

#[tokio::test]
async fn an_answer_that_is_lost_is_asked_for_only_once() {
    let vendor = simulator().await;
    let ours = vendor.new_account("Aim Trainer", &["p-1"]);
    vendor.set_faults(Faults { reset_percent: 100, ..Faults::none() });
    let prober = prober();
    for asked in 1..=3 {
        let answer = prober.probe(&leaf7(&vendor.base_url()), &vendor.current_key(ours)).await;
        assert_eq!(answer.why, "127.0.0.1 did not send a whole HTTP answer");
        assert_eq!(vendor.total(Outcome::Lost), asked);
    }
}
