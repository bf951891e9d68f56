//! Every point of a mail's life at which its process can die, with every fault that can come on top.
//!
//! Each cell is a small world of its own in which one mail meets exactly that, and then nothing goes wrong any more: everything must come to rest
//! and add up, and the mail must have the fate that its point gives it. A cell that did not meet its crash and its fault fails, so the matrix
//! has no holes. It prints itself (`--no-capture`).

use agentwarm_app::ports::days::AccountRef;
use agentwarm_app::ports::mail::Folder;
use agentwarm_core::ids::SlotId;
use agentwarm_core::mail::slot::SlotState;
use agentwarm_core::pool::PoolOverrides;
use agentwarm_testkit::chaos::{Rates, Stroke};
use agentwarm_testkit::memory::Fault as StoreFault;
use agentwarm_testkit::memory::mail::{Trouble, Verb};
use agentwarm_testkit::world::Turbulence;
use jiff::{SignedDuration, Timestamp};

use self::Fate::{Sent, Unknown};
use self::Stroke::{DiesAfter, DiesBefore};
use crate::audit::Patience;
use crate::harness::{Sim, at, hours, minutes};
use crate::seeds;

const MAILBOXES: [(&str, &str); 3] = [
    ("alice@acorn.test", "Europe/London"),
    ("bella@birch.test", "Europe/London"),
    ("clara@cedar.test", "Europe/London"),
];

/// A place where a process dies: at which call, and on which side of it. A connection stands before the claim is made.
struct Point {
    name: &'static str,
    operation: &'static str,
    stroke: Stroke,
    fate: Fate,
}

/// What becomes of the mail whose process died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It left, or the next process sends it.
    Sent,
    /// It was claimed and is nowhere: it is looked for, and given up after a day.
    Unknown,
}

const POINTS: [Point; 14] = [
    point("connected", "smtp.tls", DiesBefore, Sent),
    point("TLS stands", "smtp.auth", DiesBefore, Sent),
    point("logged in", "smtp.auth", DiesAfter, Sent),
    point("before the claim", "slots.create", DiesBefore, Sent),
    point("claimed, answer lost", "slots.create", DiesAfter, Unknown),
    point("claimed", "smtp.mail_from", DiesBefore, Unknown),
    point("after RCPT TO", "smtp.data", DiesBefore, Unknown),
    point("after the 354", "smtp.body", DiesBefore, Unknown),
    point("in the body", "smtp.dot", DiesBefore, Unknown),
    point("before the 250", "smtp.dot", DiesAfter, Sent),
    point("250 read", "slots.replace", DiesBefore, Sent),
    point("committed, answer lost", "slots.replace", DiesAfter, Sent),
    point("committed", "smtp.quit", DiesBefore, Sent),
    point("event not published", "bus.publish", DiesBefore, Sent),
];

const fn point(name: &'static str, operation: &'static str, stroke: Stroke, fate: Fate) -> Point {
    Point {
        name,
        operation,
        stroke,
        fate,
    }
}

/// What goes wrong besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Nothing,
    /// Every message and every batch of changes is delivered again though it was done with.
    Duplicates,
    /// Every message is handed to two workers, which take turns.
    TwoWorkers,
    /// After the crash the next write of each kind is done and not answered.
    AnswersLost,
    /// After the crash nothing answers for twenty minutes.
    Throttled,
    /// Senders are five minutes ahead of the scheduler, readers five behind it.
    SendersAhead,
    /// The other way round.
    SendersBehind,
    /// After the crash all folders get another UIDVALIDITY.
    Renumbered,
    /// After the crash there is no tick for an hour, and then each comes twice.
    TickMissed,
    /// After the crash servers say "not now": 451 to each recipient, then 421 instead of a greeting.
    Deferred,
    /// After the crash they do not greet, then say nothing to DATA.
    Silent,
    /// After the crash they close their half of the connection: at MAIL, then after they took a mail.
    HalfClosed,
    /// Each mail is delivered twice.
    Doubled,
}

const FAULTS: [Fault; 13] = [
    Fault::Nothing,
    Fault::Duplicates,
    Fault::TwoWorkers,
    Fault::AnswersLost,
    Fault::Throttled,
    Fault::SendersAhead,
    Fault::SendersBehind,
    Fault::Renumbered,
    Fault::TickMissed,
    Fault::Deferred,
    Fault::Silent,
    Fault::HalfClosed,
    Fault::Doubled,
];

/// The writes whose answers are lost.
const WRITES: [&str; 8] = [
    "slots.create",
    "slots.replace",
    "receipts.create",
    "due.put",
    "due.advance",
    "plans.replace_day",
    "queue.visit",
    "bus.publish",
];

