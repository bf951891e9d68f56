//! What a server's refusal means to who sent the mail.

use agentwarm_core::error::ErrorCode;
use serde_json::{Value, json};

use crate::error::Problem;
use crate::ports::letters::{Draft, Refusal, RefusedRecipient};
use crate::ports::mail::SmtpPhase;

/// A mail was refused, and nobody got it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", said(refusal, recipients))]
pub struct MailRefused {
    /// Why; of several recipients' reasons the one that lasts longest.
    pub refusal: Refusal,
    /// The recipients it is about; none if it is about the sender or the message.
    pub recipients: Vec<RefusedRecipient>,
    /// What about the recipients is wrong in the request.
    problems: Vec<Problem>,
}

fn said(refusal: &Refusal, recipients: &[RefusedRecipient]) -> String {
    let Refusal {
        phase, code, text, ..
    } = refusal;
    let what = match (phase, recipients.len()) {
        (SmtpPhase::RcptTo, 0 | 1) => "a recipient; nothing was sent",
        (SmtpPhase::RcptTo, _) => "some recipients; nothing was sent to anybody",
        (SmtpPhase::Connect | SmtpPhase::Auth | SmtpPhase::MailFrom, _) => "the sender",
        (SmtpPhase::Data | SmtpPhase::Content, _) => "the message",
    };
    format!("The mail server refused {what}: {code} {text}")
}

impl MailRefused {
    /// By what the server said to the message or the sender.
    pub(super) fn of_message(refusal: Refusal) -> Self {
        Self {
            refusal,
            recipients: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// By what it said to recipients; `None` if it said nothing.
    pub(super) fn of_recipients(draft: &Draft, recipients: Vec<RefusedRecipient>) -> Option<Self> {
        let refusal = recipients
            .iter()
            .map(|recipient| &recipient.refusal)
            .max_by_key(|refusal| refusal.code)?
            .clone();
        let problems = recipients
            .iter()
            .map(|refused| {
                let Refusal { code, text, .. } = &refused.refusal;
                let message = format!(
                    "has {}, which the mail server refuses: {code} {text}",
                    refused.address
                );
                Problem::new(field_of(draft, refused), message)
            })
            .collect();
        Some(Self {
            refusal,
            recipients,
            problems,
        })
    }

    /// The documented code: what may pass later is the server's affair, a sender that is refused the account's, the rest the request's.
    pub fn code(&self) -> ErrorCode {
        match (self.refusal.code, self.refusal.phase) {
            (400..=499, _) => ErrorCode::ProviderUnavailable,
            (_, SmtpPhase::Connect | SmtpPhase::Auth | SmtpPhase::MailFrom) => {
                ErrorCode::AccountConnectionFailed
            }
            _ => ErrorCode::ValidationFailed,
        }
    }

    /// The recipients that are refused for good, as problems of the request.
    pub fn problems(&self) -> Vec<Problem> {
        self.problems.clone()
    }

    /// What the server said.
    pub fn details(&self) -> Value {
        let refused: Vec<_> = self
            .recipients
            .iter()
            .map(|recipient| {
                json!({
                    "email": recipient.address.as_str(),
                    "smtpCode": recipient.refusal.code,
                    "enhancedCode": recipient.refusal.enhanced,
                })
            })
            .collect();
        json!({
            "phase": self.refusal.phase,
            "smtpCode": self.refusal.code,
            "enhancedCode": self.refusal.enhanced,
            "recipients": refused,
        })
    }
}

/// The field that a recipient stands in.
fn field_of(draft: &Draft, refused: &RefusedRecipient) -> &'static str {
    let names = |list: &[(String, _)]| list.iter().any(|(_, address)| *address == refused.address);
    if names(&draft.to) {
        "to"
    } else if names(&draft.cc) {
        "cc"
    } else {
        "bcc"
    }
}
