//! The customers' keys of each customer of the simulated vendor. Told what time it is.

use super::{AccountId, faults::Dice, uuid};
use crate::domain::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};

#[derive(Default)]
pub(super) struct Licences {
    buyer: Vec<(AccountId, Buyer)>,
    active: Vec<(AccountId, Active)>,
    /// Who has not linked a Discord account.
    unlinked: BTreeSet<usize>,
}

#[derive(Clone, Serialize)]
struct Buyer {
    key_id: String,
    project_id: String,
    created_at: String,
    redeemed: bool,
    discord_id: Option<String>,
    key_days: u32,
    key_hours: u32,
    key_minutes: u32,
}

#[derive(Clone, Serialize)]
pub(super) struct Active {
    key_id: String,
    project_id: String,
    discord_id: String,
    pub(super) hwid: Option<String>,
    hwid_resets: u32,
    total_executions: u32,
    last_execution: Option<String>,
    last_reset: Option<String>,
    redeemed_at: String,
    expires_at: Option<String>,
    pub(super) banned: bool,
}

/// How many keys, and how long each works.
#[derive(Clone, Copy)]
pub(super) struct Order {
    pub amount: u32,
    pub days: u32,
    pub hours: u32,
    pub minutes: u32,
}

/// Why a key is not deleted.
pub(super) enum No {
    NotFound,
    Redeemed,
}

impl Licences {
    pub(super) fn set_linked(&mut self, account: AccountId, linked: bool) {
        match linked {
            true => self.unlinked.remove(&account.0),
            false => self.unlinked.insert(account.0),
        };
    }
    pub(super) fn is_linked(&self, account: AccountId) -> bool {
        !self.unlinked.contains(&account.0)
    }

    /// The new ones.
    pub(super) fn generate(
        &mut self,
        account: AccountId,
        project_id: &str,
        order: Order,
        dice: &mut Dice,
        now: Timestamp,
    ) -> Vec<Value> {
        let new = (0..order.amount).map(|_| Buyer {
            key_id: uuid(dice.next(), dice.next()),
            project_id: project_id.to_owned(),
            created_at: without_zone(now),
            redeemed: false,
            discord_id: None,
            key_days: order.days,
            key_hours: order.hours,
            key_minutes: order.minutes,
        });
        let new: Vec<_> = new.collect();
        self.buyer.extend(new.iter().map(|key| (account, key.clone())));
        new.iter().map(|key| json!(key)).collect()
    }

    pub(super) fn buyer(&self, account: AccountId, project_id: Option<&str>) -> Vec<Value> {
        let keys = self.buyer.iter().filter(|(owner, key)| {
            *owner == account && project_id.is_none_or(|project_id| key.project_id == project_id)
        });
        keys.map(|(_, key)| json!(key)).collect()
    }
    pub(super) fn active(&self, account: AccountId, project_id: Option<&str>) -> Vec<Value> {
        let keys = self.active.iter().filter(|(owner, key)| {
            *owner == account && project_id.is_none_or(|project_id| key.project_id == project_id)
        });
        keys.map(|(_, key)| json!(key)).collect()
    }

    pub(super) fn delete(&mut self, account: AccountId, key_id: &str) -> Result<(), No> {
        let is_it = |(owner, key): &(AccountId, Buyer)| *owner == account && key.key_id == key_id;
        let at = self.buyer.iter().position(is_it).ok_or(No::NotFound)?;
        if self.buyer[at].1.redeemed {
            return Err(No::Redeemed);
        }
        self.buyer.remove(at);
        Ok(())
    }

    pub(super) fn active_key(&mut self, account: AccountId, key_id: &str) -> Option<&mut Active> {
        let mut keys = self.active.iter_mut();
        keys.find(|(owner, key)| *owner == account && key.key_id == key_id).map(|(_, key)| key)
    }

    /// Nothing happens where there is no such key.
    pub(super) fn redeem(&mut self, account: AccountId, key_id: &str, discord_id: &str, now: Timestamp) {
        let is_it = |(owner, key): &&mut (AccountId, Buyer)| *owner == account && key.key_id == key_id;
        let Some((_, key)) = self.buyer.iter_mut().find(is_it) else { return };
        (key.redeemed, key.discord_id) = (true, Some(discord_id.to_owned()));
        let minutes =
            (u64::from(key.key_days) * 24 + u64::from(key.key_hours)) * 60 + u64::from(key.key_minutes);
        let expires_at = (minutes > 0).then(|| without_zone(now + Duration::from_secs(minutes * 60)));
        let active = Active {
            key_id: key.key_id.clone(),
            project_id: key.project_id.clone(),
            discord_id: discord_id.to_owned(),
            hwid: Some(format!("HWID-{}", &key.key_id[..8])),
            hwid_resets: 0,
            total_executions: 3,
            last_execution: Some(without_zone(now)),
            last_reset: None,
            redeemed_at: without_zone(now),
            expires_at,
            banned: false,
        };
        self.active.push((account, active));
    }
}

impl Active {
    pub(super) fn reset_hwid(&mut self, now: Timestamp) {
        self.hwid = None;
        self.hwid_resets += 1;
        self.last_reset = Some(without_zone(now));
    }
}

/// `2026-05-03T12:00:00`, as the vendor writes times.
fn without_zone(at: Timestamp) -> String {
    at.whole_secs().to_string().trim_end_matches('Z').to_owned()
}
