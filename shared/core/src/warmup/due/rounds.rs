//! A mailbox's rounds: the instants at which it is looked into whatever is expected (decision 32).
//!
//! A person looks into their mailbox now and then and does several things at once. So does a mailbox here: every half hour while it
//! has working hours and sends, else every hour, at a minute that follows from its id. What it does with a mail ([`engage`]) is put off
//! to a *sitting*, the round at that minute: so opening, flagging and filing need neither an entry in the due index nor a login of their
//! own, and what a mailbox has done is one instant, that of its last sitting. Mails are moved at every third sitting only, because moving
//! wants the mailbox to oneself.
//!
//! [`engage`]: crate::warmup::engage

use jiff::Timestamp;

use crate::ids::AccountId;
use crate::seed::scattered;
use crate::time::{ceil_second, shifted};
use crate::warmup::day::Window;

/// Minutes between the rounds of a mailbox in its busy hours. A divisor of an hour, and a multiple of the looks' three minutes.
pub const BUSY_MINUTES: u8 = 30;

/// Minutes between the rounds of every other mailbox, and between anybody's sittings.
const IDLE_MINUTES: u8 = 60;

const SITTING_SECONDS: i64 = IDLE_MINUTES as i64 * 60;

/// Between the sittings at which mails are filed: a multiple of those between sittings that divides a day.
const FILING_SECONDS: i64 = 3 * SITTING_SECONDS;

/// How often a mailbox is looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// It sends, and these are its hours.
    Busy,
    /// Once an hour.
    Idle,
}

impl Pace {
    /// Minutes between two rounds.
    const fn minutes(self) -> u8 {
        match self {
            Self::Busy => BUSY_MINUTES,
            Self::Idle => IDLE_MINUTES,
        }
    }
}

/// The minute of the hour, 0–59, at which a mailbox has its hourly round.
pub fn minute_of(account: AccountId) -> u8 {
    u8::try_from(scattered(account.as_uuid().as_u128()) % 60).unwrap_or(0)
}

/// Whether a mailbox has a round in this minute of the hour, 0–59.
pub fn is_in(minute: u8, account: AccountId, pace: Pace) -> bool {
    minute % pace.minutes() == minute_of(account) % pace.minutes()
}

/// The first sitting of a mailbox at or after `at`: a round, whatever its pace.
pub fn sitting_at_or_after(account: AccountId, at: Timestamp) -> Timestamp {
    on_grid(account, at, SITTING_SECONDS)
}

/// The first sitting at or after `at` at which mails are filed.
pub fn filing_at_or_after(account: AccountId, at: Timestamp) -> Timestamp {
    on_grid(account, at, FILING_SECONDS)
}

/// Whether a round at `now` is a sitting: a round may come late, but not so late that it is the next one.
pub fn is_sitting(account: AccountId, now: Timestamp) -> bool {
    let round = shifted(now, -i64::from(BUSY_MINUTES) * 60);
    sitting_at_or_after(account, shifted(round, 1)) <= now
}

/// Whether a mailbox whose next or last hours are these sums up its day at a sitting at `now` whatever it finds there: from the planning of
/// that day on, until two sittings after the hours in which it sends. By then what the last mails came to is known, as a rule.
pub fn sums_up(hours: Window, now: Timestamp) -> bool {
    now < shifted(hours.end, 2 * SITTING_SECONDS)
}

/// The first instant at or after `at` that lies a multiple of `every` seconds from the mailbox's minute. Hours of UTC begin at multiples of
/// 3,600 s since the epoch.
pub(super) fn on_grid(account: AccountId, at: Timestamp, every: i64) -> Timestamp {
    let at = ceil_second(at);
    let past = (at.as_second() - i64::from(minute_of(account)) * 60).rem_euclid(every);
    let to_go = if past == 0 { 0 } else { every - past };
    shifted(at, to_go)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::time::seconds_between;
    use crate::warmup::samples::account_id;

    #[test]
    fn busy_mailboxes_have_a_round_every_half_hour_and_others_every_hour() {
        for n in 0..300 {
            let account = account_id(n);
            let rounds = |pace| {
                let minutes = 0..60;
                minutes
                    .filter(|minute| is_in(*minute, account, pace))
                    .count()
            };
            assert_eq!((rounds(Pace::Busy), rounds(Pace::Idle)), (2, 1));
            assert!(is_in(minute_of(account), account, Pace::Busy));
        }
        let minutes: BTreeSet<_> = (0..600).map(|n| minute_of(account_id(n))).collect();
        assert_eq!(minutes.len(), 60, "all minutes are used");
    }

    #[test]
    fn two_sittings_after_the_hours_of_a_mailbox_sum_up_whatever_they_find() {
        let at = |hour: i8| Timestamp::from_second(1_773_360_000 + i64::from(hour) * 3600).unwrap();
        let hours = Window {
            start: at(8),
            end: at(18),
        };
        for n in 0..300 {
            let sittings = (3..24).map(|hour| sitting_at_or_after(account_id(n), at(hour)));
            let summed: Vec<_> = sittings.filter(|it| sums_up(hours, *it)).collect();
            let before = summed.iter().filter(|sitting| **sitting < hours.end);
            assert_eq!((before.count(), summed.len()), (15, 17));
        }
    }

    proptest! {
        #[test]
        fn the_next_sitting_is_a_round_that_the_roster_has(n in 0_u64..10_000, ms in 0_i64..4_000_000_000_000) {
            let account = account_id(n);
            let at = Timestamp::from_millisecond(ms).unwrap();
            let sitting = sitting_at_or_after(account, at);
            prop_assert!(sitting >= at && seconds_between(at, sitting) <= 3600);
            prop_assert_eq!(sitting.as_millisecond() % 60_000, 0);
            let minute = u8::try_from(sitting.as_second() / 60 % 60).unwrap();
            prop_assert!([Pace::Busy, Pace::Idle].iter().all(|pace| is_in(minute, account, *pace)));
            prop_assert_eq!(sitting_at_or_after(account, sitting), sitting);
            // An instant at which mail is looked for, too.
            prop_assert_eq!(on_grid(account, sitting, super::super::LOOK_GRID_SECONDS), sitting);

            let filing = filing_at_or_after(account, at);
            prop_assert!(filing >= at && seconds_between(at, filing) <= 3 * 3600);
            prop_assert_eq!(sitting_at_or_after(account, filing), filing);
        }

        #[test]
        fn one_round_an_hour_is_a_sitting_however_late_it_comes(n in 0_u64..10_000, late in 0_i64..1800) {
            let account = account_id(n);
            let first = sitting_at_or_after(account, Timestamp::from_second(1_773_396_000).unwrap());
            let rounds = [0, 30, 60].map(|minutes| is_sitting(account, shifted(first, minutes * 60 + late)));
            prop_assert_eq!(rounds, [true, false, true]);
        }
    }
}
