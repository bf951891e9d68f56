//! Mails to be sent.

use std::borrow::Cow;

use agentwarm_app::mailbox::{Sent, parse_correspondent};
use agentwarm_app::ports::letters::{Attachment, Body, Content, Correspondent, Draft};
use agentwarm_app::text::{MAIL_TEXT_MAX_BYTES, WORD_MAX_CHARS, can_be_folded};
use agentwarm_core::mail::message_id::{InvalidMessageId, MessageId};
use agentwarm_lambda::http::openapi::schema;
use agentwarm_lambda::http::rules::{Rule, bytes, id, line, list, object, one_or_many, text};
use agentwarm_lambda::http::{Fields, FromFields, Invalid};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

/// The largest body of this operation, in bytes: AWS Lambda takes 6 MB of a request in all, headers and the JSON around the body included.
pub const MAX_BODY: usize = 5_500_000;

/// What to say of a larger one (decision 14).
pub const TOO_LARGE: &str = ", of the 6 MB that a request may have in all; attachments may have 25 MB together, of which base64 lets \
                             about 4 MB into one request: upload larger ones by POST /api/accounts/:id/attachments";

/// Files (API reference §3, send).
const MAX_ATTACHMENTS: usize = 25;

/// Characters (API reference §3, send).
const MAX_SUBJECT: usize = 998;

/// As many as every server takes for one mail (RFC 5321 §4.5.3.1.8).
const MAX_RECIPIENTS: usize = 100;

const MAX_REFERENCES: usize = 100;

/// Longest address with a name, Message-ID and media type that are read.
const MAX_ADDRESS: usize = 400;
const MAX_FILE_NAME: usize = 255;
const MAX_MEDIA_TYPE: usize = 200;

/// A mail to be sent.
pub struct SendBody(
    /// As the use case takes it.
    pub Draft<Content>,
);

impl FromFields for SendBody {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Invalid> {
        let one_or_list = |least| one_or_many(least..=MAX_RECIPIENTS, correspondent);
        let to = fields.required(
            "to",
            one_or_list(1).about(
                "An address, `name@example.com` or `Name <name@example.com>`, or a list of them.",
            ),
        );
        let subject = fields.required("subject", subject());
        let text = fields.nullable("textBody", body());
        let html = fields.nullable("htmlBody", body());
        let cc = fields.nullable("cc", one_or_list(0));
        let bcc = fields.nullable("bcc", one_or_list(0));
        let in_reply_to = fields.nullable("inReplyTo", message_id());
        let references = fields.nullable("references", list(0..=MAX_REFERENCES, message_id()));
        let files = list(0..=MAX_ATTACHMENTS, object::<AttachmentBody>());
        let attachments = fields.nullable("attachments", files);
        let body = read_body(fields, text, html);
        let draft = Draft {
            to: to?,
            cc: cc?.unwrap_or_default(),
            bcc: bcc?.unwrap_or_default(),
            subject: subject?,
            body: body?,
            attachments: attachments?
                .unwrap_or_default()
                .into_iter()
                .map(|AttachmentBody(file)| file)
                .collect(),
            in_reply_to: in_reply_to?.flatten(),
            references: references?
                .unwrap_or_default()
                .into_iter()
                .flatten()
                .collect(),
        };
        if draft.recipients().len() > MAX_RECIPIENTS {
            return Err(fields.problem("to", "must be at most 100 recipients, with cc and bcc"));
        }
        Ok(Self(draft))
    }
}

/// At least one of both; an empty one is none.
fn read_body(
    fields: &mut Fields<'_>,
    text: Result<Option<String>, Invalid>,
    html: Result<Option<String>, Invalid>,
) -> Result<Body, Invalid> {
    let given = |body: Option<String>| body.filter(|body| !body.is_empty());
    match (given(text?), given(html?)) {
        (Some(text), Some(html)) => Ok(Body::Both { text, html }),
        (Some(text), None) => Ok(Body::Text(text)),
        (None, Some(html)) => Ok(Body::Html(html)),
        (None, None) => Err(fields.problem("textBody", "is required unless there is an htmlBody")),
    }
}

struct AttachmentBody(Attachment<Content>);

