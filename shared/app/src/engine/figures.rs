//! The figures of a day: recomputed from slots and receipts, written absolutely.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use agentwarm_core::account::Account;
use agentwarm_core::ids::SlotId;
use agentwarm_core::mail::receipt::{PlannedReply, Receipt};
use agentwarm_core::mail::slot::Slot;
use agentwarm_core::time::{DaySpan, MOST_CLOCK_SKEW_SECONDS, shifted};
use agentwarm_core::warmup::day::{DayFigures, FiguresSince};
use agentwarm_core::warmup::figures::{Fates, day_figures};
use agentwarm_core::warmup::thresholds::MISSING_AFTER_HOURS;

use super::EngineError;
use crate::ports::days::{AccountRef, DayRow, Plans, Receipts, Slots};
use crate::ports::mailboxes::MailboxReads;
use crate::ports::{Replaced, StoreError};

/// How long before a day its mails may have been planned.
#[derive(Debug, Clone, Copy)]
struct Lookback {
    /// Its own: an answer that was due before midnight and left after it.
    slots: SignedDuration,
    /// Those that it received.
    receipts: SignedDuration,
    /// Whether it is asked what happened after the day: answers that left later, mails that nobody has found.
    aftermath: bool,
}

impl Lookback {
    /// Whatever happened: an outage, a weekend in doubt. What a day is closed with.
    const WHATEVER: Self = Self {
        slots: SignedDuration::from_hours(24),
        receipts: SignedDuration::from_hours(3 * 24),
        aftermath: true,
    };

    /// When nothing is wrong: mails of before midnight. While the day runs its figures are computed every hour, and the days before it would
    /// be most of what is read for that.
    const USUAL: Self = Self {
        slots: SignedDuration::from_hours(2),
        receipts: SignedDuration::from_hours(2),
        aftermath: false,
    };
}

/// How often a refresh tries again when the row changes under it.
const ATTEMPTS: u32 = 4;

/// Computes and refreshes figures.
#[derive(Clone)]
pub struct Figures {
    /// Day rows.
    pub plans: Arc<dyn Plans>,
    /// Sent mails.
    pub slots: Arc<dyn Slots>,
    /// Received mails.
    pub receipts: Arc<dyn Receipts>,
    /// How far mailboxes are with what is to be done with them.
    pub mailboxes: Arc<dyn MailboxReads>,
}

/// A day's mails and what they amount to.
pub struct DayBooks {
    /// The account's own mails of the day.
    pub slots: Vec<Slot>,
    /// What it received on it.
    pub receipts: Vec<Receipt>,
    /// What it was to answer on it, whenever that was received.
    pub to_answer: Vec<Receipt>,
    /// The sums.
    pub figures: DayFigures,
    /// Those of the mails after the account's last resume, if that lies in the day.
    pub since_resume: Option<FiguresSince>,
}

impl Figures {
    /// Reads a day's mails and sums them up as of `now`, whatever happened to them.
    pub async fn books(
        &self,
        account: &Account,
        day: DaySpan,
        now: Timestamp,
    ) -> Result<DayBooks, StoreError> {
        self.books_since(account, day, now, Lookback::WHATEVER)
            .await
    }

    async fn books_since(
        &self,
        account: &Account,
        day: DaySpan,
        now: Timestamp,
        lookback: Lookback,
    ) -> Result<DayBooks, StoreError> {
        let owner = AccountRef::of(account);
        let until = SlotId::first_at(day.end);
        // A mail of after midnight may have been found before it, by a reader whose clock is behind that of the scheduler.
        let receipts_until = SlotId::first_at(shifted(day.end, 2 * MOST_CLOCK_SKEW_SECONDS));
        let slots_from = SlotId::first_at(before(day.start, lookback.slots));
        let receipts_from = SlotId::first_at(before(day.start, lookback.receipts));
        let (slots, receipts, mailbox) = futures::future::try_join3(
            self.slots.between(owner, slots_from, until),
            self.receipts.between(owner, receipts_from, receipts_until),
            self.mailboxes.state(owner),
        )
        .await?;
        let received_today = receipts.iter().filter(|receipt| receipt.date == day.date);
        let mut answers: BTreeSet<_> = slots
            .iter()
            .filter(|slot| slot.state.accepted_at().is_some())
            .map(|slot| slot.id)
            .collect();
        if lookback.aftermath {
            let later = received_today.filter_map(|receipt| receipt.engagement.reply);
            let later = later.filter(|reply| day.end <= reply.at && reply.at <= now);
            answers.extend(self.accepted(owner, later).await?);
        }
        let slots: Vec<_> = slots
            .into_iter()
            .filter(|slot| slot.date == day.date)
            .collect();
        let to_answer = receipts
            .iter()
            .filter(|receipt| {
                let reply = receipt.engagement.reply;
                reply.is_some_and(|reply| day.contains(reply.at))
            })
            .cloned()
            .collect();
        let receipts: Vec<_> = receipts
            .into_iter()
            .filter(|receipt| receipt.date == day.date)
            .collect();
        let found = if lookback.aftermath {
            self.found(owner, &slots, now).await?
        } else {
            BTreeSet::new()
        };
        let fates = Fates {
            found,
            answers,
            engaged_through: mailbox.engaged_through,
        };
        let figures = day_figures(day.date, &slots, &receipts, &fates, now);
        let resumed_at = account.warmup.as_ref().and_then(|it| it.resumed_at);
        let resumed_at = resumed_at.filter(|at| day.contains(*at));
        let since_resume = resumed_at.map(|since| {
            let later = slots.iter().filter(|slot| since <= slot.message_date);
            let later: Vec<_> = later.cloned().collect();
            FiguresSince {
                since,
                figures: day_figures(day.date, &later, &[], &fates, now),
            }
        });
        Ok(DayBooks {
            slots,
            receipts,
            to_answer,
            figures,
            since_resume,
        })
    }

