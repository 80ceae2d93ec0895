//! A notice becomes a line in the journal and a mail.

use crate::{
    alert::{render, smtp::SendOutcome},
    daemon::tools::Tools,
    domain::{Notice, Severity},
    rotation::{Event, NoticeFailure},
};
use std::sync::Arc;

pub async fn send(tools: Arc<Tools>, notice: Notice) -> Event {
    journal(&notice);
    let outcome = match (&tools.smtp, &tools.config.email) {
        (Some(smtp), Some(settings)) => {
            let facts = render::Facts {
                host: &tools.host,
                version: env!("CARGO_PKG_VERSION"),
                from: &settings.from,
                to: &settings.to,
            };
            match smtp.send(&render::mail(&notice, &facts)).await {
                SendOutcome::Sent => Ok(()),
                SendOutcome::SentToSome(who) => {
                    tracing::warn!("an alert mail did not reach everybody: {who}");
                    Ok(())
                }
                SendOutcome::Refused(why) => Err(NoticeFailure::Never(why)),
                SendOutcome::Failed(why) => Err(NoticeFailure::Later(why)),
            }
        }
        _ => Ok(()), // nobody is to be told: the journal has it
    };
    if let Err(NoticeFailure::Later(why) | NoticeFailure::Never(why)) = &outcome {
        tracing::warn!(code = %notice.code, "the alert mail was not sent: {why}");
    }
    Event::NoticeSent { incident: notice.incident, step: notice.step, outcome }
}

fn journal(notice: &Notice) {
    let (code, text) = (notice.code, render::text(notice));
    match notice.severity {
        _ if notice.resolved => tracing::info!(%code, "{text}"),
        Severity::Info => tracing::info!(%code, "{text}"),
        Severity::Warning | Severity::Urgent => tracing::warn!(%code, "{text}"),
    }
}
