//! The key that nobody issued.

use crate::domain::Key;
use crate::probe::random_like;
use proptest::prelude::*;

fn control_of(text: &str, random: &mut impl FnMut() -> u8) -> String {
    let key = Key::parse(text).unwrap();
    let control = random_like(&key.shape(), random);
    assert_eq!(control.shape(), key.shape());
    assert!(key.shape().fits(control.expose()));
    control.expose().to_owned()
}

/// Bytes that look random and are the same in each run.
fn bytes() -> impl FnMut() -> u8 {
    let mut state = 1_u32;
    move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    }
}

#[test]
fn the_fixed_prefix_stays_and_everything_behind_it_is_new() {
    let real = "l7_9fK2mQ8zR4tY6uW1aB3cD5eF7gH9iJ0kL2mN4oP6q";
    let control = control_of(real, &mut bytes());
    assert!(control.starts_with("l7_"));
    let same = real[3..].bytes().zip(control[3..].bytes()).filter(|(one, other)| one == other).count();
    assert!(same < 5, "{same} characters stand where they stood");
    assert_ne!(
        control,
        control_of(real, &mut {
            let mut bytes = bytes();
            bytes();
            bytes
        }),
        "other bytes, other key"
    );
}

#[test]
fn every_kind_of_key_gets_a_control_of_its_kind() {
    for text in [
        "01234567-89ab-cdef-0123-456789abcdef",
        "sk_live_4f9fK2mQ8zR4tY6uW1aB3cD5",
        "0123456789012345",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "ABCDEFGHIJKLMNOPQRSTUVWX",
    ] {
        control_of(text, &mut bytes());
        control_of(text, &mut || 0);
    }
}

#[test]
fn a_key_of_short_words_gives_none_of_them_away() {
    let key = Key::parse("abcdef-ghijkl-mnopqr-stuvwx").unwrap();
    assert_eq!(key.shape().prefix, "abcdef-ghijkl-mnopqr-");
    let control = random_like(&key.shape(), &mut bytes());
    assert_eq!(control.expose().len(), 27);
    assert!(!control.expose().contains("abcdef"), "the words are all that is secret in it");
}

proptest! {
    #[test]
    fn whatever_the_key_its_control_is_another_key(text in "[A-Za-z0-9._~+/=:-]{16,512}", seed: u8) {
        let key = Key::parse(&text).unwrap();
        let mut bytes = bytes();
        (0..seed).for_each(|_| { bytes(); });
        let control = random_like(&key.shape(), &mut bytes);
        prop_assert_eq!(control.expose().len(), text.len());
        prop_assert_ne!(control, key);
    }
}
