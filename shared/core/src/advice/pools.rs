//! What there is to say about pools: who is in them decides who has partners, and how many (decision 27).
//!
//! Everything follows from the accounts, which know their pools, so nobody's members are read. An account is *short* when the partners that
//! it shares a pool with cannot take its day: the planner would lower its volume and say [`Rule::Partners`](crate::warmup::day::Rule).

use std::collections::{BTreeMap, BTreeSet};

use super::{Advice, IssueType, Priority, Step, Subject};
use crate::account::Account;
use crate::ids::{AccountId, PoolId};
use crate::pool::{Pool, PoolConfig};

/// The accounts of a user's pools.
struct Members<'a> {
    /// Those that may receive, by pool.
    receiving: BTreeMap<PoolId, Vec<&'a Account>>,
    /// What each pool makes of its accounts' days. One that cannot be read has the defaults.
    configs: BTreeMap<PoolId, PoolConfig>,
}

/// The accounts of a pool that have too few partners.
#[derive(Default)]
struct Shortage {
    /// How many accounts.
    accounts: u32,
    /// How many of them have nobody at all.
    alone: u32,
    /// How many partners the worst off lacks.
    missing: u32,
}

impl Advice {
    /// What is wrong with `pools`, and what to do about it.
    pub(super) fn of_pools(&mut self, accounts: &[Account], pools: &[Pool]) {
        let members = Members::of(accounts, pools);
        let mut short: BTreeMap<PoolId, Shortage> = BTreeMap::new();
        for account in accounts.iter().filter(|account| account.sends()) {
            if let Some(pool) = account.configuring_pool() {
                members.judge(account, pool, short.entry(pool).or_default());
            }
        }
        let inhabited: BTreeSet<_> = accounts.iter().flat_map(pools_of).collect();
        // Of several pools only their owner knows which an account belongs to.
        let spare = accounts
            .iter()
            .find(|account| pools.len() == 1 && account.pools.is_empty() && account.receives());
        for pool in pools {
            let shortage = short.get(&pool.id).filter(|short| short.accounts > 0);
            if !inhabited.contains(&pool.id) {
                self.recommendations
                    .push(format!("Pool {} is empty — add accounts to it", pool.name));
            } else if let Some(shortage) = shortage {
                self.of_shortage(pool, shortage, spare);
            } else if let Some(domain) = members.only_domain(pool.id) {
                self.recommendations.push(format!(
                    "All accounts of pool {} are at {domain} — partners at other domains count for more",
                    pool.name
                ));
            }
        }
    }

    fn of_shortage(&mut self, pool: &Pool, short: &Shortage, spare: Option<&Account>) {
        let message = short.message();
        self.issue(
            Subject::Pool(pool.id),
            IssueType::PoolTooSmall,
            format!("Pool {}: {message}", pool.name),
        );
        let (action, step) = match spare {
            Some(account) => (
                format!("Add {} to pool {}", account.email, pool.name),
                Step::Join(pool.id, account.id),
            ),
            None => (
                format!("Find more accounts for pool {}", pool.name),
                Step::ShowPools,
            ),
        };
        self.next(Priority::Recommended, action, message, step);
    }
}

impl<'a> Members<'a> {
    fn of(accounts: &'a [Account], pools: &[Pool]) -> Self {
        let mut receiving: BTreeMap<PoolId, Vec<&Account>> = BTreeMap::new();
        for account in accounts.iter().filter(|account| account.receives()) {
            for pool in pools_of(account) {
                receiving.entry(pool).or_default().push(account);
            }
        }
        let config = |pool: &Pool| (pool.id, pool.overrides.merged().unwrap_or_default());
        Self {
            receiving,
            configs: pools.iter().map(config).collect(),
        }
    }

