//! The operator's command line: see the library.

use std::process::ExitCode;

use agentwarm_lambda::http::error::chain;
use agentwarm_lambda::settings::Settings;
use agentwarm_lambda::world::World;
use agentwarm_operator::{OperatorError, parse, run};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let command = match parse(&arguments) {
        Ok(command) => command,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let done: Result<String, OperatorError> = async {
        let world = World::of_process(Settings::from_environment()).await?;
        run(command, &world).await
    }
    .await;
    match done {
        Ok(told) => {
            println!("{told}");
            ExitCode::SUCCESS
        }
        // With what caused it: most first calls fail for credentials, a region or a table's name, and only the cause says which.
        Err(error) => {
            eprintln!("{}", chain(&error));
            ExitCode::FAILURE
        }
    }
}
