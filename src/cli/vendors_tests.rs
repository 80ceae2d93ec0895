use super::super::tests::captured;
use super::*;

#[test]
fn without_a_configuration_the_built_in_vendors_are_listed() {
    let (exit, said, told) = shown(None, None);
    assert_eq!((exit, told.as_str()), (Exit::Done, ""));
    let lines = [
        "leadey  Leadey, an operator makes each key in its dashboard",
        "leaf7   Leaf7, rotates keys by itself and mails them every 7 d",
        "leafpad LeafPad, an operator makes each key in its dashboard",
        "legba   Legba, makes a new key on a call of its API",
    ];
    assert_eq!(said.lines().collect::<Vec<_>>(), lines);
}

#[test]
fn a_profile_reads_as_documentation() {
    let (exit, said, _) = shown(Some("leaf7"), None);
    assert_eq!(exit, Exit::Done);
    // The wordings have a file of their own to be read in.
    let rules = |line: &&str| !line.starts_with("  ") || line.starts_with("   ");
    insta::assert_snapshot!(said.lines().filter(rules).collect::<Vec<_>>().join("\n"));
    for name in ["leafpad", "leadey", "legba"] {
        let (exit, said, _) = shown(Some(name), None);
        assert_eq!(exit, Exit::Done);
        insta::assert_snapshot!(name, said);
    }
}

#[test]
fn what_the_configuration_changes_is_marked() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.yaml");
    let yaml = "
store: {local: {dir: DIR/store, master_key: {file: DIR/master}}}
spool: {dir: DIR/spool}
mailboxes: {vendor-mail: {maildir: {path: DIR/mail}}}
vendors: {leaf7: {cadence: 3d}}
credentials: {leaf7-main: {vendor: leaf7, path: a/b, recipient: a@example.com}}
";
    std::fs::write(&path, yaml.replace("DIR", &dir.path().display().to_string())).unwrap();
    let (_, said, _) = shown(None, Some(&path));
    let marked = "leaf7   Leaf7, rotates keys by itself and mails them every 3 d (changed by the\n        configuration)\n";
    assert!(said.contains(marked), "{said}");
    let (_, said, _) = shown(Some("leaf7"), Some(&path));
    assert!(said.ends_with("origin    built in; changed by the configuration: cadence\n"), "{said}");
}

#[test]
fn an_unknown_vendor_is_a_mistake_with_a_hint() {
    let (exit, said, told) = shown(Some("leaf8"), None);
    assert_eq!((exit, said.as_str()), (Exit::Mistake, ""));
    assert_eq!(told, "there is no vendor named \"leaf8\"\ndid you mean \"leaf7\"?\n");
}

fn shown(name: Option<&str>, config: Option<&Path>) -> (Exit, String, String) {
    let args = Args { name: name.map(|name| name.parse().unwrap()) };
    captured(|console| vendors(&args, config, console).unwrap_or_else(|failure| failure.tell(console)))
}
