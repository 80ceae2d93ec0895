//! Answers that are too much: of any size, packed, or of headers without end.

use super::wire::{SENDERS, Sender, Wire};

/// `[]`, as gzip writes it.
const PACKED: &[u8] = &[
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0x8b, 0x8e, 0x05, 0x00, 0x29, 0xbb, 0x4c,
    0x0d, 0x02, 0x00, 0x00, 0x00,
];

/// A few kilobytes that unpack to gigabytes cannot hurt whoever unpacks nothing.
#[tokio::test]
async fn h07_nobody_asks_for_packed_answers_and_one_that_is_packed_is_not_unpacked() {
    let packed = Wire::start("127.0.0.1", |_, _| answer("Content-Encoding: gzip\r\n", PACKED)).await;
    let plain = Wire::start("127.0.0.1", |_, _| answer("", b"[]")).await;
    assert!(Sender::Probe.ask(&plain.url()).await.0, "the same answer unpacked is one");
    let (alive, told) = Sender::Probe.ask(&packed.url()).await;
    assert!(!alive, "{told}");
    for sender in SENDERS {
        sender.ask(&plain.url()).await;
    }
    for request in plain.heard() {
        assert!(!request.to_ascii_lowercase().contains("accept-encoding"), "{request}");
    }
}

#[tokio::test]
async fn h07_an_answer_with_too_many_headers_too_long_ones_or_too_large_a_body_is_none() {
    let many = |count: usize| (0..count).map(|n| format!("X-{n}: y\r\n")).collect::<String>();
    let long = |length: usize| format!("X-Long: {}\r\n", "y".repeat(length));
    let body = |length: usize| format!("[{}]", " ".repeat(length));
    for (what, headers, body, alive) in [
        ("fifty headers", many(50), body(0), true),
        ("a thousand headers", many(1_000), body(0), false),
        ("a header of four kilobytes", long(4 << 10), body(0), true),
        ("a header of a megabyte", long(1 << 20), body(0), false),
        ("a body of 60 KiB", String::new(), body(60 << 10), true),
        ("a body of 65 KiB", String::new(), body(65 << 10), false),
    ] {
        let server = Wire::start("127.0.0.1", move |_, _| answer(&headers, body.as_bytes())).await;
        let (seen, told) = Sender::Probe.ask(&server.url()).await;
        assert_eq!(seen, alive, "{what}: {told}");
    }
}

fn answer(headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\n{headers}Content-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}
