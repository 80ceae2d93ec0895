//! From forms: addresses that one program reads as the vendor's and another as somebody else's, whoever signs them.

use super::{Step, step};
use crate::demo::forge::{draft::Draft, mailroom::Who};

/// None of them is one plain address of the vendor, so even the vendor's own signature does not make it one.
const NOT_ONE: [&str; 22] = [
    "Leaf7 <noreply@leaf7.fun>, a@evil.example",
    "<a@evil.example>, <noreply@leaf7.fun>",
    "leaf7: noreply@leaf7.fun;",
    "leaf7: a@evil.example;, noreply@leaf7.fun",
    "<@evil.example,@any.example:noreply@leaf7.fun>",
    "<noreply@leaf7.fun>\\,<a@evil.example>",
    "<a@evil.example>noreply@leaf7.fun",
    "<noreply@leaf7.fun>a@evil.example",
    "noreply@leaf7.fun <a@evil.example>",
    "=?utf-8?b?<noreply@leaf7.fun>?=,<a@evil.example>",
    "\"noreply\"@leaf7.fun",
    "<\"a@evil.example \"@leaf7.fun>",
    "noreply@[192.0.2.1]",
    "<noreply@leaf7.fun.>",
    "(a comment noreply@leaf7.fun",
    "\"Leaf7 <noreply@leaf7.fun>",
    "<noreply@leaf7.fun",
    "noreply@leaf7.fun noreply@leaf7.fun",
    "",
    "Leaf7",
    "<noreply@evil.example@leaf7.fun>",
    "<noreply@le\u{430}f7.fun>",
];
/// One plain address, and not the vendor's.
const STRANGERS: [(&str, Who); 12] = [
    ("\"noreply@leaf7.fun\" <a@evil.example>", Who::Evil),
    ("\"Leaf7 <noreply@leaf7.fun>\" <a@evil.example>", Who::Evil),
    ("a@evil.example (noreply@leaf7.fun)", Who::Evil),
    ("=?utf-8?q?noreply=40leaf7=2Efun?= <a@evil.example>", Who::Evil),
    ("Leaf7 <noreply@1eaf7.fun>", Who::LooksAlike),
    ("Leaf7 <noreply@leaf7.fun.evil.example>", Who::Below),
    ("Leaf7 <noreply@xn--lef7-43d.fun>", Who::Evil),
    ("Leaf7 <noreply@mail.leaf7.fun>", Who::Subdomain),
    ("Leaf7 <noreply@mail.leaf7.fun>", Who::Vendor),
    ("Leaf7 <noreply@evil.example>", Who::Vendor),
    ("Leaf7 <noreply=leaf7.fun@evil.example>", Who::Evil),
    ("Leaf7 <noreply%leaf7.fun@evil.example>", Who::Evil),
];

pub const STEPS: &[Step] = &[
    step("a From that is not one plain address, signed by the vendor", |draft, dice| {
        draft.set("From", dice.pick(&NOT_ONE));
        only(draft, Who::Vendor);
    }),
    step("a From that is not one plain address, signed by a forger", |draft, dice| {
        draft.set("From", dice.pick(&NOT_ONE));
        only(draft, Who::Evil);
    }),
    step("a stranger who looks like the vendor, with a signature of his own", |draft, dice| {
        let (from, who) = dice.pick(&STRANGERS);
        draft.set("From", from);
        only(draft, who);
    }),
    step("the vendor's own address, signed by somebody else", |draft, dice| {
        let who =
            dice.pick(&[Who::Evil, Who::LooksAlike, Who::Below, Who::Subdomain, Who::Carrier, Who::Impostor]);
        only(draft, who);
    }),
    step("the vendor's own address, signed by nobody", |draft, _| draft.seals.clear()),
    step("a stranger, and the vendor as Sender", |draft, _| {
        draft.set("From", "a@evil.example");
        draft.fields.retain(|(name, _)| !name.eq_ignore_ascii_case("Sender"));
        draft.fields.push(("Sender".into(), " noreply@leaf7.fun".into()));
        only(draft, Who::Evil);
    }),
    step("bytes that are no text in From", |draft, dice| {
        let sign = dice.pick(&['\u{0}', '\u{1}', '\u{7f}', '\u{b}']);
        draft.set("From", &format!("Leaf7 <noreply{sign}@leaf7.fun>"));
    }),
];

/// As the mail is signed, but by somebody else alone.
fn only(draft: &mut Draft, who: Who) {
    draft.seals.truncate(1);
    for (signer, seal) in &mut draft.seals {
        *signer = who;
        seal.tags.retain(|(name, _)| name != "i");
    }
}
