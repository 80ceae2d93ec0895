use super::*;
use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::PathBuf,
};
use tempfile::TempDir;

const NEW: &str = "new-key-0123456789-ABCDEF";
const OLD: &str = "old-key-0123456789-ABCDEF";

#[test]
fn a_file_is_written_for_its_owner_alone_and_reads_back_the_same() {
    let at = Folder::new();
    assert_eq!(at.compare(), CopyState::Missing);
    assert_eq!(at.write(), DeliveryOutcome::Done);
    assert_eq!(at.compare(), CopyState::Same);
    assert_eq!(at.text(), format!("LEAF7_API_KEY={NEW}\n"));
    assert_eq!(at.mode(), 0o600);
    assert_eq!(at.names(), ["leaf7.env"]);
}

#[test]
fn an_older_key_is_replaced_by_a_new_file_and_named_before() {
    let at = Folder::holding(&format!("LEAF7_API_KEY={OLD}\n"));
    let inode = || fs::metadata(&at.path).unwrap().ino();
    let (before, mut open) = (inode(), fs::File::open(&at.path).unwrap());

    assert_eq!(at.compare(), CopyState::Differs(Some(key(OLD).fingerprint())));
    assert_eq!(at.write(), DeliveryOutcome::Done);
    assert_eq!(at.text(), format!("LEAF7_API_KEY={NEW}\n"));
    assert_ne!(inode(), before);
    let mut old = String::new();
    open.read_to_string(&mut old).unwrap();
    assert_eq!(old, format!("LEAF7_API_KEY={OLD}\n"), "whoever had it open reads a whole file");
}

