//! What a refusal means (decision 30): the recipient, the message, the sender's own connection, or just "not now".
//!
//! Only what speaks about the *recipient's address* suppresses it. A policy block, a size limit or a spam verdict speaks about us, and
//! suppressing everybody who has a filter would empty the pool. The same table reads the replies of a server (RFC 5321 §4.2 with the
//! enhanced codes of RFC 3463), delivery reports that come back later (RFC 3464) and complaints (RFC 5965).
//!
//! Three readings where the decision leaves room. A code about the address (5.1.1 …) means the same whether it answers `RCPT` or, as some
//! servers do, the message itself; a *bare* 550 or 553 means the recipient only in answer to `RCPT`, since after the message it is a
//! filter's verdict, and only where its words do not speak about us ([`speaks_of_us`]): a submission server that wants a login or knows a
//! limit says 550, too. And where reply and enhanced code contradict each other (RFC 2034 §4 forbids it) the reply decides whether it is
//! permanent and the enhanced code is not believed.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where in an SMTP session a reply came (RFC 5321 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmtpPhase {
    /// Connection, TLS, greeting, EHLO.
    Connect,
    /// AUTH.
    Auth,
    /// MAIL FROM.
    MailFrom,
    /// RCPT TO.
    RcptTo,
    /// The DATA command, before its 354.
    Data,
    /// The message, up to the reply to its final dot.
    EndOfData,
}

/// What a refusal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The recipient does not exist: a bounce in the figures, and the address is suppressed.
    HardBounce,
    /// The recipient's mailbox is full: suppressed for a week.
    MailboxFull,
    /// Refused for what it says or who sent it: audited, nobody is suppressed.
    Rejected,
    /// The sender's own login or right to send was refused: its connection is at fault, no mail and no recipient.
    SenderConnection,
    /// Refused for now: to be tried again.
    Transient,
}

/// What a delivery report says became of a mail (RFC 3464 §2.3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// It was not delivered, and why.
    Failed(Verdict),
    /// It is late, delivered, relayed or expanded: nothing to book, whatever is final comes in another report.
    Informational,
}

/// What a complaint report is about (RFC 5965 §7.3, RFC 6591).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feedback {
    /// The recipient or their provider complains: counts as a mail in spam, and the address is suppressed.
    Complaint,
    /// No complaint: a filter's mistake taken back, or a failed authentication, which is about DNS.
    NoComplaint,
}

/// An enhanced status code, such as 5.1.1 (RFC 3463 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EnhancedStatus {
    /// 2 success, 4 for now, 5 for good.
    pub class: u8,
    /// What it is about: 1 address, 2 mailbox, 3 system, 4 network, 5 protocol, 6 content, 7 policy.
    pub subject: u16,
    /// Which trouble of that subject.
    pub detail: u16,
}

/// The text is no enhanced status code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not an enhanced status code such as 5.1.1")]
pub struct InvalidStatus;

/// What `reply` means as an answer in `phase`; `enhanced` is the enhanced code that came with it, and one that is none counts as absent;
/// `text` is what it says to people.
///
/// A reply that no server may give at this point (a 2xx or 3xx that is treated as a refusal, a number that is no reply) is
/// [`Verdict::Transient`]: it proves nothing about anybody.
pub fn classify_reply(phase: SmtpPhase, reply: u16, enhanced: Option<&str>, text: &str) -> Verdict {
    if !(500..600).contains(&reply) {
        return Verdict::Transient;
    }
    let status = enhanced.and_then(|text| text.parse::<EnhancedStatus>().ok());
    match phase {
        SmtpPhase::Connect | SmtpPhase::Auth | SmtpPhase::MailFrom => Verdict::SenderConnection,
        SmtpPhase::RcptTo => match status {
            None if speaks_of_us(text) => Verdict::Rejected,
            None => bare_reply(reply),
            Some(status) => permanent(status),
        },
        SmtpPhase::Data | SmtpPhase::EndOfData => status.map_or(Verdict::Rejected, permanent),
    }
}

