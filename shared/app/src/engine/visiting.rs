//! Looking into a mailbox: read what is new, recognise warmup mail, rescue, engage, settle.
//!
//! Most visits find nothing, so a visit writes nothing until it has something to write: it reads the folders from the stored cursors first,
//! takes the mailbox's lease only for work, and gives it back with what it learned. The lease is for moves, of which two sessions can make
//! two copies. That all else is done *once*, whoever else is in the mailbox, rests on the receipts, which are created and changed
//! conditionally, and on operations that can be repeated (setting a flag again). Cursors move last: a visit that dies reads the same messages
//! again and meets its own receipts.

mod healing;
mod reading;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use agentwarm_core::account::{Account, AccountStatus};
use agentwarm_core::ids::SlotId;
use agentwarm_core::mail::receipt::Receipt;
use agentwarm_core::warmup::connection::MailProtocol;
use agentwarm_core::warmup::engage;

use self::reading::read_new;
use super::EngineError;
use super::arrivals::Arrivals;
use super::health::HealthKeeper;
use super::reports::Reports;
use crate::ports::Replaced;
use crate::ports::accounts::AccountReads;
use crate::ports::clock::{Clock, Entropy};
use crate::ports::days::{AccountRef, Receipts};
use crate::ports::due::{Roster, RosterEntry};
use crate::ports::mail::{
    ConnectFailure, Folder, FoundContent, FoundMessage, Location, MailReader, MailSender,
    ReadSession,
};
use crate::ports::mailboxes::{MailboxState, Mailboxes};
use crate::ports::queue::VisitOrder;

/// How long a visit may have a mailbox to itself (wall clock): longer than its session's absolute deadline.
pub const VISIT_LEASE: SignedDuration = SignedDuration::from_secs(120);

/// How far back receipts are read of a mailbox of which nothing is remembered: a reply moves for 48 h at most, over a weekend, and filing
/// comes after it.
const ENGAGEMENT_LOOKBACK: SignedDuration = SignedDuration::from_hours(8 * 24);

/// The ports of this step.
pub struct Visiting {
    /// Whose mailbox.
    pub accounts: Arc<dyn AccountReads>,
    /// Received mails.
    pub receipts: Arc<dyn Receipts>,
    /// Cursors and leases.
    pub mailboxes: Arc<dyn Mailboxes>,
    /// Rounds of mailboxes that never warmed.
    pub roster: Arc<dyn Roster>,
    /// Credentials and connection health.
    pub health: HealthKeeper,
    /// IMAP.
    pub reader: Arc<dyn MailReader>,
    /// SMTP, for a mailbox that nobody sends from since it failed.
    pub sender: Arc<dyn MailSender>,
    /// What to do with a warmup mail.
    pub arrivals: Arrivals,
    /// What to do with a delivery report.
    pub reports: Reports,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Lease owners.
    pub entropy: Arc<dyn Entropy>,
}

/// What a visit did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Visited {
    /// Warmup mails found for the first time.
    pub arrived: u32,
    /// Of these, moved from spam to the inbox.
    pub rescued: u32,
    /// Receipts that engagement changed.
    pub engaged: u32,
    /// Delivery reports and complaints that changed a mail.
    pub reports: u32,
    /// Mails in doubt that were looked for.
    pub searched: u32,
}

/// What is left to do with the mails of a mailbox.
#[derive(Debug, Clone, Copy, Default)]
struct Engaged {
    /// When something is due next.
    next: Option<Timestamp>,
    /// Nothing is left to do with mails of older slots.
    before: Option<SlotId>,
}

impl Visiting {
    /// Carries out one order.
    pub async fn visit(&self, order: &VisitOrder) -> Result<Visited, EngineError> {
        let mailbox = AccountRef {
            user: order.user,
            account: order.account,
        };
        let now = self.clock.schedule();
        if !order.look_anyway && self.nothing_expected(order).await? {
            return Ok(Visited::default());
        }
        let Some(account) = self.accounts.get(order.user, order.account).await? else {
            return Ok(Visited::default());
        };
        let state = self.mailboxes.state(mailbox).await?;
        let waits = state.health.waits_until(MailProtocol::Imap);
        if waits.is_some_and(|at| now < at)
            || matches!(
                account.status,
                AccountStatus::Paused | AccountStatus::Suspended
            )
        {
            return Ok(Visited::default());
        }
        if account.warmup.is_none() && state.engaged_before.is_none() {
            self.enrol(&account).await?;
        }
        let credentials = self.health.credentials(&account).await?;
        let mut session = match self.reader.connect(&credentials).await {
            Ok(session) => session,
            Err(failure) => {
                self.failed(&account, &failure).await?;
                return Ok(Visited::default());
            }
        };
        self.opened(&account, &credentials, &state.health).await?;
        let visited = self
            .inside(&account, &state, order, session.as_mut(), now)
            .await;
        session.close().await;
        visited
    }