    /// Notes `account` if the partners that it has cannot take its day.
    fn judge(&self, account: &Account, pool: PoolId, short: &mut Shortage) {
        let config = self.configs.get(&pool).cloned().unwrap_or_default();
        let each = config.max_per_partner_per_day.max(1);
        let needed = account.current_daily_limit.div_ceil(each);
        let has = self.partners(account, needed);
        if has < needed {
            short.accounts += 1;
            short.alone += u32::from(has == 0);
            short.missing = short.missing.max(needed - has);
        }
    }

    /// How many others `account` may write to, counted up to `enough`.
    fn partners(&self, account: &Account, enough: u32) -> u32 {
        let others = pools_of(account)
            .filter_map(|pool| self.receiving.get(&pool))
            .flatten()
            .filter(|other| other.id != account.id);
        let mut known: BTreeSet<AccountId> = BTreeSet::new();
        let enough = usize::try_from(enough).unwrap_or(usize::MAX);
        for other in others {
            if known.len() >= enough {
                break;
            }
            known.insert(other.id);
        }
        u32::try_from(known.len()).unwrap_or(u32::MAX)
    }

    /// The domain that all accounts of a pool are at, if they are two or more.
    fn only_domain(&self, pool: PoolId) -> Option<&str> {
        let members = self.receiving.get(&pool)?;
        let (first, others) = members.split_first()?;
        let domain = first.email.domain();
        let alike = others.iter().all(|other| other.email.domain() == domain);
        (alike && !others.is_empty()).then_some(domain)
    }
}

impl Shortage {
    fn message(&self) -> String {
        let (accounts, verb) = match self.accounts {
            1 => ("1 account".to_owned(), "has"),
            count => (format!("{count} accounts"), "have"),
        };
        if self.alone == self.accounts {
            return format!("{accounts} {verb} nobody to write to");
        }
        let missing = self.missing;
        format!("{accounts} {verb} too few partners for a full day; {missing} more would do")
    }
}

