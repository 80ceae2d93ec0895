use super::*;

const CANARY: &str = "l7_canary+0123456789/ABCDEFxyz==";
const HIDDEN: &str = "(a line that holds a secret is not shown)";

fn show(line: &str) -> String {
    shown(line, [CANARY])
}

#[test]
fn s22_a_foreign_line_is_shown_as_it_is_but_for_control_characters_and_its_length() {
    assert_eq!(
        show(r#"curl: (7) can't connect to "shop" at C:\x"#),
        r#"curl: (7) can't connect to "shop" at C:\x"#
    );
    assert_eq!(show("\x1b[2Jgone\u{202e}\r"), r"\u{1b}[2Jgone\u{202e}\r");
    assert_eq!(show(&"ä".repeat(200)), "ä".repeat(200));
    assert_eq!(show(&"ä".repeat(201)), format!("{}…", "ä".repeat(200)));
}

#[test]
fn a_line_that_holds_the_key_in_any_common_spelling_is_not_shown() {
    let hex: String = CANARY.bytes().map(|byte| format!("{byte:02X}")).collect();
    for line in [
        format!("key is {CANARY}"),
        format!("key is {}…", &CANARY[..20]),
        format!("Authorization: Basic {}", STANDARD.encode(format!("user:{CANARY}"))),
        format!("Authorization: Basic {}", STANDARD.encode(format!("users:{CANARY}"))),
        format!("Authorization: Basic {}", STANDARD.encode(format!("{CANARY}:x"))),
        STANDARD.encode(CANARY).replace('+', "-").replace('/', "_"),
        hex,
        "GET /?key=l7_canary%2B0123456789%2fABCDEFxyz%3D%3D".into(),
        r#"{"key":"l7_canary+0123456789\/ABCDEFxyz=="}"#.into(),
        "l7_canary+0123456789/ABCDEFxyz=3D=3D".into(),
        CANARY.to_lowercase(),
    ] {
        assert_eq!(show(&line), HIDDEN, "{line}");
    }
}

#[test]
fn a_short_secret_is_looked_for_whole_and_an_empty_one_not_at_all() {
    assert_eq!(shown("pin 12345 refused", ["12345"]), HIDDEN);
    assert_eq!(shown("pin 1234 refused", ["12345"]), "pin 1234 refused");
    assert_eq!(shown("refused", ["", "=="]), "refused");
}
