//! A rule out of one genuine mail: who sends it, who signs it, its subject, what stands before the key, and what the
//! key looks like. The mail must be proven before anything of it is believed, and the rule must lead to the very key
//! that was pointed at: what comes of it is tried on the mail before it is shown.
//!
//! A rule is taken by the letter: of what stands there only numbers may differ in the next mail.

mod fixture;

pub use fixture::fixture;

use super::{
    extract::{key_words, looks_like_a_key},
    profile::{Examples, MailRules, Profile},
    recognise::{Expectation, Recognised, recognise},
    validate::mistakes,
};
use crate::{
    domain::{Finding, Key, KeyShape, Limits},
    mail::{
        RawMail, TxtAnswers,
        authenticity::{Judgement, Pins, SignedBy, judge, signers},
        parse::{Entity, Text, is_too_large},
        text::{self, Lines, Visible},
    },
};
use std::collections::BTreeSet;

/// So many words before a key are kept: more would be a sentence that is worded differently the next time.
const WORDS_MAX: usize = 8;

/// Why nothing can be learned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unlearned {
    /// The mail is not one to learn from. Completes "nothing is learned from this mail: ".
    Refused(String),
    /// The DNS did not say who signed it.
    Unknown(String),
}

/// A mail that is proven to be its sender's.
pub struct Lesson {
    from: String,
    signed_by: SignedBy,
    aligned: bool,
    subject: String,
    visible: Visible,
}

/// What was learned: the profile with the new rule in it.
pub struct Learned {
    pub profile: Profile,
    pub key: Key,
    /// Whether `From` is in the signing domain. If not, everybody whom that domain signs for is kept out by the
    /// sender's address and the selector alone.
    pub aligned: bool,
}

impl Lesson {
    /// Reads the mail, after its signature was shown to hold: by the sender's own domain, or else by another one.
    pub fn of(mail: &RawMail, answers: &TxtAnswers, limits: &Limits) -> Result<Self, Unlearned> {
        if is_too_large(mail.size, mail.header_only, limits) {
            return refused("it is larger than any mail that is read");
        }
        let text = Text::new(&mail.bytes).map_err(Unlearned::Refused)?;
        let entity = text.mail().map_err(Unlearned::Refused)?;
        let from = entity.sender().map_err(Unlearned::Refused)?;
        let (signed_by, aligned) = proven(&entity, &from, mail, answers, limits)?;
        let subject = text::subject(&entity).map_err(Unlearned::Refused)?.unwrap_or_default();
        if subject.split_whitespace().any(looks_like_a_key) {
            return refused("its subject holds what looks like a key");
        }
        let visible = text::read(&entity, limits).map_err(Unlearned::Refused)?;
        Ok(Self { from, signed_by, aligned, subject, visible })
    }

    /// What a reader sees, the text part's lines first, with what looks like a key struck out.
    pub fn lines(&self) -> Vec<String> {
        self.all_lines().map(struck_out).collect()
    }

    /// The rule that leads to the key on line `number`, counted from 1, in this and in no looser a way.
    pub fn learn(
        &self,
        number: usize,
        mail: &RawMail,
        answers: &TxtAnswers,
        base: &Profile,
        expected: &Expectation<'_>,
        limits: &Limits,
    ) -> Result<Learned, Unlearned> {
        let key = self.key_on(number)?;
        let mut profile = Profile { examples: Examples::default(), ..base.clone() };
        let Some(rules) = &mut profile.mail else {
            return refused("the vendor's profile has no rules for mails that one could be added to");
        };
        self.write(rules, &self.anchors(&key)?)?;
        let pattern = pattern(&key);
        profile.key.min_len = profile.key.min_len.min(key.expose().len());
        profile.key.max_len = profile.key.max_len.max(key.expose().len());
        profile.key.pattern = Some(pattern.try_into().map_err(Unlearned::Refused)?);
        if let Some(mistake) = mistakes("vendor", &profile).first() {
            return refused(&format!("its rule would be no rule: {}: {}", mistake.path, mistake.message));
        }
        match recognise(mail, answers, &profile, expected, limits) {
            Recognised { finding: Finding::NewKey(_), key: Some(found), .. } if found == key => {
                Ok(Learned { profile, key, aligned: self.aligned })
            }
            other => refused(&format!("with its own rule it would not be taken: {}", why(&other.finding))),
        }
    }

    fn all_lines(&self) -> impl Iterator<Item = &str> {
        let parts = [&self.visible.plain, &self.visible.html].into_iter().flatten();
        parts.flat_map(|lines| lines.iter().map(|line| line.as_str()))
    }

    fn key_on(&self, number: usize) -> Result<Key, Unlearned> {
        let count = self.all_lines().count();
        let Some(line) = number.checked_sub(1).and_then(|at| self.all_lines().nth(at)) else {
            return refused(&format!("it has no line {number}: its lines are 1 to {count}"));
        };
        let found: Vec<Key> = key_words(line).map(|word| word.key).collect();
        match <[Key; 1]>::try_from(found) {
            Ok([key]) => Ok(key),
            Err(none) if none.is_empty() => {
                refused(&format!("its line {number} holds nothing that could be a key"))
            }
            Err(several) => {
                refused(&format!("its line {number} holds {} words that could be keys", several.len()))
            }
        }
    }

    /// What stands before the key, wherever it stands.
    fn anchors(&self, key: &Key) -> Result<BTreeSet<String>, Unlearned> {
        let parts = [&self.visible.plain, &self.visible.html].into_iter().flatten();
        let found: BTreeSet<String> = parts.flat_map(|lines| anchors(lines, key)).collect();
        if found.is_empty() {
            return refused("nothing stands before the key that a rule could hold on to");
        }
        Ok(found)
    }

