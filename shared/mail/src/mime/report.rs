//! Delivery reports (RFC 3464), complaints (ARF, RFC 5965), and the bounces that came before both.
//!
//! A report is a message that anybody can write: what it says is a claim about a Message-ID or a token, and who uses it checks that
//! these are ours. Qmail's bounces (QSBMF), Exim's older ones, those of GMX and IONOS, and Amazon WorkMail's are read too, because
//! such servers still run. A report without a machine-readable word in it is a message like any other.

use agentwarm_app::ports::mail::{FoundContent, ReportedMail};
use agentwarm_core::mail::bounce::{EnhancedStatus, Feedback, classify_feedback, speaks_of_us};
use mail_parser::{Message, MessageParser, MessagePart, MimeHeaders};

use super::closed::{self, close_messages};
use super::header::{from_mailer_daemon, is_message_id, message_id, token};

/// QSBMF's first words (<https://cr.yp.to/proto/qsbmf.txt>).
const QMAIL_GREETING: &str = "Hi. This is the";

/// The first words of Exim, and of what GMX, web.de, mail.com and IONOS made of it, without Exim's header.
const AUTOMATIC_GREETING: &str = "This message was created automatically by mail delivery software";

/// What an automatic message says that gives up; one about a delay says that it goes on.
const GIVEN_UP: &str = "could not be delivered";

/// What precedes the returned message in QSBMF and in Exim's bounces, and its header in those of GMX and IONOS.
const COPY_MARKERS: [&str; 3] = [
    "--- Below this line is a copy",
    "------ This is a copy of",
    "--- The header of the original message is following",
];

/// What precedes the fields of a status part in the text of Amazon WorkMail.
const WORKMAIL_MARKER: &str = "\nTechnical report:";

/// What a message is, given (the beginning of) its source and the name of the header that our mails have their tokens in.
pub fn read_report(source: &[u8], token_header: &str) -> FoundContent {
    parse(source, token_header).unwrap_or(FoundContent::Message)
}

fn parse(source: &[u8], token_header: &str) -> Option<FoundContent> {
    let mut source = source.to_vec();
    close_messages(&mut source);
    let message = MessageParser::default().parse(&source)?;
    if let Some(status) = part(&message, "delivery-status") {
        return delivery_report(&message, &text(status), token_header);
    }
    if let Some(feedback) = part(&message, "feedback-report") {
        return complaint(&message, &text(feedback), token_header);
    }
    bounce_for_people(&message, token_header).or_else(|| bounce_of_workmail(&message, token_header))
}

fn delivery_report(
    message: &Message<'_>,
    status: &str,
    token_header: &str,
) -> Option<FoundContent> {
    let groups = groups(status);
    let action_of = |group: &Group| group.get("action").map(str::to_ascii_lowercase);
    let about = groups
        .iter()
        .find(|group| action_of(group).as_deref() == Some("failed"))
        .or_else(|| groups.iter().find(|group| group.get("action").is_some()))?;
    let action = about.get("action")?.split_ascii_whitespace().next()?;
    let recipient = about
        .get("original-recipient")
        .and_then(typed_address)
        .or_else(|| about.get("final-recipient").and_then(typed_address));
    Some(FoundContent::DeliveryReport {
        about: reported(message, token_header),
        recipient,
        action: action.to_ascii_lowercase(),
        status: status_of(about),
        diagnostic: about.get("diagnostic-code").and_then(smtp_reply),
    })
}

/// The enhanced code, from the diagnostic where the status is as vague as Exim's `5.0.0`.
fn status_of(group: &Group) -> String {
    let stated = group.get("status").and_then(enhanced_code);
    let diagnosed = group.get("diagnostic-code").and_then(enhanced_code);
    match (stated, diagnosed) {
        (Some(stated), Some(diagnosed))
            if stated.ends_with(".0.0") && stated.get(..1) == diagnosed.get(..1) =>
        {
            diagnosed
        }
        (Some(code), _) | (None, Some(code)) => code,
        (None, None) => "5.0.0".into(),
    }
}

