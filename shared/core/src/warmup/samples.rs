//! Accounts, mails and days for the tests of this folder.

use jiff::Timestamp;
use jiff::civil::{Date, date};

use crate::account::{
    Account, AccountStatus, INITIAL_DAILY_LIMIT, INITIAL_REPUTATION, PoolMembership, Provider,
    Warmup, WarmupPhase,
};
use crate::ids::{AccountId, PoolId, SlotId, ThreadId, UserId};
use crate::mail::slot::{Slot, SlotKind, SlotState, ThreadPosition};
use crate::rate::{Rate, Score};
use crate::time::Zone;

/// A Friday morning, 10:00 UTC.
pub(crate) fn friday() -> Timestamp {
    at("2026-03-13T10:00:00Z")
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The n-th account of a world.
pub(crate) fn account_id(n: u64) -> AccountId {
    AccountId::new(at("2026-01-01T00:00:00Z"), u128::from(n) << 16)
}

pub(crate) fn warmup(day_number: u32, last_day: Date) -> Warmup {
    Warmup {
        started_at: at("2026-01-01T09:00:00Z"),
        phase: WarmupPhase::RampUp,
        day_number,
        last_day: Some(last_day),
        last_planned_start: None,
        last_planned_date: None,
        resumed_at: None,
        recovered_since: None,
        last_judged: None,
        sustain_streak: 0,
        cooldown: None,
        reduced: false,
    }
}

/// An account in a pool, never warmed.
pub(crate) fn account() -> Account {
    let created_at = at("2026-01-01T00:00:00Z");
    Account {
        id: account_id(1),
        user: UserId::new(created_at, 1),
        email: "ann@one.example".parse().unwrap(),
        display_name: "Ann".to_owned(),
        provider: Provider::ImapSmtp,
        status: AccountStatus::Active,
        status_reason: None,
        status_since: None,
        interrupted: None,
        zone: Zone::utc(),
        pools: vec![PoolMembership {
            pool: PoolId::new(created_at, 1),
            joined_at: created_at,
        }],
        warmup: None,
        current_daily_limit: INITIAL_DAILY_LIMIT,
        servers: None,
        total_sent: 0,
        total_received: 0,
        totals_through: None,
        persona: None,
        bounce_rate: Rate::ZERO,
        spam_rate: Rate::ZERO,
        reputation: Score::clamped(INITIAL_REPUTATION),
        created_at,
        updated_at: created_at,
        version: 1,
    }
}

/// An account that has been warming since long, on day `day_number`, which is `date`.
pub(crate) fn warming(day_number: u32, date: Date, phase: WarmupPhase) -> Account {
    Account {
        status: AccountStatus::Warming,
        warmup: Some(Warmup {
            phase,
            ..warmup(day_number, date)
        }),
        ..account()
    }
}

/// The n-th mail of [`friday`], from the first account to the second.
pub(crate) fn slot(n: u128, state: SlotState) -> Slot {
    let at = friday();
    Slot {
        id: SlotId::new(at, n),
        user: UserId::new(at, 1),
        sender: account_id(1),
        recipient: account_id(2),
        date: date(2026, 3, 13),
        kind: SlotKind::Thread,
        scheduled_at: at,
        message_id: "a@b.example".to_owned(),
        message_date: at,
        position: ThreadPosition {
            thread: ThreadId::new(at, 1),
            conversation: "garden-plans".to_owned(),
            turn: 0,
            references: Vec::new(),
        },
        state,
        spammed_at: None,
        complained_at: None,
        version: 1,
    }
}
