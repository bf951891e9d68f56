//! The counters behind the rate limit (decision 7).

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use agentwarm_app::ports::StoreError;
use agentwarm_app::ports::requests::RateCounter;
use agentwarm_core::ids::{ApiKeyId, UserId};

use super::expression::Expression;
use super::later;
use super::table::{Table, Written};
use crate::actions::{Action, Resource, UPDATE};
use crate::codec;
use crate::keys;

/// How long a counter is kept after its window began: nobody asks for it once the minute is over.
const KEPT: SignedDuration = SignedDuration::from_mins(5);

const COUNT: &str = "count";

/// [`RateCounter`] on the ephemeral table.
#[derive(Debug, Clone)]
pub struct RateTable(Table);

impl RateTable {
    /// What this adapter does.
    pub const ACTIONS: &[Action] = &[Resource::Ephemeral.may(UPDATE)];

    /// On the ephemeral table.
    pub fn new(ephemeral: Table) -> Self {
        Self(ephemeral)
    }
}

#[async_trait]
impl RateCounter for RateTable {
    /// A request whose first attempt was counted but not answered may count twice.
    async fn increment(
        &self,
        user: UserId,
        key: ApiKeyId,
        window: Timestamp,
    ) -> Result<u64, StoreError> {
        const OPERATION: &str = "count a request";
        let update = Expression::new("ADD #count :one SET #expiresAt = :expiry")
            .value("one", codec::number(1))
            .value("expiry", codec::number(later(window, KEPT).as_second()));
        let key = keys::rate_counter(user, key, window);
        match self.0.update(OPERATION, key, update, None).await? {
            Written::Done(item) | Written::Refused(Some(item)) => {
                codec::number_of(&item, COUNT).map_err(|error| error.during(OPERATION))
            }
            Written::Refused(None) => Ok(0),
        }
    }
}
