//! Batches: many of the same, each with an outcome of its own (decision 9).
//!
//! All succeeded: the operation's documented status. Any failed: 207 with the same body and the three fields that a client branches on. A
//! batch that cannot be read at all (no list, an empty one, too long) is a plain 400, by the list's rule.

use agentwarm_app::error::AppError;
use agentwarm_core::error::ErrorCode;
use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::error::{FieldError, status_of};
use super::fields::{Fields, FromFields, Invalid};
use super::response::{Answer, Response};
use super::rules::{list, text};

/// The most accounts that one request names (API reference §3 and §4).
const MAX_ACCOUNTS: usize = 100;

/// The longest text that is taken for an id, to be answered as one that is not there.
const ID_MAX_CHARS: usize = 64;

/// Accounts that something is to be done with: their ids, as they were written. One that is no id fails by itself, as an absent one does.
pub struct AccountIds(pub Vec<String>);

impl FromFields for AccountIds {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Invalid> {
        let id = text(0..=ID_MAX_CHARS).schema_with("format", || "uuid".into());
        let ids = fields.required("accountIds", list(1..=MAX_ACCOUNTS, id));
        Ok(Self(ids?))
    }
}

/// What became of a batch.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Batch<T> {
    /// In the order of the request.
    results: Vec<Outcome<T>>,
    success_count: u32,
    failure_count: u32,
}

/// What became of a batch of which something failed.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct PartialFailure<T> {
    #[serde(flatten)]
    batch: Batch<T>,
    /// `BATCH_PARTIAL_FAILURE`.
    code: &'static str,
    /// 207.
    #[schemars(range(min = 207, max = 207))]
    status_code: u16,
    /// `check_individual_results`.
    action: &'static str,
}

/// An example of a [`PartialFailure`], with these results.
pub fn partial_failure_example(results: &[Value]) -> Value {
    let code = ErrorCode::BatchPartialFailure;
    let failures = results.iter().filter(|result| result.get("code").is_some());
    let failures = failures.count();
    json!({
        "results": results,
        "successCount": results.len() - failures,
        "failureCount": failures,
        "code": code.as_str(),
        "statusCode": status_of(code).as_u16(),
        "action": code.action(),
    })
}

/// What became of one item.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
struct Outcome<T> {
    #[serde(flatten)]
    item: T,
    success: bool,
    #[serde(flatten)]
    failure: Option<ItemFailure>,
}

/// Why an item failed.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct ItemFailure {
    /// For people.
    error: String,
    /// For machines: the code that the operation for one alone would answer with.
    code: &'static str,
    /// Every part of the item that is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    /// The numbers behind it, such as those of a plan's limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "std::collections::BTreeMap<String, Value>")]
    details: Option<Value>,
}

impl ItemFailure {
    /// What went wrong with an item, in these words.
    pub fn new(code: ErrorCode, error: impl Into<String>) -> Self {
        Self {
            error: error.into(),
            code: code.as_str(),
            errors: Vec::new(),
            details: None,
        }
    }
}

impl From<&AppError> for ItemFailure {
    fn from(error: &AppError) -> Self {
        // Of a request that fails as a whole the cause stands on its line in the log; here nobody else would tell.
        if error.is_ours() {
            tracing::error!(
                error = error as &dyn std::error::Error,
                "an item of a batch failed"
            );
        }
        Self {
            errors: error.problems().into_iter().map(FieldError::from).collect(),
            details: error.details(),
            ..Self::new(error.code(), error.to_string())
        }
    }
}

impl<T: Serialize> Batch<T> {
    /// Of these items, each with its failure if it failed.
    pub fn new(items: impl IntoIterator<Item = (T, Option<ItemFailure>)>) -> Self {
        let results: Vec<_> = items
            .into_iter()
            .map(|(item, failure)| Outcome {
                item,
                success: failure.is_none(),
                failure,
            })
            .collect();
        let count = |success| {
            let counted = results.iter().filter(|result| result.success == success);
            u32::try_from(counted.count()).unwrap_or(u32::MAX)
        };
        Self {
            success_count: count(true),
            failure_count: count(false),
            results,
        }
    }

    /// The answer: 200 if all succeeded.
    pub fn into_ok(self) -> Answer {
        self.answer(StatusCode::OK)
    }

    /// The answer: 201 if all succeeded.
    pub fn into_created(self) -> Answer {
        self.answer(StatusCode::CREATED)
    }

    fn answer(self, all: StatusCode) -> Answer {
        if self.failure_count == 0 {
            return Response::json(all, &self);
        }
        let code = ErrorCode::BatchPartialFailure;
        let status = status_of(code);
        Response::json(
            status,
            &PartialFailure {
                batch: self,
                code: code.as_str(),
                status_code: status.as_u16(),
                action: code.action(),
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Serialize)]
    struct Item {
        n: u32,
    }

    fn answered(items: Vec<(Item, Option<ItemFailure>)>) -> (u16, Value) {
        let answer = Batch::new(items).into_created().unwrap();
        let body = serde_json::from_slice(answer.body()).unwrap();
        (answer.status().as_u16(), body)
    }

    #[test]
    fn all_is_well_with_the_documented_status() {
        let (status, body) = answered(vec![(Item { n: 1 }, None)]);
        assert_eq!(status, 201);
        let expected = json!({ "results": [{ "n": 1, "success": true }], "successCount": 1, "failureCount": 0 });
        assert_eq!(body, expected);
    }

    #[test]
    fn one_failure_is_a_partial_one() {
        let failure = ItemFailure::from(&AppError::invalid("email", "is no address"));
        let (status, body) = answered(vec![(Item { n: 1 }, None), (Item { n: 2 }, Some(failure))]);
        assert_eq!(status, 207);
        let expected = json!({
            "results": [
                { "n": 1, "success": true },
                {
                    "n": 2, "success": false, "error": "The request is invalid", "code": "VALIDATION_FAILED",
                    "errors": [{ "path": "email", "message": "is no address" }],
                },
            ],
            "successCount": 1,
            "failureCount": 1,
            "code": "BATCH_PARTIAL_FAILURE",
            "statusCode": 207,
            "action": "check_individual_results",
        });
        assert_eq!(body, expected);
    }
}
