//! From a claimed slot to the mail that goes out.
//!
//! A mail follows from its slot and the two accounts alone, so that composing it again (a retry) words it the same way. Nothing of it is
//! stored.

use std::sync::Arc;

use agentwarm_core::account::Account;
use agentwarm_core::content::{
    ContentError, ConversationId, Persona, TurnRef, choose_conversation, compose,
};
use agentwarm_core::ids::{SlotId, ThreadId};
use agentwarm_core::mail::slot::{Slot, ThreadPosition};
use agentwarm_core::mail::token::{Token, TokenError, TokenKey};
use agentwarm_core::seed::Seed;

use crate::ports::mail::OutgoingMail;
use crate::ports::vault::{Vault, VaultError};

/// Why a mail could not be put together.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// The content bank has no such turn.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// There was no key to sign its token with.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// Its token could not be made.
    #[error(transparent)]
    Token(#[from] TokenError),
}

/// Puts mails together.
#[derive(Clone)]
pub struct Composer {
    /// The key that signs tokens.
    pub vault: Arc<dyn Vault>,
    /// The header that carries the token.
    pub token_header: String,
}

impl Composer {
    /// The mail of a claimed slot.
    pub async fn outgoing(
        &self,
        slot: &Slot,
        sender: &Account,
        recipient: &Account,
    ) -> Result<OutgoingMail, ComposeError> {
        let conversation = ConversationId::new(slot.position.conversation.clone());
        let turn = TurnRef {
            conversation: &conversation,
            turn: usize::from(slot.position.turn),
        };
        let composed = compose(
            turn,
            &Persona::of(sender),
            &Persona::of(recipient),
            thread_seed(&slot.position),
            slot_seed(slot.id),
        )?;
        let key = self.vault.message_key(slot.user).await?;
        let token = Token {
            slot: slot.id,
            sender: slot.sender,
            recipient: slot.recipient,
            thread: slot.position.thread,
            conversation: slot.position.conversation.clone(),
            turn: slot.position.turn,
        };
        Ok(OutgoingMail {
            from: (sender.display_name.clone(), sender.email.clone()),
            to: (recipient.display_name.clone(), recipient.email.clone()),
            subject: composed.subject,
            text: composed.body_text,
            message_id: slot.message_id.clone(),
            date: slot.message_date,
            in_reply_to: slot.position.references.last().cloned(),
            references: slot.position.references.clone(),
            headers: vec![(
                self.token_header.clone(),
                token.sign(TokenKey::new(key.as_slice())?)?,
            )],
        })
    }
}

/// Where a new thread begins.
pub fn opening(slot: SlotId, sender: &Account) -> Result<ThreadPosition, ContentError> {
    let seed = slot_seed(slot).child("thread");
    let conversation = choose_conversation(&Persona::of(sender), seed.child("conversation"))?;
    Ok(ThreadPosition {
        thread: ThreadId::from_uuid(*slot.as_uuid()),
        conversation: conversation.as_str().to_owned(),
        turn: 0,
        references: Vec::new(),
    })
}

/// The place of a mail that will not be sent: its own thread, which says nothing.
pub fn unsent(slot: SlotId) -> ThreadPosition {
    ThreadPosition {
        thread: ThreadId::from_uuid(*slot.as_uuid()),
        conversation: String::new(),
        turn: 0,
        references: Vec::new(),
    }
}

/// The seed of everything that is drawn for one mail.
pub fn slot_seed(slot: SlotId) -> Seed {
    Seed::root(b"agentwarm/slot").child_bytes("slot", slot.as_uuid().as_bytes())
}

/// The seed of everything that the mails of a thread share.
fn thread_seed(position: &ThreadPosition) -> Seed {
    Seed::root(b"agentwarm/thread").child_bytes("thread", position.thread.as_uuid().as_bytes())
}
