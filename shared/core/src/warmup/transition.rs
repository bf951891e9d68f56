//! What may happen to an account's status, and what becomes of it (decision 17).
//!
//! Users start, pause and resume; a mailbox that cannot be used goes into error and comes back; bad figures suspend (that is
//! [`judge`](super::judge)'s). Each function takes the account as it is and returns it as it shall be, or says why not. None of them
//! touches `version`: whoever writes the account does.
//!
//! A pause, an error and a suspension remember what they interrupted. They can be stacked (an account in error can be paused), and the
//! thing interrupted stays the one at the bottom: warming or active.

use jiff::Timestamp;

use crate::account::{Account, AccountStatus, Warmup, WarmupPhase};
use crate::rate::Rate;

use crate::warmup::connection::ConnectionHealth;

/// What a user can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Begin to warm.
    Start,
    /// Stop for a while.
    Pause,
    /// Go on.
    Resume,
    /// Be active again.
    Activate,
}

/// Why an account does not change as asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransitionError {
    /// Start of an account that is warming.
    #[error("the account is already warming")]
    AlreadyWarming,
    /// Resume of an account that never started.
    #[error("the account was never warmed: start it instead")]
    NeverWarmed,
    /// Start of an account that is in no pool (decision 16).
    #[error("the account is in no pool")]
    NotInPool,
    /// The status does not allow it.
    #[error(
        "an account that is {} cannot be {}{}",
        status_name(*status, *phase),
        operation.past(),
        next_step(*operation, *status)
    )]
    Invalid {
        /// What was asked for.
        operation: Operation,
        /// The account's status.
        status: AccountStatus,
        /// Its phase, once warmed: tells a graduated account.
        phase: Option<WarmupPhase>,
    },
}

impl Operation {
    const fn past(self) -> &'static str {
        match self {
            Self::Start => "started",
            Self::Pause => "paused",
            Self::Resume => "resumed",
            Self::Activate => "set to active",
        }
    }
}

/// What to do instead, where there is something.
const fn next_step(operation: Operation, status: AccountStatus) -> &'static str {
    match (operation, status) {
        (Operation::Pause, _) | (_, AccountStatus::Warming) => "",
        // Only one that graduated is refused.
        (_, AccountStatus::Active) => "; to begin again, start it with ?restart=true",
        (_, AccountStatus::Paused) => "; resume it",
        (_, AccountStatus::Suspended) => {
            "; find out why its mails bounce or land in spam, then resume it"
        }
        (_, AccountStatus::Error) => "; test its connection, then resume it",
    }
}

const fn status_name(status: AccountStatus, phase: Option<WarmupPhase>) -> &'static str {
    match (status, phase) {
        (AccountStatus::Active, Some(WarmupPhase::Graduated)) => "graduated",
        _ => status.as_str(),
    }
}

impl Warmup {
    /// A warmup that begins at `now`; `account` gives the zone and what it has planned already (a graduated account's trickle today).
    fn started(account: &Account, now: Timestamp) -> Self {
        let before = account.warmup.as_ref();
        Self {
            started_at: now,
            phase: WarmupPhase::RampUp,
            day_number: 1,
            last_day: Some(account.zone.date_of(now)),
            last_planned_start: before.and_then(|warmup| warmup.last_planned_start),
            last_planned_date: before.and_then(|warmup| warmup.last_planned_date),
            resumed_at: None,
            recovered_since: None,
            last_judged: before.and_then(|warmup| warmup.last_judged),
            sustain_streak: 0,
            cooldown: None,
            reduced: false,
        }
    }
}

/// Begins to warm `account`. `restart` lets a graduated account begin again from day 1.
pub fn start(account: &Account, now: Timestamp, restart: bool) -> Result<Account, TransitionError> {
    let may_start = match account.status {
        AccountStatus::Warming => return Err(TransitionError::AlreadyWarming),
        AccountStatus::Active => account.warmup.is_none() || restart,
        AccountStatus::Paused => account.warmup.is_none(),
        AccountStatus::Suspended | AccountStatus::Error => false,
    };
    if !may_start {
        return Err(invalid(account, Operation::Start));
    }
    if account.pools.is_empty() {
        return Err(TransitionError::NotInPool);
    }
    Ok(Account {
        status: AccountStatus::Warming,
        status_since: Some(now),
        status_reason: None,
        interrupted: None,
        warmup: Some(Warmup::started(account, now)),
        bounce_rate: Rate::ZERO,
        spam_rate: Rate::ZERO,
        updated_at: now,
        ..account.clone()
    })
}

/// Stops `account` for a while. Its slots stay where they are: each claim looks at the account.
pub fn pause(account: &Account, now: Timestamp) -> Result<Account, TransitionError> {
    if account.status == AccountStatus::Paused {
        return Err(invalid(account, Operation::Pause));
    }
    let mut paused = interrupted_by(account, AccountStatus::Paused, now);
    paused.status_reason = None;
    Ok(paused)
}

