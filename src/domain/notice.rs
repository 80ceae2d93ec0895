//! Notices: the things that an operator must read. Each has a stable code; the table below is the one place where
//! codes, their meaning and their first move are written down (`keyrelay explain CODE`, the README's table).

use super::{ConsumerName, CredentialName, ProofLevel, RotationId, Timestamp};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// How much it matters. *Urgent*: a working consumer was broken, a key is dead or may be lost, or a twelfth of the
/// grace or less is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Info,
    Warning,
    Urgent,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Urgent => "urgent",
        })
    }
}

macro_rules! codes {
    ($($variant:ident $code:literal: $meaning:literal, do $hint:literal;)*) => {
        /// What a notice is about; stable, for filters and for `keyrelay explain CODE`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Code {
            $(#[doc = $meaning] #[serde(rename = $code)] $variant,)*
        }
        impl Code {
            pub const ALL: &[Code] = &[$(Code::$variant),*];

            pub fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $code),* }
            }
            /// One sentence: what has happened.
            pub fn meaning(self) -> &'static str {
                match self { $(Code::$variant => $meaning),* }
            }
            /// What to do about it; NAME stands for the credential.
            pub fn advice(self) -> &'static str {
                match self { $(Code::$variant => $hint),* }
            }
        }
        impl FromStr for Code {
            type Err = UnknownCode;
            fn from_str(text: &str) -> Result<Self, UnknownCode> {
                match text { $($code => Ok(Code::$variant),)* _ => Err(UnknownCode) }
            }
        }
    };
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no notice has this code")]
pub struct UnknownCode;

