//! `Idempotency-Key`: the same request twice is carried out once (decision 8).
//!
//! A request with a key begins with a conditional write. Whoever wins carries the request out and stores the answer; whoever
//! comes later gets that answer byte for byte, or is told to wait, or that the key was used for something else. What was begun
//! is a lease: a process that dies blocks its key only for as long as it could have lived.
//!
//! Not remembered are answers that say nothing about the request: 429, 5xx, and 401, so that it can be tried again with the same key. When
//! a handler panics or runs out of time its effects are unknown, so the lease is left to run out: until then a retry is told to wait.
//!
//! A handler whose effect must not be repeated keeps with the record how far it came ([`Checkpoint`]): the next attempt is told.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use agentwarm_app::ports::StoreError;
use agentwarm_app::ports::checkpoint::{Checkpoint, Kept};
use agentwarm_app::ports::requests::{Begun, IdempotencyStore, RequestScope};
use agentwarm_core::error::ErrorCode;
use agentwarm_core::ids::{ApiKeyId, UserId};
use async_trait::async_trait;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::auth::Caller;
use super::digest::sha256;
use super::error::{ApiError, chain};
use super::request::Request;
use super::response::Response;
use super::sealed;

const HEADER: &str = "idempotency-key";

/// The longest key, in characters (decision 8).
const MAX_KEY: usize = 255;

/// How much longer than the function's own time a lease lasts (decision 8).
const GRACE: SignedDuration = SignedDuration::from_secs(5);

/// What clients are told of all this (decision 8).
pub(super) const PROMISE: &str = "For POST, PUT and PATCH. For 24 hours the same request with the same `Idempotency-Key` and API key gets \
    the answer that was kept, with `Idempotent-Replayed: true`: of 2xx (207 too) and of 4xx except 401 and 429. Those two and 5xx are not \
    kept: the same key may be sent again. Where the server died meanwhile, or could not keep the answer, the request may be carried out \
    a second time; a mail of `send` never is. Use a new key once you changed anything in the request, and for the failed items of a batch.";

/// A request with a key, begun by us.
pub(super) struct Once {
    record: Arc<Record>,
    sealer: sealed::Sealer,
}

/// The record of a request that we began: what is kept of it while it is carried out.
struct Record {
    store: Arc<dyn IdempotencyStore>,
    user: UserId,
    key: ApiKeyId,
    idempotency_key: String,
    owner: String,
    note: Mutex<Option<String>>,
}

/// What the pipeline does next.
pub(super) enum Next {
    /// Carry the request out, then [`Once::settle`] it.
    CarryOut(Box<Once>),
    /// Answer this.
    Answer(Response),
}

/// The request's key, if it has one.
pub(super) fn key_of(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let mut values = headers.get_all(HEADER).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let refused = |message: String| Err(ApiError::invalid_at("Idempotency-Key", message));
    if values.next().is_some() {
        return refused("is given more than once".to_owned());
    }
    match value.to_str() {
        // `to_str` takes the tab for visible.
        Ok(key) if (1..=MAX_KEY).contains(&key.len()) && !key.contains('\t') => Ok(Some(key)),
        _ => refused(format!("must have 1 to {MAX_KEY} visible ASCII characters")),
    }
}

/// Begins a request, or finds out what became of it. `owner` and `nonce` are fresh.
pub(super) async fn begin(
    store: &Arc<dyn IdempotencyStore>,
    caller: &Caller,
    idempotency_key: &str,
    fingerprint: &str,
    request: &Request,
    fresh: u128,
) -> Result<Next, ApiError> {
    let record = Record {
        store: Arc::clone(store),
        user: caller.user(),
        key: caller.key(),
        idempotency_key: idempotency_key.to_owned(),
        owner: format!("{fresh:032x}"),
        note: Mutex::default(),
    };
    let sealer = sealed::Sealer::new(caller.secret(), idempotency_key, fresh);
    let remaining = request
        .deadline()
        .saturating_duration_since(tokio::time::Instant::now());
    let lease = SignedDuration::try_from(remaining)
        .unwrap_or(GRACE)
        .saturating_add(GRACE);
    let (scope, owner) = (record.scope(), &record.owner);
    let begun = store
        .begin(scope, fingerprint, owner, request.now(), lease)
        .await?;
    match begun {
        Begun::Started { note } => {
            *record.noted() = note;
            let record = Arc::new(record);
            Ok(Next::CarryOut(Box::new(Once { record, sealer })))
        }
        Begun::InProgress { until } => Err(in_progress(until, request.now())),
        Begun::OtherRequest => Err(ApiError::new(
            ErrorCode::IdempotencyKeyReuse,
            "This Idempotency-Key was used for another request",
        )),
        Begun::Finished { answer } => replay(&sealer, &answer).map(Next::Answer),
    }
}

