//! Creating and deleting accounts: the account, its lock, its credentials, its memberships, its CRM links and the counters, all or
//! nothing.

use async_trait::async_trait;

use agentwarm_app::ports::accounts::{AccountCreated, AccountLife};
use agentwarm_app::ports::vault::Sealed;
use agentwarm_app::ports::{Replaced, StoreError};
use agentwarm_core::account::Account;
use agentwarm_core::audit::Event;
use agentwarm_core::crm::CrmLink;
use agentwarm_core::ids::PoolId;

use super::accounts::{item_of, sealed_item};
use super::counters::Counter;
use super::crm;
use super::expression::Expression;
use super::pools::{count_member, uncount_member};
use super::table::Table;
use super::transaction::{Part, Refusals, Transacted};
use crate::actions::{Action, DELETE, PUT, Resource, UPDATE};
use crate::codec::{self, CodecError, ItemBuilder};
use crate::keys;

/// Whose an address is, on its lock.
const LOCKED_BY: &str = "account";

/// [`AccountLife`] on the entities table.
#[derive(Debug, Clone)]
pub struct DynamoAccountLife(Table);

impl DynamoAccountLife {
    /// What this adapter does.
    pub const ACTIONS: &[Action] = &[
        Resource::Entities.may(PUT),
        Resource::Entities.may(UPDATE),
        Resource::Entities.may(DELETE),
    ];

    /// On the entities table.
    pub fn new(entities: Table) -> Self {
        Self(entities)
    }
}

/// The parts of a creation whose refusals are answers, by their place in the transaction.
const COUNTER: usize = 0;
const LOCK: usize = 1;
const POOL: usize = 2;

#[async_trait]
impl AccountLife for DynamoAccountLife {
    async fn create(
        &self,
        account: &Account,
        credentials: &Sealed,
        pool: PoolId,
        max: u32,
        event: Event,
    ) -> Result<AccountCreated, StoreError> {
        const OPERATION: &str = "create an account";
        let parts = creation(account, credentials, pool, max, event)
            .map_err(|error| error.during(OPERATION))?;
        match self.0.transact(OPERATION, parts).await? {
            Transacted::Done => Ok(AccountCreated::Done),
            Transacted::Refused(refusals) => {
                refused(account, &refusals).map_err(|error| error.during(OPERATION))
            }
        }
    }

    async fn delete(
        &self,
        account: &Account,
        links: &[CrmLink],
        event: Event,
    ) -> Result<Replaced, StoreError> {
        const OPERATION: &str = "delete an account";
        let parts = deletion(account, links, event).map_err(|error| error.during(OPERATION))?;
        Ok(match self.0.transact(OPERATION, parts).await? {
            Transacted::Done => Replaced::Done,
            Transacted::Refused(_) => Replaced::Stale,
        })
    }
}

fn creation(
    account: &Account,
    credentials: &Sealed,
    pool: PoolId,
    max: u32,
    event: Event,
) -> Result<Vec<Part>, CodecError> {
    let absent = Expression::new("attribute_not_exists(#pk)");
    let lock = ItemBuilder::new(keys::address_lock(account.email.as_str()))
        .with("user", codec::text(account.user.to_string()))
        .with(LOCKED_BY, codec::text(account.id.to_string()))
        .build();
    let member = ItemBuilder::new(keys::member(account.user, pool, account.id)).build();
    Ok(vec![
        Counter::Accounts.one_more(account.user, Some(max)),
        Part::Put(lock, Some(absent.clone())),
        count_member(account.user, pool),
        Part::Put(item_of(account, &[event])?, Some(absent)),
        Part::Put(sealed_item(account, credentials), None),
        Part::Put(member, None),
    ])
}

/// What a refused creation means. An address that this very account holds was locked by an earlier attempt, which did it all.
fn refused(account: &Account, refusals: &Refusals) -> Result<AccountCreated, CodecError> {
    if let Some(lock) = refusals.of(LOCK) {
        let is_own = codec::text_of(lock, LOCKED_BY)? == account.id.to_string();
        return Ok(if is_own {
            AccountCreated::Done
        } else {
            AccountCreated::AddressTaken
        });
    }
    if let Some(counters) = refusals.of(COUNTER) {
        let current = codec::count_of(counters, Counter::Accounts.attribute())?;
        return Ok(AccountCreated::LimitReached { current });
    }
    match refusals.of(POOL) {
        Some(_) => Ok(AccountCreated::PoolGone),
        // Only the account itself is left, and its id is as good as unguessable.
        None => Ok(AccountCreated::AddressTaken),
    }
}

fn deletion(account: &Account, links: &[CrmLink], event: Event) -> Result<Vec<Part>, CodecError> {
    let newest =
        Expression::new("#version = :newest").value("newest", codec::number(account.version));
    let mut parts = vec![
        Part::Delete(keys::account(account.user, account.id), Some(newest)),
        Part::Delete(keys::address_lock(account.email.as_str()), None),
        Part::Delete(keys::credentials(account.user, account.id), None),
        Counter::Accounts.one_less(account.user, event)?,
    ];
    for membership in &account.pools {
        let member = keys::member(account.user, membership.pool, account.id);
        parts.push(Part::Delete(member, None));
        parts.push(uncount_member(account.user, membership.pool));
    }
    for link in links {
        parts.extend(crm::deletion(account.user, link));
    }
    Ok(parts)
}
