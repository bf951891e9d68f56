//! Reading and changing accounts.

use async_trait::async_trait;

use agentwarm_app::ports::accounts::{AccountFilter, AccountReads, AccountUpdates};
use agentwarm_app::ports::vault::Sealed;
use agentwarm_app::ports::{PageOf, PageRequest, Replaced, StoreError};
use agentwarm_core::account::Account;
use agentwarm_core::audit::Event;
use agentwarm_core::ids::{AccountId, UserId};

use super::counters::Counter;
use super::expression::Expression;
use super::page::{Listing, Total};
use super::query::{Query, Wanted};
use super::table::{Freshness, Table};
use super::transaction::{Part, Transacted};
use crate::actions::{Action, BATCH_GET, GET, PUT, QUERY, Resource};
use crate::codec::{self, CodecError, Item, ItemBuilder};
use crate::keys;

/// The part of the address after the `@`: filters cannot split it off.
const DOMAIN: &str = "domain";
/// An account's sealed credentials, on an item of their own.
const SEALED: &str = "sealed";

/// [`AccountReads`] on the entities table.
#[derive(Debug, Clone)]
pub struct DynamoAccounts(Table);

impl DynamoAccounts {
    /// What this adapter does.
    pub const ACTIONS: &[Action] = &[
        Resource::Entities.may(GET),
        Resource::Entities.may(BATCH_GET),
        Resource::Entities.may(QUERY),
    ];

    /// On the entities table.
    pub fn new(entities: Table) -> Self {
        Self(entities)
    }

    /// How many there are in all: the counter knows, unless a filter asks for less.
    async fn total(
        &self,
        operation: &'static str,
        user: UserId,
        filtered: bool,
    ) -> Result<Total, StoreError> {
        if filtered {
            return Ok(Total::Unknown);
        }
        let counters = self
            .0
            .get(operation, keys::counters(user), Freshness::Eventual)
            .await?
            .unwrap_or_default();
        codec::count_of(&counters, Counter::Accounts.attribute())
            .map(Total::Known)
            .map_err(|error| error.during(operation))
    }
}

#[async_trait]
impl AccountReads for DynamoAccounts {
    async fn get(&self, user: UserId, account: AccountId) -> Result<Option<Account>, StoreError> {
        const OPERATION: &str = "read an account";
        let key = keys::account(user, account);
        let item = self.0.get(OPERATION, key, Freshness::Consistent).await?;
        codec::read_one(OPERATION, item, codec::record)
    }

    async fn get_many(
        &self,
        user: UserId,
        accounts: &[AccountId],
    ) -> Result<Vec<Account>, StoreError> {
        const OPERATION: &str = "read accounts";
        let keys = accounts.iter().map(|account| keys::account(user, *account));
        let items = self.0.batch_get(OPERATION, keys, Wanted::Items).await?;
        codec::read_all(OPERATION, items, codec::record)
    }

    async fn list(
        &self,
        user: UserId,
        filter: &AccountFilter,
        page: &PageRequest,
    ) -> Result<PageOf<Account>, StoreError> {
        const OPERATION: &str = "list accounts";
        let filter = filter_of(filter);
        let total = self.total(OPERATION, user, filter.is_some()).await?;
        let listing = Listing {
            table: &self.0,
            operation: OPERATION,
            range: keys::accounts(user),
            filter,
            total,
        };
        listing.page(page, codec::record).await
    }

    async fn all(&self, user: UserId) -> Result<Vec<Account>, StoreError> {
        const OPERATION: &str = "read all accounts of a user";
        let query = Query::new(keys::accounts(user));
        let items = self.0.query_all(OPERATION, &query).await?;
        codec::read_all(OPERATION, items, codec::record)
    }

    async fn credentials(
        &self,
        user: UserId,
        account: AccountId,
    ) -> Result<Option<Sealed>, StoreError> {
        const OPERATION: &str = "read credentials";
        let key = keys::credentials(user, account);
        let item = self.0.get(OPERATION, key, Freshness::Consistent).await?;
        codec::read_one(OPERATION, item, |item| {
            codec::text_of(&item, SEALED).map(|text| Sealed(text.to_owned()))
        })
    }
}

/// [`AccountUpdates`] on the entities table.
#[derive(Debug, Clone)]
pub struct DynamoAccountUpdates(Table);

impl DynamoAccountUpdates {
    /// What this adapter does.
    pub const ACTIONS: &[Action] = &[Resource::Entities.may(PUT)];

    /// On the entities table.
    pub fn new(entities: Table) -> Self {
        Self(entities)
    }
}

#[async_trait]
impl AccountUpdates for DynamoAccountUpdates {
    async fn replace(&self, account: &Account, events: Vec<Event>) -> Result<Replaced, StoreError> {
        const OPERATION: &str = "change an account";
        let item = item_of(account, &events).map_err(|error| error.during(OPERATION))?;
        let condition = Expression::precedes(account.version);
        let written = self.0.put(OPERATION, item, condition).await?;
        Ok(written.replaced())
    }

    async fn reseal(
        &self,
        account: &Account,
        credentials: &Sealed,
        events: Vec<Event>,
    ) -> Result<Replaced, StoreError> {
        const OPERATION: &str = "change an account's credentials";
        let item = item_of(account, &events).map_err(|error| error.during(OPERATION))?;
        let parts = vec![
            Part::Put(item, Some(Expression::precedes(account.version))),
            Part::Put(sealed_item(account, credentials), None),
        ];
        Ok(match self.0.transact(OPERATION, parts).await? {
            Transacted::Done => Replaced::Done,
            Transacted::Refused(_) => Replaced::Stale,
        })
    }
}

/// An account's credentials as an item.
pub(super) fn sealed_item(account: &Account, credentials: &Sealed) -> Item {
    ItemBuilder::new(keys::credentials(account.user, account.id))
        .with(SEALED, codec::text(&credentials.0))
        .build()
}

/// An account as an item.
pub(super) fn item_of(account: &Account, events: &[Event]) -> Result<Item, CodecError> {
    Ok(ItemBuilder::new(keys::account(account.user, account.id))
        .data(account)?
        .with(DOMAIN, codec::text(account.email.domain()))
        .version(account.version)
        .events(account.version, events)?
        .build())
}

/// A filter as DynamoDB evaluates it. Conditions look into the record, so nothing is stored twice for them.
fn filter_of(filter: &AccountFilter) -> Option<Expression> {
    let status = filter.status.map(|status| {
        Expression::new("#data.#status = :status").value("status", codec::text(status.as_str()))
    });
    let provider = filter.provider.map(|provider| {
        Expression::new("#data.#provider = :provider")
            .value("provider", codec::text(provider.as_str()))
    });
    // Addresses are stored case-folded. DynamoDB takes no empty operand, and everything contains nothing.
    let email = filter.email.as_deref().filter(|part| !part.is_empty());
    let email = email.map(|part| {
        Expression::new("contains(#data.#email, :email)")
            .value("email", codec::text(part.to_lowercase()))
    });
    let domain = filter.domain.as_deref().map(|domain| {
        Expression::new("#domain = :domain").value("domain", codec::text(domain.to_lowercase()))
    });
    [status, provider, email, domain]
        .into_iter()
        .flatten()
        .reduce(Expression::and)
}
