//! A proof by a command of the operator's. It gets the challenge in its environment and prints the answer.

use super::{
    Prover, Question,
    challenge::{Answer, Challenge, judge_answer},
};
use crate::{
    consumer::{
        output::shown,
        run::{End, Ended, Run, run},
    },
    domain::{Instances, Key, ProofLevel, ProofOutcome, Timestamp, spell_duration},
};

impl Prover {
    /// Runs the command once. Exit code 0 with a proof is *in use*, without one a *working copy* at most; exit code 1
    /// says that it does not work; everything else says nothing.
    pub async fn command(&self, argv: &[String], question: &Question<'_>) -> ProofOutcome {
        let challenge = match Challenge::random() {
            Ok(challenge) => challenge,
            Err(why) => return ProofOutcome::Silent(why),
        };
        let env = vec![
            ("KEYRELAY_CREDENTIAL", question.credential.as_str()),
            ("KEYRELAY_CONSUMER", question.consumer.as_str()),
            ("KEYRELAY_CHALLENGE", challenge.as_str()),
        ];
        let ended = run(Run { argv, env, key: None, limits: &self.limits }).await;
        let program = argv.first().map_or("", String::as_str);
        let silent = |how: String| {
            ProofOutcome::Silent(format!("the command {program} {how}{}", said(&ended, question)))
        };
        match &ended.end {
            End::Exit(0) => match &ended.stdout {
                None => unproven(format!(
                    "the command {program} printed more than {} bytes",
                    self.limits.answer_bytes_max
                )),
                Some(stdout) => judge_output(judge_answer(stdout, question, &challenge), question.now),
            },
            End::Exit(1) => unproven(format!("the command {program} says no{}", said(&ended, question))),
            End::Exit(code) => silent(format!("ended with exit code {code}")),
            End::Signal(number) => silent(format!("was ended by signal {number}")),
            End::TimedOut => silent(format!(
                "was killed: it did not end within {}",
                spell_duration(self.limits.command_timeout)
            )),
            End::Not(why) => silent(format!("could not be run: {why}")),
        }
    }
}

fn said(ended: &Ended, question: &Question) -> String {
    let secrets = question.others.iter().chain([question.key]).map(Key::expose);
    ended.last_error.as_ref().map(|line| format!("; it said: {}", shown(line, secrets))).unwrap_or_default()
}

fn judge_output(answer: Answer, at: Timestamp) -> ProofOutcome {
    match answer {
        Answer::Holds { instances, last_401_at } => {
            let proven = u32::try_from(instances.len()).unwrap_or(u32::MAX);
            let instances = Instances { proven, wanted: None };
            ProofOutcome::Proven { level: ProofLevel::InUse, instances, at, last_401_at }
        }
        Answer::HoldsOther(fingerprint) => ProofOutcome::OtherKey(fingerprint),
        Answer::Wrong(why) => unproven(why),
        Answer::NoProof(_) => {
            let instances = Instances::default();
            ProofOutcome::Proven { level: ProofLevel::WorkingCopy, instances, at, last_401_at: None }
        }
    }
}

fn unproven(why: String) -> ProofOutcome {
    ProofOutcome::Unproven { why, instances: Instances::default() }
}

#[cfg(test)]
#[path = "command_tests.rs"]
mod tests;
