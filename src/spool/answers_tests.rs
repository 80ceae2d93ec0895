//! Answers in the spool: whole, sealed, and there for the next process.

use super::*;
use crate::{
    at_rest::small_disk::SmallDisk,
    domain::Secret,
    spool::{Settings, Spool},
};
use std::{fs, path::Path};

const BODY: &str = r#"{"key":"legba_canary0123456789canary"}"#;

fn settings(dir: &Path) -> Settings {
    Settings { dir: dir.join("spool"), key: Some(Secret::new(&STANDARD.encode([7; 32]))) }
}
fn answer(n: u64, body: &[u8]) -> Answer {
    Answer {
        credential: "legba-main".parse().unwrap(),
        wish: RotationId::from_parts(n, 1),
        by: Asker::Operator { uid: 1000 },
        at: Timestamp::from_secs(1_795_251_600),
        status: 200,
        body: Zeroizing::new(body.to_vec()),
    }
}

#[test]
fn an_answer_is_there_for_the_next_process_until_it_is_let_go() {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(dir.path());
    let (one, two) = (answer(1, BODY.as_bytes()), answer(2, &[0, 255, 13]));
    let spool = Spool::open(&settings).unwrap();
    spool.put_answer(&one).unwrap();
    spool.put_answer(&two).unwrap();
    let spool = Spool::open(&settings).unwrap();
    assert_eq!(spool.answers(), (vec![one.clone(), two.clone()], vec![]));
    assert_eq!(spool.entries(), (vec![], vec![]), "it is no key");
    spool.remove_answer(&one.credential, one.wish).unwrap();
    spool.remove_answer(&one.credential, one.wish).unwrap();
    assert_eq!(spool.answers().0, [two]);
}

#[test]
fn s16_nothing_of_it_is_readable_on_disk_or_when_it_is_printed() {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(dir.path());
    let spool = Spool::open(&settings).unwrap();
    let answer = answer(1, BODY.as_bytes());
    spool.put_answer(&answer).unwrap();
    let canary = STANDARD.encode(BODY);
    for entry in fs::read_dir(&settings.dir).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        for text in [BODY.as_bytes(), canary.as_bytes()] {
            assert!(!bytes.windows(text.len()).any(|window| window == text));
        }
    }
    assert!(!format!("{answer:?}").contains("canary"));
}

#[test]
fn r39_what_a_crash_cut_off_before_its_rename_is_whole_again_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(dir.path());
    let answer = answer(1, BODY.as_bytes());
    Spool::open(&settings).unwrap().put_answer(&answer).unwrap();
    let names = fs::read_dir(&settings.dir).unwrap().map(|entry| entry.unwrap().path());
    let file = names.into_iter().find(|path| path.extension().is_some_and(|end| end == "answer")).unwrap();
    fs::rename(&file, file.with_extension("answer.new")).unwrap();
    assert_eq!(Spool::open(&settings).unwrap().answers(), (vec![answer], vec![]));
}

#[test]
fn r39_one_that_is_damaged_is_named_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(dir.path());
    let spool = Spool::open(&settings).unwrap();
    spool.put_answer(&answer(1, BODY.as_bytes())).unwrap();
    let names = fs::read_dir(&settings.dir).unwrap().map(|entry| entry.unwrap().path());
    let file = names.into_iter().find(|path| path.extension().is_some_and(|end| end == "answer")).unwrap();
    fs::write(&file, "nonsense").unwrap();
    let (answers, unreadable) = spool.answers();
    assert_eq!((answers, unreadable.len()), (vec![], 1));
    assert!(file.exists());
}

#[test]
fn the_largest_answer_fits() {
    let dir = tempfile::tempdir().unwrap();
    let spool = Spool::open(&settings(dir.path())).unwrap();
    let answer = answer(1, &[255; 32 << 10]);
    spool.put_answer(&answer).unwrap();
    assert_eq!(spool.answers().0, [answer]);
}

#[test]
fn a_trial_says_whether_the_largest_answer_could_be_written_and_keeps_room_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let spool = Spool::open(&settings(dir.path())).unwrap();
    spool.try_out().unwrap();
    assert_eq!((spool.entries(), spool.answers()), ((vec![], vec![]), (vec![], vec![])));
    let Some(disk) = SmallDisk::mount() else { return };
    let settings = settings(disk.path());
    let spool = Spool::open(&settings).unwrap();
    disk.fill();
    // The room that is kept is there for the answer, and not for the trial: the disk is full, and that is said.
    let full = spool.try_out();
    assert!(full.is_err(), "{full:?}");
    spool.put_answer(&answer(1, &[255; 32 << 10])).unwrap();
}
