//! Mails as people read them: `GET /api/accounts/:id/messages`.

use jiff::Timestamp;

/// What is known of a message before it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headline {
    /// Its UID in its folder.
    pub uid: u32,
    /// When the server received it (INTERNALDATE), to the second.
    pub received: Timestamp,
    /// What was done with it.
    pub flags: Flags,
    /// Its size in bytes, as the server says.
    pub size: u32,
    /// The value of the token header, if present.
    pub token: Option<String>,
}

/// What was done with a message (RFC 3501 §2.3.2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flags {
    /// It was read.
    pub seen: bool,
    /// It was marked as important.
    pub flagged: bool,
    /// It was answered.
    pub answered: bool,
}

/// Messages of a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headlines {
    /// Newest first.
    pub messages: Vec<Headline>,
    /// Whether there may be older ones that were not looked at.
    pub more: bool,
}

/// The most text of all messages together, in bytes: an answer of a function has at most 6 MB, and each of these bytes may take two there.
pub const MOST_TEXT: usize = 2_000_000;

/// What a message says, as far as it was read. Everything in it was written by a stranger; texts hold no control characters but line ends
/// and tabs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MailContent {
    /// Its Message-ID without angle brackets, if it has a usable one.
    pub message_id: Option<String>,
    /// What it answers, likewise.
    pub in_reply_to: Option<String>,
    /// Its thread, likewise.
    pub references: Vec<String>,
    /// Who it says it is from.
    pub from: Vec<Mailbox>,
    /// To whom.
    pub to: Vec<Mailbox>,
    /// Who got copies.
    pub cc: Vec<Mailbox>,
    /// Its subject.
    pub subject: String,
    /// Its `Date` header, if it is one.
    pub date: Option<Timestamp>,
    /// Its text; made of its HTML if it has none.
    pub text: String,
    /// Its HTML.
    pub html: Option<String>,
    /// Its files.
    pub attachments: Vec<AttachedFile>,
    /// Whether it says more than this: it is larger than what is read.
    pub is_truncated: bool,
}

impl MailContent {
    /// Takes its text from what is `left` for those of several messages.
    pub fn take_text(&mut self, left: &mut usize) {
        self.is_truncated |= take(&mut self.text, left);
    }

    /// Takes its HTML likewise.
    pub fn take_html(&mut self, left: &mut usize) {
        if let Some(html) = &mut self.html {
            self.is_truncated |= take(html, left);
        }
    }
}

/// Whether the text had to be cut.
fn take(text: &mut String, left: &mut usize) -> bool {
    let is_cut = text.len() > *left;
    if is_cut {
        text.truncate(text.floor_char_boundary(*left));
        text.shrink_to_fit();
    }
    *left -= text.len();
    is_cut
}

/// A name and an address as a header has them: the address need not be one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mailbox {
    /// The name, empty if there is none.
    pub name: String,
    /// The address, empty if there is none.
    pub address: String,
}

/// A file in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachedFile {
    /// Its name, empty if it has none.
    pub filename: String,
    /// Its media type.
    pub content_type: String,
    /// Its size in bytes, decoded; `None` if the message was not read to its end.
    pub size: Option<usize>,
}
