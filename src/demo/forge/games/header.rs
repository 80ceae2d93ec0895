//! Header games: fields that are there twice, that end the header early, or that were changed on the way.

use super::{Step, step};
use crate::demo::forge::draft::{Change, Draft};

pub const STEPS: &[Step] = &[
    step("a second From above everything", |draft, _| {
        above(draft, "From: Leaf7 Security <noreply@leaf7.fun>")
    }),
    step("a stranger's From above the genuine one", |draft, _| before(draft, "From: a@evil.example")),
    step("a stranger's From below the genuine one", |draft, _| {
        draft.changes.push(Change::Header(|header| format!("{header}From: a@evil.example\r\n")));
    }),
    step("a From with a blank before its colon", |draft, _| before(draft, "From : a@evil.example")),
    step("a From behind a blank as the first line", |draft, _| above(draft, " From: a@evil.example")),
    step("a From folded before its colon", |draft, _| before(draft, "From\r\n : a@evil.example")),
    step("a From in capitals", |draft, _| above(draft, "FROM: Leaf7 Security <noreply@leaf7.fun>")),
    step("a second Subject", |draft, _| above(draft, "Subject: Your new API key is here")),
    step("a second To", |draft, _| above(draft, "To: x@evil.example, rotation@example.com")),
    step("a second Date", |draft, _| above(draft, "Date: Fri, 20 Nov 2026 08:59:59 +0000")),
    step("a second Message-ID", |draft, _| above(draft, "Message-ID: <another@leaf7.fun>")),
    step("a second Content-Type", |draft, _| above(draft, "Content-Type: text/html")),
    step("two transfer encodings", |draft, _| {
        let twice = "Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64";
        above(draft, twice);
    }),
    step("two of what matters less", |draft, dice| {
        let name = dice.pick(&["Sender", "Reply-To", "Cc", "MIME-Version", "Content-Disposition"]);
        above(draft, &format!("{name}: 1.0\r\n{name}: inline"));
    }),
    step("an empty first line", |draft, _| above(draft, "")),
    step("a line without a colon", |draft, dice| {
        above(draft, dice.pick(&["Your new API key", "From a@evil.example Fri Nov 20", "=20"]));
    }),
    step("an empty line in the middle of the header", |draft, _| {
        draft.changes.push(Change::Before("To", String::new()));
    }),
    step("sent on by somebody", |draft, dice| {
        let name =
            dice.pick(&["Resent-From", "Resent-To", "Resent-Date", "Resent-Message-ID", "RESENT-SENDER"]);
        before(draft, &format!("{name}: a@evil.example"));
    }),
    step("control characters", |draft, dice| {
        let sign = dice.pick(&['\0', '\u{1b}', '\u{8}', '\u{7f}', '\u{b}']);
        above(draft, &format!("X-Note: a{sign}b"));
    }),
    step("a bare CR that some take for a line end", |draft, _| {
        draft.line_feeds = false;
        above(draft, "X-Note: a\rFrom: a@evil.example");
    }),
    step("a bare LF that some take for a line end", |draft, _| {
        draft.line_feeds = false;
        above(draft, "X-Note: a\nX-From: a@evil.example");
    }),
    step("a fold over an empty line", |draft, _| above(draft, "X-Note: a\r\n \r\n b")),
    step("more fields than anybody reads", |draft, _| {
        above(draft, "X-Note: a\r\n".repeat(600).trim_end());
    }),
    step("a name that holds what no name holds", |draft, dice| {
        above(draft, dice.pick(&["X\u{e9}: a", "X Note: a", ": a", "X-\u{200b}From: a@evil.example"]));
    }),
    step("another Subject", |draft, _| replaced(draft, "Subject", "Your new API key is here")),
    step("another Date", |draft, _| replaced(draft, "Date", "Fri, 20 Nov 2026 08:59:59 +0000")),
    step("another address before the genuine one in To", |draft, _| {
        replaced(draft, "To", "x@evil.example, rotation@example.com");
    }),
    step("another From of the same domain", |draft, _| replaced(draft, "From", "Leaf7 <alerts@leaf7.fun>")),
    step("a field that decides is taken away", |draft, dice| {
        let name = dice.pick(&["From", "To", "Subject", "Date"]);
        draft.changes.push(Change::Field(name, String::new()));
    }),
];

fn above(draft: &mut Draft, lines: &str) {
    draft.changes.push(Change::Above(lines.to_owned()));
}

fn before(draft: &mut Draft, lines: &str) {
    draft.changes.push(Change::Before("From", lines.to_owned()));
}

fn replaced(draft: &mut Draft, name: &'static str, value: &str) {
    draft.changes.push(Change::Field(name, format!("{name}: {value}\r\n")));
}
