//! Everything goes wrong at random: stores, queues, servers, processes, deliveries, ticks, users.
//!
//! A storm of some days, in which every call can fail, do its work and lose the answer, or be the last of its process; then calm, in which
//! all that was begun must come to its end. What each world's storm is like follows from its number.

use agentwarm_app::ports::mail::{Folder, SmtpPhase, Submission};
use agentwarm_core::account::AccountStatus;
use agentwarm_core::pool::PoolOverrides;
use agentwarm_core::seed::SeedRng;
use agentwarm_testkit::chaos::Rates;
use agentwarm_testkit::memory::mail::Scripted;
use agentwarm_testkit::world::Turbulence;

use crate::audit::Patience;
use crate::harness::{AROUND_THE_WORLD, Sim, hours};
use crate::seeds;

/// A Tuesday: storms end before the weekend.
const START: &str = "2026-03-10T00:00:00Z";

/// How long the world is calm after a storm: a mail in doubt is settled after a day, and a day is closed a day after its end.
const CALM_HOURS: i64 = 72;

/// How many worlds are run when nobody says.
const WORLDS: u64 = 200;

#[test]
fn storms_lose_nothing() {
    let worlds = seeds::run_all(seeds::numbers(WORLDS), |number| {
        let sim = seeds::block_on(storm(number));
        let faults: u64 = sim.world.chaos.met().values().sum();
        (sim.watch.left.len(), faults, sim.world.dead_letters())
    });
    let worlds = worlds.unwrap_or_else(|(number, complaint)| {
        panic!(
            "`make simulate SEEDS=1 FIRST_SEED={number}` replays this, found by seed {number}: {complaint}"
        )
    });
    let mails: usize = worlds.iter().map(|(mails, _, _)| mails).sum();
    let faults: u64 = worlds.iter().map(|(_, faults, _)| faults).sum();
    let dead_letters: u32 = worlds.iter().map(|(_, _, dead)| dead).sum();
    println!(
        "{} worlds: {mails} mails, {faults} faults, {dead_letters} dead letters, nothing lost",
        worlds.len()
    );
}

#[tokio::test]
async fn the_same_number_is_the_same_world() {
    let history = |sim: &Sim| format!("{:?}{:?}", sim.world.history(), sim.world.published());
    let (first, second) = (storm(1).await, storm(1).await);
    assert!(history(&first) == history(&second), "it does not replay");
    assert!(history(&first) != history(&storm(2).await));
}

async fn storm(number: u64) -> Sim {
    let busy = PoolOverrides {
        min_daily_emails: Some(8),
        ..PoolOverrides::default()
    };
    let mut sim = Sim::of("storm", number, &AROUND_THE_WORLD, START, busy).await;
    sim.watch.crowded = true;
    sim.patience = Patience::long();
    sim.world.post.set_spam_share("clara@cedar.test", 0.15);
    let mut weather = seeds::seed("weather", number).rng();
    let (rates, turbulence) = gusts(&mut weather);
    sim.world.chaos.set(rates);
    sim.world.turbulence = turbulence;
    sim.world.ticking.queue_delays = weather.below(2) == 0;
    let storm_hours = 48 + weather.below(24);
    for _ in 0..storm_hours {
        trouble(&mut sim, &mut weather).await;
        sim.run_for(hours(1));
    }
    calm(&mut sim).await;
    sim.run_for(hours(CALM_HOURS));
    sim.patience = Patience::default();
    sim.finish();
    sim
}

/// How hard it blows: from a rare fault to one in twenty calls.
fn gusts(rng: &mut SeedRng) -> (Rates, Turbulence) {
    let strength = [0.002, 0.01, 0.03][usize::try_from(rng.below(3)).unwrap()];
    let mut rate = || strength * rng.unit();
    let rates = Rates {
        unavailable: rate(),
        answer_lost: rate(),
        stale: rate(),
        cut_off: rate() / 4.0,
        death: rate() / 4.0,
        pause: 0.0,
    };
    let rates = Rates {
        // Most worlds have tasks side by side.
        pause: [0.0, 0.1, 0.3][usize::try_from(rng.below(3)).unwrap()],
        ..rates
    };
    let turbulence = Turbulence {
        ticks_dropped: 0.1 * rng.unit(),
        ticks_doubled: 0.1 * rng.unit(),
        duplicates: 0.2 * rng.unit(),
        two_workers: 0.1 * rng.unit(),
    };
    (rates, turbulence)
}

/// What happens to one mailbox in an hour of a storm; most often nothing.
async fn trouble(sim: &mut Sim, rng: &mut SeedRng) {
    let n = usize::try_from(rng.below(6)).unwrap();
    let address = AROUND_THE_WORLD[n].0;
    let post = sim.world.post.clone();
    let not_now = Submission::Refused {
        phase: SmtpPhase::RcptTo,
        code: 451,
        enhanced: None,
        text: "not now".to_owned(),
    };
    let refused = Submission::Refused {
        phase: SmtpPhase::Content,
        code: 554,
        enhanced: Some("5.7.1".to_owned()),
        text: "we do not like it".to_owned(),
    };
    match rng.below(24) {
        0 | 1 => post.set_down(address, true),
        2 | 3 => AROUND_THE_WORLD
            .iter()
            .for_each(|(address, _)| post.set_down(address, false)),
        4 => post.reset_uid_validity(address, Folder::Inbox),
        5 => post.reset_uid_validity(address, Folder::Junk),
        6 | 7 => post.next_submission(address, Scripted::Answered(not_now)),
        8 => post.next_submission(address, Scripted::Answered(refused)),
        9 => post.next_submission(address, Scripted::DeliveredInDoubt),
        10 => post.next_submission(address, Scripted::Answered(Submission::InDoubt)),
        11 => post.next_submission(address, Scripted::Swallowed),
        12 => pause_or_resume(sim, n).await,
        _ => {}
    }
}

async fn pause_or_resume(sim: &mut Sim, n: usize) {
    let (tenant, account) = (sim.world.tenant, sim.accounts[n]);
    if sim.account(n).status == AccountStatus::Paused {
        sim.world.resume.resume(&tenant, account).await.unwrap();
    } else {
        sim.world.pause.pause(&tenant, account).await.unwrap();
    }
}

/// Nothing goes wrong any more, and everybody goes on.
async fn calm(sim: &mut Sim) {
    sim.world.chaos.set(Rates::default());
    sim.world.turbulence = Turbulence::default();
    for (n, (address, _)) in AROUND_THE_WORLD.iter().enumerate() {
        sim.world.post.set_down(address, false);
        if sim.account(n).status == AccountStatus::Paused {
            pause_or_resume(sim, n).await;
        }
    }
}
