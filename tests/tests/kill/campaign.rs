//! Three days of kills, and what comes after.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::time::Duration;

use agentwarm_core::account::Account;
use agentwarm_core::ids::SlotId;
use agentwarm_core::mail::slot::SlotState;
use agentwarm_core::seed::{Seed, SeedRng};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::audit;
use crate::gate::{Aim, Gate, Hit};
use crate::points::{REQUIRED, Stage};
use crate::proxies::{MailPorts, Proxies};
use crate::runner::{Launcher, Runner};
use crate::world::{World, any_number, hour, morning};

/// Days of kills.
const DAYS: i32 = 3;

/// How often each stage is aimed at.
const AIMS: [(Stage, usize); 6] = [
    (Stage::Claimed, 6),
    (Stage::InSmtp, 8),
    (Stage::Uncommitted, 6),
    (Stage::Engaging, 8),
    (Stage::Arriving, 4),
    (Stage::Anywhere, 7),
];

/// The least with which a campaign proves something: kills in all, and of each of [`REQUIRED`].
const LEAST: (usize, usize) = (30, 5);

/// How long a virtual day takes while there are kills, in seconds, and once all leases are over.
const SLOW_DAY: u32 = 100;
const FAST_DAY: u32 = 40;

/// A pace at which a minute takes a minute: while the audit looks, nothing moves.
const STANDING_DAY: u32 = 86_399;

/// After how much virtual time without its moment an aim gives way to the next one.
const AIM_PATIENCE: SignedDuration = SignedDuration::from_hours(3);

/// The longest lease of the engine and how long the runner's queues keep back what a dead process held, with room: after this much real
/// time without kills nothing is held any more.
const LEASES_OVER: Duration = Duration::from_secs(200);

/// How many virtual days everything may take to come to rest once no lease is held: a doubt is settled within one, a day is closed one
/// after its end, at the next planning.
const REST_DAYS: i32 = 4;

/// The test's state.
pub(crate) struct Campaign {
    world: World,
    launcher: Launcher,
    gate: Gate,
    hits: mpsc::UnboundedReceiver<Hit>,
    mailboxes: PathBuf,
    accounts: Vec<Account>,
    kills: Vec<Kill>,
    rng: SeedRng,
}

/// One kill.
struct Kill {
    hit: Hit,
    at: Timestamp,
    /// What the tables said of the slot right after.
    found: Option<SlotState>,
}

impl Campaign {
    /// All of it.
    pub(crate) async fn fight() {
        let number = number();
        println!("the points are chosen by AW_SEED={number}");
        let began = Instant::now();
        let mut campaign = Self::begin(number).await;
        campaign.three_days().await;
        println!("{} kills after {:?}", campaign.kills.len(), began.elapsed());
        let last = campaign.come_to_rest().await;
        println!("at rest after {:?}", began.elapsed());
        campaign.print_histogram().await;
        let runner = campaign.start(STANDING_DAY).await;
        let seen = audit::Seen {
            published: campaign.launcher.published(),
            last,
            now: campaign.launcher.now(),
        };
        audit::audit(&campaign.world, &campaign.accounts, seen).await;
        campaign.launcher.stop(runner).await;
        campaign.assert_enough();
    }

    /// A deployment with busy mailboxes, on its first morning; no runner runs.
    async fn begin(number: u64) -> Self {
        let world = World::new().await;
        let (gate, hits, clock) = Gate::new();
        let proxies = Proxies::start(&world.settings, mail_ports(&world), &gate).await;
        let mut launcher = Launcher::new(proxies, gate.clone(), clock).await;
        let runner = launcher.start(SLOW_DAY, &World::no_mailboxes()).await;
        world.make_busy().await;
        launcher.kill(runner).await;
        let mailboxes = World::mailboxes();
        let runner = launcher.start(SLOW_DAY, &mailboxes).await;
        let accounts = world.accounts().await;
        launcher.kill(runner).await;
        let addresses = accounts
            .iter()
            .map(|account| (account.email.as_str().to_owned(), account.id.to_string()));
        gate.know(addresses.collect());
        Self {
            world,
            launcher,
            gate,
            hits,
            mailboxes,
            accounts,
            kills: Vec::new(),
            rng: Seed::root(b"kill test")
                .child_bytes("world", &number.to_be_bytes())
                .rng(),
        }
    }

    async fn start(&mut self, day_seconds: u32) -> Runner {
        self.launcher.start(day_seconds, &self.mailboxes).await
    }

    /// Kills, spread over the working hours of three days.
    async fn three_days(&mut self) {
        let end = morning(self.date(DAYS));
        let mut aims = self.aims();
        let mut due = self.instants(aims.len());
        due.reverse();
        let mut runner = self.start(SLOW_DAY).await;
        while let (Some(instant), Some(aim)) = (due.pop(), aims.pop_front()) {
            if self.launcher.run_until(&mut runner, instant).await >= end {
                break;
            }
            if let Some(kill) = self.shoot(&mut runner, aim).await {
                self.launcher.kill(runner).await;
                self.note(kill).await;
                runner = self.start(SLOW_DAY).await;
            } else {
                // It comes again when the others had their turn, or at once if it is the last.
                aims.push_back(aim);
                due.push(instant);
            }
        }
        self.launcher.run_until(&mut runner, end).await;
        self.launcher.kill(runner).await;
    }

    /// Waits for the aimed moment; `None` if it does not come.
    async fn shoot(&mut self, runner: &mut Runner, aim: Aim) -> Option<Kill> {
        let now = self.launcher.run_until(runner, Timestamp::MIN).await;
        self.gate.aim(Some(aim));
        let until = now + AIM_PATIENCE;
        let hit = tokio::select! {
            hit = self.hits.recv() => hit,
            _ = self.launcher.run_until(runner, until) => {
                self.gate.aim(None);
                // It may have been reached just now.
                self.hits.try_recv().ok()
            }
        };
        let at = self.launcher.now();
        hit.map(|hit| Kill {
            hit,
            at,
            found: None,
        })
    }