    fn write(&self, rules: &mut MailRules, anchors: &BTreeSet<String>) -> Result<(), Unlearned> {
        rules.from = vec![self.from.clone()];
        rules.signed_by = vec![self.signed_by.domain.clone()];
        rules.aligned = self.aligned;
        rules.selectors = if self.aligned { Vec::new() } else { vec![self.signed_by.selector.clone()] };
        let subject = literally(&self.subject).try_into().map_err(Unlearned::Refused)?;
        rules.confirmation.subject = vec![subject];
        let anchors = anchors.iter().map(|anchor| anchor.clone().try_into());
        rules.confirmation.key_after = anchors.collect::<Result<_, String>>().map_err(Unlearned::Refused)?;
        Ok(())
    }
}

/// The signature that holds, and whether it is of the sender's own domain.
fn proven(
    entity: &Entity<'_>,
    from: &str,
    mail: &RawMail,
    answers: &TxtAnswers,
    limits: &Limits,
) -> Result<(SignedBy, bool), Unlearned> {
    let own = from.rsplit_once('@').map_or("", |(_, domain)| domain);
    let mut signers = signers(entity);
    signers.sort_by_key(|signer| signer != own);
    let mut reasons = Vec::new();
    for signer in signers {
        let aligned = signer == own;
        let pins = Pins { domains: &[signer], selectors: &[], aligned };
        match judge(entity, from, mail.arrived_at, &pins, answers, limits) {
            Judgement::Genuine(by) => return Ok((by, aligned)),
            Judgement::Unknown { why } => return Err(Unlearned::Unknown(why)),
            Judgement::Weak { why, .. } | Judgement::False { why } => reasons.push(why),
        }
    }
    match reasons.is_empty() {
        true => refused("nobody signed it: whoever wrote it could teach keyrelay to take his keys"),
        false => refused(&reasons.join("; ")),
    }
}

/// What stands before each occurrence of the key: on its line, or else on the line above.
fn anchors(lines: &Lines, key: &Key) -> Vec<String> {
    let anchor_at = |(at, line): (usize, &str)| {
        let before = key_words(line).find(|word| word.key == *key)?.before;
        let above = at.checked_sub(1).map_or("", |above| lines[above].as_str());
        anchor(if before.chars().any(char::is_alphanumeric) { before } else { above })
    };
    lines.iter().map(|line| line.as_str()).enumerate().filter_map(anchor_at).collect()
}

/// The last words, as a regular expression that matches the end of a text.
fn anchor(text: &str) -> Option<String> {
    let text = text.trim_end_matches(|c: char| !c.is_alphanumeric());
    let words: Vec<&str> = text.split_whitespace().collect();
    let kept = words[words.len().saturating_sub(WORDS_MAX)..].join(" ");
    let kept = kept.trim_start_matches(|c: char| !c.is_alphanumeric());
    let begin = if words.len() <= WORDS_MAX && text.starts_with(kept) { "^" } else { "(^|[^a-z0-9])" };
    (!kept.is_empty() && !kept.split(' ').any(looks_like_a_key))
        .then(|| format!("{begin}{}", literally(kept)))
}

/// The text itself; only its numbers may be others, and not those in a name, as in Leaf7.
fn literally(text: &str) -> String {
    let mut pattern = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, number) = rest.split_at(at);
        rest = number.trim_start_matches(|c: char| c.is_ascii_digit());
        let in_name = before.ends_with(char::is_alphabetic) || rest.starts_with(char::is_alphabetic);
        pattern += &regex::escape(before);
        pattern += if in_name { &number[..number.len() - rest.len()] } else { "[0-9]+" };
    }
    pattern + &regex::escape(rest)
}

/// Keys of the same make: the fixed beginning, the classes of characters that occur, the length.
fn pattern(key: &Key) -> String {
    let KeyShape { prefix, len, lower, upper, digit, sign } = key.shape();
    let classes = [(lower, "a-z"), (upper, "A-Z"), (digit, "0-9"), (sign, "._~+/=:-")];
    let classes: String = classes.iter().filter(|(occurs, _)| *occurs).map(|(_, class)| *class).collect();
    format!("(?-i:{}[{classes}]{{{}}})", regex::escape(&prefix), len - prefix.len())
}

/// Without keys, and without what a terminal would obey.
fn struck_out(line: &str) -> String {
    let hidden = key_words(line).fold(line.to_owned(), |line, word| {
        let key = word.key.expose();
        line.replace(key, &format!("[{} characters]", key.len()))
    });
    hidden.chars().map(|c| if shows(c) { c } else { '?' }).collect()
}

/// Letters, digits, punctuation and blanks: no escapes, and nothing that turns the direction of writing round.
fn shows(c: char) -> bool {
    c == ' ' || c.is_alphanumeric() || c.is_ascii_graphic() || "’‘“”„«»–—…€£·•→×✓".contains(c)
}

fn why(finding: &Finding) -> &str {
    match finding {
        Finding::Held { why, .. }
        | Finding::Wait { why, .. }
        | Finding::Suspicious { why, .. }
        | Finding::Unparsed { why, .. }
        | Finding::NotOurs { why, .. } => why,
        Finding::NewKey(_) => "another key than that one is found in it",
        Finding::Warning(_) => "its subject is that of a warning",
        Finding::Known { .. } => "its key is known",
    }
}

fn refused<T>(why: &str) -> Result<T, Unlearned> {
    Err(Unlearned::Refused(why.to_owned()))
}

#[cfg(test)]
mod tests;
