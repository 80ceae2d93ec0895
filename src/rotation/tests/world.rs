//! What a fleet works on: one store, one vendor, one spool, consumers. Every field is a knob.

use super::{START, name_of};
use crate::{
    domain::{
        Account, ActionOutcome, ConsumerName, CopyState, CredentialName, DeliveryOutcome, Fingerprint,
        Instances, KeyDocument, KeyRead, MailPlace, Origin, PreviousKey, ProbeAnswer, ProofLevel,
        ProofOutcome, Settled, StoreFacts, StoreTrouble, Tidied, Timestamp, Verdict, WriteOutcome,
    },
    rotation::{AlertsState, Promotion, StateDocument, StateRead},
};
use std::collections::{BTreeMap, BTreeSet};

/// What lies in the mailbox, as far as it is tidied.
#[derive(Default)]
pub struct Mails {
    /// No longer where they were noted.
    pub gone: BTreeSet<MailPlace>,
    /// Their places are somebody else's now.
    pub elsewhere: BTreeSet<MailPlace>,
    /// The server says no.
    pub refusal: Option<String>,
    /// The connection breaks before the answer, whatever was done.
    pub breaks: bool,
}

impl Mails {
    pub fn tidy(
        &mut self,
        mails: &[MailPlace],
        settled: &Settled,
    ) -> Result<Vec<(MailPlace, Tidied)>, String> {
        let mut one = |mail: &MailPlace| {
            if self.elsewhere.contains(mail) {
                Tidied::Elsewhere
            } else if self.gone.contains(mail) {
                Tidied::Gone
            } else if let Some(why) = &self.refusal {
                Tidied::Refused(why.clone())
            } else {
                if *settled != Settled::Keep {
                    self.gone.insert(mail.clone());
                }
                Tidied::Done
            }
        };
        let tidied = mails.iter().map(|mail| (mail.clone(), one(mail))).collect();
        if self.breaks { Err("the server closed the connection".into()) } else { Ok(tidied) }
    }
}

#[derive(Default)]
pub struct World {
    pub documents: BTreeMap<CredentialName, Stored>,
    /// Every call to the store ends like this.
    pub store_trouble: Option<StoreTrouble>,
    pub store_facts: StoreFacts,
    /// Only writes of the key document do.
    pub write_trouble: Option<StoreTrouble>,
    /// The next promotion is written, and its answer is lost.
    pub lose_answer: bool,
    pub spool: BTreeMap<Fingerprint, (CredentialName, Origin, Timestamp, Timestamp, Option<String>)>,
    pub spool_trouble: Option<String>,
    pub vendor: BTreeMap<Fingerprint, (Verdict, Account)>,
    pub vendor_time: Option<Timestamp>,
    /// The vendor asks to be left alone so long.
    pub retry_after: Option<std::time::Duration>,
    pub control: Option<Verdict>,
    /// How its dashboard shows keys, by their last digits.
    pub labels: bool,
    /// It calls these keys another account's.
    pub anothers: BTreeSet<Fingerprint>,
    /// A request that it must refuse is let through.
    pub lets_through: bool,
    pub consumers: BTreeMap<ConsumerName, Fake>,
    pub mailbox: Mails,
    /// This machine's notes of its notices, as JSON.
    pub alerts: Option<String>,
    /// They cannot be written.
    pub disk_trouble: Option<String>,
    /// The vendor's call for a new key.
    pub api: super::by_api::Api,
    /// Every key that was promoted.
    pub promoted: BTreeSet<Fingerprint>,
    /// Writes to the store: promotions, retirements, states.
    pub writes: usize,
}

/// One credential's two documents.
#[derive(Clone, Default)]
pub struct Stored {
    pub key: Option<KeyDocument>,
    pub deleted: bool,
    /// The key that our own fields speak of.
    pub written: Option<Fingerprint>,
    pub version: u64,
    pub state: Option<StateDocument>,
    pub state_version: u64,
    pub state_refused: bool,
}

#[derive(Clone, Default)]
pub struct Fake {
    pub copy: Option<Fingerprint>,
    /// The key it works with.
    pub runs: Option<Fingerprint>,
    pub reads_store: bool,
    pub acts: bool,
    pub silent: bool,
    /// It can show no more than that it was started with its file.
    pub is_unit: bool,
    pub deliver_fails: bool,
    pub act_fails: bool,
    pub rehearsal_fails: bool,
}

