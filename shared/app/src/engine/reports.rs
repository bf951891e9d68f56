//! Delivery reports (RFC 3464) and complaints (RFC 5965) that came back to a sender's mailbox (decision 30).
//!
//! Anybody can send a mail that looks like a report, so a report changes something only if it names the Message-ID of a mail that this
//! account did send, or returns its token (a server that gave the mail another Message-ID leaves that), and the mail is accepted or in doubt.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use agentwarm_core::account::Account;
use agentwarm_core::audit::{Actor, Event, EventType};
use agentwarm_core::mail::bounce::{Report, Verdict, classify_report};
use agentwarm_core::mail::message_id;
use agentwarm_core::mail::slot::{Slot, SlotState};
use agentwarm_core::time::shifted;
use agentwarm_core::warmup::thresholds::MAILBOX_FULL_SUPPRESSION_DAYS;

use super::EngineError;
use super::arrivals::verified;
use crate::ports::Replaced;
use crate::ports::accounts::AccountReads;
use crate::ports::days::{AccountRef, Slots, SuppressionReason, Suppressions};
use crate::ports::mail::{FoundContent, ReportedMail};
use crate::ports::vault::Vault;

/// How long a full mailbox gets no warmup mail (decision 30).
const MAILBOX_FULL: SignedDuration = SignedDuration::from_hours(24 * MAILBOX_FULL_SUPPRESSION_DAYS);

/// The ports of this part.
pub struct Reports {
    /// The mails that reports are about.
    pub slots: Arc<dyn Slots>,
    /// Their recipients.
    pub accounts: Arc<dyn AccountReads>,
    /// Who gets no more mail.
    pub suppressions: Arc<dyn Suppressions>,
    /// The key that verifies tokens.
    pub vault: Arc<dyn Vault>,
}

impl Reports {
    /// Takes a report in; true if it changed a mail.
    pub(super) async fn take(
        &self,
        account: &Account,
        content: &FoundContent,
        now: Timestamp,
    ) -> Result<bool, EngineError> {
        match content {
            FoundContent::Message => Ok(false),
            FoundContent::DeliveryReport {
                about,
                action,
                status,
                diagnostic,
                ..
            } => {
                let Some(slot) = self.reported(account, about).await? else {
                    return Ok(false);
                };
                match classify_report(action, status, *diagnostic) {
                    Report::Failed(verdict) => self.bounced(slot, verdict, status, now).await,
                    Report::Informational => Ok(false),
                }
            }
            FoundContent::Complaint { about } => {
                let Some(slot) = self.reported(account, about).await? else {
                    return Ok(false);
                };
                self.complained(slot, now).await
            }
        }
    }

    async fn reported(
        &self,
        account: &Account,
        about: &ReportedMail,
    ) -> Result<Option<Slot>, EngineError> {
        let owner = AccountRef::of(account);
        if let Some(text) = &about.message_id
            && let Some(id) = message_id::slot_of(text)
        {
            let slot = self.slots.written(owner, id).await?;
            return Ok(slot.filter(|slot| slot.message_id == *text));
        }
        let Some(text) = &about.token else {
            return Ok(None);
        };
        let Some(token) = verified(self.vault.as_ref(), account, text).await? else {
            return Ok(None);
        };
        // Among the account's own mails, so that another's token finds nothing.
        Ok(self.slots.written(owner, token.slot).await?)
    }

