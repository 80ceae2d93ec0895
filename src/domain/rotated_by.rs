//! Who makes a vendor's new keys.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RotatedBy {
    /// The vendor by itself; it mails the new key.
    Vendor,
    /// A person in the vendor's dashboard, which shows the new key once.
    Operator,
    /// A call of its API, whose answer is the only copy of the new key.
    Api,
}
