//! HTML to text: whatever the page, the text is clean; of a page that is built from pieces, nothing that a piece hides
//! is ever seen, and what stands before the first piece that may swallow the rest is.
#![no_main]

use arbitrary::{Arbitrary, Unstructured};
use keyrelay_fuzz::{all, visible};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Piece<'a> {
    /// Text between tags, in an element or not.
    Seen(Option<Block>),
    /// An element that is not shown, whatever stands in it.
    Hidden {
        by: Hiding,
        inside: &'a str,
        nested: bool,
        ended: bool,
    },
    Comment(&'a str),
    /// In an attribute nobody sees it.
    Attribute(&'a str),
    Rubbish(&'a str),
}

#[derive(Arbitrary, Debug, Clone, Copy)]
enum Block {
    P,
    Div,
    Td,
    Li,
    Pre,
    B,
}

#[derive(Arbitrary, Debug, Clone, Copy)]
enum Hiding {
    Display,
    DisplayUpperCase,
    DisplayImportant,
    Visibility,
    FontSize,
    Opacity,
    MsoHide,
    Attribute,
    Style,
    Script,
    Title,
    Template,
    Object,
    Svg,
}

impl Block {
    fn name(self) -> &'static str {
        match self {
            Block::P => "p",
            Block::Div => "div",
            Block::Td => "td",
            Block::Li => "li",
            Block::Pre => "pre",
            Block::B => "b",
        }
    }
}

impl Hiding {
    fn tag(self) -> (&'static str, &'static str) {
        match self {
            Hiding::Display => ("div", "<div style=\"display:none\">"),
            Hiding::DisplayUpperCase => ("DIV", "<DIV STYLE='color:red; DISPLAY : NONE'>"),
            Hiding::DisplayImportant => ("span", "<span style=\"display: none !important;\">"),
            Hiding::Visibility => ("p", "<p style=visibility:hidden>"),
            Hiding::FontSize => ("span", "<span style=\"font-size:0px\">"),
            Hiding::Opacity => ("div", "<div style=\"opacity: 0\">"),
            Hiding::MsoHide => ("div", "<div style=\"mso-hide:all\">"),
            Hiding::Attribute => ("section", "<section hidden>"),
            Hiding::Style => ("style", "<style>"),
            Hiding::Script => ("script", "<script>"),
            Hiding::Title => ("title", "<title>"),
            Hiding::Template => ("template", "<template>"),
            Hiding::Object => ("object", "<object>"),
            Hiding::Svg => ("svg", "<svg>"),
        }
    }
}

/// Text that begins and ends no tag, comment, reference or attribute.
fn harmless(text: &str) -> String {
    text.chars().filter(|c| !"<>&\"'`-=".contains(*c) && (!c.is_control() || *c == '\n')).take(40).collect()
}

/// The page, and how many of its words must be seen: those before whatever may swallow the rest.
fn page(pieces: &[Piece<'_>]) -> (String, usize) {
    let (mut html, mut seen) = (String::new(), 0);
    for (at, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Seen(block) => {
                let word = format!(" SEEN{at}x ");
                html += &block.map_or(word.clone(), |block| format!("<{0}>{word}</{0}>", block.name()));
                seen = at + 1;
            }
            Piece::Hidden { by, inside, nested, ended } => {
                let (name, open) = by.tag();
                let inside = harmless(inside);
                let inside =
                    if *nested { format!("<b>{inside}NEVER</b> <i>NEVER") } else { inside + "NEVER" };
                html += &format!("{open}{inside}");
                // Without its end it hides what follows, and what follows is nobody's to see.
                if !ended {
                    return (html, seen);
                }
                html += &format!("</{name}>");
            }
            Piece::Comment(inside) => html += &format!("<!-- {} NEVER -->", harmless(inside)),
            Piece::Attribute(inside) => {
                html += &format!("<img alt=\"{} NEVER\" title='NEVER'>", harmless(inside))
            }
            Piece::Rubbish(text) => {
                html += &text.replace("NEVER", "");
                // A tag of the rubbish's may be open here, and make markup of the next piece's text.
                return (html, seen);
            }
        }
    }
    (html, seen)
}

fn text_of(html: &str) -> Option<String> {
    let header =
        "MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit";
    let body = html.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n");
    visible(format!("{header}\r\n\r\n{body}").as_bytes()).map(|visible| all(&visible))
}

fuzz_target!(|data: &[u8]| {
    // What begins like a page is one, so that a corpus can be made of pages.
    if data.first().is_some_and(|b| *b == b'<' || b.is_ascii_alphabetic()) {
        text_of(&String::from_utf8_lossy(data));
        return;
    }
    let Ok(pieces) = Vec::<Piece<'_>>::arbitrary(&mut Unstructured::new(data)) else { return };
    let (html, seen) = page(&pieces);
    let Some(text) = text_of(&html) else { return };
    assert!(!text.contains("NEVER"), "what is hidden is seen:\n{html}");
    for (at, piece) in pieces.iter().enumerate().take(seen) {
        if matches!(piece, Piece::Seen(_)) {
            assert!(text.contains(&format!("SEEN{at}x")), "word {at} is not seen:\n{html}");
        }
    }
});
