//! `agentwarm-local`: the local stack's program (see the library). `make run` starts it beside its servers.

use std::process::ExitCode;

use agentwarm_local::run::run;
use agentwarm_local::settings::RunSettings;
use agentwarm_local::watch::watch;

const USAGE: &str = "\
usage: agentwarm-local            all functions in this program, days in seconds (`make run`)
       agentwarm-local watch      real time, functions in processes of their own, reloaded when their source changes (`make watch`)";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let settings = match RunSettings::from_environment() {
        Ok(settings) => settings,
        Err(error) => return failed(&error),
    };
    let log = agentwarm_local::log::start(&settings.root);
    let ended = match arguments
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        [] => run(&settings, agentwarm_local::signals::asked_to_end()).await,
        ["watch", rest @ ..] => {
            watch(&settings, rest, agentwarm_local::signals::asked_to_end()).await
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if let Some(log) = log {
                eprintln!("the log is in {}", log.display());
            }
            failed(&error)
        }
    }
}

/// The error with what caused it.
fn failed(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("error: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("  because: {error}");
        cause = error.source();
    }
    ExitCode::FAILURE
}
