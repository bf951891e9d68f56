//! Mails over one session: MAIL, RCPT, DATA, content; and what each came to.

use agentwarm_app::ports::letters::{Gate, Letter, Posted, Refusal, RefusedRecipient};
use agentwarm_app::ports::mail::{
    ConnectFailure, OutgoingMail, SendSession, SmtpPhase, Submission,
};
use agentwarm_core::email::EmailAddress;
use async_trait::async_trait;
use std::time::Duration;

use super::client::{Client, NoReply};
use super::reply::Reply;
use crate::config::TimeLimits;
use crate::dial::Private;
use crate::mime::build::{Unsendable, build};
use crate::mime::letter::build_letter;

/// How long a goodbye is waited for.
const GOODBYE: Duration = Duration::from_secs(1);

/// A session that is logged in.
pub(crate) struct SmtpSession<S> {
    client: Client<S>,
    time: TimeLimits,
    state: State,
}

/// What the next mail finds.
#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    /// Nothing open.
    Ready,
    /// A transaction that was refused and is to be reset. After refused content, too: postfix keeps the transaction where
    /// `smtpd_end_of_data_restrictions` refuse, and answers the next MAIL with 503.
    Refused,
    /// No use any more.
    Over(ConnectFailure),
}

impl<S: Private> SmtpSession<S> {
    pub(super) fn new(client: Client<S>, time: TimeLimits) -> Self {
        Self {
            client,
            time,
            state: State::Ready,
        }
    }

    async fn submit(&mut self, mail: &OutgoingMail, message: &[u8]) -> Result<(), Submission> {
        let refused = self.envelope(&mail.from.1, &[&mail.to.1]).await?;
        match refused.into_iter().next() {
            Some((_, reply)) => Err(refused_in(SmtpPhase::RcptTo, &reply)),
            None => self.data(message).await,
        }
    }

    async fn submit_letter(
        &mut self,
        letter: &Letter,
        message: &[u8],
        gate: &dyn Gate,
    ) -> Result<(), Posted> {
        let recipients = letter.draft.recipients();
        let refused = self.envelope(&letter.from.1, &recipients).await;
        let refused = refused.map_err(Posted::Settled)?;
        if !refused.is_empty() {
            let refused = refused
                .into_iter()
                .map(|(address, reply)| RefusedRecipient {
                    address: address.clone(),
                    refusal: refusal(SmtpPhase::RcptTo, &reply),
                });
            return Err(Posted::RecipientsRefused(refused.collect()));
        }
        if !gate.open().await {
            return Err(Posted::Stopped);
        }
        self.data(message).await.map_err(Posted::Settled)
    }

    async fn data(&mut self, message: &[u8]) -> Result<(), Submission> {
        let reply = self.client.command("DATA").await.map_err(not_sent)?;
        match reply.class() {
            3 => self.content(message).await,
            4 | 5 => Err(refused_in(SmtpPhase::Data, &reply)),
            _ => Err(unexpected()),
        }
    }

    /// MAIL and RCPTs, together where the server pipelines (RFC 2920). DATA waits: after it a refused recipient would have to be
    /// answered with an empty mail.
    ///
    /// The recipients that were refused. All replies are read, or the next command would get the wrong one; a refused sender is the reason
    /// for all others.
    async fn envelope<'a>(
        &mut self,
        from: &EmailAddress,
        to: &[&'a EmailAddress],
    ) -> Result<Vec<(&'a EmailAddress, Reply)>, Submission> {
        let mut opening = vec![format!("MAIL FROM:<{from}>")];
        if self.state == State::Refused {
            opening.insert(0, "RSET".into());
        }
        self.state = State::Refused;
        let commands: Vec<String> = opening
            .iter()
            .cloned()
            .chain(to.iter().map(|to| format!("RCPT TO:<{to}>")))
            .collect();
        let pipelines = self.client.pipelines();
        if pipelines {
            let sent = self.client.send(&commands.join("\r\n")).await;
            sent.map_err(not_sent)?;
        }
        let mut sender = Ok(());
        let mut refused = Vec::new();
        for (index, command) in commands.iter().enumerate() {
            let reply = if pipelines {
                self.client.reply().await
            } else {
                self.client.command(command).await
            };
            let reply = match reply {
                Ok(reply) => reply,
                // A server that refuses one command may hang up before it answers the next: the refusal is what counts.
                Err(error) => {
                    self.state = State::Over(ConnectFailure::Unreachable);
                    sender?;
                    if refused.is_empty() {
                        return Err(not_sent(error));
                    }
                    return Ok(refused);
                }
            };
            match index.checked_sub(opening.len()).and_then(|at| to.get(at)) {
                None if pipelines => {
                    sender = sender.and_then(|()| accepted(SmtpPhase::MailFrom, &reply));
                }
                None => accepted(SmtpPhase::MailFrom, &reply)?,
                Some(recipient) => match reply.class() {
                    2 => {}
                    4 | 5 => refused.push((*recipient, reply)),
                    _ => sender = sender.and(Err(unexpected())),
                },
            }
        }
        sender.map(|()| refused)
    }

