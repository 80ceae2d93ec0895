//! What fleets are configured with here, and in the core's own tests.

use crate::{
    domain::{Hygiene, Limits, ProofLevel, RotatedBy},
    rotation::{Alerts, Channel, Consumer, Credential, Delivery, Proof, Settings},
};
use std::{sync::Arc, time::Duration};

const MIN: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

pub fn consumer(delivery: Delivery, acts: bool, proof: Proof) -> Consumer {
    let wanted = match proof {
        Proof::ByDelivery if delivery == Delivery::Command => ProofLevel::Delivered,
        Proof::ByDelivery => ProofLevel::WorkingCopy,
        Proof::Asked | Proof::Report { .. } => ProofLevel::InUse,
    };
    Consumer { delivery, acts, proof, wanted, accepted: false, elsewhere: false }
}

pub fn credential(name: &str, consumers: &[(&str, Consumer)]) -> Credential {
    let consumers = consumers.iter().map(|(name, policy)| (name.parse().unwrap(), policy.clone())).collect();
    Credential {
        name: name.parse().unwrap(),
        vendor: "leaf7".parse().unwrap(),
        vendor_title: "Leaf7".into(),
        dashboard: "fetch the key: https://leaf7.fun".into(),
        mailbox: Some("mail".parse().unwrap()),
        hygiene: Hygiene::default(),
        observe: false,
        beside: Default::default(),
        path: format!("vendors/{name}"),
        account: None,
        has_identity: true,
        rotated_by: RotatedBy::Vendor,
        expires_at: None,
        create_steps: Vec::new(),
        revoke_steps: Vec::new(),
        revoke_within: DAY,
        cadence: Some(7 * DAY),
        notice_before: Some(DAY),
        grace: Some(DAY),
        hand_over_within: DAY,
        origin: "https://leaf7.fun".into(),
        limit: (600, MIN),
        consumers,
        probe: "GET https://leaf7.fun/api/vendor/projects/".into(),
    }
}

pub fn settings(credentials: Vec<Credential>) -> Settings {
    Settings {
        credentials: credentials.into_iter().map(|one| (one.name.clone(), Arc::new(one))).collect(),
        mailboxes: vec!["mail".parse().unwrap()],
        limits: Arc::new(Limits::default()),
        alerts: Alerts { channels: [Channel::Mail].into(), ..Alerts::default() },
        prove_period: HOUR,
        probe_period: 10 * MIN,
    }
}
