//! Reading a stream's shards, each from where it was last handled.

use std::collections::BTreeMap;

use aws_sdk_dynamodbstreams::Client;
use aws_sdk_dynamodbstreams::operation::get_records::GetRecordsError;
use aws_sdk_dynamodbstreams::types::ShardIteratorType;
use serde_json::Value;

use super::record::event_record;
use crate::triggers::{TriggerError, asked};

/// The sequence number of the last record handled, by shard.
pub type Checkpoints = BTreeMap<String, String>;

/// A stream's shards.
pub struct Shards {
    client: Client,
    stream_arn: String,
    known: Vec<String>,
    iterators: BTreeMap<String, String>,
    checkpoints: Checkpoints,
}

impl Shards {
    /// Reads `stream_arn`, going on after `checkpoints`.
    pub fn new(client: Client, stream_arn: &str, checkpoints: Checkpoints) -> Self {
        Self {
            client,
            stream_arn: stream_arn.to_owned(),
            known: Vec::new(),
            iterators: BTreeMap::new(),
            checkpoints,
        }
    }

    /// How far each shard was handled.
    pub fn checkpoints(&self) -> &Checkpoints {
        &self.checkpoints
    }

    /// The shards. Asked once: the emulator never splits one.
    pub async fn list(&mut self) -> Result<Vec<String>, TriggerError> {
        if self.known.is_empty() {
            let request = self.client.describe_stream().stream_arn(&self.stream_arn);
            let described = asked("describe the stream", request.send().await)?;
            self.known = described
                .stream_description
                .and_then(|description| description.shards)
                .unwrap_or_default()
                .into_iter()
                .filter_map(|shard| shard.shard_id)
                .collect();
        }
        Ok(self.known.clone())
    }

    /// The next records of a shard as event records; each page once, unless it is rewound.
    pub async fn read(&mut self, shard: &str) -> Result<Vec<Value>, TriggerError> {
        let iterator = match self.iterators.get(shard) {
            Some(iterator) => iterator.clone(),
            None => self.iterator(shard).await?,
        };
        match self
            .client
            .get_records()
            .shard_iterator(&iterator)
            .send()
            .await
        {
            Ok(page) => {
                let records: Vec<Value> = page
                    .records
                    .unwrap_or_default()
                    .iter()
                    .map(|record| event_record(record, &self.stream_arn))
                    .collect();
                if let Some(next) = page.next_shard_iterator {
                    self.iterators.insert(shard.to_owned(), next);
                }
                Ok(records)
            }
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(GetRecordsError::is_expired_iterator_exception) =>
            {
                self.iterators.remove(shard);
                Box::pin(self.read(shard)).await
            }
            failed => asked("read the stream", failed).map(|_| Vec::new()),
        }
    }

    /// Notes that a page was handled.
    pub fn commit(&mut self, shard: &str, page: &[Value]) {
        let last = page
            .last()
            .and_then(|record| record.pointer("/dynamodb/SequenceNumber"))
            .and_then(Value::as_str);
        if let Some(last) = last {
            self.checkpoints.insert(shard.to_owned(), last.to_owned());
        }
    }

    /// Goes back to the checkpoint: what was read since was not handled.
    pub fn rewind(&mut self, shard: &str) {
        self.iterators.remove(shard);
    }

    /// An iterator after the checkpoint, or at the beginning where there is none or the stream no longer knows it (the emulator keeps
    /// items over a restart, but no stream records).
    async fn iterator(&self, shard: &str) -> Result<String, TriggerError> {
        let request = || {
            self.client
                .get_shard_iterator()
                .stream_arn(&self.stream_arn)
                .shard_id(shard)
        };
        if let Some(after) = self.checkpoints.get(shard) {
            let resumed = request()
                .shard_iterator_type(ShardIteratorType::AfterSequenceNumber)
                .sequence_number(after)
                .send()
                .await;
            if let Ok(resumed) = resumed {
                return Ok(resumed.shard_iterator.unwrap_or_default());
            }
        }
        let beginning = request().shard_iterator_type(ShardIteratorType::TrimHorizon);
        let beginning = asked("begin the stream", beginning.send().await)?;
        Ok(beginning.shard_iterator.unwrap_or_default())
    }
}