impl World {
    pub fn stored(&mut self, name: &str) -> &mut Stored {
        self.documents.entry(name.parse().unwrap()).or_default()
    }
    /// Somebody puts a key into the store by hand; keyrelay's own fields stay as they were.
    pub fn put(&mut self, name: &str, fingerprint: Fingerprint, at: Timestamp) {
        let stored = self.stored(name);
        stored.version += 1;
        let before = stored.key.take();
        let (version, deleted) = (stored.version, std::mem::take(&mut stored.deleted));
        let fresh = KeyDocument {
            version,
            created_at: at,
            current: Some(fingerprint),
            previous: None,
            generation: 0,
            rotated_at: None,
            rotation_id: None,
            ours: false,
            as_written: false,
            unusable: None,
        };
        let kept = before.filter(|_| !deleted);
        stored.key = Some(match kept {
            Some(kept) => KeyDocument {
                version,
                created_at: at,
                current: Some(fingerprint),
                unusable: None,
                as_written: stored.written == Some(fingerprint),
                ..kept
            },
            None => fresh,
        });
    }
    pub fn alive(&mut self, fingerprint: Fingerprint) {
        self.vendor.insert(fingerprint, (Verdict::Alive, ["project-1"].into_iter().collect()));
    }
    pub fn says(&mut self, fingerprint: Fingerprint, verdict: Verdict) {
        self.vendor.insert(fingerprint, (verdict, Account::default()));
    }

    pub fn read(&mut self, name: &CredentialName, with_state: bool) -> (KeyRead, Option<StateRead>) {
        let trouble = self.store_trouble.clone();
        let stored = self.documents.entry(name.clone()).or_default();
        if let Some(trouble) = trouble {
            return (KeyRead::Failed(trouble.clone()), with_state.then_some(StateRead::Failed(trouble)));
        }
        let key = match &stored.key {
            Some(_) if stored.deleted => KeyRead::Deleted { version: stored.version },
            Some(document) => KeyRead::Present(document.clone()),
            None => KeyRead::Absent,
        };
        let state = match (&stored.state, stored.state_refused) {
            (_, true) => StateRead::Refused { why: "they are of schema 2".into() },
            (Some(document), false) => {
                StateRead::Present { version: stored.state_version, document: Box::new(document.clone()) }
            }
            (None, false) => StateRead::Absent { version: stored.state_version },
        };
        (key, with_state.then_some(state))
    }
    pub fn promote(
        &mut self,
        name: &CredentialName,
        cas: u64,
        promotion: &Promotion,
        now: Timestamp,
    ) -> WriteOutcome {
        if let Some(trouble) = self.store_trouble.clone().or(self.write_trouble.clone()) {
            return WriteOutcome::Failed(trouble);
        }
        let stored = self.documents.entry(name.clone()).or_default();
        if stored.version != cas {
            return WriteOutcome::Mismatch;
        }
        self.writes += 1;
        stored.version += 1;
        stored.deleted = false;
        stored.written = Some(promotion.fingerprint);
        self.promoted.insert(promotion.fingerprint);
        stored.key = Some(KeyDocument {
            version: stored.version,
            created_at: now,
            current: Some(promotion.fingerprint),
            previous: promotion
                .previous
                .map(|fingerprint| PreviousKey { fingerprint, expires_at: promotion.previous_expires_at }),
            generation: promotion.generation,
            rotated_at: Some(promotion.rotated_at),
            rotation_id: Some(promotion.rotation_id),
            ours: true,
            as_written: true,
            unusable: None,
        });
        match std::mem::take(&mut self.lose_answer) {
            true => WriteOutcome::Unknown("the connection was reset".into()),
            false => WriteOutcome::Written { version: stored.version },
        }
    }
    pub fn retire(&mut self, name: &CredentialName, cas: u64) -> WriteOutcome {
        if let Some(trouble) = self.store_trouble.clone() {
            return WriteOutcome::Failed(trouble);
        }
        let stored = self.documents.entry(name.clone()).or_default();
        if stored.version != cas {
            return WriteOutcome::Mismatch;
        }
        self.writes += 1;
        stored.version += 1;
        if let Some(document) = &mut stored.key {
            (document.previous, document.version) = (None, stored.version);
        }
        WriteOutcome::Written { version: stored.version }
    }
    /// By way of JSON, as a real store keeps it.
    pub fn save(&mut self, name: &CredentialName, cas: u64, document: &StateDocument) -> WriteOutcome {
        if let Some(trouble) = self.store_trouble.clone() {
            return WriteOutcome::Failed(trouble);
        }
        let stored = self.documents.entry(name.clone()).or_default();
        if stored.state_version != cas {
            return WriteOutcome::Mismatch;
        }
        self.writes += 1;
        stored.state_version += 1;
        let json = serde_json::to_string(document).unwrap();
        stored.state = Some(serde_json::from_str(&json).unwrap());
        WriteOutcome::Written { version: stored.state_version }
    }

