//! `config.d/*.yaml`, beside the file that is named.

use super::*;
use std::os::unix::fs::PermissionsExt;

/// A folder with files in it, each with its text; what is below another folder makes it.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let file = folder.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    folder
}

fn load_files(files: &[(&str, &str)]) -> Result<(Config, Vec<String>), Vec<String>> {
    load_folder(folder(files).path(), &[], Need::Run)
}

const SHOP: &str = "credentials: {shop: {vendor: leaf7, path: vendors/shop, consumers: {web: \
                    {prove: {http: {url: 'https://web.example.com/'}}}}}}";

#[test]
fn the_files_of_the_folder_are_merged_by_name() {
    let (config, warnings) = load_files(&[
        ("config.yaml", RIGHT),
        ("config.d/10-shop.yaml", SHOP),
        ("config.d/20-field.yaml", "credentials: {shop: {field: token}, main: {field: key}}"),
        ("config.d/30-nothing.yaml", "# all of it is commented out\n"),
        ("config.d/40-group.yaml", "credentials:\n  # shop:\n"),
    ])
    .unwrap();
    assert_eq!(warnings, [""; 0]);
    let shown: Vec<_> = config
        .credentials
        .iter()
        .map(|(name, credential)| (name.as_str(), credential.path.as_str(), credential.field.as_str()))
        .collect();
    assert_eq!(shown, [("main", "vendors/leaf7", "key"), ("shop", "vendors/shop", "token")]);
}

#[test]
fn credentials_may_stand_in_the_folder_alone() {
    let main = RIGHT.split("credentials:").next().unwrap();
    let (config, _) =
        load_files(&[("config.yaml", &format!("{main}credentials:\n")), ("config.d/shop.yaml", SHOP)])
            .unwrap();
    assert_eq!(config.credentials.len(), 1);
}

#[test]
fn a_key_that_two_files_set_is_an_error_that_names_both() {
    let lines = load_files(&[
        ("config.yaml", &format!("{RIGHT}listen: off\n")),
        ("config.d/10-a.yaml", "listen: off\ncontrol: /run/a.sock\n"),
        ("config.d/20-b.yaml", "control: /run/b.sock\ncredentials: {main: {path: other, consumers: none}}\n"),
        ("config.d/30-c.yaml", "dns: {servers: []}\ndns: {servers: []}\n"),
    ])
    .unwrap_err();
    assert_eq!(
        lines,
        [
            "config.d/30-c.yaml: dns: this key is set twice in the file",
            "config.d/10-a.yaml: listen: DIR/config.yaml sets the same key; keep one of them",
            "config.d/20-b.yaml: control: DIR/config.d/10-a.yaml sets the same key; keep one of them",
            "config.d/20-b.yaml: credentials.main.consumers: DIR/config.yaml sets the same key; keep one of them",
            "config.d/20-b.yaml: credentials.main.path: DIR/config.yaml sets the same key; keep one of them",
        ]
        .map(|line| line.replace("DIR/", ""))
    );
}

#[test]
fn every_mistake_names_the_file_in_which_it_stands() {
    let lines = load_files(&[
        ("config.yaml", RIGHT),
        ("config.d/10-shop.yaml", "credentials: {shop: {vendor: leaf9, feild: token}}"),
        ("config.d/20-more.yaml", "mailboxes: {other: {maildir: {path: mail}}}\nlisen: off\n"),
        ("config.d/30-vendors.yaml", "vendors: {leaf7: {cadence: weekly}}"),
    ])
    .unwrap_err();
    assert_eq!(
        lines,
        [
            "config.d/20-more.yaml: mailboxes.other.maildir.path: the path is not absolute; begin it with /",
            "config.d/30-vendors.yaml: vendors.leaf7.cadence: a duration is one whole number and s, m, h or d, as in 90s, 15m, 24h or 7d; keyrelay vendors leaf7 shows a profile",
            r#"config.d/10-shop.yaml: credentials.shop.vendor: no vendor named "leaf9"; did you mean "leaf7"?"#,
            "config.d/10-shop.yaml: credentials.shop.path: this key is missing",
            "config.d/10-shop.yaml: credentials.shop.consumers: there is no consumer: nobody is shown to work with a new key; add those who use the key",
            r#"config.d/10-shop.yaml: credentials.shop.feild: unknown key; did you mean "field"?"#,
            r#"config.d/20-more.yaml: lisen: unknown key; did you mean "listen"?"#,
        ]
    );
}

