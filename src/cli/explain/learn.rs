//! `keyrelay explain FILE.eml --learn`: the rule that a mail teaches, to be pasted, and the mail as a fixture.

use super::{
    super::console::{Console, Exit, Failure},
    Case, apart, file, look_up,
    verdict::expectation,
};
use crate::{
    config::Config,
    domain::Limits,
    mail::{
        RawMail, authenticity,
        parse::{Fault, Text},
    },
    vendor::{Learned, Lesson, Unlearned, fixture, profile::MailRules},
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

pub async fn learn(
    config: &Config,
    cases: &[Case<'_>],
    file: &Path,
    key_line: Option<usize>,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    let case = only(cases)?;
    let mail = file::read(file)?.0;
    let answers = look_up(config, questions(&mail)).await?;
    let limits = Limits::default();
    let lesson = of(apart(|| Lesson::of(&mail, &answers, &limits)))?;
    let number = match key_line {
        Some(number) => number,
        None => ask(&lesson.lines(), console)?,
    };
    let expected = expectation(case);
    let learned = of(apart(|| lesson.learn(number, &mail, &answers, case.profile, &expected, &limits)))?;
    console.say(&rule(case, &learned)?);
    match apart(|| fixture(&mail.bytes, &learned.key, &limits)) {
        Some(Ok(fixture)) => console.say(&format!("\n{FIXTURE}\n{fixture}")),
        Some(Err(why)) => console.tell(&format!("no fixture is made of it: {why}")),
        None => console.tell("no fixture is made of it: the parser broke down over it"),
    }
    Ok(Exit::Done)
}

const FIXTURE: &str = "\
# The same mail as a fixture, for a profile's folder or a report: {key}, {to} and the like are filled in by the tests.
# Links, addresses, long numbers and other keys are taken out. Names are not: read it before you give it away.
# --------------------------------------------------------------------------------------------------------------";

/// A rule is one vendor's, and tried for one credential.
fn only<'c, 'a>(cases: &'c [Case<'a>]) -> Result<&'c Case<'a>, Failure> {
    match cases {
        [case] => Ok(case),
        [] => Err(Failure::mistake("there is no credential to learn for")
            .hint("configure one with this vendor first".to_owned())),
        [first, ..] => Err(Failure::mistake("there are several credentials, and a rule is learned for one")
            .hint(format!("say which: --credential {}", first.name))),
    }
}

/// The keys of all who signed it: here it is an operator who asks, not whoever sends mails.
fn questions(mail: &RawMail) -> BTreeSet<String> {
    let signers = || {
        let text = Text::new(&mail.bytes)?;
        Ok::<_, Fault>(authenticity::signers(&text.mail()?))
    };
    let names = apart(|| {
        let signers = signers().unwrap_or_default();
        authenticity::questions(&mail.bytes, &signers)
    });
    names.unwrap_or_default().into_iter().collect()
}

fn of<T>(read: Option<Result<T, Unlearned>>) -> Result<T, Failure> {
    match read {
        Some(Ok(read)) => Ok(read),
        Some(Err(Unlearned::Refused(why))) => {
            Err(Failure::refused(format!("nothing is learned from this mail: {why}")))
        }
        Some(Err(Unlearned::Unknown(why))) => {
            Err(Failure::unreachable(format!("it cannot be told now who signed this mail: {why}"))
                .hint("mend the resolver (dns.servers), or try again later".to_owned()))
        }
        None => Err(Failure::refused("nothing is learned from this mail: the parser broke down over it")),
    }
}

/// The mail's lines, and which of them holds the key.
fn ask(lines: &[String], console: &mut Console<'_>) -> Result<usize, Failure> {
    for (at, line) in lines.iter().enumerate() {
        console.tell(&format!("{:>4}  {line}", at + 1));
    }
    let hint = || "say which line holds the new key: --key-line N".to_owned();
    if !console.asks {
        return Err(Failure::mistake("there is no terminal to ask at").hint(hint()));
    }
    let answer = console.answer("Which line holds the new key? ");
    answer
        .trim()
        .parse()
        .map_err(|_| Failure::mistake(format!("{:?} is no line's number", answer.trim())).hint(hint()))
}

/// What is pasted: `vendors` as the configuration has it.
#[derive(Serialize)]
struct Paste<'a> {
    vendors: BTreeMap<&'a str, Override<'a>>,
}

#[derive(Serialize)]
struct Override<'a> {
    mail: MailOverride<'a>,
    key: KeyOverride,
}

#[derive(Serialize)]
struct MailOverride<'a> {
    from: &'a [String],
    signed_by: &'a [String],
    aligned: bool,
    selectors: &'a [String],
    confirmation: Confirmation,
}

#[derive(Serialize)]
struct Confirmation {
    subject: Vec<String>,
    key_after: Vec<String>,
}

#[derive(Serialize)]
struct KeyOverride {
    pattern: Option<String>,
    min_len: usize,
    max_len: usize,
}

fn rule(case: &Case<'_>, learned: &Learned) -> Result<String, Failure> {
    let Some(rules) = &learned.profile.mail else {
        return Err(Failure::refused("nothing is learned: the profile has no rules for mails"));
    };
    let vendor = case.credential.vendor.to_string();
    let paste = Paste { vendors: BTreeMap::from([(vendor.as_str(), overriding(rules, learned))]) };
    let yaml = yaml_serde::to_string(&paste)
        .map_err(|error| Failure::refused(format!("the rule cannot be written: {error}")))?;
    let mut head = format!(
        "# A confirmation of {vendor} as this mail is one. Paste it as config.d/{vendor}-mail.yaml, then: keyrelay check\n\
         # Its lists replace those of the profile: with it no other wording is a confirmation (keyrelay vendors {vendor}).\n"
    );
    if !learned.aligned {
        head +=
            "# Another domain than the sender's signs it, so that sender and selector are pinned as well.\n";
    }
    Ok(head + &yaml)
}

fn overriding<'a>(rules: &'a MailRules, learned: &Learned) -> Override<'a> {
    let key = &learned.profile.key;
    Override {
        mail: MailOverride {
            from: &rules.from,
            signed_by: &rules.signed_by,
            aligned: rules.aligned,
            selectors: &rules.selectors,
            confirmation: Confirmation {
                subject: rules.confirmation.subject.iter().cloned().map(String::from).collect(),
                key_after: rules.confirmation.key_after.iter().cloned().map(String::from).collect(),
            },
        },
        key: KeyOverride {
            pattern: key.pattern.clone().map(String::from),
            min_len: key.min_len,
            max_len: key.max_len,
        },
    }
}
