//! What a full run has done, one line each: it goes on there when it is started again.

use super::tracer::Point;
use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

/// Tried again by each further run.
pub const NOT_REACHED: &str = "not reached";
/// How the process that tried it ended.
const FAILED: &str = "FAILED";

/// In a file that `EVERY_CALL_FILE` names; beside it `.recorded` with the calls, and `.trying` with the strike that is
/// under way.
pub struct Ledger {
    file: Option<PathBuf>,
    done: BTreeSet<String>,
    /// How many ended in which way.
    counts: BTreeMap<String, usize>,
}

impl Ledger {
    pub fn open() -> Self {
        let file = env::var_os("EVERY_CALL_FILE").map(PathBuf::from);
        let mut ledger = Self { file, done: BTreeSet::new(), counts: BTreeMap::new() };
        let Some(file) = &ledger.file else { return ledger };
        let done = fs::read_to_string(file).unwrap_or_default();
        let strikes =
            done.lines().filter_map(|line| line.split_once(": ").filter(|(_, end)| *end != NOT_REACHED));
        ledger.done =
            strikes.map(|(strike, _)| strike.split(" (").next().unwrap_or(strike).to_owned()).collect();
        let trying = fs::read_to_string(beside(file, "trying")).unwrap_or_default();
        if !trying.is_empty() {
            ledger.end(&trying, "", FAILED);
        }
        ledger
    }
    /// Each call, and not a sample.
    pub fn is_full(&self) -> bool {
        self.file.is_some()
    }

    /// The calls that an earlier run has recorded.
    pub fn recorded(&self) -> Option<Vec<Point>> {
        let text = fs::read_to_string(beside(self.file.as_ref()?, "recorded")).ok()?;
        Some(text.lines().map(point).collect())
    }
    pub fn record(&self, calls: &[(Point, String)]) {
        let Some(file) = &self.file else { return };
        let lines: String = calls.iter().map(|(point, about)| format!("{point} ({about})\n")).collect();
        fs::write(beside(file, "recorded"), lines).expect("the file of recorded calls");
    }

    /// `false`: it was done.
    pub fn begin(&mut self, strike: &str) -> bool {
        if self.done.contains(strike) {
            return false;
        }
        if let Some(file) = &self.file {
            fs::write(beside(file, "trying"), strike).expect("the file of what is tried");
        }
        true
    }
    pub fn counts(&self) -> &BTreeMap<String, usize> {
        &self.counts
    }
    pub fn end(&mut self, strike: &str, about: &str, end: &str) {
        let line =
            if about.is_empty() { format!("{strike}: {end}") } else { format!("{strike} ({about}): {end}") };
        println!("{line}");
        *self.counts.entry(end.to_owned()).or_default() += 1;
        let Some(file) = &self.file else { return };
        let opened = File::options().create(true).append(true).open(file);
        writeln!(opened.expect("the file of what is done"), "{line}").expect("a line");
        fs::write(beside(file, "trying"), "").expect("the file of what is tried");
        if end != NOT_REACHED {
            self.done.insert(strike.to_owned());
        }
    }
}

/// `THREAD CALL NTH (…)`; a thread's name may hold blanks.
fn point(line: &str) -> Point {
    let words = line.split(" (").next().unwrap_or(line);
    let mut words = words.rsplitn(3, ' ');
    let mut word = || words.next().expect("a recorded call").to_owned();
    let (nth, call, thread) = (word(), word(), word());
    Point { thread, call, nth: nth.parse().expect("a count") }
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}
