//! What must be taken.

use super::*;
use crate::demo::mails::{CONFIRMATIONS, WARNINGS};

#[test]
fn every_wording_becomes_a_new_key() {
    let world = World::new();
    for (name, template) in CONFIRMATIONS {
        let recognised = world.recognise(&world.signer.sign(&world.fill(template)));
        let Finding::NewKey(confirmation) = recognised.finding else {
            panic!("{name}: {:?}", recognised.finding);
        };
        assert_eq!(recognised.key.as_ref(), Some(&world.key), "{name}");
        assert_eq!(confirmation.fingerprint, world.key.fingerprint(), "{name}");
        assert_eq!((confirmation.dated, confirmation.rotated_at), (world.dated(), world.dated()), "{name}");
        assert_eq!(
            (confirmation.mail.signed_by.as_str(), confirmation.mail.selector.as_str()),
            ("leaf7.fun", "s1")
        );
        assert_eq!(confirmation.mail.from, FROM);
    }
}

#[test]
fn every_wording_carries_keys_of_every_make() {
    for (nth, key) in keys_of_other_makes().into_iter().enumerate() {
        let mut world = World::new();
        world.shape = None;
        world.key = key;
        for (name, template) in CONFIRMATIONS {
            let recognised = world.recognise(&world.signer.sign(&world.fill(template)));
            assert!(
                matches!(recognised.finding, Finding::NewKey(_)),
                "{name}, key {nth}: {:?}",
                recognised.finding
            );
            assert_eq!(recognised.key.as_ref(), Some(&world.key), "{name}, key {nth}");
        }
    }
}

#[test]
fn every_wording_is_taken_from_a_maildir_with_its_own_line_ends() {
    let world = World::new();
    for (name, template) in CONFIRMATIONS {
        let mail = world.signer.sign(&world.fill(template));
        let mail: Vec<u8> = mail.into_iter().filter(|b| *b != b'\r').collect();
        assert!(matches!(world.recognise(&mail).finding, Finding::NewKey(_)), "{name}");
    }
}

#[test]
fn every_warning_is_a_warning() {
    let world = World::new();
    for (name, template) in WARNINGS {
        let recognised = world.recognise(&world.signer.sign(&world.fill(template)));
        let Finding::Warning(warning) = recognised.finding else {
            panic!("{name}: {:?}", recognised.finding)
        };
        assert_eq!((warning.dated, recognised.key), (world.dated(), None), "{name}");
    }
}
