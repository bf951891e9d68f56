//! Accounts: connecting, showing, deleting and trying mailboxes (API reference §3).
//!
//! - [`create`]: validate, seal, store; nothing is connected to (decision 15).
//! - [`update`]: its name, its zone, pausing it; [`replace_credentials`]: new ones; [`persona`]: who writes its mails.
//! - [`read`]: one account and lists of them, with totals that are right to the minute ([`totals`]).
//! - [`delete`]: the account and everything that would outlive it.
//! - [`test_connection`]: both protocols, once, now.

pub mod create;
pub mod delete;
pub mod input;
pub mod persona;
pub mod read;
pub mod replace_credentials;
pub mod test_connection;
pub mod totals;
pub mod update;

pub use create::CreateAccount;
pub use delete::DeleteAccount;
pub use input::{CredentialsInput, NewAccount};
pub use persona::Personas;
pub use read::{LiveAccount, ReadAccounts};
pub use replace_credentials::ReplaceCredentials;
pub use test_connection::{ConnectionReport, TestConnection};
pub use totals::{OpenDays, Totals};
pub use update::{AccountChanges, UpdateAccount, WantedStatus};
