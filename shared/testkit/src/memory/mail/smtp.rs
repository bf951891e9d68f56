//! The office's SMTP servers. A session passes [`Chaos`](crate::chaos::Chaos) at each step of its dialogue, so that it can break or its task
//! die at any: `smtp.connect`, `smtp.tls`, `smtp.auth`, `smtp.mail_from`, `smtp.rcpt_to`, `smtp.data` (until the 354), `smtp.body`, `smtp.dot`
//! (until the 250) and `smtp.quit`. At the same steps it meets the [`Trouble`](super::trouble::Trouble) that its server is in.

use agentwarm_app::ports::endpoints::MailProtocol;
use agentwarm_app::ports::letters::{Gate, Letter, Posted, Refusal, RefusedRecipient};
use agentwarm_app::ports::mail::{
    ConnectFailure, ImapSmtpCredentials, MailSender, OutgoingMail, SendSession, SmtpPhase,
    Submission,
};
use agentwarm_core::email::EmailAddress;
use async_trait::async_trait;

use super::trouble::{Trouble, Verb, over_after};
use super::{PostOffice, Scripted};
use crate::memory::Fault;

struct Session {
    office: PostOffice,
    sender: String,
    /// Why it is of no more use.
    over: Option<ConnectFailure>,
}

#[async_trait]
impl MailSender for PostOffice {
    async fn connect(
        &self,
        credentials: &ImapSmtpCredentials,
    ) -> Result<Box<dyn SendSession>, ConnectFailure> {
        let sender = self.log_in(MailProtocol::Smtp, credentials).await?;
        Ok(Box::new(Session {
            office: self.clone(),
            sender,
            over: None,
        }))
    }
}

#[async_trait]
impl SendSession for Session {
    async fn send(&mut self, mail: &OutgoingMail) -> Submission {
        if let Some(failure) = &self.over {
            return Submission::NotSent(failure.clone());
        }
        let outcome = self.submit(mail).await;
        self.over = over_after(&outcome);
        // Before the recipient is named a refusal is not about the mail.
        if let Submission::Refused {
            phase: SmtpPhase::RcptTo | SmtpPhase::Data | SmtpPhase::Content,
            code: 500..,
            ..
        } = outcome
        {
            let mut office = self.office.lock();
            office.refused.insert(mail.message_id.clone());
        }
        outcome
    }

    async fn post(&mut self, letter: &Letter, gate: &dyn Gate) -> Posted {
        let fault = self.office.chaos.pass("smtp.post").await;
        if let Some(Fault::Unavailable) = fault {
            return Posted::Settled(Submission::NotSent(ConnectFailure::Unreachable));
        }
        let hangs = self.hangs();
        let scripted = self.next_scripted();
        if let Some(Scripted::Answered(early)) = &scripted
            && is_early(early)
        {
            return Posted::Settled(early.clone());
        }
        let refused = self.office.lock().refused(letter);
        if !refused.is_empty() {
            return Posted::RecipientsRefused(refused.into_iter().map(nobody).collect());
        }
        if !gate.open().await {
            return Posted::Stopped;
        }
        if let Some(delivered) = hangs {
            if delivered {
                self.office.lock().take_over_letter(letter, false);
            }
            std::future::pending::<()>().await;
        }
        Posted::Settled(match (scripted, fault) {
            (Some(Scripted::Answered(submission)), _) => submission,
            (Some(Scripted::DeliveredInDoubt), _) | (None, Some(Fault::AnswerLost)) => {
                self.office.lock().take_over_letter(letter, false);
                Submission::InDoubt
            }
            (None, Some(_)) => Submission::InDoubt,
            (Some(Scripted::Swallowed), _) => Submission::Accepted,
            (Some(Scripted::Hangs { .. }) | None, _) => {
                self.office.lock().take_over_letter(letter, true);
                Submission::Accepted
            }
        })
    }

