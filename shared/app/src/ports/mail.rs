//! Mailboxes: sending a mail and looking into folders, whatever the provider.
//!
//! What a transport learned is returned in the vocabulary of mail, not as an error: a refused recipient is a fact about a mail, a
//! refused login is a fact about an account. The phase in which an SMTP transaction failed is kept, because it decides whether the mail may
//! exist (decision 31).

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use zeroize::{Zeroize, ZeroizeOnDrop};

use agentwarm_core::email::EmailAddress;
use agentwarm_core::mail::receipt::Placement;

use super::inbox::{Headline, Headlines, MailContent};
use super::letters::{Gate, Letter, Posted};

/// How to reach a mailbox by IMAP and SMTP. The plain text of what an account's vault holds; never logged.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(rename_all = "camelCase")]
pub struct ImapSmtpCredentials {
    /// IMAP host.
    pub imap_host: String,
    /// IMAP port: 993 implies TLS from the start, 143 STARTTLS (RFC 8314).
    pub imap_port: u16,
    /// SMTP host.
    pub smtp_host: String,
    /// SMTP port: 465 implies TLS from the start, others STARTTLS (RFC 8314).
    pub smtp_port: u16,
    /// Login name for both.
    pub username: String,
    /// Password or, with `oauth`, access token.
    pub password: String,
    /// How IMAP is secured, where the port does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[zeroize(skip)]
    pub imap_security: Option<TlsMode>,
    /// How SMTP is secured, where the port does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[zeroize(skip)]
    pub smtp_security: Option<TlsMode>,
    /// Whether `password` is an OAuth access token for XOAUTH2.
    #[serde(default)]
    pub oauth: bool,
}

/// The tokens of a mailbox that is reached by its provider's API.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OauthTokens {
    /// Opens the mailbox for an hour or so.
    pub access_token: String,
    /// Gets the next access token.
    pub refresh_token: String,
}

/// What an account's vault holds. Told apart by their fields.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum MailboxCredentials {
    /// By IMAP and SMTP.
    ImapSmtp(ImapSmtpCredentials),
    /// By an API.
    Oauth(OauthTokens),
}

/// Whether a port begins with TLS or upgrades to it. Plain text is never spoken beyond the upgrade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TlsMode {
    /// TLS from the first byte.
    Implicit,
    /// STARTTLS, refused if not offered.
    StartTls,
}

/// A mail to be sent, in parts that a header cannot be smuggled into.
#[derive(Debug, Clone, PartialEq)]
pub struct OutgoingMail {
    /// Who sends: display name and address.
    pub from: (String, EmailAddress),
    /// To whom.
    pub to: (String, EmailAddress),
    /// Subject, one line.
    pub subject: String,
    /// Text, plain.
    pub text: String,
    /// Message-ID without angle brackets.
    pub message_id: String,
    /// `Date` header.
    pub date: Timestamp,
    /// Message-ID it answers, without angle brackets.
    pub in_reply_to: Option<String>,
    /// The thread's Message-IDs, oldest first.
    pub references: Vec<String>,
    /// Further headers, such as the token.
    pub headers: Vec<(String, String)>,
}

/// Where in an SMTP session something happened (RFC 5321 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmtpPhase {
    /// Before or during the connection, TLS, greeting, EHLO.
    Connect,
    /// AUTH.
    Auth,
    /// MAIL FROM.
    MailFrom,
    /// RCPT TO.
    RcptTo,
    /// The DATA command, before its 354.
    Data,
    /// After the first byte of the message was sent: it may have been accepted.
    Content,
}

/// What became of a mail given to a server.
#[derive(Debug, Clone, PartialEq)]
pub enum Submission {
    /// Accepted: a 250 after the final dot.
    Accepted,
    /// Answered with 4xx or 5xx.
    Refused {
        /// To what.
        phase: SmtpPhase,
        /// The reply code.
        code: u16,
        /// The enhanced code, such as `5.1.1` (RFC 3463), where given.
        enhanced: Option<String>,
        /// The reply's text, shortened to one printable line.
        text: String,
    },
    /// The connection failed in a phase where the mail cannot have been accepted.
    NotSent(ConnectFailure),
    /// The connection was lost after content was sent: it may have been accepted.
    InDoubt,
}

