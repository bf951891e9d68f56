//! What can go wrong in a use case, as a type that knows neither HTTP nor AWS.
//!
//! Which to use where:
//!
//! - The caller asked for something that cannot be: a variant of its own. Its [`Display`](std::fmt::Display) is what the client reads.
//! - The caller's input breaks rules: [`AppError::Invalid`] with every [`Problem`] at once (decision 6).
//! - A plan does not allow it: [`AppError::PlanLimit`] (decision 10).
//! - A port failed: `?` turns its error into [`AppError::Store`], [`AppError::Vault`] or [`AppError::Queue`]. The client learns nothing of it
//!   but that trying again may help; the log gets the whole chain through [`std::error::Error::source`].
//! - Others kept writing the same item: [`AppError::Busy`].
//!
//! [`AppError::code`] is the one place that says which documented code each becomes; statuses belong to the HTTP kit.

use agentwarm_core::account::Provider;
use agentwarm_core::error::ErrorCode;
use agentwarm_core::mail::message_id::MessageId;
use agentwarm_core::plan::PlanLimitReached;
use agentwarm_core::pool::ConfigProblem;
use agentwarm_core::warmup::transition::TransitionError;
use serde_json::{Value, json};

use crate::credentials::CredentialsError;
use crate::engine::EngineError;
use crate::mailbox::{DailyLimitReached, MailRefused};
use crate::ports::StoreError;
use crate::ports::mail::ConnectFailure;
use crate::ports::queue::QueueError;
use crate::ports::vault::VaultError;

/// Where a user gets a larger plan (API reference §22).
pub const UPGRADE_URL: &str = "/console/dashboard";

/// One thing that is wrong with an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where: the field's path on the wire, such as `credentials.imapPort`.
    pub path: String,
    /// What is wrong with it, to be read after the path.
    pub message: String,
}