    async fn bounced(
        &self,
        slot: Slot,
        verdict: Verdict,
        status: &str,
        now: Timestamp,
    ) -> Result<bool, EngineError> {
        let mut events = Vec::new();
        let accepted_at = match &slot.state {
            SlotState::Accepted { at } => *at,
            // A server that reports about it took it.
            SlotState::InDoubt { .. } | SlotState::Unknown { .. } => {
                events.push(report_event(EventType::WarmupEmailSent, &slot, now));
                slot.message_date
            }
            _ => return Ok(false),
        };
        let bounced = verdict == Verdict::HardBounce;
        let suppressed = Suppressed::by(verdict, now);
        if let Some(suppressed) = suppressed {
            let (reason, until) = (SuppressionReason::HardBounce, suppressed.until());
            self.suppress(&slot, reason, now, until).await?;
        }
        let event_type = if bounced {
            EventType::WarmupEmailBounced
        } else {
            EventType::WarmupEmailRejected
        };
        let event = report_event(event_type, &slot, now).with("status", status);
        events.push(with_suppression(event, suppressed));
        let after = Slot {
            state: SlotState::Returned {
                accepted_at,
                at: now,
                status: status.to_owned(),
                bounced,
            },
            version: slot.version + 1,
            ..slot
        };
        self.write(after, events).await
    }

    /// A complaint says what landing in spam says, only louder: it counts as spam, and its recipient gets no more.
    async fn complained(&self, slot: Slot, now: Timestamp) -> Result<bool, EngineError> {
        let may_have_come = matches!(
            slot.state,
            SlotState::Accepted { .. } | SlotState::InDoubt { .. } | SlotState::Unknown { .. }
        );
        if slot.complained_at.is_some() || !may_have_come {
            return Ok(false);
        }
        self.suppress(&slot, SuppressionReason::Complaint, now, None)
            .await?;
        let complained = report_event(EventType::WarmupEmailComplained, &slot, now);
        let mut events = vec![with_suppression(complained, Some(Suppressed::ForGood))];
        if slot.spammed_at.is_none() {
            events.push(report_event(EventType::WarmupEmailSpammed, &slot, now));
        }
        let after = Slot {
            spammed_at: slot.spammed_at.or(Some(now)),
            complained_at: Some(now),
            version: slot.version + 1,
            ..slot
        };
        self.write(after, events).await
    }

    async fn suppress(
        &self,
        slot: &Slot,
        reason: SuppressionReason,
        now: Timestamp,
        until: Option<Timestamp>,
    ) -> Result<(), EngineError> {
        if let Some(recipient) = self.accounts.get(slot.user, slot.recipient).await? {
            self.suppressions
                .suppress(slot.user, recipient.email.as_str(), reason, now, until)
                .await?;
        }
        Ok(())
    }

    async fn write(&self, slot: Slot, events: Vec<Event>) -> Result<bool, EngineError> {
        match self.slots.replace(&slot, events).await? {
            Replaced::Done => Ok(true),
            Replaced::Stale => Err(EngineError::Held("the slot")),
        }
    }
}

/// For how long the recipient of a mail that did not arrive, or that they complained about, gets no more (decision 30).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Suppressed {
    /// The address does not exist, or its owner wants none.
    ForGood,
    /// Its mailbox is full.
    Until(Timestamp),
}

impl Suppressed {
    /// What a server's word at `now` means for it.
    pub(super) fn by(verdict: Verdict, now: Timestamp) -> Option<Self> {
        match verdict {
            Verdict::HardBounce => Some(Self::ForGood),
            Verdict::MailboxFull => Some(Self::Until(shifted(now, MAILBOX_FULL.as_secs()))),
            Verdict::Transient | Verdict::SenderConnection | Verdict::Rejected => None,
        }
    }

    /// The instant that the list of suppressed addresses has; for good, it has none.
    pub(super) const fn until(self) -> Option<Timestamp> {
        match self {
            Self::ForGood => None,
            Self::Until(until) => Some(until),
        }
    }
}

/// The event, with what became of the mail's recipient.
pub(super) fn with_suppression(event: Event, suppressed: Option<Suppressed>) -> Event {
    let until = suppressed.and_then(Suppressed::until);
    event
        .with("recipientSuppressed", suppressed.is_some())
        .with("suppressedUntil", until.map(|until| until.to_string()))
}

fn report_event(event_type: EventType, slot: &Slot, now: Timestamp) -> Event {
    Event::account(event_type, slot.sender, Actor::System, now)
        .with("slotId", slot.id.to_string())
        .with("recipientAccountId", slot.recipient.to_string())
}
