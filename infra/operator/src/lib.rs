//! What only an operator may do (decision 2): make a user with their first key, and a key for a user who is locked out.
//!
//! There is no endpoint for this, because every endpoint needs a key. The command runs with the operator's own AWS credentials and writes
//! the same items that the API does, through the same use cases.

use agentwarm_app::error::AppError;
use agentwarm_app::users::Users;
use agentwarm_core::ids::{MalformedId, UserId};
use agentwarm_core::plan::Plan;
use agentwarm_lambda::world::{World, WorldError};

/// How the command is called.
pub const USAGE: &str = "\
usage: agentwarm-operator create-user [free|pro|enterprise]    a user (default: free) and their first key
       agentwarm-operator issue-key USER_ID                    a key for a user who is locked out

Reads the table's name from ENTITIES_TABLE and AWS's own configuration (region, credentials, AWS_ENDPOINT_URL).
The key is printed once and cannot be shown again.";

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Make a user on this plan.
    CreateUser(Plan),
    /// Make a key for this user.
    IssueKey(UserId),
}

/// The arguments are not a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UsageError {
    /// No such command, or too many words.
    #[error("{USAGE}")]
    Usage,
    /// No such plan.
    #[error("the plan must be free, pro or enterprise")]
    Plan,
    /// The user's id is malformed.
    #[error("the user's id must be a UUID")]
    User(#[from] MalformedId),
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// A setting is missing.
    #[error(transparent)]
    World(#[from] WorldError),
    /// The use case failed.
    #[error(transparent)]
    App(#[from] AppError),
}

/// A user's key, just made.
pub struct Issued {
    /// The user.
    pub user: UserId,
    /// The key.
    pub secret: String,
}

/// Reads a command.
pub fn parse(arguments: &[String]) -> Result<Command, UsageError> {
    let words: Vec<_> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["create-user"] => Ok(Command::CreateUser(Plan::Free)),
        ["create-user", plan] => [Plan::Free, Plan::Pro, Plan::Enterprise]
            .into_iter()
            .find(|known| known.as_str() == *plan)
            .map(Command::CreateUser)
            .ok_or(UsageError::Plan),
        ["issue-key", user] => Ok(Command::IssueKey(user.parse()?)),
        _ => Err(UsageError::Usage),
    }
}

/// Carries a command out.
pub async fn run(command: Command, world: &World) -> Result<Issued, OperatorError> {
    let users = Users {
        keys: world.api_keys()?,
        clock: world.clock(),
        entropy: world.entropy(),
    };
    let (user, issued) = match command {
        Command::CreateUser(plan) => {
            let (user, issued) = users.create(plan).await?;
            (user.id, issued)
        }
        Command::IssueKey(user) => (user, users.recover_key(user).await?),
    };
    Ok(Issued {
        user,
        secret: issued.secret.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, UsageError> {
        let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        parse(&words)
    }

    #[test]
    fn commands_are_read_and_mistakes_named() {
        assert_eq!(parsed("create-user"), Ok(Command::CreateUser(Plan::Free)));
        assert_eq!(
            parsed("create-user pro"),
            Ok(Command::CreateUser(Plan::Pro))
        );
        assert_eq!(parsed("create-user gold"), Err(UsageError::Plan));
        let user = "01920000-0000-7000-8000-000000000000";
        assert_eq!(
            parsed(&format!("issue-key {user}")),
            Ok(Command::IssueKey(user.parse().unwrap()))
        );
        assert_eq!(parsed("issue-key me"), Err(UsageError::User(MalformedId)));
        for line in ["", "--help", "issue-key", "create-user pro now"] {
            assert_eq!(parsed(line), Err(UsageError::Usage), "{line}");
        }
    }
}