fn pools_of(account: &Account) -> impl Iterator<Item = PoolId> + '_ {
    account.pools.iter().map(|membership| membership.pool)
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use jiff::civil::date;

    use super::super::advise;
    use super::*;
    use crate::account::{AccountStatus, PoolMembership, WarmupPhase};
    use crate::pool::PoolOverrides;
    use crate::rate::Score;
    use crate::warmup::samples::{account_id, at, warming};

    fn pool(n: u128, name: &str) -> Pool {
        let created_at = at("2026-01-01T00:00:00Z");
        Pool {
            id: PoolId::new(created_at, n),
            name: name.to_owned(),
            description: None,
            member_count: 0,
            overrides: PoolOverrides::default(),
            created_at,
            updated_at: created_at,
            version: 1,
        }
    }

    fn member(n: u64, email: &str, pools: &[&Pool]) -> Account {
        let joined = |pool: &&Pool| PoolMembership {
            pool: pool.id,
            joined_at: pool.created_at,
        };
        Account {
            id: account_id(n),
            email: email.parse().unwrap(),
            reputation: Score::clamped(80.0),
            pools: pools.iter().map(joined).collect(),
            current_daily_limit: 10,
            ..warming(12, date(2026, 3, 20), WarmupPhase::RampUp)
        }
    }

    fn told(accounts: &[Account], pools: &[Pool]) -> Vec<String> {
        let advice = advise(accounts, pools, at("2026-03-20T12:00:00Z"));
        let issues = advice.issues.iter().map(|issue| issue.message.clone());
        let actions = advice.next_actions.iter();
        let actions = actions.map(|next| format!("{}: {}", next.action, next.reason));
        issues
            .chain(advice.recommendations.iter().cloned())
            .chain(actions)
            .collect()
    }

    #[test]
    fn who_is_alone_in_a_pool_has_nobody_to_write_to() {
        let sales = pool(1, "Sales");
        let alone = member(1, "a@one.example", &[&sales]);
        assert_eq!(
            told(from_ref(&alone), from_ref(&sales)),
            [
                "Pool Sales: 1 account has nobody to write to",
                "Find more accounts for pool Sales: 1 account has nobody to write to",
            ]
        );
        // Whoever cannot receive is no company; who is in no pool could be.
        let failing = Account {
            status: AccountStatus::Paused,
            warmup: None,
            ..member(2, "b@two.example", &[&sales])
        };
        let spare = Account {
            status: AccountStatus::Active,
            warmup: None,
            ..member(3, "c@two.example", &[])
        };
        assert_eq!(
            told(&[alone, failing, spare], &[sales]),
            [
                "Pool Sales: 1 account has nobody to write to",
                "Add c@two.example to pool Sales: 1 account has nobody to write to",
            ]
        );
    }

    #[test]
    fn partners_must_be_able_to_take_the_day() {
        let sales = pool(1, "Sales");
        let two = [
            member(1, "a@one.example", &[&sales]),
            member(2, "b@two.example", &[&sales]),
        ];
        assert_eq!(told(&two, from_ref(&sales)), [""; 0]);
        let wants_more = [
            Account {
                current_daily_limit: 11,
                ..two[0].clone()
            },
            two[1].clone(),
        ];
        assert_eq!(
            told(&wants_more, from_ref(&sales))[0],
            "Pool Sales: 1 account has too few partners for a full day; 1 more would do"
        );
        // A pool may allow more mails to one partner; another pool may have more of them.
        let generous = Pool {
            overrides: PoolOverrides {
                max_per_partner_per_day: Some(11),
                ..PoolOverrides::default()
            },
            ..sales.clone()
        };
        assert_eq!(told(&wants_more, &[generous]), [""; 0]);
        let support = pool(2, "Support");
        let in_both = Account {
            pools: [&sales, &support]
                .map(|pool| PoolMembership {
                    pool: pool.id,
                    joined_at: pool.created_at,
                })
                .to_vec(),
            ..wants_more[0].clone()
        };
        let others = [two[1].clone(), member(3, "c@three.example", &[&support])];
        let all = [&[in_both][..], &others].concat();
        assert_eq!(told(&all, &[sales, support]), [""; 0]);
    }

    #[test]
    fn a_partner_in_two_shared_pools_is_one() {
        let (sales, support) = (pool(1, "Sales"), pool(2, "Support"));
        let both = [&sales, &support];
        let accounts = [
            Account {
                current_daily_limit: 11,
                ..member(1, "a@one.example", &both)
            },
            member(2, "b@two.example", &both),
        ];
        assert_eq!(told(&accounts, &[sales, support]).len(), 2);
    }

    #[test]
    fn empty_pools_and_pools_at_one_domain_are_pointed_out() {
        let (sales, empty) = (pool(1, "Sales"), pool(2, "Empty"));
        let accounts = [
            member(1, "a@one.example", &[&sales]),
            member(2, "b@one.example", &[&sales]),
        ];
        assert_eq!(
            told(&accounts, &[sales, empty]),
            [
                "All accounts of pool Sales are at one.example — partners at other domains count for more",
                "Pool Empty is empty — add accounts to it",
            ]
        );
    }

    #[test]
    fn who_is_in_no_pool_joins_the_only_one_and_is_named_once() {
        let sales = pool(1, "Sales");
        let accounts = [
            member(1, "a@one.example", &[&sales]),
            member(2, "b@two.example", &[]),
        ];
        let advice = advise(&accounts, from_ref(&sales), at("2026-03-20T12:00:00Z"));
        let steps: Vec<_> = advice.next_actions.iter().map(|next| next.step).collect();
        assert_eq!(steps, [Step::Join(sales.id, account_id(2))]);
        let subjects: Vec<_> = advice.issues.iter().map(|issue| issue.about).collect();
        let alone = Subject::Pool(sales.id);
        assert_eq!(subjects, [Subject::Account(account_id(2)), alone]);
        // With several pools only their owner knows which.
        let other = pool(2, "Other");
        let advice = advise(&accounts[1..], &[sales, other], at("2026-03-20T12:00:00Z"));
        assert_eq!(advice.next_actions[0].step, Step::ShowPools);
    }
}
