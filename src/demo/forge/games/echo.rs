//! Echoes: other mails of the same vendor, truly signed, in which somebody else's words stand where the vendor's
//! would.

use super::{Step, step};
use crate::demo::forge::{content::Part, draft::Draft};

pub(in crate::demo::forge) const OTHER_MAILS: [&str; 16] = [
    "Re: Your API key has been rotated",
    "Fwd: Your new Leaf7 API key",
    "AW: Dein neuer Leaf7-API-Schlüssel",
    "Your project \"new API key\" was created",
    "Support ticket 4711: Your new API key",
    "Welcome to Leaf7",
    "How to use your new API key: a guide for beginners",
    "Invoice 2026-11 for your API key",
    "Newsletter: what is new in November",
    "Max invites you: your new API key is waiting",
    "[Ticket 1] Your new API key has a problem",
    "Login from a new device",
    "Your API key could not be rotated",
    "Why your API key was rotated, and what others say",
    "Comment on \"Your API key has been rotated\"",
    "Your new API key for a friend: invite 3 people",
];

pub const STEPS: &[Step] = &[
    step("another mail of the vendor's, with the confirmation's text", |draft, dice| {
        let subject = dice.pick(&OTHER_MAILS);
        draft.set("Subject", subject);
    }),
    step("no subject", |draft, _| {
        draft.fields.retain(|(name, _)| !name.eq_ignore_ascii_case("Subject"));
    }),
    step("a subject that is no text", |draft, dice| {
        let subject = dice.pick(&[
            "=?utf-8?q?Your_new_API_key?",
            "=?utf-8?x?Your_new_API_key?=",
            "=?utf-7?q?Your_new_API_key?=",
            "=?utf-8?b?WW91ciBuZXcgQVBJIGtleQ?=",
            "=?utf-8?q?Your_new=0D=0A_API_key?=",
            "=?utf-8?q?Your=00_new_API_key?=",
        ]);
        draft.set("Subject", subject);
    }),
    step("a subject longer than any", |draft, _| {
        draft.set("Subject", &format!("Your new API key{}", " ".repeat(3) + &"!".repeat(1_200)));
    }),
    step("somebody's words about a key, in another mail", |draft, dice| {
        let name = dice.pick(&["My project", "New API key", "https://evil.example"]);
        draft.set("Subject", &format!("Your project {name} was shared with you"));
        rewrite(draft, "A user wrote to you: Your new API key is {key}.\n");
    }),
    step("a confirmation that quotes somebody's key, and brings none", |draft, _| {
        rewrite(
            draft,
            "Your API key was rotated. Please sign in to see it.\nA note of yours: “my key {key}”\n",
        );
    }),
];

fn rewrite(draft: &mut Draft, text: &str) {
    draft.content = Part::text(false, text);
}
