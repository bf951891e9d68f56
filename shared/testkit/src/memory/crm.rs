//! Links between accounts and the records of CRMs.

use std::collections::{BTreeMap, BTreeSet};

use agentwarm_app::ports::crm::{CrmLinkReads, CrmLinkWrites};
use agentwarm_app::ports::{Replaced, StoreError};
use agentwarm_core::account::Account;
use agentwarm_core::crm::{CrmEntity, CrmLink};
use agentwarm_core::ids::{AccountId, CrmLinkId, UserId};
use async_trait::async_trait;

use super::MemoryStore;

/// Links by account.
#[derive(Debug, Default)]
pub(super) struct CrmItems(BTreeMap<(UserId, AccountId, CrmLinkId), CrmLink>);

impl CrmItems {
    pub(super) fn remove(&mut self, user: UserId, link: &CrmLink) {
        self.0.remove(&(user, link.account, link.id));
    }

    fn of(&self, user: UserId) -> impl DoubleEndedIterator<Item = &CrmLink> {
        let of_user = self.0.iter().filter(move |((owner, ..), _)| *owner == user);
        of_user.map(|(_, link)| link)
    }
}

#[async_trait]
impl CrmLinkReads for MemoryStore {
    async fn of_account(
        &self,
        user: UserId,
        account: AccountId,
    ) -> Result<Vec<CrmLink>, StoreError> {
        self.run("crm_links.of_account", |state| {
            let of_user = state.crm.of(user).rev();
            of_user
                .filter(|link| link.account == account)
                .cloned()
                .collect()
        })
        .await
    }

    async fn accounts_of(
        &self,
        user: UserId,
        entity: &CrmEntity,
    ) -> Result<BTreeSet<AccountId>, StoreError> {
        self.run("crm_links.accounts_of", |state| {
            let of_entity = state.crm.of(user).filter(|link| link.is_of(entity));
            of_entity.map(|link| link.account).collect()
        })
        .await
    }
}

#[async_trait]
impl CrmLinkWrites for MemoryStore {
    async fn create(&self, account: &Account, link: &CrmLink) -> Result<Replaced, StoreError> {
        self.run_replace("crm_links.create", |state| {
            if !state.account_is_next(account) {
                return Replaced::Stale;
            }
            let key = (account.user, link.account, link.id);
            state.crm.0.insert(key, link.clone());
            state.put_account(account, Vec::new());
            Replaced::Done
        })
        .await
    }

    async fn remove(&self, account: &Account, link: &CrmLink) -> Result<Replaced, StoreError> {
        self.run_replace("crm_links.remove", |state| {
            if !state.account_is_next(account) {
                return Replaced::Stale;
            }
            state.crm.remove(account.user, link);
            state.put_account(account, Vec::new());
            Replaced::Done
        })
        .await
    }
}
