//! Several nodes: the active one is asked, another when it is away, and a standby's redirect is followed to a
//! configured node only. Three real nodes on Raft.

use super::{
    trouble::{Scripted, Wire, plain},
    *,
};
use crate::world::{Cluster, Proxy};
use std::sync::atomic::Ordering::SeqCst;

/// An election takes its time.
async fn written(store: &Store, key: &str, cas: u64) -> u64 {
    let done = async || match store.write(None, PATH, &fields(key), cas).await {
        WriteOutcome::Written { version } => Some(version),
        WriteOutcome::Failed(StoreTrouble::Unreachable(_)) => None,
        // It may have been written: read back, as the core does.
        WriteOutcome::Unknown(_) => match store.read(None, PATH).await {
            Read::Present(found) if found.version > cas => Some(found.version),
            _ => None,
        },
        other => panic!("{other:?}"),
    };
    until("it is written", done).await
}

fn over(cluster: &Cluster, nodes: Vec<String>) -> Store {
    open_with(vault::Settings { nodes, ..settings(&cluster.nodes[0], root(&cluster.nodes[0])) })
}

/// `127.0.0.1:PORT`
fn host(address: &str) -> String {
    address.rsplit('/').next().unwrap().to_owned()
}

#[tokio::test]
async fn the_active_node_is_asked_wherever_it_stands_in_the_list_and_after_each_election() {
    let ca = Ca::new();
    let cluster = Cluster::start(&ca).await;
    let mut nodes = cluster.addresses();
    nodes.reverse();
    let store = over(&cluster, nodes.clone());
    let mut wanted = 0;
    for _ in 0..3 {
        for turn in 0..10 {
            wanted = written(&store, &format!("key-{turn}"), wanted).await;
            assert_eq!(
                version(&store).await,
                (wanted, format!("key-{turn}")),
                "what was just written is read"
            );
        }
        let active = cluster.step_down().await;
        until("health shows the new one", async || {
            let Store::Vault(vault) = &store else { panic!() };
            store.health().await.ok()?;
            (vault.node().await.ok()?.address == cluster.nodes[active].address()).then_some(())
        })
        .await;
    }
    assert_eq!((wanted, cluster.leader().await.versions(PATH).await), (30, 30), "nothing was written twice");
}

#[tokio::test]
async fn a_killed_node_is_left_and_found_again_when_it_is_back() {
    let ca = Ca::new();
    let mut cluster = Cluster::start(&ca).await;
    let store = over(&cluster, cluster.addresses());
    let mut wanted = written(&store, "one", 0).await;
    let first = cluster.active().await;
    cluster.nodes[first].kill();
    wanted = written(&store, "two", wanted).await;
    assert_eq!(version(&store).await, (wanted, "two".to_owned()));
    let second = cluster.active().await;
    assert_ne!(second, first);
    cluster.nodes[first].start_sealed().await;
    assert_eq!(version(&store).await.1, "two", "a sealed node beside a good one is no trouble");
    cluster.nodes[first].unseal().await;
    cluster.nodes[second].kill();
    wanted = written(&store, "three", wanted).await;
    assert_eq!(version(&store).await, (wanted, "three".to_owned()));
}

#[tokio::test]
async fn a_frozen_leader_costs_one_call_and_no_write_is_done_twice() {
    let ca = Ca::new();
    let cluster = Cluster::start(&ca).await;
    let store = over(&cluster, cluster.addresses());
    let first = written(&store, "one", 0).await;
    let leader = cluster.active().await;
    cluster.nodes[leader].freeze();
    let lost = format!("{}: no answer within 3 s", host(&cluster.nodes[leader].address()));
    assert_eq!(store.write(None, PATH, &fields("two"), first).await, WriteOutcome::Unknown(lost));
    let second = written(&store, "three", first).await;
    assert_eq!((second, version(&store).await), (first + 1, (second, "three".to_owned())));
    cluster.nodes[leader].thaw();
    until("the leader of before has seen that it is none", async || {
        (!cluster.nodes[leader].is_active().await).then_some(())
    })
    .await;
    assert_eq!(version(&store).await, (second, "three".to_owned()));
}

#[tokio::test]
async fn h09_a_lost_answer_to_a_write_is_asked_of_no_other_node() {
    let ca = Ca::new();
    let cluster = Cluster::start(&ca).await;
    let active = cluster.active().await;
    let wire = Wire::to(&host(&cluster.nodes[active].address())).await;
    let mut nodes = cluster.addresses();
    nodes[active] = wire.address();
    let store = over(&cluster, nodes);
    let first = written(&store, "one", 0).await;
    wire.cut.store(true, SeqCst);
    let lost = format!("127.0.0.1:{}: the connection was closed", wire.port);
    assert_eq!(store.write(None, PATH, &fields("two"), first).await, WriteOutcome::Unknown(lost));
    assert_eq!(cluster.nodes[active].versions(PATH).await, first + 1);
    // The node behind the cut wire still leads, and a standby may not know of the write yet.
    let StoreTrouble::Unreachable(why) = failed(store.read(None, PATH).await) else { panic!() };
    assert!(
        why.ends_with("is a standby, which may not know of the last write yet, and no active node answers"),
        "{why}"
    );
    wire.cut.store(false, SeqCst);
    assert_eq!(version(&store).await, (first + 1, "two".to_owned()));
}

