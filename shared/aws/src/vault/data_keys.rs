//! A deployment's data keys: wrapped by KMS in the table, in the clear only in a process's memory, for an hour.

use std::collections::BTreeMap;
use std::sync::Arc;

use agentwarm_app::ports::StoreError;
use agentwarm_app::ports::vault::VaultError;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::DataKeySpec;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use crate::codec::{self, CodecError, Item, ItemBuilder};
use crate::dynamo::Table;
use crate::dynamo::expression::Expression;
use crate::dynamo::query::Query;
use crate::dynamo::table::{Freshness, Written};
use crate::keys::{self, SK};

/// How long a process keeps a data key before it asks KMS again, and goes on with one that was rotated.
const KEPT: SignedDuration = SignedDuration::from_hours(1);

/// The data key, wrapped.
const WRAPPED: &str = "wrapped";
const CREATED_AT: &str = "createdAt";

const READ: &str = "read a data key";

/// A data key in the clear; wiped when the last user drops it.
#[derive(Clone)]
pub(super) struct DataKey {
    pub(super) number: u32,
    secret: Arc<Zeroizing<Vec<u8>>>,
}

impl DataKey {
    pub(super) fn secret(&self) -> &[u8] {
        &self.secret
    }
}

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DataKey")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

/// All data keys, as far as this process knows them.
pub(super) struct DataKeys {
    kms: aws_sdk_kms::Client,
    kms_key: String,
    table: Table,
    /// Locked while KMS is asked, so that a process asks once however many wait.
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    keys: BTreeMap<u32, (DataKey, Timestamp)>,
    newest: Option<(u32, Timestamp)>,
}

impl std::fmt::Debug for DataKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DataKeys")
            .field("kms_key", &self.kms_key)
            .finish_non_exhaustive()
    }
}

impl Known {
    /// Forgets what was kept for long enough.
    fn forget_old(&mut self, now: Timestamp) {
        self.keys.retain(|_, (_, until)| now < *until);
        self.newest = self.newest.filter(|(_, until)| now < *until);
    }

    fn get(&self, number: u32) -> Option<DataKey> {
        self.keys.get(&number).map(|(key, _)| key.clone())
    }

    fn learn(&mut self, key: &DataKey, until: Timestamp) {
        self.keys.insert(key.number, (key.clone(), until));
    }
}

impl DataKeys {
    pub(super) fn new(kms: aws_sdk_kms::Client, kms_key: String, table: Table) -> Self {
        Self {
            kms,
            kms_key,
            table,
            known: Mutex::default(),
        }
    }

    /// The key to seal with; makes the first one.
    pub(super) async fn newest(&self) -> Result<DataKey, VaultError> {
        let now = self.table.now();
        let mut known = self.known.lock().await;
        known.forget_old(now);
        if let Some(key) = known.newest.and_then(|(number, _)| known.get(number)) {
            return Ok(key);
        }
        let key = match self.newest_number().await? {
            Some((number, wrapped)) => match known.get(number) {
                Some(key) => key,
                None => self.unwrap(number, wrapped).await?,
            },
            None => self.make(1).await?,
        };
        let until = now.checked_add(KEPT).unwrap_or(now);
        known.learn(&key, until);
        known.newest = Some((key.number, until));
        Ok(key)
    }

    /// The key that a sealed text names.
    pub(super) async fn numbered(&self, number: u32) -> Result<DataKey, VaultError> {
        self.find(number).await?.ok_or(VaultError::Unreadable)
    }

    /// The key with this number, made if nothing was ever sealed.
    pub(super) async fn numbered_or_made(&self, number: u32) -> Result<DataKey, VaultError> {
        match self.find(number).await? {
            Some(key) => Ok(key),
            None => self.make(number).await,
        }
    }

    /// Makes the next key.
    pub(super) async fn rotate(&self) -> Result<DataKey, VaultError> {
        let newest = self.newest().await?.number;
        let key = self.make(newest + 1).await?;
        self.known.lock().await.newest = None;
        Ok(key)
    }