impl Submission {
    /// Whether its session takes no further mail: the connection failed, or the server closes it (421, RFC 5321 section 3.8).
    pub fn ends_session(&self) -> bool {
        match self {
            Self::Accepted => false,
            Self::Refused { code, .. } => *code == 421,
            Self::NotSent(_) | Self::InDoubt => true,
        }
    }
}

/// Why a mailbox could not be used. One message for refused, filtered and blocked, or test-connection would be a port scanner (`docs/security.md`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectFailure {
    /// The server refused the credentials.
    #[error("Authentication failed: invalid credentials")]
    Credentials,
    /// The server could not be reached, or may not be.
    #[error("Could not connect to the server: check host and port")]
    Unreachable,
    /// TLS could not be established: no STARTTLS, a certificate that does not verify, a handshake that fails.
    #[error("A secure connection could not be established: {0}")]
    Tls(&'static str),
    /// The server broke its protocol or our limits.
    #[error("The server did not behave like a mail server: {0}")]
    Protocol(&'static str),
    /// The server said "not now" (4xx, NO [UNAVAILABLE], too many connections).
    #[error("The server is temporarily unavailable")]
    Busy,
}

/// How far a folder was read: the highest UID seen, valid for one UIDVALIDITY (RFC 3501 §2.3.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderCursor {
    /// The folder's UIDVALIDITY; another value voids the UID.
    pub uid_validity: u32,
    /// The next UID to read.
    pub uid_next: u32,
    /// The folder's HIGHESTMODSEQ when read (RFC 7162), where known.
    pub mod_seq: Option<u64>,
}

/// A folder by its role (RFC 6154), not by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Folder {
    /// INBOX.
    Inbox,
    /// Where the server puts spam.
    Junk,
    /// A second folder that looks like that one: where filters and mail programs disagree about its name, spam is in either.
    OtherJunk,
    /// Where the client keeps what it sent.
    Sent,
    /// Where engaged warmup mail is filed, made when missing.
    Warmup,
}

/// A message that was found, with the headers that recognition needs, bounded in size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundMessage {
    /// Where it is.
    pub location: Location,
    /// Its Message-ID without angle brackets, if it has a usable one.
    pub message_id: Option<String>,
    /// The value of the token header, if present.
    pub token: Option<String>,
    /// What it is.
    pub content: FoundContent,
}

/// What a found message is, as far as warmup cares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundContent {
    /// A message.
    Message,
    /// A delivery report (RFC 3464) about an earlier mail.
    DeliveryReport {
        /// The mail it is about.
        about: ReportedMail,
        /// The recipient that failed, case-folded.
        recipient: Option<String>,
        /// `failed`, `delayed`, ….
        action: String,
        /// The enhanced status code.
        status: String,
        /// The SMTP reply of its `Diagnostic-Code`, where it has one that does not speak about us: some statuses say nothing (5.0.0).
        diagnostic: Option<u16>,
    },
    /// A complaint (ARF, RFC 5965) about an earlier mail.
    Complaint {
        /// The mail it is about.
        about: ReportedMail,
    },
}

/// What a report says of the mail that it is about, in the headers that it returns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportedMail {
    /// Its Message-ID, which may not be the one that we gave it: some servers give each mail another.
    pub message_id: Option<String>,
    /// The value of its token header.
    pub token: Option<String>,
}

/// A read of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderRead {
    /// New messages in order of UID.
    pub messages: Vec<FoundMessage>,
    /// Where to go on.
    pub cursor: FolderCursor,
    /// Whether there is more than was asked for.
    pub more: bool,
}

/// Sends mails over one connection after the other.
#[async_trait]
pub trait MailSender: Send + Sync {
    /// Opens one session for several mails of one mailbox.
    async fn connect(
        &self,
        credentials: &ImapSmtpCredentials,
    ) -> Result<Box<dyn SendSession>, ConnectFailure>;
}

/// An open SMTP session.
#[async_trait]
pub trait SendSession: Send {
    /// Sends one mail. After `InDoubt` or `NotSent` the session is of no more use.
    async fn send(&mut self, mail: &OutgoingMail) -> Submission;

    /// Sends one letter to all of its recipients or to none.
    async fn post(&mut self, letter: &Letter, gate: &dyn Gate) -> Posted;