/// Why a use case did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The account does not exist, or is another user's (decision 4).
    #[error("Account not found")]
    AccountNotFound,
    /// The address is registered, by whomever (decision 15).
    #[error("An account with this email address already exists")]
    AccountAlreadyExists,
    /// The account's status, or its being in no pool, does not allow this (decisions 16, 17).
    #[error("Not possible: {0}")]
    Transition(#[from] TransitionError),
    /// The default pool vanished between its making and its use.
    #[error("The account could not be put into a pool")]
    PoolAssignmentFailed,
    /// No schedule for that date.
    #[error("No warmup schedule for that date")]
    ScheduleNotFound,
    /// The pool does not exist, or is another user's.
    #[error("Warmup pool not found")]
    PoolNotFound,
    /// A pool's configuration would be out of range or contradict itself.
    #[error("The pool configuration is invalid")]
    PoolConfigInvalid(Vec<ConfigProblem>),
    /// The address is not on the user's suppression list.
    #[error("The address is not suppressed")]
    SuppressionNotFound,
    /// The API key does not exist, or is another user's.
    #[error("API key not found")]
    ApiKeyNotFound,
    /// The account has no such CRM link.
    #[error("CRM link not found")]
    CrmLinkNotFound,
    /// The user does not exist. Only the operator names users.
    #[error("User not found")]
    UserNotFound,
    /// The input breaks rules; all of it is said at once.
    #[error("The request is invalid")]
    Invalid(Vec<Problem>),
    /// The user's plan does not allow more.
    #[error("Plan limit reached: {0}")]
    PlanLimit(PlanLimitReached),
    /// Test mode does not allow more today.
    #[error("Limit reached: {0}")]
    DailyLimit(DailyLimitReached),
    /// A mail server refused a mail; nobody got it.
    #[error(transparent)]
    MailRefused(Box<MailRefused>),
    /// A mail was or was not sent, and nobody can tell; it is not sent again (decision 8).
    #[error(
        "The mail may have been sent: look for details.messageId among the account's messages with ?folder=Sent, or ask its recipients. To \
         send it once more, use a new Idempotency-Key"
    )]
    SendOutcomeUnknown(MessageId),
    /// Others wrote the item each time between our reading and our writing it. Nothing was changed; the same request may be sent again.
    #[error("{what} is being changed by others right now; try again")]
    Busy {
        /// What: `The account`, `The pool`.
        what: &'static str,
    },
    /// A batch had no time left for this item. Nothing of it was begun, or what was begun can be repeated.
    #[error("there was no time left for this one; ask again for it")]
    OutOfTime,
    /// Mailboxes of this provider can be connected, and not used yet.
    #[error("{} mailboxes cannot be used by this deployment yet", .0.as_str())]
    ProviderNotConfigured(Provider),
    /// The mail server could not be used.
    #[error("{0}")]
    ConnectionFailed(ConnectFailure),
    /// The store failed.
    #[error("The service is temporarily unable to do this")]
    Store(#[from] StoreError),
    /// The vault failed.
    #[error("The service is temporarily unable to do this")]
    Vault(#[from] VaultError),
    /// Credentials could not be sealed or opened.
    #[error("The service is temporarily unable to do this")]
    Credentials(#[from] CredentialsError),
    /// A queue failed.
    #[error("The service is temporarily unable to do this")]
    Queue(#[from] QueueError),
    /// The engine failed while a request waited for it.
    #[error("The service is temporarily unable to do this")]
    Engine(#[from] EngineError),
    /// Something that cannot be, is: an account without credentials, say. The text is for the log.
    #[error("An unexpected error occurred")]
    Inconsistent(&'static str),
}

impl Problem {
    /// A problem with the field at `path`.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            message: message.into(),
        }
    }
}

impl AppError {
    /// A single problem with an input.
    pub fn invalid(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(vec![Problem::new(path, message)])
    }

    /// The documented code (API reference §21, decision 5).
    ///
    /// [`AppError::Busy`] is `PROVIDER_UNAVAILABLE`, not a 409: nothing is wrong with the request, and its hint, to retry later, is the
    /// right one.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::AccountNotFound => ErrorCode::AccountNotFound,
            Self::AccountAlreadyExists => ErrorCode::AccountAlreadyExists,
            Self::Transition(error) => match error {
                TransitionError::AlreadyWarming => ErrorCode::AccountAlreadyWarming,
                TransitionError::NeverWarmed => ErrorCode::AccountNeverWarmed,
                TransitionError::NotInPool => ErrorCode::AccountNotInPool,
                TransitionError::Invalid { .. } => ErrorCode::AccountInvalidStatusTransition,
            },
            Self::PoolAssignmentFailed => ErrorCode::AccountPoolAssignmentFailed,
            Self::ScheduleNotFound => ErrorCode::WarmupScheduleNotFound,
            Self::PoolNotFound => ErrorCode::WarmupPoolNotFound,
            Self::PoolConfigInvalid(_) => ErrorCode::WarmupConfigInvalid,
            Self::SuppressionNotFound => ErrorCode::SuppressionNotFound,
            Self::ApiKeyNotFound => ErrorCode::ApiKeyNotFound,
            Self::CrmLinkNotFound => ErrorCode::CrmLinkNotFound,
            Self::UserNotFound => ErrorCode::NotFound,
            Self::Invalid(_) | Self::PlanLimit(_) | Self::DailyLimit(_) => {
                ErrorCode::ValidationFailed
            }
            Self::MailRefused(refused) => refused.code(),
            Self::SendOutcomeUnknown(_) => ErrorCode::SendOutcomeUnknown,
            Self::ProviderNotConfigured(_) => ErrorCode::ProviderNotConfigured,
            Self::ConnectionFailed(_) => ErrorCode::AccountConnectionFailed,
            Self::Busy { .. }
            | Self::OutOfTime
            | Self::Store(StoreError::Unavailable { .. })
            | Self::Vault(VaultError::Unavailable(_))
            | Self::Credentials(CredentialsError::Vault(VaultError::Unavailable(_)))
            | Self::Queue(_) => ErrorCode::ProviderUnavailable,
            Self::Store(StoreError::Corrupt { .. })
            | Self::Vault(VaultError::Unreadable)
            | Self::Credentials(_)
            | Self::Inconsistent(_) => ErrorCode::InternalError,
            Self::Engine(error) => engine_code(error),
        }
    }

    /// What is wrong with which part of the input, for the `errors` of the answer (decision 5).
    pub fn problems(&self) -> Vec<Problem> {
        match self {
            Self::Invalid(problems) => problems.clone(),
            Self::PoolConfigInvalid(problems) => problems
                .iter()
                .map(|problem| Problem::new(problem.field, problem.problem.as_str()))
                .collect(),
            Self::MailRefused(refused) => refused.problems(),
            _ => Vec::new(),
        }
    }

    /// The numbers behind it, for the `details` of the answer (decisions 10, 17).
    pub fn details(&self) -> Option<Value> {
        match self {
            Self::PlanLimit(reached) => Some(json!({
                "limit": reached.limit,
                "plan": reached.plan.as_str(),
                "max": reached.max,
                "current": reached.current,
                "upgradeUrl": UPGRADE_URL,
            })),
            Self::DailyLimit(reached) => Some(json!({
                "limit": "testMode.maxDailyEmails",
                "max": reached.max,
                "current": reached.current,
            })),
            Self::MailRefused(refused) => Some(refused.details()),
            Self::SendOutcomeUnknown(message_id) => {
                Some(json!({ "messageId": message_id.bracketed() }))
            }
            Self::Transition(TransitionError::Invalid { status, phase, .. }) => {
                let mut details = json!({ "status": status.as_str() });
                if let (Some(phase), Some(details)) = (phase, details.as_object_mut()) {
                    details.insert("phase".to_owned(), phase.as_str().into());
                }
                Some(details)
            }
            _ => None,
        }
    }

    /// Whether the log needs to hear of it: it is ours, not the caller's.
    pub fn is_ours(&self) -> bool {
        matches!(
            self.code(),
            ErrorCode::InternalError
                | ErrorCode::ProviderUnavailable
                | ErrorCode::AccountPoolAssignmentFailed
        )
    }
}

/// Of the engine's errors only those are ours alone that trying again would meet again.
fn engine_code(error: &EngineError) -> ErrorCode {
    match error {
        EngineError::Store(StoreError::Unavailable { .. })
        | EngineError::Vault(VaultError::Unavailable(_))
        | EngineError::Queue(_)
        | EngineError::Contended(_)
        | EngineError::Held(_) => ErrorCode::ProviderUnavailable,
        EngineError::Store(StoreError::Corrupt { .. })
        | EngineError::Vault(VaultError::Unreadable)
        | EngineError::Credentials(_)
        | EngineError::Compose(_) => ErrorCode::InternalError,
    }
}

#[cfg(test)]
mod tests {
    use agentwarm_core::account::{AccountStatus, WarmupPhase};
    use agentwarm_core::plan::Plan;
    use agentwarm_core::warmup::transition::Operation;

    use super::*;

    #[test]
    fn a_plan_limit_says_all_that_an_upgrade_needs() {
        let error = AppError::PlanLimit(PlanLimitReached {
            limit: "accounts",
            plan: Plan::Free,
            max: 3,
            current: 3,
        });
        assert_eq!(error.code(), ErrorCode::ValidationFailed);
        assert_eq!(
            error.to_string(),
            "Plan limit reached: the free plan allows 3 accounts"
        );
        assert_eq!(
            error.details().unwrap(),
            json!({ "limit": "accounts", "plan": "free", "max": 3, "current": 3, "upgradeUrl": "/console/dashboard" })
        );
    }

    #[test]
    fn a_graduated_account_is_told_that_it_is_the_phase() {
        let error = AppError::from(TransitionError::Invalid {
            operation: Operation::Start,
            status: AccountStatus::Active,
            phase: Some(WarmupPhase::Graduated),
        });
        assert_eq!(
            error.to_string(),
            "Not possible: an account that is graduated cannot be started; to begin again, start it with ?restart=true"
        );
        assert_eq!(
            error.details().unwrap(),
            json!({ "status": "active", "phase": "graduated" })
        );
    }

    #[test]
    fn what_a_port_says_reaches_the_log_and_not_the_client() {
        let error = AppError::from(StoreError::Unavailable {
            operation: "accounts.get",
            source: "secret endpoint name".into(),
        });
        assert_eq!(error.code(), ErrorCode::ProviderUnavailable);
        assert!(!error.to_string().contains("secret"));
        let source = std::error::Error::source(&error).unwrap();
        assert_eq!(source.source().unwrap().to_string(), "secret endpoint name");
    }
}
