//! What a vendor's keys look like, and how its dashboard tells them apart.

use super::profile::{KeyRule, Label, Profile};
use crate::domain::Key;

impl KeyRule {
    /// Why no key of this vendor looks like that; `None` where it may be one.
    pub fn misfit(&self, text: &str) -> Option<String> {
        let (len, min, max) = (text.len(), self.min_len, self.max_len);
        if !text.starts_with(&self.prefix) {
            return Some(format!("it does not begin with {}", self.prefix));
        }
        if !(min..=max).contains(&len) {
            return Some(format!("it has {len} characters, and theirs have {min} to {max}"));
        }
        let misses = self.pattern.as_ref().is_some_and(|pattern| !pattern.matches(text));
        misses.then(|| "it is not written as theirs are (key.pattern of the profile)".to_owned())
    }

    /// How the dashboard shows the key, as far as the profile says.
    pub fn label_of(&self, key: &Key, key_id: Option<String>) -> Option<String> {
        match self.label? {
            Label::Last4 => {
                let text = key.expose();
                text.get(text.len() - 4..).map(|end| format!("…{end}"))
            }
            Label::KeyId => key_id,
        }
    }
}

/// The vendor whose keys begin like this one, if a profile other than the credential's says so.
pub fn looks_like<'a>(
    text: &str,
    own: &Profile,
    profiles: impl IntoIterator<Item = &'a Profile>,
) -> Option<&'a str> {
    let begins = |profile: &&Profile| {
        let prefix = &profile.key.prefix;
        !prefix.is_empty() && text.starts_with(prefix) && *prefix != own.key.prefix
    };
    let longest = profiles.into_iter().filter(begins).max_by_key(|profile| profile.key.prefix.len());
    longest
        .filter(|_| own.key.prefix.is_empty() || !text.starts_with(&own.key.prefix))
        .map(|p| p.title.as_str())
}
