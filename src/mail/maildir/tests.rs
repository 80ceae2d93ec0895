use super::*;
use std::{fs, fs::FileTimes, os::unix::fs::PermissionsExt, time::SystemTime};

const NOW: Timestamp = Timestamp::from_secs(1_795_251_600); // 2026-11-21 09:00
const LONG: Duration = Duration::from_secs(20);

/// A maildir in a folder of its own.
struct Fixture(tempfile::TempDir);

impl Fixture {
    fn new() -> Self {
        let fixture = Self(tempfile::tempdir().unwrap());
        for name in ["tmp", "new", "cur"] {
            fs::create_dir(fixture.path(name)).unwrap();
        }
        fixture
    }
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
    fn open(&self) -> (Maildir, Waker) {
        open(&Settings { path: self.0.path().into() }, &Limits::default()).unwrap()
    }
    /// As a delivery agent does it: written elsewhere, then renamed.
    fn deliver(&self, name: &str, mail: &str) {
        self.deliver_at(name, mail, NOW);
    }
    fn deliver_at(&self, name: &str, mail: &str, arrived_at: Timestamp) {
        let path = self.path("tmp/mail");
        fs::write(&path, mail).unwrap();
        let time = SystemTime::UNIX_EPOCH + arrived_at.since(Timestamp::MIN);
        fs::File::open(&path).unwrap().set_times(FileTimes::new().set_modified(time)).unwrap();
        fs::rename(&path, self.path(name)).unwrap();
    }
    fn without_path(&self, text: &str) -> String {
        text.replace(&self.0.path().display().to_string(), "DIR")
    }
}

fn search() -> Search {
    let senders = vec!["key@vendor.example".into(), "@other.example".into()];
    Search { senders, since: NOW - Duration::from_secs(86_400), bytes_max: 200 }
}

fn from(sender: &str, text: &str) -> String {
    format!("Received: from here\nFrom: Vendor <{sender}>\nSubject: x\n\n{text}\n")
}

fn ours(text: &str) -> String {
    from("key@vendor.example", text)
}

/// Each mail's folder, name and last line, then what could not be read.
fn look(fixture: &Fixture, maildir: &mut Maildir) -> Vec<String> {
    let look = maildir.look(&search(), Folders::All).unwrap();
    let mails = look.mails.iter().map(|mail| {
        let text = String::from_utf8_lossy(&mail.bytes).into_owned();
        let header = if mail.header_only { format!("header of {}", mail.size) } else { String::new() };
        format!("{}/{} {}{header}", mail.folder, mail.place, text.lines().next_back().unwrap())
    });
    mails.chain(look.unreadable.iter().map(|why| fixture.without_path(why))).collect()
}

fn trouble<T>(fixture: &Fixture, result: Result<T, MailboxTrouble>) -> String {
    match result {
        Err(MailboxTrouble::Unreachable(why)) => fixture.without_path(&why),
        Err(other) => panic!("not unreachable: {other:?}"),
        Ok(_) => panic!("it worked"),
    }
}

#[test]
fn both_folders_are_read_once_oldest_first_and_nothing_is_touched() {
    let fixture = Fixture::new();
    fixture.deliver("new/2.b.host", &ours("second"));
    fixture.deliver_at(
        "cur/1.a.host:2,RS",
        &from("any@Other.Example", "first"),
        NOW - Duration::from_secs(9),
    );
    let (mut maildir, _waker) = fixture.open();

    let first = maildir.look(&search(), Folders::First).unwrap();
    let names: Vec<_> = first.mails.iter().map(|mail| (&*mail.folder, &*mail.place)).collect();
    assert_eq!(names, [("cur", "1.a.host"), ("new", "2.b.host")]);
    assert_eq!(*first.mails[1].bytes, ours("second").into_bytes());
    assert_eq!((first.mails[1].arrived_at, first.mails[1].size), (NOW, ours("second").len()));

    // Somebody reads his mail: the file moves and its flags change, but it is the same mail.
    fs::rename(fixture.path("new/2.b.host"), fixture.path("cur/2.b.host:2,S")).unwrap();
    fixture.deliver("new/3.c.host", &ours("third"));
    assert_eq!(look(&fixture, &mut maildir), ["new/3.c.host third"]);
    assert_eq!(look(&fixture, &mut maildir), [""; 0]);
    maildir.forget();
    assert_eq!(
        look(&fixture, &mut maildir),
        ["cur/1.a.host first", "cur/2.b.host second", "new/3.c.host third"]
    );

    let count = |name| fs::read_dir(fixture.path(name)).unwrap().count();
    assert_eq!((count("new"), count("cur"), count("tmp")), (1, 2, 0));
}

