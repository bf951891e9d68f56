//! Logs: one JSON object a line on Lambda, text for people elsewhere (`docs/logging.md`).
//!
//! `LOG_LEVEL` is the level of our own code. Libraries get no more than `info`, whatever it says: at lower levels mail and HTTP clients
//! write passwords and bodies; release builds have no such lines at all. A panic is one line with its place and, only where that is
//! a literal, its message: a formatted one may hold anybody's data.

use std::panic::PanicHookInfo;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::settings::{Settings, SettingsError};

/// What the names of our crates begin with.
const OURS: [&str; 3] = ["agentwarm", "api_", "job_"];

/// The level of other people's code.
const THEIRS: LevelFilter = LevelFilter::INFO;

/// Begins to log; a second call changes nothing.
pub fn start(settings: &Settings) -> Result<(), SettingsError> {
    let filter = filter(settings.number("LOG_LEVEL", LevelFilter::INFO)?);
    let on_lambda = settings.text("AWS_LAMBDA_FUNCTION_NAME")?.is_some();
    let format = if on_lambda {
        tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .boxed()
    } else {
        tracing_subscriber::fmt::layer().with_target(false).boxed()
    };
    let started = tracing_subscriber::registry()
        .with(format.with_filter(filter))
        .try_init();
    if started.is_ok() {
        std::panic::set_hook(Box::new(log_panic));
    }
    Ok(())
}

fn filter(ours: LevelFilter) -> Targets {
    Targets::new()
        .with_default(THEIRS.min(ours))
        .with_targets(OURS.map(|prefix| (prefix, ours)))
        // The runtime logs what a call fails with; so do we, with the ids.
        .with_target("lambda_runtime::layers::panic", LevelFilter::OFF)
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    let said = panic.payload().downcast_ref::<&'static str>();
    tracing::error!(place, said, "panicked");
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn our_level_is_not_theirs() {
        let filter = filter(LevelFilter::TRACE);
        assert!(filter.would_enable("agentwarm_core::plan", &Level::TRACE));
        assert!(filter.would_enable("job_send_slot", &Level::TRACE));
        assert!(filter.would_enable("hyper::client", &Level::INFO));
        assert!(!filter.would_enable("async_imap::client", &Level::DEBUG));
        assert!(!filter.would_enable("lambda_runtime::layers::panic", &Level::ERROR));
    }

    #[test]
    fn a_quiet_level_is_quiet_for_all() {
        let filter = filter(LevelFilter::ERROR);
        assert!(!filter.would_enable("hyper::client", &Level::INFO));
        assert!(!filter.would_enable("agentwarm_app", &Level::WARN));
    }
}
