//! Where the configuration comes from: a YAML file, the files of `config.d` beside it, and the environment over them.
//! Knows of each key who set it, and nothing of what the keys mean.

mod folder;
mod mode;
mod yaml;

use super::{
    environment::Overrides,
    mistake::{Mistake, Mistakes, Severity},
};
use figment::{
    Figment, Metadata, Profile, Provider,
    value::{Dict, Map, Value},
};
use std::{collections::BTreeMap, path::Path, rc::Rc};
use yaml::Written;

/// The largest configuration, in bytes: a thousand credentials with ten consumers each are about 3 MiB.
const BYTES_MAX: u64 = 16 << 20;

/// Where what holds for all credentials stands, and the credentials.
const DEFAULTS: &str = "defaults";
const CREDENTIALS: &str = "credentials";
/// In the texts of `defaults` it stands for the credential's name.
const NAME_PLACE: &str = "{name}";

/// Everything that was written, merged: the environment's values are text, whatever they look like.
pub(super) struct Source {
    /// The file that was named; those of `config.d` come after it.
    pub file: String,
    pub tree: Rc<Dict>,
    files: Vec<Written>,
    overrides: Overrides,
}

/// Who set a key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Origin<'a> {
    /// The file that was named on the command line.
    Main,
    /// Another file.
    File(&'a str),
    Variable(&'a str),
    /// `defaults`, for every credential.
    Defaults,
    /// Nobody: the documented default.
    Unwritten,
}

impl Source {
    /// Reads files and environment. `Err` where a file cannot be used at all, with every such file; the mistakes
    /// beside a source are those that reading can go on after.
    pub fn read(
        path: &Path,
        environment: &BTreeMap<String, String>,
    ) -> Result<(Self, Vec<Mistake>), Mistakes> {
        let Gathered { files, mut mistakes, unusable } = gather(path);
        if unusable.is_empty() {
            return Ok(Self::of_files(path, files, environment, mistakes));
        }
        mistakes.extend(unusable);
        Err(Mistakes(mistakes))
    }

    /// The same of the files that can be used, whatever is wrong with the others.
    pub fn read_in_part(path: &Path, environment: &BTreeMap<String, String>) -> (Self, Vec<Mistake>) {
        let Gathered { files, mut mistakes, unusable } = gather(path);
        mistakes.extend(unusable);
        Self::of_files(path, files, environment, mistakes)
    }

    fn of_files(
        path: &Path,
        files: Vec<Written>,
        environment: &BTreeMap<String, String>,
        mut mistakes: Vec<Mistake>,
    ) -> (Self, Vec<Mistake>) {
        let written = merged(&files, &mut mistakes);
        let overrides = Overrides::read(environment);
        mistakes.extend(overrides.clashes.iter().cloned());
        let tree = if overrides.has_any() { Rc::new(overlaid(&written, &overrides.tree)) } else { written };
        (Self { file: path.display().to_string(), tree, files, overrides }, mistakes)
    }

    /// Who is to blame for the key at `path`, which may be missing: the variable that set it, or its file, or the
    /// variable that alone made the group in which it is missing.
    pub fn of(&self, path: &str) -> &str {
        let mut path = path.split('[').next().unwrap_or(path);
        if self.overrides.sets(path) {
            return self.overrides.at_or_below(path).unwrap_or(&self.file);
        }
        while !path.is_empty() {
            let keys: Vec<&str> = path.split('.').collect();
            if let Some(written) = self.files.iter().find(|written| find(&written.keys, &keys).is_some()) {
                return &written.file;
            }
            if let Some(variable) = self.overrides.at_or_below(path) {
                return variable;
            }
            path = path.rsplit_once('.').map_or("", |(above, _)| above);
        }
        &self.file
    }

    /// Who set the value at these keys.
    pub fn origin(&self, keys: &[&str]) -> Origin<'_> {
        let path = keys.join(".");
        if let Some(variable) = self.overrides.at_or_below(&path).filter(|_| self.overrides.sets(&path)) {
            return Origin::Variable(variable);
        }
        match self.files.iter().position(|written| find(&written.keys, keys).is_some()) {
            Some(at) if self.files[at].file == self.file => Origin::Main,
            Some(at) => Origin::File(&self.files[at].file),
            None => match self.default_behind(&path) {
                Some((_, path)) if self.is_written(&path) => Origin::Defaults,
                Some(_) | None => Origin::Unwritten,
            },
        }
    }

    /// The key of `defaults` that stands for `path` in a credential, and the credential's name; `None` where the
    /// credential itself has more to say of it.
    pub fn default_behind<'p>(&self, path: &'p str) -> Option<(&'p str, String)> {
        let rest = path.strip_prefix(CREDENTIALS)?.strip_prefix('.')?;
        let (name, below) = rest.split_once('.')?;
        let defaults = self.tree.get(DEFAULTS)?.as_dict()?;
        let keys: Vec<&str> = below.split('[').next().unwrap_or(below).split('.').collect();
        let own =
            self.tree.get(CREDENTIALS).and_then(|all| all.as_dict()?.get(name)).and_then(Value::as_dict);
        let (own_depth, leaf) = own.map_or((0, false), |own| depth(own, &keys));
        let (default_depth, _) = depth(defaults, &keys);
        (default_depth > own_depth && !leaf).then(|| (name, format!("{DEFAULTS}.{below}")))
    }

    /// Whether something is written at a key, in whichever file.
    pub fn is_written(&self, path: &str) -> bool {
        self.value(path).is_some()
    }

    fn value(&self, path: &str) -> Option<&Value> {
        let keys: Vec<&str> = path.split('[').next().unwrap_or(path).split('.').collect();
        find(&self.tree, &keys)
    }

    /// Whether what is written at a key holds the place of a credential's name.
    pub fn holds_name(&self, path: &str) -> bool {
        self.value(path).is_some_and(holds_name)
    }

    /// Whether the environment set exactly this key, so that its text is read by the key's type.
    pub fn is_override(&self, path: &str) -> bool {
        self.overrides.sets(path)
            || (self.overrides.has_any()
                && self.default_behind(path).is_some_and(|(_, path)| self.overrides.sets(&path)))
    }

    /// Whether the environment set this key or one below it.
    pub fn has_override_below(&self, path: &str) -> bool {
        self.overrides.at_or_below(path).is_some()
    }
}

