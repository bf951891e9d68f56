//! Identifiers: one type per thing, so that an account's id can never stand where a pool's belongs.
//!
//! All are UUIDv7 (RFC 9562 §5.7): unique anywhere, sortable by creation. They are made from a time and random or seeded bits that
//! come in as arguments.

use core::fmt;
use core::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::seed::Seed;

/// The text was not a UUID. What a client sees is the resource's "not found" (decision 4), so no detail is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a UUID")]
pub struct MalformedId;

/// Builds a UUIDv7 of `at` (millisecond precision; before 1970 counts as 1970) whose other bits are `entropy`.
pub fn uuid_v7(at: Timestamp, entropy: u128) -> Uuid {
    let millis = u128::try_from(at.as_millisecond()).unwrap_or(0) & 0xffff_ffff_ffff;
    let random = entropy & 0x0fff_3fff_ffff_ffff_ffff;
    let version = 7_u128 << 76;
    let variant = 2_u128 << 62;
    Uuid::from_u128((millis << 80) | version | variant | random)
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// The id of something made at `at`; `entropy` fills the random bits.
            pub fn new(at: Timestamp, entropy: u128) -> Self {
                Self(uuid_v7(at, entropy))
            }

            /// The id of something whose making may be repeated: same instant and seed, same id.
            pub fn seeded(at: Timestamp, seed: &Seed) -> Self {
                Self(uuid_v7(at, seed.entropy()))
            }

            /// Wraps a UUID that is already known to name one of these.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID itself.
            pub const fn as_uuid(&self) -> &Uuid {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = MalformedId;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::try_parse(text).map(Self).map_err(|_| MalformedId)
            }
        }
    )*};
}

ids! {
    /// A user: the owner of everything else and the first part of every partition key.
    UserId;
    /// An API key (not its secret).
    ApiKeyId;
    /// A mailbox that a user connected.
    AccountId;
    /// A group of accounts that mail each other.
    PoolId;
    /// One warmup mail, planned or sent. Its UUIDv7 time is the instant it was planned for, so that ids sort by day.
    SlotId;
    /// One account's schedule of one local day.
    ScheduleId;
    /// One run of warmup mails that answer each other.
    ThreadId;
    /// One entry of the audit log.
    AuditEntryId;
    /// One request or background event, as shown to clients and in logs.
    RequestId;
    /// One entry of the suppression list.
    SuppressionId;
    /// One link between an account and records of a CRM.
    CrmLinkId;
    /// One file that was announced before the mail that it is attached to. Its UUIDv7 time is the instant of that.
    UploadId;
}

impl UploadId {
    /// When it was made. An id that is no UUIDv7 names nothing of ours, whatever time this reads into it.
    pub fn made_at(&self) -> Timestamp {
        let millis = i64::try_from(self.0.as_u128() >> 80).unwrap_or(0);
        Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
    }
}

impl SlotId {
    /// The smallest id that a slot at or after `at` can have: the bound of a key range.
    pub fn first_at(at: Timestamp) -> Self {
        Self(uuid_v7(at, 0))
    }

    /// The smallest id after this one: the end of a key range that this one is in.
    #[must_use]
    pub const fn successor(self) -> Self {
        Self(Uuid::from_u128(self.0.as_u128().saturating_add(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_lies_between_an_id_and_its_successor() {
        let id: SlotId = "019ce6a5-3d80-7fff-bfff-ffffffffffff".parse().unwrap();
        assert_eq!(
            id.successor().to_string(),
            "019ce6a5-3d80-7fff-c000-000000000000"
        );
        let last = SlotId(Uuid::max());
        assert_eq!(last.successor(), last);
    }

    #[test]
    fn ids_sort_by_their_time_and_have_the_version_and_variant_of_rfc_9562() {
        let early = SlotId::new("2026-03-13T09:00:00Z".parse().unwrap(), u128::MAX);
        let late = SlotId::new("2026-03-13T09:00:00.001Z".parse().unwrap(), 0);

        assert!(early < late);
        assert!(early.to_string() < late.to_string());
        assert_eq!(early.as_uuid().get_version_num(), 7);
        assert_eq!(early.as_uuid().get_variant(), uuid::Variant::RFC4122);
        assert_eq!(
            late,
            SlotId::first_at("2026-03-13T09:00:00.001Z".parse().unwrap())
        );
    }

    #[test]
    fn an_upload_knows_when_it_was_made() {
        let at = "2026-03-13T09:00:00.007Z".parse().unwrap();
        assert_eq!(UploadId::new(at, u128::MAX).made_at(), at);
        let last = UploadId::from_uuid(Uuid::from_u128(u128::MAX));
        assert!(last.made_at() > at);
    }

    #[test]
    fn what_is_not_a_uuid_is_refused() {
        assert_eq!("nonsense".parse::<AccountId>(), Err(MalformedId));
    }
}
