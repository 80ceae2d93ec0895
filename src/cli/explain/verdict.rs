//! What is made of one mail for one credential, in words, with the facts behind it. Nothing of a mail's text is shown
//! but its sender, its id and who signed it; of a key only the fingerprint.

use super::Case;
use crate::{
    domain::{Finding, Fingerprint, Limits, MailId, MailRef},
    face::page::{Page, Tone},
    mail::{
        RawMail, TxtAnswers,
        parse::{Text, addresses},
        results::{self, Word},
        text,
    },
    vendor::{Expectation, recognise},
};
use std::collections::BTreeSet;

/// Judged as the daemon would that knows of no key yet.
pub fn finding(mail: &RawMail, answers: &TxtAnswers, case: &Case<'_>) -> Finding {
    recognise(mail, answers, case.profile, &expectation(case), &Limits::default()).finding
}

/// Nothing is known here of keys and mails that came before.
pub fn expectation<'a>(case: &'a Case<'_>) -> Expectation<'a> {
    static KNOWN: BTreeSet<Fingerprint> = BTreeSet::new();
    static DONE: BTreeSet<MailId> = BTreeSet::new();
    Expectation {
        credential: case.name,
        recipients: &case.credential.recipients,
        others: &case.others,
        authserv_ids: case.authserv_ids,
        known: &KNOWN,
        done: &DONE,
        shape: None,
    }
}

/// One line: what would be done, and why.
pub fn words(finding: &Finding) -> (Tone, String) {
    match finding {
        Finding::NewKey(confirmation) => (
            Tone::Good,
            format!("a new key, {}: it would be proven, then promoted", label(confirmation.fingerprint)),
        ),
        Finding::Held { confirmation, why } => (
            Tone::Warning,
            format!(
                "a key, {}, that would be held for keyrelay accept: {why}",
                label(confirmation.fingerprint)
            ),
        ),
        Finding::Warning(warning) => {
            (Tone::Good, format!("a warning of {}: a rotation is coming", warning.dated.minutes()))
        }
        Finding::Known { fingerprint, .. } => {
            (Tone::Plain, format!("a key that is known, {}: nothing to do", label(*fingerprint)))
        }
        Finding::Wait { why, .. } => (Tone::Warning, format!("it cannot be judged now: {why}")),
        Finding::Suspicious { why, .. } => (Tone::Bad, format!("suspicious, it would not be used: {why}")),
        Finding::Unparsed { why, .. } => {
            (Tone::Warning, format!("the vendor's, but no key could be taken out of it: {why}"))
        }
        Finding::NotOurs { why, .. } => (Tone::Plain, format!("nothing for this credential: {why}")),
    }
}

/// The decision, word for word.
fn decision(finding: &Finding) -> String {
    match finding {
        Finding::NewKey(_) => "NewKey".into(),
        Finding::Warning(_) => "Warning".into(),
        Finding::Known { .. } => "Known".into(),
        Finding::Wait { why, .. } => format!("Wait({why})"),
        Finding::Held { why, .. } => format!("Held({why})"),
        Finding::Suspicious { why, .. } => format!("Suspicious({why})"),
        Finding::Unparsed { why, .. } => format!("Unparsed({why})"),
        Finding::NotOurs { why, .. } => format!("NotOurs({why})"),
    }
}

/// A weak key's fingerprint would give it away.
fn label(fingerprint: Fingerprint) -> String {
    if fingerprint.is_weak() {
        "too short for its fingerprint to be shown".into()
    } else {
        format!("fingerprint {fingerprint}")
    }
}

pub fn mail(finding: &Finding) -> &MailRef {
    match finding {
        Finding::NewKey(confirmation) | Finding::Held { confirmation, .. } => &confirmation.mail,
        Finding::Warning(warning) => &warning.mail,
        Finding::Known { mail, .. }
        | Finding::Wait { mail, .. }
        | Finding::Suspicious { mail, .. }
        | Finding::Unparsed { mail, .. }
        | Finding::NotOurs { mail, .. } => mail,
    }
}

/// What was looked at, for whoever doubts the verdict.
pub fn facts(page: &mut Page, mail: &RawMail, finding: &Finding, case: &Case<'_>) {
    let reference = self::mail(finding);
    page.column("signed by".len());
    page.row(2, "decision", Tone::Plain, &decision(finding));
    page.row(2, "mail", Tone::Plain, &reference.id.0);
    page.row(2, "from", Tone::Plain, &reference.from);
    let signed = match reference.signed_by.as_str() {
        "" => "nobody whose signature counts".to_owned(),
        domain => format!("{domain} (selector {})", reference.selector),
    };
    page.row(2, "signed by", Tone::Plain, &signed);
    page.row(2, "to", Tone::Plain, &addressee(mail, case).unwrap_or_else(|why| why));
    page.row(2, "subject", Tone::Plain, &subject(mail, case).unwrap_or_else(|why| why));
    if let Some(word) = own_server(mail, &reference.from, case) {
        page.row(2, "results", Tone::Plain, &word);
    }
    page.column(0);
}

/// What the mailbox's own server says, where the configuration names it.
fn own_server(mail: &RawMail, from: &str, case: &Case<'_>) -> Option<String> {
    let ids = case.authserv_ids.join(", ");
    let rules = case.profile.mail.as_ref().filter(|_| !ids.is_empty())?;
    let text = Text::new(&mail.bytes).ok()?;
    Some(match results::word(&text.mail().ok()?, case.authserv_ids, &rules.signed_by, from) {
        Word::Nothing => format!("none by {ids}, which should write them (authserv_id)"),
        Word::NothingAgainst(id) => format!("{id} says nothing against it"),
        Word::Against(why) => why,
    })
}

/// The addresses are named where they are ours, counted where they are not.
fn addressee(mail: &RawMail, case: &Case<'_>) -> Result<String, String> {
    let text = Text::new(&mail.bytes)?;
    let entity = text.mail()?;
    let to = entity.one("To")?.ok_or("missing")?.unfolded()?;
    let to = addresses(&to).map_err(|fault| format!("unreadable: it {fault}"))?;
    let ours: Vec<&str> = to
        .iter()
        .filter(|address| case.credential.recipients.contains(address))
        .map(String::as_str)
        .collect();
    Ok(match &ours[..] {
        [] => format!(
            "{} of the credential's recipients",
            if to.is_empty() { "nobody, so none" } else { "none" }
        ),
        ours => format!("{}, a recipient of the credential", ours.join(", ")),
    })
}

/// A subject may hold a key: only what it matches is shown.
fn subject(mail: &RawMail, case: &Case<'_>) -> Result<String, String> {
    let Some(rules) = &case.profile.mail else { return Ok("the vendor sends no notices".into()) };
    let raw = Text::new(&mail.bytes)?;
    let subject = text::subject(&raw.mail()?)?.unwrap_or_default();
    let stream = if rules.confirmation.subject.iter().any(|pattern| pattern.matches(&subject)) {
        "that of a confirmation"
    } else if rules.warning.subject.iter().any(|pattern| pattern.matches(&subject)) {
        "that of a warning"
    } else {
        "neither a warning's nor a confirmation's"
    };
    Ok(stream.into())
}
