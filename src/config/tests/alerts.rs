//! `alerts` beyond the mail server: whom what is urgent wakes, good news, the webhook, the heartbeat.

use super::*;
use crate::{
    alert::Heartbeat,
    domain::{GoodNews, Secret, Severity},
};
use std::time::Duration;

#[test]
fn what_is_urgent_wakes_those_that_are_named_besides_and_nobody_twice() {
    let email =
        accepted(&[("alerts.email.urgent_to", "[pager@example.com, ops@example.com]")]).email.unwrap();
    assert_eq!(email.recipients(Severity::Warning), ["ops@example.com"]);
    assert_eq!(email.recipients(Severity::Urgent), ["ops@example.com", "pager@example.com"]);
    let one = accepted(&[("alerts.email.urgent_to", "pager@example.com")]).email.unwrap();
    assert_eq!(one.urgent_to, ["pager@example.com"]);
    let by_default = accepted(&[]).email.unwrap();
    assert_eq!(by_default.recipients(Severity::Urgent), by_default.to);
}

#[test]
fn good_news_are_mailed_each_weekly_or_not() {
    for (yaml, meant) in [
        ("each", GoodNews::Each),
        ("weekly", GoodNews::Weekly),
        ("off", GoodNews::Off),
        ("'off'", GoodNews::Off),
    ] {
        assert_eq!(accepted(&[("alerts.email.good_news", yaml)]).alerts.good_news, meant, "{yaml}");
    }
    assert_eq!(accepted(&[]).alerts.good_news, GoodNews::Each);
    each_is_refused(&[(
        "alerts.email.good_news",
        "daily",
        r#"alerts.email.good_news: "daily" is none of the words here; write "each", "weekly" or "off""#,
    )]);
}

#[test]
fn an_address_is_written_out_or_is_a_secret_and_is_never_shown() {
    let url = "https://hooks.example.com/canary";
    assert_eq!(accepted(&[("alerts.webhook.url", url)]).alerts.webhook, Some(Secret::new(url)));
    let file = tempfile::NamedTempFile::new().unwrap();
    let reference = format!("{{file: {}}}", file.path().display());
    for (content, is_sound) in [
        ("https://hooks.example.com/canary\n", true),
        ("http://127.0.0.1:9/canary", true),
        ("http://hooks.example.com/canary", false),
        ("https://user:canary@hooks.example.com/", false),
        ("https://hooks.example.com/#canary", false),
        ("canary", false),
    ] {
        std::fs::write(file.path(), content).unwrap();
        let lines = said_of(&[("alerts.webhook.url", &reference)]);
        assert_eq!(lines.is_empty(), is_sound, "{content}: {lines:?}");
        let refused = "alerts.webhook.url: the secret is no address: https (http only to this machine), no login in it, \
                       no #…; write it as https://host:port/path";
        assert!(lines.iter().all(|line| line == refused), "{lines:?}");
    }
    each_is_refused(&[
        (
            "alerts.webhook.url",
            "http://hooks.example.com/",
            "alerts.webhook.url: plain http to hooks.example.com, which is not this machine; use https",
        ),
        ("alerts.webhook", "{}", "alerts.webhook.url: this key is missing"),
    ]);
}

#[test]
fn a_heartbeat_comes_every_five_minutes_or_as_often_as_it_is_said() {
    let url = "https://beat.example.com/x";
    let beat = |every| Heartbeat { url: Secret::new(url), every: Duration::from_secs(every) };
    assert_eq!(accepted(&[("alerts.heartbeat.url", url)]).alerts.heartbeat, Some(beat(300)));
    let every = [("alerts.heartbeat.url", url), ("alerts.heartbeat.every", "1m")];
    assert_eq!(accepted(&every).alerts.heartbeat, Some(beat(60)));
    assert_eq!(accepted(&[]).alerts.heartbeat, None);
    let never = [("alerts.heartbeat.url", url), ("alerts.heartbeat.every", "0s")];
    let refused =
        "alerts.heartbeat.every: a duration is one whole number and s, m, h or d, as in 90s, 15m, 24h or 7d";
    assert_eq!(said_of(&never), [refused]);
}

#[test]
fn a_webhook_alone_is_somebody_who_is_told() {
    assert_eq!(said_of(&[("alerts", "{webhook: {url: \"https://hooks.example.com/\"}}")]), [""; 0]);
    let heartbeat_alone = said_of(&[("alerts", "{heartbeat: {url: \"https://beat.example.com/\"}}")]);
    assert_eq!(heartbeat_alone.len(), 1, "{heartbeat_alone:?}");
}
