//! The tables' stream: it keeps the order of what was written in one partition, and no other.
//!
//! Its shards are read side by side. One whose batch fails gets it again in the next minute, and holds up nobody else.

use std::collections::VecDeque;

use agentwarm_app::engine::fanout;
use agentwarm_core::seed::Seed;
use futures::FutureExt;

use super::EngineWorld;
use crate::memory::{self, Image};
use crate::tasks;

/// How many shards partitions are dealt to.
const SHARDS: usize = 4;

/// How many changes are handed out at once.
const BATCH: usize = 50;

/// What was written and has not left yet.
#[derive(Debug)]
pub(super) struct Stream {
    shards: Vec<Shard>,
    /// How much was ever written.
    written: u64,
}

#[derive(Debug, Default)]
struct Shard {
    /// In order, each with its number in the order of all.
    changes: VecDeque<(u64, fanout::Change)>,
    /// Its oldest batch failed, and stays for the next minute.
    held_up: bool,
}

impl Default for Stream {
    fn default() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Shard::default()).collect(),
            written: 0,
        }
    }
}

impl Stream {
    fn put(&mut self, change: memory::Change) {
        let dealt_to = Seed::root(change.partition()).below(SHARDS as u64);
        let shard = usize::try_from(dealt_to).ok();
        if let Some(shard) = shard.and_then(|shard| self.shards.get_mut(shard)) {
            shard.changes.push_back((self.written, followed(change)));
            self.written += 1;
        }
    }

    /// The shards that have something to hand out, the one with the oldest change first.
    fn ready(&self) -> Vec<usize> {
        let shards = self.shards.iter().enumerate();
        let ready = shards.filter(|(_, shard)| !shard.held_up);
        let mut ready: Vec<_> = ready
            .filter_map(|(n, shard)| Some((shard.oldest()?, n)))
            .collect();
        ready.sort_unstable();
        ready.into_iter().map(|(_, n)| n).collect()
    }

    /// Whether another shard has an older change than the oldest of this one.
    fn overtakes(&self, shard: usize) -> bool {
        let mine = self.shards.get(shard).and_then(Shard::oldest);
        let others = self.shards.iter().filter_map(Shard::oldest);
        mine > others.min()
    }
}

impl Shard {
    fn oldest(&self) -> Option<u64> {
        self.changes.front().map(|(number, _)| *number)
    }
}

impl EngineWorld {
    /// Lets leave what was written, and what is written meanwhile.
    pub(super) fn fan_out(&mut self) {
        loop {
            let changes = self.store.take_changes();
            self.history.extend(changes.iter().cloned());
            for change in changes {
                self.stream.put(change);
            }
            let ready = self.stream.ready();
            let turn = if self.chaos.draws(self.turbulence.reordered) {
                self.chaos.below(ready.len())
            } else {
                0
            };
            let Some(&shard) = ready.get(turn) else {
                break;
            };
            self.tell(shard);
        }
        for shard in &mut self.stream.shards {
            shard.held_up = false;
        }
        self.published.extend(self.queues.take_events());
    }

    /// Hands out a shard's oldest changes.
    fn tell(&mut self, shard: usize) {
        let overtakes = self.stream.overtakes(shard);
        let duplicates = self.turbulence.duplicates;
        let times = self.once_or_twice("stream", "delivered again", duplicates);
        let Some(shard) = self.stream.shards.get_mut(shard) else {
            return;
        };
        let size = shard.changes.len().min(BATCH);
        let batch = shard.changes.iter().take(size);
        let batch: Vec<_> = batch.map(|(_, change)| change.clone()).collect();
        let fanout = &self.fanout;
        let batch = &batch;
        for _ in 0..times {
            let task = async move { fanout.take(batch).await }.boxed();
            let outcome = tasks::run(&self.chaos, vec![task]).pop().flatten();
            if !matches!(outcome, Some(Ok(()))) {
                shard.held_up = true;
                return;
            }
        }
        shard.changes.drain(..size);
        if overtakes {
            self.chaos.note("stream", "reordered");
        }
    }
}

/// A change as the stream hands it out.
pub fn followed(change: memory::Change) -> fanout::Change {
    fanout::Change {
        id: format!("{}|{}", change.key, change.version),
        user: change.user,
        events: change.events,
        slot: match change.image {
            Image::Slot(slot) => Some(*slot),
            _ => None,
        },
    }
}
