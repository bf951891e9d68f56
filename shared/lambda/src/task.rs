//! What a function is, whatever wakes it: JSON in, JSON out.
//!
//! [`Task`] is object-safe and the entry ([`crate::bootstrap::run`]) takes it boxed, so the runtime's state machines are compiled once, in
//! this crate, and not in each function anew ([`crate::http`]'s route tables say what that costs). The local runner calls the same tasks with the JSON that AWS would send.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use agentwarm_app::error::AppError;
use async_trait::async_trait;
use futures::FutureExt;
use serde_json::Value;
use tokio::time::Instant;
use tracing::Instrument;

use crate::http::error::{BoxError, chain};

/// A function's work on one event.
#[async_trait]
pub trait Task: Send + Sync {
    /// Does it. An error makes AWS deliver the event again, if the trigger does that.
    async fn handle(&self, event: Value, call: Invocation) -> Result<Value, TaskError>;
}

/// One call of a function.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// Lambda's id for it, for logs.
    pub request_id: String,
    /// When Lambda ends the process, whatever it does.
    pub deadline: Instant,
}

/// Why a task did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// The JSON is not what this task takes or gives. Says where, not what: events hold people's data.
    #[error("not {expected}: {category:?} error at line {line}, column {column}")]
    Malformed {
        /// What was expected.
        expected: &'static str,
        /// What kind of error.
        category: serde_json::error::Category,
        /// The line, from 1; 0 where there is no text.
        line: usize,
        /// The column, from 1; 0 where there is no text.
        column: usize,
    },
    /// The JSON lacks something that this task cannot do without.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// The work itself failed.
    #[error(transparent)]
    Failed(BoxError),
    /// It panicked; the panic's own line in the log says where.
    #[error("the task panicked")]
    Panicked,
    /// There was not enough time left.
    #[error("out of time")]
    OutOfTime,
}

impl TaskError {
    /// JSON that is not what is expected.
    pub fn malformed(expected: &'static str, error: &serde_json::Error) -> Self {
        Self::Malformed {
            expected,
            category: error.classify(),
            line: error.line(),
            column: error.column(),
        }
    }

    /// The work itself failed.
    pub fn failed(error: impl Into<BoxError>) -> Self {
        Self::Failed(error.into())
    }
}

impl From<AppError> for TaskError {
    fn from(error: AppError) -> Self {
        Self::failed(error)
    }
}

impl Invocation {
    /// A call that must end within `time` from now.
    pub fn within(request_id: impl Into<String>, time: Duration) -> Self {
        Self {
            request_id: request_id.into(),
            deadline: Instant::now() + time,
        }
    }
}

/// A function by its name: what runs on Lambda and in the local runner.
#[derive(Clone)]
pub struct Function {
    name: &'static str,
    task: Arc<dyn Task>,
}

impl Function {
    /// `task` under the name of its folder.
    pub fn new(name: &'static str, task: Arc<dyn Task>) -> Self {
        Self { name, task }
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Runs it on an event. All log lines of the call carry the function's name and the ids; a failure is logged here, once.
    pub async fn call(&self, event: Value, call: Invocation) -> Result<Value, TaskError> {
        let span = tracing::info_span!(
            "invocation",
            function = self.name,
            invocation = call.request_id,
            request_id = tracing::field::Empty,
            user = tracing::field::Empty,
        );
        async {
            let run = AssertUnwindSafe(async { self.task.handle(event, call).await });
            let result = run.catch_unwind().await.unwrap_or(Err(TaskError::Panicked));
            if let Err(error) = &result {
                tracing::error!(cause = chain(error), "the function failed");
            }
            result
        }
        .instrument(span)
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Panicking;

    #[async_trait]
    impl Task for Panicking {
        async fn handle(&self, event: Value, _call: Invocation) -> Result<Value, TaskError> {
            assert!(event.is_null(), "not null");
            Ok(event)
        }
    }

    #[tokio::test]
    async fn a_panic_is_a_failure_of_that_call_only() {
        let function = Function::new("job-test", Arc::new(Panicking));
        let call = || Invocation::within("1", Duration::from_secs(1));
        let failed = function.call(1.into(), call()).await;
        assert!(matches!(failed, Err(TaskError::Panicked)));
        assert_eq!(
            function.call(Value::Null, call()).await.unwrap(),
            Value::Null
        );
    }

    #[test]
    fn what_is_wrong_with_json_is_said_without_quoting_it() {
        let error = serde_json::from_str::<u8>("\"secret\"").unwrap_err();
        let text = TaskError::malformed("a number", &error).to_string();
        assert_eq!(text, "not a number: Data error at line 1, column 8");
    }
}
