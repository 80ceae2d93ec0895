//! A mail's header is cut into fields by the letter: put together again they are the mail, and what decides is there
//! once.
#![no_main]

use keyrelay::mail::{
    parse::{Text, addresses},
    text,
};
use keyrelay_fuzz::assert_printable;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|raw: &[u8]| {
    let Ok(whole) = Text::new(raw) else { return };
    let bytes = whole.bytes();
    let ends = |end: &[u8]| bytes.windows(end.len()).filter(|window| *window == end).count();
    assert!(ends(b"\n") == ends(b"\r\n") && ends(b"\r") == ends(b"\r\n"), "a line end of another kind");
    assert_eq!(Text::new(bytes).expect("it has one kind of line end").bytes(), bytes);

    let mail = match whole.mail() {
        Ok(mail) => mail,
        Err(why) => return assert_printable(&why),
    };
    let fields = mail.fields.iter().flat_map(|field| [field.name.as_bytes(), b":", field.value].concat());
    let mut again: Vec<u8> = fields.collect();
    if again.len() < bytes.len() {
        again.extend([b"\r\n", mail.body].concat());
    }
    assert_eq!(again, bytes, "something of the mail is in no field and not in the body");
    for name in ["From", "To", "Subject", "Date", "Message-ID", "Content-Type", "Content-Transfer-Encoding"] {
        assert!(mail.all(name).count() <= 1, "{name} twice");
    }
    for field in &mail.fields {
        assert!(field.name.bytes().all(|b| b.is_ascii_graphic() && b != b':'), "{:?}", field.name);
        if let Ok(text) = field.unfolded() {
            assert!(!text.contains(['\r', '\n', '\0']), "{text:?}");
        }
    }
    match mail.sender() {
        Ok(sender) => assert_eq!(addresses(&sender), Ok(vec![sender.clone()])),
        Err(why) => assert_printable(&why),
    }
    match text::subject(&mail) {
        Ok(subject) => assert_printable(&subject.unwrap_or_default()),
        Err(why) => assert_printable(&why),
    }
    if let Ok(date) = mail.date() {
        assert_eq!(date, date.whole_secs());
    }
});
