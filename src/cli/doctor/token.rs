//! A mailbox's access token: whether its provider gives one.

use super::{
    Site,
    finding::{Area, Line},
};
use crate::{
    cli::admission,
    domain::MailboxName,
    mail::{MailboxSettings, MailboxTrouble},
};
use std::sync::Arc;
use url::Url;

/// The settings to enter the mailbox with; `None`: there is no token, and that was said.
pub async fn admitted(
    site: &Arc<Site>,
    name: &MailboxName,
    settings: MailboxSettings,
    area: &mut Area,
) -> Option<MailboxSettings> {
    let Some(grant) = settings.grant() else { return Some(settings) };
    let host = Url::parse(&grant.token_url).ok().and_then(|url| url.host_str().map(str::to_owned));
    let host = host.unwrap_or_default();
    let (its, mailbox) = (site.clone(), name.clone());
    let asked = site.waits_as_service(move || async move {
        admission::admitted(&its.config, &mailbox, settings, &its.limits).await
    });
    let tried = "access token";
    match asked.await {
        Ok(Ok(settings)) => {
            area.add(Line::ok(tried, format!("{host} gives one")));
            return Some(settings);
        }
        Ok(Err(MailboxTrouble::Refused(why))) => area.add(
            Line::failed(tried, why)
                .advice(format!("correct mailboxes.{name}.imap.oauth2, or what its secrets hold")),
        ),
        Ok(Err(
            MailboxTrouble::Unreachable(why) | MailboxTrouble::Busy(why) | MailboxTrouble::TokenEnded(why),
        ))
        | Err(why) => area.add(Line::unreachable(tried, why).command("keyrelay doctor")),
    }
    None
}
