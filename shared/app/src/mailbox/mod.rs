//! What users do with a mailbox themselves: sending mails, reading it (API reference §3).

mod address;
mod allowance;
mod outcome;
mod read;
mod send;
mod uploads;

pub use address::parse_correspondent;
pub use allowance::{Allowance, DailyLimitReached};
pub use outcome::MailRefused;
pub use read::{FoundMessages, ReadMessages, WantedMessages};
pub use send::{SendMail, Sent};
pub use uploads::{AnnouncedUpload, BeginUpload, MAX_ATTACHMENT_BYTES};
