//! What AWS does between an event and a function: one module for each kind of trigger.
//!
//! All of them call functions through [`crate::invoke::Invoke`], so that a function may run in this program or in another process.

pub mod filter;
pub mod gateway;
pub mod queue;
pub mod schedule;
pub mod stream;

/// The emulator did not do its part.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {source}")]
pub struct TriggerError {
    /// What was asked of it.
    pub what: &'static str,
    /// Its answer.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// Names what was asked when a request to the emulator fails.
pub(crate) fn asked<T, E, R>(
    what: &'static str,
    result: Result<T, aws_smithy_runtime_api::client::result::SdkError<E, R>>,
) -> Result<T, TriggerError>
where
    E: std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    result.map_err(|error| TriggerError {
        what,
        source: Box::new(error),
    })
}
