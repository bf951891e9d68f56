//! Stories worth reading, told in full: `snapshots/` beside this file. A change of the engine that changes them shows here, in words.

use std::fmt::Write as _;

use agentwarm_core::audit::EventType;
use agentwarm_core::mail::receipt::Placement;
use agentwarm_core::mail::slot::{Slot, SlotKind};
use agentwarm_core::pool::PoolOverrides;
use insta::assert_snapshot;
use jiff::Timestamp;
use jiff::civil::date;

use crate::harness::{AROUND_THE_WORLD, Sim, at, mails_a_day};
use crate::narrator::{Narrator, fate};

/// Told of one world, whichever others are run.
const WORLD: u64 = 1;

const LONDON: &str = "Europe/London";
const BERLIN: &str = "Europe/Berlin";

/// What the `n`-th mailbox sent, in order.
fn sent(sim: &Sim, n: usize) -> Vec<(Timestamp, Slot)> {
    let slots = sim.slots(n).into_iter();
    let mut sent: Vec<_> = slots
        .filter_map(|slot| Some((slot.state.accepted_at()?, slot)))
        .collect();
    sent.sort_by_key(|(at, _)| *at);
    sent
}

#[tokio::test]
async fn a_mailbox_that_burns() {
    let mailboxes = AROUND_THE_WORLD.map(|(email, _)| (email, LONDON));
    let start = "2026-03-09T02:00:00Z";
    let mut sim = Sim::of("a burn", WORLD, &mailboxes, start, mails_a_day(10)).await;
    sim.run_until(at("2026-03-11T00:00:00Z"));
    sim.world.post.set_looks_like_spam("adam@acorn.test", 0.5);
    sim.run_until(at("2026-03-13T00:00:00Z"));
    sim.world.post.set_looks_like_spam("adam@acorn.test", 0.0);
    sim.run_until(at("2026-03-22T06:00:00Z"));
    sim.finish();

    let told = [
        "from", "to", "reason", "percent", "sent", "bounced", "spammed", "spamRate",
    ];
    let mut story = Narrator::of(&sim, LONDON);
    story.say("Adam writes to five others. On Wednesday 11 and Thursday 12 every second mail of his is taken for spam.");
    let days = story.days(1).into_iter();
    for (plan, row) in days.filter(|(plan, _)| plan.span.date < date(2026, 3, 22)) {
        let (day, phase) = (plan.span.date, plan.phase.as_str());
        story.say(format!("\n{} {day}, {phase}", day.strftime("%a")));
        story.say(format!(
            "  {} planned: {}",
            plan.limit,
            Narrator::reasons(&plan)
        ));
        if let Some(line) = rescued(&sim, &story, &plan.span.date.to_string()) {
            story.say(line);
        }
        if row.closed {
            story.say(format!("  {}", Narrator::figures(&row)));
        }
        let changes = [
            EventType::AccountWarmupPhaseChanged,
            EventType::AccountStatusChanged,
            EventType::WarmupVolumeReduced,
            EventType::WarmupAutoPaused,
        ];
        for event in story.events(1, day, &changes) {
            let what = event.event_type.as_str();
            story.say(format!(
                "  {} {what}: {}",
                story.time(event.at),
                Narrator::metadata(event, &told)
            ));
        }
    }
    assert_snapshot!(story.end());
}

/// Who found Adam's mails of a date in spam, in one line.
fn rescued(sim: &Sim, story: &Narrator<'_>, date: &str) -> Option<String> {
    let mails = sent(sim, 1).into_iter().map(|(_, slot)| slot);
    let found: Vec<_> = mails
        .filter(|slot| slot.date.to_string() == date)
        .filter_map(|slot| story.receipt(&slot))
        .filter(|receipt| receipt.placement == Placement::Spam)
        .map(|receipt| {
            format!(
                "{} {}",
                story.name(receipt.receiver),
                story.time(receipt.found_at)
            )
        })
        .collect();
    (!found.is_empty()).then(|| format!("  found in spam and rescued: {}", found.join(", ")))
}

