//! The eight operations, and the request of each. Every path ends in a slash: without it the server redirects, and a
//! redirect is never followed.

use reqwest::{Method, Url};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr};

/// The vendor counts requests, and does not say how many keys one may ask for: as many as still fit a small answer.
pub const PER_REQUEST: u32 = 100;

/// Longer than any id that was seen, and than any HWID.
const LEN_MAX: usize = 200;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Operation {
    GenerateBuyer(Batch),
    ListBuyer {
        project: Option<Id>,
    },
    DeleteBuyer {
        key: Id,
    },
    ListActive {
        project: Option<Id>,
    },
    Ban {
        key: Id,
    },
    Unban {
        key: Id,
    },
    ResetHwid {
        key: Id,
    },
    /// `None` clears it.
    SetHwid {
        key: Id,
        hwid: Option<Hwid>,
    },
}

/// New keys of one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    pub project: Id,
    pub amount: u32,
    /// `None`: what the vendor gives without being asked, 30 days.
    pub lifetime: Option<Lifetime>,
}

/// How long a key works once it is redeemed; all zero: for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifetime {
    pub days: u32,
    pub hours: u32,
    pub minutes: u32,
}

impl Lifetime {
    pub fn is_endless(&self) -> bool {
        (self.days, self.hours, self.minutes) == (0, 0, 0)
    }
}

impl Operation {
    /// As it is typed.
    pub fn name(&self) -> &'static str {
        match self {
            Self::GenerateBuyer(_) => "buyer generate",
            Self::ListBuyer { .. } => "buyer list",
            Self::DeleteBuyer { .. } => "buyer delete",
            Self::ListActive { .. } => "active list",
            Self::Ban { .. } => "active ban",
            Self::Unban { .. } => "active unban",
            Self::ResetHwid { .. } => "active reset-hwid",
            Self::SetHwid { .. } => "active set-hwid",
        }
    }

    /// What it counts for in the vendor's limit: 60 requests a minute, of which 30 may generate.
    pub fn weight(&self) -> u32 {
        if matches!(self, Self::GenerateBuyer(_)) { 2 } else { 1 }
    }

    pub fn changes_something(&self) -> bool {
        self.key().is_some() || matches!(self, Self::GenerateBuyer(_))
    }

    /// Whether a good answer must be an array; of the others the vendor says no more than 200.
    pub(super) fn wants_array(&self) -> bool {
        matches!(self, Self::GenerateBuyer(_) | Self::ListBuyer { .. } | Self::ListActive { .. })
    }

    /// The key that it is about.
    pub fn key(&self) -> Option<&Id> {
        match self {
            Self::GenerateBuyer(_) | Self::ListBuyer { .. } | Self::ListActive { .. } => None,
            Self::DeleteBuyer { key }
            | Self::Ban { key }
            | Self::Unban { key }
            | Self::ResetHwid { key }
            | Self::SetHwid { key, .. } => Some(key),
        }
    }

    pub fn project(&self) -> Option<&Id> {
        match self {
            Self::GenerateBuyer(batch) => Some(&batch.project),
            Self::ListBuyer { project } | Self::ListActive { project } => project.as_ref(),
            Self::DeleteBuyer { .. }
            | Self::Ban { .. }
            | Self::Unban { .. }
            | Self::ResetHwid { .. }
            | Self::SetHwid { .. } => None,
        }
    }

    pub(super) fn method(&self) -> Method {
        match self {
            Self::ListBuyer { .. } | Self::ListActive { .. } => Method::GET,
            Self::DeleteBuyer { .. } => Method::DELETE,
            Self::SetHwid { .. } => Method::PATCH,
            Self::GenerateBuyer(_) | Self::Ban { .. } | Self::Unban { .. } | Self::ResetHwid { .. } => {
                Method::POST
            }
        }
    }

    /// Below the vendor's base URL; `None`: it is none that paths can stand below.
    pub(super) fn url(&self, base: &Url) -> Option<Url> {
        let (kind, action) = match self {
            Self::GenerateBuyer(_) | Self::ListBuyer { .. } | Self::DeleteBuyer { .. } => ("buyer", None),
            Self::ListActive { .. } => ("active", None),
            Self::Ban { .. } => ("active", Some("ban")),
            Self::Unban { .. } => ("active", Some("unban")),
            Self::ResetHwid { .. } => ("active", Some("reset_hwid")),
            Self::SetHwid { .. } => ("active", Some("hwid")),
        };
        let mut url = base.clone();
        let mut path = url.path_segments_mut().ok()?;
        path.pop_if_empty().extend(["api", "vendor", "keys", kind]);
        path.extend(self.key().map(Id::as_str)).extend(action).push("");
        drop(path);
        if let Self::ListBuyer { project: Some(project) } | Self::ListActive { project: Some(project) } = self
        {
            url.query_pairs_mut().append_pair("project_id", project.as_str());
        }
        Some(url)
    }

    pub(super) fn body(&self) -> Option<Value> {
        match self {
            Self::GenerateBuyer(Batch { project, amount, lifetime }) => {
                let mut body = json!({"project_id": project.as_str(), "amount": amount});
                if let Some(Lifetime { days, hours, minutes }) = lifetime {
                    body["key_days"] = (*days).into();
                    body["key_hours"] = (*hours).into();
                    body["key_minutes"] = (*minutes).into();
                }
                Some(body)
            }
            Self::SetHwid { hwid, .. } => Some(json!({"new_hwid": hwid.as_ref().map(Hwid::as_str)})),
            Self::ListBuyer { .. }
            | Self::DeleteBuyer { .. }
            | Self::ListActive { .. }
            | Self::Ban { .. }
            | Self::Unban { .. }
            | Self::ResetHwid { .. } => None,
        }
    }
}

