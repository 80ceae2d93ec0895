//! What a vendor's answer says of a key.

use super::Timestamp;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt, time::Duration};

/// Only status and body together decide; whatever is not plainly one of the first two is *unclear*, which
/// neither promotes nor condemns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Alive,
    Dead,
    Unclear,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Verdict::Alive => "alive",
            Verdict::Dead => "dead",
            Verdict::Unclear => "unclear",
        })
    }
}

/// The identities that a key can see at its vendor (Leaf7: project ids). Two keys that share one are of the same
/// account; an empty set proves nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Account(pub BTreeSet<String>);

impl Account {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    pub fn shares_with(&self, other: &Self) -> bool {
        !self.0.is_disjoint(&other.0)
    }
}

impl<S: Into<String>> FromIterator<S> for Account {
    fn from_iter<I: IntoIterator<Item = S>>(ids: I) -> Self {
        Self(ids.into_iter().map(Into::into).collect())
    }
}

/// One probe's outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeAnswer {
    pub verdict: Verdict,
    /// Only from an *alive* answer; `None` where the vendor has no identities at all.
    pub account: Option<Account>,
    /// *Alive*, and the vendor says that the key is of another account than the one that was asked for.
    pub foreign: bool,
    /// A request that should have been refused after the key was looked at was let through: it may have written
    /// something at the vendor.
    pub wrote: bool,
    /// How the vendor's dashboard shows the key, where the profile says how: never more than four of its characters.
    pub label: Option<String>,
    /// Why, in words that hold neither key nor body: `401 with the vendor's "Not authenticated"`.
    pub why: String,
    /// The vendor asked to be left alone for so long (429, 503).
    pub retry_after: Option<Duration>,
    /// The vendor's `Date` header, to compare clocks.
    pub vendor_time: Option<Timestamp>,
}

impl ProbeAnswer {
    /// An answer that says nothing of the key.
    pub fn unclear(why: impl Into<String>) -> Self {
        Self::new(Verdict::Unclear, why)
    }
    /// A verdict and nothing besides.
    pub fn new(verdict: Verdict, why: impl Into<String>) -> Self {
        Self {
            verdict,
            account: None,
            foreign: false,
            wrote: false,
            label: None,
            why: why.into(),
            retry_after: None,
            vendor_time: None,
        }
    }
}
