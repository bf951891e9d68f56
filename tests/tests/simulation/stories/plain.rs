//! Nothing goes wrong, except that some mail lands in spam.

use std::collections::BTreeSet;

use agentwarm_app::ports::days::DayRow;
use agentwarm_core::ids::AccountId;
use agentwarm_core::mail::receipt::{Placement, Receipt};
use agentwarm_core::mail::slot::SlotKind;
use agentwarm_core::pool::PoolOverrides;
use agentwarm_core::warmup::engage;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::harness::{AROUND_THE_WORLD, Sim, at, hours, mails_a_day, minutes};
use crate::seeds;

#[tokio::test]
async fn ten_plain_days() {
    let number = seeds::story();
    let start = "2026-03-09T00:00:00Z";
    let defaults = PoolOverrides::default();
    let mut sim = Sim::of("plain", number, &AROUND_THE_WORLD, start, defaults).await;
    sim.world.post.set_spam_share("clara@cedar.test", 0.2);
    sim.world.post.set_spam_share("carlos@cedar.test", 0.2);
    sim.world.post.file_spam_elsewhere("carlos@cedar.test");
    sim.run_until(at("2026-03-19T00:00:00Z"));
    sim.finish();

    // All of it happened: the checks looked at something.
    let slots = sim.all_slots();
    let sent = slots
        .iter()
        .filter(|slot| slot.state.accepted_at().is_some());
    assert!(sent.count() > 200);
    let receipts: Vec<_> = (0..6).flat_map(|n| sim.receipts(n)).collect();
    let count =
        |is: &dyn Fn(&Receipt) -> bool| receipts.iter().filter(|receipt| is(receipt)).count();
    assert!(count(&|it| it.placement == Placement::Spam && it.rescued_at.is_some()) > 5);
    let carlos = AROUND_THE_WORLD
        .iter()
        .position(|(address, _)| *address == "carlos@cedar.test");
    let elsewhere = sim.receipts(carlos.unwrap());
    let is_rescued = |it: &Receipt| it.placement == Placement::Spam && it.rescued_at.is_some();
    assert!(elsewhere.iter().any(is_rescued), "spam in a second folder");
    let mut done = [0; 3];
    for n in 0..6 {
        let through = sim.engaged_through(n);
        for receipt in sim.receipts(n) {
            let it = engage::done(&receipt, through);
            done[0] += u32::from(it.opened);
            done[1] += u32::from(it.important);
            done[2] += u32::from(it.filed);
        }
    }
    let [opened, important, filed] = done;
    assert!(opened > 150 && important > 40 && filed > 150, "{done:?}");
    assert!(slots.iter().any(|slot| slot.position.turn >= 2));
    let answers = slots.iter().filter(|slot| slot.kind != SlotKind::Thread);
    assert!(
        answers
            .filter(|slot| slot.state.accepted_at().is_some())
            .count()
            > 50
    );
    let of_threads = slots.iter().filter(|slot| slot.kind == SlotKind::Thread);
    assert!(
        of_threads
            .clone()
            .all(|slot| slot.state.accepted_at().is_some())
    );
    assert_eq!(sim.world.dead_letters(), 0);
}

#[tokio::test]
async fn five_days_with_queues_that_delay() {
    let number = seeds::story();
    let start = "2026-03-09T00:00:00Z";
    let defaults = PoolOverrides::default();
    let mut sim = Sim::of("delays", number, &AROUND_THE_WORLD, start, defaults).await;
    sim.world.ticking.queue_delays = true;
    sim.run_until(at("2026-03-14T00:00:00Z"));
    sim.finish();
    let look = sim.world.store.look();
    let late: Vec<_> = sim
        .watch
        .left
        .values()
        .filter_map(|left| {
            let slot = look.slot(sim.world.owner(left.sender), left.slot)?;
            let is_late = slot.kind == SlotKind::Thread && left.at != slot.scheduled_at;
            is_late.then_some((slot.sender, slot.scheduled_at, left.at))
        })
        .collect();
    assert_eq!(late, [], "each thread leaves at its second");
    assert!(sim.watch.left.len() > 100);
}

/// Around the world, so that mailboxes get mail in their nights. A day that was just planned is summed up at the next sitting, which may be
/// a minute late.
#[tokio::test]
async fn what_lists_show_of_a_day_is_an_hour_old_at_most() {
    let start = "2026-03-10T00:00:00Z";
    let (name, number) = ("lists", seeds::story());
    let mut sim = Sim::of(name, number, &AROUND_THE_WORLD, start, mails_a_day(12)).await;
    let mut planned = BTreeSet::new();
    let (mut sent, mut received) = (0, 0);
    for _ in 0..48 {
        let old = sim.world.now() - minutes(2);
        sim.run_for(hours(1));
        for n in 0..AROUND_THE_WORLD.len() {
            let account = sim.account(n);
            let today = account.zone.date_of(sim.world.now());
            let row = day_row(&sim, account.id, today);
            let Some(row) = row.filter(|_| !planned.insert((n, today))) else {
                continue;
            };
            let by_then = |at: Option<Timestamp>| at.is_some_and(|at| at <= old);
            let slots = sim.slots(n).into_iter();
            let slots = slots.filter(|it| it.date == today && by_then(it.state.accepted_at()));
            let receipts = sim.receipts(n).into_iter();
            let receipts = receipts.filter(|it| it.date == today && by_then(Some(it.found_at)));
            let least = (count(slots), count(receipts));
            let shown = (row.figures.sent, row.figures.received);
            assert!(
                least.0 <= shown.0 && least.1 <= shown.1,
                "{least:?}: {row:?}"
            );
            (sent, received) = (sent.max(least.0), received.max(least.1));
        }
    }
    assert!(sent >= 12 && received >= 6, "{sent}, {received}");
    sim.finish();
}

fn count(items: impl Iterator) -> u32 {
    u32::try_from(items.count()).unwrap()
}

fn day_row(sim: &Sim, account: AccountId, date: Date) -> Option<DayRow> {
    let owner = sim.world.owner(account);
    let look = sim.world.store.look();
    let mut days = look.days();
    let found = days.find(|(it, row)| *it == owner && row.date == date);
    found.map(|(_, row)| row.clone())
}
