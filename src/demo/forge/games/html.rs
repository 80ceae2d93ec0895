//! HTML hiding: a key that stands in the page and that no reader sees.

use super::{Step, written};
use crate::demo::forge::{content::Part, dice::Dice, draft::Draft};

const STYLES: [&str; 16] = [
    "display:none",
    "DISPLAY : NONE",
    "display: none !important",
    "color:red;display:none",
    "visibility:hidden",
    "visibility: collapse",
    "opacity:0",
    "opacity: 0.0",
    "font-size:0",
    "font-size: 0px",
    "mso-hide:all",
    "max-height:0;overflow:hidden",
    "height:0px;width:0px;overflow:hidden",
    "text-indent:-9999px",
    "position:absolute;left:-9999px",
    "color:transparent",
];
const ELEMENTS: [&str; 9] =
    ["title", "style", "script", "template", "object", "iframe", "noembed", "noframes", "svg"];
const BLOCKS: [&str; 6] = ["div", "p", "span", "td", "b", "section"];

pub const STEPS: &[Step] = &[
    written("the sentence in an element that is not shown", honest, |draft, dice| {
        let (block, style) = (dice.pick(&BLOCKS), dice.pick(&STYLES));
        hidden(draft, dice, &format!("<{block} style=\"{style}\">{SENTENCE}</{block}>"));
    }),
    written("the key alone in an element that is not shown", honest, |draft, dice| {
        let (block, style) = (dice.pick(&["span", "b", "i", "font"]), dice.pick(&STYLES));
        hidden(
            draft,
            dice,
            &format!("<p>Your new API key is <{block} style='{style}'>{{key}}</{block}></p>"),
        );
    }),
    written("the sentence deep within what is not shown", honest, |draft, dice| {
        let style = dice.pick(&STYLES);
        let inner = format!("<table><tr><td><b>{SENTENCE}</b></td></tr></table>");
        hidden(
            draft,
            dice,
            &format!("<div style=\"{style}\"><div style=\"display:block\">{inner}</div></div>"),
        );
    }),
    written("the sentence in an element that nobody shows", honest, |draft, dice| {
        let element = dice.pick(&ELEMENTS);
        hidden(draft, dice, &format!("<{element}>{SENTENCE}</{element}>"));
    }),
    written("the sentence under the attribute hidden", honest, |draft, dice| {
        let how = dice.pick(&["hidden", "hidden=\"\"", "HIDDEN=hidden", "class=a hidden"]);
        hidden(draft, dice, &format!("<p {how}>{SENTENCE}</p>"));
    }),
    written("the sentence in a comment", honest, |draft, dice| {
        let (before, behind) = dice.pick(&[
            ("<!--", "-->"),
            ("<!--[if mso]>", "<![endif]-->"),
            ("<!-- >", "--!>"),
            ("<?php ", "?>"),
        ]);
        hidden(draft, dice, &format!("{before}{SENTENCE}{behind}"));
    }),
    written("the sentence in an attribute", honest, |draft, dice| {
        let attribute =
            dice.pick(&["alt", "title", "data-key", "href", "aria-label", "value", "placeholder"]);
        hidden(draft, dice, &format!("<img {attribute}=\"Your new API key is {{key}}.\">"));
    }),
    written("what is not shown has no end", honest, |draft, dice| {
        let style = dice.pick(&STYLES);
        hidden(draft, dice, &format!("<div style=\"{style}\">{SENTENCE}"));
    }),
    written("a tag that has no end", honest, |draft, dice| {
        hidden(draft, dice, &format!("<div title=\"{SENTENCE}"));
    }),
];

const SENTENCE: &str = "Your new API key is {key}.";

/// What the vendor would write.
fn honest(draft: &mut Draft, dice: &mut Dice) {
    hidden(draft, dice, &format!("<p>{SENTENCE}</p>"));
}

/// In a page that says nothing else, alone or beside a text that says nothing.
fn hidden(draft: &mut Draft, dice: &mut Dice, html: &str) {
    let page =
        format!("<html><body><p>Hello,</p><p>we have news for you.</p>{html}<p>Leaf7</p></body></html>");
    let page = Part::text(true, page);
    let stub = Part::text(false, "Please open this mail in a program that shows HTML.\n");
    draft.content =
        if dice.chance(50) { page } else { Part::several("alternative", "bound", vec![stub, page]) };
}
