//! What to try next of a batch that failed: pure.

use std::collections::VecDeque;

use serde_json::Value;

/// What became of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All of it was handled.
    Handled,
    /// The records before this index were handled.
    HandledBefore(usize),
    /// Nothing is known to have been handled.
    Failed,
}

impl Outcome {
    /// Reads an answer: the lowest sequence number that it names is where to go on; a name that is not in the batch fails all of it.
    pub fn read(answer: &Value, records: &[Value]) -> Self {
        let named = match answer.get("batchItemFailures") {
            None | Some(Value::Null) => return Self::Handled,
            Some(Value::Array(named)) => named,
            Some(_) => return Self::Failed,
        };
        let mut first = None;
        for failure in named {
            let position = records.iter().position(|record| {
                record.pointer("/dynamodb/SequenceNumber") == failure.get("itemIdentifier")
            });
            match position {
                None => return Self::Failed,
                Some(index) => first = Some(first.map_or(index, |first: usize| first.min(index))),
            }
        }
        first.map_or(Self::Handled, Self::HandledBefore)
    }
}

/// A part of a batch that is tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    records: Vec<Value>,
    tried: u32,
}

impl Attempt {
    /// What to hand over.
    pub fn records(&self) -> &[Value] {
        &self.records
    }
}

/// One batch on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    waiting: VecDeque<Attempt>,
    bisects: bool,
    max_retries: u32,
}

impl Delivery {
    /// A batch that nobody has seen yet.
    pub fn new(records: Vec<Value>, bisects: bool, max_retries: u32) -> Self {
        Self {
            waiting: VecDeque::from([Attempt { records, tried: 0 }]),
            bisects,
            max_retries,
        }
    }

    /// What to try now; `None` when all is handled or given up.
    pub fn next_attempt(&mut self) -> Option<Attempt> {
        self.waiting.pop_front()
    }

