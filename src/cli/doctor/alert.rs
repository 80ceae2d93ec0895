//! How operators are told: the mail server is spoken to up to the recipients; a mail and a post to the webhook are sent
//! with `--send-mail` alone. The heartbeat is never fetched: that would be a sign of life that nobody gave.

use super::{
    Site,
    finding::{Area, Level, Line},
};
use crate::{
    alert::{
        render::Mail,
        smtp::{NotRehearsed, Rehearsed, SendOutcome, Settings, Smtp},
        web::{PostOutcome, Web},
    },
    cli::work,
    daemon::host_name,
    domain::{Secret, Severity},
};
use serde_json::json;
use std::sync::Arc;

pub async fn area(site: &Arc<Site>) -> Area {
    let mut area = Area::new("alerts");
    mail_server(site, &mut area).await;
    if let Some(url) = &site.config.alerts.webhook {
        area.add(webhook(site, url).await);
    }
    if site.config.alerts.heartbeat.is_some() {
        area.add(Line::skipped("heartbeat", "the daemon alone fetches it, while all is well"));
    }
    area
}

async fn webhook(site: &Arc<Site>, url: &Secret) -> Line {
    let tried = "webhook";
    if site.misses("alerts.webhook.") {
        return Line::skipped(tried, "its address is missing: see secrets");
    }
    if !site.send_mail {
        return Line::skipped(tried, "nothing is posted to it unless asked for")
            .command("keyrelay doctor --send-mail");
    }
    let (host, now) = (host_name(), work::now());
    let text = format!("a test from {host}: somebody typed keyrelay doctor --send-mail");
    let body = json!({"code": "test", "severity": "info", "since": now, "credential": null, "message": text,
        "hint": "nothing", "resolved": false, "host": host, "text": text});
    match Web::new("alerts.webhook", url, &site.limits).post(&format!("test-{now}"), body.to_string()).await {
        PostOutcome::Taken => Line::ok(tried, "it took a test notice"),
        PostOutcome::Refused(why) => Line::failed(tried, why)
            .advice("correct alerts.webhook, or let the receiver take what docs/alerts.md shows"),
        PostOutcome::Failed(why) => {
            Line::unreachable(tried, why).advice("correct alerts.webhook, or mend the receiver")
        }
    }
}

async fn mail_server(site: &Arc<Site>, area: &mut Area) {
    let Some(settings) = &site.config.email else {
        area.add(
            Line::warning("mail", "nobody is told when something goes wrong")
                .advice("add alerts.email with from, to and smtp"),
        );
        return;
    };
    let server = format!("{}:{}", settings.host, settings.port);
    if site.misses("alerts.email.") {
        area.add(Line::skipped(server, "the password is missing: see secrets"));
        return;
    }
    let smtp = match Smtp::new(settings, &site.limits) {
        Ok(smtp) => smtp,
        Err(why) => {
            area.add(Line::new(Level::Mistake, server, why));
            return;
        }
    };
    match smtp.rehearse(&settings.recipients(Severity::Urgent)).await {
        Ok(rehearsed) => {
            area.add(Line::ok(server, format!("login, and {} may send", settings.from)));
            let any = !rehearsed.taken.is_empty();
            recipients(rehearsed, area);
            if site.send_mail && any {
                area.add(send(&smtp, settings).await);
            }
        }
        Err(NotRehearsed::Refused(why)) => {
            area.add(
                Line::failed(server, why)
                    .advice("correct alerts.email (from) and alerts.email.smtp (user, password)"),
            );
        }
        Err(NotRehearsed::Unreachable(why)) => {
            area.add(
                Line::unreachable(server, why)
                    .advice("correct alerts.email.smtp (host, port, tls, ca_cert), or start the server"),
            );
        }
    }
}

fn recipients(rehearsed: Rehearsed, area: &mut Area) {
    if !rehearsed.taken.is_empty() {
        area.add(Line::ok("recipients", format!("{} would be taken", rehearsed.taken.join(", "))));
    }
    for (to, why) in rehearsed.refused {
        let line = Line::failed(format!("recipient {to}"), format!("the server {why}"));
        area.add(line.advice("correct the address (alerts.email), or let the server take it"));
    }
}

async fn send(smtp: &Smtp, settings: &Settings) -> Line {
    let tried = "test mail";
    match smtp.send(&mail(settings)).await {
        SendOutcome::Sent => Line::ok(
            tried,
            format!("sent to {}; see that it arrives, and not as spam", settings.to.join(", ")),
        ),
        SendOutcome::SentToSome(why) => Line::failed(tried, why),
        SendOutcome::Refused(why) => {
            Line::failed(tried, why).advice("the server takes the addresses and not the mail: see its log")
        }
        SendOutcome::Failed(why) => Line::unreachable(tried, why).command("keyrelay doctor --send-mail"),
    }
}

fn mail(settings: &Settings) -> Mail {
    let (host, now) = (host_name(), work::now());
    let body = format!(
        "This is a test of keyrelay on {host}: somebody typed keyrelay doctor --send-mail there at {}.\n\n\
         Alerts come from the same address, with [keyrelay] in their subject. If this one was sorted out as spam, \
         see to it that the next is not.",
        now.minutes()
    );
    let domain =
        settings.from.rsplit_once('@').map_or("localhost", |(_, domain)| domain.trim_end_matches('>'));
    Mail {
        from: settings.from.clone(),
        to: settings.to.clone(),
        subject: format!("[keyrelay] test mail from {host}"),
        body,
        message_id: format!("<keyrelay-doctor-{}@{domain}>", now.as_millis()),
        references: None,
        date: now,
        headers: vec![("Auto-Submitted", "auto-generated".to_owned())],
    }
}
