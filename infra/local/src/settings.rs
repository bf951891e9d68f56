//! What `make run` tells this program: environment variables that `infra/stack/env.sh` exports.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::clock::Pace;
use crate::demo::MailServers;
use crate::emulator::EmulatorConfig;

/// The settings of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSettings {
    /// Where the emulator is.
    pub emulator: EmulatorConfig,
    /// Where the API listens.
    pub api: SocketAddr,
    /// How fast days pass.
    pub pace: Pace,
    /// Where the mail servers are.
    pub mail: MailServers,
    /// The certificate authority that signed theirs.
    pub ca_file: PathBuf,
    /// The repository.
    pub root: PathBuf,
}

/// A setting is missing or unusable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} is not set, or not to something usable: start this program by `make run`, which says where its servers are"
)]
pub struct SettingsError(pub &'static str);

impl RunSettings {
    /// Reads them from the process's environment.
    #[expect(
        clippy::disallowed_methods,
        reason = "a program's main reads its environment once"
    )]
    pub fn from_environment() -> Result<Self, SettingsError> {
        Self::read(|name| std::env::var(name).ok())
    }

    /// Reads them by name.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let text = |name: &'static str| {
            variable(name)
                .filter(|value| !value.is_empty())
                .ok_or(SettingsError(name))
        };
        let number = |name: &'static str| text(name)?.parse().map_err(|_| SettingsError(name));
        let port = |name: &'static str| text(name)?.parse::<u16>().map_err(|_| SettingsError(name));
        Ok(Self {
            emulator: EmulatorConfig {
                endpoint: text("AWS_ENDPOINT_URL")?,
                region: text("AWS_REGION")?,
            },
            api: (Ipv4Addr::LOCALHOST, port("AGENTWARM_API_PORT")?).into(),
            pace: match number("AGENTWARM_DAY_SECONDS")? {
                0 => return Err(SettingsError("AGENTWARM_DAY_SECONDS")),
                86_400 => Pace::Real,
                seconds => Pace::DayIn(Duration::from_secs(seconds)),
            },
            mail: MailServers {
                host: text("AGENTWARM_MAIL_HOST")?,
                imaps_port: port("AGENTWARM_PORT_IMAPS")?,
                smtp_port: port("AGENTWARM_PORT_SMTP")?,
                mailboxes_file: text("AGENTWARM_MAILBOXES_FILE")?.into(),
            },
            ca_file: text("AGENTWARM_CA_FILE")?.into(),
            root: Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(name: &str) -> String {
        let value = match name {
            "AWS_ENDPOINT_URL" => "http://127.0.0.1:4566",
            "AWS_REGION" => "us-east-1",
            "AGENTWARM_DAY_SECONDS" => "60",
            "AGENTWARM_MAIL_HOST" => "localhost",
            "AGENTWARM_MAILBOXES_FILE" | "AGENTWARM_CA_FILE" => "/f",
            _ => "1000",
        };
        value.to_owned()
    }

    #[test]
    fn settings_are_read() {
        let settings = RunSettings::read(|name| Some(variable(name))).unwrap();
        assert_eq!(settings.api, "127.0.0.1:1000".parse().unwrap());
        assert_eq!(settings.pace, Pace::DayIn(Duration::from_mins(1)));
    }

    #[test]
    fn what_is_missing_or_unusable_is_named() {
        for (name, value) in [
            ("AWS_ENDPOINT_URL", ""),
            ("AGENTWARM_API_PORT", "many"),
            ("AGENTWARM_DAY_SECONDS", "0"),
        ] {
            let without = |asked: &str| {
                if asked == name {
                    Some(value.to_owned())
                } else {
                    Some(variable(asked))
                }
            };
            assert_eq!(RunSettings::read(without), Err(SettingsError(name)));
        }
    }
}
