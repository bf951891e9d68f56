//! Builds the mails that people write: text, HTML, files (RFC 2046).
//!
//! The same letter gives the same bytes, always: what is filed in Sent is what was sent, and a server can tell a repetition by it. So the
//! boundaries are made of the Message-ID instead of by chance. Nobody can guess one that is to come, and so put its boundary into a text;
//! in base64 and quoted-printable `=_` does not occur anyway (RFC 2045 §6.7).

use agentwarm_app::ports::letters::{Attachment, Body, Letter};
use agentwarm_core::mail::message_id::MessageId;
use lettre::message::header::{ContentTransferEncoding, ContentType};
use lettre::message::{
    Attachment as Attached, Body as Encoded, Message, MessageBuilder, MultiPart, SinglePart,
};

use super::build::{Head, Unsendable, check_text, is_header_text, lines};

/// Longest part of a Message-ID in a boundary, which has at most 70 characters (RFC 2046 §5.1.1).
const LONGEST_IN_BOUNDARY: usize = 48;

/// The message as it goes over the wire: CRLF line ends, ASCII only, lines within limits. Blind copies are not in it.
pub fn build_letter(letter: &Letter) -> Result<Vec<u8>, Unsendable> {
    let draft = &letter.draft;
    let head = Head {
        from: &letter.from,
        to: &draft.to,
        cc: &draft.cc,
        subject: &draft.subject,
        message_id: letter.message_id.as_str(),
        date: letter.date,
        in_reply_to: draft.in_reply_to.as_ref().map(MessageId::as_str),
        references: draft.references.iter().map(MessageId::as_str).collect(),
    };
    let message = with_parts(head.builder()?, letter)?;
    Ok(message.formatted())
}

fn with_parts(message: MessageBuilder, letter: &Letter) -> Result<Message, Unsendable> {
    let built = match (body(letter)?, letter.draft.attachments.as_slice()) {
        (Text::Single(part), []) => message.singlepart(part),
        (Text::Both(parts), []) => message.multipart(parts),
        (text, files) => {
            let mixed = MultiPart::mixed().boundary(boundary(letter, "mixed"));
            let mut mixed = match text {
                Text::Single(part) => mixed.singlepart(part),
                Text::Both(parts) => mixed.multipart(parts),
            };
            for file in files {
                mixed = mixed.singlepart(attachment(file)?);
            }
            message.multipart(mixed)
        }
    };
    built.map_err(|_refused| Unsendable::Build)
}

enum Text {
    Single(SinglePart),
    Both(MultiPart),
}

fn body(letter: &Letter) -> Result<Text, Unsendable> {
    let plain = |text: &str| check_text(text).map(|()| SinglePart::plain(lines(text)));
    let hypertext = |html: &str| check_text(html).map(|()| SinglePart::html(lines(html)));
    Ok(match &letter.draft.body {
        Body::Text(text) => Text::Single(plain(text)?),
        Body::Html(html) => Text::Single(hypertext(html)?),
        Body::Both { text, html } => Text::Both(
            MultiPart::alternative()
                .boundary(boundary(letter, "alternative"))
                .singlepart(plain(text)?)
                .singlepart(hypertext(html)?),
        ),
    })
}

/// A file, in base64 whatever it holds, so that it arrives byte for byte.
fn attachment(file: &Attachment) -> Result<SinglePart, Unsendable> {
    let texts = [&file.filename, &file.content_type];
    if file.filename.is_empty() || !texts.into_iter().all(|text| is_header_text(text)) {
        return Err(Unsendable::Attachment);
    }
    let content_type =
        ContentType::parse(&file.content_type).map_err(|_invalid| Unsendable::Attachment)?;
    let content = Encoded::new_with_encoding(file.content.clone(), ContentTransferEncoding::Base64)
        .map_err(|_refused| Unsendable::Attachment)?;
    Ok(Attached::new(file.filename.clone()).body(content, content_type))
}

fn boundary(letter: &Letter, of: &str) -> String {
    let id: String = letter
        .message_id
        .as_str()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(LONGEST_IN_BOUNDARY)
        .collect();
    format!("=_{id}_{of}")
}

#[cfg(test)]
mod tests;
