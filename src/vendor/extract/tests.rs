//! Sentences and what is found in them. `%1%` and `%2%` stand for new keys, `%0%` for one that is known.

use super::*;
use crate::vendor::{Profile, resolve};
use std::{collections::BTreeMap, sync::LazyLock};
use zeroize::Zeroizing;

const KEY: &str = "l7_f9e8d7c6b5a493827160f5e4d3c2b1a0";
const OLD: &str = "l7_0a1b2c3d4e5f60718293a4b5c6d7e8f9";
const SECOND: &str = "l7_aaaabbbbccccddddeeeeffff00001111";

fn leaf7() -> Profile {
    static LEAF7: LazyLock<Profile> =
        LazyLock::new(|| resolve(&BTreeMap::new()).unwrap().remove(&"leaf7".parse().unwrap()).unwrap());
    LEAF7.clone()
}

/// With rules of the profile and, where asked for, the old key's shape.
struct Reader {
    profile: Profile,
    shape: Option<KeyShape>,
}

impl Reader {
    fn new() -> Self {
        Self { profile: leaf7(), shape: None }
    }

    fn comparing() -> Self {
        Self { shape: Some(Key::parse(OLD).unwrap().shape()), ..Self::new() }
    }

    fn with_rule(rule: &str) -> Self {
        let mut reader = Self::new();
        reader.rule_mut().key_after = vec![rule.to_owned().try_into().unwrap()];
        reader
    }

    fn rule_mut(&mut self) -> &mut ConfirmationRule {
        &mut self.profile.mail.as_mut().unwrap().confirmation
    }

    fn reads(&self, plain: &str, html: Option<&str>) -> String {
        let known = BTreeSet::from([Key::parse(OLD).unwrap().fingerprint()]);
        let wanted = Wanted {
            rule: &self.profile.mail.as_ref().unwrap().confirmation,
            key: &self.profile.key,
            shape: self.shape.as_ref(),
            known: &known,
        };
        let visible = Visible { plain: Some(lines(plain)), html: html.map(lines), beside: Lines::new() };
        match extract(&visible, &wanted) {
            Extraction::Key(key) => format!("key {}", key.expose()),
            Extraction::OtherMake(key) => format!("other make {}", key.expose()),
            Extraction::Known(key) => format!("known {}", key.expose()),
            Extraction::Nothing(why) => why.to_owned(),
        }
    }

    fn read(&self, plain: &str) -> String {
        self.reads(plain, None)
    }
}

fn lines(text: &str) -> Lines {
    let text = text.replace("%2%", SECOND).replace("%1%", KEY).replace("%0%", OLD);
    text.lines().filter(|line| !line.is_empty()).map(|line| Zeroizing::new(line.to_owned())).collect()
}

const NO_RULE: &str = "no rule (key_after) leads to a key in it";
const SEVERAL: &str = "it holds more than one key that could be the new one";

#[test]
fn reasonable_sentences_lead_to_the_key_whether_or_not_its_shape_is_known() {
    for text in [
        "Your new API key is %1%.",
        "Your new API key is: %1%",
        "Your new Leaf7 vendor API key is now %1%, valid at once.",
        "New API key = %1%",
        "New key → %1%",
        "New key (valid for 7 days): %1%",
        "Your new key for the main account is %1%!",
        "Here is your new API key: \"%1%\"",
        "Here is your new API key: <%1%>",
        "Here is your new API key: **%1%**",
        "Your new API key:\n%1%",
        "Your new API key is below.\n%1%",
        "Your new API key is shown below:\n> %1%",
        "- New secret: `%1%`",
        "The new value is '%1%'.",
        "Your API key has been rotated to %1%",
        "Your API key was replaced by %1%.",
        "Please replace it with %1%",
        "Please replace your old API key in all scripts with the following:\n%1%",
        "Use this key from now on: %1%",
        "Copy it now: %1%",
        "API key: %1%",
        "Key: %1%",
        "API Key\n%1%",
        "Your current API key is %1%",
        "Authorization: Bearer %1%",
        "x-api-key: %1%",
        "LEAF7_API_KEY=%1%",
        "export LEAF7_API_KEY=\"%1%\"",
        "  \"api_key\": \"%1%\",",
        "{\"new_api_key\":\"%1%\"}",
        "Old key: %0%\nNew key: %1%",
        "Your key %0% was replaced by %1%",
        "Dein neuer Schlüssel: %1%",
        "Ihr neuer Leaf7-API-Schlüssel lautet wie folgt:\n%1%",
        "Der Schlüssel wurde ersetzt durch %1%.",
        "Bitte verwenden Sie ab sofort diesen Schlüssel: %1%",
        "Verwenden Sie bitte ab sofort den folgenden API-Schlüssel:\n%1%",
        "Neuer API-Key\n%1%",
        "Votre nouvelle clé est %1%.",
        "Voici votre nouvelle clé API :\n%1%",
        "Utilisez désormais cette clé : %1%",
    ] {
        for (reader, name) in [(Reader::new(), "any shape"), (Reader::comparing(), "the old key's")] {
            assert_eq!(reader.read(text), format!("key {KEY}"), "{name}: {text}");
        }
    }
}