    /// Which of these answers were accepted: a few, that moved to a later day.
    async fn accepted(
        &self,
        owner: AccountRef,
        answers: impl Iterator<Item = PlannedReply>,
    ) -> Result<Vec<SlotId>, StoreError> {
        let mut accepted = Vec::new();
        for answer in answers {
            let slot = self.slots.written(owner, answer.slot).await?;
            accepted.extend(
                slot.filter(|it| it.state.accepted_at().is_some())
                    .map(|it| it.id),
            );
        }
        Ok(accepted)
    }

    /// Which mails their receivers have seen; asked only of those old enough to be missing.
    async fn found(
        &self,
        owner: AccountRef,
        slots: &[Slot],
        now: Timestamp,
    ) -> Result<BTreeSet<SlotId>, StoreError> {
        let old: Vec<_> = slots
            .iter()
            .filter(|slot| {
                let accepted = slot.state.accepted_at();
                accepted.is_some_and(|at| now.duration_since(at).as_hours() >= MISSING_AFTER_HOURS)
            })
            .map(|slot| (slot.recipient, slot.id))
            .collect();
        if old.is_empty() {
            return Ok(BTreeSet::new());
        }
        Ok(self
            .receipts
            .found(owner.user, &old)
            .await?
            .into_iter()
            .collect())
    }

    /// `rows` with the running day's figures as they are now: for whoever looks at this one account. Lists show what was summed up last.
    pub(crate) async fn with_today(
        &self,
        account: &Account,
        mut rows: Vec<DayRow>,
        now: Timestamp,
    ) -> Result<Vec<DayRow>, StoreError> {
        for row in &mut rows {
            if row.span(&account.zone).contains(now) && !row.closed {
                *row = self.so_far(account, row, now).await?;
            }
        }
        Ok(rows)
    }

    /// The row with what became of its day as far as usual mails go. What lies beyond the day is for its closing, and stays as it is known.
    async fn so_far(
        &self,
        account: &Account,
        row: &DayRow,
        now: Timestamp,
    ) -> Result<DayRow, StoreError> {
        let day = row.span(&account.zone);
        let books = self.books_since(account, day, now, Lookback::USUAL).await?;
        let figures = DayFigures {
            replied: books.figures.replied.max(row.figures.replied),
            missing: row.figures.missing,
            ..books.figures
        };
        Ok(DayRow {
            figures,
            since_resume: books.since_resume,
            ..row.clone()
        })
    }

    /// Brings a day's row up to date as far as usual mails go, unless it is closed: it is closed with the whole truth. `None`: that day was
    /// never planned.
    pub async fn refresh(
        &self,
        account: &Account,
        date: Date,
        now: Timestamp,
    ) -> Result<Option<DayRow>, EngineError> {
        let owner = AccountRef::of(account);
        for _ in 0..ATTEMPTS {
            let Some(row) = self.plans.days(owner, date, date).await?.into_iter().next() else {
                return Ok(None);
            };
            if row.closed {
                return Ok(Some(row));
            }
            let summed = self.so_far(account, &row, now).await?;
            if summed == row {
                return Ok(Some(row));
            }
            let row = DayRow {
                version: row.version + 1,
                ..summed
            };
            if self.plans.replace_day(owner, &row).await? == Replaced::Done {
                return Ok(Some(row));
            }
        }
        Err(EngineError::Contended(ATTEMPTS))
    }
}

fn before(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_sub(by).unwrap_or(Timestamp::MIN)
}
