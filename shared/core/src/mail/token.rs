//! The token in a header of every warmup mail: what it is, who sent it to whom, and a proof that we said so (decision 28).
//!
//! A receiver recognises warmup mail by it without a look-up, and nobody else can make a mailbox open, answer or file a mail:
//! `v1.<payload>.<HMAC-SHA256>`, both parts base64url without padding (RFC 4648 §5). The payload is binary and has exactly one spelling,
//! so every changed character is refused. It carries ids, the conversation's slug and the turn, and nothing that a person could read.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

use crate::ids::{AccountId, SlotId, ThreadId};

/// Longest slug of a conversation, in bytes.
pub const MAX_SLUG: usize = 64;

/// Longest token: a header line has room for 998 characters (RFC 5322 §2.1.1); this is the longest we make.
pub const MAX_LENGTH: usize =
    VERSION.len() + 1 + encoded_length(FIXED + MAX_SLUG) + 1 + encoded_length(TAG);

const VERSION: &str = "v1";
/// What the MAC covers before the payload, so that the key's other uses can never yield a token.
const DOMAIN: &[u8] = b"agentwarm warmup token v1\0";
const ID: usize = 16;
/// Slot, sender, recipient, thread, turn.
const FIXED: usize = 4 * ID + 1;
const TAG: usize = 32;

const fn encoded_length(bytes: usize) -> usize {
    (bytes * 4).div_ceil(3)
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The mail's slot.
    pub slot: SlotId,
    /// Who sent it.
    pub sender: AccountId,
    /// To whom.
    pub recipient: AccountId,
    /// Its thread.
    pub thread: ThreadId,
    /// The conversation of the content bank, by its slug: at most [`MAX_SLUG`] of `a–z`, `0–9` and `-`.
    pub conversation: String,
    /// Which turn of it, from 0.
    pub turn: u8,
}

/// The key that tokens are signed with: at least 32 bytes from the deployment's vault.
#[derive(Clone, Copy)]
pub struct TokenKey<'a>(&'a [u8]);

/// Why a token was not accepted, or could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The key is shorter than the hash it is used with (RFC 2104 §3).
    #[error("the token key is shorter than 32 bytes")]
    WeakKey,
    /// The conversation's slug is too long or has other characters.
    #[error("the conversation's slug cannot stand in a token")]
    Slug,
    /// Longer than any token.
    #[error("the token is too long")]
    TooLong,
    /// A version that this release does not know.
    #[error("the token has an unknown version")]
    UnknownVersion,
    /// Not of the form of a token.
    #[error("the token is malformed")]
    Malformed,
    /// Not signed with this key.
    #[error("the token's signature does not fit")]
    Signature,
}

impl<'a> TokenKey<'a> {
    /// `bytes` as a key.
    pub fn new(bytes: &'a [u8]) -> Result<Self, TokenError> {
        (bytes.len() >= TAG)
            .then_some(Self(bytes))
            .ok_or(TokenError::WeakKey)
    }

    fn mac(self, payload: &[u8]) -> Result<Hmac<Sha256>, TokenError> {
        let mac = Hmac::<Sha256>::new_from_slice(self.0).map_err(|_| TokenError::WeakKey)?;
        Ok(mac.chain_update(DOMAIN).chain_update(payload))
    }
}

impl core::fmt::Debug for TokenKey<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("TokenKey(…)")
    }
}

impl Token {
    /// This token as a header's value.
    pub fn sign(&self, key: TokenKey<'_>) -> Result<String, TokenError> {
        if !is_slug(self.conversation.as_bytes()) {
            return Err(TokenError::Slug);
        }
        let payload = self.payload();
        let tag = key.mac(&payload)?.finalize().into_bytes();
        Ok(format!(
            "{VERSION}.{}.{}",
            URL_SAFE_NO_PAD.encode(payload),
            URL_SAFE_NO_PAD.encode(tag)
        ))
    }

    /// Reads a header's value. The signature is compared in constant time and before anything in the payload is believed.
    pub fn verify(text: &str, key: TokenKey<'_>) -> Result<Self, TokenError> {
        let text = text.trim_matches([' ', '\t', '\r', '\n']);
        if text.len() > MAX_LENGTH {
            return Err(TokenError::TooLong);
        }
        let (version, rest) = text.split_once('.').ok_or(TokenError::Malformed)?;
        if version != VERSION {
            return Err(TokenError::UnknownVersion);
        }
        let (payload, tag) = rest.split_once('.').ok_or(TokenError::Malformed)?;
        let payload = decode(payload)?;
        let tag = decode(tag)?;
        key.mac(&payload)?
            .verify_slice(&tag)
            .map_err(|_| TokenError::Signature)?;
        Self::parse(&payload).ok_or(TokenError::Malformed)
    }

    fn payload(&self) -> Vec<u8> {
        let ids = [
            self.slot.as_uuid(),
            self.sender.as_uuid(),
            self.recipient.as_uuid(),
            self.thread.as_uuid(),
        ];
        let mut payload = Vec::with_capacity(FIXED + self.conversation.len());
        for id in ids {
            payload.extend_from_slice(id.as_bytes());
        }
        payload.push(self.turn);
        payload.extend_from_slice(self.conversation.as_bytes());
        payload
    }

