//! The one error type of the HTTP side, and the one table of statuses.
//!
//! Which to use where:
//!
//! - A use case failed: `?`. [`AppError`] knows its code, its message for the client, its problems and details; the log gets the chain
//!   of causes when the failure is ours.
//! - A request cannot be read: the readers of [`super::fields`] make the error, with every offending path at once (decision 6).
//! - A path names what is not there: [`super::Request::path_id`] makes the resource's own 404, for malformed ids too (decision 4).
//! - Anything that is our fault: [`ApiError::internal`]. The client learns that it was ours; the cause goes to the log.
//! - Everything else: [`ApiError::new`] with a code and a sentence that a client may read.
//!
//! An error has two sides that never mix: the *message*, which the client sees, and the *cause*, which only the log sees. It is logged once,
//! at the edge, on the request's own line ([`super::serve`]); code below returns errors and does not log them.

use std::borrow::Cow;
use std::error::Error;

use agentwarm_app::error::{AppError, Problem};
use agentwarm_app::ports::StoreError;
use agentwarm_core::error::ErrorCode;
use agentwarm_core::ids::RequestId;
use http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::response::{Failure, Response};

/// Any error, for the log.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// The status of each code (API reference §21, decision 5). A new code does not compile until it has its line here.
pub const fn status_of(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::AccountNotInPool
        | ErrorCode::AccountInvalidStatusTransition
        | ErrorCode::AccountNeverWarmed
        | ErrorCode::AccountConnectionFailed
        | ErrorCode::WarmupConfigInvalid
        | ErrorCode::ValidationFailed => StatusCode::BAD_REQUEST,
        ErrorCode::BatchPartialFailure => StatusCode::MULTI_STATUS,
        ErrorCode::AuthMissingHeader | ErrorCode::AuthInvalidFormat => StatusCode::UNAUTHORIZED,
        ErrorCode::AuthInvalidKey => StatusCode::FORBIDDEN,
        ErrorCode::AccountNotFound
        | ErrorCode::WarmupScheduleNotFound
        | ErrorCode::WarmupPoolNotFound
        | ErrorCode::SuppressionNotFound
        | ErrorCode::ApiKeyNotFound
        | ErrorCode::CrmLinkNotFound
        | ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        ErrorCode::AccountAlreadyExists
        | ErrorCode::AccountAlreadyWarming
        | ErrorCode::IdempotencyKeyReuse
        | ErrorCode::IdempotencyInProgress
        | ErrorCode::SendOutcomeUnknown => StatusCode::CONFLICT,
        ErrorCode::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::RateLimitExceeded => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::AccountPoolAssignmentFailed | ErrorCode::InternalError => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
        ErrorCode::ProviderUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        // Not 503: trying again does not help.
        ErrorCode::ProviderNotConfigured => StatusCode::NOT_IMPLEMENTED,
    }
}

/// Why a request is not answered as asked. Boxed, because it is the rare side of every `Result` here.
#[derive(Debug)]
pub struct ApiError(Box<Parts>);

#[derive(Debug)]
struct Parts {
    code: ErrorCode,
    message: Cow<'static, str>,
    problems: Vec<Problem>,
    details: Option<Value>,
    headers: HeaderMap,
    cause: Option<BoxError>,
}

// Its doc comments are for clients: they stand in the OpenAPI document. Source: API reference §21, decision 5.
/// The body of every error.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Error")]
pub(super) struct ErrorBody<'a> {
    /// What went wrong, for people.
    error: &'a str,
    /// What went wrong, for machines: branch on this.
    code: &'a str,
    /// The HTTP status.
    #[schemars(range(min = 400, max = 599))]
    status_code: u16,
    /// What to try next.
    action: &'a str,
    /// Names this request in our logs.
    request_id: String,
    /// Every part of the input that is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    /// The numbers behind it, such as those of a plan's limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "std::collections::BTreeMap<String, Value>")]
    details: Option<&'a Value>,
}

/// One part of the input that is wrong.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct FieldError {
    /// Where: `credentials.imapPort`, `accounts[3].email`, a query parameter's or a header's name, or `body`.
    path: String,
    /// What is wrong with it, to be read after the path.
    message: String,
}

