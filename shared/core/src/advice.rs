//! What a user should know of their accounts and pools, and do next (API reference §2, `GET /api/agent/status`).
//!
//! An agent calls this first and may do what it says without asking. So each action is one request that needs no body and changes nothing
//! that cannot be undone, and what AgentWarm does by itself (suspending, healing) is never listed as something to be done: so none of
//! them has an `autoExecuteIn`.

mod pools;

use jiff::Timestamp;

use crate::account::{Account, AccountStatus};
use crate::ids::{AccountId, PoolId};
use crate::names::names;
use crate::pool::Pool;
use crate::time::seconds_between;
use crate::warmup::diagnosis::{Remedy, has_bad_rates};
use crate::warmup::thresholds::{
    AT_RISK_REPUTATION, COOLDOWN_BOUNCE_RATE, COOLDOWN_SPAM_RATE, CRITICAL_BOUNCE_RATE,
};

/// After how many days a pause is pointed out (API reference §2's example).
const LONG_PAUSE_DAYS: i64 = 3;

/// How grave an issue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum IssueSeverity {
    /// It does harm now.
    Critical,
    /// It will.
    Warning,
}

/// What is wrong with an account or a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum IssueType {
    /// Its mailbox cannot be used.
    ConnectionError,
    /// Its figures suspended it.
    Suspended,
    /// Too many of its mails bounce.
    HighBounceRate,
    /// Too many of its mails land in spam.
    HighSpamRate,
    /// Its reputation is at risk.
    LowReputation,
    /// Its mailbox fails now and then.
    ConnectionTrouble,
    /// It warms and is in no pool.
    NotInPool,
    /// A pool's accounts have too few partners.
    PoolTooSmall,
}

/// What an issue is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// An account.
    Account(AccountId),
    /// A pool.
    Pool(PoolId),
}

/// One request that needs no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Something to be done with an account.
    Account(Remedy, AccountId),
    /// An account joins a pool.
    Join(PoolId, AccountId),
    /// A look at the pools.
    ShowPools,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// How grave.
    pub severity: IssueSeverity,
    /// What.
    pub kind: IssueType,
    /// With what.
    pub about: Subject,
    /// For people.
    pub message: String,
    /// A hint for machines.
    pub action: &'static str,
}

/// How urgent an action is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Now.
    Critical,
    /// Soon.
    Recommended,
}

/// Something to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextAction {
    /// How urgent.
    pub priority: Priority,
    /// What, for people.
    pub action: String,
    /// Why.
    pub reason: String,
    /// The request that does it.
    pub step: Step,
}

/// All of it, the gravest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Advice {
    /// What is wrong.
    pub issues: Vec<Issue>,
    /// What may be a good idea.
    pub recommendations: Vec<String>,
    /// What to do.
    pub next_actions: Vec<NextAction>,
}

names!(IssueSeverity { Critical = "critical", Warning = "warning" });
names!(Priority { Critical = "critical", Recommended = "recommended" });
names!(IssueType {
    ConnectionError = "connection_error", Suspended = "suspended", HighBounceRate = "high_bounce_rate",
    HighSpamRate = "high_spam_rate", LowReputation = "low_reputation", ConnectionTrouble = "connection_trouble",
    NotInPool = "not_in_pool", PoolTooSmall = "pool_too_small",
});

/// What there is to say at `now` about all of a user's accounts and pools.
pub fn advise(accounts: &[Account], pools: &[Pool], now: Timestamp) -> Advice {
    let mut advice = Advice::default();
    for account in accounts {
        match account.status {
            AccountStatus::Error => advice.of_error(account),
            AccountStatus::Suspended => advice.of_suspended(account),
            AccountStatus::Paused => advice.of_paused(account, now),
            AccountStatus::Active if account.warmup.is_none() => advice.of_new(account),
            AccountStatus::Active | AccountStatus::Warming => advice.of_sending(account, pools),
        }
    }
    advice.of_pools(accounts, pools);
    advice.issues.sort_by_key(|issue| issue.severity);
    advice.next_actions.sort_by_key(|action| action.priority);
    advice
}

impl Advice {
    fn of_error(&mut self, account: &Account) {
        let reason = account.status_reason.as_deref();
        let reason = reason.unwrap_or("The mailbox cannot be used.");
        self.issue(
            Subject::Account(account.id),
            IssueType::ConnectionError,
            reason.to_owned(),
        );
        self.action(
            account,
            Priority::Critical,
            "Test the connection of",
            reason.to_owned(),
            Remedy::TestConnection,
        );
    }

    fn of_suspended(&mut self, account: &Account) {
        let reason = account.status_reason.as_deref();
        let reason = reason.unwrap_or("Its figures were bad.");
        self.issue(
            Subject::Account(account.id),
            IssueType::Suspended,
            reason.to_owned(),
        );
        self.look_before_resuming(account, "is suspended");
    }

    fn look_before_resuming(&mut self, account: &Account, state: &str) {
        self.recommendations.push(format!(
            "Account {} {state}: find out why its mails bounce or land in spam before you resume it",
            account.email
        ));
    }

