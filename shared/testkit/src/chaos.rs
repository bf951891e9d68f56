//! Faults by chance: what a [`MemoryStore`](crate::memory::MemoryStore), its queues and its mail servers do to a task that calls them.
//!
//! Every call of a port passes here first. While the chaos is calm, or the call is not made by a task of [`crate::tasks`], nothing happens.
//! Else the call may fail, do its work and lose the answer, or be told that somebody else wrote first; the task may be held up while
//! others go on, be cut off from everything until it returns, or die on the spot: its future is never polled again, which is what a
//! killed process looks like to the world.
//!
//! All of it is drawn from one seed in the order of the calls, so that a run replays. What a test wants to happen to a certain call it
//! scripts ([`Chaos::script`]).

use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use agentwarm_core::seed::{Seed, SeedRng};

use crate::memory::Fault;

/// How likely each thing happens to one call, from 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Rates {
    /// The call fails, and did nothing.
    pub unavailable: f64,
    /// The call did its work, and fails.
    pub answer_lost: f64,
    /// A conditional write is told that somebody else was faster.
    pub stale: f64,
    /// Who can live with an item as it was a moment ago gets it.
    pub lag: f64,
    /// The task waits while other tasks go on.
    pub pause: f64,
    /// From here on every call of the task fails.
    pub cut_off: f64,
    /// The task dies before the call.
    pub death: f64,
}

/// What a test has happen to a call of its choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stroke {
    /// The call goes wrong.
    Fails(Fault),
    /// The task that calls dies before the call.
    DiesBefore,
    /// The call does its work, and the task dies before it hears of it.
    DiesAfter,
}

/// The number of a task.
pub type TaskId = u32;

/// See the module.
#[derive(Debug)]
pub struct Chaos(Mutex<State>);

#[derive(Debug)]
struct State {
    rates: Rates,
    scripted: BTreeMap<&'static str, VecDeque<Stroke>>,
    rng: SeedRng,
    /// The task that is being polled.
    task: Option<TaskId>,
    fates: BTreeMap<TaskId, Fate>,
    /// How much time went by for each task, beyond that of the world's clock.
    elapsed: BTreeMap<TaskId, Duration>,
    /// What was done to which operation, and how often.
    met: BTreeMap<(&'static str, &'static str), u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    CutOff,
    Dead,
}

/// What happens to one call.
enum Turn {
    Passes,
    Fails(Fault),
    Waits,
    Dies,
}

impl Default for Chaos {
    fn default() -> Self {
        Self::seeded(&Seed::root(b"calm"))
    }
}

impl Chaos {
    /// A chaos that is calm until it is told otherwise.
    pub fn seeded(seed: &Seed) -> Self {
        Self(Mutex::new(State {
            rates: Rates::default(),
            scripted: BTreeMap::new(),
            rng: seed.rng(),
            task: None,
            fates: BTreeMap::new(),
            elapsed: BTreeMap::new(),
            met: BTreeMap::new(),
        }))
    }

    /// Sets what happens from now on.
    pub fn set(&self, rates: Rates) {
        self.lock().rates = rates;
    }

    /// Makes the next call of `operation` (such as `accounts.replace`: port and method) go wrong, whoever calls. Several queue up. Only a
    /// task of [`crate::tasks`] can die.
    pub fn script(&self, operation: &'static str, stroke: Stroke) {
        let mut state = self.lock();
        state
            .scripted
            .entry(operation)
            .or_default()
            .push_back(stroke);
    }

