//! One day of an account, as it was planned and as it turned out (API reference §4, decisions 21, 26).
//!
//! A plan holds the new threads only. Answers show up with the mails they answer, so a day's mails are put together from three sources,
//! each slot once: what has a slot (both kinds, with its fate), what is planned and not claimed yet, and the answers that receipts
//! hold for this day.

use std::collections::BTreeMap;
use std::sync::Arc;

use agentwarm_core::account::Account;
use agentwarm_core::ids::{AccountId, SlotId};
use agentwarm_core::mail::receipt::Receipt;
use agentwarm_core::mail::slot::{SkipReason, Slot, SlotKind, SlotState};
use agentwarm_core::time::{DaySpan, shifted};
use agentwarm_core::warmup::day::DayPlan;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::change::existing;
use crate::error::AppError;
use crate::ports::accounts::AccountReads;
use crate::ports::clock::Clock;
use crate::ports::days::{AccountRef, Plans, PoolLedger, Receipts, Slots, receiving};
use crate::tenant::Tenant;

/// How long before a day a mail can have been planned that is received or answered on it: an answer moves for 48 h (decision 21), and a
/// mail can lie unread for a day before it is found.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(72);

/// Reads schedules.
#[derive(Clone)]
pub struct ReadSchedule {
    /// Whose.
    pub accounts: Arc<dyn AccountReads>,
    /// What was planned.
    pub plans: Arc<dyn Plans>,
    /// What was sent.
    pub slots: Arc<dyn Slots>,
    /// What was received.
    pub receipts: Arc<dyn Receipts>,
    /// What the others plan to send.
    pub ledger: Arc<dyn PoolLedger>,
    /// What is today.
    pub clock: Arc<dyn Clock>,
}

/// One day of an account.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// The plan.
    pub plan: DayPlan,
    /// Mails that its own server accepted.
    pub sent: u32,
    /// Mails that its partners plan to send it.
    pub planned_to_receive: u32,
    /// Warmup mails found in its mailbox.
    pub received: u32,
    /// Its mails in order of time, answers included.
    pub mails: Vec<ScheduledMail>,
}

/// One mail of a day.
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduledMail {
    /// Its slot.
    pub slot: SlotId,
    /// Opening or answer.
    pub kind: SlotKind,
    /// When it is or was to be sent.
    pub scheduled_at: Timestamp,
    /// To whom.
    pub target: AccountId,
    /// What became of it.
    pub state: MailState,
    /// When the server accepted it.
    pub accepted_at: Option<Timestamp>,
    /// Why it was not sent.
    pub skipped: Option<SkipReason>,
}

/// What became of a mail, as clients see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailState {
    /// Its time has not come, or nobody claimed it yet.
    Planned,
    /// It is being sent.
    Claimed,
    /// The server took it.
    Accepted,
    /// A server refused it, perhaps one behind that which took it.
    Rejected,
    /// It will be tried again.
    Retry,
    /// It may or may not have been accepted; it is being looked for.
    InDoubt,
    /// It was not found in the end.
    Unknown,
    /// It was accepted and came back: there is no such recipient.
    Bounced,
    /// It was not sent.
    Skipped,
}

impl MailState {
    /// Every state.
    pub const ALL: &'static [Self] = &[
        Self::Planned,
        Self::Claimed,
        Self::Accepted,
        Self::Rejected,
        Self::Retry,
        Self::InDoubt,
        Self::Unknown,
        Self::Bounced,
        Self::Skipped,
    ];

    /// Its name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Claimed => "claimed",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Retry => "retry",
            Self::InDoubt => "in_doubt",
            Self::Unknown => "unknown",
            Self::Bounced => "bounced",
            Self::Skipped => "skipped",
        }
    }
}