fn complaint(message: &Message<'_>, feedback: &str, token_header: &str) -> Option<FoundContent> {
    let groups = groups(feedback);
    let kind = groups.iter().find_map(|group| group.get("feedback-type"))?;
    (classify_feedback(kind) == Feedback::Complaint).then(|| FoundContent::Complaint {
        about: reported(message, token_header),
    })
}

/// QSBMF, Exim's bounces without a status part and their likes: a text for people with the returned message below a marker.
fn bounce_for_people(message: &Message<'_>, token_header: &str) -> Option<FoundContent> {
    let body = closed::reopened(&message.body_text(0)?);
    let marker = COPY_MARKERS.iter().find_map(|marker| body.find(marker));
    let (said, returned) = body.split_at_checked(marker?)?;
    let recipient = match message.header_raw("X-Failed-Recipients") {
        Some(list) => bare_address(list.split(',').next()?),
        None if said.trim_start().starts_with(QMAIL_GREETING) => qmail_recipient(said),
        None if is_given_up(said) => Some(named_recipient(said)?),
        None => return None,
    };
    let (_marker, copy) = returned.split_once('\n').unwrap_or_default();
    let reason = said
        .split_once("said: ")
        .or_else(|| said.split_once("reason: "));
    Some(FoundContent::DeliveryReport {
        about: reported_by(copy.trim_start(), token_header),
        recipient,
        action: "failed".into(),
        status: enhanced_code(said).unwrap_or_else(|| "5.0.0".into()),
        diagnostic: match reason {
            Some((_, text)) => reply(text),
            None => said.lines().find_map(reply),
        },
    })
}

/// Whether a text is an automatic message about a mail that was given up.
fn is_given_up(said: &str) -> bool {
    said.trim_start().starts_with(AUTOMATIC_GREETING) && said.contains(GIVEN_UP)
}

/// The first line that is nothing but an address: `"user@example.com":`, `<user@example.com>`, `user@example.com:`.
fn named_recipient(said: &str) -> Option<String> {
    said.lines()
        .map(|line| line.trim().trim_end_matches(':').trim_matches('"'))
        .filter(|line| !line.contains(char::is_whitespace))
        .find_map(bare_address)
}

/// Amazon WorkMail's bounce: the fields of a status part are in the text, the returned message stands beside it.
fn bounce_of_workmail(message: &Message<'_>, token_header: &str) -> Option<FoundContent> {
    if !from_mailer_daemon(message) || !message.parts.iter().any(is_message) {
        return None;
    }
    let body = closed::reopened(&message.body_text(0)?);
    let (_, fields) = body.split_once(WORKMAIL_MARKER)?;
    delivery_report(message, fields, token_header)
}

/// The first paragraph that begins with `<address>:`.
fn qmail_recipient(said: &str) -> Option<String> {
    said.lines()
        .filter_map(|line| line.strip_prefix('<'))
        .filter_map(|line| line.split_once(">:"))
        .find_map(|(address, _)| bare_address(address))
}

/// What a copied header says, even where lines of it lost their folding, as GMX's do.
fn reported_by(text: &str, token_header: &str) -> ReportedMail {
    let header = MessageParser::default().parse_headers(text.as_bytes());
    let parsed = header.map(|header| named_in(&header, token_header));
    let ReportedMail { message_id, token } = parsed.unwrap_or_default();
    ReportedMail {
        message_id: message_id.or_else(|| text.lines().find_map(message_id_of_line)),
        token,
    }
}

fn named_in(header: &Message<'_>, token_header: &str) -> ReportedMail {
    ReportedMail {
        message_id: message_id(header),
        token: token(header, token_header),
    }
}

fn message_id_of_line(line: &str) -> Option<String> {
    let (name, value) = line.split_once(':')?;
    if !name.trim().eq_ignore_ascii_case("message-id") {
        return None;
    }
    let id = value.trim().strip_prefix('<')?.strip_suffix('>')?;
    is_message_id(id).then(|| id.to_owned())
}

