//! Adapter: Leaf7's key management, the licence keys of the vendor's customers. Owns its eight operations, each one
//! request, and what an answer says; whoever calls brings the vendor's key. It asks once: whether to ask again is
//! decided elsewhere, and never by what only may have been done.
//!
//! The vendor's pages name no other value of a licence key than its `key_id`: it is treated as the secret that a
//! customer redeems, and stands in no error and no log.

mod answer;
mod call;
mod keys;
mod operation;

#[cfg(test)]
mod tests;

pub use answer::{Answer, Body};
pub use call::call;
pub use keys::{ActiveKey, BuyerKey};
pub use operation::{BadId, Batch, Hwid, Id, Lifetime, Operation, PER_REQUEST};
