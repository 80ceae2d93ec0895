use super::*;
use crate::{domain::RotationId, rotation::RecordKind};

#[test]
fn what_was_appended_is_read_newest_first_and_a_rotations_lines_are_one_record() {
    let (dir, name) = (tempfile::tempdir().unwrap(), name());
    assert_eq!(read(dir.path(), &name).unwrap(), Past { records: Vec::new(), unreadable: 0 });
    append(dir.path(), &name, &record(1, None));
    append(dir.path(), &name, &record(1, Some(60)));
    append(dir.path(), &name, &record(2, None));
    let past = read(dir.path(), &name).unwrap();
    assert_eq!(past, Past { records: vec![record(2, None), record(1, Some(60))], unreadable: 0 });
}

#[test]
fn a_line_that_makes_no_sense_is_skipped_and_counted() {
    let (dir, name) = (tempfile::tempdir().unwrap(), name());
    append(dir.path(), &name, &record(1, None));
    let path = path(dir.path(), &name);
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend(b"{\"schema\": 9}\n\xff\xfe\n\n{\"rotation_id\": \"cut of");
    fs::write(&path, bytes).unwrap();
    append(dir.path(), &name, &record(2, None));
    let past = read(dir.path(), &name).unwrap();
    assert_eq!(past.records, [record(2, None), record(1, None)]);
    assert_eq!(past.unreadable, 3);
}

/// A power cut leaves any number of bytes.
#[test]
fn r39_a_history_cut_at_any_byte_loses_the_line_that_was_cut_and_no_other() {
    let (dir, name) = (tempfile::tempdir().unwrap(), name());
    append(dir.path(), &name, &record(1, None));
    let path = path(dir.path(), &name);
    let first = fs::read(&path).unwrap().len();
    append(dir.path(), &name, &record(2, None));
    let whole = fs::read(&path).unwrap();
    for len in 0..whole.len() {
        fs::write(&path, &whole[..len]).unwrap();
        append(dir.path(), &name, &record(3, None));
        let past = read(dir.path(), &name).unwrap();
        // Without its line end a line is whole.
        let kept = [(2, whole.len()), (1, first)].into_iter().filter(|(_, end)| len + 1 >= *end);
        let kept = [3].into_iter().chain(kept.map(|(number, _)| number)).map(|number| record(number, None));
        assert_eq!(past.records, kept.collect::<Vec<_>>(), "cut at {len}");
        assert!(past.unreadable <= 1, "cut at {len}");
    }
}

#[test]
fn the_last_hundred_records_are_kept() {
    let (dir, name) = (tempfile::tempdir().unwrap(), name());
    for number in 0..450 {
        append(dir.path(), &name, &record(number, None));
    }
    let past = read(dir.path(), &name).unwrap();
    assert_eq!(past.records.len(), RECORDS_MAX);
    assert_eq!(past.records[0], record(449, None));
    let lines = fs::read_to_string(path(dir.path(), &name)).unwrap().lines().count();
    assert!(lines <= 2 * LINES_MAX, "{lines} lines");
}

#[test]
fn the_newest_records_are_read_without_the_rest_of_a_long_file() {
    let (dir, name) = (tempfile::tempdir().unwrap(), name());
    assert_eq!(newest(dir.path(), &name), []);
    let long = Record { why: Some("x".repeat(20_000)), ..record(0, None) };
    for number in 1..9 {
        append(dir.path(), &name, &Record { rotation_id: record(number, None).rotation_id, ..long.clone() });
    }
    append(dir.path(), &name, &record(9, None));
    append(dir.path(), &name, &record(9, Some(60)));
    let found = newest(dir.path(), &name);
    assert_eq!(found[0], record(9, Some(60)), "both lines of a rotation are one record");
    assert_eq!(found.len(), 4, "three more fit whole");
}

fn name() -> CredentialName {
    "leaf7-main".parse().unwrap()
}

fn record(number: u64, margin_secs: Option<i64>) -> Record {
    Record {
        rotation_id: RotationId::from_parts(number, 7),
        kind: RecordKind::Rotation,
        trigger: None,
        phases: Vec::new(),
        old_fingerprint: None,
        new_fingerprint: Some("g1".into()),
        generation: 1,
        store_version: None,
        consumers: Vec::new(),
        margin_secs,
        observed: None,
        why: None,
    }
}
