//! Lambda's entry: see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    agentwarm_lambda::bootstrap::run("api-analytics", api_analytics::build)
}
