//! Style sheets, as far as they decide what is seen. Rules for narrow screens, print or dark rooms do not count: what
//! they hide, others see. Where it is in doubt a rule counts: rather hide a text than show what nobody sees.

use super::declared::{Declared, declarations, unescaped, without_comments};
use crate::mail::parse::Fault;
use html5ever::{Attribute, LocalName};
use std::cell::Cell;

/// Real mails have some three hundred.
const RULES_MAX: usize = 2_000;
/// A rule within a condition within a layer, and some more.
const NESTED_MAX: usize = 16;
/// Comparisons of a rule with an element.
const WORK_MAX: usize = 2_000_000;
/// A rule for screens up to this many pixels is for small ones.
const NARROW: f64 = 1_024.0;
/// No screen has fewer.
const NARROWEST: f64 = 320.0;

/// All of a mail's rules, in their order.
#[derive(Default)]
pub(super) struct Sheet {
    rules: Vec<Rule>,
    /// What rules write before and behind elements.
    pub(super) written: String,
    work: Cell<usize>,
}

struct Rule {
    /// From the element itself outwards.
    selector: Vec<Compound>,
    declared: Declared,
}

/// `p.note[lang]`: what one element must be.
#[derive(Debug, Default, PartialEq)]
struct Compound {
    tag: Option<String>,
    id: Option<String>,
    classes: Vec<String>,
    attributes: Vec<String>,
}

/// An element, as rules see it.
pub(super) struct Named {
    pub(super) tag: LocalName,
    id: String,
    classes: Vec<String>,
    attributes: Vec<String>,
}

impl Named {
    pub(super) fn new(tag: &LocalName, attributes: &[Attribute]) -> Self {
        let value = |name: &str| attributes.iter().find(|a| &*a.name.local == name).map(|a| &*a.value);
        Self {
            tag: tag.clone(),
            id: value("id").unwrap_or_default().to_owned(),
            classes: value("class").unwrap_or_default().split_ascii_whitespace().map(str::to_owned).collect(),
            attributes: attributes.iter().map(|a| a.name.local.to_string()).collect(),
        }
    }
}

impl Sheet {
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        let mut sheet = Self::default();
        let text = without_comments(&text.replace("<!--", " ").replace("-->", " "));
        let mut blocks: Vec<Block> = Vec::new();
        let (mut from, mut quote, mut escaped) = (0, None, false);
        for (at, c) in text.char_indices() {
            match (quote, c) {
                _ if escaped => escaped = false,
                (_, '\\') => escaped = true,
                (Some(open), c) => quote = (open != c && c != '\n').then_some(open),
                (None, '"' | '\'') => quote = Some(c),
                (None, '{') if blocks.len() == NESTED_MAX => {
                    return Err(format!("its style sheet nests deeper than {NESTED_MAX}"));
                }
                (None, '{') => {
                    let counts = blocks.last().is_none_or(|around| around.counts);
                    blocks.push(Block::new(text[from..at].trim(), counts));
                    from = at + 1;
                }
                (None, ';') => {
                    blocks.iter_mut().last().into_iter().for_each(|block| block.says(&text[from..=at]));
                    from = at + 1;
                }
                (None, '}') => {
                    if let Some(mut block) = blocks.pop() {
                        block.says(&text[from..at]);
                        sheet.add(block)?;
                    }
                    from = at + 1;
                }
                (None, _) => {}
            }
        }
        // What is not ended ends with the sheet.
        if let Some(block) = blocks.last_mut() {
            block.says(&text[from..]);
        }
        while let Some(block) = blocks.pop() {
            sheet.add(block)?;
        }
        Ok(sheet)
    }

    fn add(&mut self, block: Block) -> Result<(), Fault> {
        let said = declarations(&block.said);
        if said.iter().any(|(name, _)| name == "content") {
            // In the letters in which it was written: a key's capitals matter.
            self.written += &unescaped(&block.said).replace(['"', '\''], "\n");
            self.written.push('\n');
        }
        let declared = Declared::of(&said);
        if !block.counts || declared == Declared::default() {
            return Ok(());
        }
        for selector in block.prelude.split(',').filter_map(selector) {
            self.rules.push(Rule { selector, declared: declared.clone() });
        }
        if self.rules.len() > RULES_MAX {
            return Err(format!("its style sheet has more than {RULES_MAX} rules"));
        }
        Ok(())
    }

    /// What all rules together say of an element within others, outermost first.
    pub(super) fn declared<'e>(
        &self,
        element: &Named,
        around: impl DoubleEndedIterator<Item = &'e Named> + Clone,
    ) -> Declared {
        let mut declared = Declared::default();
        for rule in &self.rules {
            self.work.set(self.work.get() + 1);
            let [own, outer @ ..] = &rule.selector[..] else { continue };
            if own.is(element) && self.is_within(outer, around.clone().rev()) {
                declared.add(&rule.declared);
            }
        }
        declared
    }

    fn is_within<'e>(&self, outer: &[Compound], around: impl Iterator<Item = &'e Named>) -> bool {
        let mut wanted = outer.iter().peekable();
        for element in around {
            let Some(compound) = wanted.peek() else { break };
            self.work.set(self.work.get() + 1);
            if compound.is(element) {
                wanted.next();
            }
        }
        wanted.peek().is_none()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    pub(super) fn is_too_much_work(&self) -> bool {
        self.work.get() > WORK_MAX
    }
}