    async fn note(&mut self, mut kill: Kill) {
        kill.found = self.state_of(kill.hit.slot).await;
        let Hit { aim, held, .. } = &kill.hit;
        println!(
            "{:>3} {}  {:?}: {held}",
            self.kills.len() + 1,
            kill.at,
            aim.point
        );
        self.kills.push(kill);
    }

    async fn state_of(&self, slot: Option<SlotId>) -> Option<SlotState> {
        let slot = self.world.slot(&self.accounts, slot?).await?;
        Some(slot.state)
    }

    /// Runs on without kills until everything is settled, and stops; the last day that must be closed then.
    async fn come_to_rest(&mut self) -> Date {
        let calm = Instant::now() + LEASES_OVER;
        let mut runner = self.start(SLOW_DAY).await;
        tokio::select! {
            () = tokio::time::sleep_until(calm) => {}
            ended = runner.ended() => panic!("the runner ended: {ended}"),
        }
        self.launcher.stop(runner).await;
        let mut runner = self.start(FAST_DAY).await;
        let now = self.launcher.now();
        let today = jiff::tz::TimeZone::UTC.to_datetime(now).date();
        let end = today.saturating_add(REST_DAYS.days());
        self.launcher.run_until(&mut runner, morning(end)).await;
        self.launcher.stop(runner).await;
        end.saturating_sub(2.days())
    }

    fn date(&self, day: i32) -> Date {
        self.world.first_day.saturating_add(day.days())
    }

    /// All aims in an order of chance; a stage's points come in turns.
    fn aims(&mut self) -> VecDeque<Aim> {
        let mut aims = Vec::new();
        for (stage, count) in AIMS {
            for turn in 0..count {
                aims.push(Aim {
                    stage,
                    point: stage.point(turn),
                    passes: stage.patience(&mut self.rng),
                });
            }
        }
        shuffle(&mut aims, &mut self.rng);
        aims.into()
    }

    /// When to aim: instants of the three days' working hours, in their order.
    fn instants(&mut self, count: usize) -> Vec<Timestamp> {
        let mut instants = Vec::new();
        for n in 0..count {
            let day = i32::try_from(n * usize::try_from(DAYS).unwrap() / count).unwrap();
            let seconds = i64::try_from(self.rng.below(9 * 3600)).unwrap();
            instants.push(hour(self.date(day), 8) + SignedDuration::from_secs(seconds));
        }
        instants.sort_unstable();
        instants
    }

    /// Stages with their kills, and what became of the slots.
    async fn print_histogram(&self) {
        let mut histogram: BTreeMap<Stage, BTreeMap<String, usize>> = BTreeMap::new();
        for kill in &self.kills {
            let after = self.state_of(kill.hit.slot).await;
            let fate = match &kill.hit.slot {
                None => kill.hit.held.clone(),
                Some(_) => format!(
                    "{:?}: {} -> {}",
                    kill.hit.aim.point,
                    name(kill.found.as_ref()),
                    name(after.as_ref())
                ),
            };
            let stage = histogram.entry(kill.hit.aim.stage).or_default();
            *stage.entry(fate).or_default() += 1;
        }
        println!("\n{} kills over {DAYS} virtual days", self.kills.len());
        for (stage, fates) in &histogram {
            let count: usize = fates.values().sum();
            println!(
                "{:<12} {count:>3} {}",
                format!("{stage:?}"),
                "#".repeat(count)
            );
            for (fate, count) in fates {
                println!("{count:>16} {fate}");
            }
        }
    }

    fn assert_enough(&self) {
        let (all, each) = LEAST;
        assert!(self.kills.len() >= all, "only {} kills", self.kills.len());
        for stage in REQUIRED {
            let kills = self.kills.iter().filter(|kill| kill.hit.aim.stage == stage);
            let count = kills.count();
            assert!(count >= each, "only {count} kills while {stage:?}");
        }
    }
}

fn name(state: Option<&SlotState>) -> &'static str {
    match state {
        None => "none",
        Some(SlotState::Claimed { .. }) => "claimed",
        Some(SlotState::Accepted { .. }) => "accepted",
        Some(SlotState::Rejected { .. }) => "rejected",
        Some(SlotState::Retry { .. }) => "retry",
        Some(SlotState::InDoubt { .. }) => "in doubt",
        Some(SlotState::Unknown { .. }) => "unknown",
        Some(SlotState::Returned { .. }) => "returned",
        Some(SlotState::Skipped { .. }) => "skipped",
    }
}

fn shuffle<T>(items: &mut [T], rng: &mut SeedRng) {
    for n in (1..items.len()).rev() {
        let other = usize::try_from(rng.below(u64::try_from(n + 1).unwrap())).unwrap();
        items.swap(n, other);
    }
}

/// The number to choose by.
fn number() -> u64 {
    let given = std::env::var_os("AW_SEED");
    given.map_or_else(any_number, |text| {
        let number = text.to_str().and_then(|text| text.parse().ok());
        number.expect("AW_SEED is a number")
    })
}

/// The mail servers' real ports: those that the runner is told, but for SMTP, whose proxy speaks TLS from the start.
fn mail_ports(world: &World) -> MailPorts {
    let smtps =
        std::env::var_os("AGENTWARM_PORT_SMTPS").expect("make kill-test starts the servers");
    MailPorts {
        imaps: world.settings.mail.imaps_port,
        smtps: smtps.to_str().unwrap().parse().unwrap(),
    }
}