    /// A mailbox that never warmed has no rounds: from the first mail to it on it has them too, for what was not there at its look and for
    /// what is to be done with it.
    async fn enrol(&self, account: &Account) -> Result<(), EngineError> {
        let entry = RosterEntry {
            user: account.user,
            account: account.id,
            busy: None,
        };
        Ok(self.roster.enrol(&entry).await?)
    }

    async fn nothing_expected(&self, order: &VisitOrder) -> Result<bool, EngineError> {
        let wanted: Vec<_> = order
            .expected
            .iter()
            .map(|&(_, slot)| (order.account, slot))
            .collect();
        Ok(self.receipts.found(order.user, &wanted).await?.len() >= wanted.len())
    }

    async fn inside(
        &self,
        account: &Account,
        state: &MailboxState,
        order: &VisitOrder,
        session: &mut dyn ReadSession,
        now: Timestamp,
    ) -> Result<Visited, EngineError> {
        let mut visited = Visited::default();
        let (messages, cursors) = match read_new(session, state).await {
            Ok(read) => read,
            Err(failure) => {
                self.failed(account, &failure).await?;
                return Ok(visited);
            }
        };
        let engagement_due = state.next_engagement.is_some_and(|at| at <= now);
        if messages.is_empty()
            && !engagement_due
            && order.expected.is_empty()
            && !cursors.differ_from(state)
        {
            return Ok(visited);
        }
        let mailbox = AccountRef {
            user: account.user,
            account: account.id,
        };
        let owner = format!("{:032x}", self.entropy.bits());
        let wall = self.clock.wall();
        let lease = self.mailboxes.lease(mailbox, &owner, wall, VISIT_LEASE);
        let Some(lease) = lease.await? else {
            return Err(EngineError::Held("the mailbox"));
        };
        let result = self
            .work(
                account,
                order,
                session,
                &messages,
                &lease.state,
                &mut visited,
            )
            .await;
        // After a failure all stays as it was, so that the next visit reads the same messages again.
        let after = match &result {
            Ok(engaged) => MailboxState {
                inbox: cursors.inbox,
                junk: cursors.junk,
                next_engagement: engaged.next,
                engaged_before: engaged.before,
                ..lease.state.clone()
            },
            Err(_) => lease.state.clone(),
        };
        self.mailboxes.release(&lease, &after).await?;
        match result {
            Ok(_) => Ok(visited),
            Err(Interrupted::Connection(failure)) => {
                self.failed(account, &failure).await?;
                Ok(visited)
            }
            Err(Interrupted::Engine(error)) => Err(error),
        }
    }

    /// Everything that is done in a mailbox that is held in this `state`.
    async fn work(
        &self,
        account: &Account,
        order: &VisitOrder,
        session: &mut dyn ReadSession,
        messages: &[FoundMessage],
        state: &MailboxState,
        visited: &mut Visited,
    ) -> Result<Engaged, Interrupted> {
        let now = self.clock.schedule();
        let mut booked = Vec::new();
        for message in messages {
            booked.extend(
                self.take_in(account, message, session, now, visited)
                    .await?,
            );
        }
        for &(sender, slot) in &order.expected {
            if booked.contains(&slot) {
                continue;
            }
            let settled = self
                .arrivals
                .settle(account, sender, slot, session, now)
                .await?;
            visited.searched += u32::from(settled.searched);
            booked.extend(settled.slot);
        }
        let due = state.next_engagement.is_some_and(|at| at <= now);
        if booked.is_empty() && !due {
            return Ok(Engaged {
                next: state.next_engagement,
                before: state.engaged_before,
            });
        }
        let oldest = booked.into_iter().min();
        let from = match (state.engaged_before, oldest) {
            (Some(known), Some(oldest)) => known.min(oldest),
            (Some(known), None) => known,
            (None, _) => SlotId::first_at(
                now.saturating_sub(ENGAGEMENT_LOOKBACK)
                    .unwrap_or(Timestamp::MIN),
            ),
        };
        self.engage_due(account, from, session, now, visited).await
    }

