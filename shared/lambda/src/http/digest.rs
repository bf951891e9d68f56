//! SHA-256, written as hexadecimal digits.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// The digest of `bytes`: 64 digits.
pub(super) fn sha256(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
