//! Each mailbox: entered, each folder opened, the vendor's newest notice read and judged as the daemon would.

use super::{
    Site,
    finding::{Area, Line},
    store::Keys,
    token,
};
use crate::{
    cli::{
        explain::{self, Case, apart, verdict},
        work,
    },
    domain::{Finding, Fingerprint, Limits, MailboxName, Settled},
    face::page::Tone,
    mail::{Folders, MailboxSettings, MailboxTrouble, RawMail, Search, TxtAnswers, open},
    vendor::{Expectation, recognise, senders},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// How far back a notice is looked for.
const DAYS: u32 = 30;
const DAY: Duration = Duration::from_secs(86_400);

/// What lies in each mailbox, newest first.
pub type Mails = BTreeMap<MailboxName, Vec<RawMail>>;

pub async fn areas(site: &Arc<Site>) -> (Vec<Area>, Mails) {
    let (mut areas, mut mails) = (Vec::new(), Mails::new());
    let mut looking = Vec::new();
    for name in site.mailboxes() {
        let (site, name) = (site.clone(), name.clone());
        looking.push(tokio::spawn(async move { (look(&site, &name).await, name) }));
    }
    for looked in looking {
        // One that panicked has said so to standard error.
        let Ok(((area, found), name)) = looked.await else { continue };
        areas.push(area);
        mails.extend(found.map(|found| (name, found)));
    }
    (areas, mails)
}

/// A look that came to its end.
struct Looked {
    folders: Vec<String>,
    mails: Vec<RawMail>,
    unreadable: Vec<String>,
    obstacles: Vec<String>,
}

/// How far it came.
enum Trouble {
    Open(MailboxTrouble),
    Look(MailboxTrouble),
}

async fn look(site: &Arc<Site>, name: &MailboxName) -> (Area, Option<Vec<RawMail>>) {
    let mut area = Area::new(format!("mailbox {name}"));
    let Some(settings) = site.config.mailboxes.get(name).cloned() else { return (area, None) };
    let (tried, at) = match &settings {
        MailboxSettings::Imap(imap) => {
            (format!("login of {}", imap.user), format!("{}:{}", imap.host, imap.port))
        }
        MailboxSettings::Maildir(maildir) => ("opened".to_owned(), maildir.path.display().to_string()),
    };
    if site.misses(&format!("mailboxes.{name}.")) {
        area.add(Line::skipped(tried, "its password is missing: see secrets"));
        return (area, None);
    }
    let secret = if settings.grant().is_some() { "oauth2" } else { "password" };
    let Some(settings) = token::admitted(site, name, settings, &mut area).await else { return (area, None) };
    let (search, limits) = (search(site, name), site.limits.clone());
    let settled = site.config.hygiene_of(name).settled;
    let wanted = settled.clone();
    let is_maildir = matches!(settings, MailboxSettings::Maildir(_));
    match site.as_service(move || read(&settings, &search, &wanted, &limits)).await {
        Err(why) => area.add(Line::unreachable(tried, format!("{at}: {why}"))),
        Ok(Err(Trouble::Open(trouble))) => area.add(not_entered(tried, &trouble, is_maildir, secret, name)),
        Ok(Err(Trouble::Look(trouble))) => {
            area.add(Line::ok(tried, at));
            area.add(folder(name, &trouble.to_string()));
        }
        Ok(Ok(looked)) => {
            area.add(Line::ok(tried, at));
            looked.unreadable.iter().for_each(|why| area.add(folder(name, why)));
            if looked.unreadable.is_empty() && !looked.folders.is_empty() {
                area.add(Line::ok(
                    "folders",
                    format!("{}, opened for reading only", looked.folders.join(", ")),
                ));
            }
            tidying(name, &settled, looked.obstacles).into_iter().for_each(|line| area.add(line));
            return (area, Some(looked.mails));
        }
    }
    (area, None)
}

fn not_entered(
    tried: String,
    trouble: &MailboxTrouble,
    is_maildir: bool,
    secret: &str,
    name: &MailboxName,
) -> Line {
    match trouble {
        MailboxTrouble::Refused(why) => {
            Line::failed(tried, why).advice(format!("correct mailboxes.{name}.imap.user, or its {secret}"))
        }
        MailboxTrouble::Busy(why) | MailboxTrouble::TokenEnded(why) => {
            Line::unreachable(tried, why).command("keyrelay doctor")
        }
        MailboxTrouble::Unreachable(why) if is_maildir => {
            Line::failed(tried, why).advice(format!("make new and cur in it, readable for the user that keyrelay runs as, or correct mailboxes.{name}.maildir.path"))
        }
        MailboxTrouble::Unreachable(why) => {
            Line::unreachable(tried, why).advice(format!("correct mailboxes.{name}.imap (host, port, tls, ca_cert), or start the server"))
        }
    }
}

/// The server says no to one folder, or the connection was lost over it.
fn folder(name: &MailboxName, why: &str) -> Line {
    if why.contains("is refused") {
        return Line::failed("folders", why)
            .advice(format!("name folders that are there: mailboxes.{name}.imap.folders"));
    }
    Line::unreachable("folders", why).command("keyrelay doctor")
}

/// What is to be done with confirmations whose rotation is over, and what stands in the way.
fn tidying(name: &MailboxName, settled: &Settled, obstacles: Vec<String>) -> Vec<Line> {
    let tried = "after a rotation";
    let what = match settled {
        Settled::Keep => return Vec::new(),
        Settled::Delete => "its confirmation is deleted".to_owned(),
        Settled::Move(folder) => format!("its confirmation is moved to {folder}"),
    };
    if obstacles.is_empty() {
        return vec![Line::ok(tried, format!("{what}; the server and this login can do that"))];
    }
    let advice = format!("mend that on the mail server, or correct mailboxes.{name}.settled");
    obstacles.into_iter().map(|why| Line::failed(tried, why).advice(advice.clone())).collect()
}

/// All senders of all vendors whose mails arrive there.
fn search(site: &Site, name: &MailboxName) -> Search {
    let watched = site.credentials().filter(|(_, credential)| credential.mailbox.as_ref() == Some(name));
    let profiles = watched.filter_map(|(name, _)| site.config.profile(name));
    let senders: BTreeSet<String> = profiles.flat_map(senders).collect();
    Search {
        senders: senders.into_iter().collect(),
        since: work::now() - DAY * DAYS,
        bytes_max: site.limits.mail_bytes_max,
    }
}

/// One connection, one look: where there are too many for one these are the newest.
fn read(
    settings: &MailboxSettings,
    search: &Search,
    settled: &Settled,
    limits: &Limits,
) -> Result<Looked, Trouble> {
    let (mut mailbox, _waker) = open(settings, limits).map_err(Trouble::Open)?;
    let folders = mailbox.folders();
    let mut look = mailbox.look(search, Folders::All).map_err(Trouble::Look)?;
    let obstacles = mailbox.obstacles(settled).map_err(Trouble::Look)?;
    mailbox.close();
    look.mails.sort_by_key(|mail| std::cmp::Reverse(mail.arrived_at));
    Ok(Looked { folders, mails: look.mails, unreadable: look.unreadable, obstacles })
}

/// One line for each credential: the newest notice, and what the daemon would do with it.
pub fn judge(site: &Site, mails: &Mails, answers: &TxtAnswers, keys: &Keys, areas: &mut [Area]) {
    let Ok(cases) = explain::cases(&site.config, site.only.as_ref()) else { return };
    for case in cases {
        let Some(name) = case.credential.mailbox.as_ref() else { continue };
        let Some(mails) = mails.get(name) else { continue };
        let title = format!("mailbox {name}");
        let line = newest(mails, answers, &case, keys);
        areas.iter_mut().filter(|area| area.title == title).for_each(|area| area.add(line.clone()));
    }
}

fn newest(mails: &[RawMail], answers: &TxtAnswers, case: &Case<'_>, keys: &Keys) -> Line {
    let tried = format!("newest notice for {}", case.name);
    let judged = |mail: &RawMail| Some((mail.arrived_at, apart(|| finding(mail, answers, case, keys))?));
    let is_ours = |(_, finding): &(_, Finding)| match finding {
        Finding::NotOurs { .. } => false,
        Finding::NewKey(_) | Finding::Held { .. } | Finding::Warning(_) | Finding::Known { .. } => true,
        Finding::Wait { .. } | Finding::Suspicious { .. } | Finding::Unparsed { .. } => true,
    };
    let Some((arrived_at, finding)) = mails.iter().filter_map(judged).find(is_ours) else {
        let from = senders(case.profile).join(", ");
        return Line::warning(tried, format!("none from {from} in {DAYS} days"))
            .command(format!("keyrelay explain --credential {} --days 365", case.name));
    };
    let (tone, words) = verdict::words(&finding);
    let seen = format!("{}: {words}", arrived_at.minutes());
    match tone {
        Tone::Good | Tone::Plain | Tone::Title => Line::ok(tried, seen),
        Tone::Warning | Tone::Bad => {
            Line::warning(tried, seen).command(format!("keyrelay explain --credential {}", case.name))
        }
    }
}

/// As the daemon judges it, which knows the keys in the store.
fn finding(mail: &RawMail, answers: &TxtAnswers, case: &Case<'_>, keys: &Keys) -> Finding {
    let prefix = &case.profile.key.prefix;
    let known = keys.get(case.name);
    let all = known.into_iter().flat_map(|known| known.others.iter().chain([&known.current]));
    let fingerprints: BTreeSet<Fingerprint> = all.map(|key| key.fingerprint_without(prefix)).collect();
    let shape = known.map(|known| known.current.shape());
    let expected = Expectation {
        credential: case.name,
        recipients: &case.credential.recipients,
        others: &case.others,
        authserv_ids: case.authserv_ids,
        known: &fingerprints,
        done: &BTreeSet::new(),
        shape: shape.as_ref(),
    };
    recognise(mail, answers, case.profile, &expected, &Limits::default()).finding
}
