//! The HTTP kit's own stores on DynamoDB: request counts and idempotency records.

use agentwarm_app::ports::StoreError;
use agentwarm_aws::dynamo::{self, IdempotencyTable, RateTable, RequestScope};
use agentwarm_core::ids::{ApiKeyId, UserId};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::http::idempotency::{Begun, Scope};
use crate::http::{IdempotencyStore, RateCounter};

/// Counts requests on the ephemeral table.
pub(crate) struct DynamoRateCounter(pub(crate) RateTable);

#[async_trait]
impl RateCounter for DynamoRateCounter {
    async fn increment(
        &self,
        user: UserId,
        key: ApiKeyId,
        window: Timestamp,
    ) -> Result<u64, StoreError> {
        self.0.increment(user, key, window).await
    }
}

/// Remembers requests on the ephemeral table.
pub(crate) struct DynamoIdempotency(pub(crate) IdempotencyTable);

#[async_trait]
impl IdempotencyStore for DynamoIdempotency {
    async fn begin(
        &self,
        scope: Scope<'_>,
        fingerprint: &str,
        owner: &str,
        now: Timestamp,
        lease: SignedDuration,
    ) -> Result<Begun, StoreError> {
        let begun = self
            .0
            .begin(request(&scope), fingerprint, owner, now, lease)
            .await?;
        Ok(match begun {
            dynamo::Begun::Started { note } => Begun::Started { note },
            dynamo::Begun::InProgress { until } => Begun::InProgress { until },
            dynamo::Begun::Finished { answer } => Begun::Finished { answer },
            dynamo::Begun::OtherRequest => Begun::OtherRequest,
        })
    }

    async fn finish(
        &self,
        scope: Scope<'_>,
        owner: &str,
        answer: &[u8],
    ) -> Result<bool, StoreError> {
        self.0.finish(request(&scope), owner, answer).await
    }

    async fn note(
        &self,
        scope: Scope<'_>,
        owner: &str,
        note: Option<&str>,
    ) -> Result<bool, StoreError> {
        self.0.note(request(&scope), owner, note).await
    }

    async fn abandon(&self, scope: Scope<'_>, owner: &str) -> Result<(), StoreError> {
        self.0.abandon(request(&scope), owner).await
    }
}

fn request<'a>(scope: &Scope<'a>) -> RequestScope<'a> {
    RequestScope {
        user: scope.user,
        key: scope.key,
        idempotency_key: scope.idempotency_key,
    }
}
