//! A warmup mail is found in a mailbox: book it once, rescue it, decide what will be done with it.
//!
//! The token says which slot a message claims to be; the slot's own item says whether that is so (decision 28). Its Message-ID need not be
//! the slot's: some servers give mails one of their own (Amazon SES, Outlook). The first message with the token is the mail, by
//! whatever Message-ID it has here; any other is a copy and left alone.
//!
//! The receipt is created under the slot's id and last, after all else that follows from the arrival. So whoever sees the message again (the
//! next poll, the rescued copy in the inbox) finds it booked and has nothing to do, and whoever sees it after a crash does again what was done.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use agentwarm_core::account::Account;
use agentwarm_core::audit::{Actor, Event, EventType};
use agentwarm_core::content::{ConversationId, turns};
use agentwarm_core::ids::{AccountId, SlotId};
use agentwarm_core::mail::receipt::{Placement, Receipt};
use agentwarm_core::mail::slot::{Slot, SlotKind, SlotState};
use agentwarm_core::mail::token::{Token, TokenKey};
use agentwarm_core::warmup::due::{DueEntry, DueKind};
use agentwarm_core::warmup::engage::{self, Arrival};

use super::compose::slot_seed;
use super::config::Configs;
use super::visiting::{Inside, Interrupted};
use super::{EngineError, file, settling};
use crate::ports::clock::Clock;
use crate::ports::days::{AccountRef, Receipts, Slots};
use crate::ports::due::DueIndex;
use crate::ports::mail::{Folder, FoundMessage, Location};
use crate::ports::vault::Vault;
use crate::ports::{Created, Replaced};

/// Where a warmup mail can be, the likeliest first.
pub(super) const WARMUP_PLACES: [Folder; 4] = [
    Folder::Inbox,
    Folder::Junk,
    Folder::OtherJunk,
    Folder::Warmup,
];

/// The ports of this part.
pub struct Arrivals {
    /// The sender's halves.
    pub slots: Arc<dyn Slots>,
    /// The receiver's halves.
    pub receipts: Arc<dyn Receipts>,
    /// Replies to come.
    pub due: Arc<dyn DueIndex>,
    /// Rates and hours.
    pub configs: Configs,
    /// The key that verifies tokens.
    pub vault: Arc<dyn Vault>,
    /// Leases of claims are wall-clock.
    pub clock: Arc<dyn Clock>,
}

/// What became of a message.
#[derive(Debug, Default)]
pub(super) struct Arrived {
    /// Its receipt, if it is a warmup mail.
    pub(super) receipt: Option<Receipt>,
    /// It was booked now.
    pub(super) is_new: bool,
}

/// What became of a look for one mail.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// Its receipt, if it was found, now or before.
    pub(super) receipt: Option<Receipt>,
    /// It was in doubt, and was looked for.
    pub(super) searched: bool,
}