    /// By way of JSON, as a file keeps it.
    pub fn keep(&mut self, state: &AlertsState) -> Result<(), String> {
        if let Some(trouble) = &self.disk_trouble {
            return Err(trouble.clone());
        }
        self.alerts = Some(serde_json::to_string(state).unwrap());
        Ok(())
    }

    pub fn probe(&self, fingerprint: Fingerprint) -> ProbeAnswer {
        let said = self.vendor.get(&fingerprint).cloned().filter(|_| !self.api.killed.contains(&fingerprint));
        let issued = self.api.issued.contains(&fingerprint) && !self.api.killed.contains(&fingerprint);
        let (verdict, account) = match said {
            Some(said) => said,
            None if issued => (Verdict::Alive, ["project-1"].into_iter().collect()),
            None => (Verdict::Dead, Account::default()),
        };
        let account = (verdict == Verdict::Alive).then_some(account);
        if self.lets_through {
            return let_through();
        }
        let why = format!("the vendor says {verdict}");
        ProbeAnswer {
            account,
            foreign: self.anothers.contains(&fingerprint),
            label: self.labels.then(|| format!("…{}", &fingerprint.hex()[12..])),
            retry_after: self.retry_after,
            vendor_time: self.vendor_time,
            ..ProbeAnswer::new(verdict, why)
        }
    }
    pub fn random_key(&self) -> ProbeAnswer {
        if self.lets_through {
            return let_through();
        }
        let verdict = self.control.unwrap_or(Verdict::Dead);
        ProbeAnswer::new(verdict, "random")
    }

    pub fn fake(&mut self, consumer: &str) -> &mut Fake {
        self.consumers.entry(consumer.parse().unwrap()).or_default()
    }
    pub fn compare(&self, consumer: &ConsumerName, fingerprint: Fingerprint) -> CopyState {
        match self.consumers[consumer].copy {
            Some(copy) if copy == fingerprint => CopyState::Same,
            Some(copy) => CopyState::Differs(Some(copy)),
            None => CopyState::Missing,
        }
    }
    pub fn deliver(&mut self, consumer: &ConsumerName, fingerprint: Fingerprint) -> DeliveryOutcome {
        let fake = self.consumers.get_mut(consumer).unwrap();
        if fake.deliver_fails {
            return DeliveryOutcome::Failed("no space left on device".into());
        }
        fake.copy = Some(fingerprint);
        if !fake.acts {
            fake.runs = Some(fingerprint);
        }
        DeliveryOutcome::Done
    }
    pub fn act(&mut self, consumer: &ConsumerName) -> ActionOutcome {
        let fake = self.consumers.get_mut(consumer).unwrap();
        if fake.act_fails {
            return ActionOutcome::Failed("exit status 1".into());
        }
        fake.runs = fake.copy;
        ActionOutcome::Done
    }
    pub fn prove(
        &mut self,
        name: &CredentialName,
        consumer: &ConsumerName,
        asked: Fingerprint,
        now: Timestamp,
    ) -> ProofOutcome {
        let current = self.documents.get(name).and_then(|stored| stored.key.as_ref()?.current);
        let fake = &self.consumers[consumer];
        let runs = if fake.reads_store { current } else { fake.runs };
        match runs {
            _ if fake.silent => ProofOutcome::Silent("nobody answers".into()),
            Some(runs) if runs == asked => ProofOutcome::Proven {
                level: if fake.is_unit { ProofLevel::Loaded } else { ProofLevel::InUse },
                instances: Instances { proven: 1, wanted: None },
                at: now,
                last_401_at: None,
            },
            _ if fake.is_unit => {
                let why = "the file was changed after it was started".into();
                ProofOutcome::Unproven { why, instances: Instances::default() }
            }
            Some(other) => ProofOutcome::OtherKey(other),
            None => ProofOutcome::Silent(format!("it has no key at {}", START.minutes())),
        }
    }
    pub fn rehearse(&self, consumer: &ConsumerName) -> DeliveryOutcome {
        match self.consumers[consumer].rehearsal_fails {
            true => DeliveryOutcome::Failed("the folder belongs to root".into()),
            false => DeliveryOutcome::Done,
        }
    }

    /// What each credential's document says, for a test's last line: `K2 after K1, generation 1`.
    pub fn holds(&self, name: &str) -> String {
        let name: CredentialName = name.parse().unwrap();
        let Some(document) = self.documents.get(&name).and_then(|stored| stored.key.as_ref()) else {
            return "nothing".into();
        };
        let current = document.current.map_or("no key".into(), name_of);
        let previous = document
            .previous
            .map_or(String::new(), |previous| format!(" after {}", name_of(previous.fingerprint)));
        format!("{current}{previous}, generation {}", document.generation)
    }
}

fn let_through() -> ProbeAnswer {
    ProbeAnswer { wrote: true, ..ProbeAnswer::unclear("201 with a JSON object") }
}
