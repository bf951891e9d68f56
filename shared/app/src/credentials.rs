//! Mailbox credentials, between the vault and those who connect.

use agentwarm_core::account::Account;
use agentwarm_core::ids::{AccountId, UserId};
use zeroize::Zeroizing;

use crate::error::AppError;
use crate::ports::accounts::AccountReads;
use crate::ports::mail::{ImapSmtpCredentials, MailboxCredentials};
use crate::ports::vault::{Sealed, SecretContext, Vault, VaultError};

/// The name under which an account's mailbox credentials are sealed.
pub const CREDENTIALS_FIELD: &str = "credentials";

/// Credentials could not be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The vault failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// What was opened is not what this version of AgentWarm seals. The source names a field, never a value.
    #[error("the account's credentials cannot be read")]
    Malformed(#[source] serde_json::Error),
}

/// Seals the credentials of an account.
pub async fn seal(
    vault: &dyn Vault,
    user: UserId,
    account: AccountId,
    credentials: &MailboxCredentials,
) -> Result<Sealed, CredentialsError> {
    let plain = serde_json::to_vec(credentials).map_err(CredentialsError::Malformed)?;
    let plain = Zeroizing::new(plain);
    Ok(vault.seal(context(user, account), &plain).await?)
}

/// Opens the credentials of an account that is reached by IMAP and SMTP.
pub async fn open(
    vault: &dyn Vault,
    user: UserId,
    account: AccountId,
    sealed: &Sealed,
) -> Result<ImapSmtpCredentials, CredentialsError> {
    let plain = vault.open(context(user, account), sealed).await?;
    serde_json::from_slice(&plain).map_err(CredentialsError::Malformed)
}

/// Opens the credentials of an account, which must be one that we have a transport for.
pub(crate) async fn of(
    accounts: &dyn AccountReads,
    vault: &dyn Vault,
    account: &Account,
) -> Result<ImapSmtpCredentials, AppError> {
    if !account.provider.has_transport() {
        return Err(AppError::ProviderNotConfigured(account.provider));
    }
    let sealed = accounts.credentials(account.user, account.id).await?;
    let sealed = sealed.ok_or(AppError::Inconsistent("an account without credentials"))?;
    Ok(open(vault, account.user, account.id, &sealed).await?)
}

fn context(user: UserId, account: AccountId) -> SecretContext {
    SecretContext {
        user,
        account,
        field: CREDENTIALS_FIELD,
    }
}
