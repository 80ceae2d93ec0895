//! Addresses: what is found stands in the field, is plain, and is found again in every form it can be written in.
#![no_main]

use keyrelay::mail::parse::addresses;
use keyrelay_fuzz::assert_printable;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|value: &str| {
    let found = match addresses(value) {
        Ok(found) => found,
        Err(why) => return assert_printable(&why),
    };
    assert!(!found.is_empty());
    for address in &found {
        let (local, domain) = address.split_once('@').expect("an address has an @");
        assert!(!local.is_empty() && domain.contains('.') && !domain.contains('@'), "{address:?}");
        let plain =
            |b: u8| b.is_ascii_graphic() && !b.is_ascii_uppercase() && !br#"<>()[],:;\""#.contains(&b);
        assert!(address.bytes().all(plain), "{address:?}");
        assert!(
            value.to_ascii_lowercase().contains(address.as_str()),
            "{address:?} does not stand in {value:?}"
        );
        for form in
            [address.clone(), format!("<{address}>"), format!("\"a@b.example\" <{address}> (x@y.example)")]
        {
            assert_eq!(addresses(&form), Ok(vec![address.clone()]), "{form:?}");
        }
    }
    assert_eq!(addresses(&found.join(", ")), Ok(found));
});