/// `prelude { said }`, while it is read.
struct Block {
    prelude: String,
    said: String,
    counts: bool,
}

impl Block {
    fn new(prelude: &str, around_counts: bool) -> Self {
        let lower = prelude.to_lowercase();
        let counts = around_counts
            && match lower.strip_prefix('@') {
                None => true,
                Some(rule) if rule.starts_with("media") => lower.split(',').any(is_for_everybody),
                Some(rule) => rule.starts_with("supports") || rule.starts_with("layer"),
            };
        let is_rule = !lower.starts_with('@');
        Self {
            prelude: if is_rule { prelude.to_owned() } else { String::new() },
            said: String::new(),
            counts,
        }
    }

    fn says(&mut self, text: &str) {
        self.said += text;
    }
}

/// Whether a media query is met by every usual screen.
fn is_for_everybody(query: &str) -> bool {
    let pixels = |limit: &str| -> Vec<f64> {
        let digits = |behind: &str| -> String {
            behind.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect()
        };
        query.split(limit).skip(1).filter_map(|behind| digits(behind).parse().ok()).collect()
    };
    let leaves_out =
        pixels("max-").iter().any(|px| *px <= NARROW) || pixels("min-").iter().any(|px| *px > NARROWEST);
    !leaves_out && !query.contains("print") && !query.contains("prefers-")
}

/// From the last part outwards; `None` for what only sometimes is, and for what stands beside elements.
fn selector(text: &str) -> Option<Vec<Compound>> {
    const SOMETIMES: [&str; 10] = [
        ":hover",
        ":focus",
        ":active",
        ":visited",
        ":target",
        ":checked",
        ":before",
        ":after",
        "::",
        ":disabled",
    ];
    let lower = text.to_lowercase();
    if SOMETIMES.iter().any(|sometimes| lower.contains(sometimes)) {
        return None;
    }
    let mut compounds: Vec<Compound> = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (compound, behind) = compound(rest)?;
        compounds.push(compound);
        let combinator = behind.trim_start();
        rest = combinator.trim_start_matches(|c: char| c.is_whitespace() || "+~>".contains(c));
        // A neighbour is not looked for.
        if combinator.starts_with(['+', '~']) {
            compounds.pop();
        }
    }
    compounds.reverse();
    (!compounds.is_empty()).then_some(compounds)
}

