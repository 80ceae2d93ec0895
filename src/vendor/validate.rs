//! What a profile must keep to, beyond having the right types. Every mistake is named, not the first.

use super::{
    profile::{KeyRule, MailRules, Probe, Profile},
    registry::ProfileMistake,
};
use crate::{domain::is_host_name, mail::parse::addresses};

/// A key's length, whatever its vendor says: [`crate::domain::Key`] takes no other.
const KEY_LEN: std::ops::RangeInclusive<usize> = 16..=512;

/// What is wrong with a profile whose fields have the right types; `vendor` is its name.
pub fn mistakes(vendor: &str, profile: &Profile) -> Vec<ProfileMistake> {
    let mut found = Found { vendor, list: Vec::new() };
    found.base_url(profile);
    found.times(profile);
    found.probe(&profile.probe);
    if let Some(rules) = &profile.mail {
        found.mail(rules);
    }
    found.key(&profile.key);
    found.list
}

struct Found<'a> {
    vendor: &'a str,
    list: Vec<ProfileMistake>,
}

impl Found<'_> {
    fn unless(&mut self, good: bool, path: &str, message: &str, hint: &str) {
        if !good {
            let path = format!("{}.{path}", self.vendor);
            self.list.push(ProfileMistake { path, message: message.into(), hint: hint.into() });
        }
    }

    fn base_url(&mut self, profile: &Profile) {
        let example = "write it as https://api.example.com";
        let Some((scheme, authority)) = profile.base_url.split_once("://") else {
            return self.unless(false, "base_url", "it is no address of a server", example);
        };
        let no_port = authority.ends_with(']');
        let (host, port) = authority.rsplit_once(':').filter(|_| !no_port).unwrap_or((authority, "443"));
        let host = host.to_ascii_lowercase();
        let is_loopback = matches!(host.as_str(), "localhost" | "127.0.0.1" | "[::1]");
        let named = (is_loopback || is_host_name(&host)) && port.parse::<u16>().is_ok_and(|port| port > 0);
        self.unless(named, "base_url", "it is not scheme, host and port alone", example);
        let encrypted = scheme == "https" || (scheme == "http" && is_loopback);
        self.unless(encrypted, "base_url", "a key goes out over https only, but to loopback", example);
        if let Some(instead) = profile.forbidden_hosts.get(&host) {
            self.unless(false, "base_url", &format!("{host} must not be called: {instead}"), instead);
        }
    }

    fn times(&mut self, profile: &Profile) {
        let hint = "a rotation is announced within its period, and an old key dies before the next";
        let within =
            |part: Option<_>| part.is_none_or(|part| profile.cadence.is_none_or(|whole| part < whole));
        self.unless(within(profile.notice_before), "notice_before", "it is not shorter than cadence", hint);
        self.unless(within(profile.grace), "grace", "it is not shorter than cadence", hint);
        self.unless(profile.limit.requests > 0, "limit.requests", "it is 0", "write the vendor's own limit");
    }

    fn probe(&mut self, probe: &Probe) {
        let path = probe.get.starts_with('/') && probe.get.bytes().all(|b| b.is_ascii_graphic());
        self.unless(path, "probe.get", "it is no path", "begin it with /");
        let header =
            !probe.header.is_empty() && probe.header.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        self.unless(header, "probe.header", "it is no header's name", "write Authorization, or X-Api-Key");
        for (path, rules) in [("probe.alive", &probe.alive), ("probe.dead", &probe.dead)] {
            self.unless(!rules.is_empty(), path, "it is empty", "say which answers mean it");
            let statuses = rules.iter().all(|rule| {
                !rule.status.is_empty() && rule.status.iter().all(|status| (100..600).contains(status))
            });
            self.unless(statuses, path, "a rule has no status of HTTP", "write status: [200]");
        }
    }

    fn mail(&mut self, rules: &MailRules) {
        let some = "name the domains that sign the vendor's mails (d= of DKIM)";
        self.unless(!rules.signed_by.is_empty(), "mail.signed_by", "it is empty", some);
        for domain in &rules.signed_by {
            let message = format!("{domain:?} is no domain in lower case");
            self.unless(is_host_name(domain), "mail.signed_by", &message, "write it as leaf7.fun");
        }
        for address in &rules.from {
            let plain = addresses(address).is_ok_and(|found| found == [address.clone()]);
            let message = format!("{address:?} is no plain address in lower case");
            self.unless(plain, "mail.from", &message, "write it as noreply@leaf7.fun");
            let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
            let aligned = !plain || !rules.aligned || rules.signed_by.iter().any(|signer| signer == domain);
            let message = format!("{address} is in none of the domains of signed_by, and aligned is true");
            let hint = "add its domain to signed_by; or write aligned: false, with from and selectors";
            self.unless(aligned, "mail.from", &message, hint);
        }
        let pinned = rules.aligned || (!rules.from.is_empty() && !rules.selectors.is_empty());
        let message = "without alignment everybody who signs with that domain could write such a mail";
        self.unless(
            pinned,
            "mail.aligned",
            message,
            "name mail.from and mail.selectors too, or write aligned: true",
        );
        let hint = "write at least one regular expression";
        self.unless(!rules.warning.subject.is_empty(), "mail.warning.subject", "it is empty", hint);
        self.unless(!rules.confirmation.subject.is_empty(), "mail.confirmation.subject", "it is empty", hint);
        self.unless(
            !rules.confirmation.key_after.is_empty(),
            "mail.confirmation.key_after",
            "it is empty",
            hint,
        );
    }

    fn key(&mut self, key: &KeyRule) {
        let message = format!("{} is more than max_len, {}", key.min_len, key.max_len);
        self.unless(key.min_len <= key.max_len, "key.min_len", &message, "swap them");
        for (path, len) in [("key.min_len", key.min_len), ("key.max_len", key.max_len)] {
            let message = format!("{len} is not from 16 to 512");
            self.unless(KEY_LEN.contains(&len), path, &message, "a key has 16 to 512 characters");
        }
        let short = key.prefix.len() < key.min_len;
        self.unless(short, "key.prefix", "it is as long as a whole key", "write the fixed beginning only");
    }
}
