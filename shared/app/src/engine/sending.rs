//! Claim → send → commit.
//!
//! A slot exists from the moment it is claimed, by a write that only one claimer can win; from then on its Message-ID and `Date` are
//! frozen and its mail is given to a server at most once (decision 31):
//!
//! - The claim comes *after* the connection stands and before `MAIL FROM`, so a server that is down costs no claim.
//! - A claimer that dies leaves `Claimed` with a lease. Whoever meets it after the lease makes it `InDoubt`; nobody sends it.
//! - `Retry` is entered only from replies that prove the mail was not accepted.
//! - What is not sent gets a slot too, `Skipped` with its reason, so that a day always adds up.
//!
//! Orders arrive at least once, in any order, possibly late. An order whose slot is settled does nothing.

mod checks;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use agentwarm_core::account::Account;
use agentwarm_core::audit::{Actor, Event, EventType};
use agentwarm_core::mail::bounce::{self, Verdict, classify_reply};
use agentwarm_core::mail::message_id;
use agentwarm_core::mail::slot::{SkipReason, Slot, SlotKind, SlotState, ThreadPosition};
use agentwarm_core::warmup::due::{DueEntry, DueKind};

use self::checks::{Checked, Cleared};
use super::compose::{self, Composer};
use super::config::Configs;
use super::health::HealthKeeper;
use super::reports::MAILBOX_FULL;
use super::{EngineError, file, settling};
use crate::ports::accounts::AccountReads;
use crate::ports::clock::{Clock, Entropy};
use crate::ports::days::{AccountRef, Plans, Receipts, Slots, SuppressionReason, Suppressions};
use crate::ports::due::DueIndex;
use crate::ports::mail::{ConnectFailure, MailSender, SendSession, SmtpPhase, Submission};
use crate::ports::queue::SendOrder;
use crate::ports::{Created, Replaced};

/// How long a claimer may take from the claim to the commit (wall clock) before it counts as dead. Longer than the session's absolute
/// deadline, shorter than the queue's visibility time-out: a redelivered order meets either a live claim's commit or a dead claim.
pub const CLAIM_LEASE: SignedDuration = SignedDuration::from_secs(120);

/// How often a slot is claimed before it is given up.
pub const MAX_ATTEMPTS: u32 = 5;

/// The ports of this step.
pub struct Sending {
    /// Who sends and who receives.
    pub accounts: Arc<dyn AccountReads>,
    /// The mails.
    pub slots: Arc<dyn Slots>,
    /// What is answered.
    pub receipts: Arc<dyn Receipts>,
    /// Which mails are planned, and the reply budget.
    pub plans: Arc<dyn Plans>,
    /// Who gets no mail.
    pub suppressions: Arc<dyn Suppressions>,
    /// Later attempts and searches.
    pub due: Arc<dyn DueIndex>,
    /// What connections taught us.
    pub health: HealthKeeper,
    /// SMTP.
    pub sender: Arc<dyn MailSender>,
    /// Rates and hours, for replies that move.
    pub configs: Configs,
    /// What mails say.
    pub composer: Composer,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Lease owners.
    pub entropy: Arc<dyn Entropy>,
}

/// What became of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handled {
    /// The server took the mail.
    Sent,
    /// It is settled: sent before, refused, skipped, or waiting for its next attempt.
    Settled,
    /// It is in doubt; searches are under way.
    InDoubt,
}

/// One sender's open session, connected when the first order needs it.
struct Session {
    open: Option<Box<dyn SendSession>>,
}

