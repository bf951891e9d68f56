//! Plans as they are made, and days as they are closed.

use std::collections::{BTreeMap, BTreeSet};

use agentwarm_app::ports::days::{AccountRef, DayRow};
use agentwarm_core::account::{Account, AccountStatus};
use agentwarm_core::ids::{AccountId, SlotId};
use agentwarm_core::mail::receipt::Receipt;
use agentwarm_core::mail::slot::{SkipReason, Slot, SlotState};
use agentwarm_core::plan::Plan;
use agentwarm_core::warmup::calendar::LastPlanned;
use agentwarm_core::warmup::check::{CheckContext, check_plan};
use agentwarm_core::warmup::day::{DayFigures, DayPlan};
use agentwarm_core::warmup::reputation;
use agentwarm_core::warmup::volume::plan_allowance;
use agentwarm_testkit::memory::look::Look;
use agentwarm_testkit::world::EngineWorld;
use jiff::{SignedDuration, Timestamp};

use super::{Meanwhile, Watch};

impl Watch {
    /// Every new plan keeps what plans promise.
    pub(super) fn plans(&mut self, world: &EngineWorld, wrong: &mut Vec<String>) {
        let look = world.store.look();
        let new: Vec<DayPlan> = look
            .plans()
            .filter(|plan| !self.plans_seen.contains(&(reference(plan), plan.span.date)))
            .cloned()
            .collect();
        for plan in new {
            self.plans_seen.insert((reference(&plan), plan.span.date));
            let eligible = look
                .accounts()
                .filter(|account| self.took_mail(&look, account, world.now()))
                .map(|account| account.id)
                .collect();
            let context = CheckContext {
                eligible: &eligible,
                previous: self.planned.get(&plan.account).copied(),
                plan_allowance: plan_allowance(Plan::Pro, 1),
                test_mode: None,
            };
            let broken = check_plan(&plan, &context);
            wrong.extend(
                broken
                    .iter()
                    .map(|it| format!("plan of {} for {}: {it}", plan.account, plan.span.date)),
            );
            for slot in &plan.slots {
                self.expect(plan.account, slot.id, slot.at);
            }
            self.planned.insert(
                plan.account,
                LastPlanned {
                    date: plan.span.date,
                    start: plan.span.start,
                },
            );
        }
    }

    /// Whether a plan of this minute may have an account for a partner. What happened to it in this very minute, by
    /// the clock of whom it happened to, may have come after the plan.
    fn took_mail(&self, look: &Look<'_>, account: &Account, now: Timestamp) -> bool {
        let receives = matches!(
            account.status,
            AccountStatus::Warming | AccountStatus::Active
        );
        let is_suppressed = || look.is_suppressed(account.user, account.email.as_str(), now);
        (receives || account.updated_at >= now - self.skew)
            && !(self.suppressed.contains(&account.id) && is_suppressed())
    }

    /// Every day that was closed in this minute adds up: planned = sent + explained, and its figures are what its mails say.
    pub(super) fn closed_days(
        &mut self,
        world: &EngineWorld,
        meanwhile: &Meanwhile,
        wrong: &mut Vec<String>,
    ) {
        let look = world.store.look();
        for (owner, row) in look.days().filter(|(_, row)| row.closed) {
            if !self.closed.insert((owner, row.date)) {
                continue;
            }
            Self::adds_up(&look, owner, row, wrong);
            // What happened in this very minute may have come before or after the closing.
            let now = world.now();
            let minute_ago = now - SignedDuration::from_secs(1);
            let nothing = Meanwhile::default();
            let sat = look.mailbox(owner).and_then(|it| it.engaged_through);
            let sat_before = self.engaged.get(&owner).copied();
            let mut ways = Vec::new();
            let (slots, after, before) =
                (&nothing.slots, &meanwhile.slots, &meanwhile.slots_before);
            let fates = [
                (slots, slots),
                (after, after),
                (slots, before),
                (after, before),
            ];
            for (slots, answers) in fates {
                for receipts in [&nothing.receipts, &meanwhile.receipts] {
                    // The clock of whoever wrote it may be ahead.
                    for at in [now, minute_ago, now + self.skew] {
                        ways.extend([sat, sat_before].map(|sat| Then {
                            at,
                            sat,
                            receipts,
                            slots,
                            answers,
                        }));
                    }
                }
            }
            let counted = ways.iter().map(|then| counted(&look, owner, row, then));
            let counted: Vec<_> = counted.collect();
            if !counted.contains(&row.figures) {
                wrong.push(format!(
                    "{} of {}: closed with {:?}, counted {:?}",
                    row.date, owner.account, row.figures, counted[0]
                ));
            }
            let score = (row.figures.sent > 0).then(|| reputation::reputation(&row.figures));
            if row.reputation != score {
                wrong.push(format!(
                    "{} of {}: reputation {:?} instead of {score:?}",
                    row.date, owner.account, row.reputation
                ));
            }
        }
    }

