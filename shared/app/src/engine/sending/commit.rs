//! What becomes of a claimed slot: the server's word, another attempt, doubt, or a reason why not.
//!
//! Each of these is one conditional write on the claim. If it fails, or the process dies before it, the claim's lease runs out and whoever
//! meets the slot then makes it in doubt.

use jiff::{SignedDuration, Timestamp};

use agentwarm_core::account::Account;
use agentwarm_core::audit::{Actor, Event, EventType};
use agentwarm_core::mail::bounce::{self, Verdict, classify_reply};
use agentwarm_core::mail::slot::{SkipReason, Slot, SlotState};
use agentwarm_core::time::shifted;
use agentwarm_core::warmup::connection::MailProtocol;
use agentwarm_core::warmup::day::Window;
use agentwarm_core::warmup::due::{DueEntry, DueKind};
use agentwarm_core::warmup::spacing::one_of_many;

use super::checks::Planned;
use super::{Handled, MAX_ATTEMPTS, Sending, new_slot};
use crate::engine::reports::{Suppressed, with_suppression};
use crate::engine::{EngineError, compose, file, settling};
use crate::ports::days::{AccountRef, SuppressionReason};
use crate::ports::mail::{SmtpPhase, Submission};
use crate::ports::queue::SendOrder;
use crate::ports::{Created, Replaced};

/// How long a mail waits for a sender in error at least: whether it healed tells its next round. And how long before the end of its hours it
/// comes again at the latest, so that another mail in its way or a late tick does not make it late.
const HEALING: SignedDuration = SignedDuration::from_mins(10);

/// How often a slot is written anew whose receiver wrote in between: it does so once.
const ATTEMPTS: u32 = 3;