#[test]
fn every_crash_with_every_fault_leaves_a_mail_with_one_fate() {
    let width = FAULTS.len();
    let cells = u64::try_from(POINTS.len() * width).unwrap();
    let fates = seeds::run_all(0..cells, |number| {
        let number = usize::try_from(number).unwrap();
        seeds::block_on(cell(&POINTS[number / width], FAULTS[number % width]))
    });
    let fates = fates.unwrap_or_else(|(number, complaint)| {
        let number = usize::try_from(number).unwrap();
        let (point, fault) = (&POINTS[number / width], FAULTS[number % width]);
        let replay = seeds::replay(seeds::story());
        panic!("{:?} with {fault:?}{replay}: {complaint}", point.name)
    });
    let row = |name: &str, cells: Vec<String>| {
        let cells: Vec<_> = cells.iter().map(|cell| format!("{cell:<13}")).collect();
        println!("{name:<23} {}", cells.join(" ").trim_end());
    };
    row("", FAULTS.map(|fault| format!("{fault:?}")).into());
    for (point, fates) in POINTS.iter().zip(fates.chunks(width)) {
        row(
            point.name,
            fates.iter().map(|fate| format!("{fate:?}")).collect(),
        );
    }
    println!("{} of {cells} cells ran", fates.len());
}

/// A mail that is planned.
struct Planned {
    sender: AccountRef,
    slot: SlotId,
    at: Timestamp,
}

async fn cell(point: &Point, fault: Fault) -> Fate {
    let few = PoolOverrides {
        min_daily_emails: Some(2),
        ..PoolOverrides::default()
    };
    let start = "2026-03-10T06:00:00Z";
    let mut sim = Sim::of("matrix", seeds::story(), &MAILBOXES, start, few).await;
    sim.watch.crowded = true;
    sim.patience = Patience::long();
    let mail = first_mail(&sim);
    sim.run_until(mail.at - minutes(2));
    fault.comes_before(&mut sim);
    sim.world.chaos.script(point.operation, point.stroke);
    while deaths(&sim, point) == 0 {
        assert!(sim.world.now() < mail.at + minutes(10), "it did not die");
        sim.run_for(minutes(1));
    }
    fault.comes_after(&mut sim);
    fault.goes(&mut sim);
    sim.run_until(at("2026-03-12T06:00:00Z"));
    sim.patience = Patience::default();
    sim.finish();
    assert_eq!(deaths(&sim, point), 1, "it died more than once");
    assert!(fault.was_met(&sim), "nothing of it happened");
    let look = sim.world.store.look();
    let state = &look.slot(mail.sender, mail.slot).unwrap().state;
    let fate = match state {
        SlotState::Unknown { .. } => Unknown,
        state if state.accepted_at().is_some() => Sent,
        state => panic!("the mail is {state:?}"),
    };
    assert_eq!(fate, fault.fate(point));
    fate
}

/// The first mail of all.
fn first_mail(sim: &Sim) -> Planned {
    let look = sim.world.store.look();
    let planned = look.plans().flat_map(|plan| {
        let sender = sim.world.owner(plan.account);
        plan.slots.iter().map(move |slot| Planned {
            sender,
            slot: slot.id,
            at: slot.at,
        })
    });
    planned.min_by_key(|mail| mail.at).unwrap()
}

fn deaths(sim: &Sim, point: &Point) -> u64 {
    met(sim, point.operation, "death")
}

/// How often `what` was done to `operation`.
fn met(sim: &Sim, operation: &'static str, what: &'static str) -> u64 {
    let met = sim.world.chaos.met();
    met.get(&(operation, what)).copied().unwrap_or(0)
}

impl Fault {
    /// What there is already when the process dies.
    fn comes_before(self, sim: &mut Sim) {
        let world = &mut sim.world;
        let skew = |minutes| SignedDuration::from_mins(minutes);
        match self {
            Self::Duplicates => world.turbulence.duplicates = 1.0,
            Self::TwoWorkers => {
                world.turbulence.two_workers = 1.0;
                world.chaos.set(Rates {
                    pause: 0.3,
                    ..Rates::default()
                });
            }
            Self::SendersAhead => {
                world.senders_clock.set_ahead(skew(5));
                world.readers_clock.set_ahead(skew(-5));
            }
            Self::Doubled => {
                for (address, _) in MAILBOXES {
                    world.post.set_doubling(address, true);
                }
            }
            Self::SendersBehind => {
                world.senders_clock.set_ahead(skew(-5));
                world.readers_clock.set_ahead(skew(5));
            }
            _ => {}
        }
    }