    /// Takes note of what became of an attempt; gives back the records that are given up. As on AWS only a call that failed has its batch
    /// halved: an answer that names a record has what is left tried again as it is, and if it names the first, that is all of it.
    pub fn settle(&mut self, attempt: Attempt, outcome: Outcome) -> Option<Vec<Value>> {
        let mut left = attempt.records;
        match outcome {
            Outcome::Handled => return None,
            Outcome::HandledBefore(index) => left = left.split_off(index.min(left.len())),
            Outcome::Failed => {}
        }
        if left.is_empty() {
            return None;
        }
        if attempt.tried >= self.max_retries {
            return Some(left);
        }
        let tried = attempt.tried + 1;
        if self.bisects && outcome == Outcome::Failed && left.len() > 1 {
            let second = left.split_off(left.len() / 2);
            self.waiting.push_front(Attempt {
                records: second,
                tried,
            });
        }
        self.waiting.push_front(Attempt {
            records: left,
            tried,
        });
        None
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use agentwarm_lambda::events::ItemError;
    use agentwarm_lambda::events::stream::{
        RecordFailure, RecordsHandler, StreamRecord, StreamTask,
    };
    use agentwarm_lambda::task::{Invocation, Task};
    use async_trait::async_trait;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn records(count: usize) -> Vec<Value> {
        (0..count)
            .map(|number| json!({"dynamodb": {"SequenceNumber": number.to_string()}}))
            .collect()
    }

    /// Delivers `count` records to a function that fails whenever it meets one of `poison`; what was handled and what was given up.
    fn deliver(
        count: usize,
        poison: &[usize],
        bisects: bool,
        retries: u32,
    ) -> (Vec<Value>, Vec<Value>) {
        let mut delivery = Delivery::new(records(count), bisects, retries);
        let bad: Vec<_> = poison
            .iter()
            .filter_map(|index| records(count).get(*index).cloned())
            .collect();
        let (mut handled, mut given_up) = (Vec::new(), Vec::new());
        while let Some(attempt) = delivery.next_attempt() {
            if attempt.records().iter().any(|record| bad.contains(record)) {
                given_up.extend(
                    delivery
                        .settle(attempt, Outcome::Failed)
                        .unwrap_or_default(),
                );
            } else {
                handled.extend(attempt.records().to_vec());
                assert_eq!(delivery.settle(attempt, Outcome::Handled), None);
            }
        }
        (handled, given_up)
    }

    #[test]
    fn bisecting_isolates_a_poison_record() {
        let (handled, given_up) = deliver(100, &[37], true, 10);
        assert_eq!(given_up, [records(100)[37].clone()]);
        assert_eq!(handled.len(), 99);
    }

    #[test]
    fn without_bisecting_the_whole_batch_is_given_up() {
        let (handled, given_up) = deliver(5, &[2], false, 3);
        assert!(handled.is_empty());
        assert_eq!(given_up, records(5));
    }

    #[test]
    fn a_named_record_is_where_it_goes_on() {
        let batch = records(4);
        let answer =
            json!({"batchItemFailures": [{"itemIdentifier": "3"}, {"itemIdentifier": "1"}]});
        assert_eq!(Outcome::read(&answer, &batch), Outcome::HandledBefore(1));
        assert_eq!(Outcome::read(&json!(null), &batch), Outcome::Handled);
        assert_eq!(
            Outcome::read(
                &json!({"batchItemFailures": [{"itemIdentifier": "9"}]}),
                &batch
            ),
            Outcome::Failed
        );
    }

    #[test]
    fn what_a_function_leaves_of_a_batch_is_not_halved() {
        for (bisects, handled) in [(false, 1), (true, 1), (true, 0)] {
            let mut delivery = Delivery::new(records(4), bisects, 1);
            let attempt = delivery.next_attempt().unwrap();
            let outcome = Outcome::HandledBefore(handled);
            assert_eq!(delivery.settle(attempt, outcome), None);
            let next = delivery.next_attempt().unwrap();
            assert_eq!(next.records(), &records(4)[handled..]);
        }
    }

    /// Does a batch as a whole, as the fan-out does, and fails at what it cannot read or cannot write.
    struct Whole(&'static str);

    #[async_trait]
    impl RecordsHandler for Whole {
        async fn handle(
            &self,
            records: &[StreamRecord],
            _call: &Invocation,
        ) -> Result<(), RecordFailure> {
            let poison = records
                .iter()
                .position(|record| record.event_id == "poison");
            poison
                .map_or(Ok(()), |index| match self.0 {
                    "panics" => panic!("no"),
                    "names it" => Err(index),
                    _ => Err(0),
                })
                .map_err(|index| RecordFailure {
                    index,
                    error: ItemError::failed("no"),
                })
        }
    }

    fn batch_with(poison: usize) -> Vec<Value> {
        (0..100)
            .map(|number| {
                let id = if number == poison { "poison" } else { "good" };
                json!({
                    "eventID": id, "eventName": "MODIFY", "eventVersion": "1.1", "eventSource": "aws:dynamodb", "awsRegion": "r",
                    "dynamodb": { "Keys": {}, "NewImage": {}, "SequenceNumber": number.to_string(), "SizeBytes": 1 },
                })
            })
            .collect()
    }

    #[tokio::test]
    async fn a_function_gives_up_one_poison_record_of_a_hundred() {
        for (how, poison) in [
            ("fails", 0),
            ("fails", 37),
            ("panics", 99),
            ("names it", 0),
            ("names it", 62),
        ] {
            let task = StreamTask::batch(Arc::new(Whole(how)));
            let batch = batch_with(poison);
            let mut delivery = Delivery::new(batch.clone(), true, 10);
            let mut given_up = Vec::new();
            while let Some(attempt) = delivery.next_attempt() {
                let event = json!({ "Records": attempt.records() });
                let call = Invocation::within("1", Duration::from_mins(1));
                let outcome = match task.handle(event, call).await {
                    Ok(answer) => Outcome::read(&answer, attempt.records()),
                    Err(_) => Outcome::Failed,
                };
                given_up.extend(delivery.settle(attempt, outcome).unwrap_or_default());
            }
            assert_eq!(given_up, batch[poison..=poison], "{how} at {poison}");
        }
    }

    proptest! {
        #[test]
        fn every_record_is_handled_or_given_up_once_and_in_order(
            count in 0_usize..60, poison in prop::collection::vec(0_usize..60, 0..4), bisects: bool, retries in 0_u32..12,
        ) {
            let (handled, given_up) = deliver(count, &poison, bisects, retries);
            let number = |record: &Value| record["dynamodb"]["SequenceNumber"].as_str().unwrap().parse::<usize>().unwrap();
            let numbers: Vec<_> = handled.iter().map(number).collect();
            prop_assert!(numbers.is_sorted());
            let mut all: Vec<_> = handled.iter().chain(&given_up).map(number).collect();
            all.sort_unstable();
            prop_assert_eq!(all, (0..count).collect::<Vec<_>>());
        }
    }
}
