//! `agentwarm_mail::mime::{header, report}`: which message it is, and whether it reports a bounce (RFC 3464) or a complaint (RFC 5965).

use agentwarm_app::ports::mail::{FoundContent, ReportedMail};
use agentwarm_core::mail::bounce::{EnhancedStatus, classify_report};
use agentwarm_mail::mime::header::{is_message_id, recognise};
use agentwarm_mail::mime::report::read_report;

const TOKEN_HEADER: &str = "X-AW-Token";

/// Longest address (RFC 5321 §4.5.3.1).
const LONGEST_ADDRESS: usize = 320;

/// The bytes are a message.
pub fn check(bytes: &[u8]) {
    let recognised = recognise(bytes, TOKEN_HEADER);
    assert!(recognised.message_id.as_deref().is_none_or(is_message_id));
    assert!(recognised.token.as_deref().is_none_or(is_token));
    judge(&read_report(bytes, TOKEN_HEADER));
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && !text.contains([' ', '\t', '\r', '\n'])
}

fn is_usable(about: &ReportedMail) {
    assert!(about.message_id.as_deref().is_none_or(is_message_id));
    assert!(about.token.as_deref().is_none_or(is_token));
}

/// What is claimed has the form of what it is about.
pub(crate) fn judge(content: &FoundContent) {
    match content {
        FoundContent::Message => {}
        FoundContent::Complaint { about } => is_usable(about),
        FoundContent::DeliveryReport {
            about,
            recipient,
            action,
            status,
            diagnostic,
        } => {
            is_usable(about);
            if let Some(address) = recipient {
                assert!(address.contains('@') && !address.contains(['<', '>']));
                assert!(!address.contains(|c: char| c.is_whitespace() || c.is_control()));
                assert!(address.len() <= LONGEST_ADDRESS);
                assert_eq!(address.to_lowercase(), *address);
            }
            let is_word = |c: char| !c.is_ascii_whitespace() && !c.is_ascii_uppercase();
            assert!(
                !action.is_empty() && action.chars().all(is_word),
                "{action:?}"
            );
            assert!(status.parse::<EnhancedStatus>().is_ok(), "{status:?}");
            assert!(diagnostic.is_none_or(|code| (400..600).contains(&code)));
            let _ = classify_report(action, status, *diagnostic);
        }
    }
}
