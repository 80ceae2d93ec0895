//! What of the configuration the core decides by.

use super::{rotate_at, shell::Reach};
use crate::{
    config::{Config, Credential},
    consumer::{self, Deliver, Prove},
    domain::{CredentialName, Limits},
    rotation::{self, Beside, Channel},
    vendor::{Profile, profile::LimitScope},
};
use croner::Cron;
use std::{sync::Arc, time::Duration};

/// The core's settings. No mailbox is looked at, and nobody told, where a command does its work without a daemon, or
/// another daemon acts.
pub fn core(config: &Config, limits: &Limits, reach: Reach) -> rotation::Settings {
    let watch = reach == Reach::Everything;
    let limits = limits_of_one(config, limits);
    let credentials = config.credentials.iter().filter_map(|(name, credential)| {
        let profile = config.profile(name)?;
        Some((name.clone(), Arc::new(one(config, name, credential, profile, reach))))
    });
    rotation::Settings {
        credentials: credentials.collect(),
        mailboxes: if watch { config.mailboxes.keys().cloned().collect() } else { Vec::new() },
        limits: Arc::new(limits),
        alerts: alerts(config, reach),
        prove_period: period(&config.schedules.consumer_prove),
        probe_period: period(&config.schedules.current_key_probe),
    }
}

/// Two daemons ask the same vendors: each within half of what one alone may.
fn limits_of_one(config: &Config, limits: &Limits) -> Limits {
    let parts = if config.standby { 2 * limits.vendor_limit_part } else { limits.vendor_limit_part };
    Limits { vendor_limit_part: parts, ..limits.clone() }
}

/// A command tells nobody: the daemon finds what came up in it. A standby tells its journal.
fn alerts(config: &Config, reach: Reach) -> rotation::Alerts {
    let watch = reach == Reach::Everything;
    let mail = config.email.is_some().then_some(Channel::Mail);
    let webhook = config.alerts.webhook.is_some().then_some(Channel::Webhook);
    rotation::Alerts {
        channels: mail.into_iter().chain(webhook).filter(|_| watch).collect(),
        good_news: config.alerts.good_news,
        heartbeat: config.alerts.heartbeat.as_ref().map(|heartbeat| heartbeat.every).filter(|_| watch),
        silent: !watch && reach != Reach::Standby,
    }
}

fn one(
    config: &Config,
    name: &CredentialName,
    credential: &Credential,
    profile: &Profile,
    reach: Reach,
) -> rotation::Credential {
    rotation::Credential {
        name: name.clone(),
        vendor: credential.vendor.clone(),
        vendor_title: profile.title.clone(),
        dashboard: format!("fetch the key: {}", profile.dashboard),
        mailbox: credential.mailbox.clone().filter(|_| reach == Reach::Everything),
        hygiene: credential.mailbox.as_ref().map(|mailbox| config.hygiene_of(mailbox)).unwrap_or_default(),
        observe: credential.observe,
        beside: match (config.standby, reach) {
            (false, _) | (true, Reach::OneCommand | Reach::LookOnly) => Beside::Nobody,
            (true, Reach::Everything) => Beside::AStandby,
            (true, Reach::Standby) => Beside::TheActive,
        },
        path: credential.path.clone(),
        account: credential.account.clone(),
        has_identity: profile.probe.identity.is_some(),
        rotated_by: profile.rotation.by,
        cadence: credential.rotating.cadence.or(profile.cadence.map(|span| span.0)),
        notice_before: profile.notice_before.map(|span| span.0),
        grace: profile.grace.map(|span| span.0),
        expires_at: credential.rotating.expires_at,
        create_steps: steps(&profile.rotation.create),
        revoke_steps: steps(&profile.rotation.revoke),
        revoke_within: profile.rotation.revoke_within.0,
        hand_over_within: credential.hand_over_within,
        origin: match profile.limit.of {
            LimitScope::Origin => profile.base_url.clone(),
            LimitScope::Key => format!("{} (the key of {name})", profile.base_url),
        },
        limit: (profile.limit.requests, profile.limit.per.0),
        probe: profile.probe.in_words(&profile.base_url).into(),
        consumers: credential
            .consumers
            .iter()
            .map(|(name, settings)| (name.clone(), consumer(settings, reach)))
            .collect(),
    }
}

fn consumer(settings: &consumer::Settings, reach: Reach) -> rotation::Consumer {
    rotation::Consumer {
        delivery: match &settings.deliver {
            None => rotation::Delivery::None,
            Some(Deliver::Store { .. } | Deliver::File { .. }) => rotation::Delivery::Copy,
            Some(Deliver::Command { .. }) => rotation::Delivery::Command,
        },
        acts: settings.then.is_some(),
        proof: match &settings.prove {
            None if settings.unit_to_prove().is_some() => rotation::Proof::Asked,
            None => rotation::Proof::ByDelivery,
            Some(Prove::Http { .. } | Prove::Command { .. }) => rotation::Proof::Asked,
            Some(Prove::Report { within }) => rotation::Proof::Report { within: *within },
        },
        wanted: settings.wanted,
        accepted: settings.accepted,
        elsewhere: is_elsewhere(settings.host.as_deref(), reach),
    }
}

/// The one that stands by looks after what names its host, and leaves everything else to the one that acts.
fn is_elsewhere(host: Option<&str>, reach: Reach) -> bool {
    match host {
        Some(host) => host != host_name(),
        None => reach == Reach::Standby,
    }
}

/// One a line, as an operator follows them.
fn steps(steps: &[String]) -> Vec<Arc<str>> {
    steps.iter().map(|step| step.as_str().into()).collect()
}

/// `uname -n`.
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The time between two runs of a schedule; of an irregular one, the first such time.
fn period(schedule: &str) -> Duration {
    const HOUR: Duration = Duration::from_secs(3_600);
    let start = chrono::DateTime::UNIX_EPOCH;
    let Some(cron) = rotate_at::parse(schedule) else {
        return HOUR; // the configuration has refused it before
    };
    let two = |cron: &Cron| {
        let first = cron.find_next_occurrence(&start, true).ok()?;
        let second = cron.find_next_occurrence(&first, false).ok()?;
        (second - first).to_std().ok()
    };
    two(&cron).unwrap_or(HOUR)
}
