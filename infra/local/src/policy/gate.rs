//! The interceptor that holds a function to its statements.

use std::sync::Arc;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use serde_json::Value;

use super::request::Unjudged;
use super::{Ledger, Need, Refusal, Scope, Statement};

/// What sees every granted request of a function before it leaves.
pub type Observer = Arc<dyn Fn(&Need) + Send + Sync>;

/// Lets through what a function's statements grant.
#[derive(Clone)]
pub struct Gate {
    function: String,
    statements: Arc<[Statement]>,
    scope: Scope,
    ledger: Arc<Ledger>,
    observer: Observer,
}

impl Gate {
    /// A gate for the function with this logical id.
    pub fn new(
        function: &str,
        statements: &[Statement],
        scope: &Scope,
        ledger: &Arc<Ledger>,
        observer: Observer,
    ) -> Self {
        Self {
            function: function.to_owned(),
            statements: statements.into(),
            scope: scope.clone(),
            ledger: Arc::clone(ledger),
            observer,
        }
    }

    /// Judges one request.
    fn judge(&self, request: &Asked<'_>) -> Result<(), BoxError> {
        let needs = match *request {
            Asked::Operation { target, body } => {
                let body: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
                self.scope.needs(target, &body)
            }
            Asked::Object { method, path } => self.scope.object_needs(method, path),
        };
        let needs = needs.inspect_err(|Unjudged(what)| {
            self.ledger.unjudged(format!("{}: {what}", self.function));
        })?;
        for need in &needs {
            if !self
                .statements
                .iter()
                .any(|statement| statement.grants(need))
            {
                let refusal = Refusal {
                    function: self.function.clone(),
                    need: need.clone(),
                };
                self.ledger.refused(refusal.clone());
                tracing::error!(target: "agentwarm_local::policy", "{refusal}");
                return Err(refusal.into());
            }
            (self.observer)(need);
        }
        self.ledger.used(&self.function, needs);
        Ok(())
    }
}

/// A request, as far as its needs follow from it.
enum Asked<'a> {
    Operation { target: &'a str, body: &'a [u8] },
    Object { method: &'a str, path: &'a str },
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate")
            .field("function", &self.function)
            .finish_non_exhaustive()
    }
}

impl Intercept for Gate {
    fn name(&self) -> &'static str {
        "AgentWarmLocalPolicy"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request();
        let body = request.body().bytes().unwrap_or_default();
        let uri: http::Uri = request.uri().parse()?;
        self.judge(&match request.headers().get("x-amz-target") {
            Some(target) => Asked::Operation { target, body },
            None => Asked::Object {
                method: request.method(),
                path: uri.path(),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn granted_requests_pass_and_are_seen_others_are_refused_and_remembered() {
        let ledger = Arc::new(Ledger::default());
        let seen = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&seen);
        let statement = Statement {
            sid: "S".to_owned(),
            actions: vec!["dynamodb:GetItem".to_owned()],
            resources: vec!["arn:aws:dynamodb:r:a:table/t".to_owned()],
        };
        let scope = Scope {
            region: "r".to_owned(),
            account: "a".to_owned(),
        };
        let gate = Gate::new(
            "F",
            &[statement],
            &scope,
            &ledger,
            Arc::new(move |_| {
                counter.fetch_add(1, Ordering::Relaxed);
            }),
        );
        let body = br#"{"TableName": "t"}"#;
        let judge = |target| gate.judge(&Asked::Operation { target, body });
        assert!(judge("DynamoDB_20120810.GetItem").is_ok());
        assert!(judge("DynamoDB_20120810.PutItem").is_err());
        assert!(judge("").is_err());
        assert_eq!(seen.load(Ordering::Relaxed), 1);
        assert_eq!(ledger.refusals().len(), 2);
    }
}
