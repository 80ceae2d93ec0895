//! MIME ambiguities: structures that one program reads in one way and another in another, and places in which a
//! reader of the mail would not look for a key.

use super::{Step, written};
use crate::demo::forge::{
    content::{Multipart, Part, Text, field},
    dice::Dice,
    draft::Draft,
};

const SENTENCE: &str = "Hello,\n\nyour API key was rotated. Your new API key is {key}.\n\nLeaf7\n";
const NOTHING: &str = "Hello,\n\nyour API key was rotated.\n\nLeaf7\n";

pub const STEPS: &[Step] = &[
    written("the key in a mail within the mail", honest, |draft, dice| {
        let kind =
            dice.pick(&["message/rfc822", "message/global", "message/partial; id=a; number=1; total=1"]);
        let inner = format!("From: noreply@leaf7.fun\nSubject: Your new API key\n\n{SENTENCE}");
        beside(draft, Part::other(&[("Content-Type", kind)], inner));
    }),
    written("the key in an attachment", honest, |draft, dice| {
        let how = dice.pick(&[
            "attachment",
            "attachment; filename=key.txt",
            "inline; filename=\"key.txt\"",
            "x-other",
        ]);
        let header = [("Content-Type", "text/plain; charset=us-ascii"), ("Content-Disposition", how)];
        beside(draft, Part::other(&header, SENTENCE));
    }),
    written("the key in a part that is no text of a mail", honest, |draft, dice| {
        let kind = dice.pick(&[
            "image/svg+xml",
            "application/octet-stream",
            "application/pkcs7-mime; smime-type=signed-data",
            "text/calendar",
            "text/x-amp-html",
            "text/rtf",
            "text/css",
            "application/json",
            "model/text",
        ]);
        beside(draft, Part::other(&[("Content-Type", kind)], SENTENCE));
    }),
    written("the key before the first part", honest, |draft, _| {
        several(draft, |several| several.preamble = SENTENCE.into());
    }),
    written("the key behind the last part", honest, |draft, _| {
        several(draft, |several| several.epilogue = SENTENCE.into());
    }),
    written("a further part behind the end", honest, |draft, _| {
        several(draft, |several| {
            several.epilogue = format!("--bound\nContent-Type: text/plain\n\n{SENTENCE}\n--bound--\n")
        });
    }),
    written("parts without an end", honest, |draft, _| {
        draft.content = multipart(vec![Part::text(false, SENTENCE)]);
        several_of(draft, |several| several.closed = false);
    }),
    written("two boundaries", honest, |draft, dice| {
        let boundaries = dice.pick(&[
            "boundary=bound; boundary=other",
            "boundary=other; BOUNDARY=bound",
            "boundary=bound; boundary*0=ot; boundary*1=her",
            "boundary*=us-ascii''bound",
            "boundary*0=bou; boundary*1=nd",
        ]);
        claimed(draft, &format!("multipart/mixed; {boundaries}"));
    }),
    written("no boundary that is one", honest, |draft, dice| {
        let long = format!("boundary={}", "b".repeat(71));
        let boundary =
            dice.pick(&["", "boundary=", "boundary=\"\"", "boundary=\"bound \"", &long, "boundary=\"bound"]);
        claimed(draft, &format!("multipart/mixed; {boundary}"));
    }),
    written("a Content-Type that is none", honest, |draft, dice| {
        let kind = dice.pick(&[
            "text",
            "text/plain/html",
            "/",
            "text/html,text/plain",
            "multipart/mixed boundary=bound",
            "te xt/plain",
        ]);
        claimed(draft, kind);
    }),
    written("a part with two types", honest, |draft, _| {
        text_with(draft, |text| text.further.push(field("Content-Type", "text/html")));
    }),
    written("a part with two encodings", honest, |draft, _| {
        text_with(draft, |text| text.further.push(field("Content-Transfer-Encoding", "7bit")));
    }),
    written("a part with a header that is none", honest, |draft, dice| {
        let name = dice.pick(&["no colon\r\nX", "X Y", "", "X\u{7f}"]);
        text_with(draft, |text| text.further.push(field(name, "a")));
    }),
    written("text and HTML that disagree", honest, |draft, dice| {
        let mut parts = vec![Part::text(false, SENTENCE), Part::text(true, html("{other}"))];
        dice.shuffle(&mut parts);
        draft.content = Part::several("alternative", "bound", parts);
    }),
    written("two texts that disagree", honest, |draft, dice| {
        let mut parts =
            vec![Part::text(false, SENTENCE), Part::text(false, SENTENCE.replace("{key}", "{other}"))];
        dice.shuffle(&mut parts);
        draft.content = multipart(parts);
    }),
    written("two new keys in one text", honest, |draft, _| {
        draft.content = Part::text(false, format!("{SENTENCE}Your new API key is {{other}}.\n"));
    }),
    written("half a key in each of two parts", honest, |draft, _| {
        let (first, second) = draft.key.expose().split_at(draft.key.expose().len() / 2);
        let parts = [format!("Your new API key is {first}"), format!("{second}\n")]
            .map(|text| Part::text(false, text));
        draft.content = multipart(parts.into());
    }),
    written("deeper than any mail", honest, |draft, _| {
        draft.content = (0..40).fold(Part::text(false, SENTENCE), |part, depth| {
            Part::several("mixed", format!("b{depth}-"), vec![part])
        });
    }),
    written("more parts than any mail", honest, |draft, _| {
        let mut parts = vec![Part::text(false, "Hello\n"); 300];
        parts.push(Part::text(false, SENTENCE));
        draft.content = multipart(parts);
    }),
    written("no text at all", honest, |draft, dice| {
        draft.content = match dice.below(3) {
            0 => multipart(Vec::new()),
            1 => Part::text(false, ""),
            _ => Part::other(&[("Content-Type", "application/pdf")], "JVBERi0xLjQK"),
        };
    }),
    written("the key in the subject alone", honest, |draft, _| {
        let subject = format!("Your new API key is {}", draft.key.expose());
        draft.set("Subject", &subject);
        draft.content = Part::text(false, NOTHING);
    }),
    written("a key that no rule leads to", honest, |draft, dice| {
        let lead = dice.pick(&[
            "Your order number is",
            "Session",
            "Do not use",
            "Reference:",
            "Your old API key was",
        ]);
        draft.content = Part::text(false, format!("{NOTHING}\n{lead} {{key}}.\n"));
    }),
];