/// What the copy of the returned message or its headers say; without a Message-ID, it is the one that the report answers.
fn reported(message: &Message<'_>, token_header: &str) -> ReportedMail {
    let returned = message.parts.iter().filter_map(|part| {
        if is_message(part) {
            let returned = MessageParser::default().parse_headers(part.contents())?;
            Some(named_in(&returned, token_header))
        } else if is_type(part, "rfc822-headers") {
            Some(reported_by(&text(part), token_header))
        } else {
            None
        }
    });
    let mut about = ReportedMail::default();
    for named in returned {
        about.message_id = about.message_id.or(named.message_id);
        about.token = about.token.or(named.token);
    }
    if about.message_id.is_none() {
        let answered = message.in_reply_to().as_text();
        about.message_id = answered.filter(|id| is_message_id(id)).map(str::to_owned);
    }
    about
}

fn part<'m>(message: &'m Message<'_>, subtype: &str) -> Option<&'m MessagePart<'m>> {
    message.parts.iter().find(|part| is_type(part, subtype))
}

fn is_message(part: &MessagePart<'_>) -> bool {
    let is_closed = |kind: &mail_parser::ContentType<'_>| closed::is_closed(kind.ctype());
    part.content_type().is_some_and(is_closed)
        && (is_type(part, "rfc822") || is_type(part, "global"))
}

fn is_type(part: &MessagePart<'_>, subtype: &str) -> bool {
    part.content_type()
        .and_then(|kind| kind.subtype())
        .is_some_and(|found| found.eq_ignore_ascii_case(subtype))
}

fn text(part: &MessagePart<'_>) -> String {
    closed::reopened(&String::from_utf8_lossy(part.contents()))
}

/// Fields that belong together, in a status or feedback part (RFC 3464 §2.1.2): name in lower case, value unfolded.
struct Group(Vec<(String, String)>);

impl Group {
    fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }
}

fn groups(text: &str) -> Vec<Group> {
    let mut groups = vec![Group(Vec::new())];
    for line in text.lines() {
        let Some(Group(fields)) = groups.last_mut() else {
            break;
        };
        if line.trim().is_empty() {
            groups.push(Group(Vec::new()));
        } else if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    groups
}

/// The address in `rfc822; user@example.com` (RFC 3464 §2.3.2).
fn typed_address(value: &str) -> Option<String> {
    let (kind, address) = value.split_once(';')?;
    kind.trim()
        .eq_ignore_ascii_case("rfc822")
        .then(|| bare_address(address))
        .flatten()
}

/// Longest address taken, in bytes (RFC 5321 §4.5.3.1: 64 before the `@`, 255 after it).
const LONGEST_ADDRESS: usize = 320;

/// An address, case-folded, without brackets and what follows it.
fn bare_address(text: &str) -> Option<String> {
    let ends = |c: char| matches!(c, '<' | '>') || c.is_whitespace() || c.is_control();
    let address = text.trim().trim_start_matches('<').split(ends).next()?;
    // Folding may lengthen it.
    let address = address.to_lowercase();
    (address.contains('@') && address.len() <= LONGEST_ADDRESS).then_some(address)
}

/// The first enhanced code in a text (RFC 3463 §2).
fn enhanced_code(text: &str) -> Option<String> {
    text.split(|c: char| !c.is_ascii_digit() && c != '.')
        .map(|word| word.trim_end_matches('.'))
        .find_map(|word| word.parse::<EnhancedStatus>().ok())
        .map(String::from)
}

/// The reply in `smtp; 550 5.1.1 unknown` (RFC 3464 §2.3.6).
fn smtp_reply(diagnostic: &str) -> Option<u16> {
    let (kind, text) = diagnostic.split_once(';')?;
    kind.trim()
        .eq_ignore_ascii_case("smtp")
        .then(|| reply(text))
        .flatten()
}

/// The refusal that a text begins with (RFC 5321 §4.2). One whose words speak about us says nothing about the recipient.
fn reply(text: &str) -> Option<u16> {
    if speaks_of_us(text) {
        return None;
    }
    let digits = text.trim_start().split([' ', '-', '\r', '\n']).next()?;
    let code: u16 = digits.parse().ok()?;
    (400..600).contains(&code).then_some(code)
}

#[cfg(test)]
mod tests;
