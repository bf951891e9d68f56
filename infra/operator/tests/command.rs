//! The command as an operator calls it: what it says when AWS's configuration is not what it needs.
#![allow(clippy::unwrap_used, reason = "a test that is surprised should stop")]

use std::process::Command;

/// What is said of a new user, with these variables and no other configuration.
fn complaint(variables: &[(&str, &str)]) -> String {
    let ended = Command::new(env!("CARGO_BIN_EXE_agentwarm-operator"))
        .arg("create-user")
        .env_clear()
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("ENTITIES_TABLE", "agentwarm-entities")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.stdout.is_empty());
    String::from_utf8(ended.stderr).unwrap()
}

#[test]
fn what_is_missing_is_named() {
    let credentials = complaint(&[("AWS_REGION", "us-east-1")]);
    assert!(credentials.contains("no credentials"), "{credentials}");
    let region = complaint(&[("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b")]);
    assert!(region.contains("Missing Region"), "{region}");
}
