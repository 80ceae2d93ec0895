use super::*;
use crate::domain::{ConsumerName, CredentialName, Limits};
use std::time::Duration;

const NEW: &str = "new-key-0123456789-ABCDEF";
const OLD: &str = "old-key-0123456789-ABCDEF";

#[tokio::test]
async fn a_command_that_prints_the_proof_shows_the_key_in_use() {
    assert_eq!(ask(&prints_proof_of(NEW)).await, proven(ProofLevel::InUse, 1));
    assert_eq!(ask(&prints_proof_of(OLD)).await, ProofOutcome::OtherKey(key(OLD).fingerprint()));
    let wrong = "the proof is of no key of this credential, or of another consumer or challenge";
    assert_eq!(ask(&prints_proof_of("stranger-0123456789-ABCDEF")).await, unproven(wrong.into()));
}

#[tokio::test]
async fn a_command_that_ends_well_without_a_proof_shows_a_working_copy_at_most() {
    for script in ["true", "echo all is well", r#"echo '{"fingerprint": "0123456789abcdef"}'"#] {
        assert_eq!(ask(script).await, proven(ProofLevel::WorkingCopy, 0), "{script}");
    }
}

#[tokio::test]
async fn exit_code_1_says_no_with_the_last_error_line() {
    let says_no = |said: &str| unproven(format!("the command sh says no{said}"));
    assert_eq!(ask("exit 1").await, says_no(""));
    assert_eq!(
        ask("echo x >&2; echo '401 from the vendor' >&2; exit 1").await,
        says_no("; it said: 401 from the vendor")
    );
    let hidden = says_no("; it said: (a line that holds a secret is not shown)");
    for text in [NEW, OLD] {
        assert_eq!(ask(&format!("echo 401 with {text} >&2; exit 1")).await, hidden);
    }
}

#[tokio::test]
async fn every_other_end_says_nothing() {
    let silent = |how: &str| ProofOutcome::Silent(format!("the command sh {how}"));
    assert_eq!(
        ask("echo usage: test >&2; exit 2").await,
        silent("ended with exit code 2; it said: usage: test")
    );
    assert_eq!(ask("kill -SEGV $$").await, silent("was ended by signal 11"));
    let limits = Limits { command_timeout: Duration::from_millis(200), ..Limits::default() };
    let hangs = ask_with(&sh("sleep 1000"), &limits).await;
    assert_eq!(hangs, silent("was killed: it did not end within 0.2 s"));
    let nowhere = ask_with(&["/nowhere/test".to_owned()], &limits).await;
    let why = "the command /nowhere/test could not be run: there is no such program, or none that its #! line names";
    assert_eq!(nowhere, ProofOutcome::Silent(why.into()));
}

#[tokio::test]
async fn an_answer_without_end_is_refused() {
    let limits = Limits { answer_bytes_max: 10, ..Limits::default() };
    let why = "the command sh printed more than 10 bytes";
    assert_eq!(ask_with(&sh("echo 01234567890"), &limits).await, unproven(why.into()));
}

#[tokio::test]
async fn the_environment_is_path_and_the_question_without_the_key() {
    let script = r"tr '\0' '\n' </proc/$$/environ | sed 's/=.*//' | sort | tr '\n' ' ' >&2
        grep -q [n]ew-key /proc/$$/environ /proc/$$/cmdline && echo the key is in there >&2
        [ $KEYRELAY_CREDENTIAL/$KEYRELAY_CONSUMER/${#KEYRELAY_CHALLENGE} = leaf7-main/storefront/32 ]; exit $(($? + 1))";
    let said = "PATH KEYRELAY_CHALLENGE KEYRELAY_CONSUMER KEYRELAY_CREDENTIAL";
    let ProofOutcome::Unproven { why, .. } = ask(script).await else { panic!("the question is another") };
    let names = why.strip_prefix("the command sh says no; it said: ").unwrap();
    let sorted = |text: &str| text.split(' ').map(str::to_owned).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(sorted(names), sorted(said));
}

/// A consumer in shell: it computes the proof with openssl from the challenge that it is given.
fn prints_proof_of(key: &str) -> String {
    format!(
        r#"proof=$(printf 'keyrelay-proof-v1\n%s\n%s' $KEYRELAY_CONSUMER $KEYRELAY_CHALLENGE |
            openssl dgst -sha256 -hmac {key} | sed 's/.*= //')
        echo "{{\"proof\": \"$proof\", \"instance\": \"$(uname -n)\"}}""#
    )
}

async fn ask(script: &str) -> ProofOutcome {
    ask_with(&sh(script), &Limits::default()).await
}

async fn ask_with(argv: &[String], limits: &Limits) -> ProofOutcome {
    let question = Question {
        credential: &"leaf7-main".parse::<CredentialName>().unwrap(),
        consumer: &"storefront".parse::<ConsumerName>().unwrap(),
        key: &key(NEW),
        others: &[key(OLD)],
        now: Timestamp::from_secs(1_795_251_600),
    };
    Prover::new(limits).command(argv, &question).await
}

fn proven(level: ProofLevel, count: u32) -> ProofOutcome {
    let instances = Instances { proven: count, wanted: None };
    ProofOutcome::Proven { level, instances, at: Timestamp::from_secs(1_795_251_600), last_401_at: None }
}

fn sh(script: &str) -> Vec<String> {
    ["sh", "-c", script].map(str::to_owned).to_vec()
}

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}
