//! What is learned of the profile's own wordings, worded as no rule of the profile knows them.

use super::*;
use crate::{
    demo::{
        mails::{CONFIRMATIONS, Fields, fill},
        sign::Signer,
    },
    domain::{CredentialName, Timestamp},
    mail::TxtAnswer,
    vendor::resolve,
};
use std::{collections::BTreeMap, sync::LazyLock};
use zeroize::Zeroizing;

const TO: &str = "rotation@example.com";
const FROM: &str = "robot@mail.newvendor.example";
const KEY: &str = "nv_live_f9e8d7c6B5a493827160F5e4d3c2b1a0";
const NEXT: &str = "nv_live_0123456789abcdefABCDEF0123456789";

/// Nobody's rule leads from this subject, or from these words, to a key.
const STRANGE: &str = "From: {sender}\nTo: {to}\nSubject: Parcel 20418 is on your desk\nDate: {date}\n\
    Message-ID: <{id}@x>\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\
    Content-Transfer-Encoding: quoted-printable\n\nHello Jane,\n\nthe courier left it at door 17, which is: {key}.\n\
    \nTrack it at https://newvendor.example/t/9fK2mQ8zR4tY6uW1bN3v or write to jane@example.com, file 7788991.\n";

struct World {
    signer: Signer,
    answers: TxtAnswers,
    profile: Profile,
}

impl World {
    fn new() -> Self {
        Self::signed_by("mail.newvendor.example")
    }

    fn signed_by(domain: &str) -> Self {
        let signer = Signer::generate(domain, "s1").unwrap();
        let (name, record) = signer.txt_record();
        let answers = TxtAnswers::from([(name, TxtAnswer::Found(vec![record]))]);
        static LEAF7: LazyLock<Profile> =
            LazyLock::new(|| resolve(&BTreeMap::new()).unwrap().remove(&"leaf7".parse().unwrap()).unwrap());
        Self { signer, answers, profile: LEAF7.clone() }
    }

    fn mail(&self, template: &str, key: &str) -> RawMail {
        raw(self.signer.sign(&filled(template, key)))
    }

    fn lesson(&self, mail: &RawMail) -> Result<Lesson, Unlearned> {
        Lesson::of(mail, &self.answers, &Limits::default())
    }

    fn learn(&self, mail: &RawMail, line: usize) -> Result<Learned, Unlearned> {
        let lesson = self.lesson(mail)?;
        lesson.learn(line, mail, &self.answers, &self.profile, &expected(), &Limits::default())
    }

    fn learn_where(&self, mail: &RawMail, marked: &str) -> Result<Learned, Unlearned> {
        let lines = self.lesson(mail)?.lines();
        let at = lines.iter().position(|line| line.contains(marked)).expect("a line with the mark");
        self.learn(mail, at + 1)
    }

    fn finding(&self, mail: &RawMail, profile: &Profile) -> Recognised {
        recognise(mail, &self.answers, profile, &expected(), &Limits::default())
    }
}

fn filled(template: &str, key: &str) -> Vec<u8> {
    let (key, old) =
        (Key::parse(key).unwrap(), Key::parse("nv_live_00000000000000000000000000000000").unwrap());
    let date = "2026-11-20T09:00:00Z".parse().unwrap();
    fill(template, &Fields { key: &key, old: &old, from: FROM, to: TO, date })
}

fn raw(bytes: Vec<u8>) -> RawMail {
    let arrived_at: Timestamp = "2026-11-20T09:00:10Z".parse().unwrap();
    RawMail {
        size: bytes.len(),
        bytes: Zeroizing::new(bytes),
        header_only: false,
        arrived_at,
        folder: "INBOX".into(),
        junk: false,
        place: "1/1".into(),
    }
}

fn expected() -> Expectation<'static> {
    static RECIPIENTS: LazyLock<[String; 1]> = LazyLock::new(|| [TO.to_owned()]);
    static NAME: LazyLock<CredentialName> = LazyLock::new(|| "main".parse().unwrap());
    static NONE: (BTreeSet<crate::domain::Fingerprint>, BTreeSet<crate::domain::MailId>) =
        (BTreeSet::new(), BTreeSet::new());
    Expectation {
        credential: &NAME,
        recipients: &*RECIPIENTS,
        others: &[],
        authserv_ids: &[],
        known: &NONE.0,
        done: &NONE.1,
        shape: None,
    }
}

fn why_not<T>(learned: Result<T, Unlearned>) -> String {
    match learned {
        Ok(_) => panic!("it was learned"),
        Err(Unlearned::Refused(why)) => why,
        Err(Unlearned::Unknown(why)) => format!("unknown: {why}"),
    }
}

