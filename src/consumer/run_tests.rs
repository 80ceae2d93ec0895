use super::*;
use std::{fs, path::Path, time::Duration};
use tempfile::TempDir;

const CANARY: &str = "canary-0123456789-ABCDEF";

#[tokio::test]
async fn a_command_gets_path_and_what_is_given_and_starts_in_the_root_folder() {
    let script = r"readlink /proc/$$/cwd; tr '\0' '\n' </proc/$$/environ | sort";
    let argv = sh(script);
    let ended = run(Run { env: vec![("GIVEN", "a b")], ..quick(&argv, &Limits::default()) }).await;

    let path = std::env::var("PATH").unwrap();
    assert_eq!((ended.end.clone(), said(&ended)), (End::Exit(0), format!("/\nGIVEN=a b\nPATH={path}\n")));
}

#[tokio::test]
async fn a_command_gets_its_three_streams_and_no_other_descriptor() {
    let _open = fs::File::open("/etc/passwd").unwrap();
    let argv = sh("ls /proc/$$/fd; readlink /proc/$$/fd/0");
    let ended = run(quick(&argv, &Limits::default())).await;
    assert_eq!(said(&ended), "0\n1\n2\n/dev/null\n");
}

#[test]
fn s09_a_descriptor_that_this_program_was_started_with_is_kept_from_commands() {
    let file = fs::File::open("/etc/passwd").unwrap();
    fcntl_setfd(&file, FdFlags::empty()).unwrap();
    keep_inherited_descriptors();
    assert_eq!(rustix::io::fcntl_getfd(&file), Ok(FdFlags::CLOEXEC));
}

#[tokio::test]
async fn s09_the_key_comes_by_standard_input_and_is_in_no_argument_and_no_environment() {
    let key = Key::parse(CANARY).unwrap();
    let argv = sh("cat; cat /proc/$$/cmdline /proc/$$/environ | grep -c [c]anary");
    let ended = run(Run { key: Some(&key), ..quick(&argv, &Limits::default()) }).await;
    assert_eq!(said(&ended), format!("{CANARY}0\n"));
}

#[tokio::test]
async fn a_command_that_does_not_read_its_input_ends_as_it_ends() {
    let key = Key::parse(CANARY).unwrap();
    let argv = sh("exec <&-; exit 7");
    let ended = run(Run { key: Some(&key), ..quick(&argv, &Limits::default()) }).await;
    assert_eq!(ended.end, End::Exit(7));
}

#[tokio::test]
async fn the_end_of_a_command_is_its_code_its_signal_or_why_it_did_not_run() {
    let end = async |argv: &[&str]| {
        let argv: Vec<_> = argv.iter().map(|text| (*text).to_owned()).collect();
        run(quick(&argv, &Limits::default())).await.end
    };
    assert_eq!(end(&["sh", "-c", "exit 3"]).await, End::Exit(3));
    assert_eq!(end(&["sh", "-c", "kill -TERM $$"]).await, End::Signal(15));
    let nowhere = End::Not("there is no such program, or none that its #! line names".into());
    assert_eq!(end(&["/nowhere/program"]).await, nowhere);
    let not_executable = End::Not("it is not executable for the user that keyrelay runs as".into());
    assert_eq!(end(&["/etc/passwd"]).await, not_executable);
    assert_eq!(end(&[]).await, End::Not("it names no program".into()));
}

#[tokio::test]
async fn what_a_command_leaves_running_in_its_group_is_killed_when_it_ends() {
    let argv = sh("sleep 1000 & echo $!");
    let ended = run(quick(&argv, &Limits::default())).await;
    assert_eq!(ended.end, End::Exit(0));
    gone(said(&ended).trim()).await;
}

#[tokio::test]
async fn a_command_that_does_not_end_in_time_is_killed_with_its_children() {
    let limits = Limits { command_timeout: Duration::from_millis(300), ..Limits::default() };
    let argv = sh("trap '' TERM; sleep 1000 & echo $! $$; wait");
    let ended = run(quick(&argv, &limits)).await;
    assert_eq!(ended.end, End::TimedOut);
    for pid in said(&ended).split_whitespace() {
        gone(pid).await;
    }
}

#[tokio::test]
async fn a_command_is_killed_when_nobody_waits_for_it_any_more() {
    let folder = TempDir::new().unwrap();
    let ready = folder.path().join("ready");
    let argv = sh(&format!("sleep 1000 & echo $! >{0}.new; mv {0}.new {0}; wait", ready.display()));
    let task = tokio::spawn(async move { run(quick(&argv, &Limits::default())).await.end });
    until(|| ready.exists()).await;
    task.abort();
    gone(fs::read_to_string(&ready).unwrap().trim()).await;
}

#[tokio::test]
async fn a_daemon_that_keeps_the_output_open_delays_nothing() {
    let folder = TempDir::new().unwrap();
    let ready = folder.path().join("ready").display().to_string();
    let daemon = format!("setsid sh -c 'echo $$ >{ready}; exec sleep 1000' &");
    let argv = sh(&format!("{daemon} while ! [ -s {ready} ]; do :; done; echo started"));
    let ended = run(quick(&argv, &Limits::default())).await;
    assert_eq!((ended.end.clone(), said(&ended)), (End::Exit(0), "started\n".into()));

    let daemon = fs::read_to_string(&ready).unwrap().trim().parse().ok().and_then(Pid::from_raw).unwrap();
    rustix::process::kill_process(daemon, Signal::KILL).expect("it left the group, so it still runs");
}

#[tokio::test]
async fn more_output_than_the_limit_is_an_error_and_the_last_error_line_is_kept() {
    let limits = Limits { answer_bytes_max: 100_000, ..Limits::default() };
    let flood = |len: usize| {
        sh(&format!("head -c {len} /dev/zero; yes warning | head -n 50000 >&2; echo ' end ' >&2"))
    };

    let ended = run(quick(&flood(100_000), &limits)).await;
    assert_eq!(ended.stdout.as_ref().map(|bytes| bytes.len()), Some(100_000));
    assert_eq!(ended.last_error.as_ref().map(|line| line.as_str()), Some("end"));

    let ended = run(quick(&flood(100_001), &limits)).await;
    assert_eq!((ended.end, ended.stdout), (End::Exit(0), None));
}

fn sh(script: &str) -> Vec<String> {
    ["sh", "-c", script].map(str::to_owned).to_vec()
}

fn quick<'a>(argv: &'a [String], limits: &'a Limits) -> Run<'a> {
    Run { argv, env: Vec::new(), key: None, limits }
}

fn said(ended: &Ended) -> String {
    String::from_utf8(ended.stdout.as_ref().unwrap().to_vec()).unwrap()
}

/// Waits until the process has ended; whether its parent has reaped it is not ours.
async fn gone(pid: &str) {
    let stat = Path::new("/proc").join(pid.parse::<u32>().unwrap().to_string()).join("stat");
    until(|| fs::read_to_string(&stat).map_or(true, |text| text.contains(") Z "))).await;
}

async fn until(holds: impl Fn() -> bool) {
    let waited = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(20), waited).await.expect("it happens");
}
