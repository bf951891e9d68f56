//! Messages of a mailbox.

use agentwarm_app::mailbox::{FoundMessages, WantedMessages};
use agentwarm_app::ports::inbox::{AttachedFile, Headline, MailContent, Mailbox};
use agentwarm_lambda::http::openapi::schema;
use agentwarm_lambda::http::rules::{Rule, boolean, instant_or_date, integer, line};
use agentwarm_lambda::http::{Fields, FromFields, Invalid};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

/// How many messages are shown (API reference §3, messages).
const DEFAULT_LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 100;

/// The longest name of a folder that is looked for, in characters.
const MAX_FOLDER: usize = 255;

/// Which messages.
pub struct ListMessages(
    /// As the use case takes it.
    pub WantedMessages,
);

impl FromFields for ListMessages {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Invalid> {
        let folder = fields.or("folder", "INBOX".to_owned(), folder());
        let since = fields.optional(
            "since",
            instant_or_date()
                .about("Received at or after this; a date means its beginning in UTC. The last 24 hours when not given."),
        );
        let limit = fields.or("limit", DEFAULT_LIMIT, integer(1..=MAX_LIMIT));
        let include_warmup = fields.or(
            "includeWarmup",
            false,
            boolean().about("Whether warmup's own mails are shown."),
        );
        let include_html = fields.or(
            "includeHtml",
            false,
            boolean().about("Whether messages have an htmlBody."),
        );
        Ok(Self(WantedMessages {
            folder: folder?,
            since: since?,
            limit: limit?,
            include_warmup: include_warmup?,
            include_html: include_html?,
        }))
    }
}

fn folder() -> Rule<String> {
    line(MAX_FOLDER).about(
        "INBOX, SPAM (or Junk), Sent, Drafts, Trash, Archive or Warmup, in any case and wherever the mailbox has it; else the exact name of \
         a folder.",
    )
}

/// Messages of a folder.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = schema::ours(&["hasMore"]))]
pub struct MessageList {
    /// Newest first.
    messages: Vec<MessageView>,
    /// How many there are in `messages`.
    count: usize,
    /// The folder as it was asked for.
    folder: String,
    /// Whether there are, or may be, older ones that were not shown.
    has_more: bool,
}

/// A message.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(
    rename = "Message",
    transform = schema::ours(&[
        "fromName", "cc", "receivedAt", "seen", "flagged", "answered", "references", "size", "truncated",
    ])
)]
struct MessageView {
    /// Its UID in its folder.
    uid: String,
    /// Its Message-ID with angle brackets; empty if it has none that can be used.
    message_id: String,
    /// The address that it says it is from.
    from: String,
    from_name: String,
    /// The addresses that it says it is to, with commas between.
    to: String,
    /// The addresses that it says got copies.
    cc: Vec<String>,
    subject: String,
    /// Its text, made of its HTML if it has none.
    text_body: String,
    /// Its HTML as its sender wrote it: never show it without cleaning it.
    #[serde(skip_serializing_if = "Option::is_none")]
    html_body: Option<String>,
    /// When it says it was written; when it was received if it does not say.
    #[schemars(schema_with = "schema::instant")]
    date: Timestamp,
    /// When its server received it.
    #[schemars(schema_with = "schema::instant")]
    received_at: Timestamp,
    /// The folder as it was asked for.
    folder: String,
    seen: bool,
    flagged: bool,
    answered: bool,
    /// The Message-ID of what it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    in_reply_to: Option<String>,
    /// The Message-IDs of its thread, oldest first.
    references: Vec<String>,
    /// Its size in bytes.
    size: u32,
    /// Whether it says more than is shown here.
    truncated: bool,
    has_attachments: bool,
    attachments: Vec<AttachmentView>,
}

/// A file in a message.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "MessageAttachment")]
struct AttachmentView {
    /// Its name; empty if it has none.
    filename: String,
    content_type: String,
    /// Its size in bytes; null if the message is too large to be read to the file's end.
    size: Option<usize>,
}

impl MessageList {
    /// What was found in `folder`.
    pub fn new(folder: &str, found: FoundMessages) -> Self {
        let messages = found.messages.into_iter();
        let messages: Vec<_> = messages
            .map(|(headline, content)| MessageView::new(folder, &headline, content))
            .collect();
        Self {
            count: messages.len(),
            messages,
            folder: folder.to_owned(),
            has_more: found.more,
        }
    }
}

impl MessageView {
    fn new(folder: &str, headline: &Headline, content: MailContent) -> Self {
        let bracketed = |id: String| format!("<{id}>");
        let addresses = |list: Vec<Mailbox>| list.into_iter().map(|mailbox| mailbox.address);
        let from = content.from.into_iter().next().unwrap_or_default();
        Self {
            uid: headline.uid.to_string(),
            message_id: content.message_id.map(bracketed).unwrap_or_default(),
            from: from.address,
            from_name: from.name,
            to: addresses(content.to).collect::<Vec<_>>().join(", "),
            cc: addresses(content.cc).collect(),
            subject: content.subject,
            text_body: content.text,
            html_body: content.html,
            date: content.date.unwrap_or(headline.received),
            received_at: headline.received,
            folder: folder.to_owned(),
            seen: headline.flags.seen,
            flagged: headline.flags.flagged,
            answered: headline.flags.answered,
            in_reply_to: content.in_reply_to.map(bracketed),
            references: content.references.into_iter().map(bracketed).collect(),
            size: headline.size,
            truncated: content.is_truncated,
            has_attachments: !content.attachments.is_empty(),
            attachments: content
                .attachments
                .into_iter()
                .map(AttachmentView::from)
                .collect(),
        }
    }
}

impl From<AttachedFile> for AttachmentView {
    fn from(file: AttachedFile) -> Self {
        Self {
            filename: file.filename,
            content_type: file.content_type,
            size: file.size,
        }
    }
}

/// The reference's example with our extras.
pub(crate) fn messages_example() -> Value {
    json!({
        "messages": [{
            "uid": "12345",
            "messageId": "<reply-1@example.com>",
            "from": "sender@example.com",
            "fromName": "Sam Sender",
            "to": "hello@example.com",
            "cc": [],
            "subject": "Re: Your proposal",
            "textBody": "Thanks for reaching out...",
            "date": "2026-03-13T11:30:00Z",
            "receivedAt": "2026-03-13T11:30:02Z",
            "folder": "INBOX",
            "seen": false,
            "flagged": false,
            "answered": false,
            "inReplyTo": "<0123456789abcdef0123456789abcdef.mail@example.com>",
            "references": ["<0123456789abcdef0123456789abcdef.mail@example.com>"],
            "size": 2048,
            "truncated": false,
            "hasAttachments": false,
            "attachments": [],
        }],
        "count": 1,
        "folder": "INBOX",
        "hasMore": false,
    })
}
