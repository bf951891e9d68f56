//! Stream records as functions get them.

use aws_sdk_dynamodbstreams::primitives::Blob;
use aws_sdk_dynamodbstreams::types::{
    AttributeValue, OperationType, Record, StreamRecord, StreamViewType,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// The event record for a stream record: "Using Lambda with DynamoDB" in Lambda's developer guide.
pub fn event_record(record: &Record, stream_arn: &str) -> Value {
    json!({
        "eventID": record.event_id,
        "eventName": record.event_name.as_ref().map(OperationType::as_str),
        "eventVersion": record.event_version,
        "eventSource": record.event_source,
        "awsRegion": record.aws_region,
        "dynamodb": record.dynamodb.as_ref().map(change),
        "eventSourceARN": stream_arn,
    })
}

fn change(record: &StreamRecord) -> Value {
    let mut change = Map::new();
    if let Some(at) = record.approximate_creation_date_time {
        change.insert("ApproximateCreationDateTime".to_owned(), json!(at.secs()));
    }
    for (name, image) in [
        ("Keys", &record.keys),
        ("NewImage", &record.new_image),
        ("OldImage", &record.old_image),
    ] {
        if let Some(image) = image {
            change.insert(name.to_owned(), item(image));
        }
    }
    change.insert("SequenceNumber".to_owned(), json!(record.sequence_number));
    change.insert("SizeBytes".to_owned(), json!(record.size_bytes));
    let view = record.stream_view_type.as_ref().map(StreamViewType::as_str);
    change.insert("StreamViewType".to_owned(), json!(view));
    Value::Object(change)
}

#[expect(
    clippy::disallowed_types,
    reason = "the SDK's type; its order is undone by sorting"
)]
fn item(image: &std::collections::HashMap<String, AttributeValue>) -> Value {
    let mut entries: Vec<_> = image.iter().collect();
    entries.sort_by_key(|(name, _)| *name);
    entries
        .into_iter()
        .map(|(name, value)| (name.clone(), attribute(value)))
        .collect::<Map<_, _>>()
        .into()
}

/// DynamoDB's JSON for an attribute value.
fn attribute(value: &AttributeValue) -> Value {
    let base64 = |blob: &Blob| STANDARD.encode(blob);
    match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::B(blob) => json!({ "B": base64(blob) }),
        AttributeValue::Bool(flag) => json!({ "BOOL": flag }),
        AttributeValue::Null(_) => json!({ "NULL": true }),
        AttributeValue::Ss(texts) => json!({ "SS": texts }),
        AttributeValue::Ns(numbers) => json!({ "NS": numbers }),
        AttributeValue::Bs(blobs) => json!({ "BS": blobs.iter().map(base64).collect::<Vec<_>>() }),
        AttributeValue::L(values) => {
            json!({ "L": values.iter().map(attribute).collect::<Vec<_>>() })
        }
        AttributeValue::M(map) => json!({ "M": item(map) }),
        _ => Value::Null,
    }
}

/// What Lambda tells an on-failure queue: where the records are, not what is in them.
pub fn failure_note(function: &str, stream_arn: &str, shard: &str, records: &[Value]) -> Value {
    let sequence = |record: Option<&Value>| {
        record
            .and_then(|record| record.pointer("/dynamodb/SequenceNumber"))
            .cloned()
            .unwrap_or_default()
    };
    json!({
        "version": "1.0",
        "requestContext": { "functionArn": function, "condition": "RetryAttemptsExhausted" },
        "DDBStreamBatchInfo": {
            "streamArn": stream_arn,
            "shardId": shard,
            "startSequenceNumber": sequence(records.first()),
            "endSequenceNumber": sequence(records.last()),
            "batchSize": records.len(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_keeps_dynamodbs_types() {
        let nested =
            AttributeValue::L(vec![AttributeValue::Bool(true), AttributeValue::Null(true)]);
        let record = Record::builder()
            .event_id("e")
            .event_name(OperationType::Insert)
            .dynamodb(
                StreamRecord::builder()
                    .keys("pk", AttributeValue::S("u#1".to_owned()))
                    .new_image("n", AttributeValue::N("4".to_owned()))
                    .new_image("l", nested)
                    .sequence_number("7")
                    .build(),
            )
            .build();
        let event = event_record(&record, "arn:s");
        assert_eq!(event["eventName"], "INSERT");
        assert_eq!(event["eventSourceARN"], "arn:s");
        assert_eq!(
            event["dynamodb"]["NewImage"],
            json!({"l": {"L": [{"BOOL": true}, {"NULL": true}]}, "n": {"N": "4"}})
        );
        assert_eq!(event["dynamodb"]["Keys"], json!({"pk": {"S": "u#1"}}));
        assert!(event["dynamodb"].get("OldImage").is_none());
        assert_eq!(
            failure_note("F", "arn:s", "shard", &[event])["DDBStreamBatchInfo"]["startSequenceNumber"],
            "7"
        );
    }
}
