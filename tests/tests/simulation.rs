//! The engine over virtual days, on memory: what must hold whatever happens.

use std::collections::{BTreeMap, BTreeSet};

use agentwarm_app::ports::accounts::AccountReads;
use agentwarm_app::ports::days::{AccountRef, DayRow, Plans, Receipts, Slots};
use agentwarm_app::ports::mail::Folder;
use agentwarm_core::ids::{AccountId, SlotId};
use agentwarm_core::mail::slot::{Slot, SlotState};
use agentwarm_core::plan::Plan;
use agentwarm_core::seed::Seed;
use agentwarm_testkit::world::EngineWorld;
use jiff::Timestamp;

const MAILBOXES: [(&str, &str); 6] = [
    ("alice@acorn.test", "Europe/Berlin"),
    ("adam@acorn.test", "America/New_York"),
    ("bella@birch.test", "UTC"),
    ("boris@birch.test", "Asia/Kolkata"),
    ("clara@cedar.test", "Europe/London"),
    ("carlos@cedar.test", "America/Sao_Paulo"),
];

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

async fn warming_world(seed: &str, now: &str) -> (EngineWorld, Vec<AccountId>) {
    let mut world = EngineWorld::begin(&Seed::root(seed.as_bytes()), at(now), Plan::Pro).await;
    let mut accounts = Vec::new();
    for (email, zone) in MAILBOXES {
        accounts.push(world.connect(email, zone).await);
    }
    for &account in &accounts {
        world
            .start
            .start(&world.tenant, account, false)
            .await
            .unwrap();
    }
    world.drain().await;
    (world, accounts)
}

async fn all_slots(world: &EngineWorld, account: AccountId) -> Vec<Slot> {
    let owner = AccountRef {
        user: world.tenant.user,
        account,
    };
    let range = (
        SlotId::first_at(at("2020-01-01T00:00:00Z")),
        SlotId::first_at(at("2040-01-01T00:00:00Z")),
    );
    Slots::between(world.store.as_ref(), owner, range.0, range.1)
        .await
        .unwrap()
}

#[tokio::test]
async fn five_days_of_six_mailboxes() {
    let (mut world, accounts) = warming_world("five days", "2026-03-09T06:00:00Z").await;
    world.run_until(at("2026-03-14T06:00:00Z")).await;
    for &account in &accounts {
        let slots = Slots::between(
            world.store.as_ref(),
            AccountRef {
                user: world.tenant.user,
                account,
            },
            SlotId::first_at(at("2020-01-01T00:00:00Z")),
            SlotId::first_at(at("2040-01-01T00:00:00Z")),
        )
        .await
        .unwrap();
        let account_now = AccountReads::get(world.store.as_ref(), world.tenant.user, account)
            .await
            .unwrap()
            .unwrap();
        println!(
            "{} {:?} limit {} day {:?} slots {}",
            account_now.email,
            account_now.status,
            account_now.current_daily_limit,
            account_now.warmup.as_ref().map(|w| w.day_number),
            slots.len()
        );
        for slot in &slots {
            println!(
                "   {} {:?} {:?} turn {} {:?} spam {:?}",
                slot.date,
                slot.kind,
                slot.scheduled_at,
                slot.position.turn,
                slot.state,
                slot.spammed_at
            );
        }
        for row in world
            .store
            .days(
                AccountRef {
                    user: world.tenant.user,
                    account,
                },
                "2026-03-08".parse().unwrap(),
                "2026-03-15".parse().unwrap(),
            )
            .await
            .unwrap()
        {
            println!("   {row:?}");
        }
    }
    println!("published {}", world.published().len());
    for (id, _, event) in world.published().iter().take(30) {
        println!("{id} {} {}", event.event_type.as_str(), event.entity_id);
    }
    panic!("look");
}