impl Sending {
    /// Works through orders, one session per sender, and answers for each in the order given. An error means: hand me this order again.
    pub async fn send(&self, orders: &[SendOrder]) -> Vec<Result<Handled, EngineError>> {
        let mut by_sender: BTreeMap<AccountRef, Vec<usize>> = BTreeMap::new();
        for (index, order) in orders.iter().enumerate() {
            let owner = AccountRef {
                user: order.user,
                account: order.sender,
            };
            by_sender.entry(owner).or_default().push(index);
        }
        let groups = by_sender.into_iter().map(|(owner, indices)| async move {
            let group: Vec<_> = indices
                .iter()
                .filter_map(|&index| orders.get(index))
                .collect();
            let outcomes = self.send_for(owner, &group).await;
            indices.into_iter().zip(outcomes).collect::<Vec<_>>()
        });
        let mut outcomes: Vec<_> = futures::future::join_all(groups)
            .await
            .into_iter()
            .flatten()
            .collect();
        outcomes.sort_by_key(|(index, _)| *index);
        outcomes.into_iter().map(|(_, outcome)| outcome).collect()
    }

    async fn send_for(
        &self,
        owner: AccountRef,
        orders: &[&SendOrder],
    ) -> Vec<Result<Handled, EngineError>> {
        let mut session = Session { open: None };
        let mut outcomes = Vec::with_capacity(orders.len());
        for order in orders {
            let outcome = self.send_one(owner, order, &mut session).await;
            if let Err(error) = &outcome {
                tracing::warn!(slot = %order.slot, error = %error, "the order stays in the queue");
            }
            outcomes.push(outcome);
        }
        if let Some(open) = session.open {
            open.close().await;
        }
        outcomes
    }

    async fn send_one(
        &self,
        owner: AccountRef,
        order: &SendOrder,
        session: &mut Session,
    ) -> Result<Handled, EngineError> {
        let now = self.clock.schedule();
        let existing = self.slots.get(owner, order.slot).await?;
        if let Some(slot) = &existing
            && let Some(handled) = self.settled_already(slot, now).await?
        {
            return Ok(handled);
        }
        let sender = match self.accounts.get(owner.user, owner.account).await? {
            Some(sender) => sender,
            // Nobody is left to whom the slot could be explained.
            None => return Ok(Handled::Settled),
        };
        let cleared = match self.checks(&sender, order, existing.as_ref(), now).await? {
            Checked::Go(cleared) => cleared,
            Checked::Skip(reason) => return self.skip(&sender, order, existing, reason, now).await,
            Checked::Drop => return Ok(Handled::Settled),
        };
        if session.open.is_none() {
            match self.connect(&sender).await? {
                Ok(open) => session.open = Some(open),
                Err(failure) => return self.put_off(&sender, order, existing, &failure, now).await,
            }
        }
        let recipient = cleared.recipient.clone();
        let Some(slot) = self.claim(&sender, order, existing, *cleared, now).await? else {
            return Err(EngineError::Held("the slot"));
        };
        let mail = self.composer.outgoing(&slot, &sender, &recipient).await?;
        let submission = match session.open.as_mut() {
            Some(open) => open.send(&mail).await,
            None => Submission::NotSent(ConnectFailure::Unreachable),
        };
        if !matches!(
            submission,
            Submission::Accepted | Submission::Refused { .. }
        ) {
            session.open = None;
        }
        self.commit(&sender, &recipient, slot, submission).await
    }

    /// Whether there is nothing left to do for a slot that exists. A claim whose lease is over becomes in doubt here.
    async fn settled_already(
        &self,
        slot: &Slot,
        now: Timestamp,
    ) -> Result<Option<Handled>, EngineError> {
        match &slot.state {
            SlotState::Claimed { lease_until, .. } if *lease_until > self.clock.wall() => {
                Err(EngineError::Held("the slot"))
            }
            SlotState::Claimed { .. } => {
                self.doubt(slot.clone(), now).await?;
                Ok(Some(Handled::InDoubt))
            }
            SlotState::Retry { not_before, .. } => {
                Ok((*not_before > now).then_some(Handled::Settled))
            }
            SlotState::Accepted { .. } => {
                self.note_reply(slot).await?;
                Ok(Some(Handled::Settled))
            }
            SlotState::InDoubt { .. } => Ok(Some(Handled::InDoubt)),
            SlotState::Rejected { .. }
            | SlotState::Unknown { .. }
            | SlotState::Bounced { .. }
            | SlotState::Skipped { .. } => Ok(Some(Handled::Settled)),
        }
    }