impl ApiError {
    /// An error with this code and a sentence for the client.
    pub fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Parts {
            code,
            message: message.into(),
            problems: Vec::new(),
            details: None,
            headers: HeaderMap::new(),
            cause: None,
        }))
    }

    /// The input is wrong in these places.
    pub fn invalid(problems: Vec<Problem>) -> Self {
        Self::new(ErrorCode::ValidationFailed, "The request is invalid").with_problems(problems)
    }

    /// The input is wrong in this place.
    pub fn invalid_at(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::invalid(vec![Problem::new(path, message)])
    }

    /// Our fault; `cause` is for the log.
    pub fn internal(cause: impl Into<BoxError>) -> Self {
        Self::new(ErrorCode::InternalError, "An unexpected error occurred").because(cause)
    }

    /// Adds what is wrong with which part of the input.
    #[must_use]
    pub fn with_problems(mut self, problems: Vec<Problem>) -> Self {
        self.0.problems = problems;
        self
    }

    /// Adds what the log should know and the client should not.
    #[must_use]
    pub fn because(mut self, cause: impl Into<BoxError>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// Says when trying again makes sense (RFC 9110 §10.2.3), in seconds.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        self.with_header(RETRY_AFTER, seconds.into())
    }

    /// Says which methods the resource has (RFC 9110 §10.2.1).
    pub(super) fn allow(self, methods: &str) -> Self {
        match HeaderValue::from_str(methods) {
            Ok(value) => self.with_header(ALLOW, value),
            Err(_) => self,
        }
    }

    /// Says how to authenticate, as each 401 must (RFC 9110 §11.6.1).
    pub(super) fn challenge(self) -> Self {
        self.with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.insert(name, value);
        self
    }

    /// The code.
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// The answer to the client, and what the log is to say about it.
    pub(super) fn into_response(self, request: RequestId) -> Response {
        let Self(parts) = self;
        let status = status_of(parts.code);
        let body = ErrorBody {
            error: &parts.message,
            code: parts.code.as_str(),
            status_code: status.as_u16(),
            action: parts.code.action(),
            request_id: request.to_string(),
            errors: parts.problems.into_iter().map(FieldError::from).collect(),
            details: parts.details.as_ref(),
        };
        // Strings and numbers always serialize.
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = Response::raw(status, "application/json", body);
        response.headers.extend(parts.headers);
        response.failure = Some(Failure {
            code: parts.code,
            cause: parts.cause.as_deref().map(|cause| chain(cause)),
        });
        response
    }
}

impl From<Problem> for FieldError {
    fn from(problem: Problem) -> Self {
        Self {
            path: problem.path,
            message: problem.message,
        }
    }
}

impl From<AppError> for ApiError {
    fn from(error: AppError) -> Self {
        let mut api = Self::new(error.code(), error.to_string()).with_problems(error.problems());
        api.0.details = error.details();
        if error.is_ours() {
            api = api.because(error);
        }
        api
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        AppError::from(error).into()
    }
}

