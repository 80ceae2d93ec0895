use super::*;
use std::os::unix::fs::{MetadataExt, symlink};

fn state() -> AlertsState {
    AlertsState { schema: ALERTS_SCHEMA, ..AlertsState::default() }
}

#[test]
fn what_was_written_is_there_for_the_next_process_and_for_nobody_else() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(read(dir.path()), Ok(None));
    write(dir.path(), &state()).unwrap();
    assert_eq!(read(dir.path()), Ok(Some(state())));
    assert_eq!(fs::metadata(dir.path().join(FILE)).unwrap().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing else is left");
}

#[test]
fn r39_a_file_cut_at_any_byte_is_set_aside_and_named() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &state()).unwrap();
    let whole = fs::read(dir.path().join(FILE)).unwrap();
    for len in 0..whole.len() {
        fs::write(dir.path().join(FILE), &whole[..len]).unwrap();
        let why = read(dir.path()).unwrap_err();
        let (file, aside) = (dir.path().join(FILE), dir.path().join(SET_ASIDE));
        assert!(why.starts_with(&format!("{}: it is damaged: ", file.display())), "cut at {len}: {why}");
        assert!(why.ends_with(&format!("; it is now {}", aside.display())), "cut at {len}: {why}");
        assert_eq!(fs::read(aside).unwrap(), whole[..len]);
        assert_eq!(read(dir.path()), Ok(None), "and is not met twice");
    }
}

#[test]
fn what_another_version_wrote_is_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(FILE), r#"{"schema": 2, "channels": []}"#).unwrap();
    let why = read(dir.path()).unwrap_err();
    assert!(why.contains(": it is of schema 2, and this version reads schema 1; "), "{why}");
}

#[test]
fn a_link_and_a_giant_are_not_read() {
    let dir = tempfile::tempdir().unwrap();
    symlink("/etc/hostname", dir.path().join(FILE)).unwrap();
    assert!(read(dir.path()).unwrap_err().contains(": it is no plain file; "));
    fs::remove_file(dir.path().join(SET_ASIDE)).unwrap();
    fs::File::create(dir.path().join(FILE)).unwrap().set_len(FILE_MAX as u64 + 1).unwrap();
    assert!(read(dir.path()).unwrap_err().contains(": it is larger than 8388608 bytes; "));
}

#[test]
fn on_a_full_disk_the_file_before_stays_whole() {
    let Some(disk) = crate::at_rest::small_disk::SmallDisk::mount() else { return };
    write(disk.path(), &state()).unwrap();
    disk.fill();
    let mut large = state();
    let name = |n: u32| format!("slot-{n}").parse().unwrap();
    large.credentials.extend((0..10_000).map(|n| (name(n), Vec::new())));
    let why = write(disk.path(), &large).unwrap_err();
    assert!(why.ends_with("No space left on device (os error 28)"), "{why}");
    assert_eq!(read(disk.path()), Ok(Some(state())));
}
