//! Accounts that stop sending, and what becomes of their days.

use agentwarm_app::ports::Replaced;
use agentwarm_app::ports::days::{Plans as _, Slots};
use agentwarm_core::account::AccountStatus;
use agentwarm_core::mail::slot::{Slot, SlotState};
use agentwarm_core::pool::PoolOverrides;
use jiff::ToSpan as _;
use jiff::civil::date;

use crate::harness::{Sim, at};
use crate::seeds;

const TWO: [(&str, &str); 2] = [("ada@acorn.test", "UTC"), ("bo@birch.test", "UTC")];

/// Its last day of sending lies further back than what a plan usually looks at.
#[tokio::test]
async fn after_ten_weeks_of_rest_a_mailbox_begins_small_again() {
    let steep = PoolOverrides {
        min_daily_emails: Some(2),
        ramp_up_days: Some(7),
        ..PoolOverrides::default()
    };
    let start = "2026-03-09T06:00:00Z";
    let mut sim = Sim::of("a long rest", seeds::story(), &TWO, start, steep).await;
    sim.run_until(at("2026-03-13T20:00:00Z"));
    let sent = sim
        .slots(0)
        .iter()
        .filter(|it| it.date == date(2026, 3, 13))
        .count();
    assert!(sent >= 5, "{sent} mails on the fifth day");
    let tenant = sim.world.tenant;
    sim.world
        .pause
        .pause(&tenant, sim.accounts[0])
        .await
        .unwrap();

    sim.stand_still_until(at("2026-05-25T08:00:00Z"));
    sim.world
        .resume
        .resume(&tenant, sim.accounts[0])
        .await
        .unwrap();

    // Once halved for each week, but not below 2, and one more.
    assert_eq!(sim.account(0).current_daily_limit, 3);
}

/// The judgement of a night, not the brake: some days fall out of the seven that count, and those that are left are too bad.
#[tokio::test]
async fn the_last_day_of_an_account_that_a_night_suspends_is_closed() {
    let mut sim = Sim::story("suspended at night", "2026-03-10T06:00:00Z").await;
    sim.run_until(at("2026-03-11T23:00:00Z"));
    sim.stand_still_until(at("2026-03-12T08:55:00Z"));
    let owner = sim.world.owner(sim.accounts[0]);
    let (yesterday, store) = (date(2026, 3, 11), sim.world.store.clone());
    for slot in sim
        .slots(0)
        .into_iter()
        .filter(|it| it.date == yesterday)
        .take(5)
    {
        let back = Slot {
            state: SlotState::Returned {
                accepted_at: slot.scheduled_at,
                at: sim.world.now(),
                status: "5.1.1".to_owned(),
                bounced: true,
            },
            version: slot.version + 1,
            ..slot
        };
        let replaced = Slots::replace(&*store, &back, Vec::new()).await.unwrap();
        assert_eq!(replaced, Replaced::Done);
    }

    sim.world.run_until(at("2026-03-12T10:00:00Z"));
    assert_eq!(sim.account(0).status, AccountStatus::Suspended);
    sim.world.run_until(at("2026-03-14T10:00:00Z"));
    let days = store
        .days(owner, yesterday, yesterday.saturating_add(3.days()))
        .await;
    let days: Vec<_> = days
        .unwrap()
        .iter()
        .map(|row| (row.date, row.closed))
        .collect();
    assert_eq!(days, [(yesterday, true)]);
    assert_eq!(sim.account(0).totals_through, Some(yesterday));
}
