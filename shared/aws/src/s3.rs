//! Files that users upload, in a bucket that only this program and its presigned URLs reach.

use std::time::{Duration, SystemTime};

use agentwarm_app::ports::StoreError;
use agentwarm_app::ports::uploads::{Upload, UploadRequest, Uploads};
use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::operation::head_object::HeadObjectError;
use aws_sdk_s3::presigning::PresigningConfig;
use jiff::Timestamp;
use tokio::time::timeout;

use crate::actions::{Action, Resource};
use crate::error::unavailable;

/// How long reading a file of 25 MB may take. The SDK's time-outs end where the answer's body begins.
const READ_TIME: Duration = Duration::from_secs(8);

const INVITE: &str = "presign an upload";
const SIZE: &str = "look for an upload";
const READ: &str = "read an upload";

/// [`Uploads`] in a bucket.
#[derive(Debug, Clone)]
pub struct S3Uploads {
    client: Client,
    bucket: String,
}

impl S3Uploads {
    /// What this adapter does. Without `ListBucket` an object that is not there would be a 403 instead of a 404.
    pub const ACTIONS: &[Action] = &[
        Resource::Uploads.may("s3:GetObject"),
        Resource::Uploads.may("s3:ListBucket"),
        Resource::Uploads.may("s3:PutObject"),
    ];

    /// Files in the bucket `bucket`.
    pub fn new(client: Client, bucket: String) -> Self {
        Self { client, bucket }
    }
}

/// A file's key: what is another user's or account's lies elsewhere.
fn key(upload: Upload) -> String {
    let Upload { owner, id } = upload;
    format!("attachments/{}/{}/{id}", owner.user, owner.account)
}

#[async_trait]
impl Uploads for S3Uploads {
    /// The length is signed, so S3 refuses a body of another.
    async fn invite(
        &self,
        upload: Upload,
        size: u64,
        now: Timestamp,
        valid: Duration,
    ) -> Result<UploadRequest, StoreError> {
        let size = i64::try_from(size).map_err(|error| unavailable(INVITE, error))?;
        let now = SystemTime::try_from(now).map_err(|error| unavailable(INVITE, error))?;
        let config = PresigningConfig::builder()
            .start_time(now)
            .expires_in(valid)
            .build()
            .map_err(|error| unavailable(INVITE, error))?;
        let put = self.client.put_object().bucket(&self.bucket);
        let presigned = put.key(key(upload)).content_length(size).presigned(config);
        let presigned = presigned
            .await
            .map_err(|error| unavailable(INVITE, error))?;
        let headers = presigned.headers();
        Ok(UploadRequest {
            url: presigned.uri().to_owned(),
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        })
    }

    async fn size(&self, upload: Upload) -> Result<Option<u64>, StoreError> {
        let head = self.client.head_object().bucket(&self.bucket);
        match head.key(key(upload)).send().await {
            Ok(found) => Ok(found
                .content_length
                .and_then(|length| u64::try_from(length).ok())),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(HeadObjectError::is_not_found) =>
            {
                Ok(None)
            }
            Err(error) => Err(unavailable(SIZE, error)),
        }
    }

    async fn read(&self, upload: Upload) -> Result<Option<Vec<u8>>, StoreError> {
        let get = self.client.get_object().bucket(&self.bucket);
        let found = match get.key(key(upload)).send().await {
            Ok(found) => found,
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(GetObjectError::is_no_such_key) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(unavailable(READ, error)),
        };
        let body = timeout(READ_TIME, found.body.collect()).await;
        let body = body.map_err(|late| unavailable(READ, late))?;
        let body = body.map_err(|error| unavailable(READ, error))?;
        Ok(Some(body.to_vec()))
    }
}
