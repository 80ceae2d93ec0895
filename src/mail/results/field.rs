//! One `Authentication-Results` field, read token by token (RFC 8601 §2.2): comments nest, quoted text is text, and
//! neither holds a result. What real servers write beside the grammar (a word without a value, a property without a
//! type, no blank before a comment) is read past; it ends no more than the result that it stands in.

/// What one server found, as far as its field can be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Results {
    /// `authserv-id`, lower case.
    pub(super) id: String,
    found: Vec<Found>,
}

/// One method's result.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Lower case, like `result` and the names of the properties.
    method: String,
    pub(super) result: String,
    /// `header.d` and the like, with their values as they stand.
    properties: Vec<(String, String)>,
}

impl Results {
    /// Reads an unfolded field. `None`: it has no id, or is of a version that nobody knows yet.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut rest = Rest(text);
        rest.skip();
        let id = rest.value(|c| c != '=')?.to_ascii_lowercase();
        rest.skip();
        let version = rest.take(|c| c.is_ascii_digit());
        rest.skip();
        let ends = rest.0.is_empty() || rest.0.starts_with(';');
        if !ends || !matches!(version, "" | "1") {
            return None;
        }
        let mut found = Vec::new();
        while rest.next_part() {
            found.extend(rest.found());
        }
        Some(Self { id, found })
    }

    pub(super) fn of<'a>(&'a self, method: &'a str) -> impl Iterator<Item = &'a Found> {
        self.found.iter().filter(move |found| found.method == method)
    }
}

impl Found {
    /// A domain, or that of an address, lower case.
    pub(super) fn domain(&self, property: &str) -> Option<String> {
        let (_, value) = self.properties.iter().find(|(name, _)| name == property)?;
        let domain = value.rsplit_once('@').map_or(value.as_str(), |(_, domain)| domain);
        Some(domain.trim_end_matches('.').to_ascii_lowercase()).filter(|domain| !domain.is_empty())
    }
}

/// What is not read yet.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    /// `method [/ version] = result`, then properties. `None`: no result, or one of a version that nobody knows.
    fn found(&mut self) -> Option<Found> {
        self.skip();
        let method = self.word()?;
        let version = if self.eat('/') { self.word()? } else { "1".into() };
        self.eat('=').then_some(())?;
        let mut found = Found { method, result: self.word()?, properties: Vec::new() };
        while let Some(property) = self.property() {
            found.properties.push(property);
        }
        (version == "1").then_some(found)
    }

    /// `type . name = value`, or `reason = value`.
    fn property(&mut self) -> Option<(String, String)> {
        let mut name = self.word()?;
        if self.eat('.') {
            name = format!("{name}.{}", self.word()?);
        }
        self.eat('=').then_some(())?;
        Some((name, self.value(|_| true)?))
    }

    /// A method, a result or a property's name, lower case, and the blanks behind it.
    fn word(&mut self) -> Option<String> {
        let word = self.take(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        self.skip();
        (!word.is_empty()).then(|| word.to_ascii_lowercase())
    }

    /// A token or an address, parts of which may be quoted.
    fn value(&mut self, legal: fn(char) -> bool) -> Option<String> {
        let (mut value, mut is_there) = (String::new(), false);
        loop {
            if self.0.starts_with('"') {
                value += &self.quoted();
            } else {
                let plain = self.take(|c| !c.is_whitespace() && !";()\"".contains(c) && legal(c));
                if plain.is_empty() {
                    break;
                }
                value += plain;
            }
            is_there = true;
        }
        self.skip();
        is_there.then_some(value)
    }

    /// To behind the next `;` that is neither quoted nor in a comment; false at the end.
    fn next_part(&mut self) -> bool {
        loop {
            self.skip();
            match self.0.chars().next() {
                None => return false,
                Some(';') => break self.0 = &self.0[1..],
                Some('"') => _ = self.quoted(),
                Some(other) => self.0 = &self.0[other.len_utf8()..],
            }
        }
        true
    }

    /// The sign, and the blanks behind it.
    fn eat(&mut self, sign: char) -> bool {
        let behind = self.0.strip_prefix(sign);
        if let Some(behind) = behind {
            self.0 = behind;
            self.skip();
        }
        behind.is_some()
    }

    fn take(&mut self, fits: impl Fn(char) -> bool) -> &'a str {
        let (head, tail) = self.0.split_at(self.0.find(|c| !fits(c)).unwrap_or(self.0.len()));
        self.0 = tail;
        head
    }

    /// From its opening quote to behind its closing one, or to the end.
    fn quoted(&mut self) -> String {
        let (mut text, mut chars) = (String::new(), self.0[1..].chars());
        while let Some(c) = chars.next() {
            match c {
                '"' => break,
                '\\' => text.extend(chars.next()),
                other => text.push(other),
            }
        }
        self.0 = chars.as_str();
        text
    }

    /// Blanks and comments. A comment without an end reaches to the end.
    fn skip(&mut self) {
        loop {
            self.0 = self.0.trim_start();
            if !self.0.starts_with('(') {
                return;
            }
            let (mut depth, mut chars) = (0_usize, self.0.chars());
            while let Some(c) = chars.next() {
                match c {
                    '\\' => _ = chars.next(),
                    '(' => depth += 1,
                    ')' if depth == 1 => break,
                    ')' => depth -= 1,
                    _ => {}
                }
            }
            self.0 = chars.as_str();
        }
    }
}

#[cfg(test)]
mod tests;
