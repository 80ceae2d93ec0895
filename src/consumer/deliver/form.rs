//! What a key's file looks like, and which key an existing file holds. Pure: bytes in, bytes out.

use crate::{consumer::FileForm, domain::Key};
use zeroize::Zeroizing;

/// Where the key stands in a template.
const PLACE: &str = "{key}";

/// The longest key, in bytes.
const KEY_MAX: usize = 512;

impl FileForm {
    /// The file's bytes with this key.
    pub(super) fn render(&self, key: &Key) -> Zeroizing<String> {
        Zeroizing::new(self.template().replace(PLACE, key.expose()))
    }

    /// More bytes than this cannot be a file of this form.
    pub(super) fn len_max(&self) -> usize {
        let template = self.template();
        template.len() + template.matches(PLACE).count() * KEY_MAX
    }

    /// The key that a file holds if it holds nothing but one key in this form; a line end more or less, and quotes
    /// around an environment's value, make no difference. A file with just `current`, bare or in any variable, is
    /// recognised too: the form was changed in the configuration.
    pub(super) fn recognise(&self, text: &str, current: &Key) -> Option<Key> {
        let line = without_line_end(text);
        if line == current.expose() || assigned(line) == Some(current.expose()) {
            return Some(current.clone());
        }
        match self {
            FileForm::Bare => key_in(text, PLACE).filter(|key| {
                // `OTHER_SECRET=…` could be a key as far as its characters go.
                assigned(key.expose()).is_none() || assigned(current.expose()).is_some()
            }),
            FileForm::Env(name) => ["", "\"", "'"]
                .iter()
                .find_map(|quote| key_in(text, &format!("{name}={quote}{PLACE}{quote}"))),
            FileForm::Template(template) => key_in(text, template),
        }
    }

    fn template(&self) -> String {
        match self {
            FileForm::Bare => PLACE.into(),
            FileForm::Env(name) => format!("{name}={PLACE}\n"),
            FileForm::Template(text) => text.clone(),
        }
    }
}

/// The one key with which the template gives the text, line ends behind both aside.
fn key_in(text: &str, template: &str) -> Option<Key> {
    let (text, template) = (without_line_end(text), without_line_end(template));
    let places = template.matches(PLACE).count();
    let before = template.find(PLACE)?;
    let keys_len = text.len().checked_sub(template.len() - places * PLACE.len())?;
    let key = Key::parse(text.get(before..before + keys_len / places)?).ok()?;
    let same = Zeroizing::new(template.replace(PLACE, key.expose())).as_str() == text;
    same.then_some(key)
}

/// The value of a line that sets one variable. Padding (`=` at the end of base64) is no assignment.
fn assigned(line: &str) -> Option<&str> {
    let (name, value) = line.split_once('=')?;
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    (is_name && !value.trim_start_matches('=').is_empty()).then_some(value)
}

fn without_line_end(text: &str) -> &str {
    text.trim_end_matches(['\r', '\n'])
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: &str = "new-key+/=0123456789";
    const OLD: &str = "old_key:~.0123456789abcdef";

    fn key(text: &str) -> Key {
        Key::parse(text).unwrap()
    }
    fn recognised(form: &FileForm, text: &str) -> Option<String> {
        form.recognise(text, &key(NEW)).map(|key| key.expose().to_owned())
    }

    #[test]
    fn a_files_bytes_are_the_key_or_a_line_or_the_template_and_nothing_added() {
        let bytes = |form: FileForm| form.render(&key(NEW)).to_string();
        assert_eq!(bytes(FileForm::Bare), NEW);
        assert_eq!(bytes(FileForm::Env("LEAF7_API_KEY".into())), format!("LEAF7_API_KEY={NEW}\n"));
        let twice = FileForm::Template("a: {key}\r\nb: '{key}' {other}".into());
        assert_eq!(bytes(twice), format!("a: {NEW}\r\nb: '{NEW}' {{other}}"));
    }

    #[test]
    fn what_was_written_is_recognised_whichever_key_it_holds() {
        let forms =
            [FileForm::Bare, FileForm::Env("A".into()), FileForm::Template("x={key};{key}\n# {key}".into())];
        for form in forms {
            let text = form.render(&key(OLD));
            assert_eq!(recognised(&form, &text).as_deref(), Some(OLD), "{form:?}");
            assert!(text.len() <= form.len_max());
        }
    }

    #[test]
    fn a_file_that_a_person_seeded_is_recognised_by_its_one_key() {
        let env = FileForm::Env("TOKEN".into());
        for text in [format!("TOKEN={OLD}"), format!("TOKEN={OLD}\r\n"), format!("TOKEN=\"{OLD}\"\n")] {
            assert_eq!(recognised(&env, &text).as_deref(), Some(OLD), "{text:?}");
        }
        assert_eq!(recognised(&FileForm::Bare, &format!("{OLD}\n")).as_deref(), Some(OLD));
    }

    #[test]
    fn after_a_change_of_form_a_file_with_just_the_current_key_is_recognised() {
        assert_eq!(recognised(&FileForm::Env("TOKEN".into()), NEW).as_deref(), Some(NEW));
        assert_eq!(recognised(&FileForm::Bare, &format!("TOKEN={NEW}\n")).as_deref(), Some(NEW));
        assert_eq!(recognised(&FileForm::Bare, &format!("TOKEN={OLD}\n")), None, "somebody else's variable");
    }

    #[test]
    fn a_bare_key_may_hold_equal_signs() {
        let recognised = |text: &str, current: &str| FileForm::Bare.recognise(text, &key(current)).is_some();
        assert!(recognised("MDEyMzQ1Njc4OTAxMjM0NQ==", "OTg3NjU0MzIxMDk4NzY1NA=="), "padding");
        assert!(
            recognised("id1=0123456789abcdef", "id2=fedcba9876543210"),
            "the vendor's keys look like this"
        );
    }

    #[test]
    fn a_file_that_holds_more_or_something_else_is_not_recognised() {
        let env = FileForm::Env("TOKEN".into());
        for text in [
            String::new(),
            "TOKEN=\n".into(),
            "TOKEN=short\n".into(),
            format!("OTHER={OLD}\n"),
            format!("TOKEN={OLD}\nOTHER=1\n"),
            format!("# written by hand\nTOKEN={OLD}\n"),
            format!("TOKEN={OLD} # the key\n"),
        ] {
            assert_eq!(recognised(&env, &text), None, "{text:?}");
        }
        let twice = FileForm::Template("{key} {key}".into());
        assert_eq!(recognised(&twice, &format!("{OLD} {NEW}")), None, "two different keys");
        assert_eq!(recognised(&FileForm::Template("no place".into()), "no place"), None);
        assert_eq!(recognised(&FileForm::Template("ä{key}ä".into()), "ää"), None);
    }
}
