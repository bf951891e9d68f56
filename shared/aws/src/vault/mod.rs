//! The vault: secrets sealed with AES-256-GCM under per-user keys.
//!
//! A deployment has data keys, numbered from 1, which KMS wraps. From a data key and a user's id HKDF-SHA256 (RFC 5869)
//! derives the user's key, so that a secret never opens for another user, and one KMS call per process and hour serves all. User, account
//! and field are bound in as additional data, so that a sealed text copied to another place does not open there.
//!
//! A sealed text is `v1.<number of the data key>.<nonce, ciphertext and tag, base64url>`. Rotating makes a new data key for what is sealed
//! from then on; old texts open under the key they name.

mod data_keys;

use agentwarm_app::ports::vault::{Sealed, SecretContext, Vault, VaultError};
use agentwarm_core::ids::UserId;
use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::actions::{Action, GET, PUT, QUERY, Resource};
use crate::dynamo::Table;
use data_keys::{DataKey, DataKeys};

/// The format of sealed texts.
const FORMAT: &str = "v1";
/// The data key that message tokens are signed under, whatever was rotated since.
const FIRST: u32 = 1;

/// [`Vault`] on KMS and the entities table.
#[derive(Debug)]
pub struct KmsVault {
    keys: DataKeys,
}

impl KmsVault {
    /// What this adapter does.
    pub const ACTIONS: &[Action] = &[
        Resource::Entities.may(GET),
        Resource::Entities.may(QUERY),
        Resource::Entities.may(PUT),
        Resource::VaultKey.may("kms:GenerateDataKey"),
        Resource::VaultKey.may("kms:Decrypt"),
    ];

    /// A vault whose data keys are wrapped by the KMS key `kms_key` (id, ARN or alias) and lie in the entities table.
    pub fn new(kms: aws_sdk_kms::Client, kms_key: impl Into<String>, entities: Table) -> Self {
        Self {
            keys: DataKeys::new(kms, kms_key.into(), entities),
        }
    }

    /// Makes a new data key for what is sealed from now on; its number. Other processes notice within an hour.
    pub async fn rotate(&self) -> Result<u32, VaultError> {
        Ok(self.keys.rotate().await?.number)
    }
}

#[async_trait]
impl Vault for KmsVault {
    async fn seal(&self, context: SecretContext, plain: &[u8]) -> Result<Sealed, VaultError> {
        let data_key = self.keys.newest().await?;
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new()
            .fill(&mut nonce)
            .map_err(|_| VaultError::Unavailable("no randomness".into()))?;
        // Room for the tag from the start: growing would leave a copy behind.
        let mut text = Zeroizing::new(Vec::with_capacity(plain.len() + AES_256_GCM.tag_len()));
        text.extend_from_slice(plain);
        cipher(&data_key, context.user)?
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(bound(data_key.number, context)),
                &mut *text,
            )
            .map_err(|_| VaultError::Unreadable)?;
        let sealed = URL_SAFE_NO_PAD.encode([nonce.as_slice(), text.as_slice()].concat());
        Ok(Sealed(format!("{FORMAT}.{}.{sealed}", data_key.number)))
    }

    async fn open(
        &self,
        context: SecretContext,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let (number, nonce, mut text) = parse(sealed).ok_or(VaultError::Unreadable)?;
        let data_key = self.keys.numbered(number).await?;
        let length = cipher(&data_key, context.user)?
            .open_in_place(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(bound(number, context)),
                &mut text,
            )
            .map_err(|_| VaultError::Unreadable)?
            .len();
        text.truncate(length);
        Ok(text)
    }

    async fn message_key(&self, user: UserId) -> Result<Zeroizing<[u8; 32]>, VaultError> {
        let data_key = self.keys.numbered_or_made(FIRST).await?;
        derive(&data_key, "agentwarm/message-tokens/v1", user)
    }
}

/// A user's cipher.
fn cipher(data_key: &DataKey, user: UserId) -> Result<LessSafeKey, VaultError> {
    let key = derive(data_key, "agentwarm/secrets/v1", user)?;
    UnboundKey::new(&AES_256_GCM, key.as_slice())
        .map(LessSafeKey::new)
        .map_err(|_| VaultError::Unreadable)
}

/// A user's key for one purpose.
fn derive(
    data_key: &DataKey,
    purpose: &str,
    user: UserId,
) -> Result<Zeroizing<[u8; 32]>, VaultError> {
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(None, data_key.secret())
        .expand_multi_info(&[purpose.as_bytes(), user.as_uuid().as_bytes()], &mut *key)
        .map_err(|_| VaultError::Unreadable)?;
    Ok(key)
}

/// What a secret is bound to. Every part but the last has a fixed form, so no two contexts make the same text.
fn bound(number: u32, context: SecretContext) -> String {
    format!(
        "{FORMAT}/{number}/{}/{}/{}",
        context.user, context.account, context.field
    )
}

/// The parts of a sealed text: data key, nonce, ciphertext with tag.
fn parse(sealed: &Sealed) -> Option<(u32, [u8; NONCE_LEN], Zeroizing<Vec<u8>>)> {
    let (number, body) = sealed
        .0
        .strip_prefix(FORMAT)?
        .strip_prefix('.')?
        .split_once('.')?;
    let mut body = URL_SAFE_NO_PAD.decode(body).ok()?;
    if body.len() < NONCE_LEN {
        return None;
    }
    let text = body.split_off(NONCE_LEN);
    Some((number.parse().ok()?, body.try_into().ok()?, text.into()))
}
