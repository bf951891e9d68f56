//! What a window of an account's days proves (decisions 22 and 23).
//!
//! A rate alone proves nothing: one bounce of two mails is 50 %. So each rule asks for a share *and* for numbers behind it. Shares are
//! compared by multiplication, so a window in which nothing was accepted and much bounced (a server that refuses unknown recipients
//! at once accepts nothing, decision 30) counts as bouncing, though x/0 is 0 in the reputation.

use jiff::civil::Date;

use crate::account::Warmup;
use crate::rate::{Rate, Score};
use crate::time::Zone;
use crate::warmup::day::DayFigures;
use crate::warmup::thresholds as at;
use crate::warmup::volume::PastDay;

/// The figures of several days, summed up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Days on which mail was tried.
    pub sending_days: usize,
    /// Mails accepted.
    pub sent: u32,
    /// Mails bounced.
    pub bounced: u32,
    /// Mails that landed in spam.
    pub spammed: u32,
}

impl Evidence {
    /// The days of `history` through `through` that count, oldest first: those since the last resume, or else since the start. Of the resume's
    /// own day only the mails that came after it: what the mails before it came to is often known only when the mailbox is read again.
    pub fn since_resume(
        warmup: &Warmup,
        zone: &Zone,
        history: &[PastDay],
        through: Date,
    ) -> Vec<PastDay> {
        let since = zone.date_of(warmup.resumed_at.unwrap_or(warmup.started_at));
        let mut days: Vec<_> = history
            .iter()
            .filter(|day| since <= day.date && day.date <= through)
            .map(|day| match (warmup.resumed_at, day.since_resume) {
                (Some(resumed_at), Some(after)) if after.since == resumed_at => PastDay {
                    figures: after.figures,
                    ..*day
                },
                (Some(_), _) if day.date == since => PastDay {
                    figures: DayFigures::default(),
                    ..*day
                },
                _ => *day,
            })
            .collect();
        days.sort_unstable_by_key(|day| day.date);
        days
    }

    /// The last 7 sending days among `days` (oldest first), beginning no earlier than `not_before`.
    pub fn of_last_sending_days(days: &[PastDay], not_before: Option<Date>) -> Self {
        let counted = days
            .iter()
            .rev()
            .filter(|day| not_before.is_none_or(|first| first <= day.date))
            .filter(|day| day.is_sending_day())
            .take(at::RATE_WINDOW_SENDING_DAYS);
        Self::sum(counted)
    }

    /// All sending days among `days` from `since` on.
    pub fn of_all_since(days: &[PastDay], since: Date) -> Self {
        Self::sum(
            days.iter()
                .filter(|day| since <= day.date && day.is_sending_day()),
        )
    }

