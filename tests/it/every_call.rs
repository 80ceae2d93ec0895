//! A rotation of the built program, struck at each of its system calls: killed there and started again, or the call
//! fails in one of eight ways. However it is struck, no key is lost that was in the spool or in its mail, nothing is
//! promoted twice, nothing hangs, and every consumer works with the new key in the end.
//!
//! The tests take a sample. `scripts/kill-every-syscall` and `scripts/fail-every-call` take each call.

mod asked;
mod calls;
mod ledger;
mod mailed;
mod tracer;

use crate::world::until;
use asked::{Asked, By};
use calls::Errno;
use ledger::Ledger;
use mailed::Mailed;
use std::collections::BTreeSet;
use tracer::{Deed, Point, Seen, Tracer};

/// Points of each story that a run of all tests takes.
const SAMPLE: usize = 8;
/// So many may be open.
const OPEN_MAX: usize = 60;
/// Looks in which a process has called nothing: it is at rest.
const RESTFUL_LOOKS: usize = 50;

/// A rotation, as often as it is wanted.
trait Story {
    /// A process that is at rest, or about to do what counts. Returns its id.
    async fn begin(&mut self) -> u32;
    /// What makes it rotate; its calls are counted by now.
    async fn go(&mut self);
    /// All is done, as far as others can see: nothing is asked of the process.
    async fn is_complete(&mut self) -> bool;
    /// It was not struck.
    async fn after_nothing(&mut self);
    /// It was killed. Begins it anew, looks at everything, and says how it ended.
    async fn after_kill(&mut self) -> End;
    /// One of its calls has failed. Says how it ended.
    async fn after_failure(&mut self) -> End;
    /// How those ended that were open, in their order.
    async fn close(&mut self) -> Vec<String>;
}

enum End {
    Known(String),
    /// That takes minutes; meanwhile others begin.
    Open,
}

#[tokio::test]
async fn r36_killed_at_any_call_of_a_mailed_rotation_the_key_arrives() {
    kill_at_each(Mailed::build().await).await;
}
#[tokio::test]
async fn r36_killed_at_any_call_of_a_daemon_that_asks_the_vendor_the_key_arrives_or_its_loss_is_told() {
    kill_at_each(Asked::build(By::Daemon).await).await;
}
#[tokio::test]
async fn r36_killed_at_any_call_of_a_command_that_asks_the_vendor_the_key_arrives_or_its_loss_is_told() {
    kill_at_each(Asked::build(By::Command).await).await;
}
#[tokio::test]
async fn r38_any_call_of_a_mailed_rotation_may_fail() {
    fail_each(Mailed::build().await).await;
}
#[tokio::test]
async fn r38_any_call_of_a_daemon_that_asks_the_vendor_may_fail() {
    fail_each(Asked::build(By::Daemon).await).await;
}

async fn kill_at_each(mut story: impl Story) {
    let mut ledger = Ledger::open();
    let calls = points(&mut story, &mut ledger).await;
    let strikes = calls.into_iter().map(|point| (point, Deed::Kill)).collect();
    strike_each(story, ledger, strikes).await;
}

/// In each of the ways: the first call of each name of each thread, then the others.
async fn fail_each(mut story: impl Story) {
    let mut ledger = Ledger::open();
    let calls = points(&mut story, &mut ledger).await;
    let (first, other): (Vec<_>, Vec<_>) =
        calls.into_iter().filter(|point| !calls::cannot_fail(&point.call)).partition(|point| point.nth == 1);
    let strikes = [first, other].into_iter().flat_map(|calls| {
        let each = |point: Point| Errno::ALL.map(|errno| (point.clone(), Deed::Fail(errno)));
        calls.into_iter().flat_map(each).collect::<Vec<_>>()
    });
    strike_each(story, ledger, strikes.collect()).await;
}

/// The calls of one rotation that nobody disturbs; in a full run always the same.
async fn points(story: &mut impl Story, ledger: &mut Ledger) -> Vec<Point> {
    if let Some(points) = ledger.recorded() {
        return points;
    }
    let pid = story.begin().await;
    let tracer = Tracer::attach(pid, None);
    tracer.count();
    story.go().await;
    until("the rotation is complete", async || (tracer.is_gone() || story.is_complete().await).then_some(()))
        .await;
    rest(&tracer).await;
    let Seen { calls, .. } = tracer.let_go();
    story.after_nothing().await;
    let threads: BTreeSet<_> = calls.iter().map(|(point, _)| point.thread.clone()).collect();
    println!("{} calls of {threads:?}", calls.len());
    ledger.record(&calls);
    calls.into_iter().map(|(point, _)| point).collect()
}

async fn strike_each(mut story: impl Story, mut ledger: Ledger, strikes: Vec<(Point, Deed)>) {
    assert!(strikes.len() > SAMPLE, "{strikes:?}");
    let step = if ledger.is_full() { 1 } else { strikes.len().div_ceil(SAMPLE) };
    let mut open = Vec::new();
    for (point, deed) in strikes.into_iter().step_by(step) {
        let strike = match deed {
            Deed::Kill => point.to_string(),
            Deed::Fail(errno) => format!("{point} {errno}"),
        };
        if !ledger.begin(&strike) {
            continue;
        }
        let (about, end) = struck_at(&mut story, &point, deed).await;
        match end {
            End::Known(end) => ledger.end(&strike, &about, &end),
            End::Open => open.push((strike, about)),
        }
        if open.len() == OPEN_MAX {
            close(&mut story, &mut ledger, &mut open).await;
        }
    }
    // A sample does not wait for minutes; what is lost then is told is seen in `api::lost`.
    if ledger.is_full() {
        close(&mut story, &mut ledger, &mut open).await;
    }
    println!("{:?}, and {} that take minutes", ledger.counts(), open.len());
}

async fn close(story: &mut impl Story, ledger: &mut Ledger, open: &mut Vec<(String, String)>) {
    let ends = story.close().await;
    assert_eq!(ends.len(), open.len(), "{open:?}");
    for ((strike, about), end) in open.drain(..).zip(ends) {
        ledger.end(&strike, &about, &end);
    }
}

/// What the call was about, and how it ended.
async fn struck_at(story: &mut impl Story, point: &Point, deed: Deed) -> (String, End) {
    let pid = story.begin().await;
    let tracer = Tracer::attach(pid, Some((point.clone(), deed)));
    tracer.count();
    story.go().await;
    until("it is struck, or done", async || {
        (tracer.is_gone() || tracer.is_hit() || story.is_complete().await).then_some(())
    })
    .await;
    if !tracer.is_hit() {
        // Something is done when others have seen the last.
        rest(&tracer).await;
    }
    if tracer.is_hit() && deed == Deed::Kill {
        until("it is gone", async || tracer.is_gone().then_some(())).await;
    }
    let Some(about) = tracer.let_go().hit else {
        story.after_nothing().await;
        return (String::new(), End::Known(ledger::NOT_REACHED.into()));
    };
    let end = match deed {
        Deed::Kill => story.after_kill().await,
        Deed::Fail(_) => story.after_failure().await,
    };
    (about, end)
}

async fn rest(tracer: &Tracer) {
    let mut looks = (0, 0);
    until("it is at rest", async || {
        let calls = tracer.calls();
        looks = if looks.0 == calls { (calls, looks.1 + 1) } else { (calls, 0) };
        (tracer.is_gone() || tracer.is_hit() || looks.1 >= RESTFUL_LOOKS).then_some(())
    })
    .await;
}