#[test]
fn only_the_senders_in_from_and_the_days_that_are_searched_are_handed_out() {
    let fixture = Fixture::new();
    let elsewhere =
        "To: key@vendor.example\nFrom: a@b.example\nFrom-Us: key@vendor.example\n\nkey@vendor.example\n";
    fixture.deliver("new/1", elsewhere);
    fixture.deliver("new/2", "from : <a@b.example>,\n <KEY@vendor.example>\n\nfolded\n");
    fixture.deliver_at("new/3", &ours("the evening before"), NOW - Duration::from_secs(33 * 3_600));
    fixture.deliver_at("new/4", &ours("too old"), NOW - Duration::from_secs(34 * 3_600));
    let (mut maildir, _waker) = fixture.open();
    assert_eq!(look(&fixture, &mut maildir), ["new/3 the evening before", "new/2 folded"]);

    let wider = Search { senders: vec!["a@b.example".into()], ..search() };
    let found = maildir.look(&wider, Folders::All).unwrap().mails.len();
    assert_eq!(found, 1, "what was passed over is looked at again with other senders");
}

#[test]
fn m49_of_a_mail_above_the_limit_only_the_header_is_read() {
    let fixture = Fixture::new();
    fixture.deliver("new/1", &ours(&"x".repeat(200)));
    let (mut maildir, _waker) = fixture.open();
    let mails = maildir.look(&search(), Folders::All).unwrap().mails;
    assert_eq!(*mails[0].bytes, b"Received: from here\nFrom: Vendor <key@vendor.example>\nSubject: x\n\n");
    assert_eq!((mails[0].size, mails[0].header_only), (ours("").len() + 200, true));
}

/// Of a hundred megabytes in one line no more is read than of a mail that is read whole.
#[test]
fn m49_a_header_of_one_line_of_a_hundred_megabytes_is_read_to_the_limit() {
    let fixture = Fixture::new();
    let mail = from("key@vendor.example", "x");
    let path = fixture.path("new/huge");
    fs::write(&path, mail.trim_end()).unwrap();
    fs::File::options().append(true).open(&path).unwrap().set_len(100 << 20).unwrap();
    let (mut maildir, _waker) = fixture.open();
    let search = Search { bytes_max: 1 << 20, since: Timestamp::MIN, ..search() };
    let look = maildir.look(&search, Folders::All).unwrap();
    let [huge] = &look.mails[..] else { panic!("{look:?}") };
    assert_eq!((huge.size, huge.header_only, huge.bytes.len()), (100 << 20, true, mail.len() - 2));
    fs::write(fixture.path("new/line"), mail.replace("Subject: x\n\nx", "Subject: x")).unwrap();
    fs::File::options().append(true).open(fixture.path("new/line")).unwrap().set_len(100 << 20).unwrap();
    let look = maildir.look(&search, Folders::All).unwrap();
    let [line] = &look.mails[..] else { panic!("{look:?}") };
    assert_eq!((line.size, line.header_only, line.bytes.len()), (100 << 20, true, 1 << 20));
}

/// A From below 64 KiB of other fields was not found, and its mail passed over for good.
#[test]
fn a_sender_far_down_a_long_header_is_found() {
    let fixture = Fixture::new();
    let long = "Received: from there\n".repeat(5_000) + &ours("found");
    fixture.deliver("new/1", &long);
    fixture.deliver("new/2", &("Received: from there\n".repeat(5_000) + &from("x@y.example", "other")));
    let (mut maildir, _waker) = fixture.open();
    let search = Search { bytes_max: 1 << 20, ..search() };
    let look = maildir.look(&search, Folders::All).unwrap();
    let [mail] = &look.mails[..] else { panic!("{look:?}") };
    assert_eq!((mail.bytes.as_slice(), mail.header_only), (long.as_bytes(), false));
}

#[test]
fn what_is_no_mail_is_left_alone() {
    let fixture = Fixture::new();
    fixture.deliver("cur/secret", &ours("elsewhere"));
    fs::rename(fixture.path("cur/secret"), fixture.path("secret")).unwrap();
    std::os::unix::fs::symlink(fixture.path("secret"), fixture.path("new/1.link")).unwrap();
    std::os::unix::fs::symlink("nowhere", fixture.path("new/2.dangling")).unwrap();
    fs::create_dir(fixture.path("new/3.folder")).unwrap();
    let fifo = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, fixture.path("new/4.pipe"), rustix::fs::FileType::Fifo, fifo, 0)
        .unwrap();
    fixture.deliver("new/.5.hidden", &ours("hidden"));
    fixture.deliver("new/6.empty", "");
    let (mut maildir, _waker) = fixture.open();
    assert_eq!(look(&fixture, &mut maildir), [""; 0]);

    // Whoever writes straight into the folder is read when he has finished.
    fixture.deliver("new/6.empty", &ours("begun"));
    assert_eq!(look(&fixture, &mut maildir), ["new/6.empty begun"]);
    fixture.deliver("new/6.empty", &ours("begun and finished"));
    assert_eq!(look(&fixture, &mut maildir), ["new/6.empty begun and finished"]);
}