    /// What was scripted and nothing has met yet: a test that scripts should see this empty in the end.
    pub fn unmet(&self) -> Vec<&'static str> {
        let state = self.lock();
        let scripted = state.scripted.iter().filter(|(_, left)| !left.is_empty());
        scripted.map(|(operation, _)| *operation).collect()
    }

    /// How often what was done to which operation.
    pub fn met(&self) -> BTreeMap<(&'static str, &'static str), u64> {
        self.lock().met.clone()
    }

    /// True with probability `p`: `what` is done to `operation`.
    pub fn chance(&self, operation: &'static str, what: &'static str, p: f64) -> bool {
        let happens = self.draws(p);
        if happens {
            self.note(operation, what);
        }
        happens
    }

    /// True with probability `p`. Who does something then that makes a difference notes it ([`Chaos::note`]).
    pub fn draws(&self, p: f64) -> bool {
        p > 0.0 && self.lock().rng.unit() < p
    }

    /// Whether a read that may be a moment behind is. Who answers it with something else than what is there notes it ([`Chaos::note`]).
    pub fn lags(&self) -> bool {
        let lag = self.lock().rates.lag;
        self.draws(lag)
    }

    /// Notes that `what` was done to `operation` by somebody else.
    pub fn note(&self, operation: &'static str, what: &'static str) {
        *self.lock().met.entry((operation, what)).or_default() += 1;
    }

    /// The task that calls waits for so long, which no other task notices.
    pub fn elapse(&self, time: Duration) {
        let mut state = self.lock();
        if let Some(task) = state.task {
            *state.elapsed.entry(task).or_default() += time;
        }
    }

    /// How long the task that asks has waited.
    pub fn elapsed(&self) -> Duration {
        let state = self.lock();
        let elapsed = state.task.and_then(|task| state.elapsed.get(&task));
        elapsed.copied().unwrap_or_default()
    }

    /// A number in `0..n`.
    pub fn below(&self, n: usize) -> usize {
        let drawn = self.lock().rng.below(n as u64);
        usize::try_from(drawn).unwrap_or(0)
    }

    /// Whether tasks take turns at random: something is set to happen.
    pub fn is_calm(&self) -> bool {
        self.lock().rates == Rates::default()
    }

    /// Passes a call of `operation`; what it has to do to itself, if anything. Does not return if the task dies.
    pub async fn pass(&self, operation: &'static str) -> Option<Fault> {
        loop {
            let turn = self.lock().turn(operation);
            match turn {
                Turn::Passes => return None,
                Turn::Fails(fault) => return Some(fault),
                Turn::Waits => wait_a_turn().await,
                Turn::Dies => std::future::pending::<()>().await,
            }
        }
    }

    /// Says that `task` is polled next, or that none is.
    pub(crate) fn enter(&self, task: Option<TaskId>) {
        self.lock().task = task;
    }

    /// Whether `task` died: whatever it came to, nobody heard.
    pub(crate) fn is_dead(&self, task: TaskId) -> bool {
        self.lock().fates.get(&task) == Some(&Fate::Dead)
    }

    /// Forgets what became of the tasks of a run.
    pub(crate) fn forget_tasks(&self) {
        let mut state = self.lock();
        state.task = None;
        state.fates.clear();
        state.elapsed.clear();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn turn(&mut self, operation: &'static str) -> Turn {
        let fate = self.task.and_then(|task| self.fates.get(&task));
        match fate {
            Some(Fate::Dead) => return Turn::Dies,
            Some(Fate::CutOff) => return Turn::Fails(Fault::Unavailable),
            None => {}
        }
        let scripted = self.scripted.get_mut(operation);
        if let Some(stroke) = scripted.and_then(VecDeque::pop_front) {
            return self.scripted_turn(operation, stroke);
        }
        let Some(task) = self.task else {
            return Turn::Passes;
        };
        if self.rates == Rates::default() {
            return Turn::Passes;
        }
        let drawn = self.rng.unit();
        let Some((name, turn)) = self.drawn(drawn) else {
            return Turn::Passes;
        };
        *self.met.entry((operation, name)).or_default() += 1;
        match turn {
            Turn::Dies => {
                self.fates.insert(task, Fate::Dead);
            }
            Turn::Fails(Fault::Unavailable) if name == "cut off" => {
                self.fates.insert(task, Fate::CutOff);
            }
            _ => {}
        }
        turn
    }

    fn scripted_turn(&mut self, operation: &'static str, stroke: Stroke) -> Turn {
        let (name, turn) = match stroke {
            Stroke::Fails(Fault::Unavailable) => ("unavailable", Turn::Fails(Fault::Unavailable)),
            Stroke::Fails(Fault::AnswerLost) => ("answer lost", Turn::Fails(Fault::AnswerLost)),
            Stroke::Fails(Fault::Stale) => ("stale", Turn::Fails(Fault::Stale)),
            Stroke::DiesBefore => ("death", Turn::Dies),
            // What it is told does not matter: it gets no further than its next call, and nobody hears what it comes to.
            Stroke::DiesAfter => ("death", Turn::Fails(Fault::AnswerLost)),
        };
        *self.met.entry((operation, name)).or_default() += 1;
        if let (Stroke::DiesBefore | Stroke::DiesAfter, Some(task)) = (stroke, self.task) {
            self.fates.insert(task, Fate::Dead);
        }
        turn
    }

    /// What a draw in [0, 1) means.
    fn drawn(&self, drawn: f64) -> Option<(&'static str, Turn)> {
        let rates = &self.rates;
        let outcomes = [
            (rates.pause, "pause", Turn::Waits),
            (
                rates.unavailable,
                "unavailable",
                Turn::Fails(Fault::Unavailable),
            ),
            (
                rates.answer_lost,
                "answer lost",
                Turn::Fails(Fault::AnswerLost),
            ),
            (rates.stale, "stale", Turn::Fails(Fault::Stale)),
            (rates.cut_off, "cut off", Turn::Fails(Fault::Unavailable)),
            (rates.death, "death", Turn::Dies),
        ];
        let mut below = 0.0;
        outcomes.into_iter().find_map(|(rate, name, turn)| {
            below += rate;
            (drawn < below).then_some((name, turn))
        })
    }
}

/// Pending once.
async fn wait_a_turn() {
    let mut waited = false;
    poll_fn(|context| {
        if waited {
            return Poll::Ready(());
        }
        waited = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