/// The environment over what is written.
fn overlaid(written: &Dict, overrides: &Dict) -> Dict {
    let figment = Figment::from(Keys("files", written)).merge(Keys("environment", overrides));
    figment.data().ok().and_then(|mut data| data.remove(&Profile::Default)).unwrap_or_default()
}

/// The file that was named and those beside it.
struct Gathered {
    files: Vec<Written>,
    /// What reading can go on after.
    mistakes: Vec<Mistake>,
    /// Why other files say nothing at all.
    unusable: Vec<Mistake>,
}

fn gather(path: &Path) -> Gathered {
    let (mut mistakes, mut room) = (Vec::new(), BYTES_MAX);
    let main = yaml::text(path, &mut room, &mut mistakes)
        .map_err(|mistake| Mistake { hint: Some("name another with --config PATH".into()), ..mistake });
    let mut read = vec![main.and_then(|text| yaml::parse(path, &text, &mut mistakes))];
    for path in folder::beside(path, &mut mistakes) {
        let text = yaml::text_of_file(&path, &mut room, &mut mistakes);
        read.push(text.and_then(|text| yaml::parse(&path, &text, &mut mistakes)));
    }
    let (files, unusable): (Vec<_>, Vec<_>) = read.into_iter().partition(Result::is_ok);
    let files = files.into_iter().flatten().collect();
    Gathered { files, mistakes, unusable: unusable.into_iter().filter_map(Result::err).collect() }
}