/// What a delivery report means: `action` and `status` are its fields for one recipient, `diagnostic` the SMTP reply of its
/// `Diagnostic-Code`, where it has one that does not speak about us ([`speaks_of_us`]). A status that says nothing (5.0.0, what postfix
/// writes for a server without enhanced codes) lets that reply speak.
pub fn classify_report(action: &str, status: &str, diagnostic: Option<u16>) -> Report {
    if !action.trim().eq_ignore_ascii_case("failed") {
        return Report::Informational;
    }
    // The status may be followed by a comment (RFC 3464 §2.3.4 allows it in none, software writes it in many).
    let code = status.split_whitespace().next().unwrap_or_default();
    Report::Failed(match code.parse::<EnhancedStatus>() {
        Ok(status) if status.subject == 0 && status.detail == 0 => {
            diagnostic.map_or(Verdict::Rejected, bare_reply)
        }
        Ok(status) => permanent(status),
        Err(InvalidStatus) => diagnostic.map_or(Verdict::Rejected, bare_reply),
    })
}

/// What a complaint report of type `feedback_type` means. Unknown types count as complaints (RFC 5965 §7.3: treat as `other`).
pub fn classify_feedback(feedback_type: &str) -> Feedback {
    let is = |name| feedback_type.trim().eq_ignore_ascii_case(name);
    if is("not-spam") || is("auth-failure") {
        Feedback::NoComplaint
    } else {
        Feedback::Complaint
    }
}

/// What refusals say that are about the sender, their server or their mail: "relay not permitted" (Exim), "that domain isn't in my list of
/// allowed rcpthosts" (qmail), "Delivery is not allowed to this address" (hMailServer), "SMTP authentication is required", "daily sending
/// limit exceeded", "blocked by our policy", "Administrative prohibition".
const OF_US: [&str; 13] = [
    "relay",
    "rcpthosts",
    "authenticat",
    "not allowed",
    "permitted",
    "prohibit",
    "denied",
    "limit",
    "quota",
    "policy",
    "block",
    "spam",
    "blacklist",
];

/// Whether a refusal without an enhanced code is about us, by its words. Addresses in it say nothing.
pub fn speaks_of_us(text: &str) -> bool {
    let words = text.split_whitespace().filter(|word| !word.contains('@'));
    let words: Vec<String> = words.map(str::to_lowercase).collect();
    let text = words.join(" ");
    OF_US.iter().any(|words| text.contains(words))
}

/// A permanent reply to RCPT without an enhanced code.
fn bare_reply(reply: u16) -> Verdict {
    match reply {
        550 | 553 => Verdict::HardBounce,
        _ => Verdict::Rejected,
    }
}

/// An enhanced code that came with a permanent refusal.
fn permanent(status: EnhancedStatus) -> Verdict {
    match (status.class, status.subject, status.detail) {
        // No such mailbox, no such system, bad syntax, moved with no address left, null MX; disabled.
        (5, 1, 1 | 2 | 3 | 6 | 10) | (5, 2, 1) => Verdict::HardBounce,
        (5, 2, 2) => Verdict::MailboxFull,
        _ => Verdict::Rejected,
    }
}

impl FromStr for EnhancedStatus {
    type Err = InvalidStatus;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.trim().split('.');
        let (class, subject, detail) = (
            number(parts.next())?,
            number(parts.next())?,
            number(parts.next())?,
        );
        match (u8::try_from(class), parts.next()) {
            (Ok(class @ (2 | 4 | 5)), None) => Ok(Self {
                class,
                subject,
                detail,
            }),
            _ => Err(InvalidStatus),
        }
    }
}

fn number(part: Option<&str>) -> Result<u16, InvalidStatus> {
    let part = part.ok_or(InvalidStatus)?;
    if !(1..=3).contains(&part.len()) || !part.bytes().all(|b| b.is_ascii_digit()) {
        return Err(InvalidStatus);
    }
    part.parse().map_err(|_| InvalidStatus)
}

