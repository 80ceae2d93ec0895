//! `Authentication-Results`: whatever the field holds, only one with a pinned id speaks, in words for operators; and
//! what stands in a comment or in quotes says nothing. The input is the field's value.
#![no_main]

use keyrelay::mail::{
    parse::Text,
    results::{Word, word},
};
use keyrelay_fuzz::assert_printable;
use libfuzzer_sys::fuzz_target;

const REST: &str = "From: Leaf7 <noreply@leaf7.fun>\r\nTo: rotation@example.com\r\n\r\n";

fn says(value: &str, ids: &[String]) -> Option<Word> {
    let text = Text::new(format!("Authentication-Results:{value}\r\n{REST}").as_bytes()).ok()?;
    let mail = text.mail().ok()?;
    Some(word(&mail, ids, &["leaf7.fun".to_owned()], "noreply@leaf7.fun"))
}

fuzz_target!(|value: &str| {
    let ours = ["mx.example.com".to_owned()];
    let Some(said) = says(value, &ours) else { return };
    assert_eq!(says(value, &[]), Some(Word::Nothing), "nobody's word counts where none is pinned");
    match &said {
        Word::Nothing => {}
        Word::NothingAgainst(id) => assert_eq!(id, "mx.example.com"),
        Word::Against(why) => {
            assert_printable(why);
            assert!(value.to_lowercase().contains("mx.example.com"), "{why}");
            assert!(
                value.to_lowercase().contains("fail") || value.to_lowercase().contains("header.from"),
                "{why}"
            );
        }
    }
    // A comment before the id changes nothing, whatever it says.
    if said != Word::Nothing {
        let commented = format!(" (other.example; dkim=fail (nested) header.d=leaf7.fun){value}");
        assert_eq!(says(&commented, &ours), Some(said));
    }
});
