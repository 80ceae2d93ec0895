//! Every secret that this test has given to anybody. They are noted at the doors by which secrets come into a test's
//! world: secret files, simulated vendors, documents in the store, what is typed, mail accounts. And whoever keeps
//! traces (a log, mails, a state folder, a face, what a command printed, a journal) looks for all of them when it ends.
//! So no test can forget to look, and none has to say what is secret.

use super::{Canary, Leak};
use keyrelay::{
    demo::simulator::{self, Simulator},
    domain::Key,
};
use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

#[derive(Default)]
struct Noted {
    texts: BTreeSet<String>,
    /// They make new keys at any time, so they are asked when it matters.
    vendors: Vec<Simulator>,
    /// For the texts as they were when it was made.
    canary: Option<(BTreeSet<String>, Arc<Canary>)>,
}

/// One test is one process, and has all its servers in it.
static NOTED: Mutex<Noted> = Mutex::new(Noted { texts: BTreeSet::new(), vendors: Vec::new(), canary: None });

/// Each line of it that is long enough that no chance explains finding it; of an address, the parts of its path.
pub fn note(secret: &str) {
    let lines = secret.lines().map(str::trim).filter(|line| !line.starts_with("-----"));
    let words = lines.flat_map(|line| match line.split_once("://") {
        Some((_, address)) => address.split('/').skip(1).collect(),
        None => vec![line],
    });
    let words = words.flat_map(secret_parts).filter(|word| word.len() >= SECRET_MIN && is_varied(word));
    noted().texts.extend(words.map(str::to_owned));
}

/// Without the beginning that a vendor documents: it stands in its profile, and in what is said of other keys.
fn secret_parts(text: &str) -> impl Iterator<Item = &str> {
    text.split("leadey_sk_live_")
}

/// A simulated vendor, each of whose keys is noted.
pub async fn vendor(options: simulator::Options) -> Simulator {
    let vendor = simulator::start(options).await.expect("a simulated vendor");
    noted().vendors.push(vendor.clone());
    vendor
}

/// All that are noted by now.
pub fn canary() -> Arc<Canary> {
    let mut noted = noted();
    let of_vendors = noted.vendors.iter().flat_map(Simulator::keys);
    let secret = |key: Key| secret_parts(key.expose()).map(str::to_owned).collect::<Vec<_>>();
    let of_vendors: Vec<_> = of_vendors.flat_map(secret).filter(|text| !text.is_empty()).collect();
    noted.texts.extend(of_vendors);
    match &noted.canary {
        Some((texts, canary)) if *texts == noted.texts => canary.clone(),
        _ => {
            let texts: Vec<_> = noted.texts.iter().map(String::as_str).collect();
            write_down(&texts);
            let canary = Arc::new(Canary::new(&texts));
            noted.canary = Some((noted.texts.clone(), canary.clone()));
            canary
        }
    }
}

/// What the tests of this file leak on purpose, to see it found; the failure that they provoke prints it.
pub const PLANTED: &str = "canary-7q3z9k1x5w8v2m4b";

/// For the last test of a run, which looks for them everywhere; the folder is gone after it.
fn write_down(texts: &[&str]) {
    let Some(folder) = std::env::var_os("TEST_SECRETS_DIR") else { return };
    let texts: Vec<_> = texts.iter().copied().filter(|text| *text != PLANTED).collect();
    let path = Path::new(&folder).join(std::process::id().to_string());
    fs::write(&path, texts.join("\n")).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// How many are noted.
pub fn count() -> usize {
    noted().texts.len()
}

/// Ends the test where something was found. One that is failing already only says so.
pub fn found(leaks: &[Leak]) {
    if std::thread::panicking() {
        leaks.iter().for_each(|leak| eprintln!("--- a secret of this test is in {leak:?}"));
    } else {
        assert!(leaks.is_empty(), "secrets of this test are where none may be: {leaks:?}");
    }
}

/// The same of one text.
pub fn none_in(place: &str, bytes: &[u8]) {
    found(&canary().scan_bytes(place, bytes));
}

const SECRET_MIN: usize = 14;

/// `AAAA…=` and the like occur in any ciphertext's name.
fn is_varied(text: &str) -> bool {
    text.bytes().collect::<BTreeSet<_>>().len() >= 6
}

fn noted() -> std::sync::MutexGuard<'static, Noted> {
    NOTED.lock().unwrap_or_else(PoisonError::into_inner)
}
