//! What Lambda's event source mappings do: gather messages and records into batches, and wait for somebody to work on them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use agentwarm_core::seed::Seed;

use crate::gathering::Gathering;

/// Messages that SQS gives or deletes in one request.
const SQS_BATCH: usize = 10;

/// Those who work on batches, each for so many seconds.
#[derive(Debug)]
pub(super) struct Workers {
    seconds: i64,
    free_at: Vec<i64>,
    /// In which hours which of them worked: each holds a data key for an hour.
    hours: BTreeSet<(usize, i64)>,
}

impl Workers {
    pub(super) fn new(count: usize, seconds: i64) -> Self {
        Self {
            seconds,
            free_at: vec![i64::MIN; count],
            hours: BTreeSet::new(),
        }
    }

    /// Sets one of them to work; false if all are at work.
    fn take(&mut self, now: i64) -> bool {
        let free = self.free_at.iter().position(|free_at| *free_at <= now);
        if let Some(free) = free {
            self.free_at[free] = now + self.seconds;
            self.hours.insert((free, now.div_euclid(3600)));
        }
        free.is_some()
    }

    /// How often one of them needed a data key anew.
    pub(super) fn hours(&self) -> usize {
        self.hours.len()
    }
}

/// A queue, and the mapping that empties it.
#[derive(Debug)]
pub(super) struct QueueTrigger<T> {
    gathering: Gathering,
    workers: Workers,
    /// By the second from which on they can be seen.
    waiting: BTreeMap<i64, Vec<T>>,
    visible: VecDeque<T>,
    /// When the first of the visible began to wait for others.
    opened: Option<i64>,
}

impl<T> QueueTrigger<T> {
    pub(super) fn new(gathering: Gathering, workers: Workers) -> Self {
        Self {
            gathering,
            workers,
            waiting: BTreeMap::new(),
            visible: VecDeque::new(),
            opened: None,
        }
    }

    /// A message that can be seen from `at` on.
    pub(super) fn put(&mut self, at: i64, message: T) {
        self.waiting.entry(at).or_default().push(message);
    }

    /// A batch that is worked on from `now` on.
    pub(super) fn next(&mut self, now: i64) -> Option<Vec<T>> {
        while let Some(due) = self.waiting.first_entry().filter(|due| *due.key() <= now) {
            self.visible.extend(due.remove());
        }
        if self.visible.is_empty() {
            return None;
        }
        let opened = *self.opened.get_or_insert(now);
        let is_full = self.visible.len() >= self.gathering.batch;
        if !(is_full || now >= opened + self.gathering.window) || !self.workers.take(now) {
            return None;
        }
        self.opened = None;
        let size = self.gathering.batch.min(self.visible.len());
        Some(self.visible.drain(..size).collect())
    }

    /// How often its workers needed a data key.
    pub(super) fn key_hours(&self) -> usize {
        self.workers.hours()
    }
}

/// Requests to receive a batch of so many messages, and as many to delete them.
pub(super) fn requests(messages: usize) -> usize {
    messages.div_ceil(SQS_BATCH)
}

/// A table's stream, and the mapping that reads it: its partitions are spread over shards, and a shard's items over lanes.
#[derive(Debug)]
pub(super) struct StreamTrigger<T> {
    gathering: Gathering,
    lanes: Vec<Lane<T>>,
}

#[derive(Debug)]
struct Lane<T> {
    records: VecDeque<T>,
    opened: Option<i64>,
    worker: Workers,
}

impl<T> StreamTrigger<T> {
    /// A stream of so many shards, whose batches take `seconds`.
    pub(super) fn new(gathering: Gathering, shards: usize, seconds: i64) -> Self {
        let lane = || Lane {
            records: VecDeque::new(),
            opened: None,
            worker: Workers::new(1, seconds),
        };
        Self {
            lanes: (0..shards * gathering.lanes).map(|_| lane()).collect(),
            gathering,
        }
    }

    /// A record of the partition `key`, written at `now`.
    pub(super) fn put(&mut self, now: i64, key: &[u8], record: T) {
        let lane = Seed::root(key).below(self.lanes.len() as u64);
        let lane = &mut self.lanes[usize::try_from(lane).unwrap()];
        lane.opened.get_or_insert(now);
        lane.records.push_back(record);
    }

    /// A batch that is worked on from `now` on.
    pub(super) fn next(&mut self, now: i64) -> Option<Vec<T>> {
        let Gathering { batch, window, .. } = self.gathering;
        let is_ready = |lane: &Lane<T>| {
            let waited = lane.opened.is_some_and(|opened| now >= opened + window);
            waited || lane.records.len() >= batch
        };
        let mut ready = self.lanes.iter_mut().filter(|lane| is_ready(lane));
        let lane = ready.find_map(|lane| lane.worker.take(now).then_some(lane))?;
        let size = batch.min(lane.records.len());
        let records = lane.records.drain(..size).collect();
        lane.opened = (!lane.records.is_empty()).then_some(now);
        Some(records)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GATHERING: Gathering = Gathering {
        batch: 3,
        window: 5,
        lanes: 1,
    };

    #[test]
    fn a_batch_waits_for_its_window_or_until_it_is_full() {
        let mut queue = QueueTrigger::new(GATHERING, Workers::new(2, 4));
        queue.put(0, 'a');
        queue.put(4, 'b');
        assert_eq!(queue.next(0), None);
        assert_eq!(queue.next(4), None);
        assert_eq!(queue.next(5), Some(vec!['a', 'b']));
        for n in ['c', 'd', 'e', 'f', 'g', 'h', 'i'] {
            queue.put(6, n);
        }
        assert_eq!(queue.next(6), Some(vec!['c', 'd', 'e']));
        // Both are at work; the first is free again at 9.
        assert_eq!(queue.next(6), None);
        assert_eq!(queue.next(9), Some(vec!['f', 'g', 'h']));
        assert_eq!(queue.key_hours(), 2);
    }

    #[test]
    fn a_lane_works_on_one_batch_at_a_time() {
        let mut stream = StreamTrigger::new(GATHERING, 1, 2);
        for n in 0..4 {
            stream.put(0, b"account", n);
        }
        assert_eq!(stream.next(0), Some(vec![0, 1, 2]));
        assert_eq!(stream.next(1), None);
        assert_eq!(stream.next(4), None);
        assert_eq!(stream.next(5), Some(vec![3]));
        assert_eq!(stream.next(9), None);
    }
}
