//! The office's SMTP servers.

use agentwarm_app::ports::endpoints::MailProtocol;
use agentwarm_app::ports::mail::{
    ConnectFailure, ImapSmtpCredentials, MailSender, OutgoingMail, SendSession, SmtpPhase,
    Submission,
};
use async_trait::async_trait;

use super::{PostOffice, Scripted};
use crate::memory::Fault;

struct Session {
    office: PostOffice,
    sender: String,
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
        }))
    }
}

#[async_trait]
impl SendSession for Session {
    async fn send(&mut self, mail: &OutgoingMail) -> Submission {
        let fault = self.office.chaos.pass("smtp.send").await;
        let mut office = self.office.lock();
        let scripted = office
            .mailboxes
            .get_mut(&self.sender)
            .and_then(|mailbox| mailbox.submissions.pop_front());
        match (scripted, fault) {
            (Some(Scripted::Answered(submission)), _) => submission,
            (Some(Scripted::Swallowed), _) => {
                office.note(mail, true, false);
                Submission::Accepted
            }
            (Some(Scripted::DeliveredInDoubt), _) | (None, Some(Fault::AnswerLost)) => {
                office.take_over(mail, false);
                Submission::InDoubt
            }
            (None, Some(Fault::Unavailable)) => Submission::NotSent(ConnectFailure::Unreachable),
            // Lost on its way: nobody has it.
            (None, Some(Fault::Stale)) => Submission::InDoubt,
            (None, None) if office.take_over(mail, true) => Submission::Accepted,
            (None, None) => Submission::Refused {
                phase: SmtpPhase::RcptTo,
                code: 550,
                enhanced: Some("5.1.1".to_owned()),
                text: "No such user here".to_owned(),
            },
        }
    }

    async fn close(self: Box<Self>) {}
}