#[tokio::test]
async fn a_weekend() {
    let mailboxes = &AROUND_THE_WORLD.map(|(email, _)| (email, LONDON))[..3];
    let start = "2026-03-12T06:00:00Z";
    let mut sim = Sim::of("the weekend", WORLD, mailboxes, start, mails_a_day(6)).await;
    let mut logins = Vec::new();
    for day in 13..=18 {
        let before = sim.world.post.logins();
        sim.run_until(at(&format!("2026-03-{day}T00:00:00Z")));
        logins.push(sim.world.post.logins() - before);
    }
    sim.run_until(at("2026-03-19T00:00:00Z"));
    sim.finish();

    let mut story = Narrator::of(&sim, LONDON);
    story.say("Three mailboxes in London, from a Thursday to the Tuesday after.");
    let days: Vec<_> = (0..3).map(|n| story.days(n)).collect();
    for (index, logins) in logins.iter().enumerate() {
        let (plan, _) = &days[0][index];
        let day = plan.span.date;
        story.say(format!(
            "\n{} {day}, day {} of warmup; {logins} logins",
            day.strftime("%a"),
            plan.day_number
        ));
        for (n, days) in days.iter().enumerate() {
            let (plan, row) = &days[index];
            let name = story.name(sim.accounts[n]);
            story.say(format!(
                "  {name}: {} planned; {}",
                plan.limit,
                Narrator::figures(row)
            ));
        }
        story.say(format!("  why {}: {}", plan.limit, Narrator::reasons(plan)));
        let last = sent(&sim, 0)
            .into_iter()
            .rfind(|(_, slot)| slot.date == day);
        if let Some((at, slot)) = last {
            story.say(format!(
                "  alice's last mail: {} to {}",
                story.moment(at),
                story.name(slot.recipient)
            ));
        }
    }
    assert_snapshot!(story.end());
}

/// One mailbox's mails of three nights, each by its own clock.
async fn nights(name: &str, start: &str, end: &str) -> String {
    let berlin = [
        ("alice@acorn.test", BERLIN),
        ("bella@birch.test", BERLIN),
        ("clara@cedar.test", BERLIN),
    ];
    let by_night = PoolOverrides {
        // Working hours that hold the change itself, which happens at 01:00 UTC.
        working_hours_start: Some(0),
        working_hours_end: Some(6),
        send_on_weekends: Some(true),
        ..mails_a_day(8)
    };
    let mut sim = Sim::of(name, WORLD, &berlin, start, by_night).await;
    sim.run_until(at(end));
    sim.finish();
    let mut story = Narrator::of(&sim, BERLIN);
    for (plan, _) in story
        .days(0)
        .into_iter()
        .filter(|(plan, _)| plan.limit > 0)
        .take(2)
    {
        let (day, window) = (plan.span.date, plan.window.unwrap());
        let [hours, work] = [plan.span.length(), window.end.duration_since(window.start)];
        story.say(format!(
            "{} {day} has {} hours; mail may leave from {} to {}, for {} hours",
            day.strftime("%a"),
            hours.as_hours(),
            story.time_and_offset(window.start),
            story.time_and_offset(window.end),
            work.as_hours(),
        ));
        for (at, slot) in sent(&sim, 0)
            .into_iter()
            .filter(|(_, slot)| slot.date == day)
        {
            let kind = if slot.kind == SlotKind::Thread {
                "writes to"
            } else {
                "answers"
            };
            let name = story.name(slot.recipient);
            story.say(format!(
                "  {}  alice {kind} {name}",
                story.time_and_offset(at)
            ));
        }
    }
    story.end()
}

#[tokio::test]
async fn a_daylight_saving_night() {
    let mut text = String::from(
        "Three mailboxes in Berlin that work from midnight to six: Alice's mails of the night before the change, and of the night itself.\n\n",
    );
    let spring = nights("to summer", "2026-03-27T12:00:00Z", "2026-03-30T12:00:00Z").await;
    let autumn = nights("to winter", "2026-10-23T12:00:00Z", "2026-10-26T12:00:00Z").await;
    write!(
        text,
        "To summer time: no 02:30 on Sunday.\n{spring}\nTo winter time: two of them.\n{autumn}"
    )
    .unwrap();
    assert_snapshot!(text);
}

