//! Who writes to whom where a pool is large, or loses somebody.

use std::collections::BTreeSet;

use agentwarm_core::mail::slot::{SkipReason, Slot, SlotKind, SlotState};
use agentwarm_core::plan::Plan;
use agentwarm_core::pool::PoolOverrides;
use agentwarm_core::warmup::day::DayPlan;
use agentwarm_testkit::world::EngineWorld;

use crate::harness::{Sim, at, mails_a_day};
use crate::seeds;

/// A plan looks at 256 partners.
#[tokio::test]
async fn in_a_pool_of_three_hundred_everybody_gets_mail() {
    let addresses: Vec<_> = (0..300).map(|n| format!("m{n}@acorn.test")).collect();
    let mailboxes: Vec<_> = addresses.iter().map(|it| (it.as_str(), "UTC")).collect();
    let (name, start) = ("three hundred", "2026-03-10T08:00:00Z");
    let (plan, number) = (Plan::Enterprise, seeds::story());
    let sim = Sim::of_user_on(plan, name, number, &mailboxes, start, mails_a_day(12)).await;

    let look = sim.world.store.look();
    let planned = look.plans().flat_map(|plan| &plan.slots);
    let targets: BTreeSet<_> = planned.map(|slot| slot.target).collect();
    assert_eq!(targets, sim.accounts.iter().copied().collect());
}

/// Of five hundred members three of ten take mail, one a day from each: the first 256 are not enough for a day of 100.
#[tokio::test]
async fn a_plan_looks_for_as_many_partners_as_its_mails_need() {
    let seed = seeds::seed("many needed", seeds::story());
    let start = at("2026-03-10T06:00:00Z");
    let world = EngineWorld::begin(&seed, start, Plan::Enterprise).await;
    let sender = world.connect("sender@acorn.test", "UTC").await;
    for n in 0..500 {
        let member = world.connect(&format!("m{n}@birch.test"), "UTC").await;
        if n % 10 >= 3 {
            world.pause.pause(&world.tenant, member).await.unwrap();
        }
    }
    let one_each = PoolOverrides {
        min_daily_emails: Some(100),
        max_daily_emails: Some(100),
        reply_rate: Some(0.0),
        max_per_partner_per_day: Some(1),
        ..PoolOverrides::default()
    };
    world.configure(one_each).await;
    let started = world.start.start(&world.tenant, sender, false).await;
    let reasons = |plan: &DayPlan| plan.reasons.iter().map(|it| it.rule).collect::<Vec<_>>();
    let look = world.store.look();
    let mut plans = look.plans();
    let rules = plans.next().map(reasons);
    assert_eq!(started.unwrap().today.limit, 100, "{rules:?}");
}

/// What was planned for the third goes to the second until that one has the ten of a day, answers among them, and no further.
#[tokio::test]
async fn of_a_lost_partner_nobody_gets_more_than_one_partner_may() {
    let three = ["ada@acorn.test", "bo@birch.test", "cy@cedar.test"].map(|email| (email, "UTC"));
    let (name, start) = ("two are left", "2026-03-10T06:00:00Z");
    let mut sim = Sim::of(name, seeds::story(), &three, start, mails_a_day(20)).await;
    let (ada, bo, cy) = (sim.accounts[0], sim.accounts[1], sim.accounts[2]);
    let planned: Vec<_> = {
        let look = sim.world.store.look();
        let plans = look.plans().filter(|plan| plan.account == ada);
        plans.flat_map(|plan| plan.slots.clone()).collect()
    };
    let to = |target| planned.iter().filter(|slot| slot.target == target).count();
    assert!(to(bo) + to(cy) > 10, "{planned:?}");
    let tenant = sim.world.tenant;
    sim.world.pause.pause(&tenant, cy).await.unwrap();

    sim.run_until(at("2026-03-12T06:00:00Z"));

    let slots = sim.slots(0).into_iter();
    let threads: Vec<_> = slots
        .filter(|slot| planned.iter().any(|it| it.id == slot.id) && slot.kind == SlotKind::Thread)
        .collect();
    let sent = threads
        .iter()
        .filter(|slot| slot.state.accepted_at().is_some());
    let sent: Vec<_> = sent.map(|slot| slot.recipient).collect();
    assert!(sent.iter().all(|recipient| *recipient == bo), "{sent:?}");
    assert!(to(bo) < sent.len() && sent.len() <= 10, "{sent:?}");
    let is_left_out = |state: &SlotState| {
        matches!(
            state,
            SlotState::Skipped {
                reason: SkipReason::NoPartner,
                ..
            }
        )
    };
    let left_out = threads.iter().filter(|slot| is_left_out(&slot.state));
    assert_eq!(left_out.count(), planned.len() - sent.len());
}

