//! Declarations of CSS, from a `style` attribute or a rule, and what they do to a text: whether it is seen at all, and
//! whether it stands in a line of its own.

use super::colour::Tint;

/// So far from its place, in pixels, nobody sees a text; to the right and below a reader may scroll a while.
const FAR_BACK: f64 = -200.0;
const FAR_AHEAD: f64 = 2_000.0;
/// Letters, or a box that cuts off what does not fit in it, of so many pixels show nothing.
const READABLE_PX: f64 = 3.0;
/// The same, as a part of the letters around; of an opacity.
const READABLE_PART: f64 = 0.2;
const SEEN_PART: f64 = 0.1;
const PX_PER_EM: f64 = 16.0;

/// What the declarations of one element or rule amount to. `None`: as around it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Declared {
    /// It is not there, or nowhere to be seen, with all that is in it.
    pub(super) gone: bool,
    pub(super) breaks: bool,
    pub(super) preformatted: bool,
    /// Its letters are too small to be read.
    pub(super) tiny: Option<bool>,
    pub(super) invisible: Option<bool>,
    pub(super) ink: Option<Tint>,
    pub(super) paper: Option<Tint>,
}

impl Declared {
    /// Several declarations of one property: the last counts, but what hides, hides.
    pub(super) fn of(declarations: &[(String, String)]) -> Self {
        let mut declared = Self::default();
        let cuts_off = declarations.iter().any(|(name, value)| {
            name.starts_with("overflow") && (value.starts_with("hidden") || value.starts_with("clip"))
        });
        for (name, value) in declarations {
            let value = value.as_str();
            match name.as_str() {
                "display" => {
                    declared.gone |= value == "none";
                    declared.breaks |=
                        matches!(value, "block" | "table" | "table-cell" | "flex" | "grid" | "list-item");
                }
                "visibility" => declared.invisible = Some(matches!(value, "hidden" | "collapse")),
                "white-space" => declared.preformatted |= value.starts_with("pre"),
                "font-size" => declared.tiny = tiny(value).or(declared.tiny),
                "font" => declared.tiny = value.split(' ').find_map(font_size).or(declared.tiny),
                "color" | "-webkit-text-fill-color" => declared.ink = Tint::parse(value).or(declared.ink),
                "background-color" => declared.paper = paper(value).or(declared.paper),
                "background" => declared.paper = paper(value).or(declared.paper),
                "background-image" if value != "none" => declared.paper = Some(Tint::Unknown),
                other => declared.gone |= hides(other, value, cuts_off),
            }
        }
        declared
    }

    /// These, and then `later` ones.
    pub(super) fn add(&mut self, later: &Self) {
        self.gone |= later.gone;
        self.breaks |= later.breaks;
        self.preformatted |= later.preformatted;
        self.tiny = later.tiny.or(self.tiny);
        self.invisible = later.invisible.or(self.invisible);
        self.ink = later.ink.or(self.ink);
        self.paper = later.paper.or(self.paper);
    }
}

/// A background's colour; nothing where it is transparent, so that what is behind shows.
fn paper(value: &str) -> Option<Tint> {
    if value.contains("url(") || value.contains("gradient(") {
        return Some(Tint::Unknown);
    }
    let whole = Tint::parse(value);
    let words = || value.split(' ').find_map(|word| Tint::parse(word).filter(|tint| *tint != Tint::Unknown));
    match whole {
        Some(Tint::Clear) | None => None,
        Some(Tint::Unknown) => words().or(Some(Tint::Unknown)).filter(|_| value != "none"),
        Some(colour) => Some(colour),
    }
}

fn hides(name: &str, value: &str, cuts_off: bool) -> bool {
    match name {
        "content-visibility" => value == "hidden",
        "mso-hide" => value == "all",
        "opacity" => part(value).is_some_and(|part| part < SEEN_PART),
        "filter" | "-webkit-filter" => {
            let opacity = value.split_once("opacity(").map(|(_, rest)| rest.split(')').next());
            opacity.flatten().and_then(part).is_some_and(|part| part < SEEN_PART)
        }
        "max-height" | "max-width" => px(value).is_some_and(|px| px < READABLE_PX),
        "height" | "width" => cuts_off && px(value).is_some_and(|px| px < READABLE_PX),
        "clip" => value.starts_with("rect"),
        "clip-path" | "-webkit-clip-path" => {
            !matches!(value, "none" | "initial" | "inherit" | "unset") && !value.starts_with("inset(0)")
        }
        "transform" | "-webkit-transform" => moves_away(value),
        "text-indent" | "left" | "right" | "top" | "bottom" | "margin-left" | "margin-right"
        | "margin-top" | "margin-bottom" | "margin" | "inset" | "padding-left" | "padding-top" => {
            value.split(' ').any(is_far)
        }
        // Turned round, a key reads from its end.
        "unicode-bidi" => value.ends_with("override"),
        _ => false,
    }
}

fn moves_away(transform: &str) -> bool {
    let arguments = transform.split_once('(').map_or("", |(_, rest)| rest);
    let mut numbers = arguments.split(['(', ')', ',', ' ']).filter(|word| !word.is_empty());
    if transform.contains("scale") {
        return numbers.any(|word| part(word).is_some_and(|part| part.abs() < SEEN_PART));
    }
    transform.contains("rotatex") || transform.contains("rotatey") || numbers.any(is_far)
}

