//! Connecting a mailbox.
//!
//! Nothing is connected to here (decision 15): the credentials are checked for what can be seen in them, sealed, and stored with the
//! account in one transaction, which also locks the address, counts against the plan and joins the pool.

use std::sync::Arc;

use agentwarm_core::account::{
    Account, AccountStatus, INITIAL_DAILY_LIMIT, INITIAL_REPUTATION, PoolMembership,
};
use agentwarm_core::audit::{Event, EventType};
use agentwarm_core::ids::{AccountId, PoolId, UserId};
use agentwarm_core::plan::PlanLimitReached;
use agentwarm_core::pool::{DEFAULT_POOL_NAME, Pool, PoolOverrides};
use agentwarm_core::rate::{Rate, Score};
use agentwarm_core::seed::Seed;
use jiff::Timestamp;
use tokio::time::Instant;

use super::input::{NewAccount, ValidAccount, servers_of};
use super::read::LiveAccount;
use crate::batch;
use crate::credentials;
use crate::error::{AppError, Problem};
use crate::ports::accounts::{AccountCreated, AccountLife};
use crate::ports::clock::{Clock, Entropy};
use crate::ports::endpoints::EndpointRules;
use crate::ports::pools::PoolWrites;
use crate::ports::vault::{Sealed, Vault};
use crate::tenant::Tenant;

/// Creates accounts.
#[derive(Clone)]
pub struct CreateAccount {
    /// Where they are stored.
    pub accounts: Arc<dyn AccountLife>,
    /// Where the default pool is made.
    pub pools: Arc<dyn PoolWrites>,
    /// Seals their credentials.
    pub vault: Arc<dyn Vault>,
    /// Which servers may be named.
    pub endpoints: Arc<dyn EndpointRules>,
    /// When.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub entropy: Arc<dyn Entropy>,
}

impl CreateAccount {
    /// Creates the account that `new` describes.
    ///
    /// [`AppError::Invalid`] with all that is wrong, [`AppError::AccountAlreadyExists`], [`AppError::PoolNotFound`],
    /// [`AppError::PlanLimit`].
    pub async fn create(&self, tenant: &Tenant, new: NewAccount) -> Result<LiveAccount, AppError> {
        let valid = new.validated(self.endpoints.as_ref())?;
        let account = self.new_account(tenant.user, &valid);
        let sealed = credentials::seal(
            self.vault.as_ref(),
            account.user,
            account.id,
            &valid.credentials,
        )
        .await?;
        match valid.pool {
            Some(pool) => self.store(tenant, &account, &sealed, pool).await,
            None => self.store_in_default_pool(tenant, &account, &sealed).await,
        }?;
        Ok(LiveAccount::without_days(account))
    }

    /// Creates several accounts, each by itself, one after the other: they count against one limit.
    pub async fn create_each(
        &self,
        tenant: &Tenant,
        new: Vec<Result<NewAccount, Vec<Problem>>>,
        deadline: Instant,
    ) -> Vec<Result<LiveAccount, AppError>> {
        let late = || AppError::OutOfTime;
        batch::each(new, 1, deadline, late, |new| async {
            self.create(tenant, new.map_err(AppError::Invalid)?).await
        })
        .await
    }

    fn new_account(&self, user: UserId, valid: &ValidAccount) -> Account {
        let now = self.clock.schedule();
        let pool = valid.pool.unwrap_or_else(|| default_pool_id(user));
        Account {
            id: AccountId::new(now, self.entropy.bits()),
            user,
            email: valid.email.clone(),
            display_name: valid.display_name.clone(),
            provider: valid.provider,
            status: AccountStatus::Active,
            status_reason: None,
            status_since: Some(now),
            interrupted: None,
            zone: valid.zone.clone(),
            pools: vec![PoolMembership {
                pool,
                joined_at: now,
            }],
            warmup: None,
            current_daily_limit: INITIAL_DAILY_LIMIT,
            persona: None,
            servers: servers_of(&valid.credentials),
            total_sent: 0,
            total_received: 0,
            totals_through: None,
            bounce_rate: Rate::ZERO,
            spam_rate: Rate::ZERO,
            reputation: Score::clamped(INITIAL_REPUTATION),
            created_at: now,
            updated_at: now,
            version: 0,
        }
    }

    async fn store(
        &self,
        tenant: &Tenant,
        account: &Account,
        sealed: &Sealed,
        pool: PoolId,
    ) -> Result<(), AppError> {
        match self.try_store(tenant, account, sealed, pool).await? {
            Stored::Done => Ok(()),
            Stored::PoolGone => Err(AppError::PoolNotFound),
        }
    }

    /// The default pool is made when the first account finds it missing, so that all others cost no look at it.
    async fn store_in_default_pool(
        &self,
        tenant: &Tenant,
        account: &Account,
        sealed: &Sealed,
    ) -> Result<(), AppError> {
        let pool = default_pool_id(tenant.user);
        if let Stored::Done = self.try_store(tenant, account, sealed, pool).await? {
            return Ok(());
        }
        self.make_default_pool(tenant, account.created_at).await?;
        match self.try_store(tenant, account, sealed, pool).await? {
            Stored::Done => Ok(()),
            Stored::PoolGone => Err(AppError::PoolAssignmentFailed),
        }
    }

    async fn try_store(
        &self,
        tenant: &Tenant,
        account: &Account,
        sealed: &Sealed,
        pool: PoolId,
    ) -> Result<Stored, AppError> {
        let max = tenant.limits().accounts;
        let event = Event::account(
            EventType::AccountCreated,
            account.id,
            tenant.actor(),
            account.created_at,
        )
        .with("email", account.email.as_str())
        .with("provider", account.provider.as_str());
        let created = self.accounts.create(account, sealed, pool, max, event);
        match created.await? {
            AccountCreated::Done => Ok(Stored::Done),
            AccountCreated::PoolGone => Ok(Stored::PoolGone),
            AccountCreated::AddressTaken => Err(AppError::AccountAlreadyExists),
            AccountCreated::LimitReached { current } => {
                Err(AppError::PlanLimit(PlanLimitReached {
                    limit: "accounts",
                    plan: tenant.plan,
                    max,
                    current,
                }))
            }
        }
    }

    async fn make_default_pool(&self, tenant: &Tenant, now: Timestamp) -> Result<(), AppError> {
        let pool = Pool {
            id: default_pool_id(tenant.user),
            name: DEFAULT_POOL_NAME.to_owned(),
            description: None,
            member_count: 0,
            overrides: PoolOverrides::default(),
            created_at: now,
            updated_at: now,
            version: 0,
        };
        let event = crate::pools::created_event(&pool, tenant.actor(), now);
        // Exists: another create made it between our two attempts.
        let _ = self.pools.create(tenant.user, &pool, Some(event)).await?;
        Ok(())
    }
}

enum Stored {
    Done,
    PoolGone,
}

/// The id of a user's default pool. It follows from the user alone, so that two creates at the same moment make one pool; its time is
/// therefore the epoch, which they need not agree on.
pub fn default_pool_id(user: UserId) -> PoolId {
    let seed = Seed::root(b"agentwarm/default-pool").child_bytes("user", user.as_uuid().as_bytes());
    PoolId::seeded(Timestamp::UNIX_EPOCH, &seed)
}
