//! How time passes in a world: ticks, queues that deliver at least once, and a stream that hands a failed batch in again.

use agentwarm_app::engine::sending::Handled;
use agentwarm_app::engine::visiting::Visited;
use agentwarm_app::engine::{EngineError, tick::Ticked};
use agentwarm_app::ports::clock::Clock;
use agentwarm_app::ports::queue::{SendOrder, VisitOrder};
use agentwarm_core::ids::SlotId;
use futures::FutureExt;
use jiff::{SignedDuration, Timestamp};

use super::EngineWorld;
use crate::tasks;

/// After how long a message that was not done with comes again, and how often it comes: as the template has it.
const SEND_VISIBILITY: SignedDuration = SignedDuration::from_mins(12);
const VISIT_VISIBILITY: SignedDuration = SignedDuration::from_mins(18);
const MAX_RECEIVES: u32 = 5;

const A_MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// How many orders a sender gets at once.
const SEND_BATCH: usize = 10;

/// What goes wrong between the engine's steps, each from 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Turbulence {
    /// How likely a minute has no tick.
    pub ticks_dropped: f64,
    /// How likely it has two, side by side.
    pub ticks_doubled: f64,
    /// How likely a message or batch is delivered once more though it was done with.
    pub duplicates: f64,
    /// How likely a message is handed to two workers at once.
    pub two_workers: f64,
    /// How likely messages that come together come in another order, and a batch of a stream's shard before older ones of other shards.
    pub reordered: f64,
    /// How late what is over is deleted: TTL takes up to two days, and goes by a clock of its own, which may be ahead.
    pub deletes_late: SignedDuration,
}

/// A message in a queue.
#[derive(Debug, Clone)]
pub(super) struct Message<T> {
    body: T,
    visible_at: Timestamp,
    receives: u32,
}

/// What a task came to.
enum Done {
    Ticked(#[expect(dead_code, reason = "for the log")] Result<Ticked, EngineError>),
    Sent(Vec<Result<Handled, EngineError>>),
    Visited(Result<Visited, EngineError>),
}

impl EngineWorld {
    /// Lets minutes pass until the one of `until` is over, and all work of each be done.
    pub fn run_until(&mut self, until: Timestamp) {
        while self.clock.schedule() < until {
            self.clock.set(self.next_minute());
            self.minute();
        }
    }

    /// When the next minute begins.
    pub fn next_minute(&self) -> Timestamp {
        let second = self.clock.schedule().as_second();
        let begun = Timestamp::from_second(second - second.rem_euclid(60));
        later(begun.unwrap_or(Timestamp::MAX), A_MINUTE)
    }

    /// Lets time pass in which no function runs at all.
    pub fn stand_still_until(&mut self, until: Timestamp) {
        self.clock.set(until);
    }

    /// The ticks of this minute, and everything that follows until the next one, each at its second.
    pub fn minute(&mut self) {
        let turbulence = self.turbulence;
        self.store.settle();
        self.expire();
        let dropped = turbulence.ticks_dropped;
        let ticks = if self.chaos.chance("tick", "dropped", dropped) {
            0
        } else {
            self.once_or_twice("tick", "doubled", turbulence.ticks_doubled)
        };
        let tick = |_| {
            let tick = self.ticking.tick();
            async move { Done::Ticked(tick.await) }.boxed()
        };
        // A tick that fails is simply the next tick's work.
        tasks::run(&self.chaos, (0..ticks).map(tick).collect());
        self.drain();
        let end = self.next_minute();
        while let Some(at) = self.next_visible().filter(|at| *at < end) {
            self.clock.set(at);
            self.drain();
        }
    }

    /// Deletes what is over by the deleter's clock, and notes if that is not what was over until now.
    fn expire(&self) {
        let wall = self.clock.wall();
        let late = self.turbulence.deletes_late;
        let deletes_at = later(wall, -late);
        if late.is_positive() && self.store.is_over(deletes_at) {
            self.chaos.note("ttl", "late");
        }
        // What was over by the right clock is gone since the last minute, so what is over now is early.
        if late.is_negative() && !self.store.is_over(wall) && self.store.is_over(deletes_at) {
            self.chaos.note("ttl", "early");
        }
        self.store.expire(deletes_at);
    }

    /// When the next message can be seen that cannot be seen now.
    fn next_visible(&self) -> Option<Timestamp> {
        let now = self.clock.schedule();
        let sends = self.sends.iter().map(|message| message.visible_at);
        let visits = self.visits.iter().map(|message| message.visible_at);
        sends.chain(visits).filter(|at| *at > now).min()
    }

    /// Does all work that was handed out and may be seen now, then lets its changes leave.
    pub fn drain(&mut self) {
        let now = self.clock.schedule();
        let orders = self.queues.take_sends();
        self.sends
            .extend(orders.into_iter().map(|(body, delay)| Message {
                body,
                visible_at: later(now, delay),
                receives: 0,
            }));
        let visits = self.queues.take_visits();
        self.visits.extend(visits.into_iter().map(|body| Message {
            body,
            visible_at: now,
            receives: 0,
        }));
        self.work(now);
        self.fan_out();
    }

