//! The vendors: each current key is alive, a key that nobody issued is not, and whose account the key is of. No more
//! is asked than the daemon would ask: a tenth of the vendor's limit.

use super::{
    Site,
    clock::Dated,
    finding::{Area, Line},
    store::{Keys, Known},
};
use crate::{
    config::Credential,
    domain::{Account, CredentialName, Key, ProbeAnswer, VendorName, Verdict},
    face::status::Status,
    probe::{Prober, random_like},
    vendor::Profile,
};
use std::{collections::BTreeMap, sync::Arc};

/// A credential with its vendor's profile.
type Case<'a> = (&'a CredentialName, &'a Credential, &'a Profile);

pub async fn area(site: &Arc<Site>, keys: &Keys, daemon: Option<&Status>) -> (Area, Vec<Dated>) {
    let (mut area, mut dates) = (Area::new("vendors"), Vec::new());
    let prober = match Prober::new(&site.limits) {
        Ok(prober) => prober,
        Err(why) => {
            area.add(Line::failed("client", why));
            return (area, dates);
        }
    };
    let mut by_origin: BTreeMap<&str, Vec<Case>> = BTreeMap::new();
    for (name, credential) in site.credentials() {
        if let Some(profile) = site.config.profile(name) {
            by_origin.entry(&profile.base_url).or_default().push((name, credential, profile));
        }
    }
    for (origin, cases) in by_origin {
        let mut asking = Asking { site, prober: &prober, left: 0, date: None, wrote: None };
        asking.ask(&cases, keys, daemon, &mut area).await;
        dates.extend(asking.date.map(|dated| Dated { who: origin.to_owned(), ..dated }));
    }
    (area, dates)
}

/// The questions to one vendor.
struct Asking<'a> {
    site: &'a Site,
    prober: &'a Prober,
    /// Requests that may still be made.
    left: u32,
    date: Option<Dated>,
    /// A request was let through that the vendor must refuse: what it answered.
    wrote: Option<String>,
}

impl Asking<'_> {
    async fn ask(&mut self, cases: &[Case<'_>], keys: &Keys, daemon: Option<&Status>, area: &mut Area) {
        let Some((_, credential, profile)) = cases.first() else { return };
        if let Some(line) = cases.iter().find_map(|case| switched_off(case, keys, daemon)) {
            return area.add(line);
        }
        // One key can always be asked about, with its control.
        self.left = (profile.limit.requests / self.site.limits.vendor_limit_part).max(2);
        let like = cases.iter().find_map(|(name, _, profile)| Some((keys.get(name)?, *profile)));
        if let Some((known, profile)) = like {
            let line = self.control(profile, &known.current).await;
            area.add(line);
        }
        for case in cases {
            match keys.get(case.0) {
                Some(_) if self.wrote.is_some() => {}
                Some(_) if self.left == 0 => area.add(over_budget(case, cases.len())),
                Some(known) => self.one(case, known, area).await,
                None => area.add(unknown(case.0, keys, daemon)),
            }
        }
        if let Some(why) = self.wrote.take() {
            area.add(let_through(&credential.vendor, profile, &why));
        }
    }

    async fn probe(&mut self, profile: &Profile, key: &Key) -> ProbeAnswer {
        self.left = self.left.saturating_sub(1);
        let answer = self.prober.probe(profile, key).await;
        if answer.wrote {
            self.wrote.get_or_insert_with(|| answer.why.clone());
        }
        self.date = self.date.take().or_else(|| Dated::now("the vendor", answer.vendor_time));
        answer
    }

    /// A random key of the same shape: a vendor that calls it alive proves nothing of any other.
    async fn control(&mut self, profile: &Profile, like: &Key) -> Line {
        let tried = format!("{}: a random key", profile.base_url);
        let Ok(random) = random_key(like) else {
            return Line::failed(tried, "the system gives no random bytes");
        };
        let answer = self.probe(profile, &random).await;
        match answer.verdict {
            Verdict::Dead => Line::ok(tried, format!("dead, as it should be ({})", answer.why)),
            Verdict::Alive => Line::failed(
                tried,
                format!("alive ({}): the vendor lets anybody in, so that no key can be proven there", answer.why),
            )
            .advice("nothing is promoted until this ends; ask the vendor, or correct probe in its profile (keyrelay vendors NAME)"),
            Verdict::Unclear => Line::unreachable(tried, format!("unclear: {}", answer.why))
                .advice(format!("see whether this host reaches {}", profile.base_url)),
        }
    }

    async fn one(&mut self, (name, credential, profile): &Case<'_>, known: &Known, area: &mut Area) {
        let tried = format!("current key of {name}");
        let answer = self.probe(profile, &known.current).await;
        match answer.verdict {
            Verdict::Alive => {
                area.add(Line::ok(tried, format!("alive ({})", answer.why)));
                area.add(account(name, credential, profile, answer.account.as_ref()));
            }
            Verdict::Dead => area.add(
                Line::failed(tried, format!("dead ({})", answer.why))
                    .advice(format!("fetch the key: {}", profile.dashboard))
                    .command(format!("keyrelay ingest {name}")),
            ),
            Verdict::Unclear => area.add(
                Line::unreachable(tried, format!("unclear: {}", answer.why))
                    .command(format!("keyrelay doctor {name}")),
            ),
        }
    }
}

