//! Lambda's entry: see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    agentwarm_lambda::bootstrap::run("job-scheduler-tick", job_scheduler_tick::build)
}