    fn work(&mut self, now: Timestamp) {
        let mut sends = received(&mut self.sends, now, SEND_VISIBILITY);
        let mut visits = received(&mut self.visits, now, VISIT_VISIBILITY);
        self.reorder(&mut sends);
        self.reorder(&mut visits);
        let batches: Vec<Vec<SendOrder>> = sends
            .chunks(SEND_BATCH)
            .map(|batch| batch.iter().map(|message| message.body.clone()).collect())
            .collect();
        let sending = &self.sending;
        let visiting = &self.visiting;
        let two_workers = self.turbulence.two_workers;
        let workers: Vec<_> = (0..batches.len() + visits.len())
            .map(|_| self.once_or_twice("queue", "two workers", two_workers))
            .collect();
        let (senders, readers) = workers.split_at(batches.len());
        let send_tasks = each_for(&batches, senders)
            .map(|batch| async move { Done::Sent(sending.send(batch).await) }.boxed());
        let visit_tasks = each_for(&visits, readers)
            .map(|visit| async move { Done::Visited(visiting.visit(&visit.body).await) }.boxed());
        let outcomes = tasks::run(&self.chaos, send_tasks.chain(visit_tasks).collect());
        let mut outcomes = outcomes.into_iter();
        let mut left_sends = Vec::new();
        for (batch, &workers) in sends.chunks(SEND_BATCH).zip(senders) {
            let results: Vec<_> = outcomes.by_ref().take(workers).flatten().collect();
            for (index, message) in batch.iter().enumerate() {
                let is_done = results.iter().any(|done| {
                    matches!(done, Done::Sent(results) if results.get(index).is_some_and(Result::is_ok))
                });
                let left = self.after(message, is_done);
                if left.is_none() && !is_done {
                    self.given_up.insert(message.body.slot);
                }
                left_sends.extend(left);
            }
        }
        let mut left_visits = Vec::new();
        for (message, &workers) in visits.iter().zip(readers) {
            let results: Vec<_> = outcomes.by_ref().take(workers).flatten().collect();
            let is_done = results
                .iter()
                .any(|done| matches!(done, Done::Visited(Ok(_))));
            left_visits.extend(self.after(message, is_done));
        }
        self.sends.extend(left_sends);
        self.visits.extend(left_visits);
    }

    /// What is left in the queue of a message that was received; nothing if it was done with, except by mistake.
    fn after<T: Clone>(&mut self, message: &Message<T>, is_done: bool) -> Option<Message<T>> {
        let duplicates = self.turbulence.duplicates;
        if is_done && !self.chaos.chance("queue", "delivered again", duplicates) {
            return None;
        }
        if message.receives >= MAX_RECEIVES {
            self.dead_letters += u32::from(!is_done);
            return None;
        }
        Some(message.clone())
    }

    /// The mails whose orders are in the queue, on their way or to come again, and when they can be seen.
    pub fn sends_in_queue(&self) -> impl Iterator<Item = (SlotId, Timestamp)> {
        let sends = self.sends.iter();
        sends.map(|message| (message.body.slot, message.visible_at))
    }

    /// A queue keeps no order: messages that come together may come in any.
    fn reorder<T>(&self, messages: &mut [Message<T>]) {
        if !self.chaos.draws(self.turbulence.reordered) {
            return;
        }
        let mut moved = false;
        for last in (1..messages.len()).rev() {
            let with = self.chaos.below(last + 1);
            messages.swap(last, with);
            moved |= with != last;
        }
        if moved {
            self.chaos.note("queue", "reordered");
        }
    }

    pub(super) fn once_or_twice(
        &self,
        operation: &'static str,
        what: &'static str,
        p: f64,
    ) -> usize {
        1 + usize::from(self.chaos.chance(operation, what, p))
    }
}

/// Each of `work` once for each of its workers.
fn each_for<'a, T>(work: &'a [T], workers: &'a [usize]) -> impl Iterator<Item = &'a T> {
    let pairs = work.iter().zip(workers);
    pairs.flat_map(|(it, &workers)| std::iter::repeat_n(it, workers))
}

/// Takes out of `queue` what may be seen at `now`, as it will be in the queue if it is not done with.
fn received<T: Clone>(
    queue: &mut Vec<Message<T>>,
    now: Timestamp,
    visibility: SignedDuration,
) -> Vec<Message<T>> {
    let visible: Vec<_> = queue
        .extract_if(.., |message| message.visible_at <= now)
        .collect();
    visible
        .into_iter()
        .map(|message| Message {
            visible_at: later(now, visibility),
            receives: message.receives + 1,
            ..message
        })
        .collect()
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// The queue of looks into mailboxes.
pub(super) type Visits = Vec<Message<VisitOrder>>;
/// The queue of mails to send.
pub(super) type Sends = Vec<Message<SendOrder>>;
