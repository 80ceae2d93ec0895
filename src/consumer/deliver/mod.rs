//! Handing a key to a consumer, and comparing what the consumer has with what it should have.

pub mod command;
pub mod file;
mod folder;
mod form;

use crate::domain::{CopyState, Key};

/// Compares a consumer's own field in the store (`deliver: store`) with the key it should hold. The store keeps
/// versions, so whatever stands there may be overwritten.
pub fn compare_copy(value: Option<&str>, key: &Key) -> CopyState {
    match value {
        None => CopyState::Missing,
        Some(text) if text == key.expose() => CopyState::Same,
        Some(text) => CopyState::Differs(Key::parse(text.trim()).ok().map(|found| found.fingerprint())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_in_the_store_is_the_key_or_another_or_nothing() {
        let key = |text: &str| Key::parse(text).unwrap();
        let (current, old) = (key("current-0123456789abcdef"), key("old-key-0123456789abcdef"));
        let compare = |value| compare_copy(value, &current);

        assert_eq!(compare(None), CopyState::Missing);
        assert_eq!(compare(Some("current-0123456789abcdef")), CopyState::Same);
        assert_eq!(
            compare(Some("current-0123456789abcdef\n")),
            CopyState::Differs(Some(current.fingerprint()))
        );
        assert_eq!(compare(Some("old-key-0123456789abcdef")), CopyState::Differs(Some(old.fingerprint())));
        assert_eq!(compare(Some("")), CopyState::Differs(None));
        assert_eq!(compare(Some("to be filled in")), CopyState::Differs(None));
    }
}
