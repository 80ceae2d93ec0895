//! Mails and codes, explained in process: a name server of our own, a maildir, and mails that are signed.

use super::*;
use crate::{
    demo::{
        dns::{self, DnsServer, TxtBehaviour},
        mails::{self, Fields},
        sign::Signer,
    },
    domain::{Key, Timestamp},
};
use std::fs;

const KEY: &str = "l7_f9e8d7c6b5a493827160f5e4d3c2b1a0";
const TO: &str = "rotation@example.com";
const OLD: &str = "l7_0a1b2c3d4e5f60718293a4b5c6d7e8f9";

#[tokio::test(flavor = "multi_thread")]
async fn a_genuine_confirmation_is_a_new_key_with_the_facts_and_without_the_key() {
    let world = World::new().await;
    let (exit, said, told) = world.explain(&world.file(&world.confirmation(0, TO))).await;
    assert_eq!(exit, Exit::Done);
    let fingerprint = Key::parse(KEY).unwrap().fingerprint();
    let head = format!(
        "leaf7-main: a new key, fingerprint {fingerprint}: it would be proven, then\n            promoted\n  \
         decision  NewKey\n  mail      <"
    );
    assert!(said.starts_with(&head), "{said}");
    let tail = "  from      noreply@leaf7.fun\n  signed by leaf7.fun (selector s1)\n  \
        to        rotation@example.com, a recipient of the credential\n  subject   that of a confirmation\n";
    assert!(said.ends_with(tail), "{said}");
    assert_eq!(
        told,
        format!("judged as if it had arrived at 2024-11-20T09:00:00Z (its Date)\n{NOT_KNOWN}\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wording_is_explained_as_a_new_key_and_none_shows_it() {
    let world = World::new().await;
    for number in 0..mails::CONFIRMATIONS.len() {
        let (exit, said, told) = world.explain(&world.file(&world.confirmation(number, TO))).await;
        assert_eq!(exit, Exit::Done);
        // A mail that names the old key too cannot be told apart without knowing it.
        let names_both = mails::CONFIRMATIONS[number].1.contains("{old}");
        assert!(said.starts_with("leaf7-main: a new key, ") || names_both, "{number}: {said}");
        assert!(!(said + &told).contains(KEY), "{number}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_to_somebody_else_is_suspicious_and_the_exit_is_still_good() {
    let world = World::new().await;
    let (exit, said, _) = world.explain(&world.file(&world.confirmation(0, "attacker@example.com"))).await;
    assert_eq!(exit, Exit::Done);
    assert!(
        said.starts_with("leaf7-main: suspicious, it would not be used: it is addressed to somebody"),
        "{said}"
    );
    let decision =
        "decision  Suspicious(it is addressed to somebody else: whoever got it may have sent it on)\n";
    assert!(said.replace("\n            ", " ").contains(decision), "{said}");
    assert!(said.contains("to        none of the credential's recipients\n"), "{said}");
    assert!(!said.contains("attacker"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_own_server_says_against_a_mail_is_shown_with_the_decision() {
    let world = World::new().await;
    let path = world.dir.path().join("config.yaml");
    let config = fs::read_to_string(&path).unwrap();
    fs::write(&path, config.replace("{maildir:", "{authserv_id: MX.example.com, maildir:")).unwrap();
    let mail = world.confirmation(0, TO);
    let says = |field: &str| [field.as_bytes(), &mail].concat();
    for (mail, decision, results) in [
        (mail.clone(), "NewKey", "none by mx.example.com, which should write them (authserv_id)"),
        (
            says("Authentication-Results: mx.example.com; dkim=pass header.d=leaf7.fun\r\n"),
            "NewKey",
            "mx.example.com says nothing against it",
        ),
        (
            says("Authentication-Results: mx.example.com; dmarc=fail header.from=leaf7.fun\r\n"),
            "Held(mx.example.com says that its From is not proven (dmarc=fail))",
            "mx.example.com says that its From is not proven (dmarc=fail)",
        ),
    ] {
        let (_, said, _) = world.explain(&world.file(&mail)).await;
        let said = said.replace("\n            ", " ");
        assert!(said.contains(&format!("\n  decision  {decision}\n")), "{said}");
        assert!(said.contains(&format!("\n  results   {results}\n")), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_topmost_received_is_the_time_of_arrival() {
    let world = World::new().await;
    let mut mail =
        b"Received: from mx.leaf7.fun by mail.example.com;\r\n Wed, 20 Nov 2024 09:00:07 +0000\r\n".to_vec();
    mail.extend(world.confirmation(0, TO));
    let (_, said, told) = world.explain(&world.file(&mail)).await;
    assert!(said.starts_with("leaf7-main: a new key, "), "{said}");
    assert!(
        told.starts_with("judged as if it had arrived at 2024-11-20T09:00:07Z (the topmost Received)\n"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_far_too_large_is_read_by_its_header_alone() {
    let world = World::new().await;
    let mut mail = world.confirmation(0, TO);
    mail.resize(3 << 20, b'x');
    let (exit, said, _) = world.explain(&world.file(&mail)).await;
    assert_eq!(exit, Exit::Done);
    let why = "the vendor's, but no key could be taken out of it: it has 3145728 bytes, more than 1048576";
    assert!(said.replace("\n            ", " ").starts_with(&format!("leaf7-main: {why}\n")), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mails_of_a_mailbox_are_listed_newest_first() {
    let world = World::new().await;
    let now = work::now().whole_secs();
    let days_ago = |days: u64| now - std::time::Duration::from_secs(days * 86_400);
    for (name, to, days) in [("1", TO, 2), ("2", "attacker@example.com", 1), ("3", TO, 60)] {
        let path = world.dir.path().join("mail/new").join(name);
        fs::write(&path, world.mail(0, to, days_ago(days))).unwrap();
        let arrived = std::time::UNIX_EPOCH + days_ago(days).since(Timestamp::MIN);
        fs::File::options().write(true).open(&path).unwrap().set_modified(arrived).unwrap();
    }
    let (exit, said, _) = world.run(args(None)).await;
    assert_eq!(exit, Exit::Done);
    let fingerprint = Key::parse(KEY).unwrap().fingerprint();
    let lines: Vec<&str> = said.lines().filter(|line| !line.starts_with("   ")).collect();
    assert_eq!(lines[0], "leaf7-main, mailbox vendor-mail, 30 days:");
    assert!(lines[1].starts_with(&format!("  {} suspicious, ", days_ago(1).minutes())), "{said}");
    assert!(
        lines[2].starts_with(&format!("  {} a new key, fingerprint {fingerprint}", days_ago(2).minutes())),
        "{said}"
    );
    assert_eq!(lines.len(), 3, "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_that_is_not_there_cannot_be_reached() {
    let world = World::new().await;
    fs::remove_dir_all(world.dir.path().join("mail")).unwrap();
    let (exit, said, told) = world.run(args(None)).await;
    assert_eq!((exit, said.as_str()), (Exit::Unreachable, ""));
    assert!(told.starts_with("leaf7-main: mailbox vendor-mail: "), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_mail_teaches_is_pasted_and_the_mail_is_a_new_key_by_it() {
    let world = World::new().await;
    let strange = mails::CONFIRMATIONS[0].1.replace("Subject: ", "Subject: Parcel 4711: ");
    let file = world.file(&world.sign(&strange));
    let (_, before, _) = world.explain(&file).await;
    assert!(before.starts_with("leaf7-main: nothing for this credential: "), "{before}");

    let learning = |key_line| Args { learn: true, key_line, ..args(Some(file.display().to_string())) };
    let (exit, said, told) = world.run(learning(None)).await;
    assert_eq!((exit, said.as_str()), (Exit::Mistake, ""));
    let shown = told.lines().find(|line| line.contains("[35 characters]")).expect("the key's line");
    let number = shown.split_whitespace().next().unwrap().parse().unwrap();
    assert!(
        told.ends_with("there is no terminal to ask at\nsay which line holds the new key: --key-line N\n")
    );

    let (exit, said, told) = world.run(learning(Some(number))).await;
    assert_eq!((exit, told.as_str()), (Exit::Done, ""));
    assert!(!said.contains(KEY) && !said.contains(TO), "{said}");
    insta::assert_snapshot!(said);
    let (rule, _) = said.split_once("\n# The same mail").expect("a fixture");
    let config_d = world.dir.path().join("config.d");
    fs::create_dir(&config_d).unwrap();
    fs::write(config_d.join("leaf7-mail.yaml"), rule).unwrap();
    let (_, after, _) = world.explain(&file).await;
    assert!(after.starts_with("leaf7-main: a new key, "), "{after}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_learned_of_an_unsigned_mail_and_the_exit_says_so() {
    let world = World::new().await;
    let signed = world.confirmation(0, TO);
    let begin = signed.windows(8).position(|eight| eight == b"\r\nFrom: ").unwrap() + 2;
    let file = world.file(&signed[begin..]);
    let learning = Args { learn: true, key_line: Some(1), ..args(Some(file.display().to_string())) };
    let (exit, said, told) = world.run(learning).await;
    assert_eq!((exit, said.as_str()), (Exit::NotHeld, ""));
    assert!(told.starts_with("nothing is learned from this mail: nobody signed it"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_code_is_explained_without_a_configuration() {
    let nowhere = Path::new("/nonexistent/config.yaml");
    for code in Code::ALL {
        let (exit, said, told) = run(args(Some(code.to_string())), nowhere).await;
        assert_eq!((exit, told.as_str()), (Exit::Done, ""));
        let first = format!("{code}: {}\nWhat to do: {}.\nWeight: ", code.meaning(), code.advice());
        assert!(said.starts_with(&first), "{said}");
        assert!(!said.contains("**") && !said.contains('`'), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_neither_a_file_nor_a_code_is_a_mistake_with_a_hint() {
    let args = args(Some("candidat-held".into()));
    let (exit, said, told) = run(args, Path::new("/nonexistent/config.yaml")).await;
    assert_eq!((exit, said.as_str()), (Exit::Mistake, ""));
    assert_eq!(
        told,
        "candidat-held is neither a file nor a notice's code\ndid you mean \"candidate-held\"?\n"
    );
}

/// A folder with a configuration, and a name server that knows the vendor's signature.
struct World {
    dir: tempfile::TempDir,
    signer: Signer,
    _dns: DnsServer,
}

impl World {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["mail/new", "mail/cur", "mail/tmp"] {
            fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        let master = dir.path().join("master");
        fs::write(&master, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n").unwrap();
        fs::set_permissions(&master, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let dns = dns::start().await.unwrap();
        let signer = Signer::generate("leaf7.fun", "s1").unwrap();
        let (name, record) = signer.txt_record();
        dns.set(&name, TxtBehaviour::Records(vec![record]));
        let yaml = "
store: {local: {dir: DIR/store, master_key: {file: DIR/master}}}
spool: {dir: DIR/spool}
dns: {servers: ['DNS']}
mailboxes: {vendor-mail: {maildir: {path: DIR/mail}}}
credentials: {leaf7-main: {vendor: leaf7, path: a/b, recipient: rotation@example.com}}
";
        let yaml =
            yaml.replace("DIR", &dir.path().display().to_string()).replace("DNS", &dns.addr().to_string());
        fs::write(dir.path().join("config.yaml"), yaml).unwrap();
        Self { dir, signer, _dns: dns }
    }

    fn confirmation(&self, number: usize, to: &str) -> Vec<u8> {
        self.mail(number, to, "2024-11-20T09:00:00Z".parse().unwrap())
    }

    fn sign(&self, template: &str) -> Vec<u8> {
        let (key, old) = (Key::parse(KEY).unwrap(), Key::parse(OLD).unwrap());
        let date = "2024-11-20T09:00:00Z".parse().unwrap();
        let fields = Fields { key: &key, old: &old, from: "noreply@leaf7.fun", to: TO, date };
        self.signer.sign(&mails::fill(template, &fields))
    }

    fn mail(&self, number: usize, to: &str, date: Timestamp) -> Vec<u8> {
        let (key, old) = (Key::parse(KEY).unwrap(), Key::parse(OLD).unwrap());
        let fields = Fields { key: &key, old: &old, from: "noreply@leaf7.fun", to, date };
        self.signer.sign(&mails::confirmation(number, &fields))
    }

    fn file(&self, mail: &[u8]) -> PathBuf {
        let path = self.dir.path().join("mail.eml");
        fs::write(&path, mail).unwrap();
        path
    }

    async fn explain(&self, file: &Path) -> (Exit, String, String) {
        self.run(args(Some(file.display().to_string()))).await
    }

    async fn run(&self, args: Args) -> (Exit, String, String) {
        run(args, &self.dir.path().join("config.yaml")).await
    }
}

fn args(about: Option<String>) -> Args {
    Args { about, credential: None, days: 30, learn: false, key_line: None }
}

async fn run(args: Args, config: &Path) -> (Exit, String, String) {
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    let mut console = Console::new(&mut results, &mut errors);
    let exit = match explain(&args, config, &mut console).await {
        Ok(exit) => exit,
        Err(failure) => failure.tell(&mut console),
    };
    (exit, String::from_utf8(results).unwrap(), String::from_utf8(errors).unwrap())
}
