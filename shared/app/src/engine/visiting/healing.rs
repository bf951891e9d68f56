//! A visit is also how a mailbox's connection is judged: what fails backs off, what works again heals (decision 17). And rounds never end, so
//! they find what everything else has forgotten.

use agentwarm_core::account::{Account, AccountStatus};
use agentwarm_core::warmup::connection::{ConnectionHealth, MailProtocol};
use agentwarm_core::warmup::due::{DueEntry, DueKind};
use jiff::{Timestamp, ToSpan};

use super::Visiting;
use crate::engine::{EngineError, file};
use crate::ports::mail::{ConnectFailure, ImapSmtpCredentials};

impl Visiting {
    /// The mailbox could be opened, and all was done in it. An account in error sends nothing, so nobody would learn that its SMTP server is
    /// well again: whoever reads its mail tries. A server that lets us in may still refuse the mail, so what it refused stays noted.
    pub(super) async fn worked(
        &self,
        account: &Account,
        credentials: &ImapSmtpCredentials,
        health: &ConnectionHealth,
    ) -> Result<(), EngineError> {
        let (imap, smtp) = (MailProtocol::Imap, MailProtocol::Smtp);
        let mut before = health.clone();
        let mut after = before.mended_by(imap);
        let waits = health.waits_until(smtp);
        if account.status == AccountStatus::Error
            && !health.smtp.works()
            && waits.is_none_or(|at| at <= self.clock.schedule())
        {
            match self.sender.connect(credentials).await {
                Ok(session) => {
                    session.close().await;
                    after = after.let_in_by(smtp);
                }
                Err(failure) => {
                    before = self.health.failed(account, smtp, &failure).await?;
                    after = before.mended_by(imap);
                }
            }
        }
        if account.status == AccountStatus::Error && !after.is_broken() {
            self.expect_planning(account, self.clock.schedule()).await?;
        }
        self.health.worked(account, &before, &after).await
    }

    /// The mailbox could not be opened or read.
    pub(super) async fn failed(
        &self,
        account: &Account,
        failure: &ConnectFailure,
    ) -> Result<(), EngineError> {
        let imap = MailProtocol::Imap;
        self.health.failed(account, imap, failure).await.map(|_| ())
    }

    /// Has an account planned whose planning was forgotten: the index forgets after three days, so an outage of the scheduler that lasts
    /// longer leaves accounts of which nothing is due any more. They are known by a whole date without a plan.
    pub(super) async fn remember_planning(
        &self,
        account: &Account,
        now: Timestamp,
    ) -> Result<(), EngineError> {
        let yesterday = account.zone.date_of(now).saturating_sub(1.day());
        let warmup = account.warmup.as_ref().filter(|_| account.sends());
        let last_planned = warmup.and_then(|warmup| warmup.last_planned_date);
        if last_planned.is_none_or(|date| yesterday <= date) {
            return Ok(());
        }
        tracing::warn!(account = %account.id, "the account's planning was lost; it is expected anew");
        self.expect_planning(account, now).await
    }

    /// An account that heals plans what is left of a day that it has no plan of; the mails of one that it has have waited. Its planning is due
    /// before it heals: a crash between leaves an entry that finds nothing to do, never an account that nobody plans.
    async fn expect_planning(&self, account: &Account, now: Timestamp) -> Result<(), EngineError> {
        let entry = DueEntry {
            at: now,
            user: account.user,
            kind: DueKind::Plan {
                account: account.id,
            },
        };
        Ok(file(self.arrivals.due.as_ref(), &[entry], now).await?)
    }
}