#[tokio::test]
async fn r48_a_standby_that_redirects_is_followed_with_the_token_to_a_configured_node() {
    let ca = Ca::new();
    let cluster = Cluster::start(&ca).await;
    let leader = cluster.active().await;
    let first = Proxy::to(&cluster.nodes[leader].address(), Some(&ca.ca_pem())).await;
    first.say("x-vault-no-request-forwarding", "1");
    let mut nodes = cluster.addresses();
    nodes[leader] = first.url();
    let store = over(&cluster, nodes);
    let one = written(&store, "one", 0).await;
    let next = cluster.step_down().await;
    assert_eq!(
        store.write(None, PATH, &fields("two"), one).await,
        WriteOutcome::Written { version: one + 1 },
        "the node that was active redirects, and the one that is does it"
    );

    let alone = over(&cluster, vec![first.url()]);
    let why = format!(
        "{} is a standby that redirects to {}; add that node to store.vault.address",
        host(&first.url()),
        host(&cluster.nodes[next].address())
    );
    // A standby that lags refuses the check-and-set by itself, before it would redirect.
    let outcome = until("the standby has caught up", async || {
        let outcome = alone.write(None, PATH, &fields("three"), one + 1).await;
        (outcome != WriteOutcome::Mismatch).then_some(outcome)
    })
    .await;
    assert_eq!(outcome, WriteOutcome::Failed(StoreTrouble::Unreachable(why)));
    assert_eq!(cluster.nodes[next].versions(PATH).await, one + 1);
}

#[tokio::test]
async fn r46_behind_one_address_what_was_written_is_read_though_a_standby_lags() {
    let ca = Ca::new();
    let cluster = Cluster::start(&ca).await;
    let standby = (cluster.active().await + 1) % 3;
    let store = over(&cluster, vec![cluster.nodes[standby].address()]);
    let mut wanted = 0;
    for turn in 0..50 {
        wanted = written(&store, &format!("key-{turn}"), wanted).await;
        assert_eq!(version(&store).await, (wanted, format!("key-{turn}")));
    }
}

#[tokio::test]
async fn h08_where_every_node_is_sealed_the_store_is_and_where_none_answers_each_is_named() {
    let ca = Ca::new();
    let mut cluster = Cluster::start(&ca).await;
    let store = over(&cluster, cluster.addresses());
    written(&store, "one", 0).await;
    for node in &mut cluster.nodes {
        node.kill();
    }
    // Connections that were kept are found closed first.
    store.read(None, PATH).await;
    let mut hosts: Vec<_> = cluster.addresses().iter().map(|address| host(address)).collect();
    hosts.sort();
    let refused: Vec<_> =
        hosts.iter().map(|host| format!("{host}: Connection refused (os error 111)")).collect();
    assert_eq!(failed(store.read(None, PATH).await), StoreTrouble::Unreachable(refused.join("; ")));
    assert_eq!(
        store.write(None, PATH, &fields("two"), 1).await,
        WriteOutcome::Failed(StoreTrouble::Unreachable(refused.join("; "))),
        "nothing was sent, so nothing is unknown"
    );
    for node in &mut cluster.nodes {
        node.start_sealed().await;
    }
    assert_eq!(failed(store.read(None, PATH).await), StoreTrouble::Sealed);
    assert_eq!(store.health().await, Err(StoreTrouble::Sealed));
}

#[tokio::test]
async fn r48_nodes_that_redirect_to_each_other_are_each_asked_once() {
    let health = r#"{"initialized":true,"sealed":false,"standby":true}"#;
    let answer = move |request: &str, to: u16| match request.starts_with("GET /v1/sys/health") {
        true => format!("HTTP/1.1 429 X\r\ncontent-length: {}\r\n\r\n{health}", health.len()),
        false => {
            format!("HTTP/1.1 307 X\r\nlocation: http://127.0.0.1:{to}/v1/x\r\ncontent-length: 0\r\n\r\n")
        }
    };
    let ports = [Port::free(), Port::free()];
    let [one, other] = [0, 1].map(|at| (ports[at].number, ports[1 - at].number));
    let one = Scripted::start_at(one.0, move |request| answer(request, one.1)).await;
    let other = Scripted::start_at(other.0, move |request| answer(request, other.1)).await;
    let nodes = [&one, &other].map(|node| format!("http://127.0.0.1:{}", node.port));
    let store = open_with(vault::Settings { nodes: nodes.to_vec(), ..plain(0) });
    let why = format!(
        "127.0.0.1:{} redirects to 127.0.0.1:{}, which does not do it either: no node is active",
        other.port, one.port
    );
    assert_eq!(failed(store.read(None, PATH).await), StoreTrouble::Unreachable(why));
    let asked = [&one, &other].map(|node| node.requests.load(SeqCst));
    assert!(asked.iter().all(|asked| *asked <= 4), "{asked:?}");
}