/// A project's or a key's id: something that can be one step of a path.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Id(String);

/// Why some text is no id; never holds the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadId {
    #[error("it is empty")]
    Empty,
    #[error("it has more than {LEN_MAX} characters")]
    TooLong,
    #[error("it has a character that no id has: a slash, a blank, one of ? # % \\, or none of ASCII")]
    Character,
    #[error("it stands for a folder")]
    Dots,
    #[error("it has a control character")]
    Control,
}

impl Id {
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// What stands for it where it may not stand itself: the first 16 hex digits of its SHA-256, as
    /// `printf %s KEY_ID | sha256sum` shows it.
    pub fn mark(&self) -> String {
        let digest = Sha256::digest(self.0.as_bytes());
        digest[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl FromStr for Id {
    type Err = BadId;
    fn from_str(text: &str) -> Result<Self, BadId> {
        let legal = |byte: u8| byte.is_ascii_graphic() && !b"/\\?#%".contains(&byte);
        match text {
            "" => Err(BadId::Empty),
            "." | ".." => Err(BadId::Dots),
            text if text.len() > LEN_MAX => Err(BadId::TooLong),
            text if !text.bytes().all(legal) => Err(BadId::Character),
            text => Ok(Self(text.to_owned())),
        }
    }
}
impl TryFrom<String> for Id {
    type Error = BadId;
    fn try_from(text: String) -> Result<Self, BadId> {
        text.parse()
    }
}
impl From<Id> for String {
    fn from(id: Id) -> String {
        id.0
    }
}
/// It may be a customer's licence.
impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Id(…)")
    }
}

/// What a machine of a customer is known by: any text, in a body.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hwid(String);

impl Hwid {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl FromStr for Hwid {
    type Err = BadId;
    fn from_str(text: &str) -> Result<Self, BadId> {
        match text {
            text if text.trim().is_empty() => Err(BadId::Empty),
            text if text.len() > LEN_MAX => Err(BadId::TooLong),
            text if text.chars().any(char::is_control) => Err(BadId::Control),
            text => Ok(Self(text.to_owned())),
        }
    }
}
impl TryFrom<String> for Hwid {
    type Error = BadId;
    fn try_from(text: String) -> Result<Self, BadId> {
        text.parse()
    }
}
impl From<Hwid> for String {
    fn from(hwid: Hwid) -> String {
        hwid.0
    }
}
impl fmt::Debug for Hwid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hwid(…)")
    }
}
