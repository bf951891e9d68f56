//! How a function is called, wherever it runs.

use async_trait::async_trait;
use serde_json::Value;

/// A function did not answer properly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    /// It failed: what Lambda reports as a function error.
    #[error("{function} failed: {message}")]
    Failed {
        /// The function's logical id.
        function: String,
        /// What it said.
        message: String,
    },
    /// It took longer than its time-out.
    #[error("{function} did not answer in {seconds} s")]
    TimedOut {
        /// The function's logical id.
        function: String,
        /// Its time-out.
        seconds: u64,
    },
    /// Nobody hosts a function of that name.
    #[error("{0} is not hosted: add it to the runner's registry of functions")]
    Unknown(String),
    /// The process that hosts it could not be reached.
    #[error("{function} cannot be reached: {message}")]
    Unreachable {
        /// The function's logical id.
        function: String,
        /// Why.
        message: String,
    },
}

/// Calling functions with the events that AWS would send.
#[async_trait]
pub trait Invoke: Send + Sync {
    /// Calls the function with this logical id and waits for its answer.
    async fn invoke(&self, function: &str, event: Value) -> Result<Value, InvokeError>;
}
