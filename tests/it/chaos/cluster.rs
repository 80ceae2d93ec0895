//! Three nodes of OpenBao on Raft behind one rotation: the leader steps down, dies or is sealed between the read and
//! the write, or between the write and its answer; a standby that hears of no write any more answers with old ones.

use super::{
    dice::Dice,
    scene::{PATH, Scene},
};
use crate::world::{Ca, Cluster, Hold, Proxy, moment, until};
use keyrelay::domain::Key;
use serde_json::json;
use std::{
    env,
    fs::{self, File},
    io::Write,
    mem::swap,
    path::PathBuf,
};

/// Rotations with a leader that steps down; `scripts/step-downs` makes as many as are wished for.
const SAMPLE: usize = 2;

struct Site {
    scene: Scene,
    cluster: Cluster,
}

impl Site {
    /// The first node stands behind the scene's proxy, and hands no request on: keyrelay follows by itself.
    async fn running(ca: &Ca, cluster: Cluster) -> Self {
        let mut scene = Scene::build().await;
        scene.bao.kill();
        scene.store = Proxy::to(&cluster.nodes[0].address(), Some(&ca.ca_pem())).await;
        scene.store.say("x-vault-no-request-forwarding", "1");
        let mut nodes = cluster.addresses();
        nodes[0] = scene.store.url();
        let store = cluster.leader().await.store(&["vendors/leaf7/*"]).await;
        scene.config.set("store", store).set("store.vault.address", json!(nodes));
        scene.start().await;
        let mut site = Self { scene, cluster };
        let key = site.scene.rotate();
        site.scene.confirm(&key).await;
        site.completed(&key).await;
        site
    }
    /// A rotation whose write is held up on its way to the leader, or its answer on the way back.
    async fn held_up(&mut self, hold: Hold) -> Key {
        while self.cluster.active().await != 0 {
            self.cluster.step_down().await;
        }
        self.scene.store.hold(PATH, hold);
        let key = self.scene.rotate();
        self.scene.confirm(&key).await;
        self.scene.store.holds().await;
        key
    }
    /// As the active node has it.
    async fn completed(&mut self, key: &Key) {
        let active = self.cluster.active().await;
        swap(&mut self.scene.bao, &mut self.cluster.nodes[active]);
        self.scene.completed(key).await;
        swap(&mut self.scene.bao, &mut self.cluster.nodes[active]);
    }
    async fn comes_back(&mut self, node: usize) {
        self.cluster.nodes[node].start_sealed().await;
        self.cluster.nodes[node].unseal().await;
    }
}

#[tokio::test]
async fn r42_r43_r44_whatever_becomes_of_the_leader_in_mid_write_it_is_one_version_and_the_key_arrives() {
    let ca = Ca::new();
    let mut site = Site::running(&ca, Cluster::start(&ca).await).await;
    let key = site.held_up(Hold::Request).await;
    site.cluster.step_down().await;
    site.scene.store.let_go();
    site.completed(&key).await;

    let key = site.held_up(Hold::Answer).await;
    site.cluster.nodes[0].kill();
    site.scene.store.let_go();
    site.completed(&key).await;
    site.comes_back(0).await;

    // A standby cannot be sealed; one that has just been started is.
    let key = site.held_up(Hold::Request).await;
    for node in &mut site.cluster.nodes {
        node.kill();
    }
    for node in &mut site.cluster.nodes {
        node.start_sealed().await;
    }
    site.scene.store.let_go();
    site.scene.told("store-sealed").await;
    site.scene.mailed("store-sealed").await;
    site.scene.in_spool().await;
    for node in &site.cluster.nodes {
        node.unseal_alone().await;
    }
    site.completed(&key).await;
    site.scene.resolved("store-sealed").await;
}

/// Its replication is cut, and it does not know that it is behind.
#[tokio::test]
async fn r46_a_standby_that_answers_with_old_values_decides_nothing() {
    let ca = Ca::new();
    let (cluster, raft) = Cluster::start_tapped(&ca).await;
    let mut site = Site::running(&ca, cluster).await;
    while site.cluster.active().await != 0 {
        site.cluster.step_down().await;
    }
    let behind = &site.cluster.nodes[2];
    let before = behind.read(PATH).await.expect("a document");
    raft.silence();
    let key = site.scene.rotate();
    site.scene.confirm(&key).await;
    site.completed(&key).await;
    let read = site.cluster.nodes[2].read_if_it_answers(PATH).await;
    assert!(read.is_none_or(|read| read == before), "the standby is not behind");

    // Nobody but the standby answers now: nothing is concluded from what it says.
    site.scene.daemon.sighup();
    site.scene.store.hold(PATH, Hold::Request);
    let key = site.scene.rotate();
    site.scene.confirm(&key).await;
    site.scene.store.holds().await;
    site.cluster.nodes[0].freeze();
    site.cluster.nodes[1].freeze();
    site.scene.in_spool().await;
    site.scene.told("store-unreachable").await;
    site.cluster.nodes[1].thaw();
    site.cluster.nodes[0].thaw();
    site.scene.store.let_go();
    site.completed(&key).await;
}

/// What a long run has done already, a line for each rotation.
fn done_file() -> Option<PathBuf> {
    env::var_os("STEP_DOWNS_FILE").map(PathBuf::from)
}

#[tokio::test]
async fn r43_while_the_leader_steps_down_again_and_again_each_rotation_is_one_version() {
    let mut dice = Dice::seeded();
    let ca = Ca::new();
    let mut site = Site::running(&ca, Cluster::start(&ca).await).await;
    let file = done_file();
    let done = file.as_ref().map(|file| fs::read_to_string(file).unwrap_or_default()).unwrap_or_default();
    let wanted = env::var("STEP_DOWNS").ok().and_then(|count| count.parse().ok()).unwrap_or(SAMPLE);
    for _ in done.lines().count()..wanted {
        let key = site.scene.rotate();
        site.scene.confirm(&key).await;
        moment(dice.millis(250)).await;
        let active = site.cluster.step_down().await;
        site.completed(&key).await;
        if let Some(file) = &file {
            let file = File::options().create(true).append(true).open(file);
            writeln!(file.expect("the file of what is done"), "node {active} took over").expect("a line");
        }
    }
    until("all nodes answer", async || Some(site.cluster.leader().await)).await;
    println!("{} rotations with a leader that stepped down", site.scene.generation - 1);
}
