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

const FINGERPRINT: &str = "fingerprint";
const OWNER: &str = "owner";
const LEASE_UNTIL: &str = "leaseUntil";
const NOTE: &str = "note";
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
        let lease_until = codec::number(later(now, lease).as_millisecond());
        let item = ItemBuilder::new(key.clone())
            .with(FINGERPRINT, codec::text(fingerprint))
            .with(OWNER, codec::text(owner))
            .with(LEASE_UNTIL, lease_until.clone())
            .expires_at(later(now, KEPT))
            .build();
        let absent = Expression::absent(now);
        let Written::Refused(there) = self.0.put(OPERATION, item, absent).await? else {
            return Ok(Begun::Started { note: None });
        };
        let there = there.unwrap_or_default();
        let begun = judge(&there, fingerprint).map_err(|error| error.during(OPERATION))?;
        match begun {
            Begun::InProgress { until } if until <= now => {}
            other => return Ok(other),
        }
        // Its process died, or gave it up with a note. What it noted stays; of several that see this one wins.
        let update =
            Expression::new("SET #owner = :owner, #leaseUntil = :lease, #expiresAt = :expiry")
                .value("owner", codec::text(owner))
                .value("lease", lease_until)
                .value("expiry", codec::number(later(now, KEPT).as_second()));
        let over = Expression::new("attribute_not_exists(#answer) AND #leaseUntil <= :millis")
            .value("millis", codec::number(now.as_millisecond()));
        match self.0.update(OPERATION, key, update, over).await? {
            Written::Done(item) => started(&item),
            Written::Refused(Some(there)) if is_owned(&there, owner) => started(&there),
            Written::Refused(there) => judge(&there.unwrap_or_default(), fingerprint),
        }
        .map_err(|error| error.during(OPERATION))
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

    async fn note(
        &self,
        scope: RequestScope<'_>,
        owner: &str,
        note: Option<&str>,
    ) -> Result<bool, StoreError> {
        let update = match note {
            Some(note) => Expression::new("SET #note = :note").value("note", codec::text(note)),
            None => Expression::new("REMOVE #note"),
        };
        let key = keys::idempotency(scope.user, scope.key, scope.idempotency_key);
        let written = self
            .0
            .update("note on a request", key, update, begun_by(owner))
            .await?;
        Ok(matches!(written, Written::Done(_)))
    }

    async fn abandon(&self, scope: RequestScope<'_>, owner: &str) -> Result<(), StoreError> {
        const OPERATION: &str = "forget a request";
        let key = keys::idempotency(scope.user, scope.key, scope.idempotency_key);
        let unnoted =
            Expression::new("attribute_not_exists(#answer) AND attribute_not_exists(#note)");
        let condition = begun_by(owner).and(unnoted);
        let Written::Refused(Some(there)) =
            self.0.delete(OPERATION, key.clone(), condition).await?
        else {
            return Ok(());
        };
        if there.contains_key(NOTE) {
            let update =
                Expression::new("SET #leaseUntil = :never").value("never", codec::number(0));
            let unanswered = Expression::new("attribute_not_exists(#answer)");
            let condition = begun_by(owner).and(unanswered);
            let _ = self.0.update(OPERATION, key, update, condition).await?;
        }
        Ok(())
    }
}

fn started(item: &Item) -> Result<Begun, CodecError> {
    let note = item.contains_key(NOTE).then(|| codec::text_of(item, NOTE));
    Ok(Begun::Started {
        note: note.transpose()?.map(str::to_owned),
    })
}

fn is_owned(item: &Item, owner: &str) -> bool {
    codec::text_of(item, OWNER).is_ok_and(|found| found == owner)
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
