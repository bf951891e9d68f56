//! Mails that people write, and how they leave: `POST /api/accounts/:id/send`.

use agentwarm_core::email::EmailAddress;
use agentwarm_core::ids::UploadId;
use agentwarm_core::mail::message_id::MessageId;
use async_trait::async_trait;
use jiff::Timestamp;

use super::mail::{SmtpPhase, Submission};

/// A display name, empty if there is none, and an address.
pub type Correspondent = (String, EmailAddress);

/// A mail that somebody wrote, in parts that a header cannot be smuggled into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Who sends.
    pub from: Correspondent,
    /// What was written.
    pub draft: Draft,
    /// Its id.
    pub message_id: MessageId,
    /// `Date` header.
    pub date: Timestamp,
}

/// What somebody wrote. Its files are there, unless `C` says otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft<C = Vec<u8>> {
    /// To whom.
    pub to: Vec<Correspondent>,
    /// Who gets a copy.
    pub cc: Vec<Correspondent>,
    /// Who gets one that nobody sees: part of the envelope, not of the message.
    pub bcc: Vec<Correspondent>,
    /// Subject, one line.
    pub subject: String,
    /// What it says.
    pub body: Body,
    /// Files.
    pub attachments: Vec<Attachment<C>>,
    /// What it answers.
    pub in_reply_to: Option<MessageId>,
    /// Its thread, oldest first.
    pub references: Vec<MessageId>,
}

/// What a letter says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Plain text.
    Text(String),
    /// HTML.
    Html(String),
    /// The same in both.
    Both {
        /// Plain text.
        text: String,
        /// HTML.
        html: String,
    },
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment<C = Vec<u8>> {
    /// Its name, in any script.
    pub filename: String,
    /// Its media type (RFC 2045 §5.1), never `multipart/…` or `message/…`.
    pub content_type: String,
    /// Its bytes, or where they are.
    pub content: C,
}

/// Where a file is that somebody wants to attach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// In the request.
    Inline(Vec<u8>),
    /// Uploaded before.
    Uploaded(UploadId),
}

impl<C> Draft<C> {
    /// The same with these files.
    pub fn with_attachments<D>(self, attachments: Vec<Attachment<D>>) -> Draft<D> {
        Draft {
            to: self.to,
            cc: self.cc,
            bcc: self.bcc,
            subject: self.subject,
            body: self.body,
            attachments,
            in_reply_to: self.in_reply_to,
            references: self.references,
        }
    }

    /// Everybody who gets it, each once.
    pub fn recipients(&self) -> Vec<&EmailAddress> {
        let mut all: Vec<&EmailAddress> = Vec::new();
        for (_, address) in self.to.iter().chain(&self.cc).chain(&self.bcc) {
            if !all.contains(&address) {
                all.push(address);
            }
        }
        all
    }
}

/// What became of a letter that was given to a server.
#[derive(Debug, Clone, PartialEq)]
pub enum Posted {
    /// All recipients were accepted; then this.
    Settled(Submission),
    /// These recipients were refused, so nothing was sent to anybody.
    RecipientsRefused(Vec<RefusedRecipient>),
    /// [`Gate::open`] said no; nothing was sent.
    Stopped,
}

/// A recipient that the server does not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedRecipient {
    /// Whom.
    pub address: EmailAddress,
    /// Why.
    pub refusal: Refusal,
}

/// A server's 4xx or 5xx.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// To what.
    pub phase: SmtpPhase,
    /// The reply code.
    pub code: u16,
    /// The enhanced code, such as `5.1.1` (RFC 3463), where given.
    pub enhanced: Option<String>,
    /// The reply's text, shortened to one printable line without addresses.
    pub text: String,
}

/// The last moment before a letter may exist.
#[async_trait]
pub trait Gate: Send + Sync {
    /// Asked once, when all recipients are accepted and before DATA. False: the transaction is given up.
    async fn open(&self) -> bool;
}
