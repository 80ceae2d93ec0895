//! Every constant of design.md §5 in one value. No configuration key sets them; `demo` and load runs pass scaled
//! ones and print them.

use std::time::Duration;

const SEC: Duration = Duration::from_secs(1);
const MIN: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// The numbers that others took years to learn. `Default` is the documented set.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// The deadline lies before the end of grace by this, or by `deadline_margin_part` of the grace if shorter.
    pub deadline_margin: Duration,
    /// One part in so many of the grace (a twentieth).
    pub deadline_margin_part: u32,
    /// A mailed key that is not promoted so long after it was read is spooled.
    pub spool_after: Duration,
    /// A verdict older than this is renewed before a promotion.
    pub verdict_fresh: Duration,
    /// Old and new key are asked for their account within this time of each other.
    pub account_together: Duration,
    /// So many agreeing answers make the current key *dead* …
    pub dead_answers: u32,
    /// … over at least this time; two that judge a call whose answer was lost are as far apart.
    pub dead_over: Duration,
    /// A random key of the same shape is tried once per origin and this time.
    pub control_every: Duration,
    /// Requests an hour and origin that are meant to fail.
    pub failing_per_hour: u32,
    /// The daemon uses one part in so many of a vendor's rate limit.
    pub vendor_limit_part: u32,
    /// Operators' own calls to a vendor use one part in so many of it, the daemon's included.
    pub call_limit_part: u32,
    /// While handing over, the old key is asked this often.
    pub old_key_probe: Duration,
    /// An unclear current key on first look is told after this time.
    pub unclear_told_after: Duration,
    /// An announced or due rotation that was not confirmed so much later is an incident.
    pub unconfirmed_after: Duration,
    /// A consumer that answers with another key so long after delivery is told.
    pub wrong_key_after: Duration,
    /// A silent consumer is told of after one part in so many of the grace, then when 1/2, 1/4, 1/12 and 1/24 are left.
    pub silent_part: u32,
    /// The ladder: what is left of the grace, as one part in so many.
    pub ladder_parts: [u32; 4],
    /// Back-off begins here …
    pub backoff_min: Duration,
    /// … and ends at the larger of this …
    pub backoff_cap_min: Duration,
    /// … and the smaller of this and `backoff_left_part` of the time left.
    pub backoff_cap_max: Duration,
    pub backoff_left_part: u32,
    /// A Date or a clock so far from ours is refused or told.
    pub clock_skew: Duration,
    /// Done mails that a credential's state remembers, by fingerprint or Message-ID.
    pub remembered_mails: usize,
    /// Candidates and held keys that are kept per credential; more are told of and left in the mailbox.
    pub candidates: usize,
    /// Mails of notices an hour, ladder steps excepted. One in `summaries_part` of them may be a mail that sums up.
    pub notices_per_hour: u32,
    pub summaries_part: u32,
    /// Notices that wait for their receiver, each way out by itself; beyond it the oldest of the least weight is given up.
    pub queued_notices: usize,
    /// Notices that are remembered as told, so that a restart tells none of them twice.
    pub remembered_notices: usize,
    /// A notice that its receiver refused for good is offered once more after this, so many times in all.
    pub refused_retry: Duration,
    pub refused_tries: u32,
    /// The weekly digest goes out this long after the week's beginning (Monday, 00:00 UTC).
    pub digest_at: Duration,
    pub digest_every: Duration,
    /// Lines of a list in a mail; more are counted.
    pub listed: usize,
    /// A copy that somebody puts back is healed so many times a day.
    pub heals_per_day: u32,
    /// Mailboxes are searched back to at least this long ago.
    pub mailbox_window: Duration,
    /// Of a mail larger than this only the header is read, in bytes.
    pub mail_bytes_max: usize,
    /// A mail whose headers or parts nest deeper is not parsed.
    pub mail_depth_max: usize,
    /// IDLE is issued anew this often.
    pub idle_renew: Duration,
    /// A lost mailbox is opened again after at most this …
    pub mailbox_retry_max: Duration,
    /// … and so many times at most …
    pub mailbox_reopens: u32,
    /// … in any time of this length: servers count connections.
    pub mailbox_reopens_in: Duration,
    /// A server that lets nobody in for a while is asked again after this.
    pub mailbox_busy_retry: Duration,
    /// A connection is renewed so long before its access token ends.
    pub token_renew_before: Duration,
    /// A mailbox that refused the login is tried again this often: more would lock accounts.
    pub login_retry: Duration,
    /// What the store lets keyrelay in with is told of when one part in so many of its life is left …
    pub login_told_part: u32,
    /// … or so much, if that is more and in the second half of its life.
    pub login_told_left: Duration,
    /// Of a longer life only this much, its end, counts: nobody needs a month to put in a new one.
    pub login_life_max: Duration,
    /// A secret-id is told of when it is good for so many more logins.
    pub login_told_uses: u32,
    /// Every read from a mail server ends after this.
    pub mail_read_timeout: Duration,
    /// A probe, a proof or a store call ends after this.
    pub request_timeout: Duration,
    /// A command of a consumer is killed after this.
    pub command_timeout: Duration,
    /// A unit's restart or reload is given up on after this: systemd's own limits for a stop and a start together.
    pub unit_job: Duration,
    /// A unit must be active, with the same main process, for so long after it.
    pub unit_watch: Duration,
    /// A mail's delivery to the SMTP server ends after this.
    pub smtp_timeout: Duration,
    /// The largest answer that is read, in bytes.
    pub answer_bytes_max: usize,
    /// How long a command of the operator waits for consumers.
    pub operator_wait: Duration,
    /// Where there are two daemons: one that has renewed its lease may hold itself for the active one so long, by its
    /// own clock; others take over when they have seen no new version for so long, by theirs.
    pub lease: Duration,
    /// With less than this left of its lease, the active one starts nothing outside the store.
    pub lease_margin: Duration,
    /// The lease is renewed this often …
    pub lease_renew: Duration,
    /// … looked at by the others this often …
    pub lease_look: Duration,
    /// … and after a failure tried again this soon.
    pub lease_retry: Duration,
    /// A call about the lease is given up after this: whether it was done is then looked up.
    pub lease_call: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            deadline_margin: 5 * MIN,
            deadline_margin_part: 20,
            spool_after: 5 * SEC,
            verdict_fresh: 5 * MIN,
            account_together: MIN,
            dead_answers: 3,
            dead_over: MIN,
            control_every: DAY,
            failing_per_hour: 10,
            vendor_limit_part: 10,
            call_limit_part: 2,
            old_key_probe: MIN,
            unclear_told_after: 15 * MIN,
            unconfirmed_after: HOUR,
            wrong_key_after: 5 * MIN,
            silent_part: 24,
            ladder_parts: [2, 4, 12, 24],
            backoff_min: SEC,
            backoff_cap_min: 10 * SEC,
            backoff_cap_max: 5 * MIN,
            backoff_left_part: 20,
            clock_skew: 5 * MIN,
            remembered_mails: 64,
            candidates: 16,
            notices_per_hour: 20,
            summaries_part: 5,
            queued_notices: 500,
            remembered_notices: 1_000,
            refused_retry: HOUR,
            refused_tries: 4,
            digest_at: 8 * HOUR,
            digest_every: 7 * DAY,
            listed: 50,
            heals_per_day: 3,
            mailbox_window: 14 * DAY,
            mail_bytes_max: 1 << 20,
            mail_depth_max: 32,
            idle_renew: 5 * MIN,
            mailbox_retry_max: MIN,
            mailbox_reopens: 3,
            mailbox_reopens_in: MIN,
            mailbox_busy_retry: 15 * MIN,
            token_renew_before: 5 * MIN,
            login_retry: 15 * MIN,
            login_told_part: 4,
            login_told_left: DAY,
            login_life_max: 32 * DAY,
            login_told_uses: 3,
            mail_read_timeout: 30 * SEC,
            request_timeout: 10 * SEC,
            command_timeout: 30 * SEC,
            unit_job: 3 * MIN,
            unit_watch: 10 * SEC,
            smtp_timeout: MIN,
            answer_bytes_max: 64 << 10,
            operator_wait: MIN,
            lease: 15 * SEC,
            lease_margin: 5 * SEC,
            lease_renew: 3 * SEC,
            lease_look: 2 * SEC,
            lease_retry: SEC,
            lease_call: 3 * SEC,
        }
    }
}

impl Limits {
    /// The call that makes a new key ends after this, longer than other requests: its answer is the only copy.
    pub fn rotate_timeout(&self) -> Duration {
        3 * self.request_timeout
    }

    /// The deadline of a grace that ends at a known time: its end less `deadline_margin`, or less a twentieth of
    /// the grace where that is shorter.
    pub fn margin(&self, grace: Duration) -> Duration {
        self.deadline_margin.min(grace / self.deadline_margin_part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_margin_is_five_minutes_or_a_twentieth_whichever_is_shorter() {
        let limits = Limits::default();
        assert_eq!(limits.margin(DAY), 5 * MIN);
        assert_eq!(limits.margin(HOUR), 3 * MIN);
        assert_eq!(limits.margin(20 * SEC), SEC);
    }
}
