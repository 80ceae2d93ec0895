//! Everything that can go wrong, each by its name; and which of it does in one run.
//!
//! Summer time is none of it: every deadline is a moment in UTC, and a schedule in local time comes as an event.

use super::{HOUR, MIN, chance::Chance};
use std::collections::{BTreeMap, BTreeSet};

/// How a fault comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Now and then at what it concerns.
    Call,
    /// For some time.
    Window,
    /// At drawn moments.
    Moment,
    /// A property of a rotation.
    Trait,
}

macro_rules! faults {
    ($($variant:ident $kind:ident $words:literal;)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault { $($variant,)* }
        impl Fault {
            pub const ALL: &[Fault] = &[$(Fault::$variant),*];
            pub fn kind(self) -> Kind {
                match self { $(Fault::$variant => Kind::$kind),* }
            }
            pub fn words(self) -> &'static str {
                match self { $(Fault::$variant => $words),* }
            }
        }
    };
}

faults! {
    Kill Call "process killed at an effect";
    LateWrite Call "a dead process' write lands";
    Stop Moment "process told to stop";
    Suspend Moment "machine suspended";
    ClockForward Moment "clock set forward";
    ClockBack Moment "clock set back";
    ClockYears Moment "clock years off";
    Boots1970 Moment "machine starts in 1970";
    Reload Moment "configuration loaded again";
    SlowAnswer Call "an answer takes seconds";
    Sealed Window "store sealed";
    StoreAway Window "store away";
    StoreForbids Window "store forbids";
    StoreRefuses Call "store refuses one write";
    AnswerLost Call "write done, answer lost";
    WriteLost Call "write lost, nobody knows";
    StaleRead Call "store read is stale";
    OtherField Moment "another writer, another field";
    ForeignNewest Moment "another writer, newest key";
    ForeignValue Moment "another writer, no key of ours";
    Reverted Moment "another writer, old key back";
    Deleted Moment "key document deleted";
    NotesLost Moment "state document gone";
    VendorDown Window "vendor answers 5xx";
    TooMany Call "vendor answers 429";
    Html Call "vendor answers a page";
    Flap401 Call "vendor refuses a live key";
    Blind Window "vendor lets every key in";
    EmptyAccount Window "vendor shows no project";
    LateActivation Trait "new key works late";
    EarlyEnd Trait "old key dies early";
    LongGrace Trait "old key lives on";
    NextSoon Trait "next rotation at once";
    MailLate Trait "confirmation comes late";
    MailLost Trait "confirmation never comes";
    MailTwice Trait "confirmation comes again";
    MailJunk Trait "confirmation in Junk";
    MailUnread Trait "confirmation of a new form";
    MailUnsigned Trait "unsigned copy of it first";
    WarningLost Trait "warning never comes";
    WarningLate Trait "warning after confirmation";
    ForeignMail Moment "another account's mail";
    ForgedMail Moment "forged mail";
    OldMail Moment "an old confirmation again";
    MailsGone Moment "mails deleted by somebody";
    NewUids Moment "mailbox numbered anew";
    DnsAway Window "name server away";
    MailboxAway Window "mail server away";
    LoginRefused Window "mail login refused";
    MailboxBusy Call "mail server busy";
    IdleDead Window "no push from mail server";
    SpoolFull Window "no room in the spool";
    DiskFull Window "no room for alerts";
    SmtpAway Window "SMTP server away";
    SmtpRefuses Call "SMTP server refuses a mail";
    DeliverFails Call "delivery fails";
    ActFails Call "action fails";
    ActLies Call "action says done, is not";
    Silent Window "consumer is silent";
    OldKeyBack Moment "consumer restarts, old key";
    CopyChanged Moment "consumer's copy changed";
    NoRehearsal Window "rehearsal fails";
    PastesWrong Moment "operator pastes a wrong key";
    PastesForeign Moment "operator pastes a foreign key";
    PastesOld Moment "operator pastes an old key";
    PastesNewest Moment "operator pastes the new key";
    Accepts Moment "operator accepts what is held";
    RollsBack Moment "operator goes back";
    Hints Moment "consumer says 401";
    Redelivers Moment "operator delivers again";
}

/// What goes wrong in one run.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    pub on: BTreeSet<Fault>,
    pub windows: BTreeMap<Fault, Vec<(i64, i64)>>,
    pub one_in: BTreeMap<Fault, u64>,
    pub moments: Vec<(i64, Fault)>,
}

/// How long a window is at most; few are long, because a store that is away is asked every ten seconds.
const LENGTHS: &[i64] = &[MIN, 20 * MIN, 20 * MIN, 3 * HOUR, 3 * HOUR, 3 * HOUR, 14 * HOUR, 30 * HOUR];

impl Plan {
    /// Of twelve runs one is calm; the others have few faults, or many. All end before `end`.
    pub fn draw(chance: &mut Chance, end: i64) -> Self {
        let mut plan = Self::default();
        let share = chance.pick(&[0, 6, 6, 10, 10, 10, 20, 20, 30, 30, 45, 70]);
        for fault in Fault::ALL.iter().copied().filter(|_| share > 0) {
            if chance.below(100) >= share {
                continue;
            }
            plan.on.insert(fault);
            match fault.kind() {
                Kind::Call => _ = plan.one_in.insert(fault, chance.pick(&[3, 12, 60, 300])),
                Kind::Trait => _ = plan.one_in.insert(fault, chance.pick(&[1, 2])),
                Kind::Window => {
                    for _ in 0..=chance.below(2) {
                        let from = chance.between(0, end - HOUR);
                        let length = chance.pick(LENGTHS);
                        let until = (from + chance.between(1, length)).min(end);
                        plan.windows.entry(fault).or_default().push((from, until));
                    }
                }
                Kind::Moment => {
                    for _ in 0..=chance.below(3) {
                        plan.moments.push((chance.between(MIN, end - MIN), fault));
                    }
                }
            }
        }
        // A machine that is killed at every third effect gets nowhere, and shows nothing.
        plan.one_in.entry(Fault::Kill).and_modify(|many| *many *= 10);
        plan
    }
}
