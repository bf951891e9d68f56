//! Plans that are due at once in such numbers that one tick cannot make them all: which it makes, and when the others come.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{DueEntry, DueKind, HORIZON_SECONDS};
use crate::ids::{AccountId, UserId};
use crate::time::shifted;

/// Who is planned now, and who in the ticks to come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Turns {
    /// Accounts whose next day is planned by this tick, with their owners.
    pub now: BTreeMap<AccountId, UserId>,
    /// The others, as they are filed.
    pub later: Vec<DueEntry>,
}

/// Of `plans` the first `most` are made at `now`, as many by the next tick, and so on.
pub fn in_turns(plans: &BTreeMap<AccountId, UserId>, most: usize, now: Timestamp) -> Turns {
    let most = most.max(1);
    let mut turns = Turns::default();
    for (n, (&account, &user)) in plans.iter().enumerate() {
        let ticks = i64::try_from(n / most).unwrap_or(i64::MAX);
        if ticks == 0 {
            turns.now.insert(account, user);
            continue;
        }
        turns.later.push(DueEntry {
            at: shifted(now, ticks.saturating_mul(HORIZON_SECONDS)),
            user,
            kind: DueKind::Plan { account },
        });
    }
    turns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::warmup::samples::{account_id, at};

    #[test]
    fn each_has_its_turn_and_no_tick_too_many() {
        let now = at("2026-03-13T10:00:00Z");
        let user = UserId::new(now, 1);
        let plans: BTreeMap<_, _> = (1..=7).map(|n| (account_id(n), user)).collect();
        let turns = in_turns(&plans, 3, now);
        assert_eq!(turns.now.len(), 3);
        let later = turns.later.iter();
        let minutes: Vec<_> = later
            .map(|it| it.at.duration_since(now).as_mins())
            .collect();
        assert_eq!(minutes, [1, 1, 1, 2]);
        let mut planned: Vec<_> = turns.now.into_keys().collect();
        planned.extend(turns.later.iter().filter_map(|entry| match entry.kind {
            DueKind::Plan { account } => Some(account),
            _ => None,
        }));
        assert_eq!(planned, plans.into_keys().collect::<Vec<_>>());
        assert_eq!(in_turns(&BTreeMap::new(), 3, now), Turns::default());
    }
}
