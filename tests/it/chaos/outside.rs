//! What is around a rotation fails: the DNS, the mail server for alerts, and the connection to the mailbox.

use super::scene::Scene;
use crate::world::{SmtpMode, until};
use keyrelay::demo::{dns::TxtBehaviour, simulator::Faults};

#[tokio::test]
async fn r59_r13_alerts_that_cannot_go_out_and_a_dns_that_fails_hold_up_no_key_for_longer_than_they_last() {
    let mut scene = Scene::running().await;
    let (name, record) = scene.signer.txt_record();
    for (mode, behaviour) in
        [(SmtpMode::Busy, TxtBehaviour::ServerFailure), (SmtpMode::Refuse, TxtBehaviour::ServerFailure)]
    {
        scene.smtp.set_mode(mode);
        scene.dns.set(&name, behaviour);
        let (log, asked) = (scene.daemon.log_len(), scene.dns.questions(&name));
        let key = scene.rotate();
        scene.confirm(&key).await;
        until("the DNS was asked, and asked again", async || {
            (scene.dns.questions(&name) >= asked + 2).then_some(())
        })
        .await;
        assert_eq!(scene.daemon.log_since(log).matches("--> Probing").count(), 0, "nobody can judge it yet");
        scene.dns.set(&name, TxtBehaviour::Records(vec![record.clone()]));
        scene.completed(&key).await;
        // The store is sealed while nobody can be mailed: that mail comes later, and once.
        scene.bao.seal().await;
        scene.told("store-sealed").await;
        scene.bao.unseal().await;
        scene.resolved("store-sealed").await;
    }
    scene.smtp.set_mode(SmtpMode::Accept);
    scene.daemon.sighup();
    until("nothing waits", async || (scene.daemon.status().await["alerts"]["queued"] == 0).then_some(()))
        .await;
    let mails = scene.smtp.mails();
    let mut ids: Vec<_> =
        mails.iter().filter_map(|mail| mail.lines().find(|line| line.starts_with("Message-ID:"))).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "each mail came once");
}

/// 5 % each of 429, 5xx, lost answers, late activation, as the simulator is by default.
#[tokio::test]
async fn r53_with_a_vendor_as_nasty_as_the_simulator_is_by_default_each_rotation_ends_well() {
    let mut scene = Scene::running().await;
    scene.vendor.set_faults(Faults::default());
    for _ in 0..4 {
        let key = scene.rotate();
        scene.confirm(&key).await;
        scene.completed(&key).await;
    }
}
