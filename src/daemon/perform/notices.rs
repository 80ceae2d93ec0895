//! A notice becomes a line in the journal, a mail, a post; a sign of life a request.

use crate::{
    alert::{render, smtp::SendOutcome, web::PostOutcome},
    daemon::{alerts_file, tools::Tools},
    domain::{Notice, Severity},
    rotation::{AlertsState, Channel, Event, NoticeFailure},
};
use std::sync::Arc;

const VERSION: &str = env!("CARGO_PKG_VERSION");

pub async fn send(tools: Arc<Tools>, channel: Channel, notice: Notice) -> Event {
    let outcome = match channel {
        Channel::Mail => mail(&tools, &notice).await,
        Channel::Webhook => post(&tools, &notice).await,
    };
    if let Err(NoticeFailure::Later(why) | NoticeFailure::Never(why)) = &outcome {
        tracing::warn!(code = %notice.code, ?channel, "a notice was not sent: {why}");
    }
    Event::NoticeSent { channel, incident: notice.incident, step: notice.step, outcome }
}

async fn mail(tools: &Tools, notice: &Notice) -> Result<(), NoticeFailure> {
    let (Some(smtp), Some(settings)) = (&tools.smtp, &tools.config.email) else { return gone() };
    let to = settings.recipients(notice.severity);
    let facts = render::Facts { host: &tools.host, version: VERSION, from: &settings.from, to: &to };
    match smtp.send(&render::mail(notice, &facts)).await {
        SendOutcome::Sent => Ok(()),
        SendOutcome::SentToSome(who) => {
            tracing::warn!("an alert mail did not reach everybody: {who}");
            Ok(())
        }
        SendOutcome::Refused(why) => Err(NoticeFailure::Never(why)),
        SendOutcome::Failed(why) => Err(NoticeFailure::Later(why)),
    }
}

async fn post(tools: &Tools, notice: &Notice) -> Result<(), NoticeFailure> {
    let Some(webhook) = &tools.webhook else { return gone() };
    let id = format!("{}.{}", notice.incident, notice.step);
    match webhook.post(&id, render::webhook(notice, &tools.host, VERSION)).await {
        PostOutcome::Taken => Ok(()),
        PostOutcome::Refused(why) => Err(NoticeFailure::Never(why)),
        PostOutcome::Failed(why) => Err(NoticeFailure::Later(why)),
    }
}

/// The core was told by the same reload that this way out is no more.
fn gone() -> Result<(), NoticeFailure> {
    Err(NoticeFailure::Later("it is no longer configured".into()))
}

pub async fn beat(tools: Arc<Tools>) -> Event {
    let outcome = match &tools.heartbeat {
        Some(heartbeat) => heartbeat.get().await,
        None => Ok(()), // nobody listens any more
    };
    Event::BeatSent { outcome }
}

pub async fn save(tools: Arc<Tools>, mut state: AlertsState) -> Event {
    state.run = tools.config.standby.then_some(tools.run_id);
    let write = move || alerts_file::write(&tools.config.state_dir, &state);
    Event::AlertsSaved { outcome: super::blocking(write).await.and_then(|outcome| outcome) }
}

pub fn journal(notice: &Notice) {
    let (code, text) = (notice.code, render::text(notice));
    match notice.severity {
        _ if notice.resolved => tracing::info!(%code, "{text}"),
        Severity::Info => tracing::info!(%code, "{text}"),
        Severity::Warning | Severity::Urgent => tracing::warn!(%code, "{text}"),
    }
}