impl Arrivals {
    /// Tells warmup mails to this account from other people's mail, which is left alone.
    pub(super) async fn recognise<'m>(
        &self,
        account: &Account,
        messages: &'m [FoundMessage],
    ) -> Result<Vec<(&'m FoundMessage, Option<Token>)>, EngineError> {
        let mut recognised = Vec::with_capacity(messages.len());
        for message in messages {
            recognised.push((message, self.token_of(account, message).await?));
        }
        Ok(recognised)
    }

    /// The receipts of these mails, as far as they were booked a moment ago. They are read at once, with what lies between them: a visit meets
    /// neighbours, and one query for all costs a fraction of a read for each.
    pub(super) async fn booked(
        &self,
        account: &Account,
        slots: &BTreeSet<SlotId>,
    ) -> Result<BTreeMap<SlotId, Receipt>, EngineError> {
        let (Some(first), Some(last)) = (slots.first(), slots.last()) else {
            return Ok(BTreeMap::new());
        };
        let mailbox = AccountRef::of(account);
        let receipts = self
            .receipts
            .between(mailbox, *first, last.successor())
            .await?;
        let wanted = receipts.into_iter().filter(|it| slots.contains(&it.slot));
        Ok(wanted.map(|receipt| (receipt.slot, receipt)).collect())
    }

    /// Takes in what claims to be the warmup mail of `token`. `known` is its receipt, where it was booked before.
    pub(super) async fn arrive(
        &self,
        account: &Account,
        message: &FoundMessage,
        token: &Token,
        known: Option<&Receipt>,
        inside: &mut Inside<'_>,
    ) -> Result<Arrived, Interrupted> {
        if let Some(receipt) = known {
            if message.message_id.as_deref() != Some(&*receipt.message_id) {
                return Ok(Arrived::default());
            }
            self.rescue(&message.location, inside).await?;
            return Ok(Arrived {
                receipt: Some(receipt.clone()),
                is_new: false,
            });
        }
        let owner = AccountRef {
            user: account.user,
            account: token.sender,
        };
        // As it is now: another visit may have noted a moment ago that it found the mail in spam, and have moved it here.
        let slot = self.slots.written(owner, token.slot).await;
        let slot = slot.map_err(EngineError::from)?;
        let Some(slot) = slot.filter(|slot| slot.recipient == account.id) else {
            return Ok(Arrived::default());
        };
        let message_id = message.message_id.as_ref().unwrap_or(&slot.message_id);
        let message_id = message_id.clone();
        self.book(account, slot, message_id, &message.location, inside)
            .await
    }

    /// Looks for a mail in doubt everywhere (decision 31).
    pub(super) async fn settle(
        &self,
        account: &Account,
        sender: AccountId,
        slot: SlotId,
        inside: &mut Inside<'_>,
    ) -> Result<Settled, Interrupted> {
        let now = inside.now;
        let owner = AccountRef {
            user: account.user,
            account: sender,
        };
        let slot = self.slots.written(owner, slot).await;
        let Some(slot) = slot.map_err(EngineError::from)? else {
            return Ok(Settled::default());
        };
        let since = match slot.state {
            SlotState::InDoubt { since, .. } => since,
            SlotState::Claimed { lease_until, .. } if lease_until <= self.clock.wall() => {
                slot.message_date
            }
            // Perhaps found by a visit that died before it noted what is left to do with it.
            SlotState::Accepted { .. } => {
                return Ok(Settled {
                    receipt: self.receipt_of(account, slot.id).await?,
                    searched: false,
                });
            }
            _ => return Ok(Settled::default()),
        };
        // Found while it was being sent, by a visit that could not know that its sender would lose the answer.
        if let Some(receipt) = self.receipt_of(account, slot.id).await? {
            self.note_on_slot(slot, receipt.placement, now).await?;
            return Ok(Settled {
                receipt: Some(receipt),
                searched: false,
            });
        }
        let found = inside.session.find(&slot.message_id, &WARMUP_PLACES, true);
        if let Some(location) = found.await? {
            let message_id = slot.message_id.clone();
            let booked = self.book(account, slot, message_id, &location, inside);
            let arrived = booked.await?;
            return Ok(Settled {
                receipt: arrived.receipt,
                searched: true,
            });
        }
        let (state, events) = if settling::is_hopeless(since, now) {
            let event = settling::given_up(&slot, now);
            (SlotState::Unknown { at: now }, vec![event])
        } else if let SlotState::InDoubt { checks, .. } = slot.state {
            let checks = checks + 1;
            (SlotState::InDoubt { since, checks }, Vec::new())
        } else {
            // Its claimer died, perhaps before it ordered any search.
            let searches = settling::searches(&slot, since);
            let filed = file(self.due.as_ref(), &searches, now).await;
            filed.map_err(EngineError::from)?;
            (SlotState::InDoubt { since, checks: 1 }, Vec::new())
        };
        self.advance(slot, state, events).await?;
        Ok(Settled {
            receipt: None,
            searched: true,
        })
    }

    /// What a message claims to be, if its token is ours and made for this account.
    async fn token_of(
        &self,
        account: &Account,
        message: &FoundMessage,
    ) -> Result<Option<Token>, EngineError> {
        let Some(text) = &message.token else {
            return Ok(None);
        };
        let token = verified(self.vault.as_ref(), account, text).await?;
        Ok(token.filter(|token| token.recipient == account.id))
    }

    async fn receipt_of(
        &self,
        account: &Account,
        slot: SlotId,
    ) -> Result<Option<Receipt>, EngineError> {
        let owner = AccountRef::of(account);
        Ok(self.receipts.get(owner, slot).await?)
    }

    /// Moves a mail out of spam.
    async fn rescue(
        &self,
        location: &Location,
        inside: &mut Inside<'_>,
    ) -> Result<(), Interrupted> {
        if location.folder.map(Folder::placement) == Some(Placement::Spam) {
            inside.hold.take().await?;
            inside.session.relocate(location, Folder::Inbox).await?;
        }
        Ok(())
    }

    async fn book(
        &self,
        account: &Account,
        slot: Slot,
        message_id: String,
        location: &Location,
        inside: &mut Inside<'_>,
    ) -> Result<Arrived, Interrupted> {
        let now = inside.now;
        // A visit that died after the rescue left word of it with the slot.
        let placement = if slot.spammed_at.is_some() {
            Placement::Spam
        } else {
            location.folder.unwrap_or(Folder::Inbox).placement()
        };
        let receipt = Receipt {
            message_id,
            ..self.receipt(account, &slot, placement, now).await?
        };
        self.note_on_slot(slot, placement, now).await?;
        self.rescue(location, inside).await?;
        let order = reply_order(&receipt);
        file(self.due.as_ref(), order.as_slice(), now)
            .await
            .map_err(EngineError::from)?;
        let events = receipt.rescued_at.map(|_| rescued(&receipt, now));
        let created = self
            .receipts
            .create(&receipt, events.into_iter().collect())
            .await
            .map_err(EngineError::from)?;
        Ok(match created {
            Created::Done => Arrived {
                receipt: Some(receipt),
                is_new: true,
            },
            // By another visit. If a replica does not know it yet, it would be missing among what a sitting engages with.
            Created::Exists => match self.receipt_of(account, receipt.slot).await? {
                Some(there) => Arrived {
                    receipt: Some(there),
                    is_new: false,
                },
                None => return Err(EngineError::Held("the receipt").into()),
            },
        })
    }

    async fn receipt(
        &self,
        account: &Account,
        slot: &Slot,
        placement: Placement,
        now: Timestamp,
    ) -> Result<Receipt, EngineError> {
        let config = self.configs.of(account).await?;
        let conversation = ConversationId::new(slot.position.conversation.clone());
        let turns_left = usize::from(slot.position.turn) + 1 < turns(&conversation);
        let engagement = engage::engage(&Arrival {
            slot: slot.id,
            found_at: now,
            receiver: account.id,
            zone: &account.zone,
            config: &config,
            // A mailbox that does not send has no budget for replies. One in error is read before it heals.
            can_reply: turns_left && account.goes_on(),
            seed: slot_seed(slot.id).child("engage"),
        });
        Ok(Receipt {
            slot: slot.id,
            user: account.user,
            receiver: account.id,
            sender: slot.sender,
            date: account.zone.date_of(now),
            found_at: now,
            placement,
            message_id: slot.message_id.clone(),
            position: slot.position.clone(),
            engagement,
            rescued_at: (placement == Placement::Spam).then_some(now),
            version: 0,
        })
    }

    /// What the arrival tells about the sender's half: it was accepted if that was in doubt, and it landed in spam if it did. When it was
    /// accepted nobody heard; its `Date` is the nearest that is known.
    async fn note_on_slot(
        &self,
        slot: Slot,
        placement: Placement,
        now: Timestamp,
    ) -> Result<(), EngineError> {
        let mut events = Vec::new();
        let mut after = slot.clone();
        let was_in_doubt = match &slot.state {
            SlotState::InDoubt { .. } | SlotState::Unknown { .. } | SlotState::Retry { .. } => true,
            SlotState::Claimed { lease_until, .. } => *lease_until <= self.clock.wall(),
            _ => false,
        };
        if was_in_doubt {
            let at = slot.message_date;
            after.state = SlotState::Accepted { at };
            events.push(settling::accepted(&slot, now));
        }
        if placement == Placement::Spam && slot.spammed_at.is_none() {
            after.spammed_at = Some(now);
            events.push(spammed(&slot, now));
        }
        if after == slot {
            return Ok(());
        }
        after.version += 1;
        match self.slots.replace(&after, events).await? {
            Replaced::Done => Ok(()),
            Replaced::Stale => Err(EngineError::Held("the slot")),
        }
    }

    async fn advance(
        &self,
        slot: Slot,
        state: SlotState,
        events: Vec<Event>,
    ) -> Result<(), EngineError> {
        let slot = Slot {
            state,
            version: slot.version + 1,
            ..slot
        };
        match self.slots.replace(&slot, events).await? {
            Replaced::Done => Ok(()),
            Replaced::Stale => Err(EngineError::Held("the slot")),
        }
    }
}

