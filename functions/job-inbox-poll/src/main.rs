//! Lambda's entry: see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    agentwarm_lambda::bootstrap::run("job-inbox-poll", job_inbox_poll::build)
}
