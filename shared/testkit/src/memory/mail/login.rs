//! The way into a mailbox, by either protocol, with all that can be in it.

use agentwarm_app::ports::endpoints::MailProtocol;
use agentwarm_app::ports::mail::{ConnectFailure, ImapSmtpCredentials};

use super::{Connect, PostOffice, Trouble, Verb};

impl PostOffice {
    /// Logs in; the address logged in to.
    pub(super) async fn log_in(
        &self,
        protocol: MailProtocol,
        credentials: &ImapSmtpCredentials,
    ) -> Result<String, ConnectFailure> {
        let address = credentials.username.to_lowercase();
        let steps: &[&str] = match protocol {
            MailProtocol::Imap => &["imap.connect"],
            MailProtocol::Smtp => &["smtp.connect", "smtp.tls", "smtp.auth"],
        };
        for step in steps {
            if self.chaos.pass(step).await.is_some() {
                return Err(ConnectFailure::Unreachable);
            }
        }
        let before_session = Verb::ALL.into_iter().filter(|it| it.is_before_session());
        for verb in before_session.filter(|_| protocol == MailProtocol::Smtp) {
            if let Some(trouble) = self.trouble(&address, verb) {
                return Err(self.in_trouble(&address, verb, trouble));
            }
        }
        let scripted = self.take_connect(&address, protocol);
        match scripted {
            Some(Connect::Fails(failure)) => return Err(failure),
            Some(Connect::Hangs) => std::future::pending::<()>().await,
            None => {}
        }
        let mut office = self.lock();
        match office.mailboxes.get_mut(&address) {
            Some(mailbox) if mailbox.is_down => return Err(ConnectFailure::Unreachable),
            Some(mailbox) if mailbox.cannot_send && protocol == MailProtocol::Smtp => {
                return Err(ConnectFailure::Unreachable);
            }
            Some(mailbox) if mailbox.password == credentials.password => {}
            Some(mailbox) => {
                mailbox.refused_logins += 1;
                return Err(ConnectFailure::Credentials);
            }
            None => return Err(ConnectFailure::Credentials),
        }
        office.logins += 1;
        office.imap_logins += u64::from(protocol == MailProtocol::Imap);
        Ok(address)
    }

    /// The trouble that the SMTP server of `address` is in at `verb`, once the time is over that a client needs to see it.
    pub(super) fn trouble(&self, address: &str, verb: Verb) -> Option<Trouble> {
        let mut office = self.lock();
        let mailbox = office.mailboxes.get_mut(address)?;
        let next = mailbox.troubles.iter().position(|(at, _)| *at == verb);
        let lasting = mailbox.trouble.filter(|(at, _)| *at == verb);
        let (_, trouble) = match next {
            Some(next) => mailbox.troubles.remove(next),
            None => lasting?,
        };
        drop(office);
        self.chaos.note(verb.name(), trouble.name());
        self.chaos.elapse(trouble.lasts(verb));
        Some(trouble)
    }

    fn in_trouble(&self, address: &str, verb: Verb, trouble: Trouble) -> ConnectFailure {
        let failure = trouble.failure(verb);
        if failure == ConnectFailure::Credentials {
            self.mailbox(address, |mailbox| mailbox.refused_logins += 1);
        }
        failure
    }

    fn take_connect(&self, address: &str, protocol: MailProtocol) -> Option<Connect> {
        let mut office = self.lock();
        let connects = &mut office.mailboxes.get_mut(address)?.connects;
        let index = connects.iter().position(|(of, _)| *of == protocol)?;
        Some(connects.remove(index).1)
    }
}
