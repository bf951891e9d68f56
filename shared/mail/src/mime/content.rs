//! What a message says to people. It was written by anybody, so all of it is bounded and printable.

use agentwarm_app::ports::inbox::{AttachedFile, MailContent, Mailbox};
use agentwarm_core::mail::message_id::MessageId;
use jiff::Timestamp;
use mail_parser::{
    Address, HeaderValue, Message, MessageParser, MessagePart, MimeHeaders, PartType,
};

use super::closed::{close_messages, reopened};
use super::costly::cut_off;
use super::header::message_id;

/// Longest text and longest HTML, in bytes.
const LONGEST_TEXT: usize = 100_000;

/// HTML that is turned into text, in bytes: what a long mail of a shop has.
const LONGEST_HTML: usize = 1_000_000;

/// Longest subject, name, address, file name, in characters.
const LONGEST_LINE: usize = 1_000;

/// Most addresses of a header, most ids of a thread, most files.
const MOST: usize = 100;

/// Reads a message, or its beginning. Messages within it are files.
pub fn read_content(mut source: Vec<u8>, is_whole: bool) -> MailContent {
    let is_cut_off = cut_off(&mut source);
    let is_whole = is_whole && !is_cut_off;
    close_messages(&mut source);
    let Some(message) = MessageParser::default().parse(&source) else {
        return MailContent {
            is_truncated: !is_whole,
            ..MailContent::default()
        };
    };
    let text = text_of(&message);
    let html = html_of(&message);
    let is_cut = |text: &str| text.len() > LONGEST_TEXT;
    MailContent {
        message_id: message_id(&message),
        in_reply_to: ids(message.in_reply_to()).into_iter().next(),
        references: ids(message.references()),
        from: mailboxes(message.from()),
        to: mailboxes(message.to()),
        cc: mailboxes(message.cc()),
        subject: line(message.subject().unwrap_or_default()),
        date: message
            .date()
            .and_then(|date| Timestamp::from_second(date.to_timestamp()).ok()),
        is_truncated: !is_whole || is_cut(&text) || html.as_deref().is_some_and(is_cut),
        text: shortened(text).trim_end().to_owned(),
        html: html.map(shortened),
        attachments: attachments(&message, is_whole),
    }
}

/// The text; made of the HTML where there is none.
fn text_of(message: &Message<'_>) -> String {
    let part = message.text_body.first().and_then(|id| part(message, *id));
    match part.map(|part| &part.body) {
        Some(PartType::Text(text)) => printable(text),
        Some(PartType::Html(html)) => printable(&mail_parser::decoders::html::html_to_text(head(
            html,
            LONGEST_HTML,
        ))),
        _ => String::new(),
    }
}

fn html_of(message: &Message<'_>) -> Option<String> {
    let ids = message.html_body.iter();
    let mut parts = ids.filter_map(|id| part(message, *id));
    parts.find_map(|part| match &part.body {
        PartType::Html(html) => Some(printable(html)),
        _ => None,
    })
}

fn part<'m>(message: &'m Message<'m>, id: u32) -> Option<&'m MessagePart<'m>> {
    message.parts.get(usize::try_from(id).ok()?)
}

/// Of a message that was cut off the last part may go on.
fn attachments(message: &Message<'_>, is_whole: bool) -> Vec<AttachedFile> {
    let last = message.parts.len().saturating_sub(1);
    let ids = message.attachments.iter().take(MOST);
    let parts = ids.filter_map(|id| Some((usize::try_from(*id).ok()?, part(message, *id)?)));
    parts
        .map(|(id, part)| AttachedFile {
            filename: line(part.attachment_name().unwrap_or_default()),
            content_type: content_type(part),
            size: (is_whole || id < last).then(|| part.contents().len()),
        })
        .collect()
}

/// The media type that a file says it has; that of bytes for one that says none, or nothing that can be printed (RFC 2046 §4.5.1).
fn content_type(part: &MessagePart<'_>) -> String {
    let said = part.content_type().map(|kind| {
        let name = kind.ctype();
        let whole = match kind.subtype() {
            Some(sub) => line(&format!("{name}/{sub}")),
            None => line(name),
        };
        whole.to_lowercase()
    });
    said.filter(|said| !said.is_empty())
        .unwrap_or_else(|| "application/octet-stream".to_owned())
}

fn mailboxes(header: Option<&Address<'_>>) -> Vec<Mailbox> {
    let all = header.into_iter().flat_map(Address::iter).take(MOST);
    all.map(|one| Mailbox {
        name: line(one.name().unwrap_or_default()),
        address: line(one.address().unwrap_or_default()),
    })
    .collect()
}

fn ids(header: &HeaderValue<'_>) -> Vec<String> {
    let texts = header.as_text_list().unwrap_or_default();
    let ids = texts.iter().filter_map(|id| id.parse::<MessageId>().ok());
    ids.take(MOST).map(String::from).collect()
}

/// One printable line.
fn line(text: &str) -> String {
    let text = reopened(text);
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(LONGEST_LINE).collect()
}

/// Without control characters other than line ends and tabs; line ends are `\n`.
fn printable(text: &str) -> String {
    let mut text = reopened(text);
    text.retain(|c| !c.is_control() || matches!(c, '\n' | '\t'));
    text
}

fn shortened(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(LONGEST_TEXT));
    text.shrink_to_fit();
    text
}

fn head(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
