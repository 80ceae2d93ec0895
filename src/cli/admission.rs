//! The way into a mailbox that wants an access token, for commands that open it themselves: as the daemon goes it, and
//! beside the daemon, who finds what was given to them.

use crate::{
    config::Config,
    daemon::tokens::{Place, Tokens},
    domain::{Limits, MailboxName},
    mail::{MailboxSettings, MailboxTrouble},
    spool::Spool,
    store::{self, Store},
};
use std::sync::Arc;

/// The settings to open it with. Works with the state folder's files: as the daemon's user.
pub async fn admitted(
    config: &Config,
    name: &MailboxName,
    settings: MailboxSettings,
    limits: &Limits,
) -> Result<MailboxSettings, MailboxTrouble> {
    let Some(grant) = settings.grant().cloned() else { return Ok(settings) };
    let failed = |why| MailboxTrouble::Unreachable(format!("no access token is asked for: {why}"));
    let spool = Arc::new(Spool::open_beside(&config.spool).map_err(failed)?);
    let store = match (&config.store, &grant.refresh_token) {
        (all @ store::Settings::Vault(_), Some(_)) => {
            Some(Arc::new(Store::open(all, limits).map_err(failed)?))
        }
        // One process has the local store; what is on the disk is as new.
        (store::Settings::Local(_), _) | (_, None) => None,
    };
    let place = Place { spool, store: store.clone(), state_path: config.state_path.clone() };
    let admission = Tokens::new(limits).admit(name, &grant, &place).await;
    if let Some(Store::Vault(vault)) = store.as_deref() {
        vault.leave().await;
    }
    Ok(settings.with_token(&admission?.access))
}