#[test]
fn the_key_in_another_form_or_with_other_rights_differs_and_is_put_right() {
    let at = Folder::holding(&format!("LEAF7_API_KEY=\"{NEW}\""));
    let differs = CopyState::Differs(Some(key(NEW).fingerprint()));
    assert_eq!(at.compare(), differs);
    assert_eq!(at.write(), DeliveryOutcome::Done);

    fs::set_permissions(&at.path, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(at.compare(), differs);
    assert_eq!(at.write(), DeliveryOutcome::Done);
    assert_eq!((at.mode(), at.compare()), (0o600, CopyState::Same));
}

#[test]
fn an_empty_file_is_filled() {
    let at = Folder::holding("");
    assert_eq!(at.compare(), CopyState::Differs(None));
    assert_eq!(at.write(), DeliveryOutcome::Done);
}

#[test]
fn a_file_that_holds_more_than_the_key_is_never_overwritten() {
    for text in [
        "DATABASE=postgres://shop\n".to_owned(),
        format!("LEAF7_API_KEY={OLD}\nOTHER=1\n"),
        "x".repeat(99_999),
    ] {
        let at = Folder::holding(&text);
        let why = format!("{} holds something else than one key in the configured form", at.path.display());
        assert_eq!(at.compare(), CopyState::NotOurs(why.clone()));
        assert_eq!(
            at.write(),
            failed(&format!("{why}; it was not overwritten: move it away, or name another path"))
        );
        assert_eq!((at.text(), at.names()), (text, vec!["leaf7.env".to_owned()]));
    }
}

#[test]
fn what_is_no_file_is_left_alone() {
    let at = Folder::new();
    fs::create_dir(&at.path).unwrap();
    assert_eq!(at.compare(), CopyState::NotOurs(format!("{} is not a regular file", at.path.display())));
    assert!(matches!(at.write(), DeliveryOutcome::Failed(_)));

    let at = Folder::new();
    rustix::fs::mknodat(rustix::fs::CWD, &at.path, FileType::Fifo, Mode::RWXU, 0).unwrap();
    assert_eq!(at.compare(), CopyState::NotOurs(format!("{} is not a regular file", at.path.display())));
    assert!(matches!(at.write(), DeliveryOutcome::Failed(_)));
}

#[test]
fn s19_no_symbolic_link_is_followed_neither_at_the_end_nor_on_the_way() {
    let at = Folder::new();
    let target = at.folder.path().join("target");
    fs::write(&target, "").unwrap();
    symlink(&target, &at.path).unwrap();
    let why = format!("{} is a symbolic link, and none is followed", at.path.display());
    assert_eq!(at.compare(), CopyState::NotOurs(why.clone()));
    assert_eq!(
        at.write(),
        failed(&format!("{why}; it was not overwritten: move it away, or name another path"))
    );
    assert_eq!(fs::read_to_string(&target).unwrap(), "");

    let mut at = Folder::new();
    let (real, link) = (at.folder.path().join("real"), at.folder.path().join("link"));
    fs::create_dir(&real).unwrap();
    symlink(&real, &link).unwrap();
    for below in ["leaf7.env", "deeper/leaf7.env"] {
        at.path = link.join(below);
        let why =
            format!("{} is a symbolic link, and none is followed: name the real folder", link.display());
        assert_eq!(at.compare(), CopyState::NotOurs(why.clone()), "{below}");
        assert_eq!(at.write(), failed(&why), "{below}");
    }
    assert_eq!(fs::read_dir(&real).unwrap().count(), 0);
}

#[test]
fn a_folder_that_is_missing_or_none_or_a_path_that_is_no_path_is_told_with_what_to_do() {
    let mut at = Folder::new();
    let below = |part: &str| at.folder.path().join(part);
    let (missing, file) = (below("missing"), below("file"));
    fs::write(&file, "").unwrap();

    at.path = missing.join("a/leaf7.env");
    let create = "create it, writable for the user that keyrelay runs as";
    assert_eq!(at.write(), failed(&format!("the folder {} does not exist: {create}", missing.display())));
    assert_eq!(at.compare(), CopyState::Missing);

    at.path = file.join("leaf7.env");
    assert_eq!(at.write(), failed(&format!("{} is not a folder", file.display())));
    assert_eq!(at.compare(), CopyState::Failed(format!("{} is not a folder", file.display())));

    for path in ["relative/leaf7.env", "leaf7.env", "/", "/tmp/../etc/leaf7.env", ""] {
        at.path = path.into();
        assert_eq!(at.write(), failed(&format!("{path} is no absolute path of a file, without \"..\"")));
    }
}

#[test]
fn with_a_group_the_file_must_come_to_belong_to_it() {
    let at = Folder::new();
    let own = fs::metadata(at.folder.path()).unwrap().gid();
    let (right, wrong) = (own.to_string(), (own + 1).to_string());
    let write = |group: &str| write(&at.path, &form(), 0o640, Some(group), &key(NEW));
    let compare = |group: &str| compare(&at.path, &form(), 0o640, Some(group), &key(NEW));

    let (path, folder) = (at.path.display(), at.folder.path().display());
    let advice = format!("chgrp {wrong} {folder} && chmod g+s {folder}");
    assert_eq!(
        write(&wrong),
        failed(&format!("{path} would belong to another group than {wrong}: {advice}"))
    );
    assert_eq!(at.names(), [""; 0], "it was not put in place, and nothing is left");

    assert_eq!(write(&right), DeliveryOutcome::Done);
    assert_eq!((at.mode(), compare(&right)), (0o640, CopyState::Same));
    assert_eq!(compare(&wrong), CopyState::Differs(Some(key(NEW).fingerprint())));

    let DeliveryOutcome::Failed(why) = write("no-such-group") else { panic!("there is no such group") };
    assert!(
        why.starts_with("there is no group no-such-group in /etc/group: groupadd --system no-such-group"),
        "{why}"
    );
}

#[test]
fn a_groups_number_is_read_from_its_line() {
    let groups = "root:x:0:\nshop-extra:x:17:a,b\nshop:x:18:\nbroken\nodd:x:y:\n";
    let found = ["root", "shop", "shop-extra", "sho", "broken", "odd"].map(|name| gid_in(groups, name));
    assert_eq!(found, [Some(0), Some(18), Some(17), None, None, None]);
}

#[test]
fn what_a_crash_left_of_this_path_is_removed_by_the_next_write_and_of_others_not() {
    let at = Folder::new();
    let crash = |path: &Path| {
        let place = Place::open(path).ok().unwrap();
        let mut beside = place.create_beside().ok().unwrap();
        beside.fill(OLD.as_bytes(), Mode::RUSR).unwrap();
        std::mem::forget(beside);
    };
    crash(&at.path);
    crash(&at.path);
    crash(&at.folder.path().join("other.env"));
    assert_eq!(at.names().len(), 3);

    assert_eq!(at.write(), DeliveryOutcome::Done);
    let names = at.names();
    assert_eq!(names.len(), 2, "{names:?}");
    assert_eq!(names[1], "leaf7.env");

    let other = Folder { path: at.folder.path().join("other.env"), ..at };
    assert_eq!(other.write(), DeliveryOutcome::Done);
    assert_eq!(other.names(), ["leaf7.env", "other.env"]);
}

#[test]
fn s19_a_temporary_file_is_for_its_owner_alone_from_its_first_moment_and_unlike_any_before() {
    let at = Folder::new();
    let place = Place::open(&at.path).ok().unwrap();
    let (one, two) = (place.create_beside().ok().unwrap(), place.create_beside().ok().unwrap());
    assert_eq!(one.stat().unwrap().st_mode & 0o7777, 0o600);
    let names = at.names();
    assert_eq!(names.len(), 2);
    assert!(names.iter().all(|name| name.starts_with(".keyrelay-") && name.len() == 43), "{names:?}");
    drop((one, two));
    assert_eq!(at.names(), [""; 0]);
}

#[test]
fn a_full_disk_and_a_read_only_one_are_told_in_words() {
    use rustix::io::Errno;
    let at = Folder::new();
    let place = Place::open(&at.path).ok().unwrap();
    let (path, folder) = (at.path.display(), at.folder.path().display());
    let text = |errno| place.trouble("written", errno).text();
    assert_eq!(
        text(Errno::NOSPC),
        format!("{path} cannot be written: no space is left on the disk; make room")
    );
    let unit = format!("in the unit, ReadWritePaths={folder} makes it writable");
    assert_eq!(text(Errno::ROFS), format!("{path} cannot be written: the file system is read-only; {unit}"));
    let unread = "only a file of the user that keyrelay runs as is replaced: remove it";
    let text_of_read = place.trouble("read", Errno::ACCESS).text();
    assert_eq!(text_of_read, format!("{path} cannot be read: permission denied; {unread}"));
    let rights = format!("make {folder} writable for the user that keyrelay runs as");
    assert_eq!(text(Errno::ACCESS), format!("{path} cannot be written: permission denied; {rights}"));
}

/// A folder with one file that is to be written.
struct Folder {
    folder: TempDir,
    path: PathBuf,
}

impl Folder {
    fn new() -> Self {
        // Its own path must be free of symbolic links.
        let base = std::env::temp_dir().canonicalize().unwrap();
        let folder = TempDir::new_in(base).unwrap();
        Self { path: folder.path().join("leaf7.env"), folder }
    }
    fn holding(text: &str) -> Self {
        let folder = Self::new();
        fs::write(&folder.path, text).unwrap();
        fs::set_permissions(&folder.path, fs::Permissions::from_mode(0o600)).unwrap();
        folder
    }
    fn write(&self) -> DeliveryOutcome {
        write(&self.path, &form(), 0o600, None, &key(NEW))
    }
    fn compare(&self) -> CopyState {
        compare(&self.path, &form(), 0o600, None, &key(NEW))
    }
    fn text(&self) -> String {
        fs::read_to_string(&self.path).unwrap()
    }
    fn mode(&self) -> u32 {
        fs::metadata(&self.path).unwrap().mode() & 0o7777
    }
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn form() -> FileForm {
    FileForm::Env("LEAF7_API_KEY".into())
}

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

fn failed(why: &str) -> DeliveryOutcome {
    DeliveryOutcome::Failed(why.into())
}