impl FromFields for AttachmentBody {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Invalid> {
        let filename = fields.required("filename", file_name());
        let inline = bytes().about("The file itself. This or uploadId must be there.");
        let inline = fields.optional("content", inline);
        let uploaded =
            id().about("A file that was uploaded before. This or content must be there.");
        let uploaded = fields.optional("uploadId", uploaded);
        let either = json!([{ "required": ["content"] }, { "required": ["uploadId"] }]);
        fields.schema_with("oneOf", either);
        let content_type = fields.or(
            "contentType",
            "application/octet-stream".to_owned(),
            media_type(),
        );
        let content = match (inline, uploaded) {
            (Ok(Some(bytes)), Ok(None)) => Ok(Content::Inline(bytes)),
            (Ok(None), Ok(Some(id))) => Ok(Content::Uploaded(id)),
            (Ok(None), Ok(None)) => Err(fields.problem("content", "or uploadId is required")),
            (Ok(Some(_)), Ok(Some(_))) => {
                Err(fields.problem("content", "must not be there beside uploadId"))
            }
            (Err(invalid), _) | (_, Err(invalid)) => Err(invalid),
        };
        Ok(Self(Attachment {
            filename: filename?,
            content_type: content_type?,
            content: content?,
        }))
    }
}

fn correspondent() -> Rule<Correspondent> {
    text(0..=MAX_ADDRESS).check(|text| parse_correspondent(&text))
}

fn subject() -> Rule<String> {
    unbroken(line(MAX_SUBJECT))
}

/// Without a word that is too long for a line.
fn unbroken(rule: Rule<String>) -> Rule<String> {
    rule.check(|text| {
        if can_be_folded(&text) {
            Ok(text)
        } else {
            Err(format!(
                "must not have more than {WORD_MAX_CHARS} characters without a space"
            ))
        }
    })
}

fn body() -> Rule<String> {
    text(0..=MAIL_TEXT_MAX_BYTES).check(|text| {
        if text.contains('\0') {
            Err("must not contain the character NUL")
        } else if text.len() > MAIL_TEXT_MAX_BYTES {
            Err("must have at most 1 MB")
        } else {
            Ok(text)
        }
    })
}

/// A Message-ID, with or without its angle brackets; an empty text is none.
fn message_id() -> Rule<Option<MessageId>> {
    let about = "A Message-ID, such as the messageId of a message; empty for none.";
    text(0..=MAX_ADDRESS).about(about).check(|text| {
        if text.is_empty() {
            return Ok(None);
        }
        let parsed = text.parse().map(Some);
        parsed.map_err(|error: InvalidMessageId| Cow::from(error.to_string()))
    })
}

fn file_name() -> Rule<String> {
    line(MAX_FILE_NAME).check(|name| {
        if name.contains(['/', '\\']) {
            Err("must be a name without a path")
        } else {
            Ok(name)
        }
    })
}

/// A media type (RFC 6838 §4.2). `multipart/…` and `message/…` are not encoded in base64 (RFC 2046 §5), so they cannot be attached.
fn media_type() -> Rule<String> {
    text(1..=MAX_MEDIA_TYPE).check(|text| {
        let lower = text.to_ascii_lowercase();
        let composite = ["multipart/", "message/"];
        if composite.iter().any(|kind| lower.starts_with(kind)) {
            return Err("must not be multipart or message: use application/octet-stream");
        }
        let is_name = |name: &str| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
        };
        match text.split_once('/') {
            Some((kind, sub)) if is_name(kind) && is_name(sub) => Ok(text),
            _ => Err("must be a media type without parameters, such as application/pdf"),
        }
    })
}

/// That a mail was sent.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = schema::ours(&["filedInSent"]))]
pub struct SentMail {
    /// Always true: what is not sent is an error.
    success: bool,
    /// Its Message-ID, with angle brackets, as `messages` shows it.
    message_id: String,
    /// Whether a copy was filed in the folder for sent mails.
    filed_in_sent: bool,
}

impl From<&Sent> for SentMail {
    fn from(sent: &Sent) -> Self {
        Self {
            success: true,
            message_id: sent.message_id.bracketed(),
            filed_in_sent: sent.is_filed,
        }
    }
}

/// The reference's example.
pub(crate) fn send_example() -> Value {
    json!({
        "to": "recipient@example.com",
        "subject": "Hello from AgentWarm",
        "textBody": "This is a test email.",
        "htmlBody": " This is a test email. ",
        "cc": ["cc@example.com"],
        "bcc": ["bcc@example.com"],
        "inReplyTo": "",
        "references": [""],
        "attachments": [{
            "filename": "report.pdf",
            "content": "base64-encoded-data",
            "contentType": "application/pdf",
        }],
    })
}

pub(crate) fn sent_example() -> Value {
    json!({
        "success": true,
        "messageId": "<0123456789abcdef0123456789abcdef.mail@example.com>",
        "filedInSent": true,
    })
}
