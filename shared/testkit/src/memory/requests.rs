//! What is kept of requests, in memory: for the HTTP kit, which the simulation does without.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use agentwarm_app::ports::StoreError;
use agentwarm_app::ports::requests::{Begun, IdempotencyStore, RateCounter, RequestScope};
use agentwarm_core::ids::{ApiKeyId, UserId};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::{Fault, unavailable};
use crate::chaos::Chaos;

/// Counts requests per key and minute.
#[derive(Debug, Default)]
pub struct CountedRequests(Mutex<BTreeMap<(ApiKeyId, Timestamp), u64>>);

#[async_trait]
impl RateCounter for CountedRequests {
    async fn increment(
        &self,
        _user: UserId,
        key: ApiKeyId,
        window: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut counts = self.0.lock().unwrap();
        let count = counts.entry((key, window)).or_default();
        *count += 1;
        Ok(*count)
    }
}

/// Remembers answers. A call can fail, lose its answer or be its task's last: `requests.begin`, `requests.finish`, `requests.note` and
/// `requests.abandon` pass [`Chaos`].
#[derive(Debug, Default)]
pub struct RememberedRequests {
    records: Mutex<Records>,
    chaos: Arc<Chaos>,
}

type Records = BTreeMap<(ApiKeyId, String), Record>;

#[derive(Debug)]
struct Record {
    fingerprint: String,
    owner: String,
    until: Timestamp,
    note: Option<String>,
    answer: Option<Vec<u8>>,
}

impl RememberedRequests {
    /// One to whose calls `chaos` happens.
    pub fn in_chaos(chaos: Arc<Chaos>) -> Self {
        Self {
            chaos,
            ..Self::default()
        }
    }

    /// Does one operation, as a whole, with its fault if it has one coming.
    async fn run<T>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&mut Records) -> T,
    ) -> Result<T, StoreError> {
        let fault = self.chaos.pass(operation).await;
        if let Some(Fault::Unavailable | Fault::Stale) = fault {
            return Err(unavailable(operation));
        }
        let done = work(&mut self.records.lock().unwrap_or_else(PoisonError::into_inner));
        match fault {
            None => Ok(done),
            Some(_) => Err(unavailable(operation)),
        }
    }
}

/// The record that `owner` began and did not finish.
fn begun_by<'r>(
    records: &'r mut Records,
    scope: RequestScope<'_>,
    owner: &str,
) -> Option<&'r mut Record> {
    let record = records.get_mut(&id(scope));
    record.filter(|record| record.owner == owner && record.answer.is_none())
}

fn id(scope: RequestScope<'_>) -> (ApiKeyId, String) {
    (scope.key, scope.idempotency_key.to_owned())
}

#[async_trait]
impl IdempotencyStore for RememberedRequests {
    async fn begin(
        &self,
        scope: RequestScope<'_>,
        fingerprint: &str,
        owner: &str,
        now: Timestamp,
        lease: SignedDuration,
    ) -> Result<Begun, StoreError> {
        self.run("requests.begin", |records| {
            let record = records.entry(id(scope)).or_insert_with(|| Record {
                fingerprint: fingerprint.to_owned(),
                owner: owner.to_owned(),
                until: Timestamp::MIN,
                note: None,
                answer: None,
            });
            if record.fingerprint != fingerprint {
                return Begun::OtherRequest;
            }
            if let Some(answer) = record.answer.clone() {
                return Begun::Finished { answer };
            }
            if record.until > now {
                return Begun::InProgress {
                    until: record.until,
                };
            }
            owner.clone_into(&mut record.owner);
            record.until = now + lease;
            Begun::Started {
                note: record.note.clone(),
            }
        })
        .await
    }

    async fn finish(
        &self,
        scope: RequestScope<'_>,
        owner: &str,
        answer: &[u8],
    ) -> Result<bool, StoreError> {
        self.run("requests.finish", |records| {
            let record = begun_by(records, scope, owner);
            record
                .map(|record| record.answer = Some(answer.to_vec()))
                .is_some()
        })
        .await
    }

    async fn note(
        &self,
        scope: RequestScope<'_>,
        owner: &str,
        note: Option<&str>,
    ) -> Result<bool, StoreError> {
        self.run("requests.note", |records| {
            let record = begun_by(records, scope, owner);
            record
                .map(|record| record.note = note.map(str::to_owned))
                .is_some()
        })
        .await
    }

    async fn abandon(&self, scope: RequestScope<'_>, owner: &str) -> Result<(), StoreError> {
        self.run("requests.abandon", |records| {
            let Some(record) = begun_by(records, scope, owner) else {
                return;
            };
            record.until = Timestamp::MIN;
            if record.note.is_none() {
                records.remove(&id(scope));
            }
        })
        .await
    }
}
