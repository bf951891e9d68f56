//! KMS keys, found again by their aliases: a key has no name of its own.

use serde_json::Value;

use super::DeployError;
use crate::emulator::Emulator;
use crate::template::{Physical, Resolver, Template, TemplateError};

/// The names of the aliases whose target is the key `id`.
pub(super) fn aliases(
    template: &Template,
    resolver: &Resolver<'_>,
    id: &str,
) -> Result<Vec<String>, TemplateError> {
    template
        .of_kind("AWS::KMS::Alias")
        .filter(|(_, alias)| {
            alias
                .properties
                .get("TargetKeyId")
                .and_then(|target| target.get("Ref"))
                == Some(&Value::from(id))
        })
        .map(|(alias_id, alias)| {
            let name = alias.properties.get("AliasName").ok_or_else(|| {
                TemplateError::unexpected(format!("{alias_id}.AliasName"), "a name")
            })?;
            resolver.text(name)
        })
        .collect()
}

/// Creates a key with its aliases unless the first of them leads to one.
pub(super) async fn create(
    emulator: &Emulator,
    id: &str,
    aliases: &[String],
) -> Result<Physical, DeployError> {
    let first = aliases.first().ok_or_else(|| {
        TemplateError::unexpected(id, "an alias, by which the local stack finds the key again")
    })?;
    if let Ok(known) = emulator.kms.describe_key().key_id(first).send().await
        && let Some(key) = known.key_metadata
    {
        return Ok(Physical::with_arn(key.key_id, key.arn.unwrap_or_default()));
    }
    let key = emulator
        .kms
        .create_key()
        .send()
        .await
        .map_err(|error| DeployError::refused(id, error))?
        .key_metadata
        .ok_or_else(|| TemplateError::Unknown(format!("key {id}")))?;
    for alias in aliases {
        emulator
            .kms
            .create_alias()
            .alias_name(alias)
            .target_key_id(&key.key_id)
            .send()
            .await
            .map_err(|error| DeployError::refused(id, error))?;
    }
    Ok(Physical::with_arn(key.key_id, key.arn.unwrap_or_default()))
}
