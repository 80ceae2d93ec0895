use super::*;
use std::time::Duration;

const CANARY: &str = "canary-0123456789-ABCDEF";
const OLD: &str = "old-key-0123456789-XYZ";

#[tokio::test]
async fn a_command_is_given_the_key_on_standard_input_and_its_own_environment() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let script = format!(
        "{{ cat; echo; cat /proc/$$/cmdline /proc/$$/environ | tr '\\0' '\\n'; }} >{}",
        out.display()
    );
    let env = BTreeMap::from([("API_TOKEN".to_owned(), Secret::new("s3cret"))]);

    assert_eq!(deliver_with(&script, &env).await, DeliveryOutcome::Done);

    let text = std::fs::read_to_string(out).unwrap();
    let (first, rest) = text.split_once('\n').unwrap();
    assert_eq!(first, CANARY);
    assert!(rest.contains("\nAPI_TOKEN=s3cret\n"), "{rest}");
    assert!(!rest.contains("canary"), "{rest}");
}

#[tokio::test]
async fn a_command_that_fails_is_told_with_its_end_and_its_last_error_line() {
    let deliver = async |script: &str| deliver_with(script, &BTreeMap::new()).await;
    let failed = |text: &str| DeliveryOutcome::Failed(format!("the command sh {text}"));

    assert_eq!(deliver("exit 3").await, failed("ended with exit code 3"));
    let spoken = "echo first >&2; echo 'no route to shop' >&2; exit 1";
    assert_eq!(deliver(spoken).await, failed("ended with exit code 1; it said: no route to shop"));
    assert_eq!(deliver("kill -KILL $$").await, failed("was ended by signal 9"));
}

#[tokio::test]
async fn a_line_that_holds_a_key_or_a_secret_of_the_environment_is_not_shown() {
    let hidden = "the command sh ended with exit code 1; it said: (a line that holds a secret is not shown)";
    let env = BTreeMap::from([("API_TOKEN".to_owned(), Secret::new("s3cret"))]);
    for script in [
        "cat >&2; exit 1",
        "echo cannot replace old-key-0123456789-XYZ >&2; exit 1",
        "echo $API_TOKEN >&2; exit 1",
    ] {
        assert_eq!(deliver_with(script, &env).await, DeliveryOutcome::Failed(hidden.into()), "{script}");
    }
}

#[tokio::test]
async fn an_action_is_given_nothing() {
    let known = [key(CANARY)];
    let act = async |script: &str| act(&sh(script), &known, &Limits::default()).await;

    assert_eq!(act("[ -z \"$(cat)\" ]").await, ActionOutcome::Done);
    let failed =
        ActionOutcome::Failed("the command sh ended with exit code 1; it said: canary is dead".into());
    assert_eq!(act("echo canary is dead >&2; exit 1").await, failed);
}

#[tokio::test]
async fn an_action_that_hangs_is_killed_and_told_with_its_limit() {
    let limits = Limits { command_timeout: Duration::from_millis(200), ..Limits::default() };
    let outcome = act(&sh("echo waiting >&2; sleep 1000"), &[], &limits).await;
    let why = "the command sh was killed: it did not end within 0.2 s; it said: waiting";
    assert_eq!(outcome, ActionOutcome::Failed(why.into()));
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    let argv = ["/usr/local/bin/push-key".to_owned()];
    let why = "the command /usr/local/bin/push-key could not be run: there is no such program, or none that its #! line names";
    assert_eq!(act(&argv, &[], &Limits::default()).await, ActionOutcome::Failed(why.into()));
}

async fn deliver_with(script: &str, env: &BTreeMap<String, Secret>) -> DeliveryOutcome {
    deliver(&sh(script), env, &key(CANARY), &[key(OLD)], &Limits::default()).await
}

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

fn sh(script: &str) -> Vec<String> {
    ["sh", "-c", script].map(str::to_owned).to_vec()
}