/// From whom to whom, when it was planned and when it left.
fn journey(story: &Narrator<'_>, slot: &Slot) -> String {
    let [from, to] = [slot.sender, slot.recipient].map(|id| story.name(id));
    let left = slot.state.accepted_at();
    let left = left.map(|at| format!("left at {}", story.second(at)));
    let planned = story.second(slot.scheduled_at);
    format!(
        "{planned}  {from} to {to}: {}",
        left.unwrap_or_else(|| fate(slot))
    )
}

#[tokio::test]
async fn an_outage_of_the_tick() {
    let mailboxes = AROUND_THE_WORLD.map(|(email, _)| (email, LONDON));
    let start = "2026-03-10T06:00:00Z";
    let mut sim = Sim::of("no tick", WORLD, &mailboxes, start, mails_a_day(40)).await;
    let (from, to) = (at("2026-03-10T10:00:00Z"), at("2026-03-10T11:00:00Z"));
    sim.run_until(from);
    sim.world.turbulence.ticks_dropped = 1.0;
    sim.run_until(to);
    sim.world.turbulence.ticks_dropped = 0.0;
    sim.run_until(at("2026-03-13T06:00:00Z"));
    sim.finish();

    let mut story = Narrator::of(&sim, LONDON);
    story.say("No tick runs between 10:00 and 11:00. What it missed is spread over what is left of the day.");
    story.say("");
    let day = date(2026, 3, 10);
    let mut slots = sim.all_slots();
    slots.retain(|slot| slot.date == day && slot.kind == SlotKind::Thread);
    slots.sort_by_key(|slot| slot.scheduled_at);
    let minute = |at: Timestamp| at.as_second().div_euclid(60);
    for slot in slots
        .iter()
        .filter(|slot| (from..to).contains(&slot.scheduled_at))
    {
        story.say(journey(&story, slot));
    }
    let others = slots
        .iter()
        .filter(|slot| !(from..to).contains(&slot.scheduled_at));
    let (on_time, late): (Vec<_>, Vec<_>) = others.partition(|slot| {
        let left = slot.state.accepted_at();
        left.is_some_and(|left| minute(left) - minute(slot.scheduled_at) <= 1)
    });
    story.say(format!(
        "\nOf the day's other openings {} left on time.",
        on_time.len()
    ));
    for slot in late {
        story.say(journey(&story, slot));
    }
    assert_snapshot!(story.end());
}

#[tokio::test]
async fn a_pool_of_two() {
    let two = [("alice@acorn.test", LONDON), ("bella@birch.test", LONDON)];
    let start = "2026-03-10T06:00:00Z";
    let mut sim = Sim::of("two", WORLD, &two, start, mails_a_day(4)).await;
    sim.world.post.set_spam_share("bella@birch.test", 0.3);
    sim.run_until(at("2026-03-14T06:00:00Z"));
    sim.finish();

    let mut story = Narrator::of(&sim, LONDON);
    story.say("Alice and Bella have nobody but each other. Two days of theirs, and what became of their mails.");
    for day in [10, 11].map(|day| date(2026, 3, day)) {
        story.say("");
        for n in 0..2 {
            let days = story.days(n);
            let (plan, row) = days.iter().find(|(plan, _)| plan.span.date == day).unwrap();
            let name = story.name(sim.accounts[n]);
            story.say(format!(
                "{} {day}: {name} may send {}, {} of them answers: {}; {}",
                day.strftime("%a"),
                plan.limit,
                plan.reply_budget,
                Narrator::reasons(plan),
                Narrator::figures(row),
            ));
        }
        let mut slots = sim.all_slots();
        slots.retain(|slot| slot.date == day && slot.kind == SlotKind::Thread);
        slots.sort_by_key(|slot| slot.scheduled_at);
        for slot in slots {
            story.thread(&slot);
        }
    }
    assert_snapshot!(story.end());
}
