use super::*;
use crate::at_rest::small_disk::SmallDisk;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;
use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
};
use tempfile::TempDir;

const PATH: &str = "vendors/leaf7/main";
const SECRET: &str = "canary-0123456789";

fn settings(dir: &Path, byte: u8) -> Settings {
    Settings { dir: dir.join("store"), master_key: Secret::new(&STANDARD.encode([byte; 32])) }
}

fn open(dir: &TempDir) -> Local {
    Local::open(&settings(dir.path(), 1)).unwrap()
}

fn fields(key: &str) -> Fields {
    Fields::from_json(json!({"api_key": key})).unwrap()
}

async fn version(store: &Local, path: &str) -> Option<(u64, String)> {
    match store.read(path).await {
        Read::Present(document) => {
            Some((document.version, document.fields.get_str("api_key").unwrap().to_owned()))
        }
        Read::Absent => None,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_was_written_is_read_back_also_by_the_next_process() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    assert_eq!(version(&store, PATH).await, None);
    assert_eq!(store.write(PATH, &fields(SECRET), 0).await, WriteOutcome::Written { version: 1 });
    drop(store);
    assert_eq!(version(&open(&dir), PATH).await, Some((1, SECRET.to_owned())));
}

#[tokio::test]
async fn a_check_and_set_that_does_not_match_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    assert_eq!(store.write(PATH, &fields("a"), 1).await, WriteOutcome::Mismatch);
    assert_eq!(version(&store, PATH).await, None);
    assert_eq!(store.write(PATH, &fields("a"), 0).await, WriteOutcome::Written { version: 1 });
    for wrong in [0, 2, u64::MAX] {
        assert_eq!(store.write(PATH, &fields("b"), wrong).await, WriteOutcome::Mismatch);
    }
    assert_eq!(version(&store, PATH).await, Some((1, "a".to_owned())));
    assert_eq!(store.write(PATH, &fields("b"), 1).await, WriteOutcome::Written { version: 2 });
    assert_eq!(version(&store, "vendors/leaf7/mai").await, None);
    assert_eq!(version(&store, "vendors/leaf7/main/x").await, None);
}

#[tokio::test]
async fn of_many_writers_at_once_one_wins() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    let writers = (0..16).map(|number| {
        let store = store.clone();
        tokio::spawn(async move { store.write(PATH, &fields(&number.to_string()), 0).await })
    });
    let mut written = 0;
    for writer in writers.collect::<Vec<_>>() {
        match writer.await.unwrap() {
            WriteOutcome::Written { version: 1 } => written += 1,
            other => assert_eq!(other, WriteOutcome::Mismatch),
        }
    }
    assert_eq!(written, 1);
}

#[tokio::test]
async fn ten_versions_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    for cas in 0..12 {
        assert_eq!(store.write(PATH, &fields(SECRET), cas).await, WriteOutcome::Written { version: cas + 1 });
        store.write("other", &fields(SECRET), cas).await;
    }
    let guard = store.0.database.lock().unwrap();
    let table = guard.as_ref().unwrap().begin_read().unwrap().open_table(VERSIONS).unwrap();
    let kept = table.iter().unwrap().map(|entry| entry.unwrap().0.value().1).collect::<Vec<_>>();
    assert_eq!(kept, (3..=12).chain(3..=12).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_wrong_master_key_refuses_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    store.write(PATH, &fields(SECRET), 0).await;
    drop(store);
    let error = Local::open(&settings(dir.path(), 2)).err().unwrap();
    let file = dir.path().join("store/store.redb");
    assert_eq!(
        error,
        format!(
            "{}: store.local.master_key does not open it; give the key that it was made with (nothing was changed)",
            file.display()
        )
    );
    assert_eq!(version(&open(&dir), PATH).await, Some((1, SECRET.to_owned())));
}

#[test]
fn a_master_key_that_is_none_is_refused_before_a_file_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings { dir: dir.path().join("store"), master_key: Secret::new("canary") };
    assert_eq!(
        Local::open(&settings).err().unwrap(),
        "store.local.master_key: it is not 32 bytes in base64; make one with: head -c 32 /dev/urandom | base64"
    );
    assert!(!settings.dir.exists());
}

#[test]
fn a_second_process_is_told_that_another_has_it_open() {
    let dir = tempfile::tempdir().unwrap();
    let _first = open(&dir);
    let error = Local::open(&settings(dir.path(), 1)).err().unwrap();
    assert!(error.ends_with("store.redb: another keyrelay has it open; stop that one first"), "{error}");
}

