//! The end of a day: explain every planned mail, settle the figures.
//!
//! Runs when the next day is planned, and again until the day is closed 24 h after its end (decision 24). Whatever the due index or a
//! queue lost is found here, because the plan and the receipts say what should have happened: a planned mail without a slot becomes
//! `Skipped`, and so does an answer, unless it may still move to another day; a claim nobody finished becomes in doubt. So a day always
//! adds up: planned = sent + explained.

use std::sync::Arc;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};

use agentwarm_core::account::Account;
use agentwarm_core::ids::{AccountId, SlotId};
use agentwarm_core::mail::message_id;
use agentwarm_core::mail::receipt::Receipt;
use agentwarm_core::mail::slot::{SkipReason, Slot, SlotKind, SlotState};
use agentwarm_core::time::DaySpan;
use agentwarm_core::warmup::day::DayPlan;
use agentwarm_core::warmup::due::{DueEntry, DueKind};
use agentwarm_core::warmup::engage;
use agentwarm_core::warmup::figures::unclaimed;
use agentwarm_core::warmup::reputation;

use super::figures::{DayBooks, Figures};
use super::{EngineError, compose, file, settling};
use crate::ports::clock::Clock;
use crate::ports::days::{AccountRef, DayRow, Plans, Slots};
use crate::ports::due::DueIndex;
use crate::ports::{Created, Replaced};

/// How long after its end a day's figures still change: answers are booked on the day of the mail they answer.
pub const OPEN_AFTER_END: SignedDuration = SignedDuration::from_hours(24);

/// How many days back an open day is looked for, where no day was closed yet.
const LOOKBACK_DAYS: i32 = 60;

/// The ports of this part.
#[derive(Clone)]
pub struct Closing {
    /// Plans and rows.
    pub plans: Arc<dyn Plans>,
    /// Mails.
    pub slots: Arc<dyn Slots>,
    /// Searches for mails in doubt.
    pub due: Arc<dyn DueIndex>,
    /// Sums.
    pub figures: Figures,
    /// Leases of claims are wall-clock.
    pub clock: Arc<dyn Clock>,
}

impl Closing {
    /// Brings every day before `today` that is still open up to date and closes those whose time has come; true if none is left open.
    pub async fn close_before(
        &self,
        account: &Account,
        today: Date,
        now: Timestamp,
    ) -> Result<bool, EngineError> {
        let owner = AccountRef::of(account);
        let earliest = today.saturating_sub(LOOKBACK_DAYS.days());
        // Days are closed in their order, so all up to the last one in the totals are.
        let first = account.totals_through.map_or(earliest, |through| {
            earliest.max(through.saturating_add(1.day()))
        });
        let yesterday = today.saturating_sub(1.day());
        let mut all_closed = true;
        for row in self.plans.days(owner, first, yesterday).await? {
            if !row.closed {
                all_closed &= self.close(owner, row, account, now).await?;
            }
        }
        Ok(all_closed)
    }

    async fn close(
        &self,
        owner: AccountRef,
        row: DayRow,
        account: &Account,
        now: Timestamp,
    ) -> Result<bool, EngineError> {
        let span = row.span(&account.zone);
        if now < span.end {
            // Where hours begin at midnight the day is judged on its own evening, after its last mail: by its figures as they are then, not
            // as they were at the last sitting.
            self.figures.refresh(account, row.date, now).await?;
            return Ok(false);
        }
        let plan = self.plans.plan(owner, row.date).await?;
        let mut books = self.figures.books(account, span, now).await?;
        if self.explain(account, plan.as_ref(), &books, now).await? {
            books = self.figures.books(account, span, now).await?;
        }
        self.write(owner, row, &books, span, now).await
    }

    /// Gives every mail of the day a fate; true if that changed anything.
    async fn explain(
        &self,
        account: &Account,
        plan: Option<&DayPlan>,
        books: &DayBooks,
        now: Timestamp,
    ) -> Result<bool, EngineError> {
        let mut changed = false;
        if let Some(plan) = plan {
            let lost = unclaimed(plan, &books.slots);
            for planned in plan
                .slots
                .iter()
                .filter(|planned| lost.contains(&planned.id))
            {
                let lost = Lost {
                    id: planned.id,
                    recipient: planned.target,
                    kind: SlotKind::Thread,
                    at: planned.at,
                };
                let slot = never_claimed(account, plan.span.date, &lost, now);
                changed |= self.slots.create(&slot).await? == Created::Done;
            }
        }
        for receipt in &books.to_answer {
            changed |= self.explain_answer(account, receipt, books, now).await?;
        }
        for slot in &books.slots {
            changed |= self.unstick(slot, now).await?;
        }
        Ok(changed)
    }

