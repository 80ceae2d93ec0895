//! Two documents in the store as registers: whoever reads them from the active node again and again never sees one go
//! back, or change without a new version; and a term of the lease is one daemon's.

use crate::world::Bao;
use reqwest::Method;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Default)]
pub struct Register {
    /// What each version was, and which was the last that was read.
    versions: BTreeMap<u64, Value>,
    newest: u64,
    pub reads: u64,
}

impl Register {
    /// One reading. A node that is not the active one says nothing.
    pub async fn read(&mut self, node: &Bao, path: &str) -> Option<Value> {
        if !node.is_active().await {
            return None;
        }
        let (status, answer) =
            node.try_call(Method::GET, &format!("secret/data/{path}"), Value::Null).await?;
        if status != 200 || !node.is_active().await {
            return None;
        }
        let version = answer["data"]["metadata"]["version"].as_u64()?;
        let fields = answer["data"]["data"].clone();
        assert!(version >= self.newest, "{path} went back from version {} to {version}", self.newest);
        let known = self.versions.entry(version).or_insert_with(|| fields.clone());
        assert_eq!(*known, fields, "{path}, version {version}, was changed");
        (self.newest, self.reads) = (version, self.reads + 1);
        Some(fields)
    }
    pub fn seen(&self) -> impl Iterator<Item = &Value> {
        self.versions.values()
    }
}

/// Who acted in each term; two in one are too many.
pub fn holders(lease: &Register) -> BTreeMap<u64, String> {
    let mut holders = BTreeMap::new();
    for document in lease.seen() {
        let term = document["term"].as_u64().expect("a term");
        let run = document["run"].as_str().expect("a run").to_owned();
        let known = holders.entry(term).or_insert_with(|| run.clone());
        assert_eq!(*known, run, "term {term} is held by two");
    }
    holders
}

/// Generations never go down, and each is one rotation.
pub fn rotations(key: &Register) -> BTreeMap<u64, String> {
    let mut rotations = BTreeMap::new();
    let mut last = 0;
    for document in key.seen() {
        let generation = document["api_key_generation"].as_u64().unwrap_or(0);
        assert!(generation >= last, "the generation went down from {last} to {generation}");
        last = generation;
        let id = document["api_key_rotation_id"].as_str().unwrap_or_default().to_owned();
        let known = rotations.entry(generation).or_insert_with(|| id.clone());
        assert_eq!(*known, id, "generation {generation} was promoted twice");
    }
    rotations
}
