//! From a process to a function: settings, logs, the task, the events.
//!
//! A function's main is one call of [`run`]. Everything async stays on this side of it, compiled once.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use agentwarm_app::ports::clock::{Clock, Entropy};
use agentwarm_core::time::whole_millis;
use jiff::Timestamp;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::Value;

use crate::http::error::{BoxError, chain};
use crate::logging;
use crate::settings::Settings;
use crate::task::{Function, Invocation, Task};
use crate::world::{World, WorldError};

/// Builds a function's task of what it asks the world for. Runs once, before the first event.
pub type Build = fn(&World) -> Result<Arc<dyn Task>, WorldError>;

/// There is nothing that sends events.
#[derive(Debug, thiserror::Error)]
#[error(
    "AWS_LAMBDA_RUNTIME_API is not set: functions run on Lambda, under `cargo lambda watch`, or inside `make run`"
)]
struct NoRuntime;

/// Runs the function `name` (its folder's) until Lambda ends the process.
pub fn run(name: &'static str, build: Build) -> ExitCode {
    let settings = Settings::from_environment();
    let ended = logging::start(&settings)
        .map_err(BoxError::from)
        .and_then(|()| serve(name, settings, build));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(function = name, cause = chain(error.as_ref()), "cannot run");
            ExitCode::FAILURE
        }
    }
}

fn serve(name: &'static str, settings: Settings, build: Build) -> Result<(), BoxError> {
    if settings.text("AWS_LAMBDA_RUNTIME_API")?.is_none() {
        return Err(NoRuntime.into());
    }
    // One thread: a function has at most one call at a time, and below 1,769 MB less than one processor.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let function = Function::new(name, build(&World::of_process(settings).await?)?);
        lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
            let function = function.clone();
            async move {
                let (event, context) = event.into_parts();
                let call = Invocation::within(context.request_id.clone(), left(&context));
                function
                    .call(event, call)
                    .await
                    .map_err(|error| Diagnostic {
                        error_type: "TaskError".to_owned(),
                        error_message: error.to_string(),
                    })
            }
        }))
        .await
    })
}

/// The longest that Lambda lets a function run.
const LONGEST: Duration = Duration::from_mins(15);

/// The time that Lambda gives a call. `cargo lambda watch` names an instant of 1970 for every call, which says nothing.
#[expect(
    clippy::disallowed_methods,
    reason = "Lambda's deadline is an instant of the system's clock; from here on it is a monotonic one"
)]
fn left(context: &lambda_runtime::Context) -> Duration {
    let deadline = context.deadline();
    if deadline < SystemTime::UNIX_EPOCH + Duration::from_hours(24) {
        return LONGEST;
    }
    deadline
        .duration_since(SystemTime::now())
        .unwrap_or_default()
}

/// Both clocks where time is real: the system's, in whole milliseconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the port that everything else takes time from"
    )]
    fn wall(&self) -> Timestamp {
        whole_millis(Timestamp::now())
    }

    fn schedule(&self) -> Timestamp {
        self.wall()
    }
}

/// The system's random numbers.
#[derive(Debug, Clone)]
pub struct SystemEntropy(SystemRandom);

impl Default for SystemEntropy {
    fn default() -> Self {
        Self(SystemRandom::new())
    }
}

impl Entropy for SystemEntropy {
    fn bits(&self) -> u128 {
        let mut bytes = [0; 16];
        if self.0.fill(&mut bytes).is_err() {
            // Linux gives random numbers from boot on. Without them keys could be guessed: better no function than a guessable one.
            std::process::abort();
        }
        u128::from_be_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_ticks_in_milliseconds() {
        let at = SystemClock.wall();
        assert_eq!(at.subsec_nanosecond() % 1_000_000, 0, "{at}");
    }
}
