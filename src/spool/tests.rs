use super::*;
use crate::at_rest::small_disk::SmallDisk;
use crate::domain::RefreshToken;
use base64::{Engine, engine::general_purpose::STANDARD};
use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::Path,
};

const SECRET: &str = "l7_canary0123456789abcdef";

fn given(dir: &Path, byte: u8) -> Settings {
    Settings { dir: dir.join("spool"), key: Some(Secret::new(&STANDARD.encode([byte; 32]))) }
}

fn own(dir: &Path) -> Settings {
    Settings { dir: dir.join("spool"), key: None }
}

fn name() -> CredentialName {
    "leaf7-main".parse().unwrap()
}

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

fn note(held: bool) -> Note {
    let time = Timestamp::from_secs(1_795_251_600);
    Note {
        origin: Origin::Ingest { uid: 1000, expires_at: None },
        dated: time,
        rotated_at: time,
        spooled_at: time,
        held: held.then(|| "its account cannot be proven".to_owned()),
    }
}

fn entry(text: &str, held: bool) -> Entry {
    Entry { credential: name(), key: key(text), note: note(held) }
}

fn file_of(settings: &Settings) -> std::path::PathBuf {
    let mut files = fs::read_dir(&settings.dir).unwrap().map(|entry| entry.unwrap().path());
    files.find(|path| path.extension().is_some_and(|end| end == "key")).unwrap()
}

#[test]
fn a_key_is_there_for_the_next_process_until_it_is_let_go() {
    let dir = tempfile::tempdir().unwrap();
    let settings = own(dir.path());
    Spool::open(&settings).unwrap().put(&name(), &key(SECRET), &note(false)).unwrap();
    let spool = Spool::open(&settings).unwrap();
    assert_eq!(spool.entries(), (vec![entry(SECRET, false)], vec![]));
    spool.remove(&name(), &key(SECRET).fingerprint_without("l7_")).unwrap();
    assert_eq!(spool.entries(), (vec![], vec![]));
    spool.remove(&name(), &key(SECRET).fingerprint()).unwrap();
}

#[test]
fn the_same_key_twice_is_one_entry_with_the_later_note() {
    let dir = tempfile::tempdir().unwrap();
    let spool = Spool::open(&given(dir.path(), 1)).unwrap();
    spool.put(&name(), &key(SECRET), &note(false)).unwrap();
    spool.put(&name(), &key(SECRET), &note(true)).unwrap();
    assert_eq!(spool.entries().0, [entry(SECRET, true)]);
    let other: CredentialName = "leaf7-shop".parse().unwrap();
    spool.put(&other, &key(SECRET), &note(false)).unwrap();
    assert_eq!(spool.entries().0.len(), 2);
}

#[test]
fn s16_nothing_of_the_key_is_readable_and_its_name_does_not_tell_it() {
    let dir = tempfile::tempdir().unwrap();
    let settings = own(dir.path());
    Spool::open(&settings).unwrap().put(&name(), &key(SECRET), &note(false)).unwrap();
    let file = file_of(&settings);
    let bytes = fs::read(&file).unwrap();
    assert!(!bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()));
    assert!(!file.to_string_lossy().contains(&key(SECRET).fingerprint().hex()));
    assert_eq!(fs::metadata(&settings.dir).unwrap().mode() & 0o777, 0o700);
    for entry in fs::read_dir(&settings.dir).unwrap() {
        assert_eq!(entry.unwrap().metadata().unwrap().mode() & 0o777, 0o600);
    }
}

#[test]
fn r39_a_file_cut_at_any_byte_is_named_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let settings = given(dir.path(), 1);
    let spool = Spool::open(&settings).unwrap();
    spool.put(&name(), &key(SECRET), &note(false)).unwrap();
    let file = file_of(&settings);
    let whole = fs::read(&file).unwrap();
    for len in 0..whole.len() {
        fs::write(&file, &whole[..len]).unwrap();
        let unreadable =
            format!("{}: it does not open: damaged, or written with another spool key", file.display());
        assert_eq!(spool.entries(), (vec![], vec![unreadable]), "cut at {len}");
        assert_eq!(fs::read(&file).unwrap(), whole[..len]);
    }
}