impl ReadSchedule {
    /// The schedule of `date`, today in the account's zone when not given. [`AppError::ScheduleNotFound`] for a date without a plan; a day
    /// off has one (decision 26).
    pub async fn read(
        &self,
        tenant: &Tenant,
        id: AccountId,
        date: Option<Date>,
    ) -> Result<Schedule, AppError> {
        let account = existing(self.accounts.as_ref(), tenant, id).await?;
        let owner = AccountRef::of(&account);
        let date = date.unwrap_or_else(|| account.zone.date_of(self.clock.schedule()));
        let plan = self.plans.plan(owner, date).await?;
        let plan = plan.ok_or(AppError::ScheduleNotFound)?;
        let (slots, receipts, planned_to_receive) = futures::try_join!(
            self.slots_of(owner, plan.span),
            self.receipts_around(owner, plan.span),
            self.planned_to_receive(&account, date)
        )?;
        let received = receipts.iter().filter(|receipt| receipt.date == date);
        let mails = mails(&plan, &slots, &receipts);
        Ok(Schedule {
            sent: count(mails.iter().filter(|mail| mail.accepted_at.is_some())),
            planned_to_receive,
            received: count(received),
            mails,
            plan,
        })
    }

    async fn slots_of(&self, owner: AccountRef, span: DaySpan) -> Result<Vec<Slot>, AppError> {
        let (from, to) = (SlotId::first_at(span.start), SlotId::first_at(span.end));
        Ok(self.slots.between(owner, from, to).await?)
    }

    async fn receipts_around(
        &self,
        owner: AccountRef,
        span: DaySpan,
    ) -> Result<Vec<Receipt>, AppError> {
        let from = shifted(span.start, -LOOK_BACK.as_secs());
        let (from, to) = (SlotId::first_at(from), SlotId::first_at(span.end));
        Ok(self.receipts.between(owner, from, to).await?)
    }

    /// What partners plan to send it.
    async fn planned_to_receive(&self, account: &Account, date: Date) -> Result<u32, AppError> {
        let receiving = receiving(self.ledger.as_ref(), account, date).await?;
        Ok(receiving.get(&account.id).copied().unwrap_or_default())
    }
}

/// All mails of a day, each once. A slot knows most, a receipt's answer overrides nothing.
fn mails(plan: &DayPlan, slots: &[Slot], receipts: &[Receipt]) -> Vec<ScheduledMail> {
    let mut mails: BTreeMap<SlotId, ScheduledMail> = BTreeMap::new();
    for planned in &plan.slots {
        let mail = unclaimed(planned.id, SlotKind::Thread, planned.at, planned.target);
        mails.insert(mail.slot, mail);
    }
    let day = SlotId::first_at(plan.span.start)..SlotId::first_at(plan.span.end);
    for receipt in receipts {
        let reply = receipt.engagement.reply;
        if let Some(reply) = reply.filter(|reply| day.contains(&reply.slot)) {
            let kind = SlotKind::Reply {
                answers: receipt.slot,
            };
            let mail = unclaimed(reply.slot, kind, reply.at, receipt.sender);
            mails.insert(mail.slot, mail);
        }
    }
    for slot in slots {
        mails.insert(slot.id, claimed(slot));
    }
    let mut mails: Vec<_> = mails.into_values().collect();
    mails.sort_by_key(|mail| (mail.scheduled_at, mail.slot));
    mails
}

fn unclaimed(slot: SlotId, kind: SlotKind, at: Timestamp, target: AccountId) -> ScheduledMail {
    ScheduledMail {
        slot,
        kind,
        scheduled_at: at,
        target,
        state: MailState::Planned,
        accepted_at: None,
        skipped: None,
    }
}

fn claimed(slot: &Slot) -> ScheduledMail {
    let (state, skipped) = match &slot.state {
        SlotState::Claimed { .. } => (MailState::Claimed, None),
        SlotState::Accepted { .. } => (MailState::Accepted, None),
        SlotState::Retry { .. } => (MailState::Retry, None),
        SlotState::InDoubt { .. } => (MailState::InDoubt, None),
        SlotState::Unknown { .. } => (MailState::Unknown, None),
        SlotState::Returned { bounced: true, .. } => (MailState::Bounced, None),
        SlotState::Rejected { .. } | SlotState::Returned { bounced: false, .. } => {
            (MailState::Rejected, None)
        }
        SlotState::Skipped { reason, .. } => (MailState::Skipped, Some(*reason)),
    };
    ScheduledMail {
        slot: slot.id,
        kind: slot.kind,
        scheduled_at: slot.scheduled_at,
        target: slot.recipient,
        state,
        accepted_at: slot.state.accepted_at(),
        skipped,
    }
}

fn count(items: impl Iterator) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}
