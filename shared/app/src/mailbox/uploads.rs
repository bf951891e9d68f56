//! Files of mails: uploaded first where they do not fit into a request, and put together when the mail is sent (decision 14).

use std::sync::Arc;
use std::time::Duration;

use agentwarm_core::ids::{AccountId, UploadId};
use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};

use crate::change::existing;
use crate::error::{AppError, Problem};
use crate::ports::StoreError;
use crate::ports::accounts::AccountReads;
use crate::ports::clock::{Clock, Entropy};
use crate::ports::days::AccountRef;
use crate::ports::letters::{Attachment, Content};
use crate::ports::uploads::{Upload, UploadRequest, Uploads};
use crate::tenant::Tenant;

/// What the files of one mail may have together, in bytes before base64 (API reference §3, send).
pub const MAX_ATTACHMENT_BYTES: u32 = 25 * 1024 * 1024;

/// How long a file may be stored after it was announced.
const OPEN: Duration = Duration::from_mins(15);

/// How long it can be attached. The store deletes late, so what is older is as good as gone.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

const MISSING: &str =
    "names no file of this account: nothing was uploaded under it yet, or more than a day ago";

/// Announces files.
#[derive(Clone)]
pub struct BeginUpload {
    /// Whose.
    pub accounts: Arc<dyn AccountReads>,
    /// Where to.
    pub uploads: Arc<dyn Uploads>,
    /// Until when.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub entropy: Arc<dyn Entropy>,
}

/// A file that may be uploaded now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnnouncedUpload {
    /// What mails name it by.
    pub id: UploadId,
    /// How to store it.
    pub request: UploadRequest,
    /// Until when.
    pub expires_at: Timestamp,
}

impl BeginUpload {
    /// Announces a file of `size` bytes for the mails of an account. Nothing is kept of it until it is there.
    pub async fn begin(
        &self,
        tenant: &Tenant,
        account: AccountId,
        size: u32,
    ) -> Result<AnnouncedUpload, AppError> {
        let account = existing(self.accounts.as_ref(), tenant, account).await?;
        let now = self.clock.wall();
        let upload = Upload {
            owner: AccountRef {
                user: tenant.user,
                account: account.id,
            },
            id: UploadId::new(now, self.entropy.bits()),
        };
        let request = self.uploads.invite(upload, size.into(), now, OPEN).await?;
        Ok(AnnouncedUpload {
            id: upload.id,
            request,
            expires_at: now.saturating_add(OPEN).unwrap_or(now),
        })
    }
}

/// The files with their content. All sizes are known before any file is read, so that what is too much is never in memory.
pub(super) async fn collect(
    uploads: &dyn Uploads,
    owner: AccountRef,
    files: Vec<Attachment<Content>>,
    now: Timestamp,
) -> Result<Vec<Attachment>, AppError> {
    let sizes = files.iter().map(async |file| match &file.content {
        Content::Inline(bytes) => Ok(u64::try_from(bytes.len()).ok()),
        Content::Uploaded(id) if now.duration_since(id.made_at()) > KEPT => Ok(None),
        Content::Uploaded(id) => uploads.size(Upload { owner, id: *id }).await,
    });
    let sizes = try_join_all(sizes).await?;
    check(&sizes)?;
    let read = files.into_iter().map(async |file| {
        let content = match file.content {
            Content::Inline(bytes) => Some(bytes),
            Content::Uploaded(id) => uploads.read(Upload { owner, id }).await?,
        };
        Ok::<_, StoreError>(content.map(|content| Attachment {
            filename: file.filename,
            content_type: file.content_type,
            content,
        }))
    });
    let mut collected = Vec::new();
    let mut problems = Vec::new();
    for (index, file) in try_join_all(read).await?.into_iter().enumerate() {
        match file {
            Some(file) => collected.push(file),
            // Deleted since we looked.
            None => problems.push(missing(index)),
        }
    }
    all_right(problems)?;
    Ok(collected)
}

fn check(sizes: &[Option<u64>]) -> Result<(), AppError> {
    let absent = sizes.iter().enumerate().filter(|(_, size)| size.is_none());
    let mut problems: Vec<_> = absent.map(|(index, _)| missing(index)).collect();
    let total: u64 = sizes.iter().flatten().sum();
    if total > MAX_ATTACHMENT_BYTES.into() {
        problems.push(Problem::new(
            "attachments",
            format!("must have at most 25 MB ({MAX_ATTACHMENT_BYTES} bytes) together, and have {total} bytes"),
        ));
    }
    all_right(problems)
}

fn missing(index: usize) -> Problem {
    Problem::new(format!("attachments[{index}].uploadId"), MISSING)
}

fn all_right(problems: Vec<Problem>) -> Result<(), AppError> {
    if problems.is_empty() {
        Ok(())
    } else {
        Err(AppError::Invalid(problems))
    }
}
