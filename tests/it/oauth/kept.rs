//! Refresh tokens that their provider replaces, on real OpenBao: at each moment at which a process may die there is one
//! place that has the token that is worth something.

use super::grant;
use crate::world::{Bao, Ca, Dovecot, Provider, Scratch, install_tls, until};
use keyrelay::{
    at_rest::LiveSecret,
    daemon::tokens::{Admission, Kept, Place, Tokens},
    domain::{Grant, Limits, MailboxName, Secret},
    mail::MailboxTrouble,
    spool::{self, Spool},
    store::{Settings, Store, vault},
};
use std::{path::Path, sync::Arc, time::Duration};

struct Host {
    ca: Ca,
    bao: Bao,
    provider: Arc<Provider>,
    scratch: Scratch,
}

/// One run of a process: it forgets everything when it ends.
struct Process {
    tokens: Arc<Tokens>,
    place: Place,
    grant: Grant,
}

fn mailbox() -> MailboxName {
    "office".parse().unwrap()
}

fn limits() -> Limits {
    Limits { request_timeout: Duration::from_secs(3), ..Limits::default() }
}

impl Host {
    async fn new() -> Self {
        let ca = Ca::new();
        let (bao, provider) = tokio::join!(Bao::start(&ca), Provider::start(Dovecot::USER));
        // Each access token is used up at once: every login asks the provider.
        provider.lasts(0);
        Self { ca, bao, provider: Arc::new(provider), scratch: Scratch::new() }
    }
    fn spool_dir(&self) -> std::path::PathBuf {
        self.scratch.join("spool")
    }
    fn start(&self, grant: &Grant) -> Process {
        self.start_on(grant, &self.spool_dir())
    }
    fn start_on(&self, grant: &Grant, spool_dir: &Path) -> Process {
        install_tls();
        let settings = vault::Settings {
            nodes: vec![self.bao.address()],
            namespace: String::new(),
            ca_cert: Some(self.ca.ca_path()),
            mount: "secret".into(),
            auth: vault::Auth::Token(LiveSecret::fixed(Secret::new(self.bao.root_token()))),
        };
        let store = Store::open(&Settings::Vault(settings), &limits()).unwrap();
        let spool = Spool::open(&spool::Settings { dir: spool_dir.to_owned(), key: None }).unwrap();
        let place =
            Place { spool: Arc::new(spool), store: Some(Arc::new(store)), state_path: "keyrelay".into() };
        Process { tokens: Arc::new(Tokens::new(&limits())), place, grant: grant.clone() }
    }
    /// The token in the store's document.
    async fn stored(&self) -> Option<String> {
        let document = self.bao.read("keyrelay/_mailboxes/office").await?;
        assert_eq!(document["schema"], 1);
        Some(document["refresh_token"].as_str().expect("a token").to_owned())
    }
}

impl Process {
    async fn admit(&self) -> Result<Admission, MailboxTrouble> {
        self.tokens.admit(&mailbox(), &self.grant, &self.place).await
    }
    async fn kept(&self) -> Kept {
        self.admit().await.unwrap().kept.expect("a refresh token")
    }
    async fn refused(&self) -> String {
        match self.admit().await {
            Err(MailboxTrouble::Refused(why)) => why,
            other => panic!("{other:?}"),
        }
    }
    async fn unreachable(&self) -> String {
        match self.admit().await {
            Err(MailboxTrouble::Unreachable(why)) => why,
            other => panic!("{other:?}"),
        }
    }
    /// What this host's disk has.
    fn on_disk(&self) -> Option<String> {
        let note = self.place.spool.token(&mailbox()).unwrap()?;
        note.token.map(|token| token.secret.expose().to_owned())
    }
    /// Asks, and is killed when the provider has answered in its books and nobody has heard it.
    async fn dies_before_the_answer(self, provider: &Provider) {
        let asked = provider.shown().len();
        provider.hold();
        let tokens = self.tokens.clone();
        let asking =
            tokio::spawn(async move { tokens.admit(&mailbox(), &self.grant, &self.place).await.map(drop) });
        until("the provider was asked", async || (provider.shown().len() > asked).then_some(())).await;
        asking.abort();
        let _ = asking.await;
        provider.answer();
    }
}

#[tokio::test]
async fn a_token_that_takes_anothers_place_is_on_disk_and_in_the_store_and_the_next_process_goes_on_with_it()
{
    let host = Host::new().await;
    let (grant, first) = (grant(&host.provider), host.provider.refresh_token());
    let process = host.start(&grant);
    assert_eq!(process.kept().await, Kept::Saved);
    let second = host.provider.refresh_token();
    assert_ne!(first, second);
    assert_eq!((process.on_disk(), host.stored().await), (Some(second.clone()), Some(second.clone())));
    drop(process);

    let process = host.start(&grant);
    assert_eq!(process.kept().await, Kept::Saved);
    assert_eq!(host.provider.shown(), [first, second]);
    let third = host.provider.refresh_token();
    assert_eq!((process.on_disk(), host.stored().await), (Some(third.clone()), Some(third)));
    assert_eq!(host.bao.versions("keyrelay/_mailboxes/office").await, 2);
}

