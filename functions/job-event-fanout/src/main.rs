//! Lambda's entry: see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    agentwarm_lambda::bootstrap::run("job-event-fanout", job_event_fanout::build)
}
