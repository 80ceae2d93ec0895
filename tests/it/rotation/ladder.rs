//! Consumers that lie or refuse are told of step by step while the grace runs out, in one thread, and once more when
//! they are proven.

use super::{
    consumers::{FileConsumer, all_in_use},
    stage::{Alert, Stage},
};
use crate::world::until;
use keyrelay::demo::consumer::Manner;

#[tokio::test]
async fn unproven_consumers_are_one_thread_that_ends_when_they_are_proven() {
    let mut stage = Stage::build().await;
    // The first mail comes after a second, the next with half of the time left, the next with a quarter.
    stage.config.set("vendors.leaf7.grace", "24s");
    let slot = stage.slot("main");
    let old = stage.seed(&slot).await;
    let names = ["honest", "lying", "refusing"];
    let mut consumers = Vec::new();
    for name in names {
        let consumer = FileConsumer::add(&mut stage, &slot, name).await;
        consumer.put(&old);
        consumers.push(consumer);
    }
    stage.start().await;
    stage.wait(&slot, "all are tested", |found| all_in_use(found, &names, &old).then_some(())).await;

    consumers[1].consumer.set_manner(Manner::WrongProof);
    consumers[2].consumer.set_manner(Manner::Failing);
    stage.date_from_now();
    let (_, new) = stage.rotate(&slot);
    stage.confirm(&slot, 0, &old, &new).await;
    until("they are told of three times", async || (thread(&stage).len() >= 3).then_some(())).await;
    for name in &names[1..] {
        assert!(thread(&stage).iter().all(|mail| mail.text.contains(name)), "{name}");
    }
    let ran = stage.keyrelay(&["status", "main"], "").await;
    assert_eq!(ran.code, Some(1), "an open warning: {ran:?}");
    let ran = stage.keyrelay(&["prove", "main", "--consumer", "lying"], "").await;
    assert_eq!(ran.code, Some(1), "{ran:?}");

    for consumer in &consumers {
        consumer.consumer.set_manner(Manner::Honest);
    }
    let ran = stage.keyrelay(&["prove", "main"], "").await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    until("they are resolved", async || {
        thread(&stage).last()?.subject.starts_with("[keyrelay] resolved").then_some(())
    })
    .await;
    let mails = thread(&stage);
    let (first, later) = mails.split_first().expect("a thread");
    assert_eq!(first.references, Vec::<String>::new());
    assert!(first.text.contains("keyrelay prove main"), "{}", first.text);
    let id = first.message_id.strip_suffix(".0@example.com").expect("the first mail of an incident");
    for (step, mail) in later.iter().enumerate() {
        assert_eq!(mail.message_id, format!("{id}.{}@example.com", step + 1));
        assert_eq!(mail.references.first(), Some(&first.message_id), "{}", mail.subject);
    }
    println!("two unproven consumers: {} mails in one thread", mails.len());
    assert_eq!(consumers.iter().map(FileConsumer::times_acted).collect::<Vec<_>>(), [1, 1, 1]);
    stage.end().await;
}

/// The mails about unproven consumers, oldest first.
fn thread(stage: &Stage) -> Vec<Alert> {
    stage.alerts().into_iter().filter(|mail| mail.code == "consumer-unproven").collect()
}