impl TryFrom<String> for EnhancedStatus {
    type Error = InvalidStatus;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<EnhancedStatus> for String {
    fn from(status: EnhancedStatus) -> Self {
        status.to_string()
    }
}

impl fmt::Display for EnhancedStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PHASES: [SmtpPhase; 6] = [
        SmtpPhase::Connect,
        SmtpPhase::Auth,
        SmtpPhase::MailFrom,
        SmtpPhase::RcptTo,
        SmtpPhase::Data,
        SmtpPhase::EndOfData,
    ];

    /// One letter per phase, in their order: what the reply means in each.
    fn row(reply: u16, enhanced: Option<&str>) -> String {
        PHASES
            .iter()
            .map(
                |phase| match classify_reply(*phase, reply, enhanced, "no") {
                    Verdict::HardBounce => 'H',
                    Verdict::MailboxFull => 'F',
                    Verdict::Rejected => 'R',
                    Verdict::SenderConnection => 'S',
                    Verdict::Transient => 't',
                },
            )
            .collect()
    }

    #[test]
    fn replies_by_phase() {
        // Connect, AUTH, MAIL, RCPT, DATA, message.
        for (reply, enhanced, expected) in [
            // The recipient does not exist, in the codes of decision 30.
            (550, Some("5.1.1"), "SSSHHH"),
            (550, Some("5.1.2"), "SSSHHH"),
            (553, Some("5.1.3"), "SSSHHH"),
            (551, Some("5.1.6"), "SSSHHH"),
            (556, Some("5.1.10"), "SSSHHH"),
            (550, Some("5.2.1"), "SSSHHH"),
            // Bare 550 and 553 speak of the recipient only in answer to RCPT.
            (550, None, "SSSHRR"),
            (553, None, "SSSHRR"),
            (550, Some("not a code"), "SSSHRR"),
            // Full.
            (552, Some("5.2.2"), "SSSFFF"),
            // Everything else that is permanent.
            (500, None, "SSSRRR"),
            (551, None, "SSSRRR"),
            (552, None, "SSSRRR"),
            (552, Some("5.3.4"), "SSSRRR"),
            (554, None, "SSSRRR"),
            (550, Some("5.7.1"), "SSSRRR"),
            (550, Some("5.7.26"), "SSSRRR"),
            (550, Some("5.1.0"), "SSSRRR"),
            (550, Some("5.1.8"), "SSSRRR"),
            (550, Some("5.2.0"), "SSSRRR"),
            (550, Some("5.4.1"), "SSSRRR"),
            (554, Some("5.6.0"), "SSSRRR"),
            (535, Some("5.7.8"), "SSSRRR"),
            // A contradiction is not believed beyond the reply.
            (550, Some("4.1.1"), "SSSRRR"),
            (550, Some("2.1.5"), "SSSRRR"),
            (450, Some("5.1.1"), "tttttt"),
            // For now.
            (421, None, "tttttt"),
            (450, Some("4.2.2"), "tttttt"),
            (451, Some("4.7.1"), "tttttt"),
            (454, Some("4.7.0"), "tttttt"),
            // What no server may say here proves nothing.
            (250, None, "tttttt"),
            (354, None, "tttttt"),
            (0, None, "tttttt"),
            (600, Some("5.1.1"), "tttttt"),
        ] {
            assert_eq!(row(reply, enhanced), expected, "{reply} {enhanced:?}");
        }
    }

    #[test]
    fn a_bare_refusal_is_about_the_recipient_unless_it_speaks_of_us() {
        let verdict = |text| classify_reply(SmtpPhase::RcptTo, 550, None, text);
        for text in [
            "",
            "No such user here",
            "<relay@two.test>: unknown",
            "sorry, no mailbox here by that name",
            "Recipient address rejected: User unknown in virtual mailbox table",
        ] {
            assert_eq!(verdict(text), Verdict::HardBounce, "{text}");
        }
        for text in [
            "relay not permitted",
            "sorry, that domain isn't in my list of allowed rcpthosts",
            "Delivery is not allowed to this address.",
            "SMTP Authentication is required",
            "Daily sending LIMIT exceeded",
            "Blocked, see https://www.spamhaus.org",
            "Administrative prohibition",
        ] {
            assert_eq!(verdict(text), Verdict::Rejected, "{text}");
        }
    }