#[test]
fn what_no_rule_leads_to_is_not_taken() {
    for text in [
        "%1%",
        "Reference %1%",
        "Your old API key was %1%",
        "Your new API key is on its way. Reference: %1%",
        "Your new API key is valid until 2026-11-27T09:00:00Z",
        "Your new API key: https://leaf7.fun/dashboard/keys/1a2b3c4d5e6f",
        "Your new API key: leaf7.fun/dashboard/keys/1a2b3c4d5e6f",
        "Your new API key: in-your-dashboard-under-settings",
        "Your new API key is here:\nA line between\n%1%",
    ] {
        assert_eq!(Reader::new().read(text), NO_RULE, "{text}");
        assert_eq!(Reader::comparing().read(text), NO_RULE, "{text}");
    }
}

#[test]
fn known_keys_are_struck_out_before_the_candidates_are_counted() {
    let reader = Reader::comparing();
    assert_eq!(reader.read("Your new API key is %0%."), format!("known {OLD}"));
    assert_eq!(reader.read("Your current API key is %0%. Soon: %1%"), NO_RULE, "not passed over as known");
    assert_eq!(reader.read("Your new API key is %1%.\nNew key: %1%"), format!("key {KEY}"));
    assert_eq!(reader.read("Your new API key is %1%.\nNew key: %2%"), SEVERAL);
    assert_eq!(
        reader.read("Your new API key is %1%.\nYour other one is %2%."),
        SEVERAL,
        "both are of the make"
    );
    let any = Reader::new();
    assert_eq!(
        any.read("New key: %1%\nTicket %2%"),
        format!("key {KEY}"),
        "nothing says that the other is a key"
    );
}

#[test]
fn text_and_html_agree_or_one_of_them_is_silent() {
    let reader = Reader::comparing();
    let key = format!("key {KEY}");
    let disagree = "its text and its HTML do not agree on the key";
    assert_eq!(reader.reads("New key: %1%", Some("New key\n%1%")), key);
    assert_eq!(reader.reads("Open the HTML.", Some("New key\n%1%")), key);
    assert_eq!(reader.reads("New key: %1%", Some("See the text.")), key);
    assert_eq!(reader.reads("New key: %1%", Some("New key: %2%")), disagree);
    assert_eq!(reader.reads("New key: %0%", Some("New key: %1%")), disagree);
    assert_eq!(reader.reads("New key: %1%\u{200b}x", Some("New key: %1%")), disagree);
    assert_eq!(reader.reads("New key: %1%\nNew key: %2%", Some("New key: %1%")), disagree);
    assert_eq!(reader.reads("Old key: %0%\nNew key: %1%", Some("New key: %1%")), key);
}

#[test]
fn the_current_key_s_shape_decides_what_is_a_key() {
    let reader = Reader::comparing();
    let upper = "l7_F9E8D7C6B5A493827160F5E4D3C2B1A0";
    assert_eq!(
        reader.read(&format!("New key: {upper}")),
        format!("key {upper}"),
        "as long, in other characters"
    );
    let longer = "l7_f9e8d7c6b5a493827160f5e4d3c2b1a0ff";
    assert_eq!(reader.read(&format!("New key: {longer}")), format!("other make {longer}"));
    assert_eq!(
        reader.read(&format!("New key: {longer}\nNew key: %1%")),
        format!("key {KEY}"),
        "the better make"
    );
    assert_eq!(reader.read(&format!("New key: {longer}\nNew key: {longer}0")), SEVERAL);
}

