//! A mailbox to oneself, from the moment that something has to be moved or noted in it.
//!
//! By IMAP a move may be a copy and a deletion: two sessions that move one message can make two copies, and nobody would know which is
//! whose. What does not move needs no lease.

use jiff::{SignedDuration, Timestamp};

use crate::engine::EngineError;
use crate::ports::StoreError;
use crate::ports::days::AccountRef;
use crate::ports::mailboxes::{MailboxLease, MailboxState, Mailboxes};

/// How long a visit may have a mailbox to itself (wall clock): longer than its session's absolute deadline.
const VISIT_LEASE: SignedDuration = SignedDuration::from_secs(120);

/// A lease that is taken when it is needed.
pub(in crate::engine) struct Hold<'v> {
    mailboxes: &'v dyn Mailboxes,
    mailbox: AccountRef,
    owner: String,
    /// When it would be taken (wall clock).
    now: Timestamp,
    lease: Option<MailboxLease>,
}

impl<'v> Hold<'v> {
    /// Not taken yet. `owner` is a fresh token.
    pub(super) fn new(
        mailboxes: &'v dyn Mailboxes,
        mailbox: AccountRef,
        owner: String,
        now: Timestamp,
    ) -> Self {
        Self {
            mailboxes,
            mailbox,
            owner,
            now,
            lease: None,
        }
    }

    /// Takes the mailbox, unless it is taken already. What is made of its state is written when it is given back.
    pub(in crate::engine) async fn take(&mut self) -> Result<&mut MailboxState, EngineError> {
        let lease = if let Some(lease) = self.lease.take() {
            lease
        } else {
            let (mailbox, owner) = (self.mailbox, &self.owner);
            let lease = self.mailboxes.lease(mailbox, owner, self.now, VISIT_LEASE);
            lease.await?.ok_or(EngineError::Held("the mailbox"))?
        };
        Ok(&mut self.lease.insert(lease).state)
    }

    /// Gives the mailbox back if it was taken.
    pub(super) async fn give_back(self) -> Result<(), StoreError> {
        match self.lease {
            Some(lease) => self.mailboxes.release(&lease, &lease.state).await,
            None => Ok(()),
        }
    }
}
