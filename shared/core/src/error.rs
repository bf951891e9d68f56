//! The API's error codes: a closed vocabulary that clients branch on (API reference §21, decision 5).
//!
//! Only names and hints stand here. HTTP statuses belong to the one mapping in the HTTP kit; domain errors elsewhere in this crate and
//! in `app` are types of their own and say which code they become through that mapping.

use core::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $action:literal;)*) => {
        /// What went wrong, for machines.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ErrorCode {
            $($(#[$doc])* $variant,)*
        }

        impl ErrorCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What the client should try next.
            pub const fn action(self) -> &'static str {
                match self { $(Self::$variant => $action,)* }
            }
        }
    };
}

codes! {
    /// The account does not exist, or is another user's.
    AccountNotFound = "ACCOUNT_NOT_FOUND", "verify_account_id";
    /// The address is registered.
    AccountAlreadyExists = "ACCOUNT_ALREADY_EXISTS", "use_existing_account";
    /// Start was called on a warming account.
    AccountAlreadyWarming = "ACCOUNT_ALREADY_WARMING", "no_action_needed";
    /// Warmup needs a pool.
    AccountNotInPool = "ACCOUNT_NOT_IN_POOL", "add_account_to_pool_first";
    /// The account's status does not allow this.
    AccountInvalidStatusTransition = "ACCOUNT_INVALID_STATUS_TRANSITION", "check_current_status";
    /// Resume was called on an account that never started.
    AccountNeverWarmed = "ACCOUNT_NEVER_WARMED", "use_start_endpoint_instead";
    /// The pool could not be assigned.
    AccountPoolAssignmentFailed = "ACCOUNT_POOL_ASSIGNMENT_FAILED", "retry_or_check_pool";
    /// The mail server could not be used.
    AccountConnectionFailed = "ACCOUNT_CONNECTION_FAILED", "verify_credentials";
    /// No schedule for that date.
    WarmupScheduleNotFound = "WARMUP_SCHEDULE_NOT_FOUND", "check_date_and_account_id";
    /// The pool does not exist, or is another user's.
    WarmupPoolNotFound = "WARMUP_POOL_NOT_FOUND", "verify_pool_id";
    /// A configuration value is out of range.
    WarmupConfigInvalid = "WARMUP_CONFIG_INVALID", "fix_config_values";
    /// The address is not on the suppression list.
    SuppressionNotFound = "SUPPRESSION_NOT_FOUND", "verify_email_address";
    /// The API key does not exist, or is another user's.
    ApiKeyNotFound = "API_KEY_NOT_FOUND", "verify_key_id";
    /// The account has no such CRM link.
    CrmLinkNotFound = "CRM_LINK_NOT_FOUND", "verify_crm_link_id";
    /// No `Authorization` header.
    AuthMissingHeader = "AUTH_MISSING_HEADER", "add_authorization_bearer_header";
    /// The header is not `Bearer aw_…`.
    AuthInvalidFormat = "AUTH_INVALID_FORMAT", "use_bearer_token_format";
    /// The key is unknown or revoked.
    AuthInvalidKey = "AUTH_INVALID_KEY", "verify_api_key";
    /// Too many requests.
    RateLimitExceeded = "RATE_LIMIT_EXCEEDED", "wait_and_retry_after_header";
    /// The idempotency key was used for another request.
    IdempotencyKeyReuse = "IDEMPOTENCY_KEY_REUSE", "use_new_idempotency_key";
    /// A request with this idempotency key is being carried out.
    IdempotencyInProgress = "IDEMPOTENCY_IN_PROGRESS", "wait_and_retry_after_header";
    /// A mail may or may not have been sent.
    SendOutcomeUnknown = "SEND_OUTCOME_UNKNOWN", "look_for_message_id_before_resending";
    /// Some items of a batch failed.
    BatchPartialFailure = "BATCH_PARTIAL_FAILURE", "check_individual_results";
    /// The request is not what the reference describes, or a plan limit is reached.
    ValidationFailed = "VALIDATION_FAILED", "fix_request_body";
    /// Nothing lives at this path.
    NotFound = "NOT_FOUND", "check_path_in_api_docs";
    /// The path exists, this method on it does not.
    MethodNotAllowed = "METHOD_NOT_ALLOWED", "check_allow_header";
    /// The body is larger than we take.
    PayloadTooLarge = "PAYLOAD_TOO_LARGE", "send_a_smaller_body";
    /// The deployment has no transport or credentials for this provider.
    ProviderNotConfigured = "PROVIDER_NOT_CONFIGURED", "configure_provider";
    /// A service we depend on does not answer.
    ProviderUnavailable = "PROVIDER_UNAVAILABLE", "retry_later";
    /// Our fault.
    InternalError = "INTERNAL_ERROR", "retry_or_contact_support";
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_distinct_and_spelt_in_the_documented_style() {
        let names: BTreeSet<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), ErrorCode::ALL.len());
        for code in ErrorCode::ALL {
            assert!(
                code.as_str()
                    .bytes()
                    .all(|b| b.is_ascii_uppercase() || b == b'_'),
                "{code}"
            );
            assert!(
                code.action()
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b == b'_'),
                "{code}"
            );
        }
    }
}
