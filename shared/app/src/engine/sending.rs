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
mod commit;
mod limit;
mod total;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use agentwarm_core::account::Account;
use agentwarm_core::mail::message_id;
use agentwarm_core::mail::slot::{SkipReason, Slot, SlotState, ThreadPosition};
use agentwarm_core::time::shifted;
use agentwarm_core::warmup::connection::{ConnectionHealth, MailProtocol};

use self::checks::{Checked, Cleared, Planned};
use self::total::Place;
pub use self::total::UserTotals;
use super::EngineError;
use super::compose::{ComposeError, Composer};
use super::config::Configs;
use super::health::HealthKeeper;
use super::test_mode::TestModeRule;
use crate::ports::accounts::AccountReads;
use crate::ports::clock::{Clock, Entropy};
use crate::ports::days::{AccountRef, Plans, Receipts, Slots, Suppressions};
use crate::ports::due::DueIndex;
use crate::ports::mail::{ConnectFailure, MailSender, OutgoingMail, SendSession, Submission};
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
    /// How far the user limits their sends.
    pub test_mode: TestModeRule,
    /// How many mails all their accounts may send together.
    pub totals: UserTotals,
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
    /// How its connections had fared when it was opened, until a mail was accepted.
    unproven: Option<ConnectionHealth>,
}

