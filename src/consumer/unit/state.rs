//! What systemd says of a service, and what that means for an operator. Pure.

/// A service at a moment, in systemd's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// `ActiveState`.
    pub active: String,
    /// `Type` of the service.
    pub kind: String,
    /// 0: it has none.
    pub main_pid: u32,
    /// How often systemd has started it again by itself.
    pub restarts: u32,
    /// Why it ended last: `success`, `exit-code`, `signal`, `timeout` and so on.
    pub result: String,
    /// How its main process ended (`CLD_…`; 0: it did not run), and with which code or signal.
    pub ended: (i32, i32),
    /// Whether the conditions of its unit file held when it was last started.
    pub conditions_held: bool,
}

/// `si_code` of a process that exited by itself (waitid(2)).
const CLD_EXITED: i32 = 1;

impl State {
    /// It runs, or (a unit without a process) counts as running.
    pub fn is_up(&self) -> bool {
        ["active", "reloading", "refreshing"].contains(&self.active.as_str())
    }
    /// A job that runs to its end did so, and well.
    pub fn is_done(&self) -> bool {
        self.kind == "oneshot"
            && self.active == "inactive"
            && self.result == "success"
            && self.conditions_held
    }
    /// The same run as in `before`: no crash and no restart lies between.
    pub fn is_same_run(&self, before: &State) -> bool {
        self.is_up() && self.main_pid == before.main_pid && self.restarts == before.restarts
    }

    fn exit_code(&self) -> Option<i32> {
        let (how, code) = self.ended;
        (how == CLD_EXITED && code != 0).then_some(code)
    }

    /// What became of one that is not up, or no longer the same: `its main process ended with exit code 7`.
    pub fn what_happened(&self) -> String {
        let code = self.exit_code();
        match self.result.as_str() {
            "exit-code" if let Some(code) = code => {
                format!("its main process ended with exit code {code}{}", known_exit(code))
            }
            "exit-code" => "a command of its unit file ended with an error (exit-code)".into(),
            "signal" | "core-dump" => format!("its main process was ended by signal {}", self.ended.1),
            "timeout" => "it was not ready, or did not end, in time (timeout)".into(),
            "watchdog" => "it did not answer its watchdog (watchdog)".into(),
            "oom-kill" => "it was killed because memory ran out (oom-kill)".into(),
            "start-limit-hit" => {
                let last =
                    code.map(|code| format!(", the last time with exit code {code}")).unwrap_or_default();
                format!("it was started too often and ended each time{last} (start-limit-hit)")
            }
            "resources" => {
                "it could not be set up (resources): is a file that its unit file names missing?".into()
            }
            "success" if !self.conditions_held => "a condition of its unit file did not hold".into(),
            "success" if self.is_up() => "its main process ended, and another took its place".into(),
            "success" => format!("it is {}", self.active),
            other => format!("it is {} ({other})", self.active),
        }
    }
}

/// The exit codes that systemd itself makes, of those that a key's file has to do with (systemd.exec(5)).
fn known_exit(code: i32) -> &'static str {
    match code {
        203 => ": its program could not be executed",
        217 => ": its user does not exist",
        226 => ": its namespace could not be set up",
        243 => ": a credential of its unit file could not be read",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(active: &str, result: &str) -> State {
        State {
            active: active.into(),
            kind: "simple".into(),
            main_pid: 100,
            restarts: 0,
            result: result.into(),
            ended: (0, 0),
            conditions_held: true,
        }
    }

    #[test]
    fn the_same_run_is_the_same_process_without_a_restart_between() {
        let before = state("active", "success");
        assert!(before.is_same_run(&before));
        assert!(state("reloading", "success").is_same_run(&before));
        for after in [
            State { main_pid: 101, ..before.clone() },
            State { restarts: 1, ..before.clone() },
            state("failed", "exit-code"),
            state("activating", "exit-code"),
            state("inactive", "success"),
        ] {
            assert!(!after.is_same_run(&before), "{after:?}");
        }
    }

    #[test]
    fn only_a_job_that_ran_to_its_end_is_done_without_being_up() {
        let job = State { kind: "oneshot".into(), main_pid: 0, ..state("inactive", "success") };
        assert!(job.is_done());
        assert!(!State { kind: "simple".into(), ..job.clone() }.is_done());
        assert!(!State { result: "exit-code".into(), active: "failed".into(), ..job.clone() }.is_done());
        assert!(!State { conditions_held: false, ..job }.is_done());
    }

    #[test]
    fn what_happened_is_said_in_words_with_the_number_that_helps() {
        let ended = |ended, result: &str| State { ended, ..state("failed", result) }.what_happened();
        assert_eq!(ended((1, 7), "exit-code"), "its main process ended with exit code 7");
        assert_eq!(
            ended((1, 243), "exit-code"),
            "its main process ended with exit code 243: a credential of its unit file could not be read"
        );
        assert_eq!(ended((0, 0), "exit-code"), "a command of its unit file ended with an error (exit-code)");
        assert_eq!(ended((2, 9), "signal"), "its main process was ended by signal 9");
        assert_eq!(state("inactive", "success").what_happened(), "it is inactive");
        assert_eq!(
            state("active", "success").what_happened(),
            "its main process ended, and another took its place"
        );
        assert_eq!(
            ended((1, 7), "start-limit-hit"),
            "it was started too often and ended each time, the last time with exit code 7 (start-limit-hit)"
        );
        assert_eq!(state("failed", "protocol").what_happened(), "it is failed (protocol)");
        let unmet = State { conditions_held: false, ..state("inactive", "success") };
        assert_eq!(unmet.what_happened(), "a condition of its unit file did not hold");
    }
}