fn compound(text: &str) -> Option<(Compound, &str)> {
    let mut compound = Compound::default();
    let mut rest = text;
    while let Some(c) = rest.chars().next().filter(|c| !c.is_whitespace() && !"+~>".contains(*c)) {
        match c {
            '.' | '#' => {
                let (name, behind) = name(&rest[1..]);
                if c == '.' {
                    compound.classes.push(name)
                } else {
                    compound.id = Some(name)
                }
                rest = behind;
            }
            '[' => {
                let (inner, behind) = rest[1..].split_once(']')?;
                compound.attribute(inner);
                rest = behind;
            }
            ':' => {
                let (_, behind) = name(&rest[1..]);
                let within = behind.strip_prefix('(').and_then(|inner| inner.split_once(')'));
                rest = within.map_or(behind, |(_, behind)| behind);
            }
            '*' => rest = &rest[1..],
            _ => {
                let (tag, behind) = name(rest);
                if tag.is_empty() {
                    return None;
                }
                compound.tag = Some(tag.to_lowercase());
                rest = behind;
            }
        }
    }
    Some((compound, rest))
}

/// A name, with its escapes read, and what is behind it.
fn name(text: &str) -> (String, &str) {
    let mut escaped = false;
    let end = text.find(|c: char| {
        let inside = escaped || c == '\\' || c.is_alphanumeric() || c == '-' || c == '_';
        escaped = !escaped && c == '\\';
        !inside
    });
    let end = end.unwrap_or(text.len());
    (unescaped(&text[..end]), &text[end..])
}

impl Compound {
    /// `class~="x"` is a class; of others only the attribute's name is looked at.
    fn attribute(&mut self, inner: &str) {
        let (attribute, value) = inner.split_once('=').unwrap_or((inner, ""));
        let attribute = attribute.trim_end_matches(['~', '|', '^', '$', '*']).trim().to_lowercase();
        let value = value.trim().trim_matches(['"', '\'']);
        if attribute == "class" && inner.contains('=') && !inner.contains(['^', '$', '*']) {
            self.classes.extend(value.split_whitespace().map(str::to_owned));
        } else {
            self.attributes.push(attribute);
        }
    }

    fn is(&self, element: &Named) -> bool {
        self.tag.as_ref().is_none_or(|tag| **tag == *element.tag)
            && self.id.as_ref().is_none_or(|id| *id == element.id)
            && self.classes.iter().all(|class| element.classes.contains(class))
            && self.attributes.iter().all(|attribute| element.attributes.contains(attribute))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> usize {
        Sheet::parse(text).unwrap().rules.len()
    }

    #[test]
    fn rules_count_where_everybody_sees_their_effect() {
        assert_eq!(rules(".a,.b{display:none} p{margin:0}"), 2, "a margin hides nothing");
        assert_eq!(rules("@media screen{.a{color:red}} @media (max-width:600px){.b{color:red}}"), 1);
        assert_eq!(
            rules("@font-face{font-size:0} @keyframes x{from{opacity:0}} @import 'x'; a{opacity:0}"),
            1
        );
        assert_eq!(rules("@media (max-width:600px), screen{.a{opacity:0}}"), 1);
        assert_eq!(rules("a:hover{opacity:0} a::before{content:'x'}"), 0);
        assert_eq!(rules("a{b{opacity:0}"), 1, "one that is not ended");
    }

    #[test]
    fn selectors_are_read_from_the_element_outwards() {
        let one = |text: &str| compound(text).unwrap().0;
        let classes = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(one("P.a.b").tag, Some("p".into()));
        assert_eq!(one("P.a.b").classes, classes(&["a", "b"]));
        assert_eq!(one(".md\\:x").classes, classes(&["md:x"]));
        assert_eq!(one("*[class~=\"x\"]").classes, classes(&["x"]));
        assert_eq!(one("#i[lang]:not(.y)").attributes, classes(&["lang"]));
        assert_eq!(one("#i[lang]:not(.y)").classes, classes(&[]));
        assert_eq!(selector("u + .body .x > p").unwrap().len(), 3);
        assert_eq!(selector(" "), None);
    }

    #[test]
    fn more_rules_than_a_mail_has_are_refused() {
        let text = ".a{opacity:0}".repeat(RULES_MAX + 1);
        assert_eq!(Sheet::parse(&text).err(), Some("its style sheet has more than 2000 rules".into()));
        let nested = Sheet::parse(&"{".repeat(100_000)).err();
        assert_eq!(nested, Some("its style sheet nests deeper than 16".into()));
    }
}
