use super::super::tests::{calm, captured, done};
use super::*;

#[test]
fn a_key_is_one_line_less_its_line_end() {
    for input in
        ["canary-0123456789", "canary-0123456789\n", "canary-0123456789\r\n", "canary-0123456789\n\n"]
    {
        let key = taken(input.as_bytes(), false).unwrap();
        assert_eq!(key.expose(), "canary-0123456789", "{input:?}");
        assert!(super::check(&key).is_ok(), "{input:?}");
    }
}

#[test]
fn what_is_no_key_is_refused_by_its_reason_and_never_shown() {
    let long = "x".repeat(5_000);
    for (input, why) in [
        ("", "it is empty"),
        ("\n", "it is empty"),
        ("   \n", "character 1 may not be in a key; allowed are A-Z a-z 0-9 . _ ~ + / = : -"),
        ("canary-0123456789 \n", "character 18 may not be in a key; allowed are A-Z a-z 0-9 . _ ~ + / = : -"),
        (
            "canary-\u{7}123456789\n",
            "character 8 may not be in a key; allowed are A-Z a-z 0-9 . _ ~ + / = : -",
        ),
        ("canary\n", "it has 6 characters; a key has 16 to 512"),
        (&long[..600], "it has 600 characters; a key has 16 to 512"),
        (&long, "it is longer than any key: more than 4096 bytes"),
        ("canary-0123456789\ncanary-9876543210\n", "there is more than one line"),
    ] {
        let failure = taken(input.as_bytes(), false).and_then(|key| super::check(&key)).unwrap_err();
        let (exit, said, told) = captured(|console| failure.tell(console));
        assert_eq!(exit, Exit::NotHeld);
        assert_eq!(said, "");
        assert_eq!(told, format!("this is no key: {why}\ngive the key alone, without quotes or blanks\n"));
    }
    let not_text = taken(b"canary-\xff0123456789", false).unwrap_err();
    let (_, _, told) = captured(|console| not_text.tell(console));
    assert_eq!(told, "this is no key: it is no text\ngive the key alone, without quotes or blanks\n");
}

#[test]
fn of_what_is_typed_the_first_line_is_taken_without_waiting_for_an_end() {
    let mut typed = b"canary-0123456789\n".chain(Endless);
    assert_eq!(line(&read(&mut typed, true).unwrap()).unwrap().expose(), "canary-0123456789");
}

/// A terminal at which nobody types any more.
struct Endless;

impl Read for Endless {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        panic!("more was asked for than a line")
    }
}

fn taken(mut input: &[u8], one_line: bool) -> Result<Secret, Failure> {
    line(&read(&mut input, one_line)?)
}

#[test]
fn after_a_promotion_the_consumers_are_shown_and_a_spooled_key_shows_none() {
    let name = "leaf7-main".parse().unwrap();
    let hear = |outcome| captured(|console| crate::cli::prove::told(&done(outcome, calm()), &name, console));
    let (exit, said, _) = hear(Outcome::NotProven);
    assert_eq!(exit, Exit::NotHeld);
    assert!(said.contains("storefront in use"), "{said}");
    let (exit, said, told) = hear(Outcome::Spooled);
    assert_eq!((exit, said.as_str()), (Exit::Unreachable, ""));
    assert_eq!(told, "it holds\nkeyrelay status\n");
}