/// Whose the key is, and how to pin that.
fn account(
    name: &CredentialName,
    credential: &Credential,
    profile: &Profile,
    seen: Option<&Account>,
) -> Line {
    let tried = format!("account of {name}");
    if profile.probe.identity.is_none() {
        return Line::ok(tried, "this vendor shows none: each new key needs keyrelay accept");
    }
    let Some(seen) = seen.filter(|seen| !seen.is_empty()) else {
        return Line::warning(
            tried,
            "the key shows no identity: a new key cannot be proven to be of the same account",
        )
        .advice("make a project (or the like) in the vendor's dashboard");
    };
    let ids = serde_json::to_string(seen).unwrap_or_default();
    match &credential.account {
        Some(pinned) if pinned.shares_with(seen) => Line::ok(tried, format!("{ids}, as pinned")),
        Some(_) => Line::failed(tried, format!("{ids}, and another one is pinned"))
            .advice(format!("if this is the right account, write credentials.{name}.account: {ids}")),
        None => Line::ok(tried, format!("{ids}; to pin it: credentials.{name}.account: {ids}")),
    }
}

/// A daemon has seen it let through: nobody sends it again. Its note in the store holds without a daemon too.
fn switched_off((name, _, profile): &Case<'_>, keys: &Keys, daemon: Option<&Status>) -> Option<Line> {
    let told = daemon.and_then(|status| status.credential(name)?.probe_off_since);
    let noted = || keys.switched_off(name, &profile.probe.in_words(&profile.base_url));
    let since = told.or_else(noted)?;
    let seen = format!("not asked: its probe is switched off since {}", since.minutes());
    Some(
        Line::warning(format!("probe of {}", profile.title), seen).command(format!("keyrelay status {name}")),
    )
}
fn let_through(vendor: &VendorName, profile: &Profile, why: &str) -> Line {
    let title = &profile.title;
    let seen = format!("let through where it must be refused ({why}): it may have written something there");
    Line::failed(format!("probe of {title}"), seen).advice(format!(
        "delete in {title} what it made, and correct vendors.{vendor}.probe, so that nothing can be written"
    ))
}

fn over_budget((name, _, profile): &Case<'_>, keys: usize) -> Line {
    let seen = format!("not asked: {keys} keys at once are more than a tenth of {}'s limit", profile.title);
    Line::skipped(format!("current key of {name}"), seen).command(format!("keyrelay doctor {name}"))
}

/// The key is not in our hands: what the daemon saw counts, where one runs.
fn unknown(name: &CredentialName, keys: &Keys, daemon: Option<&Status>) -> Line {
    let tried = format!("current key of {name}");
    let seen = daemon.and_then(|status| status.credential(name)?.last_probe);
    match seen.map(|probe| (probe.verdict, probe.at.minutes())) {
        Some((Verdict::Alive, at)) => Line::ok(tried, format!("alive, as the daemon saw at {at}")),
        Some((Verdict::Dead, at)) => Line::failed(tried, format!("dead, as the daemon saw at {at}"))
            .command(format!("keyrelay ingest {name}")),
        Some((Verdict::Unclear, at)) => {
            Line::unreachable(tried, format!("unclear, as the daemon saw at {at}"))
                .command(format!("keyrelay status {name}"))
        }
        None => Line::skipped(tried, keys.missing()),
    }
}

fn random_key(like: &Key) -> Result<Key, getrandom::Error> {
    let mut failed = None;
    let mut random = || {
        let mut byte = [0];
        failed = getrandom::fill(&mut byte).err().or(failed);
        byte[0]
    };
    let key = random_like(&like.shape(), &mut random);
    failed.map_or(Ok(key), Err)
}
