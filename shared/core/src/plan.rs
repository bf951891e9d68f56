//! The plans a user can be on and what each allows (API reference §22).

use serde::{Deserialize, Serialize};

/// A user's plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Plan {
    /// Free.
    Free,
    /// Pro.
    Pro,
    /// Enterprise.
    Enterprise,
}

/// What a plan allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanLimits {
    /// Email accounts.
    pub accounts: u32,
    /// API keys.
    pub api_keys: u32,
    /// Mails per account and day.
    pub daily_emails_per_account: u32,
    /// Mails per UTC day for the user as a whole, where the plan is sold that way (decision 10).
    pub daily_emails_total: Option<u32>,
    /// Days that analytics and the audit log are kept.
    pub retention_days: u16,
}

/// A limit that a request ran into: the `details` of its `VALIDATION_FAILED` (decision 10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the {} plan allows {max} {limit}", plan.as_str())]
pub struct PlanLimitReached {
    /// What is limited, as in `accounts` or `apiKeys`.
    pub limit: &'static str,
    /// The user's plan.
    pub plan: Plan,
    /// How many it allows.
    pub max: u32,
    /// How many there are.
    pub current: u32,
}

impl Plan {
    /// Its name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Pro => "pro",
            Self::Enterprise => "enterprise",
        }
    }

    /// What it allows.
    pub const fn limits(self) -> PlanLimits {
        match self {
            Self::Free => PlanLimits {
                accounts: 3,
                api_keys: 1,
                daily_emails_per_account: 20,
                daily_emails_total: None,
                retention_days: 7,
            },
            Self::Pro => PlanLimits {
                accounts: 50,
                api_keys: 5,
                daily_emails_per_account: 40,
                daily_emails_total: None,
                retention_days: 90,
            },
            Self::Enterprise => PlanLimits {
                accounts: 10_000,
                api_keys: 50,
                daily_emails_per_account: 50_000,
                daily_emails_total: Some(50_000),
                retention_days: 365,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_allow_what_the_reference_says() {
        // API reference §22: accounts, keys, mails per account, mails in all, days.
        for (plan, documented) in [
            (Plan::Free, (3, 1, 20, None, 7)),
            (Plan::Pro, (50, 5, 40, None, 90)),
            (Plan::Enterprise, (10_000, 50, 50_000, Some(50_000), 365)),
        ] {
            let limits = plan.limits();
            let ours = (
                limits.accounts,
                limits.api_keys,
                limits.daily_emails_per_account,
                limits.daily_emails_total,
                limits.retention_days,
            );
            assert_eq!(ours, documented, "{}", plan.as_str());
        }
    }
}