#[test]
fn a_wording_that_no_rule_knows_is_learned_by_the_letter_and_takes_the_next_key() {
    let world = World::new();
    let mail = world.mail(STRANGE, KEY);
    assert!(world.finding(&mail, &world.profile).key.is_none(), "the profile does not know it");
    let learned = world.learn_where(&mail, "door").ok().unwrap();

    let rules = learned.profile.mail.clone().unwrap();
    assert_eq!(
        (rules.from, rules.signed_by),
        (vec![FROM.to_owned()], vec!["mail.newvendor.example".to_owned()])
    );
    assert!(rules.aligned && rules.selectors.is_empty());
    let written = |patterns: Vec<String>| patterns;
    let subject: Vec<String> = rules.confirmation.subject.into_iter().map(String::from).collect();
    let anchors: Vec<String> = rules.confirmation.key_after.into_iter().map(String::from).collect();
    assert_eq!(written(subject), ["Parcel [0-9]+ is on your desk"]);
    assert_eq!(written(anchors), ["(^|[^a-z0-9])courier left it at door [0-9]+, which is"]);
    assert_eq!(
        learned.profile.key.pattern.clone().map(String::from).as_deref(),
        Some("(?-i:nv_live_[a-zA-Z0-9]{32})")
    );

    let next = STRANGE.replace("20418", "777").replace("door 17", "door 4");
    let taken = world.finding(&world.mail(&next, NEXT), &learned.profile);
    assert!(matches!(taken.finding, Finding::NewKey(_)), "{:?}", taken.finding);
    for other in [
        next.replace("which is", "which was"),
        next.replace("is on your desk", "is on your roof"),
        next.replace("{sender}", "V <other@mail.newvendor.example>"),
        next.replace("{key}", "xx_live_0123456789abcdefABCDEF0123456789"),
        next.replace("{key}", "{key}00"),
    ] {
        let refused = world.finding(&world.mail(&other, NEXT), &learned.profile);
        assert!(refused.key.is_none(), "{:?}", refused.finding);
    }
}

#[test]
fn every_wording_of_the_profile_can_be_learned_and_its_fixture_is_such_a_mail() {
    let world = World::new();
    for (name, template) in CONFIRMATIONS.iter().filter(|(_, template)| !template.contains("{old}")) {
        let mail = world.mail(template, KEY);
        let learned = world.learn_where(&mail, "characters]");
        let learned = learned.unwrap_or_else(|why| panic!("{name}: {why:?}"));
        let next = world.finding(&world.mail(template, NEXT), &learned.profile);
        assert!(matches!(next.finding, Finding::NewKey(_)), "{name}: {:?}", next.finding);

        let fixture = fixture(&mail.bytes, &learned.key, &Limits::default()).unwrap();
        assert!(
            !fixture.contains(KEY) && !fixture.contains(TO) && !fixture.contains(FROM),
            "{name}: {fixture}"
        );
        let again = world.finding(&world.mail(&fixture, NEXT), &learned.profile);
        assert!(matches!(again.finding, Finding::NewKey(_)), "{name}: {:?}\n{fixture}", again.finding);
        assert_eq!(again.key, Some(Key::parse(NEXT).unwrap()), "{name}");
    }
}

#[test]
fn what_is_shown_and_what_is_kept_as_a_fixture_holds_nothing_secret_and_nothing_of_the_recipient() {
    let world = World::new();
    let mail = world.mail(STRANGE, KEY);
    let lines = world.lesson(&mail).ok().unwrap().lines();
    assert_eq!(lines[1], "the courier left it at door 17, which is: [40 characters].");
    let learned = world.learn_where(&mail, "door").ok().unwrap();
    let fixture = fixture(&mail.bytes, &learned.key, &Limits::default()).unwrap();
    let tail = "the courier left it at door 17, which is: {key}.\n\nTrack it at https://newvendor.example/ or \
                write to someone@example.com file 0000000.\n";
    assert!(fixture.ends_with(tail), "{fixture}");
    assert!(fixture.contains("\nSubject: Parcel 00000 is on your desk\n"), "{fixture}");
}

#[test]
fn nothing_is_learned_of_a_mail_whose_signature_does_not_hold() {
    let world = World::new();
    let unsigned = raw(filled(STRANGE, KEY));
    assert!(why_not(world.lesson(&unsigned)).starts_with("nobody signed it"));

    let mut changed = world.mail(STRANGE, KEY);
    let at = changed.bytes.len() - 10;
    changed.bytes[at] ^= 1;
    let why = why_not(world.lesson(&changed));
    assert_eq!(why, "the signature of mail.newvendor.example does not hold: the body was changed");

    let stranger = World { answers: TxtAnswers::new(), ..World::new() };
    assert!(why_not(stranger.lesson(&stranger.mail(STRANGE, KEY))).starts_with("unknown: "));
}

#[test]
fn of_a_mail_that_another_domain_signs_sender_and_selector_are_pinned_too() {
    let world = World::signed_by("sender.example");
    let learned = world.learn_where(&world.mail(STRANGE, KEY), "door").ok().unwrap();
    let rules = learned.profile.mail.unwrap();
    assert!(!learned.aligned && !rules.aligned);
    assert_eq!((rules.from, rules.selectors), (vec![FROM.to_owned()], vec!["s1".to_owned()]));
}

#[test]
fn a_line_that_does_not_lead_to_one_key_teaches_nothing() {
    let world = World::new();
    let mail = world.mail(STRANGE, KEY);
    assert_eq!(why_not(world.learn(&mail, 1)), "its line 1 holds nothing that could be a key");
    assert_eq!(why_not(world.learn(&mail, 0)), "it has no line 0: its lines are 1 to 3");
    let two = world.mail(&STRANGE.replace("{key}.", &format!("{{key}} or {NEXT}")), KEY);
    assert_eq!(why_not(world.learn(&two, 2)), "its line 2 holds 2 words that could be keys");
    let bare = STRANGE.replace("Hello Jane,\n\nthe courier left it at door 17, which is: ", "");
    assert_eq!(
        why_not(world.learn(&world.mail(&bare, KEY), 1)),
        "nothing stands before the key that a rule could hold on to"
    );
    let to_another = world.mail(&STRANGE.replace("To: {to}", "To: eve@example.com"), KEY);
    assert!(why_not(world.learn(&to_another, 2)).contains("addressed to somebody else"));
    let in_subject = world.mail(&STRANGE.replace("20418", NEXT), KEY);
    assert_eq!(why_not(world.learn(&in_subject, 2)), "its subject holds what looks like a key");
}