fn in_progress(until: Timestamp, now: Timestamp) -> ApiError {
    let left = until.duration_since(now).as_secs().clamp(1, 60);
    ApiError::new(
        ErrorCode::IdempotencyInProgress,
        "A request with this Idempotency-Key is being carried out",
    )
    .retry_after(left.unsigned_abs())
}

fn replay(sealer: &sealed::Sealer, sealed: &[u8]) -> Result<Response, ApiError> {
    let mut response = sealer.open(sealed).map_err(ApiError::internal)?;
    response.set(
        HeaderName::from_static("idempotent-replayed"),
        HeaderValue::from_static("true"),
    );
    Ok(response)
}

impl Record {
    fn scope(&self) -> RequestScope<'_> {
        RequestScope {
            user: self.user,
            key: self.key,
            idempotency_key: &self.idempotency_key,
        }
    }

    fn noted(&self) -> MutexGuard<'_, Option<String>> {
        self.note.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Checkpoint for Record {
    fn kept(&self) -> Option<String> {
        self.noted().clone()
    }

    async fn keep(&self, note: Option<&str>) -> Result<Kept, StoreError> {
        if !self.store.note(self.scope(), &self.owner, note).await? {
            return Ok(Kept::Lost);
        }
        *self.noted() = note.map(str::to_owned);
        Ok(Kept::Done)
    }
}

impl Once {
    /// What the handler may keep of the request.
    pub(super) fn checkpoint(&self) -> Arc<dyn Checkpoint> {
        Arc::clone(&self.record) as Arc<dyn Checkpoint>
    }

    /// Remembers the answer, or forgets the request. The client gets the answer in any case: if it cannot be remembered, the
    /// lease keeps the key for a while, and the log says so.
    pub(super) async fn settle(self, response: &Response) {
        let settled = if is_remembered(response.status()) {
            self.remember(response).await
        } else {
            let Record { store, owner, .. } = self.record.as_ref();
            store
                .abandon(self.record.scope(), owner)
                .await
                .map_err(|error| chain(&error))
        };
        if let Err(cause) = settled {
            tracing::error!(cause, "the answer to an idempotent request was not settled");
        }
    }

    async fn remember(&self, response: &Response) -> Result<(), String> {
        let answer = self.sealer.seal(response).map_err(|error| chain(&error))?;
        let Record { store, owner, .. } = self.record.as_ref();
        let kept = store
            .finish(self.record.scope(), owner, &answer)
            .await
            .map_err(|error| chain(&error))?;
        if kept {
            Ok(())
        } else {
            Err("the lease was lost".to_owned())
        }
    }
}

fn is_remembered(status: StatusCode) -> bool {
    !status.is_server_error()
        && status != StatusCode::TOO_MANY_REQUESTS
        && status != StatusCode::UNAUTHORIZED
}

/// What makes two requests the same: method, path, query in any order, and the body as JSON, whatever its spacing and the order of its names.
pub(super) fn fingerprint(
    method: &str,
    path: &str,
    query: &[(String, String)],
    body: Option<&Value>,
) -> String {
    let mut query: Vec<_> = query.iter().collect();
    query.sort();
    // In a list of its own, so that no body and a body of `null` differ.
    let body: Vec<_> = body.map(canonical).into_iter().collect();
    let parts = serde_json::json!([method, path, query, body]);
    sha256(parts.to_string().as_bytes())
}

/// The same JSON with the names of all objects in order. Its depth is bounded by [`super::body`].
fn canonical(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(canonical).collect(),
        Value::Object(object) => {
            let mut fields: Vec<_> = object.iter().collect();
            fields.sort_by_key(|(name, _)| name.as_str());
            fields
                .into_iter()
                .map(|(name, value)| (name.clone(), canonical(value)))
                .collect::<Map<_, _>>()
                .into()
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests;
