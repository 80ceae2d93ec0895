//! One Rust file as tokens: comments are gone, texts are one token each, and what is only for tests is marked.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use std::collections::HashMap;

/// A word or sign, and where it stands.
pub struct Token {
    pub text: String,
    pub line: usize,
    pub in_test: bool,
}

/// A path as it is meant, whatever `use` made of it: `["crate", "domain", "Key"]`, `["std", "fs"]`;
/// `use a::{b, c}` is two.
pub struct PathUse {
    pub segments: Vec<String>,
    pub line: usize,
    pub in_test: bool,
    /// The name that a `use` gives it.
    name: Option<String>,
}

pub struct Function {
    pub name: String,
    pub line: usize,
    pub lines: usize,
}

pub struct Source {
    /// From the package's root: `src/mail/parse.rs`.
    pub path: String,
    pub text: String,
    pub tokens: Vec<Token>,
    pub paths: Vec<PathUse>,
    pub functions: Vec<Function>,
    /// Modules declared here for tests alone: `alert::smtp::script`.
    pub test_modules: Vec<String>,
    /// Modules declared here, with their paths from the crate on.
    pub children: Vec<(String, Vec<String>)>,
}

impl Source {
    /// Panics where `text` is no Rust: the compiler says more about it.
    pub fn parse(path: &str, text: &str) -> Self {
        let stream: TokenStream = text.parse().unwrap_or_else(|error| panic!("{path}: {error}"));
        let (tokens, paths, functions, test_modules, children) = Default::default();
        let (path, text) = (path.to_owned(), text.to_owned());
        let mut source = Self { path, text, tokens, paths, functions, test_modules, children };
        let (place, in_test) = (source.module_names(), is_test_file(&source.path));
        source.read(stream, &place, in_test);
        source.resolve();
        source
    }

    /// The module's path below the crate: `src/mail/parse.rs` is `mail::parse`.
    pub fn module(&self) -> String {
        self.module_names().join("::")
    }

    fn module_names(&self) -> Vec<String> {
        if self.path == "src/main.rs" {
            return vec!["main".into()];
        }
        let inside = self.path.strip_prefix("src/").unwrap_or(&self.path).trim_end_matches(".rs");
        let names = inside.split('/').filter(|name| !matches!(*name, "mod" | "lib" | "main"));
        names.map(str::to_owned).collect()
    }

    /// Another file declares it for tests alone.
    pub fn mark_as_test(&mut self) {
        self.tokens.iter_mut().for_each(|token| token.in_test = true);
        self.paths.iter_mut().for_each(|used| used.in_test = true);
    }

    pub fn lines(&self) -> usize {
        self.text.lines().count()
    }

    fn read(&mut self, stream: TokenStream, module: &[String], in_test: bool) {
        let trees: Vec<_> = stream.into_iter().collect();
        // Behind `#[test]` or `#[cfg(test)]`, up to the end of the item.
        let mut test_item = false;
        for (at, tree) in trees.iter().enumerate() {
            let marked = in_test || test_item;
            match tree {
                TokenTree::Group(group) => {
                    test_item |= group.delimiter() == Delimiter::Bracket && is_test_attribute(group);
                    self.group(group, &trees[..at], module, marked);
                    test_item &= group.delimiter() != Delimiter::Brace;
                }
                TokenTree::Ident(word) => {
                    self.push(&word.to_string(), tree, marked);
                    if matches!(trees[..at].last(), Some(TokenTree::Ident(before)) if before == "mod") {
                        let child = [&["crate".to_owned()], module, &[word.to_string()]].concat();
                        if marked && !in_test {
                            self.test_modules.push(child[1..].join("::"));
                        }
                        self.children.push((word.to_string(), child));
                    }
                    if starts_path(&trees[..at]) {
                        let is_use =
                            matches!(trees[..at].last(), Some(TokenTree::Ident(word)) if word == "use");
                        self.path_from(&trees[at..], &[], module, (is_use, marked));
                    }
                }
                TokenTree::Punct(sign) => {
                    test_item &= sign.as_char() != ';';
                    self.push(&sign.to_string(), tree, marked);
                }
                TokenTree::Literal(_) => self.push("literal", tree, marked),
            }
        }
    }

