//! May this mail leave now, to whom, and as what turn of which thread?
//!
//! The plan was made hours ago, so everything it assumed is looked at again: the sender still sends, it is within its working hours, the
//! partner still takes mail, the reply is still wanted and fits the day's budget (decisions 18, 21).

use agentwarm_core::account::{Account, AccountStatus};
use agentwarm_core::ids::{AccountId, SlotId};
use agentwarm_core::mail::receipt::Receipt;
use agentwarm_core::mail::slot::{SkipReason, Slot, SlotKind, ThreadPosition};
use agentwarm_core::time::around;
use agentwarm_core::warmup::connection::MailProtocol;
use agentwarm_core::warmup::day::{DayPlan, Window};
use agentwarm_core::warmup::due::{DueEntry, DueKind};
use agentwarm_core::warmup::engage;
use agentwarm_core::warmup::partners::substitutes;
use jiff::Timestamp;
use jiff::civil::Date;

use super::Sending;
use crate::engine::{EngineError, compose, file};
use crate::ports::Replaced;
use crate::ports::days::AccountRef;
use crate::ports::queue::SendOrder;

/// What the checks say.
pub(super) enum Checked {
    /// Send it.
    Go(Box<Cleared>),
    /// Its sender is in error, which heals: it comes again within these hours.
    Wait(Planned, Window),
    /// Do not send it, and say why in the slot.
    Skip(SkipReason, Planned),
    /// The order is void: its plan was never finished, or its reply has moved to another slot.
    Drop,
}

/// A mail that may leave.
pub(super) struct Cleared {
    /// To whom: the planned partner, or its one replacement.
    pub(super) recipient: Account,
    /// Where it stands in its thread.
    pub(super) position: ThreadPosition,
    /// Its place in its day.
    pub(super) planned: Planned,
    /// The end of the hours that it may leave in.
    pub(super) ends: Timestamp,
    /// What its day's plan says of all accounts of its user together.
    pub(super) daily_total: Option<u32>,
}

/// Where a mail was planned, whenever its order comes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Planned {
    /// The date it is booked on.
    pub(super) date: Date,
    /// When it was to be sent.
    pub(super) at: Timestamp,
    /// When it is too late for it: the end of its day's hours. An answer moves instead.
    pub(super) until: Option<Timestamp>,
}

impl Sending {
    /// Looks at everything the plan assumed again.
    pub(super) async fn checks(
        &self,
        sender: &Account,
        order: &SendOrder,
        existing: Option<&Slot>,
        now: Timestamp,
    ) -> Result<Checked, EngineError> {
        match order.kind {
            SlotKind::Thread => self.check_opening(sender, order, existing, now).await,
            SlotKind::Reply { answers } => {
                self.check_reply(sender, order, answers, existing, now)
                    .await
            }
        }
    }

    async fn check_opening(
        &self,
        sender: &Account,
        order: &SendOrder,
        existing: Option<&Slot>,
        now: Timestamp,
    ) -> Result<Checked, EngineError> {
        let Some((plan, at)) = self.plan_with(sender, order).await? else {
            return Ok(Checked::Drop);
        };
        let planned = Planned {
            date: plan.span.date,
            at,
            until: plan.window.map(|window| window.end),
        };
        if !sender.goes_on() {
            return Ok(Checked::Skip(SkipReason::SenderStopped, planned));
        }
        let Some(window) = plan.window.filter(|window| window.contains(now)) else {
            let reason = self.late(sender, order, existing, at).await?;
            return Ok(Checked::Skip(reason, planned));
        };
        if sender.status == AccountStatus::Error {
            return Ok(Checked::Wait(planned, window));
        }
        let wanted = existing.map_or(order.target, |slot| slot.recipient);
        let recipient = self.partner(sender, wanted, order.slot, &plan, now);
        let Some(recipient) = recipient.await? else {
            return Ok(Checked::Skip(SkipReason::NoPartner, planned));
        };
        let position = match existing {
            Some(slot) => slot.position.clone(),
            None => compose::opening(order.slot, sender).map_err(compose::ComposeError::from)?,
        };
        Ok(Checked::Go(Box::new(Cleared {
            recipient,
            position,
            planned,
            ends: window.end,
            daily_total: plan.daily_total,
        })))
    }

