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
impl RecordHandler for Worker {
    async fn handle(&self, record: &StreamRecord, _call: &Invocation) -> Result<(), ItemError> {
        self.seen.lock().unwrap().push(record.event_id.clone());
        match (record.event_id == self.fail_at, self.how) {
            (false, _) => Ok(()),
            (true, "panic") => panic!("no"),
            (true, "hang") => std::future::pending().await,
            (true, _) => Err(ItemError::failed("no")),
        }
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

async fn run(task: StreamTask, records: Vec<Value>, time: Duration) -> Value {
    let call = Invocation::within("1", time);
    let answer = task.handle(json!({ "Records": records }), call).await;
    answer.unwrap()["batchItemFailures"].take()
}

#[tokio::test]
async fn the_first_failure_ends_the_batch_and_is_named() {
    for how in ["error", "panic"] {
        let worker = Worker::new("e2", how);
        let task = StreamTask::each(worker.clone());
        let failed = run(task, vec![record(1), record(2), record(3)], MINUTE).await;
        assert_eq!(failed, json!([{ "itemIdentifier": "102" }]), "{how}");
        assert_eq!(worker.seen(), ["e1", "e2"]);
    }
}

#[tokio::test]
async fn a_good_batch_reports_nothing() {
    let worker = Worker::new("", "");
    let failed = run(
        StreamTask::each(worker.clone()),
        vec![record(1), record(2)],
        MINUTE,
    )
    .await;
    assert_eq!(failed, json!([]));
    assert_eq!(worker.seen(), ["e1", "e2"]);
}

#[tokio::test]
async fn a_record_that_hangs_is_cut_short_in_time() {
    let worker = Worker::new("e2", "hang");
    let task = StreamTask::each(worker.clone());
    let failed = run(
        task,
        vec![record(1), record(2)],
        Duration::from_millis(2_100),
    )
    .await;
    assert_eq!(failed, json!([{ "itemIdentifier": "102" }]));
}

#[tokio::test]
async fn what_comes_before_an_unreadable_record_is_done() {
    let worker = Worker::new("", "");
    let mut poison = record(2);
    poison["eventName"] = json!(7);
    let task = StreamTask::each(worker.clone());
    let failed = run(task, vec![record(1), poison.clone(), record(3)], MINUTE).await;
    assert_eq!(failed, json!([{ "itemIdentifier": "102" }]));
    assert_eq!(worker.seen(), ["e1"]);

    let worker = Worker::new("e1", "error");
    let failed = run(StreamTask::each(worker), vec![record(1), poison], MINUTE).await;
    assert_eq!(failed, json!([{ "itemIdentifier": "101" }]));
}

#[tokio::test]
async fn without_a_number_to_name_the_batch_fails_as_a_whole() {
    let task = StreamTask::each(Worker::new("", ""));
    let call = || Invocation::within("1", MINUTE);
    let mut nameless = record(1);
    nameless["dynamodb"] = json!(null);
    for event in [
        json!({ "Records": [nameless] }),
        json!([]),
        json!({ "Records": {} }),
    ] {
        assert!(task.handle(event, call()).await.is_err());
    }
}
