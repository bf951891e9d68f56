use agentwarm_app::accounts::totals::Totals;
use agentwarm_app::ports::accounts::AccountFilter;
use agentwarm_app::ports::{PageRequest, PageStart};
use agentwarm_core::ids::AccountId;
use agentwarm_core::warmup::day::DayFigures;
use agentwarm_testkit::memory::Fault;
use jiff::civil::date;

use crate::world::World;

const PAGE: PageRequest = PageRequest {
    limit: 50,
    from: PageStart::Offset(0),
};

fn figures(sent: u32, received: u32) -> DayFigures {
    DayFigures {
        sent,
        received,
        ..DayFigures::default()
    }
}

async fn totals(world: &World, id: AccountId) -> (u64, u64) {
    let one = world.read().get(&world.tenant, id).await.unwrap().totals;
    let filter = AccountFilter::default();
    let listed = world
        .read()
        .list(&world.tenant, &filter, &PAGE)
        .await
        .unwrap();
    let in_list = listed.items.iter().find(|live| live.account.id == id);
    assert_eq!(
        Some(one),
        in_list.map(|live| live.totals),
        "the list agrees"
    );
    let Totals { sent, received } = one;
    (sent, received)
}

#[tokio::test]
async fn open_days_are_added_to_the_closed_sums() {
    let world = World::new();
    let id = world.warming("a@example.com").await;
    world.day(id, date(2026, 3, 11), figures(100, 100)).await;
    world.day(id, date(2026, 3, 12), figures(5, 4)).await;
    world.day(id, date(2026, 3, 13), figures(2, 1)).await;
    world
        .change(id, |account| {
            account.total_sent = 35;
            account.total_received = 33;
            account.totals_through = Some(date(2026, 3, 11));
        })
        .await;
    assert_eq!(totals(&world, id).await, (42, 38));
}

#[tokio::test]
async fn before_the_first_day_is_closed_all_days_are_open() {
    let world = World::new();
    let id = world.warming("a@example.com").await;
    world.day(id, date(2026, 3, 12), figures(2, 1)).await;
    world.day(id, date(2026, 3, 13), figures(3, 2)).await;
    assert_eq!(totals(&world, id).await, (5, 3));
}

#[tokio::test]
async fn accounts_without_open_days_cost_no_read() {
    let world = World::new();
    let id = world.account("never@example.com").await;
    let closed = world.warming("closed@example.com").await;
    world.day(closed, date(2026, 3, 10), figures(2, 1)).await;
    world
        .change(closed, |account| {
            account.total_sent = 2;
            account.totals_through = Some(date(2026, 3, 10));
        })
        .await;
    world.store.fail_next("plans.days", Fault::Unavailable);
    world.store.fail_next("plans.days_of", Fault::Unavailable);
    assert_eq!(totals(&world, id).await, (0, 0));
    assert_eq!(totals(&world, closed).await, (2, 0));
    assert_eq!(world.store.unmet_faults(), ["plans.days", "plans.days_of"]);
}