#[tokio::test]
async fn a_provider_that_replaces_nothing_leaves_the_store_alone_and_a_sealed_one_keeps_nobody_out() {
    let host = Host::new().await;
    host.provider.rotates(false);
    let grant = grant(&host.provider);
    for _ in 0..2 {
        assert_eq!(host.start(&grant).kept().await, Kept::Saved);
    }
    assert_eq!(host.stored().await, None);
    host.bao.seal().await;
    assert_eq!(host.start(&grant).kept().await, Kept::Saved);
    assert_eq!(
        host.provider.shown(),
        [host.provider.refresh_token(), host.provider.refresh_token(), host.provider.refresh_token()]
    );
}

#[tokio::test]
async fn with_the_store_sealed_the_disk_has_it_also_after_a_kill_and_the_store_gets_the_newest_one() {
    let host = Host::new().await;
    let grant = grant(&host.provider);
    host.start(&grant).kept().await;
    host.bao.seal().await;
    for _ in 0..2 {
        let process = host.start(&grant);
        let Kept::OnDisk(why) = process.kept().await else { panic!() };
        assert_eq!(why, "the store is sealed");
        assert_eq!(process.on_disk(), Some(host.provider.refresh_token()));
    }
    let process = host.start(&grant);
    assert_eq!(
        process.tokens.save(&mailbox(), &grant, &process.place).await,
        Kept::OnDisk("the store is sealed".into())
    );
    host.bao.unseal().await;
    assert_eq!(process.tokens.save(&mailbox(), &grant, &process.place).await, Kept::Saved);
    assert_eq!(host.stored().await, Some(host.provider.refresh_token()));
    assert_eq!(process.kept().await, Kept::Saved);
}

#[tokio::test]
async fn killed_between_disk_and_store_the_next_process_writes_it_to_the_store() {
    let host = Host::new().await;
    let grant = grant(&host.provider);
    let first = host.provider.refresh_token();
    let process = host.start(&grant);
    let tokens = process.tokens.clone();
    host.provider.hold();
    let (its_grant, place) = (grant.clone(), process.place.clone());
    let asking = tokio::spawn(async move { tokens.admit(&mailbox(), &its_grant, &place).await.map(drop) });
    until("the provider was asked", async || (host.provider.shown().len() == 1).then_some(())).await;
    host.bao.freeze();
    host.provider.answer();
    let second = host.provider.refresh_token();
    until("it is on the disk", async || process.on_disk().filter(|token| *token == second)).await;
    asking.abort();
    let _ = asking.await;
    host.bao.thaw();
    drop(process);

    assert_eq!(host.start(&grant).kept().await, Kept::Saved);
    assert_eq!(host.provider.shown(), [first, second]);
    assert_eq!(host.stored().await, Some(host.provider.refresh_token()));
}

#[tokio::test]
async fn killed_before_the_answer_is_on_the_disk_the_loss_is_recognised_and_told() {
    let host = Host::new().await;
    let grant = grant(&host.provider);
    host.start(&grant).dies_before_the_answer(&host.provider).await;
    for _ in 0..2 {
        let why = host.start(&grant).refused().await;
        assert!(
            why.contains(
                "answers invalid_grant: Token has been expired or revoked.: the refresh token was revoked"
            ),
            "{why}"
        );
        assert!(
            why.contains("; the answer to the request of 20")
                && why.contains(" was lost, perhaps with the token"),
            "{why}"
        );
        assert!(
            why.ends_with("put the new token where mailboxes.office.imap.oauth2.refresh_token says"),
            "{why}"
        );
    }
    // A provider that did not take it back meanwhile: nothing was lost after all, and nothing is told of it any more.
    let anew = Grant { refresh_token: Some(Secret::new(&host.provider.grant_anew())), ..grant };
    host.provider.rotates(false);
    host.start(&anew).dies_before_the_answer(&host.provider).await;
    assert_eq!(host.start(&anew).kept().await, Kept::Saved);
    host.provider.revoke();
    let why = host.start(&anew).refused().await;
    assert!(!why.contains("was lost"), "{why}");
}

#[tokio::test]
async fn where_neither_disk_nor_store_could_take_a_new_one_the_provider_is_not_asked() {
    let host = Host::new().await;
    let grant = grant(&host.provider);
    host.start(&grant).kept().await;
    let process = host.start(&grant);
    let in_the_way = host.spool_dir().join("office.token.new");
    std::fs::create_dir(&in_the_way).unwrap();

    // The disk alone: the store has it.
    assert_eq!(process.kept().await, Kept::Saved);
    let newest = host.provider.refresh_token();
    assert_eq!(host.stored().await, Some(newest.clone()));
    assert_ne!(process.on_disk(), Some(newest));

    // Both: nothing is risked.
    host.bao.seal().await;
    let asked = host.provider.shown().len();
    let why = process.unreachable().await;
    assert!(
        why.starts_with("no access token is asked for, because a new refresh token could be kept nowhere: "),
        "{why}"
    );
    assert!(why.contains("office.token") && why.ends_with("the store is sealed"), "{why}");
    assert_eq!(host.provider.shown().len(), asked);
}

