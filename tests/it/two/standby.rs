//! What the one that stands by does, and what it leaves to the other.

use super::pair::Pair;
use crate::world::until;
use serde_json::Value;

#[tokio::test]
async fn it_keeps_its_own_hosts_consumers_right_and_writes_nothing_else() {
    let mut pair = Pair::running().await;
    let before = pair.stage.versions(&pair.slot).await;
    assert_eq!(before.0, 1, "the seed");
    let new = pair.rotate().await;
    pair.everybody_has(&new).await;
    until("both have acted again", async || {
        ((pair.on_a.times_acted(), pair.on_b.times_acted()) == (2, 2)).then_some(())
    })
    .await;
    let proof = |credential: &Value, name: &str| {
        let consumers = credential["consumers"].as_array().expect("a list");
        consumers
            .iter()
            .find(|one| one["name"] == name)
            .map(|one| (one["proof"].clone(), one["elsewhere"].clone()))
    };
    // Each shows its own as tested, and the other's as unproven from here.
    until("host-b has tested its own", async || {
        (proof(&pair.b_credential().await, "on-b")?.0 == "in_use").then_some(())
    })
    .await;
    let shown = pair.b_credential().await;
    assert_eq!(proof(&shown, "on-a"), Some(("unproven".into(), true.into())));
    assert_eq!(
        proof(&shown, "copy").map(|(_, elsewhere)| elsewhere),
        Some(true.into()),
        "what names no host"
    );
    let shown = pair.stage.credential(&pair.slot).await;
    assert_eq!(proof(&shown, "on-b"), Some(("unproven".into(), true.into())));
    // What needs the other one is refused, and says which.
    for args in [&["prove", "main"][..], &["deliver", "main"], &["rollback", "main", "--check"]] {
        let ran = pair.b.run(args).await;
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.stderr.contains("refused: this daemon stands by, the one on host-a acts"), "{ran:?}");
        assert!(ran.stderr.contains("type it on host-a"), "{ran:?}");
    }
    let shown = pair.b.run(&["status"]).await;
    let words: Vec<_> = shown.stdout.split_whitespace().collect();
    assert!(words.join(" ").contains("; the daemon on host-a acts"), "{shown:?}");
    assert_eq!(pair.b.get("readyz").await.map(|(status, _)| status), Some(200));
    let history = pair.b.run(&["history", "main", "--json"]).await;
    assert_eq!(history.stdout.trim(), "[]", "the history is the acting one's");
    pair.nobody_is_told_twice();
}