/// What `status: active` asks of an account (decision 17): one that was never warmed and is paused is active again, one that is active stays
/// as it is. Anything else is resume's.
pub fn activate(account: &Account, now: Timestamp) -> Result<Account, TransitionError> {
    match account.status {
        AccountStatus::Active => Ok(account.clone()),
        AccountStatus::Paused if account.warmup.is_none() => Ok(continued(account, now)),
        AccountStatus::Paused
        | AccountStatus::Warming
        | AccountStatus::Error
        | AccountStatus::Suspended => Err(invalid(account, Operation::Activate)),
    }
}

/// Lets `account` go on as what it was. `today` are the figures of its current local date: what happened before the resume is not held
/// against it after (decision 22), and reduces nothing any more.
pub fn resume(account: &Account, now: Timestamp) -> Result<Account, TransitionError> {
    match account.status {
        AccountStatus::Active | AccountStatus::Paused if account.warmup.is_none() => {
            return Err(TransitionError::NeverWarmed);
        }
        AccountStatus::Paused | AccountStatus::Suspended | AccountStatus::Error => {}
        AccountStatus::Active | AccountStatus::Warming => {
            return Err(invalid(account, Operation::Resume));
        }
    }
    let mut resumed = continued(account, now);
    resumed.bounce_rate = Rate::ZERO;
    resumed.spam_rate = Rate::ZERO;
    resumed.warmup = resumed.warmup.map(|warmup| Warmup {
        resumed_at: Some(now),
        reduced: false,
        ..warmup
    });
    Ok(resumed)
}

/// What a failed connection makes of `account`; nothing if it changes nothing. `health` is the mailbox's after that failure. Only what a
/// user did not stop can go into error, and only a warming or active account shows the reason before.
pub fn connection_failed(
    account: &Account,
    health: &ConnectionHealth,
    now: Timestamp,
) -> Option<Account> {
    match account.status {
        AccountStatus::Active | AccountStatus::Warming => {}
        AccountStatus::Error | AccountStatus::Paused | AccountStatus::Suspended => return None,
    }
    if health.is_broken() {
        let mut failed = interrupted_by(account, AccountStatus::Error, now);
        failed.status_reason = health.reason();
        return Some(failed);
    }
    explained(account, health, now)
}

/// What a connection that works makes of `account`; nothing if it changes nothing. `health` is the mailbox's after that success: what is left
/// of it goes on being shown. An error heals by itself, once nothing is left that makes one.
pub fn connection_ok(
    account: &Account,
    health: &ConnectionHealth,
    now: Timestamp,
) -> Option<Account> {
    match account.status {
        AccountStatus::Error if !health.is_broken() => Some(Account {
            status_reason: health.reason(),
            ..continued(account, now)
        }),
        AccountStatus::Error | AccountStatus::Active | AccountStatus::Warming => {
            explained(account, health, now)
        }
        AccountStatus::Paused | AccountStatus::Suspended => None,
    }
}

/// `account` with what is wrong with its connection, if it shows something else.
fn explained(account: &Account, health: &ConnectionHealth, now: Timestamp) -> Option<Account> {
    let reason = health.reason();
    (account.status_reason != reason).then(|| Account {
        status_reason: reason,
        updated_at: now,
        ..account.clone()
    })
}

/// `account` stopped as `status`, remembering what it was; a warming account's current date counts (decision 18).
pub(crate) fn interrupted_by(account: &Account, status: AccountStatus, now: Timestamp) -> Account {
    let mut stopped = Account {
        status,
        status_since: Some(now),
        updated_at: now,
        ..account.clone()
    };
    match account.status {
        AccountStatus::Warming => {
            let today = account.zone.date_of(now);
            stopped.interrupted = Some(AccountStatus::Warming);
            stopped.warmup = account
                .warmup
                .as_ref()
                .map(|warmup| warmup.counted_to(today));
        }
        AccountStatus::Active => stopped.interrupted = Some(AccountStatus::Active),
        AccountStatus::Paused | AccountStatus::Suspended | AccountStatus::Error => {}
    }
    stopped
}

/// `account` as what it was before it was stopped; if that is warming, today counts.
fn continued(account: &Account, now: Timestamp) -> Account {
    let status = account.interrupted.unwrap_or(match &account.warmup {
        Some(warmup) if warmup.phase != WarmupPhase::Graduated => AccountStatus::Warming,
        _ => AccountStatus::Active,
    });
    let today = account.zone.date_of(now);
    let warmup = match status {
        AccountStatus::Warming => account
            .warmup
            .as_ref()
            .map(|warmup| warmup.resumed_on(today)),
        _ => account.warmup.clone(),
    };
    Account {
        status,
        status_since: Some(now),
        status_reason: None,
        interrupted: None,
        warmup,
        updated_at: now,
        ..account.clone()
    }
}

fn invalid(account: &Account, operation: Operation) -> TransitionError {
    TransitionError::Invalid {
        operation,
        status: account.status,
        phase: account.warmup.as_ref().map(|warmup| warmup.phase),
    }
}

#[cfg(test)]
mod tests;
