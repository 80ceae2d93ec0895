//! One credential's view of a vendor: its parameters in the vendor's addresses.

use super::profile::{ParamKind, Profile};
use std::collections::BTreeMap;

impl Profile {
    /// The same with each `{NAME}` of its addresses replaced. What is not a parameter stays as it is.
    pub fn filled(&self, values: &BTreeMap<String, String>) -> Profile {
        let fill = |text: &str| {
            values
                .iter()
                .fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
        };
        let mut filled = self.clone();
        filled.base_url = fill(&self.base_url);
        filled.probe.get = self.probe.get.as_deref().map(fill);
        filled.probe.post = self.probe.post.as_deref().map(fill);
        if let Some(call) = &mut filled.rotation.call {
            call.post = fill(&call.post);
        }
        filled.values = values.clone();
        filled
    }
}

/// The names between braces in an address, in their order.
pub(super) fn named(text: &str) -> Vec<&str> {
    let parts = text.split('{').skip(1);
    parts.filter_map(|part| part.split_once('}').map(|(name, _)| name)).collect()
}

impl ParamKind {
    /// Whether this can stand in an address.
    pub fn fits(self, value: &str) -> bool {
        match self {
            ParamKind::Host => {
                let (host, port) = value.rsplit_once(':').unwrap_or((value, "443"));
                let parts: Vec<&str> = host.split('.').collect();
                let is_address = parts.len() == 4 && parts.iter().all(|part| part.parse::<u8>().is_ok());
                let port = port.parse::<u16>().is_ok_and(|port| port > 0);
                port && (is_address || host == "localhost" || crate::domain::is_host_name(host))
            }
            ParamKind::Uuid => {
                let parts: Vec<&str> = value.split('-').collect();
                let lengths = parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]);
                lengths && parts.concat().bytes().all(|byte| byte.is_ascii_hexdigit())
            }
            ParamKind::Word => {
                let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
                let dots = value.bytes().all(|byte| byte == b'.');
                !value.is_empty() && value.len() <= 128 && !dots && value.bytes().all(legal)
            }
        }
    }
    /// What is asked for, in words.
    pub fn words(self) -> &'static str {
        match self {
            ParamKind::Host => "a host name, with a port if need be",
            ParamKind::Uuid => "a UUID",
            ParamKind::Word => "letters, digits, -, _ and . only",
        }
    }
}