/// Lays the files over each other by name. What two of them set is a mistake, and the first one's value stays.
fn merged(files: &[Written], mistakes: &mut Vec<Mistake>) -> Rc<Dict> {
    if let [only] = files {
        return only.keys.clone();
    }
    let mut tree = Dict::new();
    for (at, written) in files.iter().enumerate() {
        let mut twice = Vec::new();
        lay(&mut tree, &written.keys, &mut Vec::new(), &mut twice);
        for keys in twice {
            let before = files[..at].iter().find(|other| {
                find(&other.keys, &keys.iter().map(String::as_str).collect::<Vec<_>>()).is_some()
            });
            mistakes.push(Mistake {
                file: written.file.clone(),
                key: keys.iter().fold(String::new(), |path, key| join(&path, key)),
                rule: format!("{} sets the same key", before.map_or("another file", |other| &other.file)),
                hint: Some("keep one of them".into()),
                severity: Severity::Error,
            });
        }
    }
    Rc::new(tree)
}

fn lay(base: &mut Dict, over: &Dict, path: &mut Vec<String>, twice: &mut Vec<Vec<String>>) {
    for (key, value) in over {
        path.push(key.clone());
        match (base.get_mut(key), value) {
            (Some(Value::Dict(_, base)), Value::Dict(_, over)) => lay(base, over, path, twice),
            // A group whose keys are all commented out says nothing.
            (Some(Value::Dict(..)), Value::Empty(..)) => {}
            (Some(nothing @ Value::Empty(..)), group @ Value::Dict(..)) => *nothing = group.clone(),
            (Some(_), _) => twice.push(path.clone()),
            (None, value) => _ = base.insert(key.clone(), value.clone()),
        }
        path.pop();
    }
}

fn find<'a>(tree: &'a Dict, keys: &[&str]) -> Option<&'a Value> {
    let (first, rest) = keys.split_first()?;
    rest.iter().try_fold(tree.get(*first)?, |value, key| value.as_dict()?.get(*key))
}

fn holds_name(value: &Value) -> bool {
    match value {
        Value::String(_, text) => text.contains(NAME_PLACE),
        Value::Dict(_, dict) => dict.values().any(holds_name),
        Value::Array(_, values) => values.iter().any(holds_name),
        Value::Char(..) | Value::Bool(..) | Value::Num(..) | Value::Empty(..) => false,
    }
}

/// `defaults` as they are for the credential of that name.
pub(super) fn for_credential(defaults: &Dict, name: &str) -> Dict {
    defaults.iter().map(|(key, value)| (key.clone(), with_name(value, name))).collect()
}

fn with_name(value: &Value, name: &str) -> Value {
    match value {
        Value::String(tag, text) => Value::String(*tag, text.replace(NAME_PLACE, name)),
        Value::Dict(tag, dict) => Value::Dict(*tag, for_credential(dict, name)),
        Value::Array(tag, values) => {
            Value::Array(*tag, values.iter().map(|value| with_name(value, name)).collect())
        }
        Value::Char(..) | Value::Bool(..) | Value::Num(..) | Value::Empty(..) => value.clone(),
    }
}

/// How many of the keys are there, one below the other, and whether what ends them is no map.
fn depth(mut tree: &Dict, keys: &[&str]) -> (usize, bool) {
    for (at, key) in keys.iter().enumerate() {
        match tree.get(*key) {
            None => return (at, false),
            Some(Value::Dict(_, below)) => tree = below,
            Some(_) => return (at + 1, true),
        }
    }
    (keys.len(), false)
}

/// A tree of keys as figment takes it.
struct Keys<'a>(&'static str, &'a Dict);

impl Provider for Keys<'_> {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.0)
    }
    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.1.clone()))
    }
}

/// `store` and `vault` to `store.vault`. A key that an operator mistyped is made printable.
pub(super) fn join(path: &str, key: &str) -> String {
    let key: String = key.escape_debug().take(80).collect();
    if path.is_empty() { key } else { format!("{path}.{key}") }
}

/// What a value is, for a sentence.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(..) | Value::Char(..) => "text",
        Value::Bool(..) => "true or false",
        Value::Num(..) => "a number",
        Value::Empty(..) => "nothing",
        Value::Dict(..) => "a group of keys",
        Value::Array(..) => "a list",
    }
}
