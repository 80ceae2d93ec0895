//! What the schedules ask for, spread by name over a tenth of the period.

use super::Fleet;
use crate::domain::{CredentialName, Timestamp};
use crate::rotation::{
    effect::Effect,
    event::Schedule,
    state::Rotation,
    task::{salt, unit},
};
use std::{collections::BTreeSet, time::Duration};

impl Fleet {
    pub(super) fn tick(&mut self, schedule: Schedule, now: Timestamp, effects: &mut Vec<Effect>) {
        match schedule {
            Schedule::MailboxPoll => {
                let open = self.mailboxes.iter().filter(|(_, mailbox)| mailbox.open);
                effects.extend(
                    open.map(|(name, _)| Effect::LookAtMailbox { name: name.clone(), afresh: false }),
                );
                effects.push(Effect::CheckStore);
            }
            Schedule::CurrentKeyProbe => {
                let fits = self.probe_fits(now);
                let period = self.settings.probe_period;
                for (name, rotation) in &mut self.rotations {
                    let at = now + spread(name, period);
                    rotation.read_due = Some(at);
                    rotation.probe_due = Some(at).filter(|_| fits.contains(name)).or(rotation.probe_due);
                }
                self.want_controls();
                self.step_all(now, effects);
            }
            Schedule::ConsumerProve => {
                let period = self.settings.prove_period;
                for (name, rotation) in &mut self.rotations {
                    rotation.prove_due = Some(now + spread(name, period));
                }
                self.step_all(now, effects);
            }
        }
    }
    /// The credentials whose turn it is.
    fn probe_fits(&self, now: Timestamp) -> BTreeSet<CredentialName> {
        let turn = |rotation: &Rotation| {
            let demanded = self.meters.get(&rotation.settings.origin)?.routine_period;
            // An old key that works until it is revoked is asked out of the same limit.
            let demanded = if rotation.watches_old_key() { demanded * 5 / 4 } else { demanded };
            let asked_at = rotation.current_facts().and_then(|facts| facts.last_probe_at());
            let rested = asked_at.is_none_or(|at| now.since(at) + self.settings.probe_period / 2 >= demanded);
            rested.then(|| rotation.name().clone())
        };
        self.credentials().filter_map(turn).collect()
    }
    /// The random key's daily turn: a promotion then finds the answer there. Its shape is a current key's.
    fn want_controls(&mut self) {
        for (name, rotation) in &self.rotations {
            if rotation.current.is_none() || rotation.is_probe_off() {
                continue;
            }
            let meter = self.meters.get_mut(&rotation.settings.origin);
            meter.into_iter().for_each(|meter| meter.want_control(name));
        }
    }
}

/// Work on a tick is spread over a tenth of its period, by the credential's name.
fn spread(name: &CredentialName, period: Duration) -> Duration {
    (period / 10).mul_f64(unit(salt(&[name.as_str()])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h05_r61_a_thousand_names_are_spread_evenly_over_a_tenth_of_the_period() {
        let period = Duration::from_secs(600);
        let mut seconds = [0; 60];
        for number in 0..1_000 {
            let name: CredentialName = format!("credential-{number}").parse().unwrap();
            assert_eq!(spread(&name, period), spread(&name, period), "the same in every run");
            seconds[usize::try_from(spread(&name, period).as_secs()).unwrap()] += 1;
        }
        let most = *seconds.iter().max().unwrap();
        assert!(most <= 3 * 1_000 / 60, "the fullest second has {most}");
    }
}