    fn adds_up(look: &Look<'_>, owner: AccountRef, row: &DayRow, wrong: &mut Vec<String>) {
        let date = row.date;
        let Some(plan) = look.plan(owner, date) else {
            wrong.push(format!(
                "{date} of {} is closed without a plan",
                owner.account
            ));
            return;
        };
        let slots: Vec<&Slot> = look
            .slots()
            .filter(|slot| slot.sender == owner.account && slot.date == date)
            .collect();
        let explained: BTreeSet<_> = slots.iter().map(|slot| slot.id).collect();
        for planned in &plan.slots {
            if !explained.contains(&planned.id) {
                let elsewhere = look.slot(owner, planned.id).map(|slot| slot.date);
                wrong.push(format!(
                    "{date} of {}: nobody knows what became of {} ({elsewhere:?})",
                    owner.account, planned.id
                ));
            }
        }
        let open = slots.iter().filter(|slot| !slot.state.is_final());
        wrong.extend(open.map(|slot| {
            format!(
                "{date} of {} is closed with {:?}",
                owner.account, slot.state
            )
        }));
    }
}

fn reference(plan: &DayPlan) -> AccountRef {
    AccountRef {
        user: plan.user,
        account: plan.account,
    }
}

/// What whoever closed a day may have seen of it.
struct Then<'a> {
    /// Nothing later.
    at: Timestamp,
    /// When the mailbox had sat last.
    sat: Option<Timestamp>,
    /// Receipts that were not as they are now.
    receipts: &'a BTreeMap<(AccountId, SlotId), Option<Receipt>>,
    /// The same of slots.
    slots: &'a BTreeMap<(AccountId, SlotId), Slot>,
    /// The same of the slots of answers, which may be another day's.
    answers: &'a BTreeMap<(AccountId, SlotId), Slot>,
}

impl<'a> Then<'a> {
    fn receipt(&self, now: &'a Receipt) -> Option<&'a Receipt> {
        match self.receipts.get(&(now.receiver, now.slot)) {
            Some(before) => before.as_ref(),
            None => Some(now),
        }
    }

    fn slot(&self, now: &'a Slot) -> &'a Slot {
        self.slots.get(&(now.sender, now.id)).unwrap_or(now)
    }

    fn answer(&self, now: &'a Slot) -> &'a Slot {
        self.answers.get(&(now.sender, now.id)).unwrap_or(now)
    }
}

/// A day's figures as they were then, taken another way than the engine takes them: from everything that is stored.
fn counted<'a>(look: &'a Look<'_>, owner: AccountRef, row: &DayRow, then: &Then<'a>) -> DayFigures {
    let mut figures = DayFigures::default();
    let by_then = |at: Option<Timestamp>| u32::from(at.is_some_and(|at| at <= then.at));
    let sat_through = |due: Option<Timestamp>| u32::from(due.is_some() && due <= then.sat);
    let seen = |slot: &Slot| {
        let receiver = AccountRef {
            user: owner.user,
            account: slot.recipient,
        };
        let receipt = look.receipt(receiver, slot.id);
        let receipt = receipt.and_then(|receipt| then.receipt(receipt));
        receipt.is_some_and(|receipt| receipt.found_at <= then.at)
    };
    let slots = look.slots().map(|slot| then.slot(slot));
    for slot in slots.filter(|slot| slot.sender == owner.account && slot.date == row.date) {
        match &slot.state {
            SlotState::Accepted { .. } => {
                figures.sent += 1;
                figures.missing += u32::from(!seen(slot));
                figures.spammed += by_then(slot.spammed_at);
            }
            SlotState::Returned { at, bounced, .. } => {
                figures.sent += 1;
                let refused = if *bounced {
                    &mut figures.bounced
                } else {
                    &mut figures.rejected
                };
                *refused += by_then(Some(*at));
            }
            SlotState::Rejected { bounced: true, .. } => figures.bounced += 1,
            SlotState::Rejected { bounced: false, .. } => figures.rejected += 1,
            // What the closing itself explains it counts; an answer can still be dropped when its day is closed.
            SlotState::Skipped {
                reason: SkipReason::NotHandedOut,
                ..
            } => figures.skipped += 1,
            SlotState::Skipped { at, .. } => figures.skipped += by_then(Some(*at)),
            SlotState::Unknown { .. } => figures.unknown += 1,
            SlotState::Claimed { .. } | SlotState::Retry { .. } | SlotState::InDoubt { .. } => {}
        }
    }
    // A mail that is found more than three days late has long been missing: it is in no figure.
    let oldest = look.plan(owner, row.date).map_or(Timestamp::MIN, |plan| {
        plan.span.start - SignedDuration::from_hours(72)
    });
    let receipts = look
        .receipts()
        .filter(|receipt| SlotId::first_at(oldest) <= receipt.slot)
        .filter_map(|receipt| then.receipt(receipt));
    for receipt in receipts.filter(|it| it.receiver == owner.account && it.date == row.date) {
        figures.received += by_then(Some(receipt.found_at));
        figures.opened += sat_through(receipt.engagement.open_at);
        let reply = receipt.engagement.reply;
        let answer = reply.and_then(|reply| look.slot(owner, reply.slot));
        let answer = answer.map(|slot| then.answer(slot));
        figures.replied += by_then(answer.and_then(|slot| slot.state.accepted_at()));
        figures.rescued += by_then(receipt.rescued_at);
        figures.marked_important += sat_through(receipt.engagement.important_at);
    }
    figures
}
