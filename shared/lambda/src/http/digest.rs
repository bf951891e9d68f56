//! SHA-256, written as hexadecimal digits.

use agentwarm_app::text::hex;
use sha2::{Digest, Sha256};

/// The digest of `bytes`: 64 digits.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}
