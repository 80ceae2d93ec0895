//! What a configuration may say, and what is said of one that is wrong. Each case names the keys that it changes in
//! the small right configuration below, and the exact lines that come of it.

mod alerts;
mod consumers;
mod defaults;
pub(super) mod example;
mod folder;
mod for_all;
mod form;
mod hygiene;
mod oauth2;
mod printed;
mod references;
mod rights;
mod rotating;
mod rules;
mod script;
mod secrets;
mod standby;
mod store;
mod units;

use super::*;
use serde_json::Value;

/// A configuration without any mistake or warning; `{env: SECRET}` is set.
const RIGHT: &str = r#"
store:
  vault: {address: "https://vault.example.com:8200", auth: {token: {env: SECRET}}}
mailboxes:
  vendor-mail:
    imap: {host: imap.example.com, user: rotation@example.com, password: {env: SECRET}}
alerts:
  email:
    from: keyrelay@example.com
    to: [ops@example.com]
    smtp: {host: smtp.example.com, password: {env: SECRET}}
credentials:
  main:
    vendor: leaf7
    path: vendors/leaf7
    consumers:
      shop:
        prove: {http: {url: "https://shop.example.com/keyrelay"}}
"#;

/// What must never be seen.
const CANARY: &str = "canary-s3cr3t";

fn environment(variables: &[(&str, &str)]) -> BTreeMap<String, String> {
    let all = [("SECRET", CANARY)].into_iter().chain(variables.iter().copied());
    all.map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
}

/// Loads `text` as `config.yaml`, and gives the settings or the lines that are printed, warnings too.
fn load_text(
    text: &str,
    variables: &[(&str, &str)],
    need: Need,
) -> Result<(Config, Vec<String>), Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.yaml"), text).unwrap();
    load_folder(folder.path(), variables, need)
}

/// The same of the `config.yaml` in a folder, and of what is beside it.
fn load_folder(
    folder: &Path,
    variables: &[(&str, &str)],
    need: Need,
) -> Result<(Config, Vec<String>), Vec<String>> {
    let lines = |mistakes: &[Mistake]| -> Vec<String> {
        let folder = format!("{}/", folder.display());
        let lines = mistakes.iter().map(|mistake| mistake.to_string().replace(&folder, ""));
        lines.inspect(|line| assert!(!line.contains(CANARY), "{line}")).collect()
    };
    match load(&folder.join("config.yaml"), &environment(variables), need) {
        Ok(loaded) => {
            fits_schema(folder);
            Ok((loaded.config, lines(&loaded.warnings)))
        }
        Err(mistakes) => {
            assert!(
                mistakes.0.iter().any(|mistake| mistake.severity == Severity::Error),
                "refused without a reason"
            );
            Err(lines(&mistakes.0))
        }
    }
}

/// Whatever is accepted must look right in an editor, too.
fn fits_schema(folder: &Path) {
    let beside = std::fs::read_dir(folder.join("config.d")).into_iter().flatten();
    let is_read = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.ends_with(".yaml") && !name.starts_with('.')
    };
    let beside = beside.map(|entry| entry.unwrap().path()).filter(is_read);
    for path in beside.chain([folder.join("config.yaml")]) {
        let text = std::fs::read_to_string(&path).unwrap();
        let tree: Option<Value> = yaml_serde::from_str(&text).unwrap();
        let tree = tree.unwrap_or_else(|| serde_json::json!({}));
        schema::tests::judge(&tree).unwrap_or_else(|error| panic!("{error}\n{text}"));
    }
}

/// The right configuration with the values at some key paths replaced; `~` removes the key.
fn right_but(changes: &[(&str, &str)]) -> String {
    let mut tree: Value = yaml_serde::from_str(RIGHT).unwrap();
    for (path, yaml) in changes {
        let (above, key) = path.rsplit_once('.').unwrap_or(("", path));
        let keys = above.split('.').filter(|key| !key.is_empty());
        let map = keys.fold(&mut tree, |tree, key| {
            let map = tree.as_object_mut().unwrap_or_else(|| panic!("{path}: {key} is in no map"));
            map.entry(key).or_insert_with(|| Value::Object(Default::default()))
        });
        let map = map.as_object_mut().unwrap();
        match *yaml {
            "~" => assert!(map.remove(key).is_some(), "{path} is not there"),
            yaml => drop(map.insert(key.to_owned(), yaml_serde::from_str(yaml).unwrap())),
        }
    }
    yaml_serde::to_string(&tree).unwrap()
}

/// The lines that are printed, without the file's name.
fn said_of(changes: &[(&str, &str)]) -> Vec<String> {
    let lines = match load_text(&right_but(changes), &[], Need::Run) {
        Ok((_, warnings)) => warnings,
        Err(mistakes) => mistakes,
    };
    lines
        .into_iter()
        .map(|line| line.strip_prefix("config.yaml: ").map(str::to_owned).unwrap_or(line))
        .collect()
}

fn accepted(changes: &[(&str, &str)]) -> Config {
    load_text(&right_but(changes), &[], Need::Run).unwrap_or_else(|lines| panic!("{lines:#?}")).0
}

/// Each case: a key path, what is written there, and the one line that comes of it.
#[track_caller]
fn each_is_refused(cases: &[(&str, &str, &str)]) {
    for (path, yaml, line) in cases {
        assert!(
            load_text(&right_but(&[(path, yaml)]), &[], Need::Run).is_err(),
            "{path}: {yaml} is accepted"
        );
        assert_eq!(said_of(&[(path, yaml)]), [*line], "{path}: {yaml}");
    }
}

#[test]
fn the_right_configuration_has_no_mistake() {
    assert_eq!(said_of(&[]), [""; 0]);
}