    async fn find(&self, number: u32) -> Result<Option<DataKey>, VaultError> {
        let now = self.table.now();
        let mut known = self.known.lock().await;
        known.forget_old(now);
        if let Some(key) = known.get(number) {
            return Ok(Some(key));
        }
        let Some(wrapped) = self.wrapped(number).await? else {
            return Ok(None);
        };
        let key = self.unwrap(number, wrapped).await?;
        known.learn(&key, now.checked_add(KEPT).unwrap_or(now));
        Ok(Some(key))
    }

    /// Makes key `number`, or takes it from whoever made it at the same time.
    async fn make(&self, number: u32) -> Result<DataKey, VaultError> {
        let generated = self
            .kms
            .generate_data_key()
            .key_id(&self.kms_key)
            .key_spec(DataKeySpec::Aes256)
            .encryption_context("purpose", PURPOSE)
            .encryption_context("number", number.to_string())
            .send()
            .await
            .map_err(unavailable)?;
        let (Some(secret), Some(wrapped)) = (generated.plaintext, generated.ciphertext_blob) else {
            return Err(VaultError::Unavailable("KMS gave no key".into()));
        };
        let key = DataKey {
            number,
            secret: Arc::new(Zeroizing::new(secret.into_inner())),
        };
        let item = ItemBuilder::new(keys::data_key(number))
            .with(WRAPPED, codec::bytes(wrapped.into_inner()))
            .with(CREATED_AT, codec::text(self.table.now().to_string()))
            .build();
        let absent = Expression::absent(self.table.now());
        match self.table.put("store a data key", item, absent).await {
            Ok(Written::Done(_)) => Ok(key),
            Ok(Written::Refused(there)) => {
                let there = there.ok_or(VaultError::Unreadable)?;
                let (number, wrapped) = read(&there).map_err(corrupt)?;
                self.unwrap(number, wrapped).await
            }
            Err(error) => Err(unavailable(error)),
        }
    }

    async fn unwrap(&self, number: u32, wrapped: Vec<u8>) -> Result<DataKey, VaultError> {
        let output = self
            .kms
            .decrypt()
            .key_id(&self.kms_key)
            .ciphertext_blob(Blob::new(wrapped))
            .encryption_context("purpose", PURPOSE)
            .encryption_context("number", number.to_string())
            .send()
            .await
            .map_err(unavailable)?;
        let secret = output
            .plaintext
            .ok_or_else(|| VaultError::Unavailable("KMS gave no key".into()))?;
        Ok(DataKey {
            number,
            secret: Arc::new(Zeroizing::new(secret.into_inner())),
        })
    }

    async fn newest_number(&self) -> Result<Option<(u32, Vec<u8>)>, VaultError> {
        let query = Query::new(keys::data_keys()).newest_first().consistent();
        let items = self.table.query_some(READ, &query, 1).await;
        let newest = items.map_err(unavailable)?;
        newest.first().map(read).transpose().map_err(corrupt)
    }

    async fn wrapped(&self, number: u32) -> Result<Option<Vec<u8>>, VaultError> {
        let key = keys::data_key(number);
        let item = self.table.get(READ, key, Freshness::Consistent).await;
        let item = item.map_err(unavailable)?;
        let wrapped = item.as_ref().map(read).transpose().map_err(corrupt)?;
        Ok(wrapped.map(|(_, wrapped)| wrapped))
    }
}

/// Bound into every wrapped key by KMS, so that its policy and its log can tell our keys from others'.
const PURPOSE: &str = "agentwarm-vault";

fn read(item: &Item) -> Result<(u32, Vec<u8>), CodecError> {
    let number = keys::data_key_number(codec::text_of(item, SK)?).ok_or(CodecError::Form(SK))?;
    Ok((number, codec::bytes_of(item, WRAPPED)?.to_vec()))
}

fn unavailable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> VaultError {
    VaultError::Unavailable(error.into())
}

fn corrupt(error: CodecError) -> VaultError {
    let error: StoreError = error.during(READ);
    unavailable(error)
}