    /// Why an opening comes up out of hours: a server refused it before, its sender is or was in error, or its server could not be used when
    /// it was due (which may be when it was put off to); else it is we who are late. A failure whose back-off was over by then kept no mail.
    async fn late(
        &self,
        sender: &Account,
        order: &SendOrder,
        existing: Option<&Slot>,
        planned: Timestamp,
    ) -> Result<SkipReason, EngineError> {
        let health = self.health.of(sender).await?;
        let waits_until = health.waits_until(MailProtocol::Smtp);
        let was_kept = existing.is_some()
            || sender.status == AccountStatus::Error
            || planned < sender.status_since()
            || waits_until.is_some_and(|at| order.due <= at);
        Ok(if was_kept {
            SkipReason::ServerUnavailable
        } else {
            SkipReason::OutsideHours
        })
    }

    /// The plan that has this slot, and the slot's instant in it. It is looked for on the local date of the slot's due time, then around it, because the zone may
    /// have changed since the day was planned.
    async fn plan_with(
        &self,
        sender: &Account,
        order: &SendOrder,
    ) -> Result<Option<(DayPlan, Timestamp)>, EngineError> {
        let owner = AccountRef::of(sender);
        for date in around(sender.zone.date_of(order.due)) {
            let Some(plan) = self.plans.plan(owner, date).await? else {
                continue;
            };
            let planned = plan.slots.iter().find(|planned| planned.id == order.slot);
            if let Some(at) = planned.map(|planned| planned.at) {
                return Ok(Some((plan, at)));
            }
        }
        Ok(None)
    }

    /// The wanted partner if it still takes mail; else, once, another of the day's partners.
    async fn partner(
        &self,
        sender: &Account,
        wanted: AccountId,
        slot: SlotId,
        plan: &DayPlan,
        now: Timestamp,
    ) -> Result<Option<Account>, EngineError> {
        if let Ok(partner) = self.taker(sender, wanted, now).await? {
            return Ok(Some(partner));
        }
        let owner = AccountRef::of(sender);
        let (from, until) = (plan.span.start, plan.span.end);
        let (from, until) = (SlotId::first_at(from), SlotId::first_at(until));
        let made = self.slots.between(owner, from, until).await?;
        let most = plan.config.max_per_partner_per_day;
        for other in substitutes(&plan.slots, &made, most, wanted, slot) {
            if let Ok(partner) = self.taker(sender, other, now).await? {
                return Ok(Some(partner));
            }
        }
        Ok(None)
    }

    /// A partner that takes mail from this sender now, or why it does not.
    async fn taker(
        &self,
        sender: &Account,
        partner: AccountId,
        now: Timestamp,
    ) -> Result<Result<Account, SkipReason>, EngineError> {
        let Some(partner) = self.accounts.get(sender.user, partner).await? else {
            return Ok(Err(SkipReason::NoPartner));
        };
        let shares_pool = partner
            .pools
            .iter()
            .any(|theirs| sender.pools.iter().any(|ours| ours.pool == theirs.pool));
        if !shares_pool || !partner.receives() || partner.id == sender.id {
            return Ok(Err(SkipReason::NoPartner));
        }
        let address = [partner.email.as_str().to_owned()];
        let suppressed = self.suppressions.suppressed(sender.user, &address, now);
        Ok(if suppressed.await?.is_empty() {
            Ok(partner)
        } else {
            Err(SkipReason::RecipientSuppressed)
        })
    }

