//! What finds nothing proves nothing: each form in which a key can leak is found.

use crate::world::{Canary, Leak, Scratch, Server};
use base64::{Engine, prelude::*};
use std::{path::Path, sync::LazyLock};

const KEY: &str = "cAnaRy/7+Qx.Zp~3=kW9_vT5mB-1hG8sD2fLrUe";

static CANARY: LazyLock<Canary> = LazyLock::new(|| Canary::new(&["another-key-of-this-length", KEY]));

fn forms_of(text: &[u8]) -> Vec<&'static str> {
    CANARY.scan_bytes("here", text).into_iter().map(|leak| leak.form).collect()
}

#[test]
fn a_key_is_found_in_each_form_that_programs_write() {
    let hex: String = KEY.bytes().map(|byte| format!("{byte:02X}")).collect();
    let url = KEY.replace('/', "%2f").replace('+', "%2b").replace('=', "%3d");
    let json = KEY.replace('/', "\\/");
    let unicode =
        KEY.replace('/', "\\u002F").replace('+', "\\u002B").replace('=', "\\u003D").replace('.', "\\u002e");
    let unicode = unicode.replace('~', "\\u007e").replace('-', "\\u002d").replace('_', "\\u005f");
    let quoted = KEY.replace('=', "=3D");
    for (form, text) in [("raw", KEY), ("hex", &hex), ("URL", &url), ("JSON", &json), ("JSON", &unicode)] {
        assert!(forms_of(format!("key={text};").as_bytes()).contains(&form), "{form}: {text}");
    }
    assert!(forms_of(quoted.as_bytes()).contains(&"quoted-printable"));
}

#[test]
fn base64_is_found_wherever_the_key_stands_in_the_encoded_text() {
    for before in 0..7 {
        for after in 0..4 {
            let text = [&vec![b'x'; before], KEY.as_bytes(), &vec![b'y'; after]].concat();
            assert!(
                forms_of(BASE64_STANDARD.encode(&text).as_bytes()).contains(&"base64"),
                "{before} {after}"
            );
            assert!(forms_of(BASE64_URL_SAFE_NO_PAD.encode(&text).as_bytes()).contains(&"base64url"));
        }
    }
}

#[test]
fn a_key_is_found_across_line_breaks_and_in_part() {
    let (front, back) = KEY.split_at(9);
    assert_eq!(forms_of(format!("{front}=\r\n{back}").as_bytes()), ["raw"]);
    let encoded = BASE64_STANDARD.encode(KEY);
    let (front, back) = encoded.split_at(11);
    assert!(forms_of(format!("{front}\r\n{back}").as_bytes()).contains(&"base64"));
    for start in 0..=KEY.len() - 12 {
        assert!(forms_of(&KEY.as_bytes()[start..start + 12]).contains(&"raw"), "{start}");
    }
}

#[test]
fn other_texts_and_other_keys_are_no_leak() {
    let fingerprint = "0123456789abcdef of leaf7-main, c0ffee";
    for text in [fingerprint, "", &KEY.to_lowercase(), &KEY[..11], &KEY.chars().rev().collect::<String>()] {
        assert_eq!(forms_of(text.as_bytes()), Vec::<&str>::new(), "{text}");
    }
}

#[test]
fn folders_are_scanned_to_the_bottom() {
    let dir = Scratch::new();
    dir.folder("a/b");
    let path = dir.write("a/b/log", &format!("Bearer {KEY}\n"));
    dir.write("a/clean", "nothing");
    let leak = Leak { place: path.display().to_string(), form: "raw" };
    assert_eq!(CANARY.scan(dir.path()), [leak]);
}

#[tokio::test]
async fn arguments_and_environment_are_scanned_also_of_what_a_process_started() {
    let dir = Scratch::new();
    let quiet = ["-c", "sleep 60 & wait"];
    let told = ["-c", "KEY=\"$1\" sleep 60 & wait", "sh", KEY];
    let places = async |args: &[&str], env: &[(&str, &std::ffi::OsStr)]| {
        let server = Server::start(Path::new("/bin/sh"), args, env, &dir.join("log"));
        let children = format!("/proc/{0}/task/{0}/children", server.pid());
        // A child that was forked and has not begun its program yet still shows its parent's arguments.
        let started = async || {
            let child = std::fs::read_to_string(&children).ok().filter(|children| !children.is_empty())?;
            let name = std::fs::read_to_string(format!("/proc/{}/comm", child.trim())).ok()?;
            (name == "sleep\n").then_some(child)
        };
        let child = crate::world::until("the shell starts its child", started).await;
        let (shell, child) = (format!("/proc/{}/", server.pid()), format!("/proc/{}/", child.trim()));
        let leaks = CANARY.scan_process(server.pid()).into_iter();
        leaks.map(|leak| leak.place.replace(&shell, "shell ").replace(&child, "child ")).collect::<Vec<_>>()
    };
    assert_eq!(places(&quiet, &[]).await, Vec::<String>::new());
    assert_eq!(places(&quiet, &[("KEY", KEY.as_ref())]).await, ["shell environ", "child environ"]);
    assert_eq!(places(&told, &[]).await, ["shell cmdline", "child environ"]);
}