    async fn close(self: Box<Self>) {
        self.office.chaos.pass("smtp.quit").await;
    }
}

impl Session {
    async fn submit(&mut self, mail: &OutgoingMail) -> Submission {
        for verb in [Verb::MailFrom, Verb::RcptTo, Verb::Data] {
            if self.office.chaos.pass(verb.name()).await.is_some() {
                return Submission::NotSent(ConnectFailure::Unreachable);
            }
            if let Some(trouble) = self.trouble(verb) {
                return trouble.outcome(verb);
            }
        }
        if self.office.chaos.pass(Verb::Body.name()).await.is_some() {
            return Submission::InDoubt;
        }
        if let Some(trouble) = self.trouble(Verb::Body) {
            return trouble.outcome(Verb::Body);
        }
        let fault = self.office.chaos.pass(Verb::Dot.name()).await;
        if let Some(delivered) = self.hangs() {
            if delivered {
                self.office.lock().take_over(mail, false);
            }
            std::future::pending::<()>().await;
        }
        if let Some(trouble) = self.trouble(Verb::Dot) {
            let outcome = trouble.outcome(Verb::Dot);
            if outcome == Submission::InDoubt {
                self.office.lock().take_over(mail, false);
            }
            return outcome;
        }
        self.finish(mail, fault)
    }

    /// What the server makes of a mail that it has whole.
    fn finish(&self, mail: &OutgoingMail, fault: Option<Fault>) -> Submission {
        let scripted = self.next_scripted();
        let mut office = self.office.lock();
        match (scripted, fault) {
            (Some(Scripted::Answered(submission)), _) => submission,
            (Some(Scripted::Swallowed), _) => {
                office.note(mail, true, false);
                Submission::Accepted
            }
            // Hanging was seen to before.
            (Some(Scripted::DeliveredInDoubt | Scripted::Hangs { .. }), _)
            | (None, Some(Fault::AnswerLost)) => {
                office.take_over(mail, false);
                Submission::InDoubt
            }
            // Lost on its way: nobody has it.
            (None, Some(Fault::Unavailable | Fault::Stale)) => Submission::InDoubt,
            (None, None) if office.take_over(mail, true) => Submission::Accepted,
            (None, None) => Submission::Refused {
                phase: SmtpPhase::RcptTo,
                code: 550,
                enhanced: Some("5.1.1".to_owned()),
                text: "No such user here".to_owned(),
            },
        }
    }

    /// The trouble that the server is in at `verb`, after the time that it takes.
    fn trouble(&self, verb: Verb) -> Option<Trouble> {
        self.office.trouble(&self.sender, verb)
    }

    fn next_scripted(&self) -> Option<Scripted> {
        let mut office = self.office.lock();
        let mailbox = office.mailboxes.get_mut(&self.sender)?;
        mailbox.submissions.pop_front()
    }

    /// Whether the next submission hangs, and then whether the mail is delivered.
    fn hangs(&self) -> Option<bool> {
        let mut office = self.office.lock();
        let submissions = &mut office.mailboxes.get_mut(&self.sender)?.submissions;
        let Some(Scripted::Hangs { delivered }) = submissions.front().cloned() else {
            return None;
        };
        submissions.pop_front();
        Some(delivered)
    }
}

/// Whether the server says this before DATA.
fn is_early(submission: &Submission) -> bool {
    match submission {
        Submission::Refused { phase, .. } => !matches!(phase, SmtpPhase::Data | SmtpPhase::Content),
        Submission::NotSent(_) => true,
        Submission::Accepted | Submission::InDoubt => false,
    }
}

fn nobody(address: EmailAddress) -> RefusedRecipient {
    RefusedRecipient {
        address,
        refusal: Refusal {
            phase: SmtpPhase::RcptTo,
            code: 550,
            enhanced: Some("5.1.1".to_owned()),
            text: "No such user here".to_owned(),
        },
    }
}
