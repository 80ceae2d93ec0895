//! A profile is tried on its own examples: a rule that does not do what they say is a mistake.

use super::{
    answer::classify,
    issued::{Issued, issued},
    profile::{AnswerExample, AnswerMeaning, Profile, RotationExample, RotationMeaning},
};
use crate::domain::Verdict;
use serde_json::Value;

/// Each misfit: the path of the example below the profile, and what is wrong.
pub(super) fn misfits(profile: &Profile) -> Vec<(String, String)> {
    let examples = &profile.examples;
    let answers = examples
        .answers
        .iter()
        .enumerate()
        .filter_map(|(n, example)| Some((format!("examples.answers.{n}"), answer(profile, example)?)));
    let rotations =
        examples.rotations.iter().enumerate().filter_map(|(n, example)| {
            Some((format!("examples.rotations.{n}"), rotation(profile, example)?))
        });
    let keys = examples.keys.iter().enumerate().filter_map(|(n, key)| {
        let why = profile.key.misfit(key)?;
        Some((format!("examples.keys.{n}"), format!("key does not fit it: {why}")))
    });
    answers.chain(rotations).chain(keys).chain(mails(profile)).collect()
}

fn mails(profile: &Profile) -> Vec<(String, String)> {
    let examples = &profile.examples;
    let Some(rules) = &profile.mail else {
        let none = [&examples.warning_subjects, &examples.confirmation_subjects, &examples.before_key];
        let some = none.iter().any(|list| !list.is_empty());
        return some
            .then(|| ("examples".into(), "there are mails, and no rules under mail".into()))
            .into_iter()
            .collect();
    };
    let warns = |text: &str| rules.warning.subject.iter().any(|rule| rule.matches(text));
    let confirms = |text: &str| rules.confirmation.subject.iter().any(|rule| rule.matches(text));
    // Whether what parts it from the key is written in a rule or not.
    let opens = |c: char| c.is_whitespace() || ":\"'`([<".contains(c);
    let before = |text: &str| {
        let bare = text.trim_end_matches(opens);
        rules.confirmation.key_after.iter().any(|rule| rule.ends(text) || rule.ends(bare))
    };
    let mut found = Vec::new();
    let mut each = |list: &[String], name: &str, rule: &str, fits: &dyn Fn(&str) -> bool| {
        let misfits = list.iter().enumerate().filter(|(_, text)| !fits(text));
        found.extend(
            misfits.map(|(n, _)| (format!("examples.{name}.{n}"), format!("no rule of {rule} fits it"))),
        );
    };
    each(&examples.warning_subjects, "warning_subjects", "mail.warning.subject", &warns);
    each(&examples.confirmation_subjects, "confirmation_subjects", "mail.confirmation.subject", &confirms);
    each(&examples.before_key, "before_key", "mail.confirmation.key_after", &before);
    found
}

fn answer(profile: &Profile, example: &AnswerExample) -> Option<String> {
    let read = classify(profile, example.status, &bytes(&example.body));
    let means = match (read.verdict, read.foreign) {
        (Verdict::Alive, true) => AnswerMeaning::WrongAccount,
        (Verdict::Alive, false) => AnswerMeaning::Alive,
        (Verdict::Dead, _) => AnswerMeaning::Dead,
        (Verdict::Unclear, _) => AnswerMeaning::Unclear,
    };
    if means != example.means {
        return Some(format!("the rules of probe read it as {}: {}", words(means), read.why));
    }
    let account: Vec<String> =
        read.account.map(|account| account.0.into_iter().collect()).unwrap_or_default();
    let mut expected = example.account.clone();
    expected.sort();
    // Where the identity is a parameter, a profile alone has none.
    let own = !matches!(profile.probe.identity, Some(super::profile::Identity::Param(_)));
    (own && account != expected).then(|| format!("probe.identity finds {account:?} in it"))
}

fn rotation(profile: &Profile, example: &RotationExample) -> Option<String> {
    let (means, why) = match issued(profile, example.status, &bytes(&example.body)) {
        Issued::Key(new) => match profile.key.misfit(new.key.expose()) {
            None => (RotationMeaning::Issued, String::new()),
            Some(why) => return Some(format!("the key in it does not fit key: {why}")),
        },
        Issued::Refused { why } => (RotationMeaning::Refused, why),
        Issued::Unclear { why } => (RotationMeaning::Unclear, why),
    };
    let words = match means {
        RotationMeaning::Issued => "a new key",
        RotationMeaning::Refused => "a refusal",
        RotationMeaning::Unclear => "unclear",
    };
    let why = if why.is_empty() { why } else { format!(": {why}") };
    (means != example.means).then(|| format!("the rules of rotation.call read it as {words}{why}"))
}

fn words(means: AnswerMeaning) -> &'static str {
    match means {
        AnswerMeaning::Alive => "alive",
        AnswerMeaning::Dead => "dead",
        AnswerMeaning::WrongAccount => "of another account",
        AnswerMeaning::Unclear => "unclear",
    }
}

/// Text stands for itself, anything else for its JSON.
fn bytes(body: &Value) -> Vec<u8> {
    match body {
        Value::String(text) => text.clone().into_bytes(),
        json => json.to_string().into_bytes(),
    }
}