codes! {
    RotationAnnounced "rotation-announced": "The vendor has said when it will rotate the key.",
        do "nothing: the rehearsal has tried everything that the rotation needs";
    Rotated "rotated": "A rotation is complete: the new key is in the store and every consumer was brought to it.",
        do "nothing";
    AccountRecorded "account-recorded": "The key that was found in the store is alive and its account is recorded.",
        do "nothing, or pin the account in the configuration so that a first key may come by mail";
    Unseeded "unseeded": "The store holds no key for this credential, and no confirmation was found.",
        do "put the current key in by hand: keyrelay ingest NAME";
    KeyDead "key-dead": "The vendor refuses the current key.",
        do "fetch the key from the vendor's dashboard: keyrelay ingest NAME";
    KeyUnclear "key-unclear": "The vendor's answers do not say whether the current key works.",
        do "look whether the vendor is down; nothing is changed until its answers are clear";
    RotationOverdue "rotation-overdue": "A rotation was announced or is due, and no confirmation was found.",
        do "look for the mail (also in Junk), or fetch the key from the dashboard: keyrelay ingest NAME";
    MailSuspicious "mail-suspicious": "A mail pretends to come from the vendor; it was not used.",
        do "nothing, unless you expected it: keyrelay explain shows what was wrong with it";
    MailUnparsed "mail-unparsed": "A genuine confirmation was found, but no key could be taken out of it.",
        do "read the key out of the mail or the dashboard: keyrelay ingest NAME";
    MailInJunk "mail-in-junk": "A genuine mail of the vendor was filed as junk; it was used all the same.",
        do "tell the mail server that the vendor's mails are wanted, before it deletes one";
    MailWaiting "mail-waiting": "A confirmation cannot be judged, because its DKIM key cannot be looked up.",
        do "mend the resolver (dns.servers); the mail is looked at again by itself";
    CandidateHeld "candidate-held": "A key is held: it could not be proven to be alive, of this account and newer.",
        do "look at it, then let it in: keyrelay accept NAME FINGERPRINT";
    CandidateRefused "candidate-refused": "A key was refused: it is of another account, or another credential holds it.",
        do "find out who sent it; the right key goes in with: keyrelay ingest NAME";
    CandidateDead "candidate-dead": "A new key was received and the vendor refuses it.",
        do "compare it with the dashboard; it is tried again until the deadline";
    ProbeBlind "probe-blind": "The vendor calls a random key alive: its answers prove nothing, and promotions stop.",
        do "look at the vendor's status; a change of its API needs a new profile";
    StoreUnreachable "store-unreachable": "The store does not answer.",
        do "bring it back; keys that arrive meanwhile are spooled and promoted by themselves";
    StoreSealed "store-sealed": "The store is sealed.",
        do "unseal it; keys that arrive meanwhile are spooled and promoted by themselves";
    StoreLoginRefused "store-login-refused": "The store does not let keyrelay in: its login is refused, or its token has ended.",
        do "give it a login that works; it is tried again by itself, and keys that arrive meanwhile are spooled";
    StoreLoginExpiring "store-login-expiring": "What keyrelay logs in to the store with ends soon, or has lost its use already.",
        do "put a new token, secret-id or certificate in its place";
    StoreForbidden "store-forbidden": "The store forbids what keyrelay must do there.",
        do "mend the policy; it is tried again by itself";
    StoreRefused "store-refused": "The store answers, and refuses.",
        do "read its reason; it is tried again by itself";
    StoreForeign "store-foreign": "Somebody else wrote to the key's field what is not proven to be a key of ours; nothing was overwritten.",
        do "put the right key in: keyrelay ingest NAME";
    StoreReverted "store-reverted": "Somebody put an earlier key back into the store; the newer one is safe in the spool.",
        do "bring the newer key back: keyrelay accept NAME FINGERPRINT";
    StoreAdopted "store-adopted": "Somebody else wrote a new key to the store; it is alive and ours, and was adopted.",
        do "nothing, if that was you";
    DocumentDeleted "document-deleted": "The key's document in the store was deleted.",
        do "undelete it in the store, or put the key in: keyrelay ingest NAME";
    StateRebuilt "state-rebuilt": "keyrelay's own notes about a credential were missing and were rebuilt.",
        do "nothing, unless you removed them";
    StateRefused "state-refused": "keyrelay's own notes about a credential cannot be read by this version.",
        do "install the version that wrote them; nothing is changed until then";
    KeySpooled "key-spooled": "A new key waits in the spool, because it could not be promoted yet.",
        do "mend what the other notices say; it is promoted by itself";
    SpoolFailed "spool-failed": "A key could not be written to the spool: this process or a mailbox holds its only copy.",
        do "make room in the spool's folder; do not stop keyrelay, do not delete mails";
    SpoolLost "spool-lost": "A file in the spool cannot be opened: it is damaged, or was written with another spool key.",
        do "give keyrelay the spool key that wrote it, or fetch the key from the dashboard: keyrelay ingest NAME";
    RolledBack "rolled-back": "An operator went back to the key before the current one; the newer key is held, and the earlier one will die.",
        do "mend what was wrong with the newer key, then let it in again: keyrelay accept NAME FINGERPRINT";
    Observing "observing": "Some credentials are only observed: keyrelay changes nothing of theirs.",
        do "nothing while somebody else rotates them; else set observe: false, then: systemctl reload keyrelay";
    RotationObserved "rotation-observed": "A new key has come and was proven; keyrelay only observes, and somebody else must put it into the store.",
        do "see that it gets there, or let keyrelay do it: set observe: false, then: systemctl reload keyrelay";
    ConsumerUnproven "consumer-unproven": "A consumer was not shown to work with the current key.",
        do "look at the consumer, then: keyrelay prove NAME";
    ConsumerFailed "consumer-failed": "The key could not be delivered to a consumer, or its action failed.",
        do "mend what the message says, then: keyrelay deliver NAME";
    ConsumerWrongKey "consumer-wrong-key": "A consumer works with another key than the current one, though the current one was delivered.",
        do "restart the consumer, then: keyrelay prove NAME";
    ConsumerDrifted "consumer-drifted": "Somebody changed a consumer's copy of the key; it was written again.",
        do "find out what writes there";
    RehearsalFailed "rehearsal-failed": "Something that the coming rotation needs does not work now.",
        do "mend it before the rotation, then: keyrelay prove NAME";
    KeyExpiring "key-expiring": "The current key ends at a known time, and no new one has come.",
        do "have a new one made as the notice says, then: keyrelay ingest NAME";
    ExpiryOutdated "expiry-outdated": "The expiry in the configuration is that of an earlier key.",
        do "correct credentials.NAME.expires_at or leave it out, then: systemctl reload keyrelay";
    RotationDue "rotation-due": "The time that was set for a new key has come, or comes soon.",
        do "make one in the vendor's dashboard, then: keyrelay ingest NAME";
    RevokeOldKey "revoke-old-key": "Every consumer works with the new key, and the old one works until somebody revokes it.",
        do "revoke the old key in the vendor's dashboard, and only that: the notice says which it is";
    ProbeWrote "probe-wrote": "A probe that the vendor must refuse was let through: it may have written something, and is not sent again.",
        do "delete what it made, and correct vendors.NAME.probe, then: systemctl reload keyrelay";
    OldKeyAlive "old-key-alive": "The old key still works after the end of its grace.",
        do "nothing for a while; look at the dashboard if it stays so";
    OldKeyDied "old-key-died": "The old key is dead before its time: the vendor ended the grace early, or somebody revoked it.",
        do "look at the consumers that are not tested yet: keyrelay status NAME";
    MailboxUnreachable "mailbox-unreachable": "A mailbox cannot be read.",
        do "bring the mail server back; it is tried again by itself";
    MailboxRefused "mailbox-refused": "A mailbox refuses the login.",
        do "correct user and password, then reload: systemctl reload keyrelay";
    MailboxTokenUnsaved "mailbox-token-unsaved": "A mailbox's new refresh token could not be written to the store.",
        do "mend what the message says; it is written by itself, and the mailbox is read meanwhile";
    MailTooLarge "mail-too-large": "A mail that may be the vendor's is too large to be read.",
        do "read it yourself; its key goes in with: keyrelay ingest NAME";
    MailBroken "mail-broken": "keyrelay died twice over a mail, and does not open it again.",
        do "read it yourself; its key goes in with: keyrelay ingest NAME";
    MailNotTidied "mail-not-tidied": "A confirmation whose rotation is over could not be moved or deleted; it is still in the mailbox.",
        do "mend what the server says (keyrelay doctor tries it), or correct mailboxes.NAME.settled";
    MailCopies "mail-copies": "The confirmation of the current key lay in the watched folders more than once.",
        do "nothing, unless something that you do not know of makes the copies";
    ClockSkewed "clock-skewed": "This machine's clock differs from the vendor's or the store's by minutes.",
        do "mend the clock (timedatectl); no deadline is declared passed meanwhile";
    ConfigRefused "config-refused": "The new configuration has mistakes; the old one stays in force.",
        do "mend them (keyrelay check), then reload: systemctl reload keyrelay";
    AlertsFailing "alerts-failing": "Alert mails cannot be sent.",
        do "mend the SMTP server or its login; they are sent by themselves then";
    WebhookFailing "webhook-failing": "The webhook does not take the notices.",
        do "mend alerts.webhook or its receiver; they are posted by themselves then";
    HeartbeatFailing "heartbeat-failing": "The heartbeat cannot be delivered: whoever listens for it will raise an alarm.",
        do "mend alerts.heartbeat or its receiver; it is tried again by itself";
    AlertsDropped "alerts-dropped": "A notice was given up: too many waited, or its receiver refused it again and again.",
        do "look at everything that is open: keyrelay status";
    AlertsUnsaved "alerts-unsaved": "The notices that wait cannot be written to the state directory: a crash would lose them.",
        do "make room in the state directory, or correct its rights; it is tried again by itself";
    AlertsLost "alerts-lost": "The file with the notices that waited could not be read; it was set aside.",
        do "look at everything that is open: keyrelay status";
    NoticesSummedUp "notices-summed-up": "More notices came up in an hour than are mailed one by one; one mail names them all.",
        do "look at everything that is open: keyrelay status";
    WeeklyDigest "weekly-digest": "What went well since the last digest, and what comes next.",
        do "nothing";
    RotationBlocked "rotation-blocked": "A rotation that was due could not begin: something that it needs is not ready.",
        do "mend what the message says; it is tried again, or: keyrelay rotate NAME";
    RotationFailed "rotation-failed": "The vendor's API was asked for a new key, and has made none as far as is known.",
        do "mend what the message says, then: keyrelay rotate NAME";
    KeyLost "key-lost": "The vendor's API has issued a new key whose answer was lost, and the old key is dead.",
        do "make another key in the vendor's dashboard: keyrelay ingest NAME; revoke the lost one";
    AnswerUnreadable "answer-unreadable": "The vendor's answer to the call for a new key cannot be read; it is kept in the spool.",
        do "correct rotation.call in the vendor's profile, then reload; or fetch a key from the dashboard: keyrelay ingest NAME";
    DaemonDown "daemon-down": "keyrelay itself is down, and systemd does not start it again: nobody watches the keys.",
        do "look why (journalctl -u keyrelay), then start it: systemctl start keyrelay";
    Bug "bug": "keyrelay found itself in a state that should not exist, and stopped working on this credential.",
        do "report the message, then restart it: systemctl restart keyrelay";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What becomes of good news by mail. Bad news and their ends are always mailed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GoodNews {
    /// A mail for each.
    #[default]
    Each,
    /// One mail a week.
    Weekly,
    Off,
}

/// One line of a notice's table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsumerLine {
    pub name: ConsumerName,
    pub level: ProofLevel,
    pub wanted: ProofLevel,
    /// When that was shown; `None`: never with the current key.
    pub at: Option<Timestamp>,
    pub error: Option<String>,
}

