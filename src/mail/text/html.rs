//! HTML to what is seen of it. The tokens are the standard's (html5ever); of the tree only what hides and what
//! breaks a line is followed, so that nesting costs nothing and a missing end tag hides rather than shows.

use crate::mail::parse::Fault;
use html5ever::{
    Attribute,
    tendril::StrTendril,
    tokenizer::{
        BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
        states::RawKind::{Rawtext, Rcdata, ScriptData},
    },
};
use std::cell::{Cell, RefCell};
use zeroize::Zeroizing;

/// Real mails nest some thirty tables deep at worst.
const DEPTH_MAX: usize = 512;
/// A single tag or comment longer than this is no mail's; within one, html5ever's work is quadratic.
const TOKEN_MAX: usize = 32 << 10;
const CHUNK: usize = 4 << 10;

const VOID: [&str; 13] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"];
const NEVER_SHOWN: [&str; 15] = [
    "head", "title", "style", "script", "template", "object", "iframe", "svg", "math", "audio", "video",
    "canvas", "noframes", "noembed", "datalist",
];
const BREAKS: [&str; 39] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "br",
    "center",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "html",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "summary",
    "table",
    "td",
    "th",
    "tr",
    "ul",
    "tbody",
];

/// The visible text: a line for each block, table cell and line of code.
pub fn visible(html: &str) -> Result<Zeroizing<String>, Fault> {
    let tokenizer = Tokenizer::new(Page::default(), TokenizerOpts::default());
    let input = BufferQueue::default();
    let (mut seen, mut silent) = (0, 0);
    let mut rest = html;
    while !rest.is_empty() {
        let (chunk, tail) = rest.split_at(rest.floor_char_boundary(CHUNK.min(rest.len())));
        input.push_back(StrTendril::from_slice(chunk));
        // It takes the whole chunk: it would stop early only for a sink that runs scripts.
        let _ = tokenizer.feed(&input);
        silent = if tokenizer.sink.tokens.get() == seen { silent + chunk.len() } else { 0 };
        seen = tokenizer.sink.tokens.get();
        if silent > TOKEN_MAX {
            return Err("its HTML has a tag without an end".into());
        }
        rest = tail;
    }
    tokenizer.end();
    if tokenizer.sink.too_deep.get() {
        return Err(format!("its HTML nests deeper than {DEPTH_MAX}"));
    }
    Ok(tokenizer.sink.text.take())
}

#[derive(Default)]
struct Page {
    text: RefCell<Zeroizing<String>>,
    open: RefCell<Vec<Open>>,
    tokens: Cell<usize>,
    too_deep: Cell<bool>,
}

/// An element that was begun and not ended.
struct Open {
    name: String,
    /// It, or one around it.
    hidden: bool,
    preformatted: bool,
}

impl TokenSink for Page {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        self.tokens.set(self.tokens.get() + 1);
        match token {
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => return self.start(&tag),
            Token::TagToken(tag) => self.end_tag(&tag.name),
            Token::CharacterTokens(text) => self.characters(&text),
            Token::NullCharacterToken => self.characters("\u{fffd}"),
            Token::DoctypeToken(_) | Token::CommentToken(_) | Token::EOFToken | Token::ParseError(_) => {}
        }
        TokenSinkResult::Continue
    }
}

impl Page {
    fn start(&self, tag: &Tag) -> TokenSinkResult<()> {
        let name: &str = &tag.name;
        let mut open = self.open.borrow_mut();
        while open.last().is_some_and(|top| closes(name, &top.name)) {
            open.pop();
        }
        let (around_hidden, around_pre) =
            open.last().map_or((false, false), |top| (top.hidden, top.preformatted));
        let style = Style::of(&tag.attrs);
        if BREAKS.contains(&name) || style.breaks {
            self.text.borrow_mut().push('\n');
        }
        if VOID.contains(&name) {
            return TokenSinkResult::Continue;
        }
        if open.len() >= DEPTH_MAX {
            self.too_deep.set(true);
        } else {
            let hidden = around_hidden || style.hidden || NEVER_SHOWN.contains(&name);
            let preformatted = around_pre || name == "pre" || name == "textarea" || style.preformatted;
            open.push(Open { name: name.to_owned(), hidden, preformatted });
        }
        match name {
            "script" => TokenSinkResult::RawData(ScriptData),
            "style" | "iframe" | "noembed" | "noframes" | "xmp" => TokenSinkResult::RawData(Rawtext),
            "title" | "textarea" => TokenSinkResult::RawData(Rcdata),
            _ => TokenSinkResult::Continue,
        }
    }

    fn end_tag(&self, name: &str) {
        let mut open = self.open.borrow_mut();
        if let Some(at) = open.iter().rposition(|element| element.name == name) {
            open.truncate(at);
        }
        if BREAKS.contains(&name) {
            self.text.borrow_mut().push('\n');
        }
    }

    fn characters(&self, text: &str) {
        let open = self.open.borrow();
        let (hidden, preformatted) = open.last().map_or((false, false), |top| (top.hidden, top.preformatted));
        if hidden {
            return;
        }
        let mut seen = self.text.borrow_mut();
        for c in text.chars() {
            seen.push(if c == '\n' && !preformatted { ' ' } else { c });
        }
    }
}

/// Start tags that end the element before them without its end tag.
fn closes(start: &str, open: &str) -> bool {
    match open {
        "p" => start != "br" && start != "hr" && BREAKS.contains(&start),
        "li" => start == "li",
        "dt" | "dd" => matches!(start, "dt" | "dd"),
        "td" | "th" => matches!(start, "td" | "th" | "tr"),
        "tr" => start == "tr",
        "head" => start == "body",
        _ => false,
    }
}

/// What an element's own attributes do to its text.
#[derive(Default)]
struct Style {
    hidden: bool,
    breaks: bool,
    preformatted: bool,
}

impl Style {
    fn of(attributes: &[Attribute]) -> Self {
        let value =
            |name: &str| attributes.iter().find(|a| &*a.name.local == name).map(|a| a.value.to_lowercase());
        let mut style = Self { hidden: value("hidden").is_some(), ..Self::default() };
        let text = value("style").unwrap_or_default();
        let declarations: Vec<(&str, &str)> = text
            .split(';')
            .filter_map(|declaration| declaration.split_once(':'))
            .map(|(name, value)| (name.trim(), value.trim_end_matches("!important").trim()))
            .collect();
        let clipped =
            declarations.iter().any(|(name, value)| name.starts_with("overflow") && *value == "hidden");
        for (name, value) in declarations {
            style.hidden |= match name {
                "display" => value == "none",
                "visibility" => matches!(value, "hidden" | "collapse"),
                "mso-hide" => value == "all",
                "color" => value == "transparent",
                "opacity" | "font-size" | "max-height" | "max-width" => is_zero(value),
                "height" | "width" => clipped && is_zero(value),
                "text-indent" | "left" | "top" => value.starts_with('-') && value.len() > "-999".len(),
                _ => false,
            };
            style.breaks |=
                name == "display" && matches!(value, "block" | "table" | "table-cell" | "flex" | "grid");
            style.preformatted |= name == "white-space" && value.starts_with("pre");
        }
        style
    }
}

/// `0`, `0px`, `.0em`.
fn is_zero(value: &str) -> bool {
    let number = value.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%');
    number.parse::<f64>() == Ok(0.0)
}
