//! The negative control: a key that no vendor ever issued. If the vendor calls it alive, its probe is blind.

use crate::domain::{Key, KeyShape};

const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGIT: &[u8] = b"0123456789";
/// The signs of both base64url and UUIDs: what a vendor that parses its keys takes most likely.
const SIGN: &[u8] = b"-";

/// The first random characters are letters and digits, so that no sign among them lengthens the fixed prefix. A
/// prefix that leaves fewer random ones is the key itself.
const PLAIN: usize = 8;

/// A key of the same shape, drawn from `random` bytes: the vendor's fixed prefix is kept and every other character is
/// new. Each class of characters that the shape names occurs.
pub fn random_like(shape: &KeyShape, random: &mut impl FnMut() -> u8) -> Key {
    let prefix = if shape.len >= shape.prefix.len() + PLAIN { shape.prefix.as_str() } else { "" };
    let classes = classes(shape);
    let (letters, all) = (classes.iter().filter(|class| **class != SIGN), classes.concat());
    let plain = letters.copied().collect::<Vec<_>>().concat();
    let plain = if plain.is_empty() { DIGIT } else { &plain };
    let mut draw = |from: &[u8]| char::from(from[usize::from(random()) % from.len()]);

    let mut text = prefix.to_owned();
    let first_of_each = shape.len.saturating_sub(classes.len());
    while text.len() < shape.len {
        let at = text.len();
        let from = if at >= first_of_each {
            classes[at - first_of_each]
        } else if at < prefix.len() + PLAIN {
            plain
        } else {
            &all
        };
        text.push(draw(from));
    }
    Key::parse(&text).unwrap_or_else(|_| unreachable!("a shape's length and letters are those of a key"))
}

/// The classes that occur in the random part; digits where it has none.
fn classes(shape: &KeyShape) -> Vec<&'static [u8]> {
    let named = [(shape.lower, LOWER), (shape.upper, UPPER), (shape.digit, DIGIT), (shape.sign, SIGN)];
    let classes: Vec<_> = named.into_iter().filter(|(occurs, _)| *occurs).map(|(_, class)| class).collect();
    if classes.is_empty() { vec![DIGIT] } else { classes }
}
