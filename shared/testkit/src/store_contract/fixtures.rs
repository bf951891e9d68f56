//! Records to write: valid, and with something in every field.

use agentwarm_app::ports::Created;
use agentwarm_app::ports::accounts::AccountCreated;
use agentwarm_app::ports::days::AccountRef;
use agentwarm_app::ports::vault::Sealed;
use agentwarm_core::account::{Account, PoolMembership, WarmupPhase};
use agentwarm_core::audit::{Actor, Event, EventType};
use agentwarm_core::crm::{CrmIds, CrmLink};
use agentwarm_core::ids::{AccountId, CrmLinkId, PoolId, ScheduleId, SlotId, ThreadId, UserId};
use agentwarm_core::mail::receipt::{Engagement, Placement, PlannedReply, Receipt};
use agentwarm_core::mail::slot::{Slot, SlotKind, SlotState, ThreadPosition};
use agentwarm_core::pool::{Pool, PoolConfig, PoolOverrides};
use agentwarm_core::rate::Rate;
use agentwarm_core::time::Zone;
use agentwarm_core::warmup::day::{DayPlan, PlannedSlot, Reason, Rule, Window};
use agentwarm_core::warmup::due::{DueEntry, DueKind};
use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};

use super::Store;

/// The time of all cases. In the future, so that no emulator's TTL takes what a case still needs.
pub fn now() -> Timestamp {
    Timestamp::from_second(1_900_000_000).unwrap()
}

