//! The whole daemon, whose mailbox is Dovecot's and wants access tokens.

use crate::{
    rotation::stage::Stage,
    world::{Ca, Dovecot, Provider, secrets, until},
};
use serde_json::json;

struct Site {
    stage: Stage,
    provider: Provider,
    /// Whom the mail server's certificate is signed by; its file goes with it.
    _ca: Ca,
}

impl Site {
    async fn new() -> Self {
        let (mut stage, ca) = (Stage::build().await, Ca::new());
        let provider = Provider::start(Dovecot::USER).await;
        stage.dovecot = Dovecot::start_with_tokens(&ca, &provider.tokeninfo_url()).await;
        let mut site = Self { stage, provider, _ca: ca };
        let mut mailbox = site.stage.dovecot.mailbox();
        mailbox["imap"].as_object_mut().unwrap().remove("password");
        let client_secret = site.stage.scratch.secret("client-secret", "a client's secret");
        mailbox["imap"]["oauth2"] = json!({"token_url": site.provider.token_url(), "client_id": "relay",
            "client_secret": {"file": client_secret}, "refresh_token": {"file": site.refresh_token_file()}});
        site.stage.config.set("mailboxes.vendor-mail", mailbox).set("schedules.mailbox_poll", "* * * * * *");
        site
    }
    /// Configures the token that is worth something now.
    fn refresh_token_file(&self) -> std::path::PathBuf {
        self.stage.scratch.secret("refresh-token", &self.provider.refresh_token())
    }
    async fn stored(&self) -> Option<String> {
        let document = self.stage.bao.read("keyrelay/_mailboxes/vendor-mail").await?;
        document["refresh_token"].as_str().map(str::to_owned)
    }
    /// Ends in peace; no token was seen anywhere but in its own places.
    async fn end(self) {
        for token in self.provider.given() {
            secrets::note(&token);
        }
        self.stage.end().await;
    }
}

#[tokio::test]
async fn r33_a_rotation_goes_through_and_the_connection_is_renewed_before_its_token_ends_and_nobody_is_told()
{
    let mut site = Site::new().await;
    let slot = site.stage.slot("leaf7-main");
    site.stage.seed(&slot).await;
    site.provider.lasts(4); // renewed at half of so short a life
    site.stage.start().await;
    site.stage.date_from_now();
    let (old, new) = site.stage.rotate(&slot);
    site.stage.confirm(&slot, 0, &old, &new).await;
    site.stage.wait_promoted(&slot, &new).await;

    // One more may follow at once; a fourth within a minute would be one too many.
    until("two more connections", async || (site.provider.shown().len() >= 3).then_some(())).await;
    site.provider.lasts(3_600);
    let shown = site.provider.shown();
    assert!(shown.windows(2).all(|pair| pair[0] != pair[1]), "each refresh token is shown once: {shown:?}");
    let (old, new) = site.stage.rotate(&slot);
    site.stage.confirm(&slot, 1, &old, &new).await;
    site.stage.wait_promoted(&slot, &new).await;
    until("the store has the newest", async || {
        (site.stored().await? == site.provider.refresh_token()).then_some(())
    })
    .await;
    let codes: Vec<_> = site.stage.alerts().into_iter().map(|alert| alert.code).collect();
    assert!(codes.iter().all(|code| !code.starts_with("mailbox-")), "{codes:?}");
    site.end().await;
}

#[tokio::test]
async fn a_token_that_came_while_the_store_was_sealed_survives_a_kill_and_is_told_until_the_store_has_it() {
    let mut site = Site::new().await;
    let slot = site.stage.slot("leaf7-main");
    site.stage.seed(&slot).await;
    site.stage.start().await;
    let before = site.stored().await.unwrap();
    site.stage.bao.seal().await;
    site.stage.daemon.kill9();
    site.stage.daemon.start_up().await;
    let told =
        site.stage.wait_mail("it is on this host alone", |mail| mail.code == "mailbox-token-unsaved").await;
    let text = told.text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("is on this host alone: the store is sealed"), "{text}");
    assert_ne!(site.provider.refresh_token(), before);
    site.stage.daemon.kill9();
    site.stage.daemon.start_up().await;
    until("the third process is in", async || (site.provider.shown().len() == 3).then_some(())).await;
    site.stage.bao.unseal().await;
    until("the store has the newest", async || {
        (site.stored().await? == site.provider.refresh_token()).then_some(())
    })
    .await;
    site.stage.wait_mail("it is over", |mail| mail.references.contains(&told.message_id)).await;
    site.end().await;
}

#[tokio::test]
async fn r32_a_grant_that_was_taken_back_is_told_at_once_asked_for_once_and_a_new_one_mends_it() {
    let mut site = Site::new().await;
    let slot = site.stage.slot("leaf7-main");
    site.stage.seed(&slot).await;
    site.provider.revoke();
    site.stage.daemon.configure(&mut site.stage.config);
    site.stage.daemon.start_up().await;
    let told = site.stage.wait_mail("the login is refused", |mail| mail.code == "mailbox-refused").await;
    let text = told.text.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in
        ["invalid_grant", "the refresh token was revoked", "mailboxes.vendor-mail.imap.oauth2.refresh_token"]
    {
        assert!(text.contains(words), "{text}");
    }
    let log = site.stage.daemon.log_len();
    let five_polls =
        async || (site.stage.daemon.log_since(log).matches("CheckStore").count() >= 5).then_some(());
    until("five polls", five_polls).await;
    assert_eq!(site.provider.shown().len(), 1);

    site.provider.grant_anew();
    site.refresh_token_file();
    site.stage.daemon.sighup();
    site.stage.wait_mail("it is over", |mail| mail.references.contains(&told.message_id)).await;
    site.end().await;
}

#[tokio::test]
async fn doctor_says_whether_a_token_was_given_and_let_in_and_spoils_nothing_for_the_daemon() {
    let mut site = Site::new().await;
    let slot = site.stage.slot("leaf7-main");
    site.stage.seed(&slot).await;
    site.stage.start().await;
    let ran = site.stage.keyrelay(&["doctor"], "").await;
    assert!(
        ran.stdout.contains("access token") && ran.stdout.contains("127.0.0.1 gives one"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("login of rotation@example.com"), "{}", ran.stdout);
    assert_eq!(site.provider.shown().len(), 2);
    assert_eq!(site.stored().await, Some(site.provider.refresh_token()));
    site.stage.restart().await;
    assert_eq!(site.provider.shown().len(), 3);

    site.provider.revoke();
    let ran = site.stage.keyrelay(&["doctor"], "").await;
    assert!(ran.stdout.contains("invalid_grant"), "{}", ran.stdout);
    assert_eq!(ran.code, Some(1), "{}", ran.stdout);
    site.end().await;
}