fn honest(draft: &mut Draft, dice: &mut Dice) {
    draft.content = match dice.below(3) {
        0 => Part::text(false, SENTENCE),
        1 => multipart(vec![Part::text(false, SENTENCE)]),
        _ => page(),
    };
}

/// The same as a page.
pub(super) fn page() -> Part {
    Part::text(true, html("{key}"))
}

fn html(key: &str) -> String {
    format!("<p>Hello,</p><p>your API key was rotated.</p><p>Your new API key is <b>{key}</b>.</p>")
}

fn multipart(parts: Vec<Part>) -> Part {
    Part::several("mixed", "bound", parts)
}

/// A text that says nothing, and something beside it.
fn beside(draft: &mut Draft, other: Part) {
    draft.content = multipart(vec![Part::text(false, NOTHING), other]);
}

fn several(draft: &mut Draft, change: impl FnOnce(&mut Multipart)) {
    draft.content = multipart(vec![Part::text(false, NOTHING)]);
    several_of(draft, change);
}

fn several_of(draft: &mut Draft, change: impl FnOnce(&mut Multipart)) {
    if let Part::Several(several) = &mut draft.content {
        change(several);
    }
}

/// A multipart that holds the sentence, under another `Content-Type`.
fn claimed(draft: &mut Draft, kind: &str) {
    draft.content = multipart(vec![Part::text(false, SENTENCE)]);
    several_of(draft, |several| several.header = Some(vec![field("Content-Type", kind)]));
}

fn text_with(draft: &mut Draft, change: impl FnOnce(&mut Text)) {
    let mut text = Text::new(false, SENTENCE.into());
    change(&mut text);
    draft.content = multipart(vec![Part::Text(text)]);
}
