//! Colours as CSS and old HTML write them, as far as is needed to tell ink from paper.

/// Red, green and blue, 0 to 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Colour(pub(super) [u8; 3]);

/// What a text is written in, or what it is written on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tint {
    Of(Colour),
    /// It cannot be seen at all.
    Clear,
    /// A picture, or a colour that is not known here.
    Unknown,
}

/// Two colours that differ by less in each part are one to the eye.
const ALIKE: u8 = 24;
const NAMED: [(&str, [u8; 3]); 12] = [
    ("white", [255; 3]),
    ("black", [0; 3]),
    ("snow", [255, 250, 250]),
    ("ivory", [255, 255, 240]),
    ("ghostwhite", [248, 248, 255]),
    ("floralwhite", [255, 250, 240]),
    ("whitesmoke", [245, 245, 245]),
    ("azure", [240, 255, 255]),
    ("mintcream", [245, 255, 250]),
    ("aliceblue", [240, 248, 255]),
    ("seashell", [255, 245, 238]),
    ("gray", [128; 3]),
];

impl Colour {
    pub(super) const WHITE: Self = Self([255; 3]);
    pub(super) const BLACK: Self = Self([0; 3]);

    pub(super) fn is_like(self, other: Self) -> bool {
        self.0.iter().zip(other.0).all(|(one, other)| one.abs_diff(other) < ALIKE)
    }
}

impl Tint {
    /// One colour, in lower case; `None` for what takes over that of the element around (`inherit`).
    pub(super) fn parse(value: &str) -> Option<Self> {
        let value = value.trim();
        if let Some(hex) = value.strip_prefix('#') {
            return Some(Self::hex(hex));
        }
        match value {
            "transparent" => return Some(Self::Clear),
            "inherit" | "unset" | "currentcolor" | "" => return None,
            _ => {}
        }
        if let Some((_, rgb)) = NAMED.iter().find(|(name, _)| *name == value) {
            return Some(Self::Of(Colour(*rgb)));
        }
        let (function, arguments) = value.split_once('(').unwrap_or((value, ""));
        let arguments: Vec<&str> = arguments
            .trim_end_matches(')')
            .split([',', ' ', '/'])
            .map(str::trim)
            .filter(|argument| !argument.is_empty())
            .collect();
        Some(match (function, &arguments[..]) {
            ("rgb" | "rgba", [_, _, _, alpha]) | ("hsl" | "hsla", [_, _, _, alpha]) if is_faint(alpha) => {
                Self::Clear
            }
            ("rgb" | "rgba", [red, green, blue, ..]) => {
                let parts = [part(red), part(green), part(blue)];
                parts
                    .iter()
                    .copied()
                    .collect::<Option<Vec<u8>>>()
                    .map_or(Self::Unknown, |parts| Self::Of(Colour([parts[0], parts[1], parts[2]])))
            }
            // Of no hue where it is all light or none.
            ("hsl" | "hsla", [_, _, light, ..]) => match part(light) {
                Some(light) if !(ALIKE..=255 - ALIKE).contains(&light) => Self::Of(Colour([light; 3])),
                _ => Self::Unknown,
            },
            _ => Self::Unknown,
        })
    }

    fn hex(hex: &str) -> Self {
        let digits: Option<Vec<u8>> =
            hex.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
        match digits.as_deref() {
            Some([_, _, _, 0]) | Some([_, _, _, _, _, _, 0, _]) => Self::Clear,
            Some([r, g, b]) | Some([r, g, b, _]) => Self::Of(Colour([r * 17, g * 17, b * 17])),
            Some([r, r2, g, g2, b, b2]) | Some([r, r2, g, g2, b, b2, _, _]) => {
                Self::Of(Colour([r * 16 + r2, g * 16 + g2, b * 16 + b2]))
            }
            _ => Self::Unknown,
        }
    }
}

/// `255` or `100%`.
fn part(text: &str) -> Option<u8> {
    let value = match text.strip_suffix('%') {
        Some(percent) => percent.parse::<f64>().ok()? * 2.55,
        None => text.parse::<f64>().ok()?,
    };
    value.is_finite().then(|| value.clamp(0.0, 255.0).round() as u8)
}

fn is_faint(alpha: &str) -> bool {
    part(alpha).is_some_and(|_| {
        let percent = alpha.strip_suffix('%').and_then(|percent| percent.parse::<f64>().ok());
        percent.map(|percent| percent / 100.0).or_else(|| alpha.parse().ok()).is_some_and(|alpha| alpha < 0.1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read_in_every_usual_form() {
        let of = |rgb| Some(Tint::Of(Colour(rgb)));
        for (text, expected) in [
            ("#fff", of([255; 3])),
            ("#336699", of([0x33, 0x66, 0x99])),
            ("#33669980", of([0x33, 0x66, 0x99])),
            ("#0000", Some(Tint::Clear)),
            ("#33669900", Some(Tint::Clear)),
            ("white", of([255; 3])),
            ("rgb(1, 2,3)", of([1, 2, 3])),
            ("rgb(100% 0% 0% / 50%)", of([255, 0, 0])),
            ("rgba(0,0,0,.05)", Some(Tint::Clear)),
            ("hsl(10, 50%, 100%)", of([255; 3])),
            ("hsl(10, 50%, 50%)", Some(Tint::Unknown)),
            ("transparent", Some(Tint::Clear)),
            ("inherit", None),
            ("rebeccapurple", Some(Tint::Unknown)),
            ("#12", Some(Tint::Unknown)),
            ("rgb(a,b,c)", Some(Tint::Unknown)),
        ] {
            assert_eq!(Tint::parse(text), expected, "{text}");
        }
    }
}
