//! Users, as the operator makes and rescues them (decision 2). No endpoint does this.

use std::sync::Arc;

use agentwarm_core::ids::UserId;
use agentwarm_core::plan::Plan;

use crate::error::AppError;
use crate::keys::{IssuedKey, Keys};
use crate::ports::clock::{Clock, Entropy};
use crate::ports::keys::{ApiKeys, User};

/// What the first key of a user is called.
pub const FIRST_KEY_NAME: &str = "First key";

/// What a key for a user who was locked out is called.
pub const RECOVERY_KEY_NAME: &str = "Recovery key";

/// The operator's commands.
#[derive(Clone)]
pub struct Users {
    /// Users and keys.
    pub keys: Arc<dyn ApiKeys>,
    /// When.
    pub clock: Arc<dyn Clock>,
    /// Ids and keys.
    pub entropy: Arc<dyn Entropy>,
}

impl Users {
    /// Makes a user on `plan` and their first key. If it dies between the two, it leaves a user without keys, who owns nothing and costs
    /// nothing: run it again.
    pub async fn create(&self, plan: Plan) -> Result<(User, IssuedKey), AppError> {
        let now = self.clock.wall();
        let user = User {
            id: UserId::new(now, self.entropy.bits()),
            plan,
            created_at: now,
        };
        // Exists: the store took it and its first answer was lost. Ids are 74 random bits; nobody else has this one.
        let _ = self.keys.create_user(&user).await?;
        let issued = self.issue(user.id, FIRST_KEY_NAME).await?;
        Ok((user, issued))
    }

    /// Makes a key for a user who is locked out, over the plan's limit if need be.
    pub async fn recover_key(&self, user: UserId) -> Result<IssuedKey, AppError> {
        if self.keys.user(user).await?.is_none() {
            return Err(AppError::UserNotFound);
        }
        self.issue(user, RECOVERY_KEY_NAME).await
    }

    async fn issue(&self, user: UserId, name: &str) -> Result<IssuedKey, AppError> {
        let keys = Keys {
            keys: Arc::clone(&self.keys),
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
        };
        keys.issue(user, name, None)
            .await?
            .map_err(|_| AppError::Inconsistent("a limit was reached where none was set"))
    }
}
