//! What the targets share: a vendor who signs, a credential that waits, and what no text for an operator may hold.

use keyrelay::{
    demo::{forge::Mailroom, sign::Signer},
    domain::{CredentialName, Finding, Key, Limits, Timestamp},
    mail::{
        RawMail, TxtAnswer, TxtAnswers,
        parse::{Entity, Text},
        text::{self, Visible},
    },
    vendor::{Expectation, Profile, Recognised, recognise, resolve},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};
use zeroize::Zeroizing;

pub static LEAF7: LazyLock<Profile> = LazyLock::new(|| {
    let mut profiles = resolve(&BTreeMap::new()).expect("the built-in vendors are good");
    profiles.remove(&"leaf7".parse().expect("a name")).expect("leaf7 is built in")
});
pub static MAILROOM: LazyLock<Mailroom> = LazyLock::new(|| Mailroom::new().expect("the program is whole"));
static SIGNER: LazyLock<Signer> =
    LazyLock::new(|| Signer::from_seed("leaf7.fun", "s1", [1; 32]).expect("32 bytes are a key"));
pub static KEY: LazyLock<Key> =
    LazyLock::new(|| Key::parse("l7_f9e8d7c6b5a493827160f5e4d3c2b1a0").expect("a key"));
pub static OLD: LazyLock<Key> =
    LazyLock::new(|| Key::parse("l7_0a1b2c3d4e5f60718293a4b5c6d7e8f9").expect("a key"));

/// Compiles what is compiled once, which may take longer than any one input is given.
pub fn init() {
    LazyLock::force(&LEAF7);
    LazyLock::force(&MAILROOM);
}

/// When every mail of the targets arrives.
pub fn arrived_at() -> Timestamp {
    Timestamp::from_secs(1_795_165_210)
}

/// A confirmation of the vendor's, signed, with this content: fields, an empty line, a body.
pub fn genuine_with(content: &str) -> Vec<u8> {
    let header = "From: Leaf7 <noreply@leaf7.fun>\r\nTo: rotation@example.com\r\nSubject: Your new API key\r\n\
        Date: Fri, 20 Nov 2026 09:00:00 +0000\r\nMessage-ID: <1@leaf7.fun>\r\nMIME-Version: 1.0\r\n";
    SIGNER.sign(format!("{header}{content}").as_bytes())
}

/// What becomes of a mail, for a credential that has the old key.
pub fn recognised(mail: &[u8]) -> Recognised {
    static WAITING: LazyLock<(CredentialName, TxtAnswers)> = LazyLock::new(|| {
        let (name, record) = SIGNER.txt_record();
        let answers = TxtAnswers::from([(name, TxtAnswer::Found(vec![record]))]);
        ("leaf7-main".parse().expect("a name"), answers)
    });
    let (credential, answers) = &*WAITING;
    let raw = RawMail {
        bytes: Zeroizing::new(mail.to_vec()),
        size: mail.len(),
        header_only: false,
        arrived_at: arrived_at(),
        folder: "INBOX".into(),
        junk: false,
        place: "1/1".into(),
    };
    let (known, done) = (BTreeSet::from([OLD.fingerprint()]), BTreeSet::new());
    let shape = OLD.shape();
    let expected = Expectation {
        credential,
        recipients: &["rotation@example.com".to_owned()],
        authserv_ids: &["mx.example.com".to_owned()],
        others: &["third@example.com".to_owned()],
        known: &known,
        done: &done,
        shape: Some(&shape),
    };
    recognise(&raw, answers, &LEAF7, &expected, &Limits::default())
}

/// What is said of a mail can be shown, and shows no key.
pub fn assert_finding(recognised: &Recognised) {
    let (mail, why) = match &recognised.finding {
        Finding::NewKey(confirmation) => (&confirmation.mail, ""),
        Finding::Warning(warning) => (&warning.mail, ""),
        Finding::Known { mail, .. } => (mail, ""),
        Finding::Held { confirmation, why } => (&confirmation.mail, why.as_str()),
        Finding::Wait { mail, why }
        | Finding::Suspicious { mail, why }
        | Finding::Unparsed { mail, why, .. }
        | Finding::NotOurs { mail, why } => (mail, why.as_str()),
    };
    for text in [why, &mail.id.0, &mail.from, &mail.signed_by, &mail.selector] {
        assert_printable(text);
        assert!(text.len() < 1_000, "it is long: {text}");
    }
    let told = recognised.key.as_ref().is_some_and(|key| why.contains(key.expose()));
    assert!(!told, "the key is told");
}

/// What an operator is told goes to a terminal and into mails.
pub fn assert_printable(text: &str) {
    assert!(!text.chars().any(char::is_control), "it holds control characters: {text:?}");
}

/// Reads what is visible of a mail, and asserts what holds of every visible text. `None`: it is refused.
pub fn visible(raw: &[u8]) -> Option<Visible> {
    let text = Text::new(raw).ok()?;
    let mail = Entity::cut(text.bytes()).ok()?;
    let visible = match text::read(&mail, &Limits::default()) {
        Ok(visible) => visible,
        Err(why) => {
            assert_printable(&why);
            return None;
        }
    };
    assert!(visible.plain.is_some() || visible.html.is_some(), "text without any part");
    let mut length = 0;
    for line in visible.plain.iter().chain(&visible.html).flatten() {
        assert_printable(line);
        assert!(line.chars().any(char::is_alphanumeric), "an empty line is shown: {line:?}");
        assert_eq!(line.split_whitespace().collect::<Vec<_>>().join(" "), **line, "blanks are collapsed");
        length += line.len();
    }
    // A byte of windows-1252 becomes three; no reference of HTML is shorter than what it stands for.
    assert!(length <= 3 * raw.len(), "{length} bytes of text out of {}", raw.len());
    Some(visible)
}

/// All that is visible, in one string.
pub fn all(visible: &Visible) -> String {
    visible
        .plain
        .iter()
        .chain(&visible.html)
        .flatten()
        .map(|line| line.as_str())
        .collect::<Vec<_>>()
        .join("\n")
}