/// A list under a heading of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// Without a colon.
    pub heading: String,
    pub lines: Vec<String>,
}

/// One thing an operator must read: a step of an incident, or good news.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Names the incident for ever: its mails form one thread. Hex, the same after a restart.
    pub incident: String,
    /// 0 is the first mail of the incident; the ladder and *resolved* count on.
    pub step: u32,
    pub code: Code,
    pub severity: Severity,
    pub resolved: bool,
    /// Nothing is wrong, and nothing was: whoever wants to hear of trouble alone does not miss it.
    pub good_news: bool,
    pub credential: Option<CredentialName>,
    pub since: Timestamp,
    pub at: Timestamp,
    /// Until when something can be done about it.
    pub until: Option<Timestamp>,
    /// What is wrong; one sentence without a full stop.
    pub message: String,
    /// What it will break.
    pub breaks: Option<String>,
    /// What keyrelay did and will do.
    pub doing: Option<String>,
    /// What to type, complete; one command or sentence a line.
    pub hint: String,
    pub next_mail_at: Option<Timestamp>,
    /// What a list says better than a sentence.
    #[serde(default)]
    pub sections: Vec<Section>,
    pub consumers: Vec<ConsumerLine>,
    /// How often it was seen (refused mails of one cause are one incident).
    pub count: u32,
    pub rotation_id: Option<RotationId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back_and_explains_itself() {
        for code in Code::ALL {
            assert_eq!(code.as_str().parse(), Ok(*code));
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
            assert!(code.meaning().ends_with('.'), "{code}");
            assert!(!code.advice().is_empty() && !code.advice().ends_with('.'), "{code}");
        }
        assert_eq!("no-such-code".parse::<Code>(), Err(UnknownCode));
    }
}