    fn of_paused(&mut self, account: &Account, now: Timestamp) {
        let days = seconds_between(account.status_since(), now) / 86_400;
        if account.warmup.is_none() || days < LONG_PAUSE_DAYS {
            return;
        }
        // Often paused because of them, which an agent that was told to pause it does not remember.
        if has_bad_rates(account) {
            self.look_before_resuming(account, &format!("has been paused for {days} days"));
            return;
        }
        self.recommendations.push(format!(
            "Account {} has been paused for {days} days — consider resuming",
            account.email
        ));
        let reason = format!("It has been paused for {days} days");
        let recommended = Priority::Recommended;
        self.action(account, recommended, "Resume", reason, Remedy::Resume);
    }

    fn of_new(&mut self, account: &Account) {
        if account.pools.is_empty() || !account.provider.has_transport() {
            return;
        }
        let reason = "It is connected, and its warmup was never started".to_owned();
        let recommended = Priority::Recommended;
        self.action(account, recommended, "Start to warm", reason, Remedy::Start);
    }

    fn of_sending(&mut self, account: &Account, pools: &[Pool]) {
        if account.warmup.is_some() {
            self.of_figures(account);
        }
        if account.pools.is_empty() && account.sends() {
            self.of_homeless(account, pools);
        }
        if let Some(reason) = &account.status_reason {
            self.issue(
                Subject::Account(account.id),
                IssueType::ConnectionTrouble,
                reason.clone(),
            );
            let recommended = Priority::Recommended;
            let test = Remedy::TestConnection;
            self.action(
                account,
                recommended,
                "Test the connection of",
                reason.clone(),
                test,
            );
        }
    }

    fn of_homeless(&mut self, account: &Account, pools: &[Pool]) {
        let message = "It is in no pool, so it has nobody to write to.".to_owned();
        self.issue(Subject::Account(account.id), IssueType::NotInPool, message);
        // Where there are several, only their owner knows which.
        let (action, step) = match pools {
            [only] => (
                format!("Add {} to pool {}", account.email, only.name),
                Step::Join(only.id, account.id),
            ),
            _ => (
                format!("Find a pool for {}", account.email),
                Step::ShowPools,
            ),
        };
        let reason = "It is in no pool".to_owned();
        self.next(Priority::Recommended, action, reason, step);
    }

    fn of_figures(&mut self, account: &Account) {
        let bounces = account.bounce_rate;
        if bounces > COOLDOWN_BOUNCE_RATE {
            let message = exceeds("Bounce rate", bounces.get(), COOLDOWN_BOUNCE_RATE.get());
            self.issue(
                Subject::Account(account.id),
                IssueType::HighBounceRate,
                message,
            );
        }
        if account.spam_rate > COOLDOWN_SPAM_RATE {
            let message = exceeds(
                "Spam rate",
                account.spam_rate.get(),
                COOLDOWN_SPAM_RATE.get(),
            );
            self.issue(
                Subject::Account(account.id),
                IssueType::HighSpamRate,
                message,
            );
        }
        if account.reputation.get() < AT_RISK_REPUTATION {
            let score = account.reputation.get();
            let message = format!("Reputation {score:.1} is below {AT_RISK_REPUTATION}");
            self.issue(
                Subject::Account(account.id),
                IssueType::LowReputation,
                message,
            );
        }
        if bounces > CRITICAL_BOUNCE_RATE && account.status == AccountStatus::Warming {
            let reason = exceeds("Bounce rate", bounces.get(), CRITICAL_BOUNCE_RATE.get());
            self.action(account, Priority::Critical, "Pause", reason, Remedy::Pause);
        }
    }

    fn issue(&mut self, about: Subject, kind: IssueType, message: String) {
        let (severity, action) = match kind {
            IssueType::ConnectionError => (IssueSeverity::Critical, "check_credentials"),
            IssueType::Suspended => (IssueSeverity::Critical, "review_bounces_then_resume"),
            IssueType::HighBounceRate => (IssueSeverity::Warning, "review_bounces"),
            IssueType::HighSpamRate => (IssueSeverity::Warning, "check_authentication_and_content"),
            IssueType::LowReputation => (IssueSeverity::Warning, "let_it_recover"),
            IssueType::ConnectionTrouble => (IssueSeverity::Warning, "check_connection"),
            IssueType::NotInPool => (IssueSeverity::Warning, "add_account_to_pool_first"),
            IssueType::PoolTooSmall => (IssueSeverity::Warning, "add_accounts_to_pool"),
        };
        self.issues.push(Issue {
            severity,
            kind,
            about,
            message,
            action,
        });
    }

    fn action(
        &mut self,
        account: &Account,
        priority: Priority,
        verb: &str,
        reason: String,
        remedy: Remedy,
    ) {
        let action = format!("{verb} {}", account.email);
        self.next(priority, action, reason, Step::Account(remedy, account.id));
    }