    /// Takes a message in; its slot, if it is a warmup mail.
    async fn take_in(
        &self,
        account: &Account,
        message: &FoundMessage,
        session: &mut dyn ReadSession,
        now: Timestamp,
        visited: &mut Visited,
    ) -> Result<Option<SlotId>, Interrupted> {
        match &message.content {
            FoundContent::Message => {
                let arrival = self.arrivals.arrive(account, message, session, now).await?;
                visited.arrived += u32::from(arrival.is_new);
                visited.rescued += u32::from(arrival.is_rescued);
                Ok(arrival.slot)
            }
            FoundContent::DeliveryReport { .. } | FoundContent::Complaint { .. } => {
                visited.reports +=
                    u32::from(self.reports.take(account, &message.content, now).await?);
                Ok(None)
            }
        }
    }

    /// Does whatever is due with received mails, from that of slot `from` on.
    async fn engage_due(
        &self,
        account: &Account,
        from: SlotId,
        session: &mut dyn ReadSession,
        now: Timestamp,
        visited: &mut Visited,
    ) -> Result<Engaged, Interrupted> {
        let mailbox = AccountRef {
            user: account.user,
            account: account.id,
        };
        let until = now
            .saturating_add(SignedDuration::from_hours(24))
            .unwrap_or(Timestamp::MAX);
        let receipts = self
            .receipts
            .between(mailbox, from, SlotId::first_at(until))
            .await
            .map_err(EngineError::from)?;
        let mut engaged = Engaged::default();
        for receipt in receipts {
            let receipt = if engage::next_due(&receipt).is_some_and(|at| at <= now) {
                let engaged = self.engage(receipt, session, now).await?;
                visited.engaged += 1;
                engaged
            } else {
                receipt
            };
            if let Some(due) = engage::next_due(&receipt) {
                engaged.before = engaged.before.or(Some(receipt.slot));
                engaged.next = Some(engaged.next.map_or(due, |next| next.min(due)));
            }
        }
        engaged.before = engaged.before.or(Some(SlotId::first_at(now)));
        Ok(engaged)
    }

    /// Carries out all actions of one mail that are due, then books them with one write. A mail that its owner has deleted or moved
    /// out of reach is booked as filed: there is nothing left to do with it.
    async fn engage(
        &self,
        mut receipt: Receipt,
        session: &mut dyn ReadSession,
        now: Timestamp,
    ) -> Result<Receipt, Interrupted> {
        let places = [Folder::Inbox, Folder::Junk, Folder::Warmup];
        let location = session.find(&receipt.message_id, &places, false).await?;
        while let Some(action) = engage::next_action(&receipt, now) {
            match &location {
                Some(location) => perform(session, location, action).await?,
                None => receipt.filed_at = Some(now),
            }
            engage::book(&mut receipt, action, now);
        }
        receipt.version += 1;
        match self
            .receipts
            .replace(&receipt, Vec::new())
            .await
            .map_err(EngineError::from)?
        {
            Replaced::Done => Ok(receipt),
            // Its reply was booked meanwhile: the next visit finds these actions still due and repeats them, which changes nothing.
            Replaced::Stale => Err(EngineError::Held("the receipt").into()),
        }
    }
}

async fn perform(
    session: &mut dyn ReadSession,
    location: &Location,
    action: engage::Action,
) -> Result<(), ConnectFailure> {
    match action {
        engage::Action::Open => session.mark_seen(location).await,
        engage::Action::MarkImportant => session.mark_important(location).await,
        engage::Action::File if location.folder == Some(Folder::Warmup) => Ok(()),
        engage::Action::File => session.relocate(location, Folder::Warmup).await,
    }
}

/// Why the work in a mailbox ended early.
pub(super) enum Interrupted {
    /// The session broke.
    Connection(ConnectFailure),
    /// Something of ours failed.
    Engine(EngineError),
}

impl From<ConnectFailure> for Interrupted {
    fn from(failure: ConnectFailure) -> Self {
        Self::Connection(failure)
    }
}

impl From<EngineError> for Interrupted {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}
