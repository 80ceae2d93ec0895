//! How long a token is good for, and when it is to be renewed. It goes by what the last login or renewal gave, never by
//! what a standby may say.

use std::time::{Duration, Instant};
use vaultrs::api::AuthInfo;

#[derive(Debug, Clone, Copy)]
pub(super) struct Lease {
    /// `None`: long ago.
    from: Option<Instant>,
    length: Duration,
    /// The longest that was given for this token.
    full: Duration,
    /// How long after `from` it is to be renewed; `None`: never.
    due: Option<Duration>,
    renewable: bool,
}

impl Lease {
    /// To be renewed at once: nothing is known of it yet.
    pub const DUE: Self = Self {
        from: None,
        length: Duration::ZERO,
        full: Duration::ZERO,
        due: Some(Duration::ZERO),
        renewable: true,
    };

    /// What a login or a renewal that was sent at `from` gave; `None` where the token does not end. Renewed at two
    /// thirds, so that a store that is away for a while costs no login.
    pub fn of(auth: &AuthInfo, from: Instant, former: Option<Lease>) -> Option<Self> {
        let length = Duration::from_secs(auth.lease_duration);
        let full = former.map_or(length, |lease| lease.full.max(length));
        let due = Some(length * 2 / 3);
        (!length.is_zero()).then_some(Self { from: Some(from), length, full, due, renewable: auth.renewable })
    }

    pub fn is_renewable(self) -> bool {
        self.renewable
    }
    pub fn is_due(self) -> bool {
        self.due.is_some_and(|due| self.from.is_none_or(|from| from.elapsed() >= due))
    }
    pub fn is_over(self) -> bool {
        self.left().is_some_and(|left| left.is_zero())
    }
    /// How long the token is good for; `None`: nobody knows.
    pub fn left(self) -> Option<Duration> {
        Some(self.length.saturating_sub(self.from?.elapsed()))
    }
    pub fn due_in(self) -> Option<Duration> {
        Some(self.due?.saturating_sub(self.from?.elapsed()))
    }

    /// A renewal that gives less than half has met the end of the token's longest life.
    pub fn is_lasting(self) -> bool {
        self.length >= self.full / 2
    }
    /// A renewal that gives less than was given before (to us, or at the token's making) has come near the end of the
    /// token's longest life, and shows it.
    pub fn is_cut(self, given: Duration) -> bool {
        self.from.is_some() && self.length + Duration::from_secs(2) < self.full.max(given)
    }

    /// It could not be renewed, and is used to its end.
    pub fn never_due(self) -> Self {
        Self { due: None, renewable: false, ..self }
    }
    /// What was due failed; it is due again when half of what is left has passed.
    pub fn due_later(self) -> Self {
        let half = self.left().unwrap_or_default() / 2;
        Self { due: self.from.map_or(self.due, |from| Some(from.elapsed() + half)), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auth(secs: u64) -> AuthInfo {
        serde_json::from_value(serde_json::json!({
            "client_token": "", "accessor": "", "policies": [], "token_policies": [], "metadata": null,
            "lease_duration": secs, "renewable": true, "entity_id": "", "token_type": "service", "orphan": true
        }))
        .unwrap()
    }
    fn given(secs: u64, secs_ago: u64) -> Lease {
        let from = Instant::now().checked_sub(Duration::from_secs(secs_ago)).unwrap();
        Lease::of(&auth(secs), from, None).unwrap()
    }

    #[test]
    fn a_lease_is_due_at_two_thirds_and_an_endless_one_never() {
        assert!(Lease::of(&auth(0), Instant::now(), None).is_none());
        assert!(!given(90, 30).is_due());
        assert!(given(90, 60).is_due());
        assert!(Lease::DUE.is_due());
        assert!(!given(90, 60).never_due().is_due());
    }

    #[test]
    fn what_failed_is_due_again_when_half_of_the_rest_has_passed_and_never_after_its_end() {
        let postponed = given(90, 60).due_later();
        assert!(!postponed.is_due());
        assert!(postponed.due_in().unwrap() <= Duration::from_secs(15));
        assert!(postponed.due_in().unwrap() > Duration::from_secs(14));
        assert!(given(90, 90).is_over());
        assert!(!given(90, 80).is_over());
        assert!(!Lease::DUE.is_over());
    }

    #[test]
    fn a_renewal_that_gives_less_shows_the_end_of_the_longest_life() {
        let renewed = |secs| Lease::of(&auth(secs), Instant::now(), Some(given(90, 60))).unwrap();
        assert!(!renewed(90).is_cut(Duration::ZERO) && renewed(90).is_cut(Duration::from_secs(95)));
        assert!(renewed(45).is_cut(Duration::ZERO) && renewed(45).is_lasting());
        assert!(!renewed(44).is_lasting());
    }
}
