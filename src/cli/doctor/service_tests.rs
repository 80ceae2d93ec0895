use super::*;
use crate::cli::doctor::finding::Level;
use std::{os::unix::fs::PermissionsExt, path::Path};

const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\nkeyrelay:x:990:991::/nonexistent:/usr/sbin/nologin\nada:x:1000:1000::/home/ada:/bin/sh\n";
const GROUP: &str = "root:x:0:\nkeyrelay:x:991:ada\nmail:x:8:keyrelay,ada\nshop:x:77:\n";

fn accounts() -> Accounts {
    Accounts { passwd: PASSWD.into(), group: GROUP.into() }
}

fn unit() -> Unit {
    Unit { user: "keyrelay".into(), protect_system: "strict".into(), ..Unit::default() }
}

fn found(unit: Result<Option<Unit>, &str>, euid: u32) -> (Option<u32>, Level, String) {
    let service = Service::of(unit.map_err(str::to_owned), &accounts(), euid);
    let line = format!("{:?}", service.line);
    (service.identity.map(|identity| identity.uid), service.line.level, line)
}

#[test]
fn root_tries_rights_as_the_units_user() {
    let (uid, level, line) = found(Ok(Some(unit())), 0);
    assert_eq!((uid, level), (Some(990), Level::Ok));
    assert!(line.contains("ReadWritePaths= are compared"), "{line}");
    let (uid, _, line) = found(Ok(Some(Unit { main_pid: Some(4), ..unit() })), 0);
    assert_eq!(uid, Some(990));
    assert!(line.contains("as the running daemon sees them"), "{line}");
}

#[test]
fn a_unit_that_runs_as_root_is_tried_as_root() {
    let (uid, level, _) = found(Ok(Some(Unit { user: String::new(), ..unit() })), 0);
    assert_eq!((uid, level), (None, Level::Ok));
}

#[test]
fn who_is_neither_root_nor_that_user_is_told_that_it_says_little() {
    let (uid, level, line) = found(Ok(Some(unit())), 1000);
    assert_eq!((uid, level), (None, Level::Warning));
    assert!(line.contains("true of ada alone") && line.contains("sudo keyrelay doctor"), "{line}");
    assert_eq!(found(Ok(Some(unit())), 990).1, Level::Ok);
}

#[test]
fn without_systemd_the_usual_user_is_taken_and_it_is_said() {
    let (uid, level, line) = found(Err("no D-Bus"), 0);
    assert_eq!((uid, level), (Some(990), Level::Warning));
    assert!(line.contains("by default; systemd does not say"), "{line}");
    let nobody = Accounts { passwd: "root:x:0:0::/root:/bin/sh\n".into(), group: String::new() };
    let service = Service::of(Ok(None), &nobody, 0);
    assert_eq!((service.identity, service.line.level), (None, Level::Ok));
}

#[test]
fn a_user_that_no_file_names_cannot_be_told() {
    let (uid, level, _) = found(Ok(Some(Unit { user: "elsewhere".into(), ..unit() })), 0);
    assert_eq!((uid, level), (None, Level::Warning));
}

#[test]
fn it_is_in_every_group_that_systemd_would_put_it_in() {
    let unit = Unit { group: "shop".into(), supplementary_groups: vec!["4".into()], ..unit() };
    let identity = accounts().identity("keyrelay", &unit.group, &unit.supplementary_groups).unwrap();
    assert_eq!(identity, Identity { uid: 990, gid: 77, groups: vec![4, 8, 77] });
    assert_eq!(accounts().identity("keyrelay", "", &[]).unwrap().groups, [8, 991]);
    assert_eq!(accounts().identity("990", "", &[]).unwrap().uid, 990);
    assert_eq!(accounts().identity("nobody", "", &[]), None);
}

#[test]
fn a_strict_unit_may_write_where_it_says_so() {
    let strict = Unit { writable: vec!["/var/lib/keyrelay".into(), "-/etc/shop".into()], ..unit() };
    assert!(strict.may_write(Path::new("/etc/shop/key")));
    assert!(strict.may_write(Path::new("/var/lib/keyrelay/spool")));
    assert!(!strict.may_write(Path::new("/etc/shopping/key")));
    assert!(Unit { protect_system: "full".into(), ..strict }.may_write(Path::new("/srv/key")));
}

#[test]
fn what_is_done_for_the_service_is_done_with_its_rights_and_by_that_thread_alone() {
    if !geteuid().is_root() {
        println!("skipped: only root can become somebody else");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let identity = Identity { uid: 7718, gid: 7718, groups: vec![7718] };
    let service = Service { unit: None, identity: Some(identity), user: None, line: Line::ok("a", "b") };
    let path = folder.path().join("file");
    let written = service.run(|| fs::write(&path, "text")).unwrap();
    assert_eq!(written.unwrap_err().kind(), std::io::ErrorKind::PermissionDenied);
    fs::write(&path, "text").unwrap();
    assert!(geteuid().is_root());
}
