//! How a simulated vendor misbehaves: plain knobs, drawn with a seed.

use super::rotate::RotationFault;
use std::time::Duration;

/// What is wrong with the vendor. Percentages are of all requests (of all new keys for `late`), drawn one by one. By
/// default it is [`Faults::nasty`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults {
    /// 429 without a reason.
    pub limited_percent: u8,
    /// 500 or 502 with a web page, or 503 with JSON.
    pub failing_percent: u8,
    /// The connection is reset after the request was done.
    pub reset_percent: u8,
    /// The new key works only `late_by` after it was made. (Where there is no grace, none works meanwhile.)
    pub late_percent: u8,
    pub late_by: Duration,
    /// What a 429 or 503 says in `Retry-After`; `None`: what the vendor documents.
    pub retry_after: Option<String>,
    pub mode: Mode,
    /// What becomes of a call that rotates.
    pub rotation: RotationFault,
    /// What LeafPad makes of a body that holds no document.
    pub unfit_body: UnfitBody,
}

/// LeafPad does not document it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnfitBody {
    /// 422 with JSON.
    Unprocessable,
    /// 400 with JSON.
    BadRequest,
    /// 415 with JSON.
    UnsupportedMediaType,
    /// 200: there is one more document, and it is empty.
    Written,
}

/// What every request meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The documented answers.
    Truthful,
    /// 200 with a web page.
    WebPage,
    /// 302 to somebody else's login page.
    CaptivePortal,
    /// Every third request is refused, whatever its key.
    Flapping,
    /// 403 with the text that does not concern the key.
    DiscordNotLinked,
    /// The vendor is blind: any key gets 200.
    EverybodyAlive,
    /// Any key is refused.
    EverybodyDead,
    /// No answer ever comes.
    Silent,
    /// 503 with JSON.
    Unavailable,
    /// 402 to a live key: the account's credits are used up (Leadey).
    CreditsTooLow,
    /// 403 to a live key: it may not have what it asks for.
    NotAllowed,
}

impl Faults {
    /// As documented.
    pub fn none() -> Self {
        Self {
            limited_percent: 0,
            failing_percent: 0,
            reset_percent: 0,
            late_percent: 0,
            late_by: Duration::from_secs(3),
            retry_after: None,
            mode: Mode::Truthful,
            rotation: RotationFault::None,
            unfit_body: UnfitBody::Unprocessable,
        }
    }

    /// The noise that every rotation has to live with.
    pub fn nasty() -> Self {
        Self { limited_percent: 5, failing_percent: 5, reset_percent: 2, late_percent: 5, ..Self::none() }
    }

    /// Every new key works only so long after its rotation.
    pub fn late_by(late_by: Duration) -> Self {
        Self { late_percent: 100, late_by, ..Self::none() }
    }
}

impl Default for Faults {
    fn default() -> Self {
        Self::nasty()
    }
}

impl From<RotationFault> for Faults {
    fn from(rotation: RotationFault) -> Self {
        Self { rotation, ..Self::none() }
    }
}

impl From<UnfitBody> for Faults {
    fn from(unfit_body: UnfitBody) -> Self {
        Self { unfit_body, ..Self::none() }
    }
}

impl From<Mode> for Faults {
    fn from(mode: Mode) -> Self {
        Self { mode, ..Self::none() }
    }
}

/// SplitMix64: the same seed draws the same world again. Not for secrets, and there are none here.
#[derive(Debug, Clone)]
pub(in crate::demo) struct Dice(u64);

impl Dice {
    pub(in crate::demo) fn new(seed: u64) -> Self {
        Self(seed)
    }
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
    /// True so many times of a hundred.
    pub(in crate::demo) fn percent(&mut self, percent: u8) -> bool {
        self.next() % 100 < u64::from(percent)
    }
}
