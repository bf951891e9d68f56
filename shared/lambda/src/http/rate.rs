//! The rate limit: so many requests a minute and key, in fixed windows of wall-clock minutes (decision 7).

use std::sync::Arc;

use agentwarm_app::ports::requests::RateCounter;
use agentwarm_core::error::ErrorCode;
use http::{HeaderName, HeaderValue};
use jiff::Timestamp;

use super::auth::Caller;
use super::error::{ApiError, chain};
use super::response::Response;

/// How many requests a key may make.
#[derive(Clone)]
pub struct RateLimit {
    /// What counts them.
    pub counter: Arc<dyn RateCounter>,
    /// Requests a minute and key.
    pub per_minute: u32,
}

/// Where a key stands in its window, with the request at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quota {
    limit: u64,
    used: u64,
    /// Seconds until the window ends: 1–60.
    reset: i64,
}

const LENGTH: i64 = 60;

impl RateLimit {
    /// Counts a request. When it cannot be counted the request goes on as if it were the first of its window.
    pub(super) async fn count(&self, caller: &Caller, now: Timestamp) -> Quota {
        let into = now.as_second().rem_euclid(LENGTH);
        let window = Timestamp::from_second(now.as_second() - into).unwrap_or(now);
        let counted = self
            .counter
            .increment(caller.user(), caller.key(), window)
            .await;
        let used = counted.unwrap_or_else(|error| {
            tracing::warn!(cause = chain(&error), "a request was not counted");
            1
        });
        Quota {
            limit: u64::from(self.per_minute),
            used,
            reset: LENGTH - into,
        }
    }
}

impl Quota {
    /// The 429, if this request is one too many.
    pub(super) fn check(&self) -> Result<(), ApiError> {
        if self.used <= self.limit {
            return Ok(());
        }
        Err(ApiError::new(
            ErrorCode::RateLimitExceeded,
            format!("More than {} requests in a minute", self.limit),
        )
        .retry_after(self.reset.unsigned_abs()))
    }

    /// Tells the client where it stands (draft-ietf-httpapi-ratelimit-headers, the three-header form).
    pub(super) fn show_on(&self, response: &mut Response) {
        let shown = [
            ("ratelimit-limit", self.limit),
            ("ratelimit-remaining", self.limit.saturating_sub(self.used)),
            ("ratelimit-reset", self.reset.unsigned_abs()),
        ];
        for (name, value) in shown {
            response.set(HeaderName::from_static(name), HeaderValue::from(value));
        }
    }
}
