//! What a profile must keep to, beyond having the right types. Every mistake is named, not the first.

use super::{
    examples,
    fill::named,
    profile::{AnswerRule, Identity, KeyRule, Label, MailRules, ParamKind, Profile, RotateCall},
    registry::ProfileMistake,
};
use crate::{
    domain::{RotatedBy, is_host_name},
    mail::parse::addresses,
};

const EXAMPLE: &str = "change the rule, or the example";

/// A key's length, whatever its vendor says: [`crate::domain::Key`] takes no other.
const KEY_LEN: std::ops::RangeInclusive<usize> = 16..=512;

/// What is wrong with a profile whose fields have the right types; `vendor` is its name.
pub fn mistakes(vendor: &str, profile: &Profile) -> Vec<ProfileMistake> {
    let mut found = Found { vendor, list: Vec::new() };
    found.base_url(profile);
    found.params(profile);
    found.times(profile);
    found.probe(profile);
    found.rotation(profile);
    if let Some(rules) = &profile.mail {
        found.mail(rules);
    }
    found.key(&profile.key);
    found.label(profile);
    found.links(profile);
    if found.list.is_empty() {
        let misfits = examples::misfits(profile);
        misfits.iter().for_each(|(path, message)| found.unless(false, path, message, EXAMPLE));
    }
    found.list
}