    async fn connect(
        &self,
        sender: &Account,
    ) -> Result<Result<Box<dyn SendSession>, ConnectFailure>, EngineError> {
        let credentials = self.health.credentials(sender).await?;
        let connected = self.sender.connect(&credentials).await;
        match &connected {
            Ok(_) => self.health.worked(sender).await?,
            Err(failure) => self.health.failed(sender, failure).await?,
        }
        Ok(connected)
    }

    /// The conditional write that makes this process the one that sends. `None`: somebody else won.
    async fn claim(
        &self,
        sender: &Account,
        order: &SendOrder,
        existing: Option<Slot>,
        cleared: Cleared,
        now: Timestamp,
    ) -> Result<Option<Slot>, EngineError> {
        let attempt = match existing.as_ref().map(|slot| &slot.state) {
            Some(SlotState::Retry { attempt, .. }) => attempt + 1,
            _ => 1,
        };
        let state = SlotState::Claimed {
            owner: format!("{:032x}", self.entropy.bits()),
            lease_until: self
                .clock
                .wall()
                .saturating_add(CLAIM_LEASE)
                .unwrap_or(Timestamp::MAX),
            attempt,
        };
        match existing {
            Some(slot) => {
                let slot = Slot {
                    state,
                    version: slot.version + 1,
                    ..slot
                };
                let replaced = self.slots.replace(&slot, Vec::new()).await?;
                Ok((replaced == Replaced::Done).then_some(slot))
            }
            None => {
                let Cleared {
                    recipient,
                    position,
                    date,
                } = cleared;
                let slot = Slot {
                    recipient: recipient.id,
                    ..new_slot(sender, order, date, position, state, now)
                };
                let created = self.slots.create(&slot).await?;
                Ok((created == Created::Done).then_some(slot))
            }
        }
    }

    /// Writes down what the server said. If this fails or the process dies before, the claim's lease runs out and the slot is in doubt.
    async fn commit(
        &self,
        sender: &Account,
        recipient: &Account,
        slot: Slot,
        submission: Submission,
    ) -> Result<Handled, EngineError> {
        let now = self.clock.schedule();
        match submission {
            Submission::Accepted => {
                let event =
                    Event::account(EventType::WarmupEmailSent, sender.id, Actor::System, now)
                        .with("slotId", slot.id.to_string())
                        .with("recipientAccountId", recipient.id.to_string());
                let slot = self
                    .advance(slot, SlotState::Accepted { at: now }, vec![event])
                    .await?;
                self.note_reply(&slot).await?;
                Ok(Handled::Sent)
            }
            Submission::InDoubt => {
                self.doubt(slot, now).await?;
                Ok(Handled::InDoubt)
            }
            Submission::NotSent(failure) => {
                self.health.failed(sender, &failure).await?;
                self.retry(slot, now, failure.to_string()).await
            }
            Submission::Refused {
                phase,
                code,
                enhanced,
                text,
            } => {
                let verdict = classify_reply(phase_of(phase), code, enhanced.as_deref());
                self.refused(
                    sender,
                    recipient,
                    slot,
                    &Refusal {
                        verdict,
                        code,
                        enhanced,
                        text,
                    },
                    now,
                )
                .await
            }
        }
    }

