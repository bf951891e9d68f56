//! Looking into a mailbox: read what is new, recognise warmup mail, rescue, engage, settle.
//!
//! A visit is a *look*, for mail that was sent minutes ago, or a *round*. A look books what it finds and writes nothing else, and most rounds
//! find nothing else to do. Once an hour a round is a *sitting* ([`engage`]): it does whatever became due since the last one, notes how far
//! the mailbox was read and that all until now is done, and sums up what its account has sent and received so far ([`Figures`]); at night only
//! if it found something. Until a sitting has noted that, later visits read the same messages again and meet their receipts; that costs less
//! than a note at each visit.
//!
//! What moves mail takes the mailbox's lease first ([`hold`]), for two sessions that move one message can make two copies. What a sitting
//! without moves leaves is noted only if nobody was in the mailbox meanwhile. That all else is done *once*, whoever else is there, rests on
//! the receipts, which are created conditionally, and on operations that can be repeated (setting a flag again). Cursors move last: a visit
//! that dies leaves the mailbox as if it had not come.

mod healing;
mod hold;
mod reading;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use agentwarm_core::account::{Account, AccountStatus};
use agentwarm_core::ids::SlotId;
use agentwarm_core::mail::receipt::Receipt;
use agentwarm_core::time::shifted;
use agentwarm_core::warmup::connection::MailProtocol;
use agentwarm_core::warmup::due::rounds;
use agentwarm_core::warmup::engage::{self, Action};

use self::hold::Hold;
use self::reading::{Cursors, read_new};
use super::EngineError;
use super::arrivals::{Arrivals, Arrived, WARMUP_PLACES};
use super::figures::Figures;
use super::health::HealthKeeper;
use super::reports::Reports;
use crate::ports::accounts::AccountReads;
use crate::ports::clock::{Clock, Entropy};
use crate::ports::days::{AccountRef, Receipts};
use crate::ports::due::{Roster, RosterEntry};
use crate::ports::mail::{
    ConnectFailure, Folder, FoundMessage, Location, MailReader, MailSender, ReadSession,
};
use crate::ports::mailboxes::{MailboxState, Mailboxes};
use crate::ports::queue::VisitOrder;

/// Mailboxes that one process visits at the same time: visits wait for servers most of their time. More would need more memory, since each
/// server decides how much it sends; a batch that is larger is visited in waves, for which the function's time must do.
pub const VISITS_AT_ONCE: u8 = 10;

/// How far back receipts are read of a mailbox of which nothing is remembered: a reply moves for 48 h at most, over a weekend, and filing
/// comes after it.
const ENGAGEMENT_LOOKBACK: SignedDuration = SignedDuration::from_hours(8 * 24);

/// A sitting at which there was nothing to do leaves it to the next one to note how far the mailbox was read, if that is due within this time…
const SITS_SOON: SignedDuration = SignedDuration::from_hours(1);
/// …and no more messages than these would be read again.
const READ_AGAIN: usize = 25;

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
    /// Sums of the running day.
    pub figures: Figures,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Lease owners.
    pub entropy: Arc<dyn Entropy>,
}

/// What a visit did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Visited {
    /// Messages that were read.
    pub met: usize,
    /// Warmup mails found for the first time.
    pub arrived: u32,
    /// Of these, moved from spam to the inbox.
    pub rescued: u32,
    /// Mails that something was done with.
    pub engaged: u32,
    /// Delivery reports and complaints that changed a mail.
    pub reports: u32,
    /// Mails in doubt that were looked for.
    pub searched: u32,
}

/// A visit that is in a mailbox.
pub(super) struct Inside<'v> {
    /// The open session.
    pub(super) session: &'v mut dyn ReadSession,
    /// The mailbox to oneself.
    pub(super) hold: Hold<'v>,
    /// When the visit began (schedule clock).
    pub(super) now: Timestamp,
}

/// The warmup mails among what was read.
struct TakenIn {
    /// Their receipts.
    booked: BTreeMap<SlotId, Receipt>,
    /// Those of them that this visit booked.
    new: BTreeSet<SlotId>,
}

/// What a sitting leaves to do with the mails of a mailbox.
#[derive(Debug, Clone, Copy)]
struct Sat {
    /// Whether there was something to do.
    worked: bool,
    /// When something is due next.
    next: Option<Timestamp>,
    /// Nothing is left to do with mails of older slots.
    before: SlotId,
}

impl Visiting {
    /// Carries out one order.
    pub async fn visit(&self, order: &VisitOrder) -> Result<Visited, EngineError> {
        let now = self.clock.schedule();
        if !order.look_anyway && self.nothing_expected(order).await? {
            return Ok(Visited::default());
        }
        let Some(account) = self.accounts.get(order.user, order.account).await? else {
            return Ok(Visited::default());
        };
        if order.look_anyway {
            self.remember_planning(&account, now).await?;
        }
        let visited = self.look_into(&account, order, now).await?;
        // At rest, what the last sitting summed up still holds if nothing is new; a search may leave nothing new to the next one.
        let is_news = order.sums_up || visited != Visited::default();
        let sits = rounds::is_sitting(account.id, now) || visited.searched > 0;
        if order.look_anyway && sits && is_news {
            self.sum_up(&account, now).await?;
        }
        Ok(visited)
    }

