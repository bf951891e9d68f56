//! What a function was told from outside: environment variables, read once, by name.
//!
//! All names that the product knows stand in [`CATALOG`] with what they mean, so that a missing one is an error that says what to set. On Lambda
//! and under `cargo lambda` they are the process's environment; the local runner gives each function only what its own `Environment` in
//! the template says. Values may be secret (`EXTRA_CA_PEM` is not, the next one may be): they are in no message
//! and not in `Debug`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// Every setting, with its meaning. The template sets them; its parameters say more.
pub const CATALOG: &[(&str, &str)] = &[
    (
        "ACTIVITY_TABLE",
        "the name of the table of days, mails and audit entries",
    ),
    (
        "ALLOW_LOOPBACK",
        "true lets mail servers be on loopback addresses: local development only; default false",
    ),
    ("AWS_LAMBDA_FUNCTION_NAME", "set by Lambda"),
    (
        "AWS_LAMBDA_RUNTIME_API",
        "where events come from; set by Lambda and by `cargo lambda watch`",
    ),
    (
        "DATA_KEY_ID",
        "the KMS key that wraps the deployment's data key",
    ),
    (
        "DUE_SHARDS",
        "partitions of the due index, 1 to 64; default 1",
    ),
    (
        "EHLO_NAME",
        "the name given to SMTP servers; chosen if empty",
    ),
    (
        "ENTITIES_TABLE",
        "the name of the table of users, keys, accounts and pools",
    ),
    (
        "EPHEMERAL_TABLE",
        "the name of the table of leases, counters and due entries",
    ),
    ("EVENT_BUS_NAME", "the name of the bus that events leave by"),
    (
        "EXTRA_CA_PEM",
        "certificates (PEM) that mail servers are also verified against",
    ),
    (
        "LOG_LEVEL",
        "error, warn, info, and in debug builds debug or trace; default info",
    ),
    (
        "MAX_CONCURRENT_VISITS",
        "batches of mailboxes visited at once, at most; default 3",
    ),
    (
        "NAME_SERVER",
        "address and port of the DNS server to ask; the system's if empty",
    ),
    (
        "QUEUE_DELAYS",
        "false hands mails out at once instead of at their second; default true",
    ),
    (
        "RATE_LIMIT_PER_MINUTE",
        "requests a minute and API key; default 100",
    ),
    (
        "SEND_QUEUE_URL",
        "the address of the queue of mails to send",
    ),
    (
        "TEST_MODE",
        "true limits every account's sends unless its user says otherwise; default false",
    ),
    (
        "TEST_MODE_MAX_DAILY_EMAILS",
        "mails a day and account in test mode unless its user says otherwise; default 20",
    ),
    ("TOKEN_HEADER", "the header that marks our own mails"),
    (
        "UPLOADS_BUCKET",
        "the bucket of files that are to be attached to mails",
    ),
    (
        "VISIT_QUEUE_URL",
        "the address of the queue of mailboxes to visit",
    ),
    ("WARMUP_FOLDER", "the folder that warmup mail is filed in"),
];

/// A function's settings.
#[derive(Clone, Default)]
pub struct Settings(BTreeMap<String, String>);

/// A setting cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// It is needed and not there, or empty.
    #[error("set {name}: {meaning}")]
    Missing {
        /// Which.
        name: &'static str,
        /// What it means.
        meaning: &'static str,
    },
    /// It is not what it must be.
    #[error("{name} cannot be used: it is {meaning}")]
    Unusable {
        /// Which.
        name: &'static str,
        /// What it means.
        meaning: &'static str,
    },
    /// A name that is not in the catalog was asked for.
    #[error("{0} is asked for and not in the catalog of settings")]
    Unknown(&'static str),
}

impl Settings {
    /// The process's environment.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment"
    )]
    pub fn from_environment() -> Self {
        std::env::vars().collect()
    }

    /// A text that must be there.
    pub fn required(&self, name: &'static str) -> Result<String, SettingsError> {
        let meaning = meaning_of(name)?;
        self.text(name)?
            .ok_or(SettingsError::Missing { name, meaning })
    }

    /// A text; `None` if it is not there or empty, which the template cannot tell apart.
    pub fn text(&self, name: &'static str) -> Result<Option<String>, SettingsError> {
        meaning_of(name)?;
        Ok(self.0.get(name).filter(|value| !value.is_empty()).cloned())
    }

    /// Something that is written as a text; `None` if it is not there or empty.
    pub fn parsed<T: FromStr>(&self, name: &'static str) -> Result<Option<T>, SettingsError> {
        let meaning = meaning_of(name)?;
        self.text(name)?
            .map(|text| text.parse())
            .transpose()
            .map_err(|_| SettingsError::Unusable { name, meaning })
    }

    /// A number.
    pub fn number<T: FromStr>(&self, name: &'static str, default: T) -> Result<T, SettingsError> {
        Ok(self.parsed(name)?.unwrap_or(default))
    }

    /// `true` or `false`.
    pub fn flag(&self, name: &'static str, default: bool) -> Result<bool, SettingsError> {
        self.number(name, default)
    }
}

fn meaning_of(name: &'static str) -> Result<&'static str, SettingsError> {
    CATALOG
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, meaning)| *meaning)
        .ok_or(SettingsError::Unknown(name))
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Settings {
    /// What is given, and nothing of the process's environment.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let pairs = pairs.into_iter();
        Self(
            pairs
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = |name: &&String| CATALOG.iter().any(|(known, _)| known == name);
        f.debug_set().entries(self.0.keys().filter(known)).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    fn settings() -> Settings {
        Settings::from_iter([
            ("ENTITIES_TABLE", "entities"),
            ("EHLO_NAME", ""),
            ("DUE_SHARDS", "many"),
            ("ALLOW_LOOPBACK", "true"),
            ("NAME_SERVER", "127.0.0.1:5353"),
            ("HOME", "/root"),
        ])
    }

    #[test]
    fn settings_are_typed_and_empty_is_absent() {
        let settings = settings();
        assert_eq!(settings.required("ENTITIES_TABLE").unwrap(), "entities");
        assert_eq!(settings.text("EHLO_NAME").unwrap(), None);
        assert!(settings.flag("ALLOW_LOOPBACK", false).unwrap());
        assert!(settings.flag("QUEUE_DELAYS", true).unwrap());
        assert_eq!(
            settings.number("RATE_LIMIT_PER_MINUTE", 100_u32).unwrap(),
            100
        );
        let server: Option<SocketAddr> = settings.parsed("NAME_SERVER").unwrap();
        assert_eq!(server.unwrap().port(), 5353);
    }

    #[test]
    fn errors_say_what_to_set_and_not_what_was_set() {
        let settings = settings();
        let text = |error: SettingsError| error.to_string();
        insta::assert_snapshot!(text(settings.required("EVENT_BUS_NAME").unwrap_err()), @"set EVENT_BUS_NAME: the name of the bus that events leave by");
        insta::assert_snapshot!(text(settings.number("DUE_SHARDS", 1_u8).unwrap_err()), @"DUE_SHARDS cannot be used: it is partitions of the due index, 1 to 64; default 1");
        assert_eq!(
            settings.text("HOME").unwrap_err(),
            SettingsError::Unknown("HOME")
        );
        assert!(!format!("{settings:?}").contains("entities"));
    }

    #[test]
    fn the_catalog_is_in_order_and_without_doubles() {
        assert!(CATALOG.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
