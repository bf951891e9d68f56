//! Lambda's entry: see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    agentwarm_lambda::bootstrap::run("api-agent", api_agent::build)
}
