//! Requests: as they come in, and as handlers get them.

use std::str::FromStr;
use std::sync::Arc;

use agentwarm_app::error::AppError;
use agentwarm_app::ports::checkpoint::Checkpoint;
use agentwarm_core::ids::RequestId;
use http::{HeaderMap, Method};
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::Instant;

use super::error::ApiError;
use super::fields::{FromFields, read_body, read_path_and_query, read_query};

/// A request as it comes in: nothing is checked yet.
#[derive(Debug)]
pub struct Incoming {
    /// Names it in answers and logs.
    pub id: RequestId,
    /// Its method.
    pub method: Method,
    /// Its path, as the client sent it or with percent-encoding already undone: gateways differ.
    pub path: String,
    /// The gateway's stage, which the path may begin with.
    pub stage: Option<String>,
    /// Its query, decoded, in any order.
    pub query: Vec<(String, String)>,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
    /// When it must be answered.
    pub deadline: Instant,
}

/// A request that was routed, and whose body is JSON if there is one.
pub struct Request {
    pub(super) id: RequestId,
    pub(super) params: Vec<(String, String)>,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
    pub(super) json: Option<Value>,
    pub(super) now: Timestamp,
    pub(super) deadline: Instant,
    pub(super) checkpoint: Arc<dyn Checkpoint>,
}

impl Request {
    /// The id in the path's `{name}`. A malformed id is answered as an absent thing is: by `missing` (decision 4).
    pub fn path_id<T: FromStr>(&self, name: &str, missing: AppError) -> Result<T, ApiError> {
        self.path_text(name).parse().map_err(|_| missing.into())
    }

    /// What stands in the path's `{name}`, decoded; empty if the route has no such parameter.
    pub fn path_text(&self, name: &str) -> &str {
        self.params
            .iter()
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value)
    }

    /// The path's parameters that are no ids of ours, where a malformed one is bad input like any other, and the query string.
    pub fn path_and_query<P: FromFields, Q: FromFields>(&self) -> Result<(P, Q), ApiError> {
        read_path_and_query(&self.params, &self.query)
    }

    /// The body.
    pub fn json<T: FromFields>(&self) -> Result<T, ApiError> {
        read_body(self.json.as_ref())
    }

    /// The query string.
    pub fn query<T: FromFields>(&self) -> Result<T, ApiError> {
        read_query(&self.query)
    }

    /// A header's text; `None` if it is absent or not text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Names it in answers and logs.
    pub const fn id(&self) -> RequestId {
        self.id
    }

    /// When it came in, by the wall clock.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// What is kept of it for its next attempt, where it has an `Idempotency-Key` (decision 8).
    pub fn checkpoint(&self) -> &dyn Checkpoint {
        self.checkpoint.as_ref()
    }

    /// When it must be answered: work that can be cut short looks at this.
    pub const fn deadline(&self) -> Instant {
        self.deadline
    }
}
