//! Files in the emulator's S3, stored by presigned URLs as their users would.

use std::time::Duration;

use crate::support::{random_name, settings};
use agentwarm_app::ports::uploads::{Upload, UploadRequest, Uploads};
use agentwarm_aws::clients::Clients;
use agentwarm_aws::s3::S3Uploads;
use agentwarm_core::ids::UploadId;
use agentwarm_testkit::store_contract::fixtures::{mailbox, user};
use jiff::Timestamp;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const VALID: Duration = Duration::from_mins(1);

async fn uploads() -> S3Uploads {
    let s3 = Clients::load(settings()).await.unwrap().s3();
    let bucket = random_name();
    s3.create_bucket().bucket(&bucket).send().await.unwrap();
    S3Uploads::new(s3, bucket)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the emulator compares it with its own clock"
)]
fn now() -> Timestamp {
    Timestamp::now()
}

fn upload() -> Upload {
    Upload {
        owner: mailbox(user(1), 1),
        id: UploadId::new(now(), 7),
    }
}

/// The status that a `PUT` of `bytes` is answered with, which says their true length.
async fn put(request: &UploadRequest, bytes: &[u8]) -> u16 {
    let (host, path) = request
        .url
        .strip_prefix("http://")
        .and_then(|url| url.split_once('/'))
        .unwrap();
    let length = bytes.len();
    let head = format!(
        "PUT /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    let mut stream = TcpStream::connect(host).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer);
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_file_is_stored_by_its_url_and_by_no_other() {
    let uploads = uploads().await;
    let upload = upload();
    let now = now();
    let request = uploads.invite(upload, 5, now, VALID).await.unwrap();
    let length = ("content-length".to_owned(), "5".to_owned());
    assert_eq!(request.headers, [length]);
    assert_eq!(uploads.size(upload).await.unwrap(), None);
    assert_eq!(uploads.read(upload).await.unwrap(), None);

    for bytes in [&b"four"[..], b"sixsix", b""] {
        assert_eq!(put(&request, bytes).await, 403, "{bytes:?}");
    }
    let mut elsewhere = request.clone();
    elsewhere.url = elsewhere.url.replace(&upload.id.to_string(), "other");
    assert_eq!(put(&elsewhere, b"Hello").await, 403);
    let past = now - 2 * VALID;
    let expired = uploads.invite(upload, 5, past, VALID).await.unwrap();
    assert_eq!(put(&expired, b"Hello").await, 403);
    assert_eq!(uploads.size(upload).await.unwrap(), None);

    assert_eq!(put(&request, b"Hello").await, 200);
    assert_eq!(uploads.size(upload).await.unwrap(), Some(5));
    assert_eq!(uploads.read(upload).await.unwrap().unwrap(), b"Hello");
    for owner in [mailbox(user(2), 1), mailbox(user(1), 2)] {
        let foreign = Upload { owner, ..upload };
        assert_eq!(uploads.size(foreign).await.unwrap(), None);
        assert_eq!(uploads.read(foreign).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_no_absent_file() {
    let s3 = Clients::load(settings()).await.unwrap().s3();
    let uploads = S3Uploads::new(s3, random_name());
    assert!(uploads.read(upload()).await.is_err());
}
