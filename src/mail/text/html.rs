//! HTML to what is seen of it, and what is beside it: hidden, or for some programs only. The tokens are the standard's
//! (html5ever); of the tree only what hides and what breaks a line is followed, so that nesting costs nothing and a
//! missing end tag hides rather than shows.

mod colour;
mod declared;
mod open;
mod sheet;

use crate::mail::parse::Fault;
use html5ever::{
    Attribute,
    tendril::StrTendril,
    tokenizer::{
        BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
        states::RawKind::{Rawtext, Rcdata, ScriptData},
    },
};
use open::Stack;
use sheet::Sheet;
use std::cell::{Cell, RefCell};
use zeroize::Zeroizing;

/// A single tag or comment longer than this is no mail's; within one, html5ever's work is quadratic.
const TOKEN_MAX: usize = 8 << 10;
const CHUNK: usize = 2 << 10;
/// So much of a word without any sign is more than any key, and is cut: a picture may be written into a tag.
const WORD_MAX: usize = 1 << 10;
/// Tags, and texts between them. Real mails of a mebibyte have some thirty thousand.
const TOKENS_MAX: usize = 60_000;
/// The squares of all tags' numbers of attributes: html5ever compares each with each.
const ATTRIBUTES_MAX: usize = 1_000_000;

/// What a reader sees, a line for each block, table cell and line of code; and what is beside it.
#[derive(Default)]
pub struct Page {
    pub shown: Zeroizing<String>,
    pub beside: Zeroizing<String>,
}

pub fn read(html: &str) -> Result<Page, Fault> {
    let html = short_words(html);
    let first = tokens(&html, Sheet::default())?;
    let styles = first.styles.take();
    if styles.is_empty() {
        return Ok(first.page());
    }
    Ok(tokens(&html, Sheet::parse(&styles)?)?.page())
}

/// Without what no word has behind so many letters.
fn short_words(html: &str) -> Zeroizing<String> {
    let mut short = Zeroizing::new(String::with_capacity(html.len()));
    let (mut from, mut run) = (0, 0);
    for (at, byte) in html.bytes().enumerate() {
        run = if byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/' { run + 1 } else { 0 };
        if run > WORD_MAX {
            short.push_str(&html[from..at]);
            from = at + 1;
        }
    }
    short.push_str(&html[from..]);
    short
}

fn tokens(html: &str, sheet: Sheet) -> Result<Reader, Fault> {
    let tokenizer = Tokenizer::new(Reader { sheet, ..Reader::default() }, TokenizerOpts::default());
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
        tokenizer.sink.in_limits()?;
        rest = tail;
    }
    tokenizer.end();
    tokenizer.sink.in_limits()?;
    Ok(tokenizer.sink)
}

#[derive(Default)]
struct Reader {
    sheet: Sheet,
    shown: RefCell<Zeroizing<String>>,
    beside: RefCell<Zeroizing<String>>,
    /// The text of the style sheets.
    styles: RefCell<String>,
    open: RefCell<Stack>,
    tokens: Cell<usize>,
    attributes: Cell<usize>,
}

impl TokenSink for Reader {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        // An error is no token: a tag may hold any number of them.
        if !matches!(token, Token::ParseError(_)) {
            self.tokens.set(self.tokens.get() + 1);
        }
        match token {
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => return self.start(&tag),
            Token::TagToken(tag) => self.end_tag(&tag),
            Token::CharacterTokens(text) => self.characters(&text),
            Token::NullCharacterToken => self.characters("\u{fffd}"),
            Token::CommentToken(text) => self.comment(&text),
            Token::DoctypeToken(_) | Token::EOFToken | Token::ParseError(_) => {}
        }
        TokenSinkResult::Continue
    }
}

impl Reader {
    fn in_limits(&self) -> Result<(), Fault> {
        if self.open.borrow().is_too_deep() {
            return Err(format!("its HTML nests deeper than {}", open::DEPTH_MAX));
        }
        if self.tokens.get() > TOKENS_MAX {
            return Err(format!("its HTML has more than {TOKENS_MAX} tags"));
        }
        if self.attributes.get() > ATTRIBUTES_MAX {
            return Err("its HTML has tags with too many attributes".into());
        }
        if self.sheet.is_too_much_work() {
            return Err("its HTML has too many tags for its style sheet".into());
        }
        Ok(())
    }

    fn page(self) -> Page {
        let mut beside = self.beside.into_inner();
        beside.push('\n');
        beside.push_str(&self.sheet.written);
        Page { shown: self.shown.into_inner(), beside }
    }

    fn start(&self, tag: &Tag) -> TokenSinkResult<()> {
        self.attributes.set(self.attributes.get() + tag.attrs.len().pow(2));
        let name: &str = &tag.name;
        let breaks = self.open.borrow_mut().start(&tag.name, &tag.attrs, &self.sheet);
        if breaks {
            self.end_line();
        }
        self.instead(name, &tag.attrs);
        match name {
            "script" => TokenSinkResult::RawData(ScriptData),
            "style" | "iframe" | "noembed" | "noframes" | "xmp" => TokenSinkResult::RawData(Rawtext),
            "title" | "textarea" => TokenSinkResult::RawData(Rcdata),
            "plaintext" => TokenSinkResult::Plaintext,
            _ => TokenSinkResult::Continue,
        }
    }

    /// What some programs show in the place of an element.
    fn instead(&self, name: &str, attributes: &[Attribute]) {
        let shown = match name {
            "input" | "button" | "option" => "value",
            "img" | "area" => "alt",
            _ => return,
        };
        for attribute in attributes.iter().filter(|a| &*a.name.local == shown) {
            let mut beside = self.beside.borrow_mut();
            beside.push('\n');
            beside.push_str(&attribute.value);
            beside.push('\n');
        }
    }

    fn end_tag(&self, tag: &Tag) {
        self.open.borrow_mut().end(&tag.name);
        if open::breaks(&tag.name) {
            self.end_line();
        }
    }

    fn end_line(&self) {
        self.shown.borrow_mut().push('\n');
        self.beside.borrow_mut().push('\n');
    }

    fn characters(&self, text: &str) {
        let open = self.open.borrow();
        if open.is_in("style") {
            self.styles.borrow_mut().push_str(text);
            return;
        }
        let preformatted = open.is_preformatted();
        let mut seen = if open.is_seen() { self.shown.borrow_mut() } else { self.beside.borrow_mut() };
        for c in text.chars() {
            seen.push(if c == '\n' && !preformatted { ' ' } else { c });
        }
    }

    /// Outlook reads `<!--[if mso]> … <![endif]-->`.
    fn comment(&self, text: &str) {
        if text.trim_start().starts_with("[if") {
            let mut beside = self.beside.borrow_mut();
            beside.push('\n');
            beside.push_str(&text.replace(['<', '>'], "\n"));
            beside.push('\n');
        }
    }
}
