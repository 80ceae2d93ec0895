//! The key in a text: a genuine mail with any body. What is let in stands there for a reader to see, is new, and is of
//! the current key's length. A byte says which layout; a NUL parts text and HTML where there are both.
#![no_main]

use keyrelay::domain::Finding;
use keyrelay_fuzz::{KEY, OLD, all, assert_finding, genuine_with, recognised, visible};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: keyrelay_fuzz::init(), |data: &[u8]| {
    let Some((layout, body)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(body).replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n");
    // As every mail's body does.
    let text = format!("{text}\r\n");
    let content = match layout % 3 {
        0 => format!(
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}"
        ),
        1 => {
            format!("Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}")
        }
        _ => {
            let (plain, html) = text.split_once('\0').unwrap_or((&text, &text));
            let part = |kind, text| {
                format!(
                    "--bound\r\nContent-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}\r\n"
                )
            };
            let parts = part("plain", plain) + &part("html", html);
            format!("Content-Type: multipart/alternative; boundary=bound\r\n\r\n{parts}--bound--\r\n")
        }
    };
    let mail = genuine_with(&content);
    let recognised = recognised(&mail);
    assert_finding(&recognised);
    match &recognised.finding {
        Finding::NewKey(_) | Finding::Held { .. } => {
            let key = recognised.key.as_ref().expect("there is a key");
            let seen = all(&visible(content.as_bytes()).expect("it was read"));
            assert!(seen.contains(key.expose()), "a key that nobody sees");
            assert!(*key != *OLD, "a key that is known");
            let as_long = key.expose().len() == KEY.expose().len();
            assert_eq!(matches!(recognised.finding, Finding::NewKey(_)), as_long, "of another make");
        }
        Finding::Known { .. } => assert!(recognised.key.as_ref() == Some(&OLD)),
        Finding::Unparsed { .. } => assert!(recognised.key.is_none()),
        Finding::Warning(_) | Finding::Wait { .. } | Finding::Suspicious { .. } | Finding::NotOurs { .. } => {
            panic!("its header is a genuine confirmation's: {:?}", recognised.finding)
        }
    }
});
