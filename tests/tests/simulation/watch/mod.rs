//! What must hold of every minute: looks only at what changed in it.

mod coming;
mod mails;
mod plans;
mod states;

use std::collections::{BTreeMap, BTreeSet};

use agentwarm_app::ports::days::AccountRef;
use agentwarm_core::account::Account;
use agentwarm_core::ids::{AccountId, SlotId};
use agentwarm_core::mail::receipt::Receipt;
use agentwarm_core::mail::slot::Slot;
use agentwarm_core::warmup::calendar::LastPlanned;
use agentwarm_testkit::memory::Image;
use agentwarm_testkit::memory::mail::HandedOver;
use agentwarm_testkit::world::EngineWorld;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

/// A mail that left, and when.
#[derive(Debug, Clone)]
pub(crate) struct Left {
    pub(crate) at: Timestamp,
    pub(crate) slot: SlotId,
    pub(crate) sender: AccountId,
    pub(crate) recipient: AccountId,
    pub(crate) over: HandedOver,
}

/// What changed in a minute, as who closed a day in it may have seen it.
#[derive(Default)]
struct Meanwhile {
    /// Receipts as they were before it.
    receipts: BTreeMap<(AccountId, SlotId), Option<Receipt>>,
    /// Slots as they were after their first change in it: a mail that the closing gave up can be found right afterwards.
    slots: BTreeMap<(AccountId, SlotId), Slot>,
    /// Slots as they were before it: an answer in doubt can be found right after the closing of the day that its mail came on.
    slots_before: BTreeMap<(AccountId, SlotId), Slot>,
}

/// Remembers what it has seen.
#[derive(Default)]
pub(crate) struct Watch {
    /// Whether mails of one account may leave within a minute of each other: orders that come again come when they can.
    pub(crate) crowded: bool,
    /// How far the clocks of senders may be off.
    pub(crate) skew: SignedDuration,
    changes_seen: usize,
    mails_seen: usize,
    /// Every account there ever was.
    pub(crate) accounts: BTreeMap<AccountId, Account>,
    /// Every mail that left, by Message-ID.
    pub(crate) left: BTreeMap<String, Left>,
    /// What mails were called that came under another Message-ID, by that.
    pub(crate) renamed: BTreeMap<String, String>,
    last_left: BTreeMap<AccountId, Timestamp>,
    left_on: BTreeMap<(AccountId, Date), u32>,
    answers_left_on: BTreeMap<(AccountId, Date), u32>,
    /// The accounts that got no mail when it last looked.
    suppressed: BTreeSet<AccountId>,
    slots: BTreeMap<(AccountId, SlotId), Slot>,
    receipts: BTreeMap<(AccountId, SlotId), Receipt>,
    planned: BTreeMap<AccountId, LastPlanned>,
    plans_seen: BTreeSet<(AccountRef, Date)>,
    closed: BTreeSet<(AccountRef, Date)>,
    /// The mails that have no fate yet, and from when on something must be under way for each.
    expected: BTreeMap<(AccountId, SlotId), Timestamp>,
    /// Until when the servers of a sender were not to be tried again, at the latest.
    put_off: BTreeMap<AccountId, Timestamp>,
    /// Until when the catching up of an outage, or an error, may have put off what was due in it.
    spread: BTreeMap<(AccountId, SlotId), Timestamp>,
    /// Until when everything was handed out when it last looked.
    handed_out_until: Option<Timestamp>,
    /// When accounts were in error last.
    in_error: BTreeMap<AccountId, Timestamp>,
    /// When each mailbox had sat last when it last looked.
    engaged: BTreeMap<AccountRef, Timestamp>,
}

impl Watch {
    /// What is wrong with what happened since it last looked.
    pub(crate) fn minute(&mut self, world: &EngineWorld) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut meanwhile = Meanwhile::default();
        let changes = &world.history()[self.changes_seen..];
        self.changes_seen = world.history().len();
        for change in changes {
            match &change.image {
                Image::Account(account) => {
                    self.accounts.insert(account.id, account.as_ref().clone());
                }
                Image::Slot(slot) => {
                    let before = self
                        .slots
                        .insert((slot.sender, slot.id), slot.as_ref().clone());
                    let first = meanwhile.slots.entry((slot.sender, slot.id));
                    first.or_insert_with(|| slot.as_ref().clone());
                    states::slot(before.as_ref(), slot, &mut wrong);
                    if let Some(before) = &before {
                        let first = meanwhile.slots_before.entry((slot.sender, slot.id));
                        first.or_insert_with(|| before.clone());
                    }
                    self.expect_of(slot);
                    self.searches(world, before.as_ref(), slot, &mut wrong);
                }
                Image::Receipt(receipt) => {
                    let key = (receipt.receiver, receipt.slot);
                    let before = self.receipts.insert(key, receipt.as_ref().clone());
                    states::receipt(before.as_ref(), receipt, &mut wrong);
                    self.expect_answer(before.as_ref(), receipt, &mut wrong);
                    meanwhile.receipts.entry(key).or_insert(before);
                }
                Image::Other | Image::Gone => {}
            }
        }
        self.plans(world, &mut wrong);
        self.mails(world, &mut wrong);
        self.closed_days(world, &meanwhile, &mut wrong);
        self.comes(world, &mut wrong);
        let look = world.store.look();
        let mailboxes = look.accounts().map(|account| world.owner(account.id));
        let sat = mailboxes.filter_map(|it| Some((it, look.mailbox(it)?.engaged_through?)));
        self.engaged = sat.collect();
        let suppressed = look.accounts().filter(|account| {
            look.is_suppressed(account.user, account.email.as_str(), world.now())
        });
        self.suppressed = suppressed.map(|account| account.id).collect();
        wrong
    }
}