    /// What happens to the mail that the process left behind.
    fn comes_after(self, sim: &mut Sim) {
        let world = &mut sim.world;
        match self {
            Self::AnswersLost => {
                for write in WRITES {
                    let lost = Stroke::Fails(StoreFault::AnswerLost);
                    world.chaos.script(write, lost);
                }
            }
            Self::Throttled => {
                world.chaos.set(Rates {
                    unavailable: 1.0,
                    ..Rates::default()
                });
                sim.run_for(minutes(20));
            }
            Self::Renumbered => {
                for (address, _) in MAILBOXES {
                    world.post.reset_uid_validity(address, Folder::Inbox);
                    world.post.reset_uid_validity(address, Folder::Junk);
                    world.post.reset_uid_validity(address, Folder::Warmup);
                }
            }
            Self::TickMissed => {
                world.turbulence.ticks_dropped = 1.0;
                sim.run_for(hours(1));
                sim.world.turbulence.ticks_dropped = 0.0;
                sim.world.turbulence.ticks_doubled = 1.0;
            }
            _ => {}
        }
        let trouble = |sim: &Sim, trouble| {
            for (address, _) in MAILBOXES {
                sim.world.post.set_trouble(address, trouble);
            }
        };
        for (verb, it) in self.troubles() {
            trouble(sim, Some((verb, it)));
            sim.run_for(minutes(20));
            while met(sim, verb.name(), it.name()) == 0 {
                sim.run_for(minutes(1));
            }
        }
        trouble(sim, None);
    }

    /// What the servers do one after the other, each for twenty minutes or until a mail meets it.
    fn troubles(self) -> Vec<(Verb, Trouble)> {
        match self {
            Self::Deferred => vec![
                (Verb::RcptTo, Trouble::Reply(451, Some("4.7.1"))),
                (Verb::Greeting, Trouble::Reply(421, None)),
            ],
            Self::Silent => vec![
                (Verb::Greeting, Trouble::Silence),
                (Verb::Data, Trouble::Silence),
            ],
            Self::HalfClosed => vec![
                (Verb::MailFrom, Trouble::HalfClose),
                (Verb::Dot, Trouble::HalfClose),
            ],
            _ => Vec::new(),
        }
    }

    /// Everything is as it should be again, after another two hours of what does not end by itself.
    fn goes(self, sim: &mut Sim) {
        if self == Self::Throttled {
            sim.world.chaos.set(Rates::default());
        }
        sim.run_for(hours(2));
        sim.world.chaos.set(Rates::default());
        sim.world.turbulence = Turbulence::default();
        sim.world.senders_clock.set_ahead(SignedDuration::ZERO);
        sim.world.readers_clock.set_ahead(SignedDuration::ZERO);
    }

    /// Whether it happened. (That all lost answers were waited for, the end of the world says.)
    fn was_met(self, sim: &Sim) -> bool {
        let met = |operation, what| met(sim, operation, what);
        match self {
            Self::Duplicates => {
                met("queue", "delivered again") > 0 && met("stream", "delivered again") > 0
            }
            Self::TwoWorkers => met("queue", "two workers") > 0,
            Self::AnswersLost => WRITES.iter().all(|write| met(write, "answer lost") == 1),
            Self::Throttled => met("due.watermark", "unavailable") >= 20,
            Self::TickMissed => met("tick", "dropped") == 60 && met("tick", "doubled") > 0,
            Self::Deferred | Self::Silent | Self::HalfClosed => {
                let troubles = self.troubles();
                troubles
                    .iter()
                    .all(|(verb, it)| met(verb.name(), it.name()) > 0)
            }
            Self::Doubled => sim
                .watch
                .left
                .keys()
                .any(|id| sim.world.post.copies(id) == 2),
            Self::SendersAhead => {
                met("senders' clock", "ahead") > 0 && met("readers' clock", "behind") > 0
            }
            Self::SendersBehind => {
                met("senders' clock", "behind") > 0 && met("readers' clock", "ahead") > 0
            }
            Self::Renumbered => met("imap.read", "renumbered") > 0,
            Self::Nothing => true,
        }
    }

    /// What becomes of a mail whose process died at `point` while this went wrong.
    fn fate(self, point: &Point) -> Fate {
        match self {
            // The next process does not hear that its claim was written, and must not send.
            Self::AnswersLost if point.is_before_claim() => Unknown,
            _ => point.fate,
        }
    }
}

impl Point {
    fn is_before_claim(&self) -> bool {
        matches!(self.operation, "smtp.tls" | "smtp.auth")
            || (self.operation, self.stroke) == ("slots.create", DiesBefore)
    }
}
