//! Where a batch of records stops.

use std::sync::Mutex;
use std::time::Duration;

use serde_json::json;

use super::*;

const MINUTE: Duration = Duration::from_mins(1);

/// Fails at one record, in some way, and remembers whom it saw.
struct Worker {
    seen: Mutex<Vec<String>>,
    fail_at: &'static str,
    how: &'static str,
}

impl Worker {
    fn new(fail_at: &'static str, how: &'static str) -> Arc<Self> {
        Arc::new(Self {
            seen: Mutex::default(),
            fail_at,
            how,
        })
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

#[async_trait]
impl RecordsHandler for Worker {
    async fn handle(
        &self,
        records: &[StreamRecord],
        _call: &Invocation,
    ) -> Result<(), RecordFailure> {
        for (index, record) in records.iter().enumerate() {
            self.seen.lock().unwrap().push(record.event_id.clone());
            match (record.event_id == self.fail_at, self.how) {
                (false, _) => {}
                (true, "panic") => panic!("no"),
                (true, "hang") => std::future::pending().await,
                (true, _) => {
                    let error = ItemError::failed("no");
                    return Err(RecordFailure { index, error });
                }
            }
        }
        Ok(())
    }
}

fn record(id: u32) -> Value {
    json!({
        "eventID": format!("e{id}"), "eventName": "MODIFY", "eventVersion": "1.1", "eventSource": "aws:dynamodb", "awsRegion": "eu-west-1",
        "eventSourceARN": "arn:aws:dynamodb:eu-west-1:123456789012:table/entities/stream/2026-03-13T00:00:00.000",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_773_392_400, "SequenceNumber": format!("{}", 100 + id), "SizeBytes": 59, "StreamViewType": "NEW_IMAGE",
            "Keys": { "pk": { "S": "u#1" }, "sk": { "S": "account#1" } },
            "NewImage": { "pk": { "S": "u#1" }, "sk": { "S": "account#1" }, "version": { "N": "7" } },
        },
    })
}

async fn answer(
    worker: &Arc<Worker>,
    records: Vec<Value>,
    time: Duration,
) -> Result<Value, TaskError> {
    let task = StreamTask::batch(worker.clone());
    let call = Invocation::within("1", time);
    task.handle(json!({ "Records": records }), call).await
}

async fn named(worker: &Arc<Worker>, records: Vec<Value>) -> Value {
    let answer = answer(worker, records, MINUTE).await;
    answer.unwrap()["batchItemFailures"].take()
}

#[tokio::test]
async fn the_first_failure_ends_the_batch_and_is_named() {
    let worker = Worker::new("e2", "error");
    let failed = named(&worker, vec![record(1), record(2), record(3)]).await;
    assert_eq!(failed, json!([{ "itemIdentifier": "102" }]));
    assert_eq!(worker.seen(), ["e1", "e2"]);
}

#[tokio::test]
async fn a_good_batch_reports_nothing() {
    let worker = Worker::new("", "");
    let failed = named(&worker, vec![record(1), record(2)]).await;
    assert_eq!(failed, json!([]));
    assert_eq!(worker.seen(), ["e1", "e2"]);
}

/// Lambda halves the batch of a call that failed, and of no other.
#[tokio::test]
async fn where_nothing_is_known_to_be_done_the_call_fails_and_says_why() {
    for (fail_at, how, cause) in [
        ("e1", "error", "no"),
        ("e2", "panic", "the handler panicked"),
        ("e2", "hang", "out of time"),
    ] {
        let worker = Worker::new(fail_at, how);
        let records = vec![record(1), record(2)];
        let failed = answer(&worker, records, Duration::from_millis(1_100)).await;
        let said = chain(&failed.unwrap_err());
        let expected = format!("the batch that begins with record 101: {cause}");
        assert_eq!(said, expected, "{how}");
    }
}

#[tokio::test]
async fn what_comes_before_an_unreadable_record_is_done() {
    let worker = Worker::new("", "");
    let mut poison = record(2);
    poison["eventName"] = json!(7);
    let failed = named(&worker, vec![record(1), poison.clone(), record(3)]).await;
    assert_eq!(failed, json!([{ "itemIdentifier": "102" }]));
    assert_eq!(worker.seen(), ["e1"]);

    let worker = Worker::new("e1", "error");
    let failed = answer(&worker, vec![record(1), poison.clone()], MINUTE).await;
    assert!(chain(&failed.unwrap_err()).ends_with("record 101: no"));

    let failed = answer(&worker, vec![poison, record(1)], MINUTE).await;
    let said = chain(&failed.unwrap_err());
    assert!(said.contains("record 102: not a stream record"), "{said}");
}

#[tokio::test]
async fn without_a_number_to_name_the_batch_fails_as_a_whole() {
    let worker = Worker::new("", "");
    let mut nameless = record(2);
    nameless["dynamodb"] = json!(null);
    for records in [vec![nameless.clone()], vec![record(1), nameless]] {
        assert!(answer(&worker, records, MINUTE).await.is_err());
    }
    for event in [json!([]), json!({ "Records": {} })] {
        let task = StreamTask::batch(worker.clone());
        let call = Invocation::within("1", MINUTE);
        assert!(task.handle(event, call).await.is_err());
    }
}
