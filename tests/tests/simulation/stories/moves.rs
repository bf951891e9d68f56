//! A mailbox whose user moves it to another time zone while its day runs: the day goes on as it was planned.

use agentwarm_app::accounts::AccountChanges;
use agentwarm_app::ports::mail::{SmtpPhase, Submission};
use agentwarm_core::account::AccountStatus;
use agentwarm_core::mail::slot::SlotKind;
use agentwarm_core::time::Zone;
use agentwarm_testkit::memory::mail::Scripted;

use crate::harness::{AROUND_THE_WORLD, Sim, at, hours, mails_a_day, minutes};
use crate::seeds;

/// Six mailboxes in one zone.
async fn all_in(zone: &str, name: &str, start: &str) -> Sim {
    let mailboxes = AROUND_THE_WORLD.map(|(email, _)| (email, zone));
    Sim::of(name, seeds::story(), &mailboxes, start, mails_a_day(12)).await
}

async fn moves_to(sim: &Sim, zone: &str) {
    let changes = AccountChanges {
        zone: Some(zone.parse::<Zone>().unwrap()),
        ..AccountChanges::default()
    };
    let (tenant, alice) = (sim.world.tenant, sim.accounts[0]);
    let moved = sim.world.update.update(&tenant, alice, &changes).await;
    moved.unwrap();
}

/// The invariants of each minute know how far planned days must lie apart.
async fn has_no_second_day(from: &str, start: &str, to: &str, moved_at: &str) {
    let mut sim = all_in(from, "a second day", start).await;
    sim.run_until(at(moved_at));
    let planned = || sim.world.store.look().plans().count();
    let before = planned();
    moves_to(&sim, to).await;
    let (tenant, alice) = (sim.world.tenant, sim.accounts[0]);
    sim.world.pause.pause(&tenant, alice).await.unwrap();
    sim.world.resume.resume(&tenant, alice).await.unwrap();
    assert_eq!(planned(), before, "to {to}");
    sim.run_for(hours(72));
    sim.finish();
    assert_eq!(sim.account(0).status, AccountStatus::Warming);
    let left = |hours_from: i64, hours_to: i64| {
        let moved = at(moved_at);
        let left = sim.watch.left.values();
        let left = left.filter(|it| {
            it.sender == alice
                && moved + hours(hours_from) <= it.at
                && it.at < moved + hours(hours_to)
        });
        left.count()
    };
    assert!(left(0, 10) > 0, "the day went on");
    assert!(left(24, 72) > 0, "and others came");
}

#[tokio::test]
async fn who_moves_and_resumes_has_no_second_day() {
    let la = "America/Los_Angeles";
    has_no_second_day(
        la,
        "2026-03-10T08:00:00Z",
        "Asia/Tokyo",
        "2026-03-10T18:30:00Z",
    )
    .await;
    has_no_second_day(
        "Asia/Tokyo",
        "2026-03-09T16:00:00Z",
        la,
        "2026-03-10T02:00:00Z",
    )
    .await;
}

/// At 15:30 in London it is the next day in Auckland.
#[tokio::test]
async fn the_brake_sees_the_day_that_goes_on() {
    let mut sim = all_in("Europe/London", "moved", "2026-03-10T06:00:00Z").await;
    sim.run_until(at("2026-03-10T12:30:00Z"));
    moves_to(&sim, "Pacific/Auckland").await;
    let (alice, _) = AROUND_THE_WORLD[0];
    for _ in 0..3 {
        let nobody = Submission::Refused {
            phase: SmtpPhase::RcptTo,
            code: 550,
            enhanced: Some("5.1.1".to_owned()),
            text: "no such user".to_owned(),
        };
        sim.world
            .post
            .next_submission(alice, Scripted::Answered(nobody));
    }
    sim.run_until(at("2026-03-10T18:00:00Z"));
    assert_eq!(sim.account(0).status, AccountStatus::Suspended);
    sim.finish();
}

/// Its day goes on under the date that it was planned for, while it is the next day where it is now.
#[tokio::test]
async fn what_an_outage_missed_after_a_move_is_spread() {
    let mailboxes = AROUND_THE_WORLD.map(|(email, _)| (email, "Europe/London"));
    let (number, start) = (seeds::story(), "2026-03-10T06:00:00Z");
    let mut sim = Sim::of(
        "moved, then out",
        number,
        &mailboxes,
        start,
        mails_a_day(40),
    )
    .await;
    sim.run_until(at("2026-03-10T12:00:00Z"));
    moves_to(&sim, "Pacific/Auckland").await;
    let outage = at("2026-03-10T12:00:00Z")..at("2026-03-10T14:00:00Z");
    sim.stand_still_until(outage.end);
    sim.run_until(at("2026-03-12T06:00:00Z"));
    sim.finish();
    let missed = sim
        .slots(0)
        .into_iter()
        .filter(|slot| slot.kind == SlotKind::Thread && outage.contains(&slot.scheduled_at));
    let mut left: Vec<_> = missed.filter_map(|slot| slot.state.accepted_at()).collect();
    left.sort_unstable();
    assert!(left.len() > 2, "{left:?}");
    let apart = left[left.len() - 1].duration_since(left[0]);
    assert!(apart > minutes(30), "{left:?}");
}
