//! Mails that are made to cost time and memory, judged by the built program in a process that gets only so much.

use super::Shop;
use keyrelay::demo::worst::WORST;
use std::{
    fs::{self, File},
    io::Write,
    path::PathBuf,
};

/// All that the process may have, its stacks and its code's own data included.
const MEMORY: usize = 64 << 20;
/// With so little not even a small mail can be judged: the limit is one.
const TOO_LITTLE: usize = 8 << 20;
const HEADER: &str = "From: Leaf7 <noreply@leaf7.fun>\r\nTo: rotation@example.com\r\n\
    Subject: Your Leaf7 API key has been rotated\r\nDate: Fri, 20 Nov 2026 09:00:00 +0000\r\nMessage-ID: <1@leaf7.fun>\r\n";
const KEY: &str = "Your new API key is l7_f9e8d7c6b5a493827160f5e4d3c2b1a0.\r\n";

/// A file of the shop's: a beginning, and something over and over.
fn mail(shop: &Shop, name: &str, begin: &str, with: &str, times: usize) -> PathBuf {
    let path = shop.dir.join(name);
    let mut file = std::io::BufWriter::new(File::create(&path).unwrap());
    file.write_all(begin.as_bytes()).unwrap();
    for _ in 0..times {
        file.write_all(with.as_bytes()).unwrap();
    }
    path
}

async fn verdict(shop: &Shop, path: &std::path::Path) -> String {
    let ran = shop.daemon.run_within(MEMORY, &["explain", path.to_str().unwrap()]).await;
    assert_eq!(ran.code, Some(0), "{path:?}: {ran:?}");
    let end = ran.stdout.find("\n  mail ").unwrap_or_else(|| panic!("{path:?}: {ran:?}"));
    ran.stdout[..end].split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn r17_m49_mails_made_to_fill_the_memory_are_judged_within_64_mib() {
    let shop = Shop::new().await;
    let small = mail(&shop, "small.eml", &format!("{HEADER}\r\n{KEY}"), "", 0);
    assert!(verdict(&shop, &small).await.contains("would be held for keyrelay accept: nobody signed it"));
    let ran = shop.daemon.run_within(TOO_LITTLE, &["explain", small.to_str().unwrap()]).await;
    assert!(!ran.stdout.contains("nobody signed it"), "the limit limits: {ran:?}");

    let empty_line = format!("\r\n{HEADER}\r\n{KEY}");
    let parts = "--b\r\n\r\nx\r\n".repeat(10_000);
    let parts = format!("{HEADER}Content-Type: multipart/mixed; boundary=b\r\n\r\n{parts}--b--\r\n");
    let deep: String = (0..10_000)
        .map(|n| format!("--b{n}x\r\nContent-Type: multipart/mixed; boundary=b{}x\r\n\r\n", n + 1))
        .collect();
    let ends: String = (0..10_000).rev().map(|n| format!("--b{n}x--\r\n")).collect();
    let deep = format!("{HEADER}Content-Type: multipart/mixed; boundary=b0x\r\n\r\n{deep}\r\nx\r\n{ends}");
    let nested = format!("{HEADER}Content-Type: message/rfc822\r\n\r\n");
    let comments = format!("Received: by x; {}\r\n{HEADER}\r\n{KEY}", "(".repeat(900_000));
    for (name, begin, with, times, why) in [
        ("a Received of deep comments", comments.as_str(), "", 0, "nobody signed it"),
        ("an empty line first", &empty_line, "", 0, "it does not begin with a header field"),
        ("a million fields", HEADER, "X-Field: y\r\n", 1_000_000, "it has more than 512 header fields"),
        (
            "a line of 100 MB in the body",
            &format!("{HEADER}\r\n"),
            "abcdefgh",
            13 << 20,
            "bytes, more than 1048576",
        ),
        (
            "a line of 100 MB in the header",
            &format!("{HEADER}X-Field: "),
            "abcdefgh",
            13 << 20,
            "bytes, more than 1048576",
        ),
        ("10,000 parts", &parts, "", 0, "it has more than 256 parts"),
        ("10,000 parts, one in the other", &deep, "", 0, "nested too deep"),
        (
            "10,000 mails, one in the other",
            &nested,
            "Content-Type: message/rfc822\r\n\r\n",
            10_000,
            "it has no text",
        ),
    ] {
        let found = verdict(&shop, &mail(&shop, &format!("{name}.eml"), begin, with, times)).await;
        assert!(found.contains(why), "{name}: {found}");
    }
}

#[tokio::test]
async fn r17_the_worst_mails_of_a_mebibyte_are_judged_within_64_mib() {
    let shop = Shop::new().await;
    let needy = [
        "lines of one letter",
        "words that look like keys",
        "cells",
        "one comment",
        "entities",
        "a style sheet",
        "255 parts",
        "parts, 32 deep",
        "recipients",
        "base64",
        "a text before the first part",
    ];
    let worst: Vec<_> = WORST.iter().filter(|worst| needy.contains(&worst.name)).collect();
    assert_eq!(worst.len(), needy.len());
    for worst in worst {
        let path = shop.dir.join(&format!("{}.eml", worst.name));
        fs::write(&path, worst.unsigned()).unwrap();
        let found = verdict(&shop, &path).await;
        assert!(
            found.starts_with("leaf7-main: suspicious, it would not be used: "),
            "{}: {found}",
            worst.name
        );
    }
}

#[tokio::test]
async fn r17_a_maildir_s_huge_mails_are_judged_by_their_headers_within_64_mib() {
    let shop = Shop::new().await;
    for nth in 0..3 {
        let huge = mail(&shop, "huge", &format!("{HEADER}\r\n{KEY}"), "abcdefgh", 13 << 20);
        fs::rename(huge, shop.dir.join(&format!("mail/new/{nth}"))).unwrap();
    }
    let small = mail(&shop, "small", &format!("{HEADER}\r\n{KEY}"), "", 0);
    fs::rename(small, shop.dir.join("mail/new/small")).unwrap();
    let ran = shop.daemon.run_within(MEMORY, &["explain"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(ran.stdout.matches("bytes, more than").count(), 3, "{ran:?}");
    assert_eq!(ran.stdout.matches("nobody signed it").count(), 1, "{ran:?}");
}
