//! What the status does not remember: how often something happened since this process began, and how much time was
//! left at the end of each rotation.

use super::sheet::{Counters, Gauges, Labels, Sheet, labels};
use crate::{
    domain::{CredentialName, DeliveryOutcome, ProofOutcome, Verdict},
    face::status::Status,
    rotation::{Event, Input, Record, RecordKind},
};
use prometheus_client::metrics::histogram::Histogram;

/// Hours and days, as graces are; what was too late is in the first.
const MARGIN_BUCKETS_SECS: [f64; 10] =
    [0.0, 60.0, 300.0, 900.0, 3_600.0, 10_800.0, 43_200.0, 79_200.0, 86_400.0, 604_800.0];

const PROOFS: [&str; 4] = ["proven", "other_key", "unproven", "silent"];
const DELIVERIES: [&str; 2] = ["done", "failed"];

/// A handle: all of its copies count together.
#[derive(Debug, Clone)]
pub struct Counted {
    probes: Counters,
    control_probes: Counters,
    proofs: Counters,
    deliveries: Counters,
    refusals: Counters,
    rotations: Counters,
    notices: Counters,
    last_margin: Gauges,
    margins: Histogram,
}

impl Default for Counted {
    fn default() -> Self {
        Self {
            probes: Counters::default(),
            control_probes: Counters::default(),
            proofs: Counters::default(),
            deliveries: Counters::default(),
            refusals: Counters::default(),
            rotations: Counters::default(),
            notices: Counters::default(),
            last_margin: Gauges::default(),
            margins: Histogram::new(MARGIN_BUCKETS_SECS),
        }
    }
}

impl Counted {
    /// Something has happened.
    pub fn count(&self, event: &Event) {
        match event {
            Event::Credential { name, input } => self.count_input(name, input),
            Event::ControlFinished { answer, .. } => {
                self.control_probes.get_or_create(&verdict(answer.verdict)).inc();
            }
            Event::NoticeSent { outcome, .. } => {
                let outcome = if outcome.is_ok() { "sent" } else { "failed" };
                self.notices.get_or_create(&labels([("outcome", outcome)])).inc();
            }
            _ => {}
        }
    }
    fn count_input(&self, name: &CredentialName, input: &Input) {
        if let Input::ProbeFinished { answer, .. } = input {
            self.probes.get_or_create(&of(name, verdict(answer.verdict))).inc();
        }
        if let Input::Proved { outcome, .. } = input {
            self.proofs.get_or_create(&of(name, labels([("outcome", proof(outcome))]))).inc();
        }
        if let Input::Delivered { outcome, .. } = input {
            self.deliveries.get_or_create(&of(name, labels([("outcome", delivery(outcome))]))).inc();
        }
    }

    /// Something was written down in the history.
    pub fn record(&self, name: &CredentialName, record: &Record) {
        if record.kind == RecordKind::Refusal {
            self.refusals.get_or_create(&of(name, Vec::new())).inc();
        }
        if let Some(margin_secs) = record.margin_secs {
            self.rotations.get_or_create(&of(name, Vec::new())).inc();
            self.margins.observe(margin_secs.max(0) as f64);
            self.remember_margin(name, margin_secs);
        }
    }
    /// Of the last rotation, also of one that an earlier process saw through.
    pub fn remember_margin(&self, name: &CredentialName, margin_secs: i64) {
        self.last_margin.get_or_create(&of(name, Vec::new())).set(margin_secs as f64);
    }

    /// A credential has left the configuration: its series go with it.
    pub fn forget(&self, name: &CredentialName) {
        self.of_credential(name, |counters, labels| _ = counters.remove(labels));
        self.last_margin.remove(&of(name, Vec::new()));
    }
    /// Every series that a credential can have.
    fn of_credential(&self, name: &CredentialName, mut each: impl FnMut(&Counters, &Labels)) {
        super::VERDICTS.into_iter().for_each(|said| each(&self.probes, &of(name, verdict(said))));
        [&self.refusals, &self.rotations]
            .into_iter()
            .for_each(|counters| each(counters, &of(name, Vec::new())));
        let outcome = |outcome| of(name, labels([("outcome", outcome)]));
        PROOFS.into_iter().for_each(|shown| each(&self.proofs, &outcome(shown)));
        DELIVERIES.into_iter().for_each(|ended| each(&self.deliveries, &outcome(ended)));
    }

    /// What can be counted begins with zero, so that the first of each is seen as a change.
    pub(super) fn write(&self, sheet: &mut Sheet, status: &Status) {
        for credential in &status.credentials {
            self.of_credential(&credential.name, |counters, labels| {
                counters.get_or_create(labels).inc_by(0);
            });
        }
        for each in super::VERDICTS {
            self.control_probes.get_or_create(&verdict(each)).inc_by(0);
        }
        for outcome in ["sent", "failed"] {
            self.notices.get_or_create(&labels([("outcome", outcome)])).inc_by(0);
        }
        let help = "How often the vendor was asked about a key, by what it said";
        sheet.counters("keyrelay_probes", help, &self.probes);
        let help = "How often a vendor was asked about a random key, which must be dead";
        sheet.counters("keyrelay_control_probes", help, &self.control_probes);
        let help = "How often a consumer was asked which key it works with, by what it showed";
        sheet.counters("keyrelay_proofs", help, &self.proofs);
        let help = "How often a key was handed to a consumer";
        sheet.counters("keyrelay_deliveries", help, &self.deliveries);
        sheet.counters("keyrelay_refusals", "How many new keys were refused", &self.refusals);
        let help = "How many rotations were seen through to the last consumer";
        sheet.counters("keyrelay_rotations", help, &self.rotations);
        sheet.counters("keyrelay_notices", "Alerts that went out, or could not", &self.notices);
        let help = "What was left of the hand-over time when the last consumer was proven; below zero: late";
        sheet.gauges_seconds("keyrelay_credential_last_margin", help, &self.last_margin);
        let help =
            "What was left of the hand-over time at the end of each rotation; what was late counts as zero";
        sheet.histogram_seconds("keyrelay_rotation_margin", help, &self.margins);
    }
}

fn of(name: &CredentialName, more: Labels) -> Labels {
    [labels([("credential", name.as_str())]), more].concat()
}
fn verdict(verdict: Verdict) -> Labels {
    labels([("verdict", &verdict.to_string())])
}
fn proof(outcome: &ProofOutcome) -> &'static str {
    match outcome {
        ProofOutcome::Proven { .. } => "proven",
        ProofOutcome::OtherKey(_) => "other_key",
        ProofOutcome::Unproven { .. } => "unproven",
        ProofOutcome::Silent(_) => "silent",
    }
}
fn delivery(outcome: &DeliveryOutcome) -> &'static str {
    match outcome {
        DeliveryOutcome::Done => "done",
        DeliveryOutcome::Failed(_) => "failed",
    }
}
