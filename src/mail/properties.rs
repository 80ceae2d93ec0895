//! What holds of any mail whatever: the fuzz targets' invariants, a few hundred times with each run of the tests.

use super::{
    parse::{Entity, Text, addresses},
    text,
};
use crate::domain::Limits;
use proptest::prelude::*;

/// Bytes that a header is made of, and those that it must not hold.
fn header() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        "(From|To|Subject|Date|X-A|from|Resent-To)( ?):[ -~]{0,20}\r\n",
        "[ \t]{1,2}[a-z<>@,;:]{0,9}\r\n",
        Just("\r\n".to_owned()),
        "[\\x00-\\x7f\u{e4}]{1,8}",
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat().into_bytes())
}

/// Tags that hide what stands between them, and their ends.
fn hiding() -> impl Strategy<Value = (&'static str, &'static str)> {
    proptest::sample::select(vec![
        ("<div style=\"display:none\">", "</div>"),
        ("<p STYLE='visibility: hidden'>", "</p>"),
        ("<span style=font-size:0>", "</span>"),
        ("<section hidden>", "</section>"),
        ("<!--", "-->"),
        ("<script>", "</script>"),
        ("<title>", "</title>"),
        ("<svg><text>", "</text></svg>"),
    ])
}

fn page(html: &str) -> Vec<u8> {
    format!("Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{html}")
        .into_bytes()
}

/// A reference once put an escape into what is shown to whoever teaches a new wording.
#[test]
fn s22_a_control_character_that_html_refers_to_is_shown_as_none() {
    let raw = page("<p>a&#1;b &#27;[31mc &#x9b;d &#x7f;e</p>");
    let text = Text::new(&raw).unwrap();
    let visible = text::read(&Entity::cut(text.bytes()).unwrap(), &Limits::default()).unwrap();
    let lines: Vec<&str> = visible.html.iter().flatten().map(|line| line.as_str()).collect();
    assert_eq!(lines, ["a\u{fffd}b \u{fffd}[31mc \u{203a}d \u{fffd}e"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_fields_of_a_header_are_the_header(raw in header()) {
        let Ok(whole) = Text::new(&raw) else { return Ok(()) };
        let Ok(mail) = whole.mail() else { return Ok(()) };
        let fields = mail.fields.iter().flat_map(|field| [field.name.as_bytes(), b":", field.value].concat());
        let mut again: Vec<u8> = fields.collect();
        if again.len() < whole.bytes().len() {
            again.extend([b"\r\n", mail.body].concat());
        }
        prop_assert_eq!(again, whole.bytes());
        prop_assert!(mail.all("From").count() <= 1);
    }

    #[test]
    fn an_address_that_is_found_stands_there_and_is_found_again(
        value in "([a-c@.<>(),;:\"\\\\ ]|leaf7\\.fun|a@b\\.example|=\\?utf-8\\?q\\?){0,14}"
    ) {
        let Ok(found) = addresses(&value) else { return Ok(()) };
        for address in &found {
            prop_assert!(value.contains(address.as_str()), "{} in {}", address, value);
            prop_assert_eq!(addresses(&format!("\"x@y.example\" <{address}>")), Ok(vec![address.clone()]));
        }
        prop_assert_eq!(addresses(&found.join(", ")), Ok(found));
    }

    #[test]
    fn m47_what_html_hides_is_never_visible(
        pieces in proptest::collection::vec((hiding(), "[a-z \u{e4}]{0,6}", "[a-z ]{0,6}"), 1..6)
    ) {
        let piece = |((open, end), inside, behind): &((&str, &str), String, String)| {
            format!("{open}{inside} hidden7 {end}<b>{behind} seen7 </b>")
        };
        let html: String = pieces.iter().map(piece).collect();
        let raw = page(&html);
        let text = Text::new(&raw).map_err(TestCaseError::fail)?;
        let mail = Entity::cut(text.bytes()).map_err(TestCaseError::fail)?;
        let visible = text::read(&mail, &Limits::default()).map_err(TestCaseError::fail)?;
        let lines: Vec<&str> = visible.html.iter().flatten().map(|line| line.as_str()).collect();
        let lines = lines.join(" ");
        prop_assert!(!lines.contains("hidden7"), "{}", html);
        prop_assert_eq!(lines.matches("seen7").count(), pieces.len(), "{}", html);
    }
}