    #[test]
    fn exactly_six_codes_suppress_for_good() {
        let mut suppressing = Vec::new();
        for subject in 0..=999_u16 {
            for detail in 0..=20_u16 {
                let code = format!("5.{subject}.{detail}");
                let verdict = classify_reply(SmtpPhase::RcptTo, 550, Some(&code), "spam");
                if verdict == Verdict::HardBounce {
                    suppressing.push(code);
                }
            }
        }
        assert_eq!(
            suppressing,
            ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"]
        );
    }

    #[test]
    fn delivery_reports() {
        use Report::{Failed, Informational};
        for (action, status, diagnostic, expected) in [
            ("failed", "5.1.1", None, Failed(Verdict::HardBounce)),
            (
                "Failed",
                " 5.1.1 (unknown user)",
                Some(550),
                Failed(Verdict::HardBounce),
            ),
            ("failed", "5.2.2", Some(552), Failed(Verdict::MailboxFull)),
            ("failed", "5.7.1", Some(550), Failed(Verdict::Rejected)),
            // Postfix, about a server without enhanced codes.
            ("failed", "5.0.0", Some(550), Failed(Verdict::HardBounce)),
            ("failed", "5.0.0", Some(554), Failed(Verdict::Rejected)),
            ("failed", "5.0.0", None, Failed(Verdict::Rejected)),
            ("failed", "", Some(553), Failed(Verdict::HardBounce)),
            // Given up after days of "not now": nobody's address is at fault.
            ("failed", "4.4.7", None, Failed(Verdict::Rejected)),
            ("failed", "4.2.2", None, Failed(Verdict::Rejected)),
            ("delayed", "4.4.1", None, Informational),
            ("delivered", "2.0.0", None, Informational),
            ("relayed", "2.0.0", None, Informational),
            ("expanded", "2.0.0", None, Informational),
            ("", "5.1.1", None, Informational),
        ] {
            assert_eq!(
                classify_report(action, status, diagnostic),
                expected,
                "{action} {status} {diagnostic:?}"
            );
        }
    }

    #[test]
    fn complaints() {
        for kind in ["abuse", "fraud", "virus", "other", "Abuse ", "x-new", ""] {
            assert_eq!(classify_feedback(kind), Feedback::Complaint, "{kind}");
        }
        for kind in ["not-spam", "auth-failure", "Not-Spam"] {
            assert_eq!(classify_feedback(kind), Feedback::NoComplaint, "{kind}");
        }
    }

    #[test]
    fn enhanced_codes_are_read_strictly() {
        for text in [
            "", "5", "5.1", "5.1.1.1", "3.1.1", "5.1.1000", "5.-1.1", "+5.1.1", "5.1.x", "255.1.1",
        ] {
            assert_eq!(text.parse::<EnhancedStatus>(), Err(InvalidStatus), "{text}");
        }
        assert_eq!(
            "5.7.26".parse::<EnhancedStatus>().unwrap().to_string(),
            "5.7.26"
        );
    }

    proptest! {
        #[test]
        fn only_permanent_replies_have_consequences(
            reply: u16,
            enhanced in "\\PC{0,12}|[245]\\.[0-9]\\.[0-9]{1,2}",
            text in "\\PC{0,12}|no relay",
        ) {
            for phase in PHASES {
                let verdict = classify_reply(phase, reply, Some(&enhanced), &text);
                prop_assert_eq!(verdict == Verdict::Transient, !(500..600).contains(&reply));
                if phase < SmtpPhase::RcptTo {
                    prop_assert!(matches!(verdict, Verdict::SenderConnection | Verdict::Transient));
                }
            }
        }
    }
}