    fn parse(payload: &[u8]) -> Option<Self> {
        let (slot, rest) = split_id(payload)?;
        let (sender, rest) = split_id(rest)?;
        let (recipient, rest) = split_id(rest)?;
        let (thread, rest) = split_id(rest)?;
        let (&turn, slug) = rest.split_first()?;
        if !is_slug(slug) {
            return None;
        }
        Some(Self {
            slot: SlotId::from_uuid(slot),
            sender: AccountId::from_uuid(sender),
            recipient: AccountId::from_uuid(recipient),
            thread: ThreadId::from_uuid(thread),
            conversation: core::str::from_utf8(slug).ok()?.to_owned(),
            turn,
        })
    }
}

fn decode(part: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| TokenError::Malformed)
}

fn split_id(bytes: &[u8]) -> Option<(Uuid, &[u8])> {
    let (id, rest) = bytes.split_first_chunk::<ID>()?;
    Some((Uuid::from_bytes(*id), rest))
}

fn is_slug(bytes: &[u8]) -> bool {
    (1..=MAX_SLUG).contains(&bytes.len())
        && bytes
            .iter()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &[u8] = &[7; 32];

    fn key() -> TokenKey<'static> {
        TokenKey::new(KEY).unwrap()
    }

    fn token(seed: u128, slug: &str, turn: u8) -> Token {
        let id = |n: u128| Uuid::from_u128(seed.wrapping_mul(31).wrapping_add(n));
        Token {
            slot: SlotId::from_uuid(id(1)),
            sender: AccountId::from_uuid(id(2)),
            recipient: AccountId::from_uuid(id(3)),
            thread: ThreadId::from_uuid(id(4)),
            conversation: slug.to_owned(),
            turn,
        }
    }

    #[test]
    fn a_token_is_short_enough_for_a_header_line_and_has_no_surprising_characters() {
        let longest = token(u128::MAX, &"z".repeat(MAX_SLUG), u8::MAX)
            .sign(key())
            .unwrap();
        assert_eq!(longest.len(), MAX_LENGTH);
        assert!(longest.len() < 300);
        assert!(
            longest
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        );
    }

    #[test]
    fn one_token_is_pinned_so_that_mail_in_flight_survives_a_release() {
        let text = token(0, "offsite-planning", 1).sign(key()).unwrap();
        insta::assert_snapshot!(text, @"v1.AAAAAAAAAAAAAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAIAAAAAAAAAAAAAAAAAAAADAAAAAAAAAAAAAAAAAAAABAFvZmZzaXRlLXBsYW5uaW5n.oQLjBSryF981MJcBpxMoTc4epy3auOb4R9NXAb9hvus");
    }

    #[test]
    fn refusals_say_why() {
        let good = token(1, "lunch", 0).sign(key()).unwrap();
        let other_key = TokenKey::new(&[8; 33]).unwrap();
        assert_eq!(Token::verify(&good, other_key), Err(TokenError::Signature));
        assert_eq!(
            Token::verify(&good.replace("v1.", "v2."), key()),
            Err(TokenError::UnknownVersion)
        );
        for text in ["", "v1", "v1.", "v1.AA", "v1.A.A", "v1.ä.b"] {
            assert_eq!(
                Token::verify(text, key()),
                Err(TokenError::Malformed),
                "{text}"
            );
        }
        assert_eq!(Token::verify("v1..", key()), Err(TokenError::Signature));
        assert_eq!(
            Token::verify(&format!("v1.{}", "A".repeat(10_000)), key()),
            Err(TokenError::TooLong)
        );
        assert_eq!(TokenKey::new(&[0; 31]).err(), Some(TokenError::WeakKey));
        for slug in ["", "Lunch", "a b", "ä", &"a".repeat(MAX_SLUG + 1)] {
            assert_eq!(
                token(1, slug, 0).sign(key()),
                Err(TokenError::Slug),
                "{slug}"
            );
        }
    }

    #[test]
    fn a_signed_payload_that_is_too_short_is_malformed() {
        let payload = [0_u8; FIXED - 1];
        let tag = key().mac(&payload).unwrap().finalize().into_bytes();
        let text = format!(
            "v1.{}.{}",
            URL_SAFE_NO_PAD.encode(payload),
            URL_SAFE_NO_PAD.encode(tag)
        );
        assert_eq!(Token::verify(&text, key()), Err(TokenError::Malformed));
    }

    #[test]
    fn the_key_is_not_shown() {
        assert_eq!(format!("{:?}", key()), "TokenKey(…)");
    }

    proptest! {
        #[test]
        fn what_was_signed_is_read_back(seed: u128, slug in "[a-z0-9-]{1,64}", turn: u8) {
            let token = token(seed, &slug, turn);
            let text = token.sign(key()).unwrap();
            prop_assert_eq!(Token::verify(&format!(" {text}\r\n"), key()), Ok(token));
        }

        #[test]
        fn any_flipped_bit_is_refused(seed: u128, at: prop::sample::Index, bit in 0_u32..7) {
            let text = token(seed, "lunch", 3).sign(key()).unwrap();
            let mut bytes = text.into_bytes();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let changed = String::from_utf8(bytes).unwrap();
            prop_assert!(Token::verify(&changed, key()).is_err(), "{changed}");
        }

        #[test]
        fn garbage_never_panics(text in "(v1)?\\PC{0,300}") {
            prop_assert!(Token::verify(&text, key()).is_err());
        }
    }
}