/// `seconds` after [`now`].
pub fn after(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

/// The local date of [`now`] in UTC.
pub fn today() -> Date {
    date(2030, 3, 17)
}

/// User number `n`.
pub fn user(n: u128) -> UserId {
    UserId::new(now(), n)
}

/// Account number `n` of a user; later numbers are newer.
pub fn account(user: UserId, n: u32) -> Account {
    let id = AccountId::new(after(i64::from(n)), u128::from(n));
    // From its stored form, so that a field that is added with a default needs no change here.
    let account = serde_json::json!({
        "id": id,
        "user": user,
        "email": format!("mailbox-{n}@acorn.example"),
        "display_name": "Łucja O’Neill",
        "provider": "imap_smtp",
        "status": "warming",
        "status_reason": null,
        "interrupted": "warming",
        "zone": "Europe/Berlin",
        "pools": [],
        "warmup": {
            "started_at": now(),
            "phase": "sustain",
            "day_number": 46,
            "last_day": today(),
            "last_planned_start": now(),
            "last_planned_date": today(),
            "resumed_at": null,
            "last_judged": today(),
            "sustain_streak": 3,
            "cooldown": { "since": today() },
            "reduced": true,
        },
        "current_daily_limit": 38,
        "total_sent": 1_234_567_890_123_u64,
        "total_received": 0,
        "totals_through": today(),
        "bounce_rate": Rate::of(1, 3),
        "spam_rate": 0.0,
        "reputation": 72.5,
        "created_at": after(i64::from(n)),
        "updated_at": now() + SignedDuration::from_nanos(123_456_789),
        "version": 1,
    });
    serde_json::from_value(account).unwrap()
}

/// `account` one version on.
pub fn changed(account: &Account) -> Account {
    Account {
        version: account.version + 1,
        current_daily_limit: account.current_daily_limit + 1,
        ..account.clone()
    }
}

/// Sealed credentials, each `n` its own.
pub fn credentials(n: u32) -> Sealed {
    Sealed(format!("v1.1.sealed-{n}"))
}

/// Pool number `n`; later numbers are newer.
pub fn pool(n: u32) -> Pool {
    Pool {
        id: PoolId::new(after(i64::from(n)), u128::from(n)),
        name: format!("Pool {n}"),
        description: None,
        member_count: 0,
        overrides: PoolOverrides {
            reply_rate: Some(0.1),
            send_on_weekends: Some(true),
            ..PoolOverrides::default()
        },
        created_at: after(i64::from(n)),
        updated_at: now(),
        version: 1,
    }
}

/// An event about account number `n` with metadata of every kind.
pub fn event(event_type: EventType, n: u32) -> Event {
    let account = AccountId::new(after(i64::from(n)), u128::from(n));
    Event::account(
        event_type,
        account,
        Actor::User(user(1)),
        after(i64::from(n)),
    )
    .with("rate", 0.0625)
    .with("count", 3)
    .with("name", "x")
    .with("values", vec!["a", "b"])
}

/// Account number `n` of a user, as a key, whether or not it exists.
pub fn mailbox(user: UserId, n: u32) -> AccountRef {
    AccountRef::of(&account(user, n))
}

/// The plan of a day with two slots.
pub fn plan(owner: AccountRef, day: Date, limit: u32, reply_budget: u32) -> DayPlan {
    let zone = Zone::utc();
    let span = zone.day(day);
    let slots = (1..=2).map(|n| PlannedSlot {
        id: SlotId::new(span.start + SignedDuration::from_hours(n), 7),
        at: span.start + SignedDuration::from_hours(n),
        target: AccountId::new(now(), 99),
    });
    DayPlan {
        id: ScheduleId::new(span.start, u128::from(limit)),
        user: owner.user,
        account: owner.account,
        span,
        zone,
        window: Some(Window {
            start: span.start,
            end: span.end,
        }),
        day_number: 3,
        phase: WarmupPhase::RampUp,
        limit,
        reply_budget,
        slots: slots.collect(),
        config: PoolConfig::default(),
        reasons: vec![Reason {
            rule: Rule::Ramp,
            volume: limit,
            because: "day 3 of the ramp".to_owned(),
        }],
        planned_at: now(),
        daily_total: None,
    }
}

/// The slot of a sender that is planned `seconds` after [`now`], claimed by `claimer`.
pub fn slot(sender: AccountRef, seconds: i64, claimer: &str) -> Slot {
    Slot {
        id: SlotId::new(after(seconds), 5),
        user: sender.user,
        sender: sender.account,
        recipient: AccountId::new(now(), 99),
        date: today(),
        kind: SlotKind::Reply {
            answers: SlotId::new(now(), 4),
        },
        scheduled_at: after(seconds),
        message_id: "abc@acorn.example".to_owned(),
        message_date: now(),
        position: position(),
        state: SlotState::Claimed {
            owner: claimer.to_owned(),
            lease_until: after(seconds + 60),
            attempt: 1,
        },
        spammed_at: None,
        complained_at: None,
        version: 1,
    }
}

/// The receipt of the mail that was planned `seconds` after [`now`].
pub fn receipt(receiver: AccountRef, seconds: i64) -> Receipt {
    Receipt {
        slot: SlotId::new(after(seconds), 5),
        user: receiver.user,
        receiver: receiver.account,
        sender: AccountId::new(now(), 99),
        date: today(),
        found_at: after(seconds + 120),
        placement: Placement::Spam,
        message_id: "abc@acorn.example".to_owned(),
        position: position(),
        engagement: Engagement {
            open_at: Some(after(seconds + 300)),
            important_at: None,
            reply: Some(PlannedReply {
                slot: SlotId::new(after(seconds + 900), 6),
                at: after(seconds + 900),
            }),
            file_at: after(seconds + 3600),
        },
        rescued_at: Some(after(seconds + 121)),
        version: 1,
    }
}

/// That account number `n` is to plan `seconds` after [`now`].
pub fn plan_entry(seconds: i64, n: u32) -> DueEntry {
    DueEntry {
        at: after(seconds),
        user: user(1),
        kind: DueKind::Plan {
            account: account(user(1), n).id,
        },
    }
}

fn position() -> ThreadPosition {
    ThreadPosition {
        thread: ThreadId::new(now(), 3),
        conversation: "garden-plans".to_owned(),
        turn: 1,
        references: vec!["first@acorn.example".to_owned()],
    }
}

/// Link number `n` of `account`, to a person of that number.
pub fn crm_link(account: AccountId, n: u32) -> CrmLink {
    CrmLink {
        id: CrmLinkId::new(after(i64::from(n)), u128::from(n)),
        account,
        ids: CrmIds::Person(format!("sf_003x{n:04}").parse().unwrap()),
        source: "salesforce".parse().unwrap(),
        created_at: after(i64::from(n)),
    }
}

impl Store {
    /// Stores pool number `n`.
    pub async fn given_pool(&self, user: UserId, n: u32) -> Pool {
        let pool = pool(n);
        let created = self.pool_writes.create(user, &pool, None).await.unwrap();
        assert_eq!(created, Created::Done);
        pool
    }

    /// Stores `account` in `pool`, which becomes its first.
    pub async fn given_account(&self, account: &Account, pool: PoolId) -> Account {
        let account = in_pool(account, pool);
        let created = self.create_account(&account, pool, 10_000).await;
        assert_eq!(created, AccountCreated::Done);
        account
    }

    /// Tries to store `account` in `pool`.
    pub async fn create_account(
        &self,
        account: &Account,
        pool: PoolId,
        max: u32,
    ) -> AccountCreated {
        let event = event(EventType::AccountCreated, 1);
        self.account_life
            .create(account, &credentials(1), pool, max, event)
            .await
            .unwrap()
    }
}

/// `account` as a member of `pool`.
pub fn in_pool(account: &Account, pool: PoolId) -> Account {
    let mut account = account.clone();
    account.pools.push(PoolMembership {
        pool,
        joined_at: now(),
    });
    account
}
