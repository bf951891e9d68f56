//! Secrets at rest: sealed before a store sees them.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use agentwarm_core::ids::{AccountId, UserId};

/// A sealed secret, safe to store. What is inside needs the key and the [`SecretContext`] it was sealed for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(pub String);

/// Whose secret it is: bound into the ciphertext, so that a sealed secret copied to another item does not open there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretContext {
    /// The owner.
    pub user: UserId,
    /// The account.
    pub account: AccountId,
    /// Which of its secrets.
    pub field: &'static str,
}

/// Sealing and opening.
#[async_trait]
pub trait Vault: Send + Sync {
    /// Seals `plain` for `context`.
    async fn seal(&self, context: SecretContext, plain: &[u8]) -> Result<Sealed, VaultError>;

    /// Opens what was sealed for `context`.
    async fn open(
        &self,
        context: SecretContext,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, VaultError>;

    /// The key that signs a user's message tokens (decision 28), derived from the deployment's first data key: it stays the same when
    /// that key rotates, because mail that is under way must still be recognised.
    async fn message_key(&self, user: UserId) -> Result<Zeroizing<[u8; 32]>, VaultError>;
}

/// The vault could not do its work. Says nothing about the secret.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The key service did not answer.
    #[error("the key service is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The text is not what we sealed, or was sealed for another context.
    #[error("the secret cannot be opened")]
    Unreadable,
}
