//! What only an operator may do: make a user with their first key, and a key for a user who is locked out (decision 2); make the data key anew
//! under which secrets are sealed.
//!
//! There are no endpoints for this: every endpoint needs a key, and belongs to a user. The command runs with the operator's own AWS credentials and writes
//! the same items that the API does, through the same use cases.

use agentwarm_app::error::AppError;
use agentwarm_app::ports::vault::VaultError;
use agentwarm_app::users::Users;
use agentwarm_core::ids::{MalformedId, UserId};
use agentwarm_core::plan::Plan;
use agentwarm_lambda::world::{World, WorldError};

/// How the command is called.
pub const USAGE: &str = "\
usage: agentwarm-operator create-user [free|pro|enterprise]    a user (default: free) and their first key
       agentwarm-operator issue-key USER_ID                    a key for a user who is locked out
       agentwarm-operator rotate-data-key                      a new key that secrets are sealed under from now on

Reads the table's name from ENTITIES_TABLE, for the last the KMS key from DATA_KEY_ID, and AWS's own configuration (region, credentials,
AWS_ENDPOINT_URL). A user's key is printed once and cannot be shown again.";

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Make a user's key.
    Issue(KeyOf),
    /// Make a data key.
    RotateDataKey,
}

/// Whose key is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyOf {
    /// That of a new user on this plan.
    NewUser(Plan),
    /// Another one of this user.
    User(UserId),
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
    /// There is no new data key.
    #[error(transparent)]
    Vault(#[from] VaultError),
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
        ["create-user"] => Ok(new_user(Plan::Free)),
        ["create-user", plan] => [Plan::Free, Plan::Pro, Plan::Enterprise]
            .into_iter()
            .find(|known| known.as_str() == *plan)
            .map(new_user)
            .ok_or(UsageError::Plan),
        ["issue-key", user] => Ok(Command::Issue(KeyOf::User(user.parse()?))),
        ["rotate-data-key"] => Ok(Command::RotateDataKey),
        _ => Err(UsageError::Usage),
    }
}

fn new_user(plan: Plan) -> Command {
    Command::Issue(KeyOf::NewUser(plan))
}

/// Carries a command out; what there is to tell.
pub async fn run(command: Command, world: &World) -> Result<String, OperatorError> {
    Ok(match command {
        Command::Issue(whose) => {
            let Issued { user, secret } = issue(whose, world).await?;
            format!("user {user}\nkey  {secret}")
        }
        Command::RotateDataKey => {
            let number = world.vault()?.rotate().await?;
            format!(
                "data key {number}: functions seal with it within an hour, and still read what was sealed before"
            )
        }
    })
}

/// Makes a user's key.
pub async fn issue(whose: KeyOf, world: &World) -> Result<Issued, OperatorError> {
    let users = Users {
        keys: world.api_keys()?,
        clock: world.clock(),
        entropy: world.entropy(),
    };
    let (user, issued) = match whose {
        KeyOf::NewUser(plan) => {
            let (user, issued) = users.create(plan).await?;
            (user.id, issued)
        }
        KeyOf::User(user) => (user, users.recover_key(user).await?),
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
        assert_eq!(parsed("create-user"), Ok(new_user(Plan::Free)));
        assert_eq!(parsed("create-user pro"), Ok(new_user(Plan::Pro)));
        assert_eq!(parsed("rotate-data-key"), Ok(Command::RotateDataKey));
        assert_eq!(parsed("create-user gold"), Err(UsageError::Plan));
        let user = "01920000-0000-7000-8000-000000000000";
        assert_eq!(
            parsed(&format!("issue-key {user}")),
            Ok(Command::Issue(KeyOf::User(user.parse().unwrap())))
        );
        assert_eq!(parsed("issue-key me"), Err(UsageError::User(MalformedId)));
        for line in [
            "",
            "--help",
            "issue-key",
            "create-user pro now",
            "rotate-data-key 2",
        ] {
            assert_eq!(parsed(line), Err(UsageError::Usage), "{line}");
        }
    }
}
