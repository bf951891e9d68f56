//! Requests that answers propose: each can be sent as it is given.

use agentwarm_core::advice::Step;
use agentwarm_core::ids::AccountId;
use agentwarm_core::warmup::diagnosis::Remedy;
use schemars::JsonSchema;
use serde::Serialize;

/// A request without a body.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Endpoint {
    /// Its method.
    method: &'static str,
    /// Its path, below the deployment's address (its stage included).
    href: String,
}

impl Endpoint {
    /// The request that `remedy` is for `account`.
    pub fn of(remedy: Remedy, account: AccountId) -> Self {
        let (method, href) = match remedy {
            Remedy::Start => ("POST", format!("/api/warmup/start/{account}")),
            Remedy::Pause => ("POST", format!("/api/warmup/pause/{account}")),
            Remedy::Resume => ("POST", format!("/api/warmup/resume/{account}")),
            Remedy::TestConnection => ("POST", format!("/api/accounts/{account}/test-connection")),
            Remedy::ShowPools => return Self::pools(),
            Remedy::ShowSchedule => ("GET", format!("/api/warmup/schedule/{account}")),
            Remedy::ShowDeliverability => (
                "GET",
                format!("/api/analytics/accounts/{account}/deliverability"),
            ),
        };
        Self { method, href }
    }

    fn pools() -> Self {
        Self {
            method: "GET",
            href: "/api/warmup/pools".to_owned(),
        }
    }
}

impl From<Step> for Endpoint {
    fn from(step: Step) -> Self {
        match step {
            Step::Account(remedy, account) => Self::of(remedy, account),
            Step::Join(pool, account) => Self {
                method: "POST",
                href: format!("/api/warmup/pools/{pool}/accounts/{account}"),
            },
            Step::ShowPools => Self::pools(),
        }
    }
}
