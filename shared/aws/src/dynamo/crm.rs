//! Links between accounts and the records of CRMs.
//!
//! A link is one item beside its account, and one lookup item for each record that it leads to: nothing but a key, like the member of a pool.
//! All are written in one transaction with the account at its next version. That costs the account's write again and keeps three things
//! true without a look: links are made one after the other, so that they can be counted; none is made for an account that is gone; and an
//! account that is deleted at the version that its links were read at has no others.

use std::collections::BTreeSet;

use async_trait::async_trait;

use agentwarm_app::ports::crm::{CrmLinkReads, CrmLinkWrites};
use agentwarm_app::ports::{Replaced, StoreError};
use agentwarm_core::account::Account;
use agentwarm_core::crm::{CrmEntity, CrmLink};
use agentwarm_core::ids::{AccountId, UserId};

use super::accounts::item_of;
use super::expression::Expression;
use super::query::{Query, Wanted};
use super::table::Table;
use super::transaction::{Part, Transacted};
use crate::actions::{Action, DELETE, PUT, QUERY, Resource};
use crate::codec::{self, CodecError, ItemBuilder};
use crate::keys::{self, Key, SK};

/// [`CrmLinkReads`] on the entities table.
#[derive(Debug, Clone)]
pub struct DynamoCrmLinks(Table);

impl DynamoCrmLinks {
    /// What this adapter does.
    pub const ACTIONS: &[Action] = &[Resource::Entities.may(QUERY)];

    /// On the entities table.
    pub fn new(entities: Table) -> Self {
        Self(entities)
    }
}

#[async_trait]
impl CrmLinkReads for DynamoCrmLinks {
    async fn of_account(
        &self,
        user: UserId,
        account: AccountId,
    ) -> Result<Vec<CrmLink>, StoreError> {
        const OPERATION: &str = "list an account's CRM links";
        let query = Query::new(keys::crm_links(user, account))
            .newest_first()
            .consistent();
        let items = self.0.query_all(OPERATION, &query).await?;
        codec::read_all(OPERATION, items, codec::record)
    }

    async fn accounts_of(
        &self,
        user: UserId,
        entity: &CrmEntity,
    ) -> Result<BTreeSet<AccountId>, StoreError> {
        const OPERATION: &str = "find the accounts of a CRM record";
        let query = Query {
            select: Wanted::Keys,
            ..Query::new(keys::crm_lookups(user, entity))
        };
        let items = self.0.query_all(OPERATION, &query).await?;
        let accounts = codec::read_all(OPERATION, items, |item| {
            keys::crm_lookup_account(codec::text_of(&item, SK)?).ok_or(CodecError::Form(SK))
        })?;
        Ok(accounts.into_iter().collect())
    }
}

/// [`CrmLinkWrites`] on the entities table.
#[derive(Debug, Clone)]
pub struct DynamoCrmLinkWrites(Table);

impl DynamoCrmLinkWrites {
    /// What this adapter does.
    pub const ACTIONS: &[Action] = &[Resource::Entities.may(PUT), Resource::Entities.may(DELETE)];

    /// On the entities table.
    pub fn new(entities: Table) -> Self {
        Self(entities)
    }
}

/// The place of the link in both transactions, after the account.
const LINK: usize = 1;

#[async_trait]
impl CrmLinkWrites for DynamoCrmLinkWrites {
    async fn create(&self, account: &Account, link: &CrmLink) -> Result<Replaced, StoreError> {
        const OPERATION: &str = "create a CRM link";
        let absent = Expression::new("attribute_not_exists(#pk)");
        let item = ItemBuilder::new(link_key(account.user, link))
            .data(link)
            .map_err(|error| error.during(OPERATION))?
            .build();
        let mut parts = vec![
            account_part(account).map_err(|error| error.during(OPERATION))?,
            Part::Put(item.clone(), Some(absent.clone())),
        ];
        parts.extend(lookup_keys(account.user, link).map(|key| {
            let lookup = ItemBuilder::new(key).build();
            Part::Put(lookup, Some(absent.clone()))
        }));
        Ok(match self.0.transact(OPERATION, parts).await? {
            Transacted::Done => Replaced::Done,
            // The account alone cannot tell: another link made at the same instant leaves the same one.
            Transacted::Refused(refusals) => match refusals.of(LINK) {
                Some(there) if codec::says_the_same(there, &item) => Replaced::Done,
                _ => Replaced::Stale,
            },
        })
    }

    async fn remove(&self, account: &Account, link: &CrmLink) -> Result<Replaced, StoreError> {
        const OPERATION: &str = "remove a CRM link";
        let there = Expression::exists();
        let mut parts = vec![
            account_part(account).map_err(|error| error.during(OPERATION))?,
            Part::Delete(link_key(account.user, link), Some(there)),
        ];
        parts.extend(lookup_keys(account.user, link).map(|key| Part::Delete(key, None)));
        Ok(match self.0.transact(OPERATION, parts).await? {
            Transacted::Done => Replaced::Done,
            // A link that is gone was removed, by an earlier attempt of this or by somebody else.
            Transacted::Refused(refusals) if refusals.of(LINK).is_some() => Replaced::Done,
            Transacted::Refused(_) => Replaced::Stale,
        })
    }
}

/// The account at its next version. It reports nothing.
fn account_part(account: &Account) -> Result<Part, CodecError> {
    let condition = Expression::precedes(account.version);
    Ok(Part::Put(item_of(account, &[])?, Some(condition)))
}

/// What takes `link` of `user`'s away with its account.
pub(super) fn deletion(user: UserId, link: &CrmLink) -> impl Iterator<Item = Part> {
    let keys = std::iter::once(link_key(user, link)).chain(lookup_keys(user, link));
    keys.map(|key| Part::Delete(key, None))
}

fn link_key(user: UserId, link: &CrmLink) -> Key {
    keys::crm_link(user, link.account, link.id)
}

fn lookup_keys(user: UserId, link: &CrmLink) -> impl Iterator<Item = Key> {
    link.ids
        .each()
        .map(move |(kind, id)| keys::crm_lookup(user, kind, id, link))
}