    async fn check_reply(
        &self,
        sender: &Account,
        order: &SendOrder,
        answers: SlotId,
        existing: Option<&Slot>,
        now: Timestamp,
    ) -> Result<Checked, EngineError> {
        let owner = AccountRef::of(sender);
        let Some(receipt) = self.receipts.get(owner, answers).await? else {
            return Ok(Checked::Drop);
        };
        let wanted = receipt.engagement.reply;
        let Some(reply) = wanted.filter(|reply| reply.slot == order.slot) else {
            return Ok(Checked::Drop);
        };
        let date = sender.zone.date_of(reply.at);
        let planned = Planned {
            date,
            at: reply.at,
            until: None,
        };
        if !sender.goes_on() {
            return Ok(Checked::Skip(SkipReason::SenderStopped, planned));
        }
        // A reply is booked on the day that it is due on; one that comes later is another day's.
        let plan = if date == sender.zone.date_of(now) {
            self.plans.plan(owner, date).await?
        } else {
            None
        };
        let window = plan.as_ref().and_then(|plan| plan.window);
        let Some(window) = window.filter(|window| window.contains(now)) else {
            return self
                .move_reply(sender, order, receipt, planned, existing, now)
                .await;
        };
        if sender.status == AccountStatus::Error {
            return Ok(Checked::Wait(planned, window));
        }
        let recipient = match self.taker(sender, receipt.sender, now).await? {
            Ok(recipient) => recipient,
            Err(reason) => return Ok(Checked::Skip(reason, planned)),
        };
        // A slot that exists took its budget when it was first claimed.
        if existing.is_none() && !self.plans.take_reply(owner, date, order.slot).await? {
            return self
                .move_reply(sender, order, receipt, planned, existing, now)
                .await;
        }
        Ok(Checked::Go(Box::new(Cleared {
            recipient,
            position: answer_position(&receipt),
            planned,
            ends: window.end,
            daily_total: plan.and_then(|plan| plan.daily_total),
        })))
    }

    /// Moves a reply to the next sending window, or drops it after 48 h (decision 21). The due entry is put first: if the process dies
    /// before the receipt is written, the old order comes again and moves to the same instant. A slot that was already tried ends here.
    /// The write says nothing about the slot: an answer that was claimed a moment ago must not move and leave a second time.
    async fn move_reply(
        &self,
        sender: &Account,
        order: &SendOrder,
        receipt: Receipt,
        planned: Planned,
        existing: Option<&Slot>,
        now: Timestamp,
    ) -> Result<Checked, EngineError> {
        let owner = AccountRef::of(sender);
        if existing.is_none() && self.slots.written(owner, order.slot).await?.is_some() {
            return Err(EngineError::Held("the slot"));
        }
        let config = self.configs.of(sender).await?;
        let Some(reply) = engage::move_reply(&receipt, &sender.zone, &config, now) else {
            return Ok(Checked::Skip(SkipReason::ReplyExpired, planned));
        };
        let kind = DueKind::Send {
            sender: sender.id,
            slot: reply.slot,
            target: receipt.sender,
            slot_kind: SlotKind::Reply {
                answers: receipt.slot,
            },
        };
        file(
            self.due.as_ref(),
            &[DueEntry {
                at: reply.at,
                user: sender.user,
                kind,
            }],
            now,
        )
        .await?;
        let mut moved = receipt;
        moved.engagement.reply = Some(reply);
        moved.version += 1;
        match self.receipts.replace(&moved, Vec::new()).await? {
            Replaced::Stale => Err(EngineError::Held("the receipt")),
            Replaced::Done if existing.is_some() => {
                Ok(Checked::Skip(SkipReason::OutsideHours, planned))
            }
            Replaced::Done => Ok(Checked::Drop),
        }
    }
}

/// The turn that answers a receipt's mail.
fn answer_position(receipt: &Receipt) -> ThreadPosition {
    let position = &receipt.position;
    let mut references = position.references.clone();
    references.push(receipt.message_id.clone());
    ThreadPosition {
        thread: position.thread,
        conversation: position.conversation.clone(),
        turn: position.turn.saturating_add(1),
        references,
    }
}