    fn sum<'a>(days: impl Iterator<Item = &'a PastDay>) -> Self {
        days.fold(Self::default(), |sum, day| Self {
            sending_days: sum.sending_days + 1,
            sent: sum.sent.saturating_add(day.figures.sent),
            bounced: sum.bounced.saturating_add(day.figures.bounced),
            spammed: sum.spammed.saturating_add(day.figures.spammed),
        })
    }

    /// The share of bounces; all, when there are bounces and nothing was accepted.
    pub fn bounce_rate(&self) -> Rate {
        Rate::of(self.bounced, self.sent.max(self.bounced))
    }

    /// The share of mails that landed in spam.
    pub fn spam_rate(&self) -> Rate {
        Rate::of(self.spammed, self.sent.max(self.spammed))
    }

    /// Whether the account is to be suspended.
    pub fn demands_suspension(&self) -> bool {
        self.bounce_rate() > at::SUSPENSION_BOUNCE_RATE
            && self.bounced >= at::SUSPENSION_MIN_BOUNCES
    }

    /// Whether the account is to cool down.
    pub fn demands_cooldown(&self) -> bool {
        let enough = |events: u32| {
            events >= at::COOLDOWN_CERTAIN_EVENTS
                || events >= at::COOLDOWN_MIN_EVENTS && self.sent >= at::COOLDOWN_MIN_SENT
        };
        self.bounce_rate() > at::COOLDOWN_BOUNCE_RATE && enough(self.bounced)
            || self.spam_rate() > at::COOLDOWN_SPAM_RATE && enough(self.spammed)
    }

    /// Whether the moderate reduction applies.
    pub fn demands_reduction(&self) -> bool {
        let rate = self.bounce_rate();
        at::REDUCTION_BOUNCE_RATE < rate
            && rate <= at::COOLDOWN_BOUNCE_RATE
            && self.sent >= at::REDUCTION_MIN_SENT
    }

    /// Whether a cooldown that these days are all of has done its work.
    pub fn shows_recovery(&self) -> bool {
        self.sending_days >= at::RECOVERY_MIN_SENDING_DAYS
            && self.sent >= at::RECOVERY_MIN_SENT
            && self.bounce_rate() <= at::RECOVERY_BOUNCE_RATE
            && self.spam_rate() <= at::RECOVERY_SPAM_RATE
    }

    /// Whether a day that ends with these rates and `reputation` counts towards graduation.
    pub fn permits_graduation(&self, reputation: Score) -> bool {
        self.bounce_rate() <= at::GRADUATION_BOUNCE_RATE
            && self.spam_rate() <= at::GRADUATION_SPAM_RATE
            && reputation.get() >= at::GRADUATION_REPUTATION
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::warmup::day::FiguresSince;
    use crate::warmup::samples::{self, at};

    fn evidence(sent: u32, bounced: u32, spammed: u32) -> Evidence {
        Evidence {
            sending_days: 5,
            sent,
            bounced,
            spammed,
        }
    }

    fn day(on: i8, sent: u32, bounced: u32) -> PastDay {
        PastDay {
            date: date(2026, 3, on),
            figures: DayFigures {
                sent,
                bounced,
                ..DayFigures::default()
            },
            since_resume: None,
            cut_short: false,
        }
    }

    #[test]
    fn thresholds_are_exact_at_their_edges() {
        // sent, bounced, spammed → reduction, cooldown, suspension.
        for (sent, bounced, spammed, expected) in [
            // Bounces: 3 %, just over, 5 %, just over, 8 %, just over.
            (100, 3, 0, "..."),
            (99, 3, 0, "R.."),
            (100, 5, 0, "R.."),
            (99, 5, 0, ".C."),
            (100, 8, 0, ".C."),
            (99, 8, 0, ".CS"),
            // Too few sends or events.
            (19, 1, 0, "..."),
            (20, 1, 0, "R.."),
            (20, 2, 0, ".C."),
            (19, 2, 0, "..."),
            (19, 3, 0, ".CS"),
            (1, 2, 0, "..."),
            (3, 3, 0, ".CS"),
            // Nothing accepted, everything bounced.
            (0, 2, 0, "..."),
            (0, 3, 0, ".CS"),
            // Spam: 3 %, just over; too few.
            (100, 0, 3, "..."),
            (99, 0, 3, ".C."),
            (20, 0, 1, "..."),
            (20, 0, 2, ".C."),
            (19, 0, 2, "..."),
            (5, 0, 3, ".C."),
            (0, 0, 0, "..."),
        ] {
            let it = evidence(sent, bounced, spammed);
            let letters: String = [
                (it.demands_reduction(), 'R'),
                (it.demands_cooldown(), 'C'),
                (it.demands_suspension(), 'S'),
            ]
            .map(|(demanded, letter)| if demanded { letter } else { '.' })
            .iter()
            .collect();
            assert_eq!(
                letters, expected,
                "{sent} sent, {bounced} bounced, {spammed} spam"
            );
        }
    }

    #[test]
    fn recovery_and_graduation_have_their_own() {
        let recovered = |days, sent, bounced, spammed| {
            Evidence {
                sending_days: days,
                ..evidence(sent, bounced, spammed)
            }
            .shows_recovery()
        };
        assert!(recovered(3, 10, 0, 0) && recovered(3, 100, 3, 2));
        assert!(!recovered(2, 100, 0, 0) && !recovered(3, 9, 0, 0));
        assert!(!recovered(3, 99, 3, 0) && !recovered(3, 99, 0, 2));

        let graduates = |bounced, spammed, reputation| {
            evidence(100, bounced, spammed).permits_graduation(Score::clamped(reputation))
        };
        assert!(graduates(3, 2, 70.0));
        assert!(!graduates(4, 0, 100.0) && !graduates(0, 3, 100.0) && !graduates(0, 0, 69.9));
    }

    #[test]
    fn the_window_has_seven_sending_days_and_begins_at_the_resume() {
        let mut warmup = samples::warmup(20, date(2026, 3, 20));
        let utc = Zone::utc();
        // The 3rd to the 20th; nothing was sent on the 14th and 15th.
        let mut history: Vec<_> = (3..=20)
            .map(|on| day(on, if on == 14 || on == 15 { 0 } else { 10 }, 0))
            .collect();
        let window = |warmup: &Warmup, history: &[PastDay], not_before| {
            let days = Evidence::since_resume(warmup, &utc, history, date(2026, 3, 19));
            Evidence::of_last_sending_days(&days, not_before)
        };
        let all = window(&warmup, &history, None);
        assert_eq!((all.sending_days, all.sent), (7, 70));
        let recent = window(&warmup, &history, Some(date(2026, 3, 13)));
        assert_eq!((recent.sending_days, recent.sent), (5, 50));

        let resumed_at = at("2026-03-18T12:00:00Z");
        warmup.resumed_at = Some(resumed_at);
        history[15].since_resume = Some(FiguresSince {
            since: resumed_at,
            figures: day(18, 4, 0).figures,
        });
        let resumed = window(&warmup, &history, None);
        assert_eq!((resumed.sending_days, resumed.sent), (2, 14));
    }

    #[test]
    fn a_resume_forgets_what_its_own_date_saw_before() {
        let mut warmup = samples::warmup(20, date(2026, 3, 18));
        let mut bad = day(18, 4, 4);
        warmup.resumed_at = Some(at("2026-03-18T12:00:00Z"));
        // Nobody has summed up since, or only since an earlier resume.
        let seen = |bad: PastDay| {
            let days = Evidence::since_resume(&warmup, &Zone::utc(), &[bad], bad.date);
            Evidence::of_last_sending_days(&days, None)
        };
        assert_eq!(seen(bad), Evidence::default());
        bad.since_resume = Some(FiguresSince {
            since: at("2026-03-18T11:00:00Z"),
            figures: bad.figures,
        });
        assert_eq!(seen(bad), Evidence::default());
    }
}