/// What is wrong with a profile's addresses, a credential's parameters filled in.
pub fn address_mistakes(profile: &Profile) -> Vec<ProfileMistake> {
    let mut found = Found { vendor: "", list: Vec::new() };
    found.base_url(profile);
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
        let named = named(&profile.base_url).into_iter();
        let is_host =
            |name: &str| profile.params.get(name).is_some_and(|param| param.kind == ParamKind::Host);
        let filled = named
            .filter(|name| is_host(name))
            .fold(profile.base_url.clone(), |url, name| url.replace(&format!("{{{name}}}"), "host.example"));
        let Some((scheme, authority)) = filled.split_once("://") else {
            return self.unless(false, "base_url", "it is no address of a server", example);
        };
        let no_port = authority.ends_with(']');
        let (host, port) = authority.rsplit_once(':').filter(|_| !no_port).unwrap_or((authority, "443"));
        let host = host.to_ascii_lowercase();
        let is_loopback = matches!(host.as_str(), "localhost" | "127.0.0.1" | "[::1]");
        let named = (is_loopback || is_host_name(&host)) && port.parse::<u16>().is_ok_and(|port| port > 0);
        self.unless(named, "base_url", "it is not scheme, host and port alone", example);
        // Which host stands there is known only with the parameters: each credential's are looked at again.
        let later = filled != profile.base_url;
        let encrypted = scheme == "https" || (scheme == "http" && (is_loopback || later));
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

    /// Each placeholder is a parameter, and each parameter is used.
    fn params(&mut self, profile: &Profile) {
        let (probe, call) = (&profile.probe, profile.rotation.call.as_ref());
        let addresses = [
            ("base_url", Some(&profile.base_url)),
            ("probe.get", probe.get.as_ref()),
            ("probe.post", probe.post.as_ref()),
            ("rotation.call.post", call.map(|call| &call.post)),
        ];
        let mut used: Vec<&str> = Vec::new();
        for (path, text) in addresses {
            for name in text.map(|text| named(text)).unwrap_or_default() {
                let message = format!("{{{name}}} is no parameter");
                self.unless(profile.params.contains_key(name), path, &message, "describe it under params");
                used.push(name);
            }
        }
        if let Some(Identity::Param(name)) = &probe.identity {
            let message = format!("{name} is no parameter that the addresses name");
            self.unless(used.contains(&name.as_str()), "probe.identity", &message, "name one of params");
        }
        for (name, param) in &profile.params {
            let path = format!("params.{name}");
            let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
            let plain = !name.is_empty() && name.bytes().all(legal);
            self.unless(plain, &path, "its name is not a-z, 0-9 and _ alone", "rename it");
            let message = format!("no address names {{{name}}}");
            self.unless(used.contains(&name.as_str()), &path, &message, "use it, or leave it out");
            self.unless(!param.about.trim().is_empty(), &path, "about is empty", "say where it is found");
        }
    }

    fn rotation(&mut self, profile: &Profile) {
        let rule = &profile.rotation;
        let call = (rule.by == RotatedBy::Api) == rule.call.is_some();
        let message = "a call is needed where by is api, and only there";
        self.unless(call, "rotation.call", message, "write by: api with a call, or neither");
        let steps = rule.by != RotatedBy::Operator || (!rule.create.is_empty() && !rule.revoke.is_empty());
        let message = "an operator rotates, and the steps to create and to revoke a key are not both written";
        self.unless(steps, "rotation.create", message, "write rotation.create and rotation.revoke");
        if let Some(call) = &rule.call {
            self.call(profile, call);
        }
    }

    fn call(&mut self, profile: &Profile, call: &RotateCall) {
        self.path("rotation.call.post", Some(&call.post));
        self.answers("rotation.call.issued", &call.issued, true);
        self.answers("rotation.call.refused", &call.refused, false);
        let pointers = [
            ("rotation.call.key", Some(&call.key)),
            ("rotation.call.key_id", call.key_id.as_ref()),
            ("rotation.call.rotated_at", call.rotated_at.as_ref()),
            ("rotation.call.old_until", call.old_until.as_ref()),
        ];
        for (path, pointer) in pointers {
            let right = pointer.is_none_or(|pointer| pointer.starts_with('/'));
            self.unless(right, path, "it is no JSON pointer", "begin it with /: /key");
        }
        let chosen =
            call.graces.is_empty() || profile.grace.is_some_and(|grace| call.graces.contains_key(&grace));
        let message = "it is none of those that the vendor offers";
        self.unless(chosen, "grace", message, "write one of rotation.call.graces");
        let says = call.json.as_ref().is_some_and(|json| json.to_string().contains("{grace}"));
        let message = "graces and {grace} in json belong together";
        self.unless(says != call.graces.is_empty(), "rotation.call.json", message, "write both or neither");
    }

    fn path(&mut self, at: &str, path: Option<&String>) {
        let right = path.is_none_or(|path| {
            path.starts_with('/') && !path.starts_with("//") && path.bytes().all(|b| b.is_ascii_graphic())
        });
        self.unless(right, at, "it is no path", "begin it with /");
    }

    fn answers(&mut self, path: &str, rules: &[AnswerRule], needed: bool) {
        self.unless(!needed || !rules.is_empty(), path, "it is empty", "say which answers mean it");
        let statuses = rules.iter().all(|rule| {
            !rule.status.is_empty() && rule.status.iter().all(|status| (100..600).contains(status))
        });
        self.unless(statuses, path, "a rule has no status of HTTP", "write status: [200]");
    }

    fn label(&mut self, profile: &Profile) {
        let shown = profile.key.label != Some(Label::KeyId) || profile.probe.key_id.is_some();
        let message = "the dashboard shows a key's id, and probe.key_id does not say where to find it";
        self.unless(shown, "key.label", message, "write probe.key_id, or label: last4");
    }

    fn links(&mut self, profile: &Profile) {
        for (name, link) in &profile.links {
            let right = link.starts_with("https://") && link.bytes().all(|byte| byte.is_ascii_graphic());
            self.unless(right, &format!("links.{name}"), "it is no https address", "write https://…");
        }
    }

    fn probe(&mut self, profile: &Profile) {
        let probe = &profile.probe;
        self.path("probe.get", probe.get.as_ref());
        self.path("probe.post", probe.post.as_ref());
        let one = probe.get.is_some() != probe.post.is_some();
        self.unless(one, "probe.get", "there must be one request, get or post", "write one of both");
        let body = probe.json.is_none() || probe.post.is_some();
        self.unless(body, "probe.json", "only a post has a body", "leave it out");
        let success = |rules: &[AnswerRule]| {
            rules.iter().flat_map(|rule| &rule.status).any(|status| (200..300).contains(status))
        };
        let refused = !probe.writes || (probe.post.is_some() && !success(&probe.alive));
        let message = "a probe that would write must be a post that is refused, and 2xx cannot mean alive";
        self.unless(refused, "probe.writes", message, "leave the 2xx out of probe.alive");
        let header =
            !probe.header.is_empty() && probe.header.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        self.unless(header, "probe.header", "it is no header's name", "write Authorization, or X-Api-Key");
        self.answers("probe.alive", &probe.alive, true);
        self.answers("probe.dead", &probe.dead, true);
        self.answers("probe.wrong_account", &probe.wrong_account, false);
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