#[tokio::test]
async fn an_answer_to_who_has_stopped_says_that_there_is_no_partner() {
    let three = ["ada@acorn.test", "bo@birch.test", "cy@cedar.test"].map(|email| (email, "UTC"));
    let (name, start) = ("no answer", "2026-03-10T06:00:00Z");
    let mut sim = Sim::of(name, seeds::story(), &three, start, mails_a_day(20)).await;
    sim.run_until(at("2026-03-10T12:00:00Z"));
    let tenant = sim.world.tenant;
    sim.world
        .pause
        .pause(&tenant, sim.accounts[2])
        .await
        .unwrap();
    sim.run_until(at("2026-03-12T06:00:00Z"));

    let is_answer = |slot: &Slot| matches!(slot.kind, SlotKind::Reply { .. });
    let answers = sim.all_slots().into_iter().filter(is_answer);
    let reasons = answers.filter(|slot| slot.sender != sim.accounts[2]);
    let reasons = reasons.filter_map(|slot| match slot.state {
        SlotState::Skipped { reason, .. } => Some(reason),
        _ => None,
    });
    let reasons: Vec<_> = reasons.collect();
    assert!(reasons.contains(&SkipReason::NoPartner), "{reasons:?}");
    assert!(
        !reasons.contains(&SkipReason::RecipientSuppressed),
        "{reasons:?}"
    );
}

/// An outage over the evening, through which a partner is paused: by the next morning it takes mail again, and gets its answers.
#[tokio::test]
async fn an_answer_that_comes_up_at_night_is_for_who_is_there_in_the_morning() {
    let three = ["ada@acorn.test", "bo@birch.test", "cy@cedar.test"].map(|email| (email, "UTC"));
    let (name, start) = ("by morning", "2026-03-10T06:00:00Z");
    let mut sim = Sim::of(name, seeds::story(), &three, start, mails_a_day(20)).await;
    let bo = sim.accounts[1];
    let tenant = sim.world.tenant;
    let outage = at("2026-03-10T13:00:00Z")..at("2026-03-10T19:00:00Z");
    sim.run_until(outage.start);
    let missed: Vec<_> = [0, 2]
        .into_iter()
        .flat_map(|n| sim.receipts(n))
        .filter(|receipt| receipt.sender == bo)
        .filter(|receipt| {
            let reply = receipt.engagement.reply;
            reply.is_some_and(|reply| outage.contains(&reply.at))
        })
        .map(|receipt| SlotKind::Reply {
            answers: receipt.slot,
        })
        .collect();
    assert!(!missed.is_empty());
    sim.stand_still_until(outage.end);
    sim.world.pause.pause(&tenant, bo).await.unwrap();
    sim.run_until(at("2026-03-10T21:00:00Z"));
    sim.world.resume.resume(&tenant, bo).await.unwrap();
    sim.run_until(at("2026-03-13T06:00:00Z"));

    let slots = sim.all_slots();
    for answer in missed {
        let slot = slots.iter().find(|slot| slot.kind == answer);
        let left = slot.and_then(|slot| slot.state.accepted_at());
        assert!(left > Some(outage.end), "{slot:?}");
    }
}
