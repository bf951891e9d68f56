//! Links between accounts and what a CRM knows (API reference §3, "CRM Entity Links").
//!
//! What a CRM calls its records and itself comes from clients and is never interpreted: it is parsed for its form once, and compared from then
//! on. The form keeps an id usable as one segment of a path and as part of a sort key.

use core::fmt;
use core::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, CrmLinkId};

/// The id of a record in a CRM: of a person or of an account, whichever the field says. Case counts: Salesforce's ids differ in nothing
/// else.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CrmId(String);

/// The text cannot be a CRM's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must have 1 to 128 letters, digits or any of - _ . : @ + = ~")]
pub struct InvalidCrmId;

/// Which CRM: `salesforce`, `hubspot`. Any is as good as another; case does not count.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CrmSource(String);

/// The text cannot be a CRM's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must have 1 to 32 letters, digits, - or _, the first a letter or digit, such as salesforce"
)]
pub struct InvalidCrmSource;

/// What a record of a CRM stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CrmKind {
    /// A person.
    Person,
    /// A company: an account in the CRM's words.
    Account,
}

/// A record of a CRM, as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrmEntity {
    /// What it stands for.
    pub kind: CrmKind,
    /// Its id.
    pub id: CrmId,
    /// In which CRM; in any when not said.
    pub source: Option<CrmSource>,
}

/// What a link leads to: a person, an account or both, never neither.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CrmIds {
    /// A person.
    Person(CrmId),
    /// An account of the CRM.
    Account(CrmId),
    /// A person and an account of the CRM.
    Both {
        /// The person.
        person: CrmId,
        /// The account.
        account: CrmId,
    },
}

/// A link between one of our accounts and records of a CRM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrmLink {
    /// Its id.
    pub id: CrmLinkId,
    /// Our account.
    pub account: AccountId,
    /// Their records.
    pub ids: CrmIds,
    /// Whose they are.
    pub source: CrmSource,
    /// When it was made.
    pub created_at: Timestamp,
}

impl CrmId {
    /// The longest: a UUID in a URN has 45, an address 254 and no CRM uses them.
    pub const MAX_CHARS: usize = 128;

    /// The id's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl CrmSource {
    /// The longest.
    pub const MAX_CHARS: usize = 32;

    /// The name, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl CrmKind {
    /// Both.
    pub const ALL: &'static [Self] = &[Self::Person, Self::Account];

    /// Its name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Account => "account",
        }
    }
}

impl CrmIds {
    /// The ids that were given; `None` if none was.
    pub fn of(person: Option<CrmId>, account: Option<CrmId>) -> Option<Self> {
        match (person, account) {
            (Some(person), Some(account)) => Some(Self::Both { person, account }),
            (Some(person), None) => Some(Self::Person(person)),
            (None, Some(account)) => Some(Self::Account(account)),
            (None, None) => None,
        }
    }

    /// The person's.
    pub const fn person(&self) -> Option<&CrmId> {
        match self {
            Self::Person(person) | Self::Both { person, .. } => Some(person),
            Self::Account(_) => None,
        }
    }

    /// The CRM account's.
    pub const fn account(&self) -> Option<&CrmId> {
        match self {
            Self::Account(account) | Self::Both { account, .. } => Some(account),
            Self::Person(_) => None,
        }
    }

    /// One or two, each with its kind.
    pub fn each(&self) -> impl Iterator<Item = (CrmKind, &CrmId)> {
        let person = self.person().map(|id| (CrmKind::Person, id));
        let account = self.account().map(|id| (CrmKind::Account, id));
        person.into_iter().chain(account)
    }
}

impl CrmLink {
    /// Whether it says what a link to `ids` of `source` would say.
    pub fn leads_to(&self, ids: &CrmIds, source: &CrmSource) -> bool {
        self.ids == *ids && self.source == *source
    }

