//! A vendor's profile in YAML: who may be written to is checked, and what is taken is written and taken again.
#![no_main]

use keyrelay::vendor::{Profile, resolve, senders};
use keyrelay_fuzz::assert_printable;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use std::collections::BTreeMap;

fuzz_target!(|text: &str| {
    let Ok(written) = yaml_serde::from_str::<Value>(text) else { return };
    // The known vendors are compiled with every attempt, which is slow: only what has the right types is worth it.
    if yaml_serde::from_str::<Profile>(text).is_err()
        && serde_json::from_value::<Profile>(written.clone()).is_err()
    {
        return;
    }
    let name = "fuzzed".parse().expect("a name");
    let taken =
        |value: &Value| resolve(&BTreeMap::from([("fuzzed".parse().expect("a name"), value.clone())]));
    let profiles = match taken(&written) {
        Ok(profiles) => profiles,
        Err(mistakes) => {
            assert!(
                !mistakes.is_empty() && mistakes.iter().all(|mistake| mistake.path.starts_with("fuzzed"))
            );
            return;
        }
    };
    let profile = &profiles[&name];
    let again = serde_json::to_value(profile).expect("a profile can be written");
    let profiles = taken(&again).expect("what was written is taken");
    assert_eq!(serde_json::to_value(&profiles[&name]).expect("a profile can be written"), again);
    let loopback = ["http://localhost", "http://127.0.0.1", "http://[::1]"];
    let base = profile.base_url.to_ascii_lowercase();
    assert!(base.starts_with("https://") || loopback.iter().any(|host| base.starts_with(host)), "{base}");
    for sender in senders(profile) {
        assert!(sender.contains('@') && sender.is_ascii(), "{sender}");
        assert_printable(&sender);
    }
});