#[test]
fn another_spool_key_opens_nothing_and_destroys_nothing() {
    let dir = tempfile::tempdir().unwrap();
    Spool::open(&given(dir.path(), 1)).unwrap().put(&name(), &key(SECRET), &note(false)).unwrap();
    let wrong = Spool::open(&given(dir.path(), 2)).unwrap();
    let (entries, unreadable) = wrong.entries();
    assert_eq!((entries, unreadable.len()), (vec![], 1));
    wrong.remove(&name(), &key(SECRET).fingerprint()).unwrap();
    wrong.put(&name(), &key(SECRET), &note(true)).unwrap();
    assert_eq!(Spool::open(&given(dir.path(), 1)).unwrap().entries().0, [entry(SECRET, false)]);
}

#[test]
fn an_entry_under_another_name_does_not_open() {
    let dir = tempfile::tempdir().unwrap();
    let settings = given(dir.path(), 1);
    let spool = Spool::open(&settings).unwrap();
    spool.put(&name(), &key(SECRET), &note(false)).unwrap();
    let file = file_of(&settings);
    fs::rename(
        &file,
        file.with_file_name(file.file_name().unwrap().to_string_lossy().replace("main", "shop")),
    )
    .unwrap();
    assert_eq!((spool.entries().0, spool.entries().1.len()), (vec![], 1));
}

#[test]
fn what_is_no_file_of_the_spools_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let settings = given(dir.path(), 1);
    let spool = Spool::open(&settings).unwrap();
    fs::write(settings.dir.join("notes.txt"), "hello").unwrap();
    fs::create_dir(settings.dir.join("folder.key")).unwrap();
    symlink("/etc/hostname", settings.dir.join("link.key")).unwrap();
    let named = |name: &str, why: &str| format!("{}: {why}", settings.dir.join(name).display());
    assert_eq!(
        spool.entries().1,
        [
            named("folder.key", "it is no plain file"),
            named("link.key", "it is no plain file"),
            named("notes.txt", "it is no file of the spool's; move it away"),
        ]
    );
}

#[test]
fn r39_a_write_that_a_crash_cut_off_before_the_rename_is_finished() {
    let dir = tempfile::tempdir().unwrap();
    let settings = given(dir.path(), 1);
    Spool::open(&settings).unwrap().put(&name(), &key(SECRET), &note(false)).unwrap();
    let (file, unfinished) = (file_of(&settings), file_of(&settings).with_extension("key.new"));
    let whole = fs::read(&file).unwrap();
    fs::rename(&file, &unfinished).unwrap();
    assert_eq!(Spool::open(&settings).unwrap().entries(), (vec![entry(SECRET, false)], vec![]));
    fs::remove_file(&file).unwrap();
    for len in 1..whole.len() {
        fs::write(&unfinished, &whole[..len]).unwrap();
        let named = format!("{}: it was cut off while it was written", unfinished.display());
        assert_eq!(Spool::open(&settings).unwrap().entries(), (vec![], vec![named]), "cut at {len}");
    }
    fs::write(&unfinished, "").unwrap();
    assert_eq!(Spool::open(&settings).unwrap().entries(), (vec![], vec![]));
}

#[test]
fn a_missing_key_beside_waiting_keys_is_not_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let settings = own(dir.path());
    Spool::open(&settings).unwrap().put(&name(), &key(SECRET), &note(false)).unwrap();
    let secret = settings.dir.join("spool.secret");
    fs::rename(&secret, dir.path().join("kept")).unwrap();
    let error = Spool::open(&settings).err().unwrap();
    assert_eq!(error, format!("{}: it is missing, and keys wait here; bring it back", secret.display()));
    fs::rename(dir.path().join("kept"), &secret).unwrap();
    assert_eq!(Spool::open(&settings).unwrap().entries().0, [entry(SECRET, false)]);
}

#[test]
fn a_key_that_a_crash_cut_off_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let settings = own(dir.path());
    private_dir(&settings.dir).unwrap();
    fs::write(settings.dir.join("spool.secret.new"), "half").unwrap();
    assert_eq!(Spool::open(&settings).unwrap().entries(), (vec![], vec![]));
    assert!(!settings.dir.join("spool.secret.new").exists());
}

#[test]
fn s16_a_key_that_others_may_read_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let settings = own(dir.path());
    Spool::open(&settings).unwrap();
    let secret = settings.dir.join("spool.secret");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).unwrap();
    let shown = secret.display();
    assert_eq!(
        Spool::open(&settings).err().unwrap(),
        format!("{shown}: others may read it; type: chmod 600 {shown}")
    );
}

