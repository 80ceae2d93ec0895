//! How operators are told: the mail server is spoken to up to the recipients, and with `--send-mail` a mail is sent.

use super::{
    Site,
    finding::{Area, Level, Line},
};
use crate::{
    alert::{
        render::Mail,
        smtp::{NotRehearsed, Rehearsed, SendOutcome, Settings, Smtp},
    },
    cli::work,
    daemon::host_name,
};
use std::sync::Arc;

pub async fn area(site: &Arc<Site>) -> Area {
    let mut area = Area::new("alerts");
    let Some(settings) = &site.config.email else {
        area.add(
            Line::warning("mail", "nobody is told when something goes wrong")
                .advice("add alerts.email with from, to and smtp"),
        );
        return area;
    };
    let server = format!("{}:{}", settings.host, settings.port);
    if site.misses("alerts.email.") {
        area.add(Line::skipped(server, "the password is missing: see secrets"));
        return area;
    }
    let smtp = match Smtp::new(settings, &site.limits) {
        Ok(smtp) => smtp,
        Err(why) => {
            area.add(Line::new(Level::Mistake, server, why));
            return area;
        }
    };
    match smtp.rehearse(&settings.to).await {
        Ok(rehearsed) => {
            area.add(Line::ok(server, format!("login, and {} may send", settings.from)));
            let any = !rehearsed.taken.is_empty();
            recipients(rehearsed, &mut area);
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
    area
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