#[test]
fn every_file_that_cannot_be_used_is_named_at_once() {
    let folder = folder(&[
        ("config.yaml", RIGHT),
        ("config.d/10.yaml", "credentials: [\n"),
        ("config.d/20.yaml", "- a\n"),
        ("config.d/30.yaml/inside", ""),
    ]);
    std::fs::write(folder.path().join("config.d/40.yaml"), b"\xff").unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path().join("config.d/50.yaml")).unwrap();
    assert_eq!(
        load_folder(folder.path(), &[], Need::Check).unwrap_err(),
        [
            "config.d/10.yaml: did not find expected node content at line 2 column 1, while parsing a flow node",
            "config.d/20.yaml: this is no YAML file of keys and values",
            "config.d/30.yaml: this is not a file",
            "config.d/40.yaml: the file is not UTF-8 text",
            "config.d/50.yaml: there is no such file",
        ]
    );
}

#[test]
fn whom_to_tell_is_known_though_another_file_is_broken() {
    let folder = folder(&[("config.yaml", RIGHT), ("config.d/10.yaml", "[")]);
    let alerts = || load_alerts(&folder.path().join("config.yaml"), &environment(&[]));
    assert_eq!(alerts().unwrap().unwrap().to, ["ops@example.com"]);
    std::fs::remove_file(folder.path().join("config.yaml")).unwrap();
    let mistakes = alerts().unwrap_err().to_string();
    assert!(mistakes.contains("config.yaml: there is no such file"), "{mistakes}");
}

#[test]
fn what_editors_and_package_managers_leave_behind_is_not_read() {
    let broken = "nonsense: [";
    let (_, warnings) = load_files(&[
        ("config.yaml", RIGHT),
        ("config.d/.hidden.yaml", broken),
        ("config.d/a.yaml~", broken),
        ("config.d/a.yaml.bak", broken),
        ("config.d/a.yaml.dpkg-dist", broken),
        ("config.d/#a.yaml#", broken),
        ("config.d/README", broken),
        ("config.d/deeper/a.yaml", broken),
    ])
    .unwrap();
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn a_name_that_looks_as_if_it_were_read_is_a_warning() {
    let (config, warnings) =
        load_files(&[("config.yaml", RIGHT), ("config.d/10.yml", SHOP), ("config.d/20.YAML", SHOP)]).unwrap();
    assert_eq!(config.credentials.len(), 1);
    assert_eq!(
        warnings,
        [
            "config.d/10.yml: this file is not read: only *.yaml is; rename it, or remove it",
            "config.d/20.YAML: this file is not read: only *.yaml is; rename it, or remove it",
        ]
    );
}

#[test]
fn a_link_is_followed_as_configuration_management_makes_them() {
    let folder = folder(&[("config.yaml", RIGHT), ("elsewhere/shop", SHOP), ("config.d/.keep", "")]);
    std::os::unix::fs::symlink("../elsewhere/shop", folder.path().join("config.d/shop.yaml")).unwrap();
    assert_eq!(load_folder(folder.path(), &[], Need::Run).unwrap().0.credentials.len(), 2);
}

#[test]
fn a_folder_or_a_file_that_anybody_can_write_is_refused() {
    let folder = folder(&[("config.yaml", RIGHT), ("config.d/10.yaml", SHOP)]);
    let open = |name: &str, mode| {
        let path = folder.path().join(name);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    for (name, open_mode, shut_mode) in
        [("config.d", 0o777, 0o755), ("config.d/10.yaml", 0o666, 0o664), ("config.yaml", 0o646, 0o644)]
    {
        open(name, open_mode);
        assert_eq!(
            load_folder(folder.path(), &[], Need::Check).unwrap_err(),
            [format!(
                "{name}: anybody can write here (mode {open_mode:04o}), and have keyrelay run a program; type: \
                 chmod o-w {name}"
            )]
        );
        open(name, shut_mode);
        assert!(load_folder(folder.path(), &[], Need::Run).is_ok(), "{name}");
    }
}

#[test]
fn a_folder_that_is_none_is_named() {
    assert_eq!(
        load_files(&[("config.yaml", RIGHT), ("config.d", "")]).unwrap_err(),
        ["config.d: this is no folder; let it hold *.yaml files, or remove it"]
    );
}

#[test]
fn all_files_together_may_have_16_mib() {
    let large = format!("# {}\n", "x".repeat(6 << 20));
    let lines = load_files(&[
        ("config.yaml", &format!("{RIGHT}{large}")),
        ("config.d/10.yaml", &large),
        ("config.d/20.yaml", &large),
    ])
    .unwrap_err();
    assert_eq!(lines, ["config.d/20.yaml: the configuration is larger than 16 MiB"]);
}
