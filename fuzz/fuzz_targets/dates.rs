//! Dates and lengths of time: what is read is written and read again as the same.
#![no_main]

use keyrelay::{
    domain::{Timestamp, parse_duration, spell_duration, write_duration},
    mail::parse::{Entity, Text},
};
use keyrelay_fuzz::assert_printable;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(time) = text.parse::<Timestamp>() {
        assert_eq!(time.to_string().parse(), Ok(time), "{time}");
        assert!(time.whole_secs() <= time && time.since(time).is_zero());
        assert_printable(&time.minutes());
    }
    if let Ok(length) = parse_duration(text) {
        assert_eq!(parse_duration(&write_duration(length)), Ok(length));
        assert!((1..=9_999 * 86_400).contains(&length.as_secs()));
        assert_printable(&spell_duration(length));
    }
    let raw = format!("From: a@b.example\r\nDate: {text}\r\n\r\n");
    let Ok(raw) = Text::new(raw.as_bytes()) else { return };
    let Ok(mail) = Entity::cut(raw.bytes()) else { return };
    match mail.date() {
        Ok(date) => {
            assert_eq!(date, date.whole_secs());
            assert_eq!(date.to_string().parse(), Ok(date), "{date}");
        }
        Err(why) => assert_printable(&why),
    }
});