impl Session {
    /// Hands a mail over, and forgets a session that this ended.
    async fn submit(&mut self, mail: &OutgoingMail) -> Submission {
        let submission = match self.open.as_mut() {
            Some(open) => open.send(mail).await,
            None => Submission::NotSent(ConnectFailure::Unreachable),
        };
        if submission.ends_session() {
            self.open = None;
        }
        submission
    }
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
        let mut session = Session {
            open: None,
            unproven: None,
        };
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
            && let Some(handled) = self.settled_already(slot, order, now).await?
        {
            return Ok(handled);
        }
        // Without its account nobody is left to whom the slot could be explained.
        let Some(sender) = self.accounts.get(owner.user, owner.account).await? else {
            return Ok(Handled::Settled);
        };
        let cleared = match self.checks(&sender, order, existing.as_ref(), now).await? {
            Checked::Go(cleared) => cleared,
            Checked::Wait(planned, hours) => {
                let at = self.comes_again(&sender, order, hours).await?;
                return self
                    .put_off(&sender, order, existing, planned, at, now)
                    .await;
            }
            Checked::Skip(reason, planned) => {
                return self
                    .skip(&sender, order, existing, reason, planned, now)
                    .await;
            }
            Checked::Drop => return self.void(owner, order, now).await,
        };
        let maximum = self.test_mode.maximum(owner.user).await?;
        let place = self.place(&sender, order, maximum, cleared.daily_total, now);
        let Some(mut place) = place.await? else {
            let (reason, planned) = (SkipReason::LimitReached, cleared.planned);
            return self
                .skip(&sender, order, existing, reason, planned, now)
                .await;
        };
        if session.open.is_none()
            && let Some(next_attempt) = self.connect(&sender, session, now).await?
        {
            return self
                .put_off(&sender, order, existing, cleared.planned, next_attempt, now)
                .await;
        }
        let (recipient, planned, ends) = (cleared.recipient.clone(), cleared.planned, cleared.ends);
        let slot = self.claimed(&sender, order, existing.clone(), *cleared, now);
        // Composed before the claim: what cannot be put together now must not end in doubt.
        let Some(mail) = self.composed(&slot, &sender, &recipient).await? else {
            let reason = SkipReason::NoFurtherTurn;
            return self
                .skip(&sender, order, existing, reason, planned, now)
                .await;
        };
        // Connecting takes its time: an answer that another delivery found too late meanwhile has moved.
        if ends <= self.clock.schedule() || !self.claim(&slot).await? {
            return Err(EngineError::Held("the slot"));
        }
        if self.is_too_many(&sender, slot.id, maximum, now).await? {
            return self.give_up(slot, SkipReason::LimitReached, now).await;
        }
        place.used();
        let submission = session.submit(&mail).await;
        if matches!(
            submission,
            Submission::Refused { .. } | Submission::NotSent(_)
        ) {
            place.give_back();
        }
        let is_accepted = submission == Submission::Accepted;
        let handled = self.commit(&sender, &recipient, slot, submission).await?;
        if is_accepted {
            self.proven(&sender, session).await?;
        }
        Ok(handled)
    }

    /// The mail's place among those that may leave; none if it is too many, for its account or for all of its user's together.
    async fn place(
        &self,
        sender: &Account,
        order: &SendOrder,
        maximum: Option<u32>,
        daily_total: Option<u32>,
        now: Timestamp,
    ) -> Result<Option<Place>, EngineError> {
        if self.is_too_many(sender, order.slot, maximum, now).await? {
            return Ok(None);
        }
        Ok(self.totals.place(sender.user, daily_total, now).await?)
    }

    /// An order without a mail: its plan was never finished, or its answer has moved.
    async fn void(
        &self,
        owner: AccountRef,
        order: &SendOrder,
        now: Timestamp,
    ) -> Result<Handled, EngineError> {
        // Nothing is written where there is no slot, so none that was missed a moment ago may be left as it is.
        let Some(slot) = self.slots.written(owner, order.slot).await? else {
            return Ok(Handled::Settled);
        };
        match self.settled_already(&slot, order, now).await? {
            Some(handled) => Ok(handled),
            // Whoever moved its answer died before the slot said so.
            None => self.give_up(slot, SkipReason::OutsideHours, now).await,
        }
    }

    /// The mail of a slot; none where its thread has no such turn any more, which another try would not change.
    async fn composed(
        &self,
        slot: &Slot,
        sender: &Account,
        recipient: &Account,
    ) -> Result<Option<OutgoingMail>, EngineError> {
        match self.composer.outgoing(slot, sender, recipient).await {
            Ok(mail) => Ok(Some(mail)),
            Err(ComposeError::Content(error)) if error.is_the_end() => {
                tracing::warn!(slot = %slot.id, %error, "the thread ends here");
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A mail was accepted. A login alone proves little: the server may take no mail afterwards.
    async fn proven(&self, sender: &Account, session: &mut Session) -> Result<(), EngineError> {
        match session.unproven.take() {
            Some(before) => {
                let after = before.mended_by(MailProtocol::Smtp);
                self.health.worked(sender, &before, &after).await
            }
            None => Ok(()),
        }
    }

    /// Whether there is nothing left to do for a slot that exists. A claim whose lease is over becomes in doubt here. An order of an
    /// earlier attempt has nothing to do; which attempt it is of says its instant and not the clock, which another process set the slot by.
    async fn settled_already(
        &self,
        slot: &Slot,
        order: &SendOrder,
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
                Ok((order.due < *not_before).then_some(Handled::Settled))
            }
            SlotState::InDoubt { .. } => Ok(Some(Handled::InDoubt)),
            SlotState::Accepted { .. }
            | SlotState::Rejected { .. }
            | SlotState::Unknown { .. }
            | SlotState::Returned { .. }
            | SlotState::Skipped { .. } => Ok(Some(Handled::Settled)),
        }
    }

    /// Opens the session. If that fails: when the sender's server may be tried next, not before a failure's back-off is over, whoever met it.
    async fn connect(
        &self,
        sender: &Account,
        session: &mut Session,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, EngineError> {
        let health = self.health.of(sender).await?;
        if let Some(at) = health
            .waits_until(MailProtocol::Smtp)
            .filter(|at| now < *at)
        {
            return Ok(Some(at));
        }
        let credentials = self.health.credentials(sender).await?;
        match self.sender.connect(&credentials).await {
            Ok(open) => {
                *session = Session {
                    open: Some(open),
                    unproven: Some(health),
                };
                Ok(None)
            }
            Err(failure) => {
                tracing::info!(account = %sender.id, %failure, "the mail waits for its sender's server");
                let health = self
                    .health
                    .failed(sender, MailProtocol::Smtp, &failure)
                    .await?;
                Ok(Some(health.waits_until(MailProtocol::Smtp).unwrap_or(now)))
            }
        }
    }

    /// The slot as a claim of ours would have it. One that was tried before stays as it is, but for its partner: none was reached yet.
    fn claimed(
        &self,
        sender: &Account,
        order: &SendOrder,
        existing: Option<Slot>,
        cleared: Cleared,
        now: Timestamp,
    ) -> Slot {
        let attempt = match existing.as_ref().map(|slot| &slot.state) {
            Some(SlotState::Retry { attempt, .. }) => attempt + 1,
            _ => 1,
        };
        let state = SlotState::Claimed {
            owner: format!("{:032x}", self.entropy.bits()),
            lease_until: shifted(self.clock.wall(), CLAIM_LEASE.as_secs()),
            attempt,
        };
        let recipient = cleared.recipient.id;
        match existing {
            Some(slot) => Slot {
                state,
                recipient,
                version: slot.version + 1,
                ..slot
            },
            None => Slot {
                recipient,
                ..new_slot(sender, order, cleared.planned, cleared.position, state, now)
            },
        }
    }

    /// The conditional write that makes this process the one that sends; false if somebody else won.
    async fn claim(&self, slot: &Slot) -> Result<bool, EngineError> {
        if slot.version == 0 {
            return Ok(self.slots.create(slot).await? == Created::Done);
        }
        Ok(self.slots.replace(slot, Vec::new()).await? == Replaced::Done)
    }
}

/// The slot of an order, as it is first written. Its Message-ID and `Date` stay as they are from here on.
fn new_slot(
    sender: &Account,
    order: &SendOrder,
    planned: Planned,
    position: ThreadPosition,
    state: SlotState,
    now: Timestamp,
) -> Slot {
    Slot {
        id: order.slot,
        user: order.user,
        sender: order.sender,
        recipient: order.target,
        date: planned.date,
        kind: order.kind,
        scheduled_at: planned.at,
        message_id: message_id::of_slot(order.slot, sender.email.domain()).into(),
        message_date: now,
        position,
        state,
        spammed_at: None,
        complained_at: None,
        version: 0,
    }
}
