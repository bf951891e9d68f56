//! Answers at rest.
//!
//! The answer that creates an API key holds the key, and must be replayed for 24 hours (decision 8). So every stored answer is sealed, under
//! a key that only its client can make us derive again: from the API key that the request carried, which we do not store. No KMS call,
//! no permission, and a copy of the table reads as noise.
//!
//! Sealing is AES-256-GCM (NIST SP 800-38D) under HKDF-SHA-256 (RFC 5869) of the API key, with the idempotency key as the additional data, so
//! that records cannot change places. The nonce is random; a derived key seals a handful of answers in its life.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue, StatusCode};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use serde::{Deserialize, Serialize};

use super::response::Response;

/// Separates this use of a client's key from any other.
const PURPOSE: &[u8] = b"agentwarm/idempotency/v1";

/// A stored answer is not one that we sealed for this client and idempotency key.
#[derive(Debug, thiserror::Error)]
pub(super) enum UnsealError {
    /// It was changed, or was never sealed by us.
    #[error("the stored answer cannot be opened")]
    Unreadable,
    /// It is not an answer.
    #[error("the stored answer has another form")]
    Form,
}

/// An answer could not be sealed.
#[derive(Debug, thiserror::Error)]
#[error("the answer cannot be sealed")]
pub(super) struct SealError;

/// Seals and opens the answers of one client and idempotency key.
pub(super) struct Sealer {
    key: Option<LessSafeKey>,
    idempotency_key: String,
    nonce: [u8; NONCE_LEN],
}

#[derive(Serialize, Deserialize)]
struct Stored {
    status: u16,
    headers: Vec<(String, String)>,
    /// Base64, since an answer need not be text.
    body: String,
}

impl Sealer {
    /// For whoever presented `secret`. `fresh` is never used twice.
    pub(super) fn new(secret: &str, idempotency_key: &str, fresh: u128) -> Self {
        let mut nonce = [0; NONCE_LEN];
        for (byte, fresh) in nonce.iter_mut().zip(fresh.to_be_bytes()) {
            *byte = fresh;
        }
        Self {
            key: derived(secret),
            idempotency_key: idempotency_key.to_owned(),
            nonce,
        }
    }

    /// `response`, sealed: nonce, then ciphertext and tag.
    pub(super) fn seal(&self, response: &Response) -> Result<Vec<u8>, SealError> {
        let key = self.key.as_ref().ok_or(SealError)?;
        let stored = Stored {
            status: response.status.as_u16(),
            headers: response
                .headers
                .iter()
                .filter_map(|(name, value)| {
                    Some((name.to_string(), value.to_str().ok()?.to_owned()))
                })
                .collect(),
            body: STANDARD.encode(&response.body),
        };
        let mut text = serde_json::to_vec(&stored).map_err(|_| SealError)?;
        let nonce = Nonce::assume_unique_for_key(self.nonce);
        key.seal_in_place_append_tag(nonce, self.aad(), &mut text)
            .map_err(|_| SealError)?;
        Ok([&self.nonce[..], &text].concat())
    }

    /// What [`Sealer::seal`] sealed, by any sealer of the same client and idempotency key.
    pub(super) fn open(&self, sealed: &[u8]) -> Result<Response, UnsealError> {
        let key = self.key.as_ref().ok_or(UnsealError::Unreadable)?;
        let (nonce, text) = sealed
            .split_at_checked(NONCE_LEN)
            .ok_or(UnsealError::Unreadable)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| UnsealError::Unreadable)?;
        let mut text = text.to_vec();
        let text = key
            .open_in_place(nonce, self.aad(), &mut text)
            .map_err(|_| UnsealError::Unreadable)?;
        let stored: Stored = serde_json::from_slice(text).map_err(|_| UnsealError::Form)?;
        stored.into_response().ok_or(UnsealError::Form)
    }

    fn aad(&self) -> Aad<&[u8]> {
        Aad::from(self.idempotency_key.as_bytes())
    }
}

fn derived(secret: &str) -> Option<LessSafeKey> {
    let prk = Salt::new(HKDF_SHA256, PURPOSE).extract(secret.as_bytes());
    let okm = prk.expand(&[b"answer"], &AES_256_GCM).ok()?;
    Some(LessSafeKey::new(UnboundKey::from(okm)))
}

impl Stored {
    fn into_response(self) -> Option<Response> {
        let headers = self
            .headers
            .iter()
            .map(|(name, value)| {
                Some((
                    name.parse::<HeaderName>().ok()?,
                    HeaderValue::from_str(value).ok()?,
                ))
            })
            .collect::<Option<_>>()?;
        Some(Response {
            status: StatusCode::from_u16(self.status).ok()?,
            headers,
            body: STANDARD.decode(self.body).ok()?,
            failure: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> Response {
        Response::created(&serde_json::json!({ "key": "aw_canary" })).unwrap()
    }

    #[test]
    fn the_same_client_opens_it_byte_for_byte_and_nobody_else_does() {
        let sealed = Sealer::new("aw_secret", "k", 1).seal(&answer()).unwrap();
        assert!(!String::from_utf8_lossy(&sealed).contains("canary"));

        let opened = Sealer::new("aw_secret", "k", 2).open(&sealed).unwrap();
        assert_eq!(opened.status, answer().status);
        assert_eq!(opened.headers, answer().headers);
        assert_eq!(opened.body, answer().body);

        assert!(Sealer::new("aw_other", "k", 1).open(&sealed).is_err());
        assert!(Sealer::new("aw_secret", "other", 1).open(&sealed).is_err());
    }

    #[test]
    fn what_was_changed_or_cut_is_refused() {
        let sealer = Sealer::new("aw_secret", "k", 1);
        let sealed = sealer.seal(&answer()).unwrap();
        for at in [0, NONCE_LEN, sealed.len() - 1] {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(sealer.open(&changed).is_err(), "{at}");
        }
        for length in [0, NONCE_LEN - 1, NONCE_LEN, sealed.len() - 1] {
            assert!(sealer.open(&sealed[..length]).is_err(), "{length}");
        }
    }
}