    /// Brings the figures of the account's running day up to date, and those of the day that was running an hour ago.
    async fn sum_up(&self, account: &Account, now: Timestamp) -> Result<(), EngineError> {
        let instants = [shifted(now, -60 * 60), now];
        let dates = instants.map(|at| account.zone.date_of(at));
        // A day goes on in the zone that it was planned in.
        let planned = account.warmup.as_ref().and_then(|it| it.last_planned_date);
        let dates: BTreeSet<_> = dates.into_iter().chain(planned).collect();
        for date in dates {
            self.figures.refresh(account, date, now).await?;
        }
        Ok(())
    }

    async fn look_into(
        &self,
        account: &Account,
        order: &VisitOrder,
        now: Timestamp,
    ) -> Result<Visited, EngineError> {
        let mailbox = AccountRef::of(account);
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
            self.enrol(account).await?;
        }
        let credentials = self.health.credentials(account).await?;
        let mut session = match self.reader.connect(&credentials).await {
            Ok(session) => session,
            Err(failure) => {
                self.failed(account, &failure).await?;
                return Ok(Visited::default());
            }
        };
        let mut visited = Visited::default();
        let done = self
            .inside(account, &state, order, session.as_mut(), now, &mut visited)
            .await;
        let judged = match done {
            // A login proves little: the server may do nothing that it is asked for afterwards.
            Ok(()) => self.worked(account, &credentials, &state.health).await,
            Err(Interrupted::Connection(failure)) => self.failed(account, &failure).await,
            Err(Interrupted::Engine(error)) => Err(error),
        };
        session.close().await;
        judged.map(|()| visited)
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
        visited: &mut Visited,
    ) -> Result<(), Interrupted> {
        let (messages, cursors) = read_new(session, state).await?;
        visited.met = messages.len();
        if messages.is_empty()
            && !engagement_is_due(state, now)
            && order.expected.is_empty()
            && !cursors.differ_from(state)
        {
            return Ok(());
        }
        let mut inside = Inside {
            session,
            hold: Hold::new(
                self.mailboxes.as_ref(),
                AccountRef::of(account),
                format!("{:032x}", self.entropy.bits()),
                self.clock.wall(),
                state.clone(),
            ),
            now,
        };
        let result = self
            .work(account, order, &messages, &mut inside, visited)
            .await;
        let hold = inside.hold;
        let noted = match &result {
            Ok(Some(sat)) => Some(noted(hold.state(), &cursors, *sat, now)),
            Ok(None) | Err(_) => None,
        };
        let left = hold.leave(noted.as_ref()).await;
        left.map_err(EngineError::from)?;
        result.map(|_| ())
    }

    /// Everything that is done in a mailbox. Says what is left to be noted, if it should be noted now.
    async fn work(
        &self,
        account: &Account,
        order: &VisitOrder,
        messages: &[FoundMessage],
        inside: &mut Inside<'_>,
        visited: &mut Visited,
    ) -> Result<Option<Sat>, Interrupted> {
        let TakenIn { mut booked, new } = self.take_in(account, messages, inside, visited).await?;
        let mut settled_any = false;
        // Those met by earlier visits, too: what was booked while it was being sent may be in doubt since.
        let expected = order.expected.iter();
        for &(sender, slot) in expected.filter(|(_, slot)| !new.contains(slot)) {
            let settled = self.arrivals.settle(account, sender, slot, inside).await?;
            visited.searched += u32::from(settled.searched);
            settled_any |= settled.receipt.is_some();
            booked.extend(settled.receipt.map(|receipt| (receipt.slot, receipt)));
        }
        let state = inside.hold.state();
        let is_unknown = state.inbox.is_none();
        let is_due = engagement_is_due(state, inside.now);
        let sits = is_unknown || is_due || rounds::is_sitting(account.id, inside.now);
        // What was found elsewhere than at the cursors is not met again, and much is not to be read again.
        if !order.look_anyway || !(sits || settled_any || messages.len() > READ_AGAIN) {
            return Ok(None);
        }
        let sat = self.sit(account, booked, inside, visited).await?;
        let soon = inside.now.saturating_add(SITS_SOON);
        let sits_soon = sat.next.is_some_and(|at| soon.is_ok_and(|soon| at <= soon));
        let note_now = sat.worked || settled_any || messages.len() > READ_AGAIN || !sits_soon;
        Ok(note_now.then_some(sat))
    }

    /// Takes in what was read: warmup mails, and reports among other people's mail.
    async fn take_in(
        &self,
        account: &Account,
        messages: &[FoundMessage],
        inside: &mut Inside<'_>,
        visited: &mut Visited,
    ) -> Result<TakenIn, Interrupted> {
        let recognised = self.arrivals.recognise(account, messages).await?;
        let tokens = recognised.iter().filter_map(|(_, token)| token.as_ref());
        let slots = tokens.map(|token| token.slot).collect();
        let mut booked = self.arrivals.booked(account, &slots).await?;
        let mut new = BTreeSet::new();
        for (message, token) in recognised {
            let Some(token) = token else {
                let taken = self.reports.take(account, &message.content, inside.now);
                visited.reports += u32::from(taken.await?);
                continue;
            };
            let known = booked.get(&token.slot);
            let arrived = self
                .arrivals
                .arrive(account, message, &token, known, inside);
            let Arrived { receipt, is_new } = arrived.await?;
            let Some(receipt) = receipt else { continue };
            if is_new {
                visited.arrived += 1;
                visited.rescued += u32::from(receipt.rescued_at.is_some());
                new.insert(receipt.slot);
            }
            booked.insert(receipt.slot, receipt);
        }
        Ok(TakenIn { booked, new })
    }

    /// Does whatever became due with received mails since the last sitting. `booked` are those met by this visit, which a query may not
    /// show yet.
    async fn sit(
        &self,
        account: &Account,
        booked: BTreeMap<SlotId, Receipt>,
        inside: &mut Inside<'_>,
        visited: &mut Visited,
    ) -> Result<Sat, Interrupted> {
        let now = inside.now;
        let state = inside.hold.state();
        let receipts = self.unfinished(account, state, booked, now).await?;
        let read_through = state.engaged_through;
        let is_moved = |receipt| engage::due(receipt, read_through, now).contains(&Action::File);
        if receipts.values().any(is_moved) {
            inside.hold.take().await?;
        }
        let through = inside.hold.state().engaged_through;
        let mut worked = false;
        for receipt in receipts.values() {
            let actions = engage::due(receipt, through, now);
            if !actions.is_empty() {
                do_all(inside.session, receipt, &actions).await?;
                visited.engaged += 1;
                worked = true;
            }
        }
        let left = |receipt: &Receipt| engage::next_due(receipt, Some(now));
        Ok(Sat {
            worked,
            next: receipts.values().filter_map(left).min(),
            before: receipts
                .values()
                .find(|receipt| left(receipt).is_some())
                .map_or(SlotId::first_at(now), |receipt| receipt.slot),
        })
    }

    /// The received mails with which something may be left to do.
    async fn unfinished(
        &self,
        account: &Account,
        state: &MailboxState,
        booked: BTreeMap<SlotId, Receipt>,
        now: Timestamp,
    ) -> Result<BTreeMap<SlotId, Receipt>, EngineError> {
        let mailbox = AccountRef::of(account);
        let from = state.engaged_before.unwrap_or_else(|| {
            let known_since = shifted(now, -ENGAGEMENT_LOOKBACK.as_secs());
            SlotId::first_at(known_since)
        });
        let until = SlotId::first_at(shifted(now, 24 * 60 * 60));
        let mut receipts = booked;
        for receipt in self.receipts.between(mailbox, from, until).await? {
            receipts.entry(receipt.slot).or_insert(receipt);
        }
        Ok(receipts)
    }
}

