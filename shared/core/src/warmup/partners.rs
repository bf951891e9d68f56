//! Whom an account writes to (decision 27).
//!
//! Mail to another domain and another provider is worth more, since it meets other filters; a partner that was written to lately should
//! rest; nobody should hear from one sender all day; and no mailbox should be flooded. These wishes conflict in small or lopsided pools, so
//! each has a price: how many mails of imbalance it is worth. A partner's cost is what it is to receive today plus the prices of the
//! wishes it does not meet, and each mail goes to the cheapest. So preferences decide among partners that are about equally busy and give
//! way before one of them is drowned. [`PartnerInput::max_per_partner`] is not a price but a limit.
//!
//! Writing to the same partner again has a price of its own because accounts are planned one after the other: those that plan last
//! have received from everybody before, and balancing by what is received alone would leave them short. The prices were chosen by trying
//! pools of 2 to 50; the tests hold what they achieve.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use jiff::Timestamp;

use crate::account::Provider;
use crate::ids::{AccountId, SlotId};
use crate::mail::slot::Slot;
use crate::seed::{Seed, scattered};
use crate::time::{seconds_between, shifted};
use crate::warmup::day::PlannedSlot;
use crate::warmup::thresholds::PARTNER_REST_HOURS;

/// Mails of imbalance that another domain is worth.
const OWN_DOMAIN_PRICE: u32 = 8;
/// Mails of imbalance that a rested partner is worth.
const UNRESTED_PRICE: u32 = 4;
/// Mails of imbalance that it is worth not to write to the same partner once more on a day.
const REPEATED_PRICE: u32 = 4;
/// Mails of imbalance that another provider is worth.
const OWN_PROVIDER_PRICE: u32 = 2;

/// How many members of its pools an account looks at for a day, so that planning a pool takes time linear in its size. Balance does not
/// suffer, as every account looks at others each day ([`in_turn`]).
pub const MAX_CANDIDATES: usize = 256;

/// With so many partners there is choice enough for a day of the usual size.
const MIN_ENOUGH: u32 = 64;

/// With how many partners an account looks no further for a day of up to `mails`, when each takes `each`.
pub fn enough(mails: u32, each: u32) -> usize {
    let needed = mails.div_ceil(each.max(1)).max(MIN_ENOUGH);
    usize::try_from(needed).unwrap_or(usize::MAX)
}

/// An account that may receive: in a shared pool, not suppressed, its mailbox usable. The caller sees to that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate<'a> {
    /// The account.
    pub account: AccountId,
    /// The part of its address after the `@`.
    pub domain: &'a str,
    /// How its mailbox is reached.
    pub provider: Provider,
    /// Mails that it is to receive on this day, as far as planned.
    pub planned_received_today: u32,
    /// When the sender last wrote to it.
    pub last_sent_to: Option<Timestamp>,
}

/// Who writes, and to how many.
#[derive(Debug, Clone, Copy)]
pub struct PartnerInput<'a> {
    /// The sender.
    pub account: AccountId,
    /// The sender's domain.
    pub domain: &'a str,
    /// The sender's provider.
    pub provider: Provider,
    /// Who may receive, in a stable order. The sender itself is left out, should it be among them.
    pub candidates: &'a [Candidate<'a>],
    /// How many mails to place.
    pub wanted: u32,
    /// Most mails to one partner.
    pub max_per_partner: u32,
    /// When the day begins: the rest of a partner counts back from here.
    pub day_start: Timestamp,
    /// The seed of this account and date.
    pub seed: &'a Seed,
}

/// The members of pools in the order in which an account looks at them on a day: its own each day, so that in a pool of any size
/// everybody comes first with somebody.
pub fn in_turn(members: BTreeSet<AccountId>, day_seed: &Seed) -> Vec<AccountId> {
    let salt = day_seed.child("turn").entropy();
    let mut members = Vec::from_iter(members);
    members.sort_by_cached_key(|member| scattered(member.as_uuid().as_u128() ^ salt));
    members
}

/// How many of `candidates` are not the sender itself.
pub fn eligible(account: AccountId, candidates: &[Candidate<'_>]) -> u32 {
    let count = candidates
        .iter()
        .filter(|candidate| candidate.account != account)
        .count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Partners for up to `input.wanted` mails; fewer if the partners can take no more. In the order of assignment, cheapest first, which
/// rotates among partners by itself.
pub fn assign(input: &PartnerInput<'_>) -> Vec<AccountId> {
    if input.max_per_partner == 0 {
        return Vec::new();
    }
    let salt = input.seed.child("tie").entropy();
    let others = input.candidates.iter();
    let mut heap: BinaryHeap<_> = others
        .filter(|candidate| candidate.account != input.account)
        .map(|candidate| Reverse(Standing::of(candidate, input, salt)))
        .collect();
    let mut targets = Vec::with_capacity(usize::try_from(input.wanted).unwrap_or(0).min(1024));
    while targets.len() < input.wanted as usize {
        let Some(Reverse(mut cheapest)) = heap.pop() else {
            break;
        };
        targets.push(cheapest.account);
        cheapest.assigned += 1;
        if cheapest.assigned < input.max_per_partner {
            cheapest.cost = cheapest.cost.saturating_add(1 + REPEATED_PRICE);
            heap.push(Reverse(cheapest));
        }
    }
    targets
}

/// Whom of a day's partners the mail of `slot` may go to instead of `lost`, where `made` are the mails that the day has so far: those who
/// are planned and given less than `most` mails (decision 27), in an order of the slot's own, so that what a lost partner leaves is spread.
pub fn substitutes(
    planned: &[PlannedSlot],
    made: &[Slot],
    most: u32,
    lost: AccountId,
    slot: SlotId,
) -> Vec<AccountId> {
    let begun: BTreeSet<_> = made.iter().map(|it| it.id).collect();
    let to_come = planned.iter().filter(|it| !begun.contains(&it.id));
    let mut mails: BTreeMap<_, u32> = planned.iter().map(|it| (it.target, 0)).collect();
    let given = made.iter().map(|it| it.recipient);
    for partner in given.chain(to_come.map(|it| it.target)) {
        *mails.entry(partner).or_default() += 1;
    }
    mails.retain(|partner, count| *partner != lost && *count < most);
    let salt = slot.as_uuid().as_u128();
    let mut partners: Vec<_> = mails.into_keys().collect();
    partners.sort_by_key(|partner| scattered(partner.as_uuid().as_u128() ^ salt));
    partners
}

/// A candidate and what it costs to write to it now. Ordered by cost; the tie-break is fair, since it differs by sender and date.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Standing {
    cost: u32,
    assigned: u32,
    tie: u64,
    account: AccountId,
}

impl Standing {
    fn of(candidate: &Candidate<'_>, input: &PartnerInput<'_>, salt: u128) -> Self {
        let rest = shifted(input.day_start, -PARTNER_REST_HOURS * 3600);
        let unrested = candidate
            .last_sent_to
            .is_some_and(|at| seconds_between(rest, at) > 0);
        let price = |applies, price| if applies { price } else { 0 };
        let cost = candidate
            .planned_received_today
            .saturating_add(price(candidate.domain == input.domain, OWN_DOMAIN_PRICE))
            .saturating_add(price(unrested, UNRESTED_PRICE))
            .saturating_add(price(
                candidate.provider == input.provider,
                OWN_PROVIDER_PRICE,
            ));
        Self {
            cost,
            assigned: 0,
            tie: scattered(candidate.account.as_uuid().as_u128() ^ salt),
            account: candidate.account,
        }
    }
}

#[cfg(test)]
mod tests;
