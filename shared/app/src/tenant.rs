//! On whose behalf a use case runs.

use agentwarm_core::audit::Actor;
use agentwarm_core::ids::UserId;
use agentwarm_core::plan::{Plan, PlanLimits};

use crate::ports::keys::{KeyOwner, User};

/// An authenticated user and their plan. Use cases reach data only through the user named here, so one that was given a tenant cannot
/// touch another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tenant {
    /// The user.
    pub user: UserId,
    /// Their plan.
    pub plan: Plan,
}

impl Tenant {
    /// Who the audit log names for what this tenant does.
    pub fn actor(&self) -> Actor {
        Actor::User(self.user)
    }

    /// What the plan allows.
    pub fn limits(&self) -> PlanLimits {
        self.plan.limits()
    }
}

impl From<KeyOwner> for Tenant {
    fn from(owner: KeyOwner) -> Self {
        Self {
            user: owner.user,
            plan: owner.plan,
        }
    }
}

impl From<&User> for Tenant {
    fn from(user: &User) -> Self {
        Self {
            user: user.id,
            plan: user.plan,
        }
    }
}
