//! What is kept of requests, in memory: for the HTTP kit, which the simulation does without.

use std::collections::BTreeMap;
use std::sync::Mutex;

use agentwarm_app::ports::StoreError;
use agentwarm_app::ports::requests::{Begun, IdempotencyStore, RateCounter, RequestScope};
use agentwarm_core::ids::{ApiKeyId, UserId};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

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

/// Remembers answers; the races of this port are tested with the kit and with the adapter.
#[derive(Debug, Default)]
pub struct RememberedRequests(Mutex<BTreeMap<(ApiKeyId, String), Record>>);

#[derive(Debug)]
struct Record {
    fingerprint: String,
    until: Timestamp,
    note: Option<String>,
    answer: Option<Vec<u8>>,
}

impl RememberedRequests {
    fn with<T>(&self, scope: RequestScope<'_>, change: impl FnOnce(&mut Record) -> T) -> Option<T> {
        let mut records = self.0.lock().unwrap();
        records
            .get_mut(&(scope.key, scope.idempotency_key.to_owned()))
            .map(change)
    }
}

#[async_trait]
impl IdempotencyStore for RememberedRequests {
    async fn begin(
        &self,
        scope: RequestScope<'_>,
        fingerprint: &str,
        _owner: &str,
        now: Timestamp,
        lease: SignedDuration,
    ) -> Result<Begun, StoreError> {
        let known = self.with(scope, |record| {
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
            record.until = now + lease;
            Begun::Started {
                note: record.note.clone(),
            }
        });
        Ok(known.unwrap_or_else(|| {
            let id = (scope.key, scope.idempotency_key.to_owned());
            let record = Record {
                fingerprint: fingerprint.to_owned(),
                until: now + lease,
                note: None,
                answer: None,
            };
            self.0.lock().unwrap().insert(id, record);
            Begun::Started { note: None }
        }))
    }

    async fn finish(
        &self,
        scope: RequestScope<'_>,
        _owner: &str,
        answer: &[u8],
    ) -> Result<bool, StoreError> {
        let stored = self.with(scope, |record| record.answer = Some(answer.to_vec()));
        Ok(stored.is_some())
    }

    async fn note(
        &self,
        scope: RequestScope<'_>,
        _owner: &str,
        note: Option<&str>,
    ) -> Result<bool, StoreError> {
        let stored = self.with(scope, |record| record.note = note.map(str::to_owned));
        Ok(stored.is_some())
    }

    async fn abandon(&self, scope: RequestScope<'_>, _owner: &str) -> Result<(), StoreError> {
        let noted = self.with(scope, |record| {
            record.until = Timestamp::MIN;
            record.note.is_some()
        });
        if noted == Some(false) {
            let id = (scope.key, scope.idempotency_key.to_owned());
            self.0.lock().unwrap().remove(&id);
        }
        Ok(())
    }
}