#[test]
fn a_link_that_takes_a_mail_s_place_is_not_followed() {
    let fixture = Fixture::new();
    fs::write(fixture.path("secret"), ours("elsewhere")).unwrap();
    std::os::unix::fs::symlink(fixture.path("secret"), fixture.path("new/1")).unwrap();
    let stamp = (1, NOW);
    let candidate = Candidate { path: fixture.path("new/1"), folder: "new", unique: "1".into(), stamp };
    let refused = read(&candidate, &search()).unwrap_err();
    assert_eq!(refused.raw_os_error(), Some(rustix::io::Errno::LOOP.raw_os_error()));
}

#[test]
fn too_many_mails_come_newest_first_and_the_others_later() {
    let fixture = Fixture::new();
    for n in 0..300 {
        fixture.deliver_at(&format!("new/{n}"), &ours(&format!("{n}")), NOW + Duration::from_secs(n));
    }
    let (mut maildir, _waker) = fixture.open();
    let seen = look(&fixture, &mut maildir);
    assert_eq!((seen.len(), &*seen[0], &*seen[255]), (257, "new/44 44", "new/299 299"));
    assert_eq!(seen[256], "DIR: 44 older mails wait for the next look");
    let seen = look(&fixture, &mut maildir);
    assert_eq!((seen.len(), &*seen[0], &*seen[43]), (44, "new/0 0", "new/43 43"));
}

#[test]
fn a_file_that_cannot_be_read_is_told_and_keeps_nobody_from_the_others() {
    let fixture = Fixture::new();
    fixture.deliver("new/2", &ours("readable"));
    let (mut maildir, _waker) = fixture.open();
    let candidate =
        Candidate { path: fixture.path("new"), folder: "new", unique: "1".into(), stamp: (9, NOW) };
    let why = read(&candidate, &search()).unwrap_err();
    assert_eq!(fixture.without_path(&tell(&candidate.path, &why)), "DIR/new: is a directory");

    fixture.deliver("new/1", &ours("private"));
    fs::set_permissions(fixture.path("new/1"), fs::Permissions::from_mode(0o000)).unwrap();
    let expected: &[&str] = match rustix::process::geteuid().is_root() {
        true => &["new/1 private", "new/2 readable"], // nothing is closed to root
        false => &["new/2 readable", "DIR/new/1: permission denied"],
    };
    let mut seen = look(&fixture, &mut maildir);
    seen.sort_by_key(|line| (line.starts_with("DIR"), line.clone()));
    assert_eq!(seen, expected);
}

#[test]
fn an_arrival_is_news_and_a_call_or_the_time_ends_a_wait() {
    let fixture = Fixture::new();
    let (mut maildir, waker) = fixture.open();
    assert_eq!(maildir.wait(Duration::ZERO), Ok(Woken::Timeout));
    for name in ["new/1", "cur/2:2,S"] {
        fixture.deliver(name, &ours("new"));
        assert_eq!(maildir.wait(LONG), Ok(Woken::News), "{name}");
    }
    fs::write(fixture.path("tmp/3"), ours("linked")).unwrap();
    fs::hard_link(fixture.path("tmp/3"), fixture.path("new/3")).unwrap();
    assert_eq!(maildir.wait(LONG), Ok(Woken::News));
    assert_eq!(look(&fixture, &mut maildir).len(), 3);
    assert_eq!(maildir.wait(Duration::ZERO), Ok(Woken::Timeout), "reading is no news");

    let caller = std::thread::spawn(move || waker.wake());
    assert_eq!(maildir.wait(LONG), Ok(Woken::Called));
    caller.join().unwrap();
    maildir.close();
}

#[test]
fn a_folder_that_is_missing_or_removed_is_told() {
    let fixture = Fixture::new();
    let (mut maildir, _waker) = fixture.open();
    fs::remove_dir(fixture.path("cur")).unwrap();
    assert_eq!(trouble(&fixture, maildir.wait(LONG)), "DIR: new or cur was removed");
    assert_eq!(
        trouble(&fixture, maildir.look(&search(), Folders::All)),
        "DIR/cur: no such file or directory"
    );

    let missing = open(&Settings { path: fixture.0.path().into() }, &Limits::default());
    assert_eq!(trouble(&fixture, missing), "DIR/cur: no such file or directory");
}
