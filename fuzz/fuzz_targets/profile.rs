//! A vendor's profile in YAML: what is taken is checked, and is written and taken again as the same.
#![no_main]

use keyrelay::vendor::{Profile, mistakes, senders};
use keyrelay_fuzz::assert_printable;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(profile) = yaml_serde::from_str::<Profile>(text) else { return };
    let wrong = mistakes("fuzzed", &profile);
    assert!(wrong.iter().all(|mistake| mistake.path.starts_with("fuzzed.") && !mistake.hint.is_empty()));
    let written = serde_json::to_value(&profile).expect("a profile can be written");
    let again: Profile = serde_json::from_value(written.clone()).expect("what was written can be read");
    assert_eq!(serde_json::to_value(&again).expect("a profile can be written"), written);
    if !wrong.is_empty() {
        return;
    }
    let loopback = ["http://localhost", "http://127.0.0.1", "http://[::1]"];
    let base = profile.base_url.to_ascii_lowercase();
    assert!(base.starts_with("https://") || loopback.iter().any(|host| base.starts_with(host)), "{base}");
    for sender in senders(&profile) {
        assert!(sender.contains('@') && sender.is_ascii(), "{sender}");
        assert_printable(&sender);
    }
});
