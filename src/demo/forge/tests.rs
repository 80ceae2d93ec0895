//! What is forged stays out and what is genuine gets in; some thousands here, a million in `scripts/forgeries`.

use super::*;
use std::collections::BTreeMap;

const FORGERIES: u64 = 1_500;
const VARIANTS: u64 = 500;

fn room() -> Mailroom {
    Mailroom::new().unwrap()
}

#[test]
fn no_genuine_variant_is_refused() {
    let room = room();
    let mut refused = Vec::new();
    for seed in 0..VARIANTS {
        let draft = genuine(seed);
        let recognised = room.judge(&draft.mail(&room), &draft);
        if !is_accepted(&recognised) || recognised.key.as_ref() != Some(&draft.key) {
            refused.push(format!("seed {seed}: {:?}\n{}", recognised.finding, draft.story.join("; ")));
        }
    }
    println!("{} of {VARIANTS} genuine variants refused", refused.len());
    assert!(refused.is_empty(), "{} refused:\n{}", refused.len(), refused.join("\n"));
}

#[test]
fn no_forgery_is_accepted_of_the_first_seeds() {
    forgeries(0..FORGERIES);
}

#[test]
fn no_forgery_is_accepted_of_the_next_seeds() {
    forgeries(FORGERIES..2 * FORGERIES);
}

/// None is let in, and one in four is shown to be refused for its forging alone.
fn forgeries(seeds: std::ops::Range<u64>) {
    let room = room();
    let (mut accepted, mut far, mut counts) = (Vec::new(), Vec::new(), BTreeMap::new());
    for seed in seeds {
        let forgery = forgery(seed);
        let recognised = room.judge(&forgery.forged.mail(&room), &forgery.forged);
        *counts.entry((forgery.family, verdict(&recognised.finding))).or_insert(0) += 1;
        if is_accepted(&recognised) {
            accepted.push(format!("seed {seed}: {:?}", forgery.steps));
        }
        if seed % 4 == 0 {
            let control = room.judge(&forgery.genuine.mail(&room), &forgery.genuine);
            if !is_accepted(&control) {
                far.push(format!("seed {seed}: {:?}: {:?}", forgery.steps, control.finding));
            }
        }
    }
    println!("{counts:#?}");
    assert!(accepted.is_empty(), "{} accepted:\n{}", accepted.len(), accepted.join("\n"));
    assert!(far.is_empty(), "{} would be refused without their forging too:\n{}", far.len(), far.join("\n"));
}

/// One of them was once let in: four words of any kind could stand before "your API key has been rotated", and
/// `Comment on "` are two.
#[test]
fn m19_no_subject_that_quotes_a_confirmation_s_is_one() {
    let room = room();
    for subject in games::echo::OTHER_MAILS {
        let mut draft = genuine(0);
        draft.set("Subject", subject);
        let recognised = room.judge(&draft.mail(&room), &draft);
        assert_eq!(verdict(&recognised.finding), "NotOurs", "{subject}");
    }
}

#[test]
fn every_step_is_taken_and_makes_a_forgery_by_itself() {
    let room = room();
    let mut accepted = Vec::new();
    for family in Family::ALL {
        for step in family.steps() {
            for seed in 0..12 {
                let mut dice = Dice::new(seed);
                let mut draft = genuine::draft(&mut dice);
                (step.take)(&mut draft, &mut dice);
                let recognised = room.judge(&draft.mail(&room), &draft);
                if is_accepted(&recognised) {
                    accepted.push(format!("{}: {}, seed {seed}", family.name(), step.name));
                }
            }
        }
    }
    assert!(accepted.is_empty(), "{} accepted:\n{}", accepted.len(), accepted.join("\n"));
}

#[test]
fn a_seed_makes_the_same_mail_each_time() {
    let room = room();
    for seed in [0, 1, 7, u64::MAX] {
        let mail = || forgery(seed).forged.transcript(&room);
        assert_eq!(mail(), mail());
    }
    assert_ne!(genuine(1).mail(&room), genuine(2).mail(&room));
}
