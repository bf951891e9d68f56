//! Files that are too large for a request: they are stored past the API, and a mail that is sent later names them (decision 14).

use std::time::Duration;

use agentwarm_core::ids::UploadId;
use async_trait::async_trait;
use jiff::Timestamp;

use super::StoreError;
use super::days::AccountRef;

/// Where a file lies. Under another account's name there is nothing, whoever knows its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Upload {
    /// The account whose mails it can be attached to.
    pub owner: AccountRef,
    /// Which of its files.
    pub id: UploadId,
}

/// How a file is stored by whoever knows this: a `PUT` of its bytes to `url` with these headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadRequest {
    /// Where to. It is a secret until it expires.
    pub url: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
}

/// A store of files. It forgets each a day or two after it was stored.
#[async_trait]
pub trait Uploads: Send + Sync {
    /// Lets a file of exactly `size` bytes be stored, from `now` on for as long as `valid`. Makes nothing by itself.
    async fn invite(
        &self,
        upload: Upload,
        size: u64,
        now: Timestamp,
        valid: Duration,
    ) -> Result<UploadRequest, StoreError>;

    /// How many bytes the file has; none if there is none. It never changes once there is.
    async fn size(&self, upload: Upload) -> Result<Option<u64>, StoreError>;

    /// The file; none if there is none.
    async fn read(&self, upload: Upload) -> Result<Option<Vec<u8>>, StoreError>;
}
