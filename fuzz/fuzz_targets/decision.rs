//! The whole decision about any mail: nobody here has the vendor's key, so nothing is let in and nothing is announced,
//! and what operators are told can be shown to them.
#![no_main]

use keyrelay::domain::Finding;
use keyrelay_fuzz::{assert_finding, recognised};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: keyrelay_fuzz::init(), |mail: &[u8]| {
    let recognised = recognised(mail);
    assert_finding(&recognised);
    match recognised.finding {
        Finding::NewKey(_) | Finding::Warning(_) => panic!("let in: {:?}", recognised.finding),
        Finding::Held { .. } | Finding::Known { .. } => assert!(recognised.key.is_some()),
        Finding::Wait { .. }
        | Finding::Suspicious { .. }
        | Finding::Unparsed { .. }
        | Finding::NotOurs { .. } => {
            assert!(recognised.key.is_none())
        }
    }
});
