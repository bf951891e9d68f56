//! Files that are uploaded before they are sent.

use std::collections::BTreeMap;

use agentwarm_app::mailbox::{AnnouncedUpload, MAX_ATTACHMENT_BYTES};
use agentwarm_core::ids::UploadId;
use agentwarm_lambda::http::openapi::schema;
use agentwarm_lambda::http::rules::integer;
use agentwarm_lambda::http::{Fields, FromFields, Invalid};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

/// A file to be uploaded.
pub struct UploadBody {
    /// In bytes.
    pub size: u32,
}

impl FromFields for UploadBody {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Invalid> {
        let size = integer(1..=MAX_ATTACHMENT_BYTES)
            .about("The file's size in bytes; exactly so many can be uploaded.");
        let size = fields.required("size", size);
        Ok(Self { size: size? })
    }
}

/// A file that may be uploaded now, by a `PUT` of its bytes to the URL with these headers.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Upload {
    /// What `attachments` of a mail name the file by, for a day.
    #[serde(rename = "uploadId")]
    #[schemars(schema_with = "schema::id")]
    id: UploadId,
    /// Where to. No API key is sent there: whoever has the URL can upload this one file.
    url: String,
    /// All of them must be sent, with these values. HTTP clients make `content-length` themselves.
    headers: BTreeMap<String, String>,
    /// Until when it can be uploaded.
    #[schemars(schema_with = "schema::instant")]
    expires_at: Timestamp,
}

impl From<AnnouncedUpload> for Upload {
    fn from(announced: AnnouncedUpload) -> Self {
        Self {
            id: announced.id,
            url: announced.request.url,
            headers: announced.request.headers.into_iter().collect(),
            expires_at: announced.expires_at,
        }
    }
}

pub(crate) fn upload_body_example() -> Value {
    json!({ "size": 12_582_912 })
}

pub(crate) fn upload_example() -> Value {
    json!({
        "uploadId": "019ce6a1-3e80-7000-8000-000000000001",
        "url": "https://agentwarm-uploads.s3.us-east-1.amazonaws.com/attachments/…?X-Amz-Expires=900&X-Amz-SignedHeaders=content-length%3Bhost&…",
        "headers": { "content-length": "12582912" },
        "expiresAt": "2026-03-13T09:15:00Z",
    })
}