    /// Says goodbye; errors do not matter any more.
    async fn close(self: Box<Self>);
}

/// Looks into mailboxes.
#[async_trait]
pub trait MailReader: Send + Sync {
    /// Opens one session.
    async fn connect(
        &self,
        credentials: &ImapSmtpCredentials,
    ) -> Result<Box<dyn ReadSession>, ConnectFailure>;
}

/// An open IMAP session. A failure ends its use; what was done before stays done.
#[async_trait]
pub trait ReadSession: Send {
    /// Opens INBOX and changes nothing: some servers let a client in and then show it no folder.
    async fn open_inbox(&mut self) -> Result<(), ConnectFailure>;

    /// New messages of a folder, at most `limit`. `None` as cursor reads from the folder's current end backwards far enough to see mail of
    /// the last day. A folder that does not exist reads as empty with no cursor.
    async fn read(
        &mut self,
        folder: Folder,
        cursor: Option<FolderCursor>,
        limit: u32,
    ) -> Result<Option<FolderRead>, ConnectFailure>;

    /// Looks for a message in these folders, in order; with `everywhere`, in all selectable folders after them.
    async fn find(
        &mut self,
        message_id: &str,
        folders: &[Folder],
        everywhere: bool,
    ) -> Result<Option<Location>, ConnectFailure>;

    /// Moves a message (MOVE, or COPY + DELETE where it is not offered, RFC 6851). Moving one that is gone does nothing.
    async fn relocate(&mut self, from: &Location, to: Folder) -> Result<(), ConnectFailure>;

    /// The messages of a folder that were received at or after `since`, looking at no more than the newest `limit`; `None` if there is no such
    /// folder. `folder` is a role in any case (`INBOX`, `SPAM` or `Junk`, `Sent`, `Drafts`, `Trash`, `Archive`, `Warmup`), wherever the mailbox
    /// has it, else a folder's own name. Changes nothing, not even what is unread.
    async fn headlines(
        &mut self,
        folder: &str,
        since: Timestamp,
        limit: u32,
    ) -> Result<Option<Headlines>, ConnectFailure>;

    /// What these messages of the folder asked for last say, by UID; those that are gone are missing. What is not read by `until` is
    /// truncated.
    async fn contents(
        &mut self,
        messages: &[Headline],
        until: Instant,
    ) -> Result<BTreeMap<u32, MailContent>, ConnectFailure>;

    /// Files a letter, as read, in a folder, which is made when missing.
    async fn file(&mut self, letter: &Letter, folder: Folder) -> Result<(), ConnectFailure>;

    /// Marks a message as read.
    async fn mark_seen(&mut self, at: &Location) -> Result<(), ConnectFailure>;

    /// Marks a message as important: `\Flagged`.
    async fn mark_important(&mut self, at: &Location) -> Result<(), ConnectFailure>;

    /// Says goodbye; errors do not matter any more.
    async fn close(self: Box<Self>);
}

/// Where a message is right now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The folder's name on the server.
    pub mailbox: String,
    /// Its role, where it has one.
    pub folder: Option<Folder>,
    /// The message's UID there.
    pub uid: u32,
}

impl Folder {
    /// What finding a mail there means for its sender.
    pub fn placement(self) -> Placement {
        match self {
            Self::Junk | Self::OtherJunk => Placement::Spam,
            Self::Inbox | Self::Sent | Self::Warmup => Placement::Inbox,
        }
    }
}

impl ImapSmtpCredentials {
    /// How IMAP is secured: as said, else STARTTLS on 143 and TLS from the start elsewhere (RFC 8314 §3.2).
    pub fn imap_tls(&self) -> TlsMode {
        self.imap_security.unwrap_or(if self.imap_port == 143 {
            TlsMode::StartTls
        } else {
            TlsMode::Implicit
        })
    }

    /// How SMTP is secured: as said, else TLS from the start on 465 and STARTTLS elsewhere (RFC 8314 §3.3).
    pub fn smtp_tls(&self) -> TlsMode {
        self.smtp_security.unwrap_or(if self.smtp_port == 465 {
            TlsMode::Implicit
        } else {
            TlsMode::StartTls
        })
    }
}