    /// Whether it leads to `entity`.
    pub fn is_of(&self, entity: &CrmEntity) -> bool {
        let in_its_source = entity
            .source
            .as_ref()
            .is_none_or(|source| *source == self.source);
        in_its_source && self.ids.each().any(|id| id == (entity.kind, &entity.id))
    }
}

impl FromStr for CrmId {
    type Err = InvalidCrmId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:@+=~".contains(&byte);
        let is_id = (1..=Self::MAX_CHARS).contains(&text.len()) && text.bytes().all(fits);
        is_id.then(|| Self(text.to_owned())).ok_or(InvalidCrmId)
    }
}

impl FromStr for CrmSource {
    type Err = InvalidCrmSource;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        let is_name = text.len() <= Self::MAX_CHARS
            && text.starts_with(|first: char| first.is_ascii_alphanumeric())
            && text.bytes().all(fits);
        is_name
            .then(|| Self(text.to_ascii_lowercase()))
            .ok_or(InvalidCrmSource)
    }
}

macro_rules! texts {
    ($($name:ident: $error:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = $error;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }
    )*};
}

texts!(CrmId: InvalidCrmId, CrmSource: InvalidCrmSource);

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> CrmId {
        text.parse().unwrap()
    }

    #[test]
    fn ids_of_real_systems_pass_and_what_a_path_cannot_carry_does_not() {
        for good in [
            "sf_003x0001",
            "003xx000004TmiQAAS",
            "901",
            "urn:uuid:0195-a.b~c",
            "a@b.example+x=1",
        ] {
            assert_eq!(id(good).as_str(), good);
        }
        let long = "x".repeat(129);
        for bad in [
            "", " ", "a b", "a/b", "a#b", "a?b", "a%2Fb", "é", "a\n", "\0", &long,
        ] {
            assert_eq!(bad.parse::<CrmId>(), Err(InvalidCrmId), "{bad:?}");
        }
        assert!("x".repeat(128).parse::<CrmId>().is_ok());
        assert_ne!(id("003a"), id("003A"), "case counts");
    }

    #[test]
    fn sources_are_short_tokens_in_any_case() {
        let source = |text: &str| text.parse::<CrmSource>();
        assert_eq!(source("Salesforce"), source("salesforce"));
        assert!(source("my-crm_2").is_ok());
        let long = "x".repeat(33);
        for bad in ["", "-x", "_x", "a b", "a#b", "é", &long] {
            assert_eq!(source(bad), Err(InvalidCrmSource), "{bad:?}");
        }
    }

    #[test]
    fn a_link_leads_to_what_it_names_in_its_own_crm() {
        let link = CrmLink {
            id: CrmLinkId::new(Timestamp::UNIX_EPOCH, 1),
            account: AccountId::new(Timestamp::UNIX_EPOCH, 2),
            ids: CrmIds::of(Some(id("p")), Some(id("a"))).unwrap(),
            source: "hubspot".parse().unwrap(),
            created_at: Timestamp::UNIX_EPOCH,
        };
        let is_of = |kind, of: &str, source: Option<&str>| {
            link.is_of(&CrmEntity {
                kind,
                id: id(of),
                source: source.map(|source| source.parse().unwrap()),
            })
        };
        assert!(is_of(CrmKind::Person, "p", None));
        assert!(is_of(CrmKind::Account, "a", Some("HubSpot")));
        assert!(!is_of(CrmKind::Person, "a", None));
        assert!(!is_of(CrmKind::Person, "p", Some("salesforce")));
    }

    #[test]
    fn a_link_to_nothing_cannot_be_made() {
        assert_eq!(CrmIds::of(None, None), None);
        let both = CrmIds::of(Some(id("p")), Some(id("a"))).unwrap();
        assert_eq!(both.each().count(), 2);
        let person = CrmIds::of(Some(id("p")), None).unwrap();
        assert_eq!((person.person(), person.account()), (Some(&id("p")), None));
    }
}
