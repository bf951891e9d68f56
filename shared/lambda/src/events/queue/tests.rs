//! Partial failures of a batch of messages.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::sync::Barrier;
use tokio::time::Instant;

use super::*;

/// Does what each message's `do` says, and remembers whom it saw.
#[derive(Default)]
struct Worker {
    seen: Mutex<Vec<String>>,
    together: Option<Barrier>,
    running: AtomicUsize,
    most: AtomicUsize,
}

#[async_trait]
impl MessageHandler for Worker {
    async fn handle(&self, message: &QueueMessage, _call: &Invocation) -> Result<(), ItemError> {
        self.seen.lock().unwrap().push(message.id.clone());
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        if let Some(barrier) = &self.together {
            barrier.wait().await;
        }
        self.running.fetch_sub(1, Ordering::SeqCst);
        let order: BTreeMap<String, String> = message.json()?;
        match order.get("do").map(String::as_str) {
            Some("fail") => Err(ItemError::failed("no")),
            Some("panic") => panic!("no"),
            Some("hang") => std::future::pending().await,
            _ => Ok(()),
        }
    }
}

fn event(bodies: &[&str]) -> Value {
    let records: Vec<_> = bodies
        .iter()
        .enumerate()
        .map(|(index, body)| {
            json!({
                "messageId": format!("m{index}"), "receiptHandle": "r", "body": body,
                "attributes": { "ApproximateReceiveCount": "2", "SentTimestamp": "1773392400000", "SenderId": "s", "ApproximateFirstReceiveTimestamp": "1773392400001" },
                "messageAttributes": {}, "md5OfBody": "m", "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:send", "awsRegion": "eu-west-1",
            })
        })
        .collect();
    json!({ "Records": records })
}

async fn failed(task: QueueTask, event: Value, time: Duration) -> Vec<String> {
    let answer = task
        .handle(event, Invocation::within("1", time))
        .await
        .unwrap();
    answer["batchItemFailures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|failure| failure["itemIdentifier"].as_str().unwrap().to_owned())
        .collect()
}

const MINUTE: Duration = Duration::from_mins(1);
const OK: &str = r#"{"do": "it"}"#;

#[tokio::test]
async fn only_what_failed_comes_again() {
    let worker = Arc::new(Worker::default());
    let task = QueueTask::each(worker.clone(), 3);
    let event = event(&[
        OK,
        r#"{"do": "fail"}"#,
        "no json",
        OK,
        r#"{"do": "panic"}"#,
        r#"{"do": 7}"#,
    ]);
    assert_eq!(failed(task, event, MINUTE).await, ["m1", "m2", "m4", "m5"]);
    assert_eq!(worker.seen.lock().unwrap().len(), 6);
}

#[tokio::test]
async fn a_good_batch_reports_nothing() {
    let task = QueueTask::each(Arc::new(Worker::default()), 10);
    let call = Invocation::within("1", MINUTE);
    let answer = task.handle(event(&[OK, OK]), call).await.unwrap();
    insta::assert_json_snapshot!(answer, @r#"
    {
      "batchItemFailures": []
    }
    "#);
}

#[tokio::test]
async fn so_many_run_at_once_and_no_more() {
    // Nobody passes the barrier unless three are there; were there four, `most` would tell.
    let worker = Arc::new(Worker {
        together: Some(Barrier::new(3)),
        ..Worker::default()
    });
    let task = QueueTask::each(worker.clone(), 3);
    assert!(failed(task, event(&[OK; 9]), MINUTE).await.is_empty());
    assert_eq!(worker.most.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn who_hangs_does_not_take_the_others_along() {
    let task = QueueTask::each(Arc::new(Worker::default()), 2);
    let started = Instant::now();
    let event = event(&[r#"{"do": "hang"}"#, OK, OK]);
    let invocation = Duration::from_millis(2_100);
    assert_eq!(failed(task, event, invocation).await, ["m0"]);
    assert!(started.elapsed() < invocation);
}

struct Whole(fn(Vec<QueueMessage>) -> Vec<MessageFailure>);

#[async_trait]
impl BatchHandler for Whole {
    async fn handle(&self, messages: Vec<QueueMessage>, _call: &Invocation) -> Vec<MessageFailure> {
        (self.0)(messages)
    }
}

fn failure(id: &str) -> MessageFailure {
    MessageFailure {
        id: id.to_owned(),
        error: ItemError::OutOfTime,
    }
}

#[tokio::test]
async fn a_whole_batch_names_its_failures_and_fails_as_one_when_it_panics() {
    let named = QueueTask::batch(Arc::new(Whole(|messages| {
        assert_eq!(messages[0].receive_count, 2);
        assert_eq!(
            messages[0].sent_at.unwrap().to_string(),
            "2026-03-13T09:00:00Z"
        );
        // Lambda would take the second for a failure of all.
        vec![failure("m1"), failure("of another batch"), failure("m1")]
    })));
    assert_eq!(failed(named, event(&[OK, OK]), MINUTE).await, ["m1"]);

    let panics = QueueTask::batch(Arc::new(Whole(|_| panic!("no"))));
    assert_eq!(failed(panics, event(&[OK, OK]), MINUTE).await, ["m0", "m1"]);
}

#[tokio::test]
async fn what_is_no_batch_fails_as_a_whole() {
    let task = QueueTask::each(Arc::new(Worker::default()), 1);
    for event in [
        json!({}),
        json!({ "Records": [7] }),
        json!({ "Records": [{ "body": "x" }] }),
    ] {
        let call = Invocation::within("1", MINUTE);
        assert!(task.handle(event, call).await.is_err());
    }
}