#[test]
fn a_disk_that_is_full_takes_keys_into_the_room_that_was_kept() {
    let Some(disk) = SmallDisk::mount() else { return };
    let spool = Spool::open(&given(disk.path(), 1)).unwrap();
    disk.fill();
    let keys = (10..26).map(|number| key(&format!("l7_canary0123456789abcd{number}"))).collect::<Vec<_>>();
    for key in &keys {
        spool.put(&name(), key, &note(false)).unwrap();
    }
    assert_eq!(spool.entries().0.len(), 16, "as many as the reserve has room for");
    let error = spool.put(&name(), &key(SECRET), &note(false)).unwrap_err();
    assert!(error.ends_with("No space left on device (os error 28)"), "{error}");
    assert_eq!((spool.entries().0.len(), spool.entries().1), (16, vec![]));

    disk.free();
    spool.put(&name(), &key(SECRET), &note(false)).unwrap();
    assert_eq!(fs::metadata(disk.path().join("spool/reserve")).unwrap().len(), 65_536, "kept again");
}

#[test]
fn a_disk_that_was_full_from_the_first_opens_and_refuses_by_name() {
    let Some(disk) = SmallDisk::mount() else { return };
    disk.fill();
    let settings = given(disk.path(), 1);
    let spool = Spool::open(&settings).unwrap();
    let error = spool.put(&name(), &key(SECRET), &note(false)).unwrap_err();
    assert!(error.ends_with("No space left on device (os error 28)"), "{error}");
    assert!(error.starts_with(&settings.dir.join("leaf7-main.").display().to_string()), "{error}");
    assert_eq!(spool.entries(), (vec![], vec![]));
}

fn mailbox() -> crate::domain::MailboxName {
    "office".parse().unwrap()
}

fn token_note(secret: Option<&str>) -> TokenNote {
    let grant = "0123456789abcdef0123456789abcdef".parse().unwrap();
    let time = Timestamp::from_secs(1_795_251_600);
    let token = secret.map(|secret| RefreshToken { grant, secret: Secret::new(secret), obtained_at: time });
    TokenNote { grant, token, asking_since: Some(time) }
}

#[test]
fn a_refresh_token_is_there_for_the_next_process_sealed_and_is_no_key() {
    let dir = tempfile::tempdir().unwrap();
    let settings = own(dir.path());
    let spool = Spool::open(&settings).unwrap();
    assert_eq!(spool.token(&mailbox()), Ok(None));
    for note in [token_note(None), token_note(Some(SECRET))] {
        spool.put_token(&mailbox(), &note).unwrap();
        assert_eq!(Spool::open(&settings).unwrap().token(&mailbox()), Ok(Some(note)));
    }
    assert_eq!(spool.entries(), (vec![], vec![]));
    let file = settings.dir.join("office.token");
    let sealed = fs::read(&file).unwrap();
    assert!(!sealed.windows(6).any(|piece| piece == b"canary"));
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);

    fs::write(&file, &sealed[1..]).unwrap();
    let why = format!("{}: it does not open: damaged, or written with another spool key", file.display());
    assert_eq!(spool.token(&mailbox()), Err(why));
    // Under another mailbox's name it is none either.
    fs::write(settings.dir.join("gmail.token"), sealed).unwrap();
    assert!(spool.token(&"gmail".parse().unwrap()).is_err());
}

#[test]
fn a_token_s_file_that_was_cut_off_by_a_crash_before_its_rename_is_finished_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let settings = own(dir.path());
    let spool = Spool::open(&settings).unwrap();
    spool.put_token(&mailbox(), &token_note(Some(SECRET))).unwrap();
    let (file, new) = (settings.dir.join("office.token"), settings.dir.join("office.token.new"));
    fs::rename(&file, &new).unwrap();
    assert_eq!(
        Spool::open_beside(&settings).unwrap().token(&mailbox()),
        Ok(None),
        "the daemon may be writing it"
    );
    assert_eq!(Spool::open(&settings).unwrap().token(&mailbox()), Ok(Some(token_note(Some(SECRET)))));
}

#[test]
fn a_spool_that_holds_a_token_and_has_lost_its_key_makes_no_other_one() {
    let dir = tempfile::tempdir().unwrap();
    let settings = own(dir.path());
    Spool::open(&settings).unwrap().put_token(&mailbox(), &token_note(Some(SECRET))).unwrap();
    fs::remove_file(settings.dir.join("spool.secret")).unwrap();
    assert!(Spool::open(&settings).is_err_and(|why| why.ends_with("bring it back")));
}
