//! What was answered to requests with an `Idempotency-Key` (decision 8).
//!
//! A record begins as a lease, so that a process that dies blocks its key only for as long as it could have lived, and becomes the stored
//! answer. It is over 24 hours after it began; that is checked on every read, because the TTL deletes late. Times are kept in one
//! unit each and named for it: `leaseUntil` in epoch milliseconds, `expiresAt` in epoch seconds.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use agentwarm_app::ports::StoreError;
use agentwarm_app::ports::requests::{Begun, IdempotencyStore, RequestScope};

use super::expression::Expression;
use super::later;
use super::table::{Table, Written};
use crate::actions::{Action, DELETE, PUT, Resource, UPDATE};
use crate::codec::{self, CodecError, Item, ItemBuilder};
use crate::keys;

/// How long a record is kept (decision 8).
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// The largest answer that fits an item with everything around it (DynamoDB's limit is 400 KB).
pub const MAX_ANSWER_BYTES: usize = 390_000;

const FINGERPRINT: &str = "fingerprint";
const OWNER: &str = "owner";
const LEASE_UNTIL: &str = "leaseUntil";
const ANSWER: &str = "answer";

/// [`IdempotencyStore`] on the ephemeral table.
#[derive(Debug, Clone)]
pub struct IdempotencyTable(Table);

impl IdempotencyTable {
    /// What this adapter does.
    pub const ACTIONS: &[Action] = &[
        Resource::Ephemeral.may(PUT),
        Resource::Ephemeral.may(UPDATE),
        Resource::Ephemeral.may(DELETE),
    ];

    /// On the ephemeral table.
    pub fn new(ephemeral: Table) -> Self {
        Self(ephemeral)
    }
}

#[async_trait]
impl IdempotencyStore for IdempotencyTable {
    async fn begin(
        &self,
        scope: RequestScope<'_>,
        fingerprint: &str,
        owner: &str,
        now: Timestamp,
        lease: SignedDuration,
    ) -> Result<Begun, StoreError> {
        const OPERATION: &str = "begin a request";
        let key = keys::idempotency(scope.user, scope.key, scope.idempotency_key);
        let item = ItemBuilder::new(key)
            .with(FINGERPRINT, codec::text(fingerprint))
            .with(OWNER, codec::text(owner))
            .with(
                LEASE_UNTIL,
                codec::number(later(now, lease).as_millisecond()),
            )
            .expires_at(later(now, KEPT))
            .build();
        let abandoned = "attribute_not_exists(#answer) AND #leaseUntil <= :millis \
                         AND #fingerprint = :fingerprint";
        let free = Expression::new(format!(
            "attribute_not_exists(#pk) OR #expiresAt <= :now OR ({abandoned})"
        ))
        .value("now", codec::number(now.as_second()))
        .value("millis", codec::number(now.as_millisecond()))
        .value("fingerprint", codec::text(fingerprint));
        match self.0.put(OPERATION, item, free).await? {
            Written::Done(_) => Ok(Begun::Started),
            Written::Refused(there) => {
                let there = there.unwrap_or_default();
                judge(&there, fingerprint).map_err(|error| error.during(OPERATION))
            }
        }
    }

    async fn finish(
        &self,
        scope: RequestScope<'_>,
        owner: &str,
        answer: &[u8],
    ) -> Result<bool, StoreError> {
        let update = Expression::new("SET #answer = :answer").value("answer", codec::bytes(answer));
        let key = keys::idempotency(scope.user, scope.key, scope.idempotency_key);
        let written = self
            .0
            .update("store an answer", key, update, begun_by(owner))
            .await?;
        Ok(matches!(written, Written::Done(_)))
    }

    async fn abandon(&self, scope: RequestScope<'_>, owner: &str) -> Result<(), StoreError> {
        let key = keys::idempotency(scope.user, scope.key, scope.idempotency_key);
        let unanswered = Expression::new("attribute_not_exists(#answer)");
        self.0
            .delete("forget a request", key, begun_by(owner).and(unanswered))
            .await
            .map(|_| ())
    }
}

fn begun_by(owner: &str) -> Expression {
    Expression::new("#owner = :owner").value("owner", codec::text(owner))
}

fn judge(there: &Item, fingerprint: &str) -> Result<Begun, CodecError> {
    if codec::text_of(there, FINGERPRINT)? != fingerprint {
        return Ok(Begun::OtherRequest);
    }
    if there.contains_key(ANSWER) {
        let answer = codec::bytes_of(there, ANSWER)?.to_vec();
        return Ok(Begun::Finished { answer });
    }
    let until = codec::number_of(there, LEASE_UNTIL)?;
    Ok(Begun::InProgress {
        until: Timestamp::from_millisecond(until).map_err(|_| CodecError::Form(LEASE_UNTIL))?,
    })
}