#[tokio::test]
async fn what_the_store_lost_while_the_disk_was_full_stays_in_memory_is_used_and_is_written_when_it_can_be() {
    let host = Host::new().await;
    let grant = grant(&host.provider);
    let process = host.start(&grant);
    assert_eq!(process.kept().await, Kept::Saved);
    std::fs::create_dir(host.spool_dir().join("office.token.new")).unwrap();
    host.provider.hold();
    let (tokens, its_grant, place) = (process.tokens.clone(), grant.clone(), process.place.clone());
    let asking = tokio::spawn(async move { tokens.admit(&mailbox(), &its_grant, &place).await });
    until("the provider was asked", async || (host.provider.shown().len() == 2).then_some(())).await;
    host.bao.seal().await;
    host.provider.answer();
    let kept = asking.await.unwrap().unwrap().kept.unwrap();
    let Kept::InMemory(why) = kept else { panic!("{kept:?}") };
    assert!(why.starts_with("the store is sealed; ") && why.contains("office.token"), "{why}");
    let newest = host.provider.refresh_token();

    host.bao.unseal().await;
    assert_eq!(process.tokens.save(&mailbox(), &grant, &process.place).await, Kept::Saved);
    assert_eq!(host.stored().await, Some(newest.clone()));
    assert_eq!(process.kept().await, Kept::Saved);
    assert_eq!(host.provider.shown().last(), Some(&newest));
}

#[tokio::test]
async fn s21_a_new_token_in_the_configuration_wins_and_another_address_is_never_shown_the_stored_one() {
    let host = Host::new().await;
    let first = grant(&host.provider);
    host.start(&first).kept().await;
    let stored = host.stored().await.unwrap();

    let other = Provider::start(Dovecot::USER).await;
    let repointed = Grant { token_url: other.token_url(), ..first.clone() };
    let why = host.start(&repointed).refused().await;
    assert!(why.contains("invalid_grant"), "{why}");
    assert_eq!(other.shown(), [first.refresh_token.as_ref().unwrap().expose()]);
    assert_eq!(host.stored().await, Some(stored.clone()), "and it is kept");
    // Back again, it is the stored one that counts.
    assert_eq!(host.start(&first).kept().await, Kept::Saved);
    assert_eq!(host.provider.shown().last(), Some(&stored));

    let anew = host.provider.grant_anew();
    let replaced = Grant { refresh_token: Some(Secret::new(&anew)), ..first };
    assert_eq!(host.start(&replaced).kept().await, Kept::Saved);
    assert_eq!(host.provider.shown().last(), Some(&anew));
    assert_eq!(host.stored().await, Some(host.provider.refresh_token()));
}

#[tokio::test]
async fn before_the_first_use_on_this_host_a_store_that_is_away_might_know_a_newer_one() {
    let host = Host::new().await;
    let grant = grant(&host.provider);
    host.start(&grant).kept().await;
    let newest = host.provider.refresh_token();
    host.bao.seal().await;
    let new_host = host.scratch.join("new-host");
    let why = host.start_on(&grant, &new_host).unreachable().await;
    assert_eq!(
        why,
        "no access token is asked for, because the store may know a newer refresh token: the store is sealed"
    );
    assert_eq!(host.provider.shown().len(), 1);
    host.bao.unseal().await;
    assert_eq!(host.start_on(&grant, &new_host).kept().await, Kept::Saved);
    assert_eq!(host.provider.shown().last(), Some(&newest));
    // The host that was away meanwhile goes on with what the other has put into the store.
    let newest = host.provider.refresh_token();
    assert_eq!(host.start(&grant).kept().await, Kept::Saved);
    assert_eq!(host.provider.shown().last(), Some(&newest));
}

#[tokio::test]
async fn two_processes_of_one_host_ask_one_after_the_other_and_spoil_nothing() {
    let host = Host::new().await;
    let grant = grant(&host.provider);
    let processes: Vec<_> = (0..4).map(|_| host.start(&grant)).collect();
    let asked = processes.iter().map(Process::kept);
    let kept = futures_util::future::join_all(asked).await;
    assert_eq!(kept, [Kept::Saved, Kept::Saved, Kept::Saved, Kept::Saved]);
    assert_eq!(host.stored().await, Some(host.provider.refresh_token()));
}

#[tokio::test]
async fn r62_a_document_that_this_version_cannot_read_is_neither_used_nor_overwritten() {
    let host = Host::new().await;
    let grant = grant(&host.provider);
    let path = "keyrelay/_mailboxes/office";
    host.bao.write(path, serde_json::json!({"schema": 2, "refresh_token": "of a later version"})).await;
    let why = host.start(&grant).unreachable().await;
    assert!(why.ends_with(&format!("{path}: it is of schema 2, and this version reads 1")), "{why}");
    assert_eq!((host.provider.shown().len(), host.bao.versions(path).await), (0, 1));
    host.bao.delete(path).await;
    assert_eq!(host.start(&grant).kept().await, Kept::Saved);
    assert_eq!(host.stored().await, Some(host.provider.refresh_token()));
}
