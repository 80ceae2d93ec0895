//! The keys that the vendors' mails are signed with: the resolver answers, the record is there, and it is strong
//! enough. Which selector a vendor uses is known from its newest mail, or from a pin.

use super::{
    Site,
    finding::{Area, Line},
    mailbox::Mails,
};
use crate::{
    domain::VendorName,
    mail::{
        TxtAnswer, TxtAnswers,
        authenticity::{questions, strength},
        dns::Resolver,
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// The answers to what the mails ask, too: their verdicts need them.
pub async fn area(site: &Site, mails: &Mails) -> (Area, TxtAnswers) {
    let mut area = Area::new("keys of the vendors' mail signatures (DKIM)");
    let resolver = match Resolver::new(&site.config.dns, site.limits.request_timeout / 2) {
        Ok(resolver) => resolver,
        Err(why) => {
            area.add(Line::failed("resolver", why).advice("correct /etc/resolv.conf, or name dns.servers"));
            return (area, TxtAnswers::new());
        }
    };
    let pinned = pinned(site);
    let domains: Vec<String> = pinned.values().flatten().map(|(domain, _)| domain.clone()).collect();
    let asked: BTreeSet<String> =
        mails.values().flatten().flat_map(|mail| questions(&mail.bytes, &domains)).collect();
    let mut answers = TxtAnswers::new();
    for (vendor, pins) in &pinned {
        for (domain, selectors) in pins {
            let suffix = format!("._domainkey.{domain}");
            let newest = mails.values().flatten().find_map(|mail| {
                questions(&mail.bytes, std::slice::from_ref(domain))
                    .into_iter()
                    .find(|name| name.ends_with(&suffix))
            });
            let names: BTreeSet<String> =
                selectors.iter().map(|selector| format!("{selector}{suffix}")).chain(newest).collect();
            if names.is_empty() {
                area.add(unknown(&resolver, vendor, domain).await);
            }
            for name in names {
                let answer = resolver.txt(&name).await;
                area.add(published(vendor, &name, &answer));
                answers.insert(name, answer);
            }
        }
    }
    // What older mails were signed with is needed to judge them, and not worth a line.
    // A DNS that is silent once is not asked again and again.
    let is_silent = answers.values().any(|answer| matches!(answer, TxtAnswer::Trouble(_)));
    let asked = if is_silent { BTreeSet::new() } else { asked };
    let further: Vec<String> = asked.into_iter().filter(|name| !answers.contains_key(name)).collect();
    for name in further {
        let answer = resolver.txt(&name).await;
        answers.insert(name, answer);
    }
    (area, answers)
}

/// By vendor that mails its keys: the domains that may sign, with the selectors that are pinned.
fn pinned(site: &Site) -> BTreeMap<VendorName, Vec<(String, Vec<String>)>> {
    let used = site.credentials().filter(|(_, credential)| credential.mailbox.is_some());
    let rules = used.filter_map(|(name, credential)| {
        let rules = site.config.profile(name)?.mail.as_ref()?;
        let pins = rules.signed_by.iter().map(|domain| (domain.clone(), rules.selectors.clone()));
        Some((credential.vendor.clone(), pins.collect()))
    });
    rules.collect()
}

fn published(vendor: &VendorName, name: &str, answer: &TxtAnswer) -> Line {
    let tried = format!("{vendor}: {name}");
    match answer {
        TxtAnswer::Found(records) => match strength(records) {
            Ok(words) => Line::ok(tried, words),
            Err(why) => Line::failed(tried, why).command(format!("dig +short TXT {name}")),
        },
        TxtAnswer::Missing => {
            Line::failed(tried, "no key is published there: the vendor's mails would be refused")
                .command(format!("dig +short TXT {name}"))
        }
        TxtAnswer::Trouble(why) => silent(tried, why),
    }
}

/// Nothing names a selector, so only the resolver itself is tried.
async fn unknown(resolver: &Resolver, vendor: &VendorName, domain: &str) -> Line {
    let tried = format!("{vendor}: {domain}");
    match resolver.txt(domain).await {
        TxtAnswer::Found(_) | TxtAnswer::Missing => {
            Line::skipped(tried, "the DNS answers; which key it signs with is seen in its first mail")
        }
        TxtAnswer::Trouble(why) => silent(tried, &why),
    }
}

fn silent(tried: String, why: &str) -> Line {
    Line::unreachable(tried, format!("the DNS did not say: {why}"))
        .advice("mend the resolvers in /etc/resolv.conf, or name others: dns.servers in the configuration")
}