#[test]
fn a_pattern_in_the_profile_decides_alone() {
    let mut reader = Reader::comparing();
    reader.profile.key.pattern = Some("LF-[A-Z]{20}\\.".to_owned().try_into().unwrap());
    assert_eq!(reader.read("New key: %1%"), NO_RULE);
    let dotted = "LF-ABCDEFGHIJKLMNOPQRST.";
    assert_eq!(
        reader.read(&format!("Your new key is {dotted}")),
        format!("key {dotted}"),
        "the full stop is its own"
    );
    assert_eq!(reader.read(&format!("Your new key is {dotted}.")), format!("key {dotted}"));
}

#[test]
fn a_full_stop_behind_a_key_is_the_sentence_s() {
    assert_eq!(Reader::new().read("Your new key is %1%:\nUse it."), format!("key {KEY}"));
    assert_eq!(Reader::new().read("(Your new key is %1%)."), format!("key {KEY}"));
}

#[test]
fn near_misses_are_named() {
    let reader = Reader::new();
    let strange = "its key holds a character that no key may hold";
    assert_eq!(reader.read("New key: l7_f9e8d7c6b5a49\u{200b}3827160f5e4d3c2b1a0"), strange);
    assert_eq!(reader.read("New key: l7_f9e8d7c6b5а493827160f5e4d3c2b1a0"), strange, "a Cyrillic letter");
    assert_eq!(reader.read("New key: l7_0a1b2c3d4"), "its key is shorter than the profile allows");
    let long = format!("New key: {}", "l7x".repeat(70));
    assert_eq!(reader.read(&long), "its key is longer than the profile allows");
    let wrapped = "its key seems to go on in the next line";
    assert_eq!(reader.read("New key:\nl7_f9e8d7c6b5a4938271\n60f5e4d3c2b1a0"), wrapped);
    assert_eq!(reader.read("New key:\n%1%\nIt is valid at once."), format!("key {KEY}"));
}

#[test]
fn an_operator_s_rule_may_be_written_with_or_without_its_punctuation() {
    for rule in ["Schlüsselwert", "Schlüsselwert:", "Schlüsselwert: ", "schlüsselwert:\\s*", "^.*wert"] {
        for text in ["Schlüsselwert: %1%", "Schlüsselwert:\n%1%", "Schlüsselwert: „%1%“"] {
            assert_eq!(Reader::with_rule(rule).read(text), format!("key {KEY}"), "{rule:?} {text:?}");
        }
    }
}

#[test]
fn keys_of_every_make_are_taken_and_words_are_not() {
    for key in [
        "sk_live_9fK2mQ8zR4tY6uW1bN3vX5cL",
        "01234567-89ab-cdef-0123-456789abcdef",
        "q83vEjRWeJC7zd7wESIzRFVmd4iZqrvM3e7/AA==",
        "id42:aGVsbG8gd29ybGQgMTIzNDU2Nzg5",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVPmB92K27uhbUJU1p1r",
        "AbCdEfGhIjKlMnOpQrStUvWx",
        "_startsWithASign0123456789",
    ] {
        assert_eq!(Reader::new().read(&format!("New key: {key}")), format!("key {key}"));
        assert_eq!(Reader::new().read(&format!("LEAF7_API_KEY={key}")), format!("key {key}"));
    }
}

#[test]
fn a_text_full_of_words_that_could_be_keys_is_refused() {
    let words = |count: usize| (0..count).map(|n| format!("word{n:020} ")).collect::<String>();
    assert_eq!(Reader::new().read(&words(501)), "it holds too many words that could be keys");
    assert_eq!(Reader::new().read(&format!("{}\nNew key: %1%", words(499))), format!("key {KEY}"));
    let plain = "a long word that is none: internationalization\n".repeat(10_000);
    assert_eq!(Reader::new().read(&format!("{plain}New key: %1%")), format!("key {KEY}"));
}
