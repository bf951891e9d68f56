//! How many mails users' accounts sent together on a UTC day (decision 10).

use async_trait::async_trait;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use agentwarm_app::ports::StoreError;
use agentwarm_app::ports::totals::{LetGo, SendTotals};
use agentwarm_core::ids::UserId;
use agentwarm_core::time::Zone;

use super::expression::Expression;
use super::later;
use super::table::{Table, Written};
use crate::actions::{Action, Resource, UPDATE};
use crate::codec;
use crate::keys;

/// How long a day's count is kept after the day began: nobody asks for it once the day is over.
const KEPT: SignedDuration = SignedDuration::from_hours(72);

const LET_GO: &str = "letGo";

/// [`SendTotals`] on the ephemeral table.
#[derive(Debug, Clone)]
pub struct DynamoSendTotals(Table);

impl DynamoSendTotals {
    /// What this adapter does.
    pub const ACTIONS: &[Action] = &[Resource::Ephemeral.may(UPDATE)];

    /// On the ephemeral table.
    pub fn new(ephemeral: Table) -> Self {
        Self(ephemeral)
    }
}

#[async_trait]
impl SendTotals for DynamoSendTotals {
    async fn let_go(
        &self,
        user: UserId,
        date: Date,
        count: u32,
        max: u32,
    ) -> Result<LetGo, StoreError> {
        const OPERATION: &str = "let mails of a user go";
        let update = Expression::new(format!("ADD #{LET_GO} :count SET #expiresAt = :expiry"))
            .value("count", codec::number(count))
            .value("expiry", codec::number(expiry(date).as_second()));
        // A count that was never written is 0.
        let room = if count <= max {
            format!("attribute_not_exists(#{LET_GO}) OR #{LET_GO} <= :before")
        } else {
            format!("#{LET_GO} <= :before")
        };
        let before = i64::from(max) - i64::from(count);
        let room = Expression::new(room).value("before", codec::number(before));
        let key = keys::send_total(user, date);
        let written = self.0.update(OPERATION, key, update, room).await?;
        let total = |item| codec::count_of(&item, LET_GO).map_err(|error| error.during(OPERATION));
        Ok(match written {
            Written::Done(item) => LetGo::Yes {
                total: total(item)?,
            },
            Written::Refused(there) => LetGo::No {
                total: total(there.unwrap_or_default())?,
            },
        })
    }
}

fn expiry(date: Date) -> Timestamp {
    later(Zone::utc().day(date).start, KEPT)
}
