use super::super::tests::captured;
use super::*;

const GOOD: &str = "
store: {local: {dir: DIR/store, master_key: {file: DIR/master}}}
spool: {dir: DIR/spool}
mailboxes: {vendor-mail: {maildir: {path: DIR/mail}}}
credentials:
  leaf7-main:
    vendor: leaf7
    path: vendors/leaf7/main
    recipient: rotation@example.com
    consumers:
      bot: {deliver: {file: {path: DIR/bot.key}}}
      storefront: {prove: {http: {url: 'http://127.0.0.1:9/keyrelay'}}}
";

#[test]
fn a_good_configuration_is_summed_up_with_what_can_be_shown_of_each_consumer() {
    let dir = tempfile::tempdir().unwrap();
    let (exit, said, told) = checked(dir.path(), GOOD);
    assert_eq!(exit, Exit::Done);
    assert_eq!(
        said,
        "configuration is good: 1 credential, 2 consumers, 1 mailbox, 3 warnings\nleaf7-main (leaf7)\n  \
         bot         copy works, use not tested\n  storefront  in use\n"
    );
    assert_eq!(told.lines().filter(|line| line.starts_with("warning: ")).count(), 3, "{told}");
}

#[test]
fn all_mistakes_are_told_at_once_and_nothing_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let bad =
        GOOD.replace("vendor: leaf7", "vendor: leaf9").replace("prove:", "proof:").replace("spool:", "pool:");
    let (exit, said, told) = checked(dir.path(), &bad);
    assert_eq!((exit, said.as_str()), (Exit::Mistake, ""));
    for key in ["credentials.leaf7-main.vendor: ", "credentials.leaf7-main.consumers.storefront", ": pool: "]
    {
        assert!(told.contains(key), "{key} is not in:\n{told}");
    }
}

#[test]
fn the_resolved_configuration_is_printed_alone_on_standard_output_and_can_be_fed_back() {
    let dir = tempfile::tempdir().unwrap();
    let (exit, said, told) = called(dir.path(), &format!("observe: true\n{GOOD}"), true);
    assert_eq!(exit, Exit::Done);
    assert!(said.contains("\n    observe: true  # default\n"), "{said}");
    assert_eq!(told.lines().filter(|line| line.starts_with("warning: ")).count(), 3, "{told}");
    let (exit, summary, _) = checked(dir.path(), &said);
    assert_eq!(exit, Exit::Done);
    assert!(summary.contains("leaf7-main (leaf7, only observed)"), "{summary}");
}

#[test]
fn nothing_is_printed_of_a_configuration_with_a_mistake() {
    let dir = tempfile::tempdir().unwrap();
    let (exit, said, told) = called(dir.path(), &GOOD.replace("vendor: leaf7", "vendor: leaf9"), true);
    assert_eq!((exit, said.as_str()), (Exit::Mistake, ""));
    assert!(told.contains("credentials.leaf7-main.vendor: "), "{told}");
}

#[test]
fn the_schema_needs_no_configuration() {
    let args = Args { print: false, schema: true };
    let nowhere = Path::new("/nonexistent/config.yaml");
    let (exit, said, told) =
        captured(|console| check(&args, nowhere, console).unwrap_or_else(|failure| failure.tell(console)));
    assert_eq!((exit, told.as_str()), (Exit::Done, ""));
    assert_eq!(said, schema::schema());
}

fn checked(dir: &Path, yaml: &str) -> (Exit, String, String) {
    called(dir, yaml, false)
}

fn called(dir: &Path, yaml: &str, print: bool) -> (Exit, String, String) {
    let path = dir.join("config.yaml");
    std::fs::write(&path, yaml.replace("DIR", &dir.display().to_string())).unwrap();
    captured(|console| {
        check(&Args { print, schema: false }, &path, console).unwrap_or_else(|failure| failure.tell(console))
    })
}
