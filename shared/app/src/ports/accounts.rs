//! Accounts and their sealed credentials.

use async_trait::async_trait;

use agentwarm_core::account::{Account, AccountStatus, Provider};
use agentwarm_core::audit::Event;
use agentwarm_core::crm::CrmLink;
use agentwarm_core::ids::{AccountId, PoolId, UserId};

use super::vault::Sealed;
use super::{PageOf, PageRequest, Replaced, StoreError};

/// Which accounts a list shows (API reference §3).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountFilter {
    /// Only this status.
    pub status: Option<AccountStatus>,
    /// Only this provider.
    pub provider: Option<Provider>,
    /// Only addresses that contain this, whatever the case (decision 33).
    pub email: Option<String>,
    /// Only addresses of exactly this domain.
    pub domain: Option<String>,
}

impl AccountFilter {
    /// Whether it shows everything.
    pub fn is_open(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it shows `account`.
    pub fn shows(&self, account: &Account) -> bool {
        let email = account.email.as_str();
        self.status.is_none_or(|status| status == account.status)
            && self
                .provider
                .is_none_or(|provider| provider == account.provider)
            && self
                .email
                .as_ref()
                .is_none_or(|part| email.contains(&part.to_lowercase()))
            && self
                .domain
                .as_ref()
                .is_none_or(|domain| account.email.domain().eq_ignore_ascii_case(domain))
    }
}

/// What became of a new account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountCreated {
    /// It is stored, its address locked, its pool joined.
    Done,
    /// The address is registered, by whomever (decision 15).
    AddressTaken,
    /// The user has `current` accounts, as many as allowed.
    LimitReached {
        /// How many.
        current: u32,
    },
    /// The pool is gone.
    PoolGone,
}

/// Reading accounts.
#[async_trait]
pub trait AccountReads: Send + Sync {
    /// One account of `user`.
    async fn get(&self, user: UserId, account: AccountId) -> Result<Option<Account>, StoreError>;

    /// Those of `accounts` that exist, in any order.
    async fn get_many(
        &self,
        user: UserId,
        accounts: &[AccountId],
    ) -> Result<Vec<Account>, StoreError>;

    /// A user's accounts, newest first.
    async fn list(
        &self,
        user: UserId,
        filter: &AccountFilter,
        page: &PageRequest,
    ) -> Result<PageOf<Account>, StoreError>;

    /// Every account of a user, in any order: at most a plan's worth. For sums over all of them; a list shows pages.
    async fn all(&self, user: UserId) -> Result<Vec<Account>, StoreError>;

    /// An account's sealed credentials.
    async fn credentials(
        &self,
        user: UserId,
        account: AccountId,
    ) -> Result<Option<Sealed>, StoreError>;
}

/// Changing an account that exists.
#[async_trait]
pub trait AccountUpdates: Send + Sync {
    /// Writes `account` (whose `version` is one more than what it was read with) if nobody wrote in between; `events` ride along and
    /// leave once.
    async fn replace(&self, account: &Account, events: Vec<Event>) -> Result<Replaced, StoreError>;

    /// The same, with new credentials: both or neither.
    async fn reseal(
        &self,
        account: &Account,
        credentials: &Sealed,
        events: Vec<Event>,
    ) -> Result<Replaced, StoreError>;
}

/// Creating and deleting accounts.
#[async_trait]
pub trait AccountLife: Send + Sync {
    /// Creates the account, its address lock, its credentials and its membership in `pool`, all or nothing, unless the user has
    /// `max` accounts.
    async fn create(
        &self,
        account: &Account,
        credentials: &Sealed,
        pool: PoolId,
        max: u32,
        event: Event,
    ) -> Result<AccountCreated, StoreError>;

    /// Deletes the account with its lock, credentials, memberships and `links`, if `account` is its newest version. `links` are all that it
    /// has, read after `account` was: making or removing one makes that version stale. Its days stay until their TTL.
    async fn delete(
        &self,
        account: &Account,
        links: &[CrmLink],
        event: Event,
    ) -> Result<Replaced, StoreError>;
}
