//! Preferences one by one, then what they add up to in whole pools.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::mail::slot::SlotState;
use crate::warmup::samples::{account_id, at, slot};

fn day_start() -> Timestamp {
    at("2026-03-13T00:00:00Z")
}

/// The n-th candidate: its own domain, IMAP, rested, nothing planned.
fn candidate(n: u64, domain: &str) -> Candidate<'_> {
    Candidate {
        account: account_id(n),
        domain,
        provider: Provider::ImapSmtp,
        planned_received_today: 0,
        last_sent_to: None,
    }
}

/// Whom account 1 of `one.example`, on IMAP, writes its `wanted` mails to.
fn partners(candidates: &[Candidate<'_>], wanted: u32, seed: u32) -> Vec<AccountId> {
    assign(&PartnerInput {
        account: account_id(1),
        domain: "one.example",
        provider: Provider::ImapSmtp,
        candidates,
        wanted,
        max_per_partner: 10,
        day_start: day_start(),
        seed: &Seed::root(&seed.to_be_bytes()),
    })
}

/// The one partner that every seed chooses.
fn always(candidates: &[Candidate<'_>]) -> Option<AccountId> {
    let chosen: Vec<_> = (0..20)
        .flat_map(|seed| partners(candidates, 1, seed))
        .collect();
    chosen
        .iter()
        .all(|it| Some(it) == chosen.first())
        .then(|| chosen.first().copied())
        .flatten()
}

#[test]
fn enough_partners_take_the_whole_day() {
    for (mails, each, partners) in [(40, 10, 64), (150, 1, 150), (200, 3, 67), (150, 0, 150)] {
        assert_eq!(enough(mails, each), partners, "{mails} mails, {each} each");
    }
}

#[test]
fn another_domain_another_provider_and_a_rested_partner_are_preferred() {
    let hours_ago = |hours: i64| Some(shifted(day_start(), -hours * 3600));
    let plain = candidate(2, "two.example");
    for (what, preferred, other) in [
        ("domain", plain, candidate(3, "one.example")),
        (
            "provider",
            Candidate {
                provider: Provider::Gmail,
                ..plain
            },
            candidate(3, "two.example"),
        ),
        (
            "rest",
            Candidate {
                last_sent_to: hours_ago(72),
                ..plain
            },
            Candidate {
                last_sent_to: hours_ago(71),
                ..candidate(3, "two.example")
            },
        ),
        (
            "domain before rest and provider",
            Candidate {
                last_sent_to: hours_ago(1),
                ..plain
            },
            Candidate {
                provider: Provider::Gmail,
                ..candidate(3, "one.example")
            },
        ),
        (
            "the one that receives less",
            plain,
            Candidate {
                planned_received_today: 1,
                ..candidate(3, "two.example")
            },
        ),
        (
            "another domain though it receives a little more",
            Candidate {
                planned_received_today: 7,
                ..plain
            },
            candidate(3, "one.example"),
        ),
        (
            "but not though it receives much more",
            candidate(2, "one.example"),
            Candidate {
                planned_received_today: 9,
                ..candidate(3, "two.example")
            },
        ),
    ] {
        assert_eq!(always(&[preferred, other]), Some(account_id(2)), "{what}");
        assert_eq!(
            always(&[other, preferred]),
            Some(account_id(2)),
            "{what}, the other way round"
        );
    }
}

#[test]
fn ties_are_fair() {
    let candidates = [
        candidate(2, "two.example"),
        candidate(3, "two.example"),
        candidate(4, "two.example"),
    ];
    let mut counts = BTreeMap::new();
    for seed in 0..600 {
        for partner in partners(&candidates, 1, seed) {
            *counts.entry(partner).or_insert(0) += 1;
        }
    }
    assert_eq!(counts.len(), 3);
    assert!(
        counts.values().all(|count| (150..250).contains(count)),
        "{counts:?}"
    );
}

#[test]
fn nobody_writes_to_itself_nor_too_often_and_the_rest_is_not_placed() {
    let candidates = [candidate(1, "one.example"), candidate(2, "two.example")];
    let placed = partners(&candidates, 24, 0);
    assert_eq!(placed, [account_id(2); 10]);
    assert_eq!(eligible(account_id(1), &candidates), 1);
    assert!(partners(&candidates[..1], 5, 0).is_empty());
    assert!(partners(&[], 5, 0).is_empty());
}

#[test]
fn mails_are_spread_evenly_and_rotate() {
    let candidates: Vec<_> = (2..7).map(|n| candidate(n, "two.example")).collect();
    let placed = partners(&candidates, 15, 0);
    let mut counts = BTreeMap::new();
    for partner in &placed {
        *counts.entry(*partner).or_insert(0) += 1;
    }
    assert!(counts.len() == 5 && counts.values().all(|count| *count == 3));
    assert!(placed.windows(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn everybody_of_a_large_pool_comes_first_with_somebody_about_equally_often() {
    let members: BTreeSet<_> = (0..600).map(account_id).collect();
    let mut first = BTreeMap::new();
    for seed in 0_u64..300 {
        let turn = in_turn(members.clone(), &Seed::root(&seed.to_be_bytes()));
        assert_eq!(turn.iter().copied().collect::<BTreeSet<_>>(), members);
        for member in &turn[..MAX_CANDIDATES] {
            *first.entry(*member).or_insert(0) += 1;
        }
    }
    // 128 times on average, with a standard deviation of 9.
    assert_eq!(first.len(), 600);
    assert!(first.values().all(|count| (70..200).contains(count)));
}

#[test]
fn what_a_lost_partner_leaves_is_spread_over_those_who_are_not_full() {
    let counts = [(2, 6), (3, 9), (4, 1), (5, 10), (6, 10)];
    let targets = counts.iter().flat_map(|&(n, count)| vec![n; count]);
    let planned: Vec<_> = targets
        .zip(0_u128..)
        .map(|(target, n)| PlannedSlot {
            id: slot(n, accepted()).id,
            at: day_start(),
            target: account_id(target),
        })
        .collect();
    let lost = account_id(6);
    let of_lost = planned.iter().filter(|it| it.target == lost);
    let of_lost: Vec<_> = of_lost.map(|it| it.id).collect();
    let to = |id: SlotId, recipient: u64| Slot {
        id,
        recipient: account_id(recipient),
        ..slot(0, accepted())
    };
    // One of the lost partner's mails went to the third, who has ten with it, and an answer to the fourth.
    let made = [to(of_lost[0], 3), to(slot(99, accepted()).id, 4)];

    let first = of_lost[1..].iter().map(|id| {
        let others = substitutes(&planned, &made, 10, lost, *id);
        assert_eq!(
            BTreeSet::from_iter(others.clone()),
            BTreeSet::from([account_id(2), account_id(4)])
        );
        others[0]
    });
    assert_eq!(first.collect::<BTreeSet<_>>().len(), 2);
    assert_eq!(substitutes(&planned, &made, 1, lost, of_lost[1]), []);
}

fn accepted() -> SlotState {
    SlotState::Accepted { at: day_start() }
}

/// A pool of `domains`, planned one after the other with `wanted` mails each: how many mails each is to receive.
fn planned_in_sequence(domains: &[usize], providers: &[usize], wanted: u32, seed: u64) -> Vec<u32> {
    let names: Vec<_> = domains
        .iter()
        .map(|domain| format!("d{domain}.example"))
        .collect();
    let ids: Vec<_> = (0..names.len()).map(|n| account_id(n as u64)).collect();
    let provider = |n: usize| Provider::ALL[providers[n] % Provider::ALL.len()];
    let mut receiving = vec![0_u32; names.len()];
    for sender in 0..names.len() {
        let candidates: Vec<_> = (0..names.len())
            .map(|n| Candidate {
                account: ids[n],
                domain: &names[n],
                provider: provider(n),
                planned_received_today: receiving[n],
                last_sent_to: None,
            })
            .collect();
        let placed = assign(&PartnerInput {
            account: ids[sender],
            domain: &names[sender],
            provider: provider(sender),
            candidates: &candidates,
            wanted,
            max_per_partner: 10,
            day_start: day_start(),
            seed: &Seed::root(&[seed.to_be_bytes(), (sender as u64).to_be_bytes()].concat()),
        });
        for partner in placed {
            receiving[ids.binary_search(&partner).unwrap()] += 1;
        }
    }
    receiving
}

fn imbalance(receiving: &[u32]) -> u32 {
    receiving.iter().max().unwrap() - receiving.iter().min().unwrap()
}

#[test]
fn the_pools_of_the_demonstration_are_balanced() {
    for seed in 0..50 {
        // Two accounts; three domains of two; fifty accounts on ten domains.
        assert_eq!(planned_in_sequence(&[0, 1], &[0, 0], 6, seed), [6, 6]);
        let six = planned_in_sequence(&[0, 0, 1, 1, 2, 2], &[2; 6], 24, seed);
        assert!(imbalance(&six) <= 5, "{six:?}");
        let fifty: Vec<_> = (0..50).map(|n| n / 5).collect();
        let fifty = planned_in_sequence(&fifty, &[2; 50], 24, seed);
        assert!(imbalance(&fifty) <= 4, "{fifty:?}");
    }
}

proptest! {
    #[test]
    fn whatever_the_pool_nobody_is_flooded_or_forgotten(
        members in prop::collection::vec((0_usize..6, 0_usize..3), 3..50), wanted in 1_u32..25, seed: u64,
    ) {
        let (domains, providers): (Vec<_>, Vec<_>) = members.into_iter().unzip();
        let receiving = planned_in_sequence(&domains, &providers, wanted, seed);
        let placed = wanted.min(10 * (u32::try_from(domains.len()).unwrap() - 1));
        prop_assert_eq!(receiving.iter().sum::<u32>(), placed * u32::try_from(domains.len()).unwrap());
        prop_assert!(imbalance(&receiving) <= 12, "{:?}", receiving);
    }

    #[test]
    fn the_limit_per_partner_holds_and_the_order_of_candidates_does_not_matter(
        mut order in Just((2_u64..30).collect::<Vec<_>>()).prop_shuffle(),
        wanted in 0_u32..300, max_per_partner in 0_u32..12, seed: u64,
    ) {
        let seed = Seed::root(&seed.to_be_bytes());
        let place = |order: &[u64]| {
            let candidates: Vec<_> = order.iter().map(|n| candidate(*n, "two.example")).collect();
            assign(&PartnerInput {
                account: account_id(1),
                domain: "one.example",
                provider: Provider::ImapSmtp,
                candidates: &candidates,
                wanted,
                max_per_partner,
                day_start: day_start(),
                seed: &seed,
            })
        };
        let placed = place(&order);
        order.sort_unstable();
        prop_assert_eq!(&placed, &place(&order));
        prop_assert_eq!(placed.len() as u64, u64::from(wanted.min(max_per_partner * 28)));
        let mut counts = BTreeMap::new();
        for partner in placed {
            *counts.entry(partner).or_insert(0) += 1;
        }
        prop_assert!(counts.values().all(|count| *count <= max_per_partner));
    }
}
