//! What this process keeps from everybody else on the machine: its memory. It is called before anything else, by every
//! command, and knows nothing of what is in that memory.
//!
//! The allocator of the program wipes what it takes back (`main.rs`); here is what the kernel has to be told, and what a
//! panic may say.

use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};
use std::panic;

/// No core dump, no debugger of the same user, no panic's message. The error is for the operator; what could be done is
/// done.
pub fn harden() -> Result<(), String> {
    forget_panics();
    // Where core_pattern is a pipe the kernel heeds no limit; who is not dumpable has no core there either, and neither
    // /proc/PID/mem nor /proc/PID/environ can be opened by whoever runs as the same user.
    let hidden = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    // What this process starts is dumpable again, but inherits the limit: a command gets keys, too.
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let limited = match setrlimit(Resource::Core, none) {
        // A system call filter may forbid it to who has the limit already.
        Err(_) if getrlimit(Resource::Core) == none => Ok(()),
        limited => limited,
    };
    hidden.and(limited).map_err(|error| {
        format!("this process could not be kept out of core dumps ({error}): they may hold secrets")
    })
}

/// A panic's message may hold anything: only its place is told.
fn forget_panics() {
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let thread = std::thread::current().name().unwrap_or("unnamed").to_owned();
        eprintln!("keyrelay: the thread {thread} panicked at {place} (a bug: please report it)");
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    const CANARY: &str = "canary-7q3z9k1x5w8v2m4b";
    const AGAIN: &str = "TEST_PANICS";

    /// `unwrap` of an error that holds an answer's body, and whatever a library says of its input.
    #[test]
    fn s15_a_panic_tells_where_it_was_and_nothing_of_its_message() {
        if std::env::var_os(AGAIN).is_some() {
            return panic_with_the_canary();
        }
        let this = "hardening::tests::s15_a_panic_tells_where_it_was_and_nothing_of_its_message";
        let mut again = Command::new(std::env::current_exe().unwrap());
        let ran = again
            .args(["--exact", this, "--nocapture"])
            .env(AGAIN, "1")
            .env("RUST_BACKTRACE", "full")
            .output();
        let ran = ran.unwrap();
        let told = String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned();
        let lines: Vec<_> = told.lines().filter(|line| line.starts_with("keyrelay: ")).collect();
        assert_eq!(lines.len(), 2, "{told}");
        for line in lines {
            assert!(line.contains("the thread worker panicked at src/hardening.rs:"), "{line}");
        }
        assert!(!told.contains(CANARY), "{told}");
    }

    fn answer() -> std::io::Result<()> {
        Err(std::io::Error::other(format!("body: {CANARY}")))
    }

    fn panic_with_the_canary() {
        harden().unwrap();
        let panics: [fn(); 2] = [|| panic!("the answer was {CANARY}"), || answer().unwrap()];
        for panics in panics {
            let thread = std::thread::Builder::new().name("worker".into()).spawn(panics).unwrap();
            assert!(thread.join().is_err());
        }
    }
}
