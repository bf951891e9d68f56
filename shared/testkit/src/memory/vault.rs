//! A vault whose seal is a toy, but which binds secrets to their context and hides them as the real one does.

use std::sync::atomic::{AtomicBool, Ordering};

use agentwarm_app::ports::vault::{Sealed, SecretContext, Vault, VaultError};
use agentwarm_app::text::hex;
use agentwarm_core::ids::UserId;
use agentwarm_core::seed::Seed;
use async_trait::async_trait;
use zeroize::Zeroizing;

/// Seals by a stream that follows from the context, with a check value in front.
#[derive(Debug, Default)]
pub struct MemoryVault {
    is_down: AtomicBool,
}

/// The source of a vault's failure.
#[derive(Debug, thiserror::Error)]
#[error("the test took the key service down")]
struct Down;

impl MemoryVault {
    /// Takes the key service down, or brings it back.
    pub fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::Relaxed);
    }

    fn check_up(&self) -> Result<(), VaultError> {
        if self.is_down.load(Ordering::Relaxed) {
            return Err(VaultError::Unavailable(Box::new(Down)));
        }
        Ok(())
    }
}

#[async_trait]
impl Vault for MemoryVault {
    async fn seal(&self, context: SecretContext, plain: &[u8]) -> Result<Sealed, VaultError> {
        self.check_up()?;
        let hidden = applied(context, plain);
        Ok(Sealed(format!("{:032x}.{}", check(context), hex(&hidden))))
    }

    async fn open(
        &self,
        context: SecretContext,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        self.check_up()?;
        let (tag, hidden) = sealed.0.split_once('.').ok_or(VaultError::Unreadable)?;
        if tag != format!("{:032x}", check(context)) {
            return Err(VaultError::Unreadable);
        }
        let hidden = unhex(hidden).ok_or(VaultError::Unreadable)?;
        Ok(Zeroizing::new(applied(context, &hidden)))
    }

    async fn message_key(&self, user: UserId) -> Result<Zeroizing<[u8; 32]>, VaultError> {
        self.check_up()?;
        let seed = Seed::root(b"message key").child_bytes("user", user.as_uuid().as_bytes());
        let halves = [seed.child("high").entropy(), seed.child("low").entropy()];
        let mut key = Zeroizing::new([0; 32]);
        for (byte, value) in key
            .iter_mut()
            .zip(halves.iter().flat_map(|half| half.to_be_bytes()))
        {
            *byte = value;
        }
        Ok(key)
    }
}

fn seed(context: SecretContext) -> Seed {
    Seed::root(context.field.as_bytes())
        .child_bytes("user", context.user.as_uuid().as_bytes())
        .child_bytes("account", context.account.as_uuid().as_bytes())
}

fn check(context: SecretContext) -> u128 {
    seed(context).child("check").entropy()
}

/// Its own inverse.
fn applied(context: SecretContext, text: &[u8]) -> Vec<u8> {
    let mut stream = seed(context).child("stream").rng();
    text.iter()
        .map(|byte| byte ^ stream.next().to_be_bytes()[0])
        .collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use agentwarm_core::ids::{AccountId, UserId};
    use jiff::Timestamp;

    use super::*;

    fn context(account: u128) -> SecretContext {
        SecretContext {
            user: UserId::new(Timestamp::UNIX_EPOCH, 1),
            account: AccountId::new(Timestamp::UNIX_EPOCH, account),
            field: "credentials",
        }
    }

    #[tokio::test]
    async fn a_secret_opens_only_where_it_was_sealed() {
        let vault = MemoryVault::default();
        let sealed = vault.seal(context(1), b"password").await.unwrap();
        assert!(!sealed.0.contains("password"));
        assert_eq!(*vault.open(context(1), &sealed).await.unwrap(), b"password");
        assert!(matches!(
            vault.open(context(2), &sealed).await,
            Err(VaultError::Unreadable)
        ));
    }
}
