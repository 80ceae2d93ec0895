//! Each of a vendor's mails in a credential's mailbox, one line each.

use super::{
    super::{
        admission,
        console::{Console, Exit, Failure},
        work,
    },
    Case, NOT_KNOWN, answers, apart, verdict,
};
use crate::{
    config::Config,
    domain::Limits,
    face::page::{Page, Tone},
    mail::{Folders, MailboxSettings, MailboxTrouble, RawMail, Search, open},
    vendor::senders,
};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

/// What was found in a mailbox, and what could not be read in it.
struct Found {
    mails: Vec<RawMail>,
    unreadable: Vec<String>,
}

pub async fn explain(
    config: &Config,
    cases: &[Case<'_>],
    days: u32,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    let (mut exit, mut judged) = (Exit::Done, false);
    for case in cases {
        let named = case.credential.mailbox.as_ref();
        let Some((name, settings)) = named.and_then(|name| Some((name, config.mailboxes.get(name)?))) else {
            console.say(&format!("{}: no mailbox is watched for it", case.name));
            continue;
        };
        let limits = Limits::default();
        let settings = admission::admitted(config, name, settings.clone(), &limits).await;
        match settings.and_then(|settings| look(&settings, case, days)) {
            Ok(found) => {
                console.say(&format!("{}, mailbox {name}, {days} days:", case.name));
                found.unreadable.iter().for_each(|why| console.tell(&format!("{name}: {why}")));
                judged |= !found.mails.is_empty();
                show(config, case, found.mails, console).await?;
            }
            Err(trouble) => {
                console.tell(&format!("{}: mailbox {name}: {trouble}", case.name));
                exit = exit.max(Exit::Unreachable);
            }
        }
    }
    if judged {
        console.tell(NOT_KNOWN);
    }
    Ok(exit)
}

/// Everything that a connection hands out, in as many looks as it takes.
fn look(settings: &MailboxSettings, case: &Case<'_>, days: u32) -> Result<Found, MailboxTrouble> {
    let limits = Limits::default();
    let since = work::now() - DAY * days;
    let search = Search { senders: senders(case.profile), since, bytes_max: limits.mail_bytes_max };
    let looked = apart(|| {
        let (mut mailbox, _waker) = open(settings, &limits)?;
        let mut found = Found { mails: Vec::new(), unreadable: Vec::new() };
        loop {
            let look = mailbox.look(&search, Folders::All)?;
            let more = !look.mails.is_empty();
            found.mails.extend(look.mails);
            found.unreadable = look.unreadable;
            if !more {
                break;
            }
        }
        mailbox.close();
        Ok(found)
    });
    looked.unwrap_or_else(|| {
        Err(MailboxTrouble::Unreachable("the server's answer could not be understood".into()))
    })
}

/// Newest first.
async fn show(
    config: &Config,
    case: &Case<'_>,
    mut mails: Vec<RawMail>,
    console: &mut Console<'_>,
) -> Result<(), Failure> {
    mails.sort_by_key(|mail| std::cmp::Reverse(mail.arrived_at));
    let answers = answers(config, std::slice::from_ref(case), &mails).await?;
    let mut page = Page::new(console.colour, console.width);
    for mail in &mails {
        let judged = apart(|| verdict::words(&verdict::finding(mail, &answers, case)));
        let (tone, words) = judged.unwrap_or((Tone::Bad, "the parser broke down over it".into()));
        page.row(2, &mail.arrived_at.minutes(), tone, &words);
    }
    if mails.is_empty() {
        page.row(2, "no mail", Tone::Plain, &format!("from {}", senders(case.profile).join(", ")));
    }
    console.say(&page.finish());
    Ok(())
}