/// Whether a sitting would find something to do.
fn engagement_is_due(state: &MailboxState, now: Timestamp) -> bool {
    state.next_engagement.is_some_and(|at| at <= now)
}

/// What a mailbox is left as that was in this `state`: read up to `cursors`, and all that was due until `now` done.
fn noted(state: &MailboxState, cursors: &Cursors, sat: Sat, now: Timestamp) -> MailboxState {
    MailboxState {
        inbox: cursors.inbox,
        junk: cursors.junk,
        other_junk: cursors.other_junk,
        engaged_through: state.engaged_through.max(Some(now)),
        next_engagement: sat.next,
        engaged_before: Some(sat.before),
        health: state.health.clone(),
        version: state.version,
    }
}

/// Does something with a mail. One that its owner has deleted or moved out of reach is left alone.
async fn do_all(
    session: &mut dyn ReadSession,
    receipt: &Receipt,
    actions: &[Action],
) -> Result<(), ConnectFailure> {
    let location = session
        .find(&receipt.message_id, &WARMUP_PLACES, false)
        .await?;
    if let Some(location) = location {
        for action in actions {
            perform(session, &location, *action).await?;
        }
    }
    Ok(())
}

async fn perform(
    session: &mut dyn ReadSession,
    location: &Location,
    action: Action,
) -> Result<(), ConnectFailure> {
    match action {
        Action::Open => session.mark_seen(location).await,
        Action::MarkImportant => session.mark_important(location).await,
        Action::File if location.folder == Some(Folder::Warmup) => Ok(()),
        Action::File => session.relocate(location, Folder::Warmup).await,
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