    async fn refused(
        &self,
        sender: &Account,
        recipient: &Account,
        slot: Slot,
        refusal: &Refusal,
        now: Timestamp,
    ) -> Result<Handled, EngineError> {
        let bounced = match refusal.verdict {
            Verdict::Transient => return self.retry(slot, now, refusal.reason()).await,
            Verdict::SenderConnection => {
                self.health
                    .failed(sender, &ConnectFailure::Credentials)
                    .await?;
                return self.retry(slot, now, refusal.reason()).await;
            }
            Verdict::HardBounce => {
                self.suppress(recipient, now, None).await?;
                true
            }
            Verdict::MailboxFull => {
                let until = now.saturating_add(MAILBOX_FULL).unwrap_or(Timestamp::MAX);
                self.suppress(recipient, now, Some(until)).await?;
                false
            }
            Verdict::Rejected => false,
        };
        let event_type = if bounced {
            EventType::WarmupEmailBounced
        } else {
            EventType::WarmupEmailRejected
        };
        let event = Event::account(event_type, sender.id, Actor::System, now)
            .with("slotId", slot.id.to_string())
            .with("recipientAccountId", recipient.id.to_string())
            .with("reply", refusal.code)
            .with("status", refusal.enhanced.clone());
        let state = SlotState::Rejected {
            at: now,
            reply: refusal.code,
            bounced,
            reason: refusal.reason(),
        };
        self.advance(slot, state, vec![event]).await?;
        Ok(Handled::Settled)
    }

    async fn suppress(
        &self,
        recipient: &Account,
        now: Timestamp,
        until: Option<Timestamp>,
    ) -> Result<(), EngineError> {
        let reason = SuppressionReason::HardBounce;
        Ok(self
            .suppressions
            .suppress(recipient.user, recipient.email.as_str(), reason, now, until)
            .await?)
    }

    /// Puts a claimed slot back for another attempt, or gives it up.
    async fn retry(
        &self,
        slot: Slot,
        now: Timestamp,
        reason: String,
    ) -> Result<Handled, EngineError> {
        let attempt = match &slot.state {
            SlotState::Claimed { attempt, .. } => *attempt,
            _ => 1,
        };
        if attempt >= MAX_ATTEMPTS {
            let state = SlotState::Skipped {
                at: now,
                reason: SkipReason::RetriesExhausted,
            };
            self.advance(slot, state, Vec::new()).await?;
            return Ok(Handled::Settled);
        }
        let not_before = now
            .saturating_add(backoff(attempt))
            .unwrap_or(Timestamp::MAX);
        let slot = self
            .advance(
                slot,
                SlotState::Retry {
                    not_before,
                    attempt,
                    reason,
                },
                Vec::new(),
            )
            .await?;
        self.order_again(&slot, not_before, now).await?;
        Ok(Handled::Settled)
    }

    /// The sender's server cannot be used: nothing was claimed, so the order simply comes again when it may work.
    async fn put_off(
        &self,
        sender: &Account,
        order: &SendOrder,
        existing: Option<Slot>,
        failure: &ConnectFailure,
        now: Timestamp,
    ) -> Result<Handled, EngineError> {
        tracing::info!(account = %sender.id, slot = %order.slot, %failure, "the mail waits for its sender's server");
        let at = self.health.next_attempt(sender, now).await?;
        let kind = DueKind::Send {
            sender: order.sender,
            slot: order.slot,
            target: existing.map_or(order.target, |slot| slot.recipient),
            slot_kind: order.kind,
        };
        file(
            self.due.as_ref(),
            &[DueEntry {
                at,
                user: order.user,
                kind,
            }],
            now,
        )
        .await?;
        Ok(Handled::Settled)
    }

    async fn order_again(
        &self,
        slot: &Slot,
        at: Timestamp,
        now: Timestamp,
    ) -> Result<(), EngineError> {
        let kind = DueKind::Send {
            sender: slot.sender,
            slot: slot.id,
            target: slot.recipient,
            slot_kind: slot.kind,
        };
        Ok(file(
            self.due.as_ref(),
            &[DueEntry {
                at,
                user: slot.user,
                kind,
            }],
            now,
        )
        .await?)
    }

    /// In doubt: the searches are ordered before the state is written, so that a crash between leaves searches without doubt (they find
    /// nothing to do) and never doubt without searches.
    async fn doubt(&self, slot: Slot, now: Timestamp) -> Result<(), EngineError> {
        file(self.due.as_ref(), &settling::searches(&slot, now), now).await?;
        self.advance(
            slot,
            SlotState::InDoubt {
                since: now,
                checks: 0,
            },
            Vec::new(),
        )
        .await?;
        Ok(())
    }

