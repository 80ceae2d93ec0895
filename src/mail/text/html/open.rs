//! The elements that were begun and not ended, and what of their text is seen.

use super::{
    colour::{Colour, Tint},
    declared::{Declared, declarations},
    sheet::{Named, Sheet},
};
use html5ever::{Attribute, LocalName};
use std::collections::HashMap;

/// Real mails nest some thirty tables deep at worst.
pub(super) const DEPTH_MAX: usize = 512;

#[derive(Default)]
pub(super) struct Stack {
    open: Vec<Open>,
    /// How many of each name are open.
    counts: HashMap<LocalName, usize>,
    too_deep: bool,
}

struct Open {
    named: Named,
    /// It, or one around it, is not to be seen.
    gone: bool,
    /// What is in it is not, but for its summary.
    is_shut: bool,
    tiny: bool,
    invisible: bool,
    ink: Tint,
    paper: Tint,
    preformatted: bool,
}

/// Around everything.
struct Around {
    gone: bool,
    tiny: bool,
    invisible: bool,
    ink: Tint,
    paper: Tint,
    preformatted: bool,
}

impl Stack {
    /// Whether a new line begins.
    pub(super) fn start(&mut self, tag: &LocalName, attributes: &[Attribute], sheet: &Sheet) -> bool {
        let name: &str = tag;
        while self.open.last().is_some_and(|top| closes(name, &top.named.tag)) {
            self.pop();
        }
        let named = Named::new(tag, if sheet.is_empty() { &[] } else { attributes });
        let mut declared = sheet.declared(&named, self.open.iter().map(|open| &open.named));
        declared.add(&own(name, attributes));
        let breaks = breaks(name) || declared.breaks;
        if is_void(name) {
            return breaks;
        }
        if self.open.len() >= DEPTH_MAX {
            self.too_deep = true;
            return breaks;
        }
        let around = self.around(name);
        *self.counts.entry(named.tag.clone()).or_default() += 1;
        self.open.push(Open {
            gone: around.gone || declared.gone || is_never_shown(name),
            is_shut: name == "details" && !attributes.iter().any(|a| &*a.name.local == "open"),
            tiny: declared.tiny.unwrap_or(around.tiny),
            invisible: declared.invisible.unwrap_or(around.invisible),
            ink: declared.ink.unwrap_or(around.ink),
            paper: declared.paper.unwrap_or(around.paper),
            preformatted: around.preformatted || declared.preformatted || is_preformatted(name),
            named,
        });
        breaks
    }

    pub(super) fn end(&mut self, name: &LocalName) {
        if self.counts.get(name).is_none_or(|count| *count == 0) {
            return;
        }
        while let Some(ended) = self.pop() {
            if ended == *name {
                break;
            }
        }
    }

    fn pop(&mut self) -> Option<LocalName> {
        let tag = self.open.pop()?.named.tag;
        self.counts.get_mut(&tag).into_iter().for_each(|count| *count -= 1);
        Some(tag)
    }

    fn around(&self, name: &str) -> Around {
        let Some(top) = self.open.last() else {
            let (ink, paper) = (Tint::Of(Colour::BLACK), Tint::Of(Colour::WHITE));
            return Around { gone: false, tiny: false, invisible: false, ink, paper, preformatted: false };
        };
        Around {
            gone: top.gone || (top.is_shut && name != "summary"),
            tiny: top.tiny,
            invisible: top.invisible,
            ink: top.ink,
            paper: top.paper,
            preformatted: top.preformatted,
        }
    }

    pub(super) fn is_seen(&self) -> bool {
        let around = self.around("");
        let is_faint = match (around.ink, around.paper) {
            (Tint::Clear, _) => true,
            (Tint::Of(ink), Tint::Of(paper)) => ink.is_like(paper),
            (Tint::Unknown, _) | (Tint::Of(_), Tint::Unknown | Tint::Clear) => false,
        };
        !around.gone && !around.tiny && !around.invisible && !is_faint
    }

    pub(super) fn is_preformatted(&self) -> bool {
        self.open.last().is_some_and(|top| top.preformatted)
    }

    pub(super) fn is_in(&self, name: &str) -> bool {
        self.open.last().is_some_and(|top| &*top.named.tag == name)
    }

    pub(super) fn is_too_deep(&self) -> bool {
        self.too_deep
    }
}

/// What an element's own attributes say.
fn own(name: &str, attributes: &[Attribute]) -> Declared {
    let mut own = Declared::default();
    let is_shut = name == "dialog" && !attributes.iter().any(|a| &*a.name.local == "open");
    own.gone = is_shut;
    for attribute in attributes {
        let value = || attribute.value.to_lowercase();
        match (name, &*attribute.name.local) {
            (_, "style") => own.add(&Declared::of(&declarations(&attribute.value))),
            (_, "hidden") => own.gone = true,
            ("bdo", "dir") => own.gone |= value().trim() == "rtl",
            (_, "bgcolor") => own.paper = Tint::parse(&with_hash(&value())).or(own.paper),
            (_, "background") => own.paper = Some(Tint::Unknown),
            ("font" | "basefont", "color") | ("body", "text") => {
                own.ink = Tint::parse(&with_hash(&value())).or(own.ink);
            }
            _ => {}
        }
    }
    own
}

/// Old HTML leaves it out.
fn with_hash(colour: &str) -> String {
    let colour = colour.trim();
    let is_bare = colour.len() == 6 && colour.bytes().all(|b| b.is_ascii_hexdigit());
    if is_bare { format!("#{colour}") } else { colour.to_owned() }
}

fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "br"
            | "col"
            | "embed"
            | "hr"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "source"
            | "track"
            | "wbr"
    )
}

fn is_never_shown(name: &str) -> bool {
    matches!(
        name,
        "head"
            | "title"
            | "style"
            | "script"
            | "noscript"
            | "template"
            | "object"
            | "iframe"
            | "svg"
            | "math"
            | "audio"
            | "video"
            | "canvas"
            | "noframes"
            | "noembed"
            | "datalist"
    )
}

fn is_preformatted(name: &str) -> bool {
    matches!(name, "pre" | "textarea" | "plaintext" | "listing" | "xmp")
}

/// Elements that stand in lines of their own.
pub(super) fn breaks(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "aside"
            | "blockquote"
            | "body"
            | "br"
            | "center"
            | "dd"
            | "details"
            | "div"
            | "dl"
            | "dt"
            | "fieldset"
            | "figure"
            | "footer"
            | "form"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "header"
            | "hr"
            | "html"
            | "li"
            | "main"
            | "nav"
            | "ol"
            | "p"
            | "pre"
            | "section"
            | "summary"
            | "table"
            | "tbody"
            | "td"
            | "th"
            | "tr"
            | "ul"
            | "plaintext"
            | "listing"
            | "xmp"
    )
}

/// Start tags that end the element before them without its end tag.
fn closes(start: &str, open: &str) -> bool {
    match open {
        "p" => start != "br" && start != "hr" && breaks(start),
        "li" => start == "li",
        "dt" | "dd" => matches!(start, "dt" | "dd"),
        "td" | "th" => matches!(start, "td" | "th" | "tr"),
        "tr" => start == "tr",
        "head" => start == "body",
        _ => false,
    }
}
