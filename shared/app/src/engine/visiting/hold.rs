//! A mailbox to oneself, from the moment that something has to be moved in it.
//!
//! By IMAP a move may be a copy and a deletion: two sessions that move one message can make two copies, and nobody would know which is
//! whose. What does not move needs no lease; what it leaves to be noted is noted if nobody was there meanwhile.

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
    /// The mailbox as it was read, before it was taken.
    read: MailboxState,
    lease: Option<MailboxLease>,
}

impl<'v> Hold<'v> {
    /// Not taken yet. `owner` is a fresh token.
    pub(super) fn new(
        mailboxes: &'v dyn Mailboxes,
        mailbox: AccountRef,
        owner: String,
        now: Timestamp,
        read: MailboxState,
    ) -> Self {
        Self {
            mailboxes,
            mailbox,
            owner,
            now,
            read,
            lease: None,
        }
    }

    /// Takes the mailbox, unless it is taken already.
    pub(in crate::engine) async fn take(&mut self) -> Result<(), EngineError> {
        if self.lease.is_none() {
            let (mailbox, owner) = (self.mailbox, &self.owner);
            let lease = self.mailboxes.lease(mailbox, owner, self.now, VISIT_LEASE);
            self.lease = Some(lease.await?.ok_or(EngineError::Held("the mailbox"))?);
        }
        Ok(())
    }

    /// The mailbox as far as is known: as it was when it was taken, or when it was read.
    pub(super) fn state(&self) -> &MailboxState {
        self.lease.as_ref().map_or(&self.read, |lease| &lease.state)
    }

    /// Notes what the mailbox is left as, where there is something to note, and gives it back if it was taken.
    pub(super) async fn leave(self, noted: Option<&MailboxState>) -> Result<(), StoreError> {
        match (self.lease, noted) {
            (Some(lease), noted) => {
                let state = noted.unwrap_or(&lease.state);
                self.mailboxes.release(&lease, state).await
            }
            (None, Some(noted)) => self.mailboxes.note(self.mailbox, noted, self.now).await,
            (None, None) => Ok(()),
        }
    }
}