    fn group(&mut self, group: &Group, before: &[TokenTree], module: &[String], in_test: bool) {
        let (open, close) = match group.delimiter() {
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::Brace => ("{", "}"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::None => ("", ""),
        };
        let (first, last) = (group.span_open().start().line, group.span_close().end().line);
        self.tokens.push(Token { text: open.into(), line: first, in_test });
        let mut inner = module.to_vec();
        if group.delimiter() == Delimiter::Brace {
            match before {
                [.., TokenTree::Ident(word), TokenTree::Ident(name)] if word == "mod" => {
                    inner.push(name.to_string())
                }
                _ => self.functions.extend(function_before(before, last)),
            }
        }
        self.read(group.stream(), &inner, in_test);
        self.tokens.push(Token { text: close.into(), line: last, in_test });
    }

    /// Follows `a::b::{c, d}` from its first word on.
    fn path_from(
        &mut self,
        trees: &[TokenTree],
        above: &[String],
        module: &[String],
        (is_use, in_test): (bool, bool),
    ) {
        let (mut segments, mut renamed) = (above.to_vec(), None);
        let (mut rest, line) = (trees, trees.first().map_or(0, |tree| tree.span().start().line));
        while let Some((tree, behind)) = rest.split_first() {
            match tree {
                TokenTree::Ident(word) => segments.push(word.to_string()),
                TokenTree::Punct(star) if star.as_char() == '*' => segments.push("*".into()),
                TokenTree::Group(group)
                    if group.delimiter() == Delimiter::Brace && rest.len() != trees.len() =>
                {
                    let inner: Vec<_> = group.stream().into_iter().collect();
                    for item in inner.split(|tree| is_punct(tree, ',')).filter(|item| !item.is_empty()) {
                        self.path_from(item, &segments, module, (is_use, in_test));
                    }
                    return;
                }
                _ => break,
            }
            match behind {
                [first, second, beyond @ ..] if is_punct(first, ':') && is_punct(second, ':') => {
                    rest = beyond
                }
                [TokenTree::Ident(word), TokenTree::Ident(other), ..] if word == "as" => {
                    renamed = Some(other.to_string());
                    break;
                }
                _ => break,
            }
        }
        if segments.len() > 1 {
            let name = renamed.or_else(|| segments.last().cloned()).filter(|_| is_use);
            self.paths.push(PathUse { segments: absolute(segments, module), line, in_test, name });
        }
    }

    /// What begins with a name that a `use` or a `mod` of this file gave is meant from the root on.
    fn resolve(&mut self) {
        let used = self.paths.iter().filter_map(|path| Some((path.name.clone()?, path.segments.clone())));
        let known: HashMap<_, _> = used.chain(self.children.iter().cloned()).collect();
        for path in &mut self.paths {
            if path.name.is_none()
                && let Some(whole) = known.get(&path.segments[0])
            {
                path.segments.splice(..1, whole.iter().cloned());
            }
        }
    }

    fn push(&mut self, text: &str, tree: &TokenTree, in_test: bool) {
        self.tokens.push(Token { text: text.into(), line: tree.span().start().line, in_test });
    }
}

/// `self::x` and `super::x` from the crate's root on; the crate's own name too.
fn absolute(mut segments: Vec<String>, module: &[String]) -> Vec<String> {
    let ups =
        segments.iter().skip(usize::from(segments[0] == "self")).take_while(|name| *name == "super").count();
    if segments[0] == "self" || ups > 0 {
        let own = segments.iter().take_while(|name| *name == "self" || *name == "super").count();
        let base = &module[..module.len().saturating_sub(ups)];
        let whole = ["crate".to_owned()].into_iter().chain(base.iter().cloned());
        return whole.chain(segments.into_iter().skip(own)).collect();
    }
    if segments[0] == "keyrelay" {
        segments[0] = "crate".into();
    }
    segments
}

/// Whether a word behind these begins a path: it is no later part of one, and no field or method.
fn starts_path(before: &[TokenTree]) -> bool {
    match before {
        [.., TokenTree::Ident(_), first, second] => !(is_punct(first, ':') && is_punct(second, ':')),
        [.., third, first, second] if is_punct(first, ':') && is_punct(second, ':') => !is_punct(third, '>'),
        [.., last] => !is_punct(last, '.'),
        [] => true,
    }
}

/// The function whose body stands behind these.
fn function_before(before: &[TokenTree], last: usize) -> Option<Function> {
    let ends = |tree: &TokenTree| {
        is_punct(tree, ';')
            || matches!(tree, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
    };
    let item = before.rsplit(ends).next().unwrap_or_default();
    item.windows(2).rev().find_map(|pair| match pair {
        [TokenTree::Ident(word), TokenTree::Ident(name)] if word == "fn" => {
            let line = word.span().start().line;
            Some(Function { name: name.to_string(), line, lines: last + 1 - line })
        }
        _ => None,
    })
}

fn is_punct(tree: &TokenTree, sign: char) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == sign)
}

/// `#[test]`, `#[tokio::test]`, `#[cfg(test)]`.
fn is_test_attribute(attribute: &Group) -> bool {
    let text: String = attribute.stream().to_string().split_whitespace().collect();
    matches!(text.as_str(), "test" | "cfg(test)")
        || text.starts_with("tokio::test")
        || text.starts_with("cfg(all(test")
}

fn is_test_file(path: &str) -> bool {
    let (folders, file) = path.rsplit_once('/').unwrap_or(("", path));
    folders.split('/').any(|folder| folder == "tests" || folder.ends_with("_tests"))
        || path.starts_with("src/sim/")
        || file == "tests.rs"
        || file.ends_with("_tests.rs")
}