impl Sending {
    /// Writes down what the server said. If this fails or the process dies before, the claim's lease runs out and the slot is in doubt.
    pub(super) async fn commit(
        &self,
        sender: &Account,
        recipient: &Account,
        slot: Slot,
        submission: Submission,
    ) -> Result<Handled, EngineError> {
        let now = self.clock.schedule();
        match submission {
            Submission::Accepted => {
                let event = settling::accepted(&slot, now);
                self.advance(slot, SlotState::Accepted { at: now }, vec![event])
                    .await?;
                Ok(Handled::Sent)
            }
            Submission::InDoubt => {
                self.doubt(slot, now).await?;
                Ok(Handled::InDoubt)
            }
            Submission::NotSent(failure) => {
                let handled = self.retry(slot, now, failure.to_string()).await?;
                self.health
                    .failed(sender, MailProtocol::Smtp, &failure)
                    .await?;
                Ok(handled)
            }
            Submission::Refused {
                phase,
                code,
                enhanced,
                text,
            } => {
                let verdict = classify_reply(phase_of(phase), code, enhanced.as_deref(), &text);
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
        match refusal.verdict {
            Verdict::Transient => return self.retry(slot, now, refusal.reason()).await,
            Verdict::SenderConnection => {
                let handled = self.retry(slot, now, refusal.reason()).await?;
                self.health.turned_away(sender).await?;
                return Ok(handled);
            }
            Verdict::HardBounce | Verdict::MailboxFull | Verdict::Rejected => {}
        }
        let bounced = refusal.verdict == Verdict::HardBounce;
        let suppressed = Suppressed::by(refusal.verdict, now);
        if let Some(suppressed) = suppressed {
            self.suppress(recipient, now, suppressed.until()).await?;
        }
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
        let event = with_suppression(event, suppressed);
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

    /// Puts a claimed slot back for another attempt, or gives it up. The attempt is ordered before the state is written: a crash between
    /// leaves an order that finds the claim, never a retry that nobody comes back to.
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
        let not_before = shifted(now, backoff(attempt).as_secs());
        let order = again(&slot, not_before);
        file(self.due.as_ref(), &[order], now).await?;
        let state = SlotState::Retry {
            not_before,
            attempt,
            reason,
        };
        self.advance(slot, state, Vec::new()).await?;
        Ok(Handled::Settled)
    }

    /// When a mail of a sender in error comes again: at an instant of its own in what is left of its hours, but not before both servers may be
    /// tried. So what waits asks ever less, and does not leave at once when the sender heals. The same order has the same instant.
    pub(super) async fn comes_again(
        &self,
        sender: &Account,
        order: &SendOrder,
        hours: Window,
    ) -> Result<Timestamp, EngineError> {
        tracing::info!(account = %sender.id, slot = %order.slot, "the mail waits for its sender to heal");
        let rests = self.health.of(sender).await?.rests_until();
        let soonest = shifted(order.due, HEALING.as_secs());
        let left = Window {
            start: rests.map_or(soonest, |at| at.max(soonest)),
            end: shifted(hours.end, -HEALING.as_secs()),
        };
        let due = order.due.as_second().to_be_bytes();
        let seed = compose::slot_seed(order.slot).child_bytes("waits", &due);
        Ok(one_of_many(left, &seed))
    }

    /// The sender's servers cannot be used before `at`: nothing was claimed, so the order simply comes again then, never before it came now.
    /// What would be too late by then is not sent.
    pub(super) async fn put_off(
        &self,
        sender: &Account,
        order: &SendOrder,
        existing: Option<Slot>,
        planned: Planned,
        at: Timestamp,
        now: Timestamp,
    ) -> Result<Handled, EngineError> {
        if planned.until.is_some_and(|until| until <= at) {
            let reason = SkipReason::ServerUnavailable;
            return self
                .skip(sender, order, existing, reason, planned, now)
                .await;
        }
        let kind = DueKind::Send {
            sender: order.sender,
            slot: order.slot,
            target: existing.map_or(order.target, |slot| slot.recipient),
            slot_kind: order.kind,
        };
        let entry = DueEntry {
            at: at.max(order.due),
            user: order.user,
            kind,
        };
        file(self.due.as_ref(), &[entry], now).await?;
        Ok(Handled::Settled)
    }

    /// In doubt: the searches are ordered before the state is written, so that a crash between leaves searches without doubt (they find
    /// nothing to do) and never doubt without searches.
    pub(super) async fn doubt(&self, slot: Slot, now: Timestamp) -> Result<(), EngineError> {
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

    pub(super) async fn skip(
        &self,
        sender: &Account,
        order: &SendOrder,
        existing: Option<Slot>,
        reason: SkipReason,
        planned: Planned,
        now: Timestamp,
    ) -> Result<Handled, EngineError> {
        tracing::info!(account = %sender.id, slot = %order.slot, ?reason, "the mail is not sent");
        let state = SlotState::Skipped { at: now, reason };
        if let Some(slot) = existing {
            self.advance(slot, state, Vec::new()).await?;
            return Ok(Handled::Settled);
        }
        let unsent = compose::unsent(order.slot);
        let slot = new_slot(sender, order, planned, unsent, state, now);
        match self.slots.create(&slot).await? {
            Created::Done => Ok(Handled::Settled),
            // Another delivery of this order was faster, perhaps long ago: what it decided is looked at when this one comes again.
            Created::Exists => Err(EngineError::Held("the slot")),
        }
    }

    /// Moves on a slot that stands as it was read. Its receiver may have found the mail before this and noted that it landed in spam: that
    /// stands beside what is written here, and takes the claim from nobody.
    pub(super) async fn advance(
        &self,
        slot: Slot,
        state: SlotState,
        events: Vec<Event>,
    ) -> Result<Slot, EngineError> {
        let owner = AccountRef {
            user: slot.user,
            account: slot.sender,
        };
        let mut before = slot;
        for _ in 0..ATTEMPTS {
            let after = Slot {
                state: state.clone(),
                version: before.version + 1,
                ..before.clone()
            };
            if self.slots.replace(&after, events.clone()).await? == Replaced::Done {
                return Ok(after);
            }
            match self.slots.written(owner, before.id).await? {
                Some(found) if found.state == before.state => before = found,
                _ => break,
            }
        }
        Err(EngineError::Held("the slot"))
    }
}

/// The order of a slot's next attempt.
fn again(slot: &Slot, at: Timestamp) -> DueEntry {
    DueEntry {
        at,
        user: slot.user,
        kind: DueKind::Send {
            sender: slot.sender,
            slot: slot.id,
            target: slot.recipient,
            slot_kind: slot.kind,
        },
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