    /// The content. From its first byte on only a reply tells what became of the mail.
    async fn content(&mut self, message: &[u8]) -> Result<(), Submission> {
        let sent = self.client.stream().write(&stuffed(message)).await;
        sent.map_err(|_lost| Submission::InDoubt)?;
        self.client.stream().set_idle(self.time.acceptance);
        let reply = self.client.reply().await;
        self.client.stream().set_idle(self.time.answer);
        let reply = reply.map_err(|_lost| Submission::InDoubt)?;
        match reply.class() {
            2 => {
                self.state = State::Ready;
                Ok(())
            }
            4 | 5 => Err(refused_in(SmtpPhase::Content, &reply)),
            _ => Err(Submission::InDoubt),
        }
    }

    /// Whether the session is of use after this.
    fn settle(&mut self, outcome: &Submission) {
        let over = match outcome {
            Submission::NotSent(failure) => Some(failure.clone()),
            Submission::InDoubt => Some(ConnectFailure::Unreachable),
            // "Closing transmission channel" (RFC 5321 §3.8).
            Submission::Refused { code: 421, .. } => Some(ConnectFailure::Busy),
            Submission::Refused { .. } | Submission::Accepted => None,
        };
        if let Some(failure) = over {
            self.state = State::Over(failure);
        }
    }
}

#[async_trait]
impl<S: Private> SendSession for SmtpSession<S> {
    async fn send(&mut self, mail: &OutgoingMail) -> Submission {
        if let State::Over(failure) = &self.state {
            return Submission::NotSent(failure.clone());
        }
        let message = match build(mail) {
            Ok(message) => message,
            Err(error) => return unsendable(error),
        };
        let outcome = match self.submit(mail, &message).await {
            Ok(()) => Submission::Accepted,
            Err(outcome) => outcome,
        };
        self.settle(&outcome);
        outcome
    }

    async fn post(&mut self, letter: &Letter, gate: &dyn Gate) -> Posted {
        if let State::Over(failure) = &self.state {
            return Posted::Settled(Submission::NotSent(failure.clone()));
        }
        let message = match build_letter(letter) {
            Ok(message) => message,
            Err(error) => return Posted::Settled(unsendable(error)),
        };
        let outcome = match self.submit_letter(letter, &message, gate).await {
            Ok(()) => Posted::Settled(Submission::Accepted),
            Err(outcome) => outcome,
        };
        if let Posted::Settled(submission) = &outcome {
            self.settle(submission);
        }
        outcome
    }

    async fn close(mut self: Box<Self>) {
        if matches!(self.state, State::Over(_)) {
            return;
        }
        self.client.stream().set_idle(GOODBYE);
        let _ = self.client.command("QUIT").await;
        self.client.into_stream().shutdown().await;
    }
}

fn not_sent(error: NoReply) -> Submission {
    Submission::NotSent(error.into())
}

fn unexpected() -> Submission {
    Submission::NotSent(ConnectFailure::Protocol("a reply does not fit its command"))
}

fn accepted(phase: SmtpPhase, reply: &Reply) -> Result<(), Submission> {
    match reply.class() {
        2 => Ok(()),
        4 | 5 => Err(refused_in(phase, reply)),
        _ => Err(unexpected()),
    }
}

fn refused_in(phase: SmtpPhase, reply: &Reply) -> Submission {
    let Refusal {
        phase,
        code,
        enhanced,
        text,
    } = refusal(phase, reply);
    Submission::Refused {
        phase,
        code,
        enhanced,
        text,
    }
}

fn refusal(phase: SmtpPhase, reply: &Reply) -> Refusal {
    Refusal {
        phase,
        code: reply.code(),
        enhanced: reply.enhanced(),
        text: reply.text(),
    }
}

/// A mail that cannot be built is refused by us as a server would refuse its content before DATA: 5.6.0 is "other or undefined media
/// error" (RFC 3463 §3.7). It speaks about the mail, neither about the recipient nor about the sender's connection.
fn unsendable(error: Unsendable) -> Submission {
    Submission::Refused {
        phase: SmtpPhase::Data,
        code: 554,
        enhanced: Some("5.6.0".into()),
        text: error.to_string(),
    }
}

/// The message with dots doubled at the beginning of lines, and the final dot (RFC 5321 §4.5.2).
fn stuffed(message: &[u8]) -> Vec<u8> {
    let mut content = Vec::with_capacity(message.len() + 64);
    for line in message.split_inclusive(|b| *b == b'\n') {
        if line.first() == Some(&b'.') {
            content.push(b'.');
        }
        content.extend_from_slice(line);
    }
    if !content.ends_with(b"\r\n") {
        content.extend_from_slice(b"\r\n");
    }
    content.extend_from_slice(b".\r\n");
    content
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_doubled_and_the_end_is_one() {
        for (message, content) in [
            (&b"a\r\n"[..], &b"a\r\n.\r\n"[..]),
            (b"a", b"a\r\n.\r\n"),
            (b".", b"..\r\n.\r\n"),
            (b"a\r\n.\r\n.b\r\n..", b"a\r\n..\r\n..b\r\n...\r\n.\r\n"),
            (b"", b"\r\n.\r\n"),
        ] {
            assert_eq!(stuffed(message), content);
        }
    }
}
