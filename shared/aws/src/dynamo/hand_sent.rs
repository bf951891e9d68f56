//! How many mails people sent from an account on a day (decision 21).

use async_trait::async_trait;
use jiff::SignedDuration;
use jiff::civil::Date;

use agentwarm_app::ports::StoreError;
use agentwarm_app::ports::days::AccountRef;
use agentwarm_app::ports::hand_sent::{HandSent, Taken};

use super::expression::Expression;
use super::later;
use super::table::{Table, Written};
use crate::actions::{Action, Resource, UPDATE};
use crate::codec::{self, CodecError, Item};
use crate::keys;

/// How long a counter is kept after its last change: a local day is over everywhere within two.
const KEPT: SignedDuration = SignedDuration::from_hours(72);

const COUNT: &str = "count";

/// [`HandSent`] on the ephemeral table.
#[derive(Debug, Clone)]
pub struct DynamoHandSent(Table);

impl DynamoHandSent {
    /// What this adapter does.
    pub const ACTIONS: &[Action] = &[Resource::Ephemeral.may(UPDATE)];

    /// On the ephemeral table.
    pub fn new(ephemeral: Table) -> Self {
        Self(ephemeral)
    }
}

#[async_trait]
impl HandSent for DynamoHandSent {
    async fn take(&self, owner: AccountRef, date: Date, max: u32) -> Result<Taken, StoreError> {
        const OPERATION: &str = "count a sent mail";
        let expiry = later(self.0.now(), KEPT).as_second();
        let update = Expression::new("ADD #count :one SET #expiresAt = :expiry")
            .value("one", codec::number(1))
            .value("expiry", codec::number(expiry));
        // A counter that was never written is 0.
        let room = if max > 0 {
            Expression::new("attribute_not_exists(#count) OR #count < :max")
        } else {
            Expression::new("#count < :max")
        };
        let room = room.value("max", codec::number(max));
        let key = keys::hand_sent(owner, date);
        match self.0.update(OPERATION, key, update, room).await? {
            Written::Done(_) => Ok(Taken::Done),
            Written::Refused(there) => full(there).map_err(|error| error.during(OPERATION)),
        }
    }

    async fn give_back(&self, owner: AccountRef, date: Date) -> Result<(), StoreError> {
        let update = Expression::new("ADD #count :less").value("less", codec::number(-1));
        let some = Expression::new("#count > :none").value("none", codec::number(0));
        self.0
            .update("count one less", keys::hand_sent(owner, date), update, some)
            .await
            .map(|_| ())
    }
}

fn full(there: Option<Item>) -> Result<Taken, CodecError> {
    let count = there.map_or(Ok(0), |item| codec::number_of(&item, COUNT))?;
    Ok(Taken::Full { count })
}