fn is_far(value: &str) -> bool {
    px(value).is_some_and(|px| !(FAR_BACK..=FAR_AHEAD).contains(&px))
}

/// `None`: as around it.
fn tiny(value: &str) -> Option<bool> {
    let Some((number, unit)) = number(value) else {
        let is_word = !matches!(value, "inherit" | "smaller" | "larger" | "");
        return is_word.then_some(false);
    };
    match unit {
        // A part of what may be nothing around it.
        "%" => (number < 100.0 * READABLE_PART).then_some(true),
        "em" | "ex" | "ch" => (number < READABLE_PART).then_some(true),
        _ => px(value).map(|px| px < READABLE_PX),
    }
}

/// The size in a `font`: it has a unit, or is 0, and may have the line's height behind it.
fn font_size(word: &str) -> Option<bool> {
    let size = word.split('/').next().unwrap_or_default();
    let (value, unit) = number(size)?;
    if unit.is_empty() && value != 0.0 { None } else { tiny(size) }
}

/// A length in pixels; of a percentage or a window's part it is taken of a narrow window.
fn px(value: &str) -> Option<f64> {
    let (number, unit) = number(value)?;
    Some(match unit {
        "em" | "rem" | "ex" | "ch" => number * PX_PER_EM,
        "%" | "vw" | "vh" => number * 4.0,
        "in" => number * 96.0,
        "cm" => number * 38.0,
        _ => number,
    })
}

/// `.5` or `50%`.
fn part(value: &str) -> Option<f64> {
    let (number, unit) = number(value)?;
    Some(if unit == "%" { number / 100.0 } else { number })
}

fn number(value: &str) -> Option<(f64, &str)> {
    let end = value.find(|c: char| !(c.is_ascii_digit() || "+-.".contains(c))).unwrap_or(value.len());
    value[..end].parse().ok().map(|number| (number, &value[end..]))
}

/// Names and values in lower case, without comments, escapes and `!important`.
pub(super) fn declarations(text: &str) -> Vec<(String, String)> {
    let split = |declaration: &str| {
        let (name, value) = declaration.split_once(':')?;
        let value = plain(value.split('!').next().unwrap_or_default());
        Some((plain(name), value))
    };
    pieces(&without_comments(text)).into_iter().filter_map(split).collect()
}

/// Split at each `;` outside of quotes and brackets.
fn pieces(text: &str) -> Vec<&str> {
    let (mut pieces, mut from, mut quote, mut depth) = (Vec::new(), 0, None, 0_usize);
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (_, '\\') => escaped = true,
            (Some(open), c) => quote = (open != c).then_some(open),
            (None, '"' | '\'') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            (None, ';') if depth == 0 => {
                pieces.push(&text[from..at]);
                from = at + 1;
            }
            (None, _) => {}
        }
    }
    pieces.push(&text[from..]);
    pieces
}

pub(super) fn without_comments(text: &str) -> String {
    let mut bare = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, comment)) = rest.split_once("/*") {
        bare += before;
        rest = comment.split_once("*/").map_or("", |(_, behind)| behind);
    }
    bare + rest
}

fn plain(text: &str) -> String {
    let lower = unescaped(text).to_lowercase();
    lower.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `\6e` is an n (CSS Syntax §4.3.7).
pub(super) fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if c != '\\' {
            plain.push(c);
            continue;
        }
        let mut code = String::new();
        while code.len() < 6
            && let Some(digit) = rest.next_if(char::is_ascii_hexdigit)
        {
            code.push(digit);
        }
        if code.is_empty() {
            plain.extend(rest.next());
        } else {
            rest.next_if(|c| c.is_whitespace());
            plain.extend(u32::from_str_radix(&code, 16).ok().and_then(char::from_u32));
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_are_read_through_comments_escapes_and_quotes() {
        let read = |text: &str| -> Vec<String> {
            declarations(text).into_iter().map(|(name, value)| format!("{name}={value}")).collect()
        };
        assert_eq!(read("Color : RED ; top:1px! important"), ["color=red", "top=1px"]);
        assert_eq!(read("d\\69 splay:n\\6fne;/* a:b; */x:y/**/z"), ["display=none", "x=yz"]);
        assert_eq!(
            read("font-family:'a;b';background:url(data:a;b)"),
            ["font-family='a;b'", "background=url(data:a;b)"]
        );
        assert_eq!(read("; ;x;:;a:b:c"), ["=", "a=b:c"]);
    }

    #[test]
    fn a_size_is_tiny_readable_or_a_part_of_what_is_around() {
        for (value, expected) in [
            ("0", Some(true)),
            ("0px", Some(true)),
            ("2.9px", Some(true)),
            ("13px", Some(false)),
            ("large", Some(false)),
            (".1em", Some(true)),
            ("1em", None),
            ("120%", None),
            ("1%", Some(true)),
            ("0.1rem", Some(true)),
            ("1rem", Some(false)),
        ] {
            assert_eq!(Declared::of(&declarations(&format!("font-size:{value}"))).tiny, expected, "{value}");
        }
        let font = |value: &str| Declared::of(&declarations(&format!("font:{value}"))).tiny;
        assert_eq!(font("700 13px/1.5 Arial"), Some(false));
        assert_eq!(font("0/0 a"), Some(true));
        assert_eq!(font("bold 0px Arial"), Some(true));
    }
}
