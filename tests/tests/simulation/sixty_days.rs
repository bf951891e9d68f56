//! From the start to graduation, with the documented dates and numbers (API reference, Warmup Mechanics; decisions 18–20, 24, 25).
//!
//! Takes minutes, so it is run by name: `cargo test -p agentwarm-tests --test simulation sixty_days -- --ignored`.

use agentwarm_app::ports::days::DayRow;
use agentwarm_core::account::{AccountStatus, WarmupPhase};
use agentwarm_core::audit::EventType;
use agentwarm_core::pool::PoolOverrides;
use agentwarm_core::rate::Score;
use agentwarm_core::warmup::day::{DayFigures, DayPlan, Rule};
use jiff::civil::Weekday;

use crate::harness::{AROUND_THE_WORLD, Sim, at};
use crate::seeds;

#[tokio::test]
#[ignore = "takes minutes"]
async fn sixty_days() {
    let start = "2026-03-02T02:00:00Z";
    let defaults = PoolOverrides::default();
    let number = seeds::story();
    let mut sim = Sim::of("sixty days", number, &AROUND_THE_WORLD, start, defaults).await;
    sim.run_until(at("2026-05-05T12:00:00Z"));
    sim.finish();
    for n in 0..sim.accounts.len() {
        ramp_and_phases(&sim, n);
        graduation(&sim, n);
    }
    assert_eq!(sim.world.dead_letters(), 0);
}

fn days(sim: &Sim, n: usize) -> Vec<(DayPlan, DayRow)> {
    let look = sim.world.store.look();
    let owner = sim.world.owner(sim.accounts[n]);
    let rows = look.days().filter(|(it, _)| *it == owner);
    rows.map(|(_, row)| (look.plan(owner, row.date).unwrap().clone(), row.clone()))
        .collect()
}

fn ramp_and_phases(sim: &Sim, n: usize) {
    let days = days(sim, n);
    let first = days[0].0.span.date;
    let mut sent_before: Vec<u32> = Vec::new();
    for (plan, row) in &days {
        let date = plan.span.date;
        let number = u32::try_from(date.duration_since(first).as_hours() / 24).unwrap() + 1;
        let (phase, full) = match number {
            // 2, 3, 4 … 40 on day 39.
            1..=45 => (WarmupPhase::RampUp, 40.min(1 + number)..=40.min(1 + number)),
            46..=59 => (WarmupPhase::Sustain, 34..=40),
            _ => (WarmupPhase::Graduated, 2..=2),
        };
        assert_eq!(plan.phase, phase, "{date}, day {number}");
        if phase != WarmupPhase::Graduated {
            assert_eq!(plan.day_number, number, "{date}");
        }
        let weekend = matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
        if weekend {
            assert_eq!((plan.limit, row.figures.sent), (0, 0), "{date}");
        } else {
            let cap = spike_cap(&sent_before);
            let (low, high) = (*full.start().min(&cap), *full.end().min(&cap));
            let is_first = number == 1;
            assert!(
                is_first || (low..=high).contains(&plan.limit),
                "{date}, day {number}: {} of {full:?}, capped at {cap}: {:?}",
                plan.limit,
                plan.reasons
            );
            // Replies may find nothing to answer, threads all leave.
            let sent = plan.limit - plan.reply_budget..=plan.limit;
            assert!(
                !row.closed || sent.contains(&row.figures.sent),
                "{date}, day {number}: {sent:?} {:?}",
                row.figures
            );
        }
        if row.figures.sent > 0 {
            sent_before.push(row.figures.sent);
        }
        if row.closed {
            let score = row.reputation.map(Score::get);
            assert_eq!(score, formula(&row.figures), "{date}: {:?}", row.figures);
        }
    }
    let capped = days.iter().filter(|(plan, _)| {
        plan.reasons
            .iter()
            .any(|reason| reason.rule == Rule::SpikeCap)
    });
    println!(
        "{}: {} of {} days under the spike cap, {} mails",
        AROUND_THE_WORLD[n].0,
        capped.count(),
        days.len(),
        sent_before.iter().sum::<u32>()
    );
}

/// `max(prev + 1, floor(prev × 1.5))` of the last three sending days; who never sent (the first day was a day off) begins with the minimum
/// (decision 20).
fn spike_cap(sent: &[u32]) -> u32 {
    let most = sent.iter().rev().take(3).max();
    most.map_or(2, |most| (most + 1).max(most * 3 / 2))
}

/// "50 + inbox placement × 20 + opens × 15 + replies × 15 − bounces × 30 − spam × 40", one decimal; none on a day without sends.
fn formula(figures: &DayFigures) -> Option<f64> {
    let share = |part: u32, whole: u32| {
        if whole == 0 {
            0.0
        } else {
            (f64::from(part) / f64::from(whole)).min(1.0)
        }
    };
    let sent = figures.sent;
    let placed = sent - figures.bounced - figures.spammed;
    let score = 50.0
        + 20.0 * share(placed, sent)
        + 15.0 * share(figures.opened, figures.received)
        + 15.0 * share(figures.replied, figures.received)
        - 30.0 * share(figures.bounced, sent)
        - 40.0 * share(figures.spammed, sent);
    (sent > 0).then(|| (score.clamp(0.0, 100.0) * 10.0).round() / 10.0)
}

fn graduation(sim: &Sim, n: usize) {
    let account = sim.account(n);
    assert_eq!(account.status, AccountStatus::Active);
    assert_eq!(account.phase(), WarmupPhase::Graduated);
    assert!(account.reputation.get() >= 70.0);
    let events = |event_type: EventType| {
        let id = account.id.to_string();
        let events = sim.world.published().iter();
        events
            .filter(move |(_, _, event)| event.event_type == event_type && event.entity_id == id)
            .map(|(_, _, event)| event.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(events(EventType::WarmupGraduated).len(), 1);
    let phases: Vec<_> = events(EventType::AccountWarmupPhaseChanged)
        .iter()
        .map(|event| event.metadata["to"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(phases, ["sustain", "graduated"]);
    let graduated = events(EventType::WarmupGraduated)[0].at;
    let day = account
        .zone
        .date_of(graduated)
        .duration_since(days(sim, n)[0].0.span.date)
        .as_hours()
        / 24
        + 1;
    assert!((60..=61).contains(&day), "graduated on day {day}");
}