fn rescued(receipt: &Receipt, now: Timestamp) -> Event {
    let event_type = EventType::WarmupEmailRescued;
    Event::account(event_type, receipt.sender, Actor::System, now)
        .with("slotId", receipt.slot.to_string())
        .with("recipientAccountId", receipt.receiver.to_string())
}

fn spammed(slot: &Slot, now: Timestamp) -> Event {
    let event_type = EventType::WarmupEmailSpammed;
    Event::account(event_type, slot.sender, Actor::System, now)
        .with("slotId", slot.id.to_string())
        .with("recipientAccountId", slot.recipient.to_string())
}

/// What a new receipt puts into the index: its reply. What is done in the mailbox is done at its sittings, which cost no entry.
fn reply_order(receipt: &Receipt) -> Option<DueEntry> {
    let reply = receipt.engagement.reply?;
    Some(DueEntry {
        at: reply.at,
        user: receipt.user,
        kind: DueKind::Send {
            sender: receipt.receiver,
            slot: reply.slot,
            target: receipt.sender,
            slot_kind: SlotKind::Reply {
                answers: receipt.slot,
            },
        },
    })
}

/// What a token says that `account` met, if it is one of its user's.
pub(super) async fn verified(
    vault: &dyn Vault,
    account: &Account,
    text: &str,
) -> Result<Option<Token>, EngineError> {
    let key = vault.message_key(account.user).await?;
    let token = TokenKey::new(key.as_slice()).and_then(|key| Token::verify(text, key));
    if token.is_err() {
        tracing::info!(account = %account.id, "a message carries a token that is not ours");
    }
    Ok(token.ok())
}
