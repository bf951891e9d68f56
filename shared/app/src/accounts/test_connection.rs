//! Trying a mailbox: can we log in, by both protocols, and open INBOX, right now?
//!
//! Reads only: what it learns does not change the account, whose health is judged by real use.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use agentwarm_core::account::Account;
use agentwarm_core::ids::AccountId;
use jiff::Timestamp;
use tokio::time::Instant;

use crate::batch;
use crate::change::existing;
use crate::credentials;
use crate::error::AppError;
use crate::ports::accounts::AccountReads;
use crate::ports::clock::Clock;
use crate::ports::mail::{ConnectFailure, ImapSmtpCredentials, MailReader, MailSender};
use crate::ports::vault::Vault;
use crate::tenant::Tenant;

/// How long a server may take to let us in (decision 15).
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(8);

/// How many mailboxes of a batch are tried side by side (decision 15).
const AT_ONCE: usize = 20;

/// How long we wait for a goodbye. It does not matter any more.
pub(crate) const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Tries mailboxes.
#[derive(Clone)]
pub struct TestConnection {
    /// Whose.
    pub accounts: Arc<dyn AccountReads>,
    /// Opens credentials.
    pub vault: Arc<dyn Vault>,
    /// SMTP.
    pub sender: Arc<dyn MailSender>,
    /// IMAP.
    pub reader: Arc<dyn MailReader>,
    /// How long it took.
    pub clock: Arc<dyn Clock>,
    /// How long a server may take to let us in: [`CONNECT_TIMEOUT`] in a function.
    pub connect_timeout: Duration,
}

/// How both attempts went.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectionReport {
    /// The account.
    pub account: Account,
    /// IMAP: milliseconds until INBOX was open.
    pub imap: Result<u64, ConnectFailure>,
    /// SMTP: milliseconds until the login was accepted.
    pub smtp: Result<u64, ConnectFailure>,
    /// When it was tried.
    pub tested_at: Timestamp,
}

impl ConnectionReport {
    /// What went wrong, first.
    pub fn failure(&self) -> Option<&ConnectFailure> {
        self.imap.as_ref().err().or(self.smtp.as_ref().err())
    }

    /// Whether the mailbox can be used.
    pub fn overall(&self) -> bool {
        self.imap.is_ok() && self.smtp.is_ok()
    }
}

impl TestConnection {
    /// Logs in to both servers of an account, side by side. That a server refuses is an answer, not an error.
    pub async fn test(&self, tenant: &Tenant, id: AccountId) -> Result<ConnectionReport, AppError> {
        let account = existing(self.accounts.as_ref(), tenant, id).await?;
        let (accounts, vault) = (self.accounts.as_ref(), self.vault.as_ref());
        let credentials = credentials::of(accounts, vault, &account).await?;
        let tested_at = self.clock.schedule();
        let (imap, smtp) = futures::join!(self.imap(&credentials), self.smtp(&credentials));
        Ok(ConnectionReport {
            account,
            imap,
            smtp,
            tested_at,
        })
    }

    /// Tries several mailboxes, each by itself, some side by side. One for which there was no time left counts as unreachable, as decision
    /// 15 has it.
    pub async fn test_each(
        &self,
        tenant: &Tenant,
        ids: &[String],
        deadline: Instant,
    ) -> Vec<Result<ConnectionReport, AppError>> {
        let late = || AppError::ConnectionFailed(ConnectFailure::Unreachable);
        batch::each_account(ids, AT_ONCE, deadline, late, |id| self.test(tenant, id)).await
    }

    async fn imap(&self, credentials: &ImapSmtpCredentials) -> Result<u64, ConnectFailure> {
        let opened = async {
            let mut session = self.reader.connect(credentials).await?;
            session.open_inbox().await?;
            Ok(session)
        };
        let (session, latency) = self.timed(opened).await?;
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, session.close()).await;
        Ok(latency)
    }

    async fn smtp(&self, credentials: &ImapSmtpCredentials) -> Result<u64, ConnectFailure> {
        let (session, latency) = self.timed(self.sender.connect(credentials)).await?;
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, session.close()).await;
        Ok(latency)
    }

    /// A session and how many milliseconds it took. Too late is the same as unreachable, or the answer would tell a filtered port from a
    /// closed one.
    async fn timed<S>(
        &self,
        connect: impl Future<Output = Result<S, ConnectFailure>>,
    ) -> Result<(S, u64), ConnectFailure> {
        let begun = self.clock.wall();
        let session = tokio::time::timeout(self.connect_timeout, connect)
            .await
            .map_err(|_| ConnectFailure::Unreachable)??;
        let took = self.clock.wall().duration_since(begun).as_millis();
        Ok((session, u64::try_from(took).unwrap_or(0)))
    }
}
