//! S3 buckets. Their files are served by path on the emulator's port. What guards and cleans a bucket on AWS is left out.

use aws_sdk_s3::operation::delete_bucket::DeleteBucketError;
use serde_json::json;

use super::DeployError;
use crate::emulator::Emulator;
use crate::template::{Physical, Resolver};

/// Creates a bucket. The template leaves its name to CloudFormation; here it follows from the stack's.
pub(super) async fn create(
    emulator: &Emulator,
    id: &str,
    resolver: &Resolver<'_>,
) -> Result<Physical, DeployError> {
    let stack = resolver.text(&json!({ "Ref": "AWS::StackName" }))?;
    let name = format!("{stack}-{id}").to_lowercase();
    if emulator
        .s3
        .head_bucket()
        .bucket(&name)
        .send()
        .await
        .is_err()
    {
        let created = emulator.s3.create_bucket().bucket(&name).send().await;
        created.map_err(|error| DeployError::refused(id, error))?;
    }
    let arn = format!("arn:aws:s3:::{name}");
    Ok(Physical::with_arn(name, arn))
}

/// Deletes a bucket with what is in it.
pub(super) async fn remove(emulator: &Emulator, id: &str, name: &str) -> Result<(), DeployError> {
    let listed = emulator.s3.list_objects_v2().bucket(name).send().await;
    for object in listed
        .ok()
        .and_then(|listed| listed.contents)
        .into_iter()
        .flatten()
    {
        let delete = emulator.s3.delete_object().bucket(name);
        let deleted = delete.set_key(object.key).send().await;
        deleted.map_err(|error| DeployError::refused(id, error))?;
    }
    let deleted = emulator.s3.delete_bucket().bucket(name).send().await;
    super::ignore_missing(id, deleted, |error: &DeleteBucketError| {
        error.meta().code() == Some("NoSuchBucket")
    })
}