/// An error and what caused it, on one line.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use agentwarm_core::plan::{Plan, PlanLimitReached};

    use super::*;

    fn shown(error: impl Into<ApiError>) -> (u16, Value) {
        let id = RequestId::from_uuid(uuid::Uuid::nil());
        let response = error.into().into_response(id);
        (
            response.status().as_u16(),
            serde_json::from_slice(response.body()).unwrap(),
        )
    }

    #[test]
    fn documented_codes_have_their_documented_statuses_and_actions() {
        // API reference §21, as far as the codes exist.
        let documented = "
            ACCOUNT_NOT_FOUND 404 verify_account_id
            ACCOUNT_ALREADY_EXISTS 409 use_existing_account
            ACCOUNT_ALREADY_WARMING 409 no_action_needed
            ACCOUNT_NOT_IN_POOL 400 add_account_to_pool_first
            ACCOUNT_INVALID_STATUS_TRANSITION 400 check_current_status
            ACCOUNT_NEVER_WARMED 400 use_start_endpoint_instead
            ACCOUNT_POOL_ASSIGNMENT_FAILED 500 retry_or_check_pool
            ACCOUNT_CONNECTION_FAILED 400 verify_credentials
            DOMAIN_NOT_FOUND 404 verify_domain_id
            DOMAIN_DNS_MISCONFIGURED 400 fix_dns_records
            DOMAIN_PROVISION_FAILED 500 check_mail_server_connectivity
            DOMAIN_DKIM_FAILED 500 retry_dkim_generation
            DOMAIN_BLACKLISTED 400 investigate_and_request_delisting
            WARMUP_SCHEDULE_NOT_FOUND 404 check_date_and_account_id
            WARMUP_POOL_NOT_FOUND 404 verify_pool_id
            WARMUP_CONFIG_INVALID 400 fix_config_values
            WEBHOOK_NOT_FOUND 404 verify_webhook_id
            WEBHOOK_INVALID_EVENTS 400 check_valid_event_types
            WEBHOOK_DELIVERY_NOT_FOUND 404 verify_delivery_id
            ONBOARDING_JOB_NOT_FOUND 404 verify_job_id
            ONBOARDING_FAILED 500 check_job_status_for_details
            AUTH_MISSING_HEADER 401 add_authorization_bearer_header
            AUTH_INVALID_FORMAT 401 use_bearer_token_format
            AUTH_INVALID_KEY 403 verify_api_key
            RATE_LIMIT_EXCEEDED 429 wait_and_retry_after_header
            VALIDATION_FAILED 400 fix_request_body
            IDEMPOTENCY_KEY_REUSE 409 use_new_idempotency_key
            BATCH_PARTIAL_FAILURE 207 check_individual_results
            COMPANY_NOT_FOUND 404 verify_company_id
            THREAD_NOT_FOUND 404 verify_thread_id
            SUPPRESSION_NOT_FOUND 404 verify_email_address
            INTERNAL_ERROR 500 retry_or_contact_support";
        let mut checked = 0;
        for line in documented.trim().lines() {
            let words: Vec<_> = line.split_whitespace().collect();
            let [name, status, action] = words[..] else {
                panic!("{line}");
            };
            if let Some(code) = ErrorCode::ALL.iter().find(|code| code.as_str() == name) {
                let ours = (status_of(*code), code.action());
                assert_eq!((ours.0.as_str(), ours.1), (status, action), "{name}");
                checked += 1;
            }
        }
        assert!(checked >= 19, "{checked}");
    }

    #[test]
    fn the_least_error_has_the_four_documented_fields_and_the_request() {
        let (_, body) = shown(ApiError::new(ErrorCode::NotFound, "Nothing is here"));
        insta::assert_json_snapshot!(body, @r#"
        {
          "error": "Nothing is here",
          "code": "NOT_FOUND",
          "statusCode": 404,
          "action": "check_path_in_api_docs",
          "requestId": "00000000-0000-0000-0000-000000000000"
        }
        "#);
    }

    #[test]
    fn problems_name_every_path() {
        let (_, body) = shown(AppError::Invalid(vec![
            Problem::new("email", "is required"),
            Problem::new("credentials.imapPort", "must be from 1 to 65535"),
        ]));
        insta::assert_json_snapshot!(body, @r#"
        {
          "error": "The request is invalid",
          "code": "VALIDATION_FAILED",
          "statusCode": 400,
          "action": "fix_request_body",
          "requestId": "00000000-0000-0000-0000-000000000000",
          "errors": [
            {
              "path": "email",
              "message": "is required"
            },
            {
              "path": "credentials.imapPort",
              "message": "must be from 1 to 65535"
            }
          ]
        }
        "#);
    }

    #[test]
    fn a_plan_limit_carries_its_numbers() {
        let (_, body) = shown(AppError::PlanLimit(PlanLimitReached {
            limit: "accounts",
            plan: Plan::Free,
            max: 3,
            current: 3,
        }));
        insta::assert_json_snapshot!(body["details"], @r#"
        {
          "limit": "accounts",
          "plan": "free",
          "max": 3,
          "current": 3,
          "upgradeUrl": "/console/dashboard"
        }
        "#);
    }

    #[test]
    fn causes_reach_the_log_and_never_the_client() {
        let error = ApiError::from(StoreError::Unavailable {
            operation: "read an account",
            source: "connection reset by 10.0.0.7".into(),
        });
        let response = error.into_response(RequestId::from_uuid(uuid::Uuid::nil()));
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(!String::from_utf8_lossy(response.body()).contains("10.0.0.7"));
        let cause = response.failure.unwrap().cause.unwrap();
        assert!(cause.ends_with("connection reset by 10.0.0.7"), "{cause}");
    }
}