    /// The same for one answer. One that may still leave is ordered anew: its claim moves it, or says why not (decision 21).
    async fn explain_answer(
        &self,
        account: &Account,
        receipt: &Receipt,
        books: &DayBooks,
        now: Timestamp,
    ) -> Result<bool, EngineError> {
        let Some(reply) = receipt.engagement.reply else {
            return Ok(false);
        };
        if books.slots.iter().any(|slot| slot.id == reply.slot) {
            return Ok(false);
        }
        let kind = SlotKind::Reply {
            answers: receipt.slot,
        };
        if now < engage::patience_ends(receipt) {
            let order = DueKind::Send {
                sender: account.id,
                slot: reply.slot,
                target: receipt.sender,
                slot_kind: kind,
            };
            let entry = DueEntry {
                at: now,
                user: account.user,
                kind: order,
            };
            file(self.due.as_ref(), &[entry], now).await?;
            return Ok(false);
        }
        let lost = Lost {
            id: reply.slot,
            recipient: receipt.sender,
            kind,
            at: reply.at,
        };
        let slot = never_claimed(account, account.zone.date_of(reply.at), &lost, now);
        Ok(self.slots.create(&slot).await? == Created::Done)
    }

    /// Settles what nobody will: a claim whose claimer died, an attempt that no order comes for, a mail whose receiver could not be looked
    /// into when its last search was due.
    async fn unstick(&self, slot: &Slot, now: Timestamp) -> Result<bool, EngineError> {
        let mut events = Vec::new();
        let state = match &slot.state {
            SlotState::Claimed { lease_until, .. } if *lease_until <= self.clock.wall() => {
                file(self.due.as_ref(), &settling::searches(slot, now), now).await?;
                SlotState::InDoubt {
                    since: now,
                    checks: 0,
                }
            }
            SlotState::InDoubt { since, .. } if settling::is_overdue(*since, now) => {
                if self.was_received(slot).await? {
                    events.push(settling::accepted(slot, now));
                    let at = slot.message_date;
                    SlotState::Accepted { at }
                } else {
                    events.push(settling::given_up(slot, now));
                    SlotState::Unknown { at: now }
                }
            }
            SlotState::Retry { .. } => SlotState::Skipped {
                at: now,
                reason: SkipReason::ServerUnavailable,
            },
            _ => return Ok(false),
        };
        let slot = Slot {
            state,
            version: slot.version + 1,
            ..slot.clone()
        };
        Ok(self.slots.replace(&slot, events).await? == Replaced::Done)
    }

    async fn was_received(&self, slot: &Slot) -> Result<bool, EngineError> {
        let receiver = AccountRef {
            user: slot.user,
            account: slot.recipient,
        };
        Ok(self
            .figures
            .receipts
            .get(receiver, slot.id)
            .await?
            .is_some())
    }

    async fn write(
        &self,
        owner: AccountRef,
        row: DayRow,
        books: &DayBooks,
        span: DaySpan,
        now: Timestamp,
    ) -> Result<bool, EngineError> {
        let unsettled = books.slots.iter().any(|slot| !slot.state.is_final())
            || books
                .to_answer
                .iter()
                .any(|it| may_still_move(it, books, now));
        let closed = now.duration_since(span.end) >= OPEN_AFTER_END && !unsettled;
        let reputation = reputation::reputation(&books.figures);
        let after = DayRow {
            figures: books.figures,
            since_resume: books.since_resume,
            closed,
            cut_short: row.cut_short || books.slots.iter().any(is_our_fault),
            reputation: (books.figures.sent > 0).then_some(reputation),
            version: row.version + 1,
            ..row.clone()
        };
        if (DayRow {
            version: row.version,
            ..after.clone()
        }) == row
        {
            return Ok(closed);
        }
        match self.plans.replace_day(owner, &after).await? {
            Replaced::Done => Ok(closed),
            Replaced::Stale => Err(EngineError::Held("the day")),
        }
    }
}

/// Whether an answer of the day has no fate yet that its claim will give it.
fn may_still_move(receipt: &Receipt, books: &DayBooks, now: Timestamp) -> bool {
    receipt.engagement.reply.is_some_and(|reply| {
        now < engage::patience_ends(receipt) && books.slots.iter().all(|it| it.id != reply.slot)
    })
}

/// Whether a planned mail was not sent because it came too late or never: an outage does that, and no server that would not have it. An
/// answer that came too late only moved.
fn is_our_fault(slot: &Slot) -> bool {
    let SlotState::Skipped { reason, .. } = slot.state else {
        return false;
    };
    slot.kind == SlotKind::Thread
        && matches!(reason, SkipReason::OutsideHours | SkipReason::NotHandedOut)
}

/// A mail that nobody ever claimed.
struct Lost {
    id: SlotId,
    recipient: AccountId,
    kind: SlotKind,
    at: Timestamp,
}

/// Its slot.
fn never_claimed(account: &Account, date: Date, lost: &Lost, now: Timestamp) -> Slot {
    Slot {
        id: lost.id,
        user: account.user,
        sender: account.id,
        recipient: lost.recipient,
        date,
        kind: lost.kind,
        scheduled_at: lost.at,
        message_id: message_id::of_slot(lost.id, account.email.domain()).into(),
        message_date: lost.at,
        position: compose::unsent(lost.id),
        state: SlotState::Skipped {
            at: now,
            reason: SkipReason::NotHandedOut,
        },
        spammed_at: None,
        complained_at: None,
        version: 0,
    }
}
