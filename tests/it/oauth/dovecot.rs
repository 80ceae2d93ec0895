//! The adapter: both ways to say an access token, to a server that asks its provider.

use super::grant;
use crate::world::{Ca, Dovecot, Provider, install_tls};
use keyrelay::{
    domain::{Limits, Secret},
    mail::{
        MailboxTrouble,
        imap::{self, Login, Settings, Tls},
        token::Endpoint,
    },
};

async fn token(provider: &Provider) -> Secret {
    install_tls();
    Endpoint::new(&Limits::default()).ask(&grant(provider), None).await.unwrap().access.secret
}

fn settings(dovecot: &Dovecot, ca: &Ca, token: Secret) -> Settings {
    Settings {
        host: "localhost".into(),
        port: dovecot.imaps.number,
        tls: Tls::Implicit,
        ca_cert: Some(ca.ca_path()),
        user: Dovecot::USER.into(),
        login: Login::Token(token),
        folders: vec![],
    }
}

// The provider answers while the adapter blocks.
#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_lets_in_by_the_standards_way_and_by_the_older_one_where_it_is_the_only_one() {
    let ca = Ca::new();
    let provider = Provider::start(Dovecot::USER).await;
    let mut dovecot = Dovecot::start_with_tokens(&ca, &provider.tokeninfo_url()).await;
    for (offered, used) in [("xoauth2 oauthbearer", "OAUTHBEARER"), ("xoauth2", "XOAUTH2")] {
        dovecot.set_mechanisms(&format!("plain login {offered}"));
        dovecot.kill().await;
        dovecot.start_again().await;
        let settings = settings(&dovecot, &ca, token(&provider).await);
        let (connection, _waker) = imap::connect(&settings, &Limits::default()).unwrap();
        assert_eq!(connection.folders(), ["INBOX", "Junk"]);
        connection.close();
        let login = format!("method={used}");
        let logged_in = async || dovecot.log().contains(&login).then_some(());
        crate::world::until("Dovecot says how the user came in", logged_in).await;
    }
    assert!(dovecot.log().contains("Login: user=<rotation@example.com>"), "{}", dovecot.log());
}

// The provider answers while the adapter blocks.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_the_server_does_not_take_is_refused_by_name_and_the_connection_does_not_hang() {
    let ca = Ca::new();
    let provider = Provider::start(Dovecot::USER).await;
    let mut dovecot = Dovecot::start_with_tokens(&ca, &provider.tokeninfo_url()).await;
    let old = token(&provider).await;
    provider.forget_access();
    let at = format!("localhost:{}", dovecot.imaps.number);
    for offered in ["xoauth2 oauthbearer", "xoauth2"] {
        dovecot.set_mechanisms(&format!("plain login {offered}"));
        dovecot.kill().await;
        dovecot.start_again().await;
        let refused = imap::connect(&settings(&dovecot, &ca, old.clone()), &Limits::default()).map(drop);
        let Err(MailboxTrouble::Refused(why)) = refused else { panic!("{refused:?}") };
        assert!(why.starts_with(&format!("{at} refuses the access token for {}: ", Dovecot::USER)), "{why}");
        assert!(why.contains("(status ") && !why.contains(old.expose()), "{why}");
        // The same way in, with a token that is good.
        let settings = settings(&dovecot, &ca, token(&provider).await);
        imap::connect(&settings, &Limits::default()).unwrap().0.close();
    }
    dovecot.set_mechanisms("plain login");
    dovecot.kill().await;
    dovecot.start_again().await;
    let refused = imap::connect(&settings(&dovecot, &ca, old), &Limits::default()).map(drop);
    let told = "takes no access token (it offers neither AUTH=OAUTHBEARER nor AUTH=XOAUTH2); write password in place of oauth2";
    assert_eq!(refused, Err(MailboxTrouble::Refused(format!("{at} {told}"))));
}