    async fn skip(
        &self,
        sender: &Account,
        order: &SendOrder,
        existing: Option<Slot>,
        reason: SkipReason,
        now: Timestamp,
    ) -> Result<Handled, EngineError> {
        tracing::info!(account = %sender.id, slot = %order.slot, ?reason, "the mail is not sent");
        let state = SlotState::Skipped { at: now, reason };
        match existing {
            Some(slot) => {
                self.advance(slot, state, Vec::new()).await?;
            }
            None => {
                let date = sender.zone.date_of(order.due);
                let slot = new_slot(sender, order, date, compose::unsent(order.slot), state, now);
                // Exists: another delivery of this order was faster, whatever it decided.
                let _ = self.slots.create(&slot).await?;
            }
        }
        Ok(Handled::Settled)
    }

    async fn advance(
        &self,
        slot: Slot,
        state: SlotState,
        events: Vec<Event>,
    ) -> Result<Slot, EngineError> {
        let slot = Slot {
            state,
            version: slot.version + 1,
            ..slot
        };
        match self.slots.replace(&slot, events).await? {
            Replaced::Done => Ok(slot),
            Replaced::Stale => Err(EngineError::Held("the slot")),
        }
    }

    /// Books an accepted reply on the mail it answers. Done again on every redelivery, so a crash after the commit loses nothing.
    async fn note_reply(&self, slot: &Slot) -> Result<(), EngineError> {
        let (SlotKind::Reply { answers }, Some(at)) = (slot.kind, slot.state.accepted_at()) else {
            return Ok(());
        };
        let owner = AccountRef {
            user: slot.user,
            account: slot.sender,
        };
        let Some(mut receipt) = self.receipts.get(owner, answers).await? else {
            return Ok(());
        };
        if receipt.replied_at.is_some() {
            return Ok(());
        }
        receipt.replied_at = Some(at);
        receipt.version += 1;
        match self.receipts.replace(&receipt, Vec::new()).await? {
            Replaced::Done => Ok(()),
            Replaced::Stale => Err(EngineError::Held("the receipt")),
        }
    }
}

/// A server's refusal, read.
struct Refusal {
    verdict: Verdict,
    code: u16,
    enhanced: Option<String>,
    text: String,
}

impl Refusal {
    fn reason(&self) -> String {
        match &self.enhanced {
            Some(enhanced) => format!("{} {enhanced} {}", self.code, self.text),
            None => format!("{} {}", self.code, self.text),
        }
    }
}

/// The slot of an order, as it is first written. Its Message-ID and `Date` stay as they are from here on.
fn new_slot(
    sender: &Account,
    order: &SendOrder,
    date: Date,
    position: ThreadPosition,
    state: SlotState,
    now: Timestamp,
) -> Slot {
    Slot {
        id: order.slot,
        user: order.user,
        sender: order.sender,
        recipient: order.target,
        date,
        kind: order.kind,
        scheduled_at: order.due,
        message_id: message_id::of_slot(order.slot, sender.email.domain()).into(),
        message_date: now,
        position,
        state,
        spammed_at: None,
        version: 0,
    }
}

/// How long after its n-th attempt a slot waits for the next: 1, 4, 16, 64 minutes.
fn backoff(attempt: u32) -> SignedDuration {
    SignedDuration::from_mins(4_i64.saturating_pow(attempt.saturating_sub(1)))
}

/// The phase as the rules know it.
fn phase_of(phase: SmtpPhase) -> bounce::SmtpPhase {
    match phase {
        SmtpPhase::Connect => bounce::SmtpPhase::Connect,
        SmtpPhase::Auth => bounce::SmtpPhase::Auth,
        SmtpPhase::MailFrom => bounce::SmtpPhase::MailFrom,
        SmtpPhase::RcptTo => bounce::SmtpPhase::RcptTo,
        SmtpPhase::Data => bounce::SmtpPhase::Data,
        SmtpPhase::Content => bounce::SmtpPhase::EndOfData,
    }
}