#[tokio::test]
async fn neither_the_key_nor_its_field_is_readable_in_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    store.write(PATH, &fields(SECRET), 0).await;
    drop(store);
    let file = dir.path().join("store/store.redb");
    let bytes = fs::read(&file).unwrap();
    assert!(contains(&bytes, PATH), "the path is no secret, and shows that the test looks at the right file");
    assert!(!contains(&bytes, SECRET) && !contains(&bytes, "api_key"));
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(dir.path().join("store")).unwrap().mode() & 0o777, 0o700);
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn a_document_that_was_moved_to_another_path_is_damaged_there() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    store.write(PATH, &fields(SECRET), 0).await;
    {
        let guard = store.0.database.lock().unwrap();
        let transaction = guard.as_ref().unwrap().begin_write().unwrap();
        {
            let mut table = transaction.open_table(VERSIONS).unwrap();
            let sealed = table.get((PATH, 1)).unwrap().unwrap().value().to_vec();
            table.insert(("elsewhere", 1), sealed.as_slice()).unwrap();
        }
        transaction.commit().unwrap();
    }
    let Read::Failed(StoreTrouble::Refused(why)) = store.read("elsewhere").await else { panic!() };
    assert!(why.ends_with("version 1 is damaged; bring the file back from a copy"), "{why}");
}

#[test]
fn a_file_that_others_may_read_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(&dir));
    let file = dir.path().join("store/store.redb");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let shown = file.display();
    assert_eq!(
        Local::open(&settings(dir.path(), 1)).err().unwrap(),
        format!("{shown}: others may read it; type: chmod 600 {shown}")
    );
}

#[test]
fn a_file_that_is_no_database_is_named_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    private_dir(&dir.path().join("store")).unwrap();
    let file = dir.path().join("store/store.redb");
    fs::write(&file, "not a database at all").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let error = Local::open(&settings(dir.path(), 1)).err().unwrap();
    assert!(error.starts_with(&format!("{}: ", file.display())), "{error}");
    assert_eq!(fs::read(&file).unwrap(), b"not a database at all");
}

/// A power cut leaves any number of pages. What was lost is told, and nothing begins anew over it.
#[tokio::test]
async fn r39_a_database_cut_anywhere_is_refused_by_name_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    for version in 0..3 {
        let written = store.write(PATH, &fields(SECRET), version).await;
        assert_eq!(written, WriteOutcome::Written { version: version + 1 });
    }
    drop(store);
    let file = dir.path().join("store/store.redb");
    let whole = fs::read(&file).unwrap();
    let (pages, odd) = ((0..whole.len()).step_by(4_096), [1, 64, 319, 4_097, whole.len() - 1]);
    for len in pages.chain(odd) {
        fs::write(&file, &whole[..len]).unwrap();
        match Local::open(&settings(dir.path(), 1)) {
            Err(why) => assert!(why.starts_with(&format!("{}: ", file.display())), "cut at {len}: {why}"),
            Ok(store) => {
                assert_eq!(version(&store, PATH).await, Some((3, SECRET.to_owned())), "cut at {len}")
            }
        }
        assert!(
            fs::read(&file).unwrap().starts_with(&whole[..len.min(64)]),
            "cut at {len}: it was overwritten"
        );
    }
}

#[tokio::test]
async fn a_full_disk_refuses_a_write_and_costs_nothing_that_was_written() {
    let Some(disk) = SmallDisk::mount() else { return };
    let store = Local::open(&settings(disk.path(), 1)).unwrap();
    assert_eq!(store.write(PATH, &fields(SECRET), 0).await, WriteOutcome::Written { version: 1 });
    disk.fill();
    let large = fields(&"x".repeat(1 << 20));
    let told = match store.write("large", &large, 0).await {
        WriteOutcome::Failed(trouble) => trouble.to_string(),
        WriteOutcome::Unknown(why) => why,
        other => panic!("{other:?}"),
    };
    assert!(told.ends_with("No space left on device (os error 28)"), "{told}");
    assert_eq!(version(&store, PATH).await, Some((1, SECRET.to_owned())));
    disk.free();
    assert_eq!(store.write("large", &large, 0).await, WriteOutcome::Written { version: 1 });
    assert_eq!(version(&store, PATH).await, Some((1, SECRET.to_owned())));
}