    /// Proposes a step, once, whatever else speaks for it.
    fn next(&mut self, priority: Priority, action: String, reason: String, step: Step) {
        let is_change = step != Step::ShowPools;
        if is_change && self.next_actions.iter().any(|known| known.step == step) {
            return;
        }
        self.next_actions.push(NextAction {
            priority,
            action,
            reason,
            step,
        });
    }
}

fn exceeds(what: &str, rate: f64, threshold: f64) -> String {
    let (rate, threshold) = (rate * 100.0, threshold * 100.0);
    format!("{what} {rate:.1}% exceeds {threshold:.0}% threshold")
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::account::WarmupPhase;
    use crate::rate::{Rate, Score};
    use crate::time::shifted;
    use crate::warmup::samples::{account, at, warming};

    fn now() -> Timestamp {
        at("2026-03-20T12:00:00Z")
    }

    fn good() -> Account {
        Account {
            reputation: Score::clamped(80.0),
            ..warming(12, date(2026, 3, 20), WarmupPhase::RampUp)
        }
    }

    /// Its pool is not among those that are looked at here.
    fn told(account: Account) -> (Vec<&'static str>, usize, Vec<Remedy>) {
        let advice = advise(&[account], &[], now());
        let issues = advice.issues.iter().map(|issue| issue.kind.as_str());
        let remedies = advice.next_actions.iter().map(|action| match action.step {
            Step::Account(remedy, _) => remedy,
            Step::Join(..) | Step::ShowPools => Remedy::ShowPools,
        });
        (
            issues.collect(),
            advice.recommendations.len(),
            remedies.collect(),
        )
    }

    #[test]
    fn there_is_nothing_to_say_of_what_goes_well() {
        assert_eq!(advise(&[good()], &[], now()), Advice::default());
        assert_eq!(advise(&[], &[], now()), Advice::default());
    }

    #[test]
    fn each_trouble_has_its_issue_and_what_to_do() {
        use Remedy::{Pause, Resume, ShowPools, Start, TestConnection};
        let failing = Account {
            status: AccountStatus::Error,
            ..good()
        };
        assert_eq!(
            told(failing),
            (vec!["connection_error"], 0, vec![TestConnection])
        );
        let suspended = Account {
            status: AccountStatus::Suspended,
            ..good()
        };
        assert_eq!(told(suspended), (vec!["suspended"], 1, vec![]));
        let bouncing = |per_mille| Account {
            bounce_rate: Rate::per_mille(per_mille),
            ..good()
        };
        assert_eq!(told(bouncing(50)), (vec![], 0, vec![]));
        assert_eq!(told(bouncing(70)), (vec!["high_bounce_rate"], 0, vec![]));
        assert_eq!(
            told(bouncing(82)),
            (vec!["high_bounce_rate"], 0, vec![Pause])
        );
        let spammed = Account {
            spam_rate: Rate::per_mille(31),
            reputation: Score::clamped(39.9),
            ..good()
        };
        assert_eq!(
            told(spammed),
            (vec!["high_spam_rate", "low_reputation"], 0, vec![])
        );
        let lonely = Account {
            pools: Vec::new(),
            ..good()
        };
        assert_eq!(told(lonely), (vec!["not_in_pool"], 0, vec![ShowPools]));
        let shaky = Account {
            status_reason: Some("The mail server could not be reached.".to_owned()),
            ..good()
        };
        assert_eq!(
            told(shaky),
            (vec!["connection_trouble"], 0, vec![TestConnection])
        );
        assert_eq!(told(account()), (vec![], 0, vec![Start]));
        let gmail = Account {
            provider: crate::account::Provider::Gmail,
            ..account()
        };
        assert_eq!(told(gmail), (vec![], 0, vec![]), "it cannot be started");
        let paused = |days: i64| Account {
            status: AccountStatus::Paused,
            status_since: Some(shifted(now(), -days * 86_400)),
            ..good()
        };
        assert_eq!(told(paused(2)), (vec![], 0, vec![]));
        assert_eq!(told(paused(3)), (vec![], 1, vec![Resume]));
        let burnt = Account {
            bounce_rate: Rate::per_mille(82),
            ..paused(3)
        };
        assert_eq!(told(burnt), (vec![], 1, vec![]), "it is looked at first");
    }

    #[test]
    fn the_gravest_comes_first_and_reads_as_documented() {
        let bouncing = Account {
            bounce_rate: Rate::per_mille(82),
            ..good()
        };
        let failing = Account {
            status: AccountStatus::Error,
            ..good()
        };
        let advice = advise(&[account(), bouncing, failing], &[], now());
        let severities: Vec<_> = advice.issues.iter().map(|issue| issue.severity).collect();
        assert_eq!(
            severities,
            [IssueSeverity::Critical, IssueSeverity::Warning]
        );
        let first = &advice.next_actions[0];
        assert_eq!(first.action, "Pause ann@one.example");
        assert_eq!(first.reason, "Bounce rate 8.2% exceeds 7% threshold");
        let start = Step::Account(Remedy::Start, account().id);
        assert_eq!(advice.next_actions[2].step, start);
    }
}
