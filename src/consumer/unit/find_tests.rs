//! Each case is a host with the unit files that it names.

use super::*;
use std::os::unix::fs::symlink;

struct Host {
    root: tempfile::TempDir,
    files: UnitFiles,
}

/// `etc` counts more than `lib`.
fn host(files: &[(&str, &str)]) -> Host {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    fs::create_dir_all(root.path().join("etc")).unwrap();
    let path = format!("{0}/etc:{0}/lib", root.path().display());
    Host { files: UnitFiles::new(Some(&path)), root }
}

impl Host {
    fn link(self, path: &str, target: &str) -> Self {
        symlink(target, self.root.path().join(path)).unwrap();
        self
    }
    fn find(&self, name: &str) -> Found {
        self.files.find(&name.parse().unwrap())
    }
    /// The environment files that the unit names.
    fn reads(&self, name: &str) -> Vec<String> {
        match self.find(name) {
            Found::Unit { file, .. } => file.reads.environment,
            other => panic!("{other:?}"),
        }
    }
}

fn names(path: &str) -> String {
    format!("[Service]\nEnvironmentFile={path}\n")
}

#[test]
fn the_file_of_the_folder_that_counts_most_is_read() {
    let host = host(&[("lib/bot.service", &names("/lib")), ("etc/bot.service", &names("/etc"))]);
    assert_eq!(host.reads("bot"), ["/etc"]);
    assert_eq!(host.find("other"), Found::Missing);
}

#[test]
fn drop_ins_are_applied_by_name_and_one_hides_another_of_its_name() {
    let host = host(&[
        ("lib/bot.service", &names("/base")),
        ("lib/bot.service.d/20-b.conf", &names("/b")),
        ("etc/bot.service.d/10-a.conf", &names("/a")),
        ("lib/bot.service.d/30-c.conf", &names("/hidden")),
        ("etc/bot.service.d/30-c.conf", &names("/c")),
        ("etc/bot.service.d/40-d.conf.bak", &names("/backup")),
        ("etc/service.d/90-all.conf", &names("/all")),
        ("etc/other.service.d/10-a.conf", &names("/other")),
    ]);
    assert_eq!(host.reads("bot"), ["/base", "/a", "/b", "/c", "/all"]);
}

#[test]
fn a_drop_in_that_is_linked_to_nothing_hides_the_one_below() {
    let host = host(&[
        ("lib/bot.service", &names("/base")),
        ("lib/bot.service.d/10-a.conf", &names("/a")),
        ("etc/bot.service.d/90-z.conf", &names("/z")),
    ]);
    let host = host.link("etc/bot.service.d/10-a.conf", "/dev/null");
    assert_eq!(host.reads("bot"), ["/base", "/z"]);
}

#[test]
fn an_instance_is_described_by_its_template_and_what_is_its_own() {
    let host = host(&[
        ("lib/worker@.service", &names("/etc/worker/%i")),
        ("lib/worker@.service.d/a.conf", &names("/all/%i")),
        ("etc/worker@2.service.d/b.conf", &names("/two")),
    ]);
    assert_eq!(host.reads("worker@1"), ["/etc/worker/1", "/all/1"]);
    assert_eq!(host.reads("worker@2"), ["/etc/worker/2", "/all/2", "/two"]);
}

#[test]
fn a_prefix_with_a_dash_has_drop_ins_for_all_of_its_units() {
    let host = host(&[
        ("lib/shop-web-1.service", &names("/base")),
        ("etc/shop-.service.d/a.conf", &names("/shop")),
        ("etc/shop-web-.service.d/b.conf", &names("/web")),
    ]);
    assert_eq!(host.reads("shop-web-1"), ["/base", "/shop", "/web"]);
}

#[test]
fn an_alias_is_the_unit_that_it_leads_to() {
    let host = host(&[
        ("lib/shop.service", &names("/etc/%N")),
        ("lib/shop.service.d/a.conf", &names("/shop")),
        ("etc/storefront.service.d/b.conf", &names("/storefront")),
    ]);
    let host = host.link("etc/storefront.service", "../lib/shop.service");
    let Found::Unit { id, file } = host.find("storefront") else { panic!() };
    assert_eq!(id.as_str(), "shop.service");
    assert_eq!(file.reads.environment, ["/etc/shop", "/shop", "/storefront"]);
}

#[test]
fn a_unit_that_is_linked_to_nothing_is_masked() {
    let host = host(&[("lib/bot.service", &names("/base"))]).link("etc/bot.service", "/dev/null");
    assert_eq!(host.find("bot"), Found::Masked);
}

#[test]
fn the_environment_may_name_other_folders_or_more() {
    assert_eq!(UnitFiles::new(None), UnitFiles::new(Some("")));
    assert_eq!(UnitFiles::new(Some("/a:/b")).folders, [PathBuf::from("/a"), PathBuf::from("/b")]);
    let more = UnitFiles::new(Some("/a:"));
    assert_eq!((more.folders.len(), more.folders[0].as_path()), (13, Path::new("/a")));
}
