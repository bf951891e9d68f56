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
use std::collections::BinaryHeap;

use jiff::Timestamp;

use crate::account::Provider;
use crate::ids::AccountId;
use crate::seed::{Seed, scattered};
use crate::time::{seconds_between, shifted};
use crate::warmup::thresholds::PARTNER_REST_HOURS;

/// Mails of imbalance that another domain is worth.
const OWN_DOMAIN_PRICE: u32 = 8;
/// Mails of imbalance that a rested partner is worth.
const UNRESTED_PRICE: u32 = 4;
/// Mails of imbalance that it is worth not to write to the same partner once more on a day.
const REPEATED_PRICE: u32 = 4;
/// Mails of imbalance that another provider is worth.
const OWN_PROVIDER_PRICE: u32 = 2;

/// How many candidates are looked at. Of a larger pool a seeded sample, so that planning a pool takes time linear in its size; balance
/// does not suffer, as every account samples anew each day.
pub const MAX_CANDIDATES: usize = 256;

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

/// How many of `candidates` are not the sender itself, counted up to [`MAX_CANDIDATES`].
pub fn eligible(account: AccountId, candidates: &[Candidate<'_>]) -> u32 {
    let count = candidates
        .iter()
        .filter(|candidate| candidate.account != account)
        .take(MAX_CANDIDATES)
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
    let mut heap: BinaryHeap<_> = sample(input)
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

/// The candidates that are looked at: all, or [`MAX_CANDIDATES`] at even steps from a seeded place.
fn sample<'a>(input: &PartnerInput<'a>) -> impl Iterator<Item = &'a Candidate<'a>> {
    let all = input.candidates;
    let step = (all.len() / MAX_CANDIDATES).max(1);
    let first = input.seed.child("sample").below(all.len() as u64);
    let me = input.account;
    all.iter()
        .cycle()
        .skip(usize::try_from(first).unwrap_or(0))
        .step_by(step)
        .take(all.len().min(MAX_CANDIDATES))
        .filter(move |candidate| candidate.account != me)
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
