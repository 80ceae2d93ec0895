//! The name of a systemd service, as `systemctl` takes it.

use std::{fmt, str::FromStr};

/// The longest name of a unit, in bytes (systemd.unit(5)).
const NAME_MAX: usize = 255;

/// A service by its whole name: `storefront.service`, `worker@2.service`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnitName(String);

/// Why some text names no service that can be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnitNameError {
    #[error("a unit's name is at most 255 of A-Z a-z 0-9 : - _ . \\ @, and does not begin with @")]
    Form,
    #[error("only a service has a process that can be watched; name one (NAME.service)")]
    NoService,
    #[error("this is a template; name an instance of it, as in worker@2.service")]
    Template,
}

/// What a unit's name may end with, besides `.service`.
const OTHER_KINDS: [&str; 10] =
    [".socket", ".target", ".timer", ".path", ".mount", ".automount", ".swap", ".slice", ".scope", ".device"];

impl UnitName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// Without `.service`.
    pub fn stem(&self) -> &str {
        self.0.strip_suffix(".service").unwrap_or(&self.0)
    }
    /// What stands before the `@`, and after it where it is an instance.
    pub fn parts(&self) -> (&str, Option<&str>) {
        match self.stem().split_once('@') {
            Some((prefix, instance)) => (prefix, Some(instance)),
            None => (self.stem(), None),
        }
    }
}

impl FromStr for UnitName {
    type Err = UnitNameError;
    /// `.service` may be left out.
    fn from_str(text: &str) -> Result<Self, UnitNameError> {
        let legal = |b: u8| b.is_ascii_alphanumeric() || b":-_.\\@".contains(&b);
        if text.is_empty() || !text.bytes().all(legal) || text.starts_with('@') || text.starts_with('.') {
            return Err(UnitNameError::Form);
        }
        if OTHER_KINDS.iter().any(|kind| text.ends_with(kind)) {
            return Err(UnitNameError::NoService);
        }
        let stem = text.strip_suffix(".service").unwrap_or(text);
        if stem.ends_with('@') {
            return Err(UnitNameError::Template);
        }
        let name = format!("{stem}.service");
        if name.len() > NAME_MAX { Err(UnitNameError::Form) } else { Ok(Self(name)) }
    }
}

impl fmt::Display for UnitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_named_as_systemctl_takes_it() {
        for (written, name) in [
            ("storefront", "storefront.service"),
            ("storefront.service", "storefront.service"),
            ("shop.web", "shop.web.service"),
            ("worker@2", "worker@2.service"),
            ("worker@a@b.service", "worker@a@b.service"),
            (r"dev-disk\x2d1.service", r"dev-disk\x2d1.service"),
            ("app:1", "app:1.service"),
        ] {
            assert_eq!(written.parse::<UnitName>().unwrap().as_str(), name);
        }
        let instance: UnitName = "worker@a@b".parse().unwrap();
        assert_eq!(instance.parts(), ("worker", Some("a@b")));
        assert_eq!("worker".parse::<UnitName>().unwrap().parts(), ("worker", None));
    }

    #[test]
    fn what_names_no_service_is_refused() {
        let long = "a".repeat(248);
        for (written, error) in [
            ("", UnitNameError::Form),
            (".service", UnitNameError::Form),
            ("@1.service", UnitNameError::Form),
            ("a b.service", UnitNameError::Form),
            ("../a.service", UnitNameError::Form),
            ("a/b.service", UnitNameError::Form),
            ("ü.service", UnitNameError::Form),
            (&long, UnitNameError::Form),
            ("worker@.service", UnitNameError::Template),
            ("worker@", UnitNameError::Template),
            ("shop.socket", UnitNameError::NoService),
            ("multi-user.target", UnitNameError::NoService),
        ] {
            assert_eq!(written.parse::<UnitName>(), Err(error), "{written}");
        }
    }
}
