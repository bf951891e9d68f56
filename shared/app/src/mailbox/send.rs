//! Sending one mail that a user wrote.
//!
//! At most once (decision 8): before the server is asked to take the content, the mail's Message-ID is kept with the request. Whoever
//! carries the request out again after that sends nothing, but looks into Sent, where a copy is filed once the server has said yes. So a
//! crash leaves either a mail that was not sent, one that is found, or an answer that says that nobody knows.
//!
//! Nothing is sent to some recipients and not to others: if the server refuses one, the mail is given up before its content.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use agentwarm_core::account::Account;
use agentwarm_core::ids::AccountId;
use agentwarm_core::mail::message_id::{self, MessageId};
use async_trait::async_trait;
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout, timeout_at};

use super::allowance::{Allowance, Place};
use super::outcome::MailRefused;
use super::uploads;
use crate::accounts::test_connection::{CLOSE_TIMEOUT, CONNECT_TIMEOUT};
use crate::change::existing;
use crate::credentials;
use crate::error::AppError;
use crate::ports::StoreError;
use crate::ports::accounts::AccountReads;
use crate::ports::checkpoint::{Checkpoint, Kept};
use crate::ports::clock::{Clock, Entropy};
use crate::ports::days::AccountRef;
use crate::ports::letters::{Content, Draft, Gate, Letter, Posted, Refusal};
use crate::ports::mail::{
    ConnectFailure, Folder, ImapSmtpCredentials, MailReader, MailSender, Submission,
};
use crate::ports::uploads::Uploads;
use crate::ports::vault::Vault;
use crate::tenant::Tenant;

/// What is kept of a request's time for filing the copy and answering. Login and APPEND take a second where servers are well.
const FILING_TIME: Duration = Duration::from_secs(5);

/// What is kept of it for the answer alone.
const ANSWER_TIME: Duration = Duration::from_secs(1);

/// Sends mails.
#[derive(Clone)]
pub struct SendMail {
    /// Whose.
    pub accounts: Arc<dyn AccountReads>,
    /// Opens credentials.
    pub vault: Arc<dyn Vault>,
    /// SMTP.
    pub sender: Arc<dyn MailSender>,
    /// IMAP, for the copy in Sent.
    pub reader: Arc<dyn MailReader>,
    /// Files that were uploaded before.
    pub uploads: Arc<dyn Uploads>,
    /// How many.
    pub allowance: Allowance,
    /// The mail's date.
    pub clock: Arc<dyn Clock>,
    /// The mail's id.
    pub entropy: Arc<dyn Entropy>,
}

/// A mail that the server took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Its id.
    pub message_id: MessageId,
    /// Whether a copy lies in Sent.
    pub is_filed: bool,
}

/// What became of a letter, as far as we were told.
enum Fate {
    Accepted,
    Refused(MailRefused),
    NotSent(AppError),
    Unknown,
}

impl SendMail {
    /// Sends `draft` from an account. `attempt` is what is kept of the request that this carries out, which must be answered by `deadline`.
    ///
    /// An account is used whatever its status: pausing warmup does not keep its user from writing.
    pub async fn send(
        &self,
        tenant: &Tenant,
        id: AccountId,
        draft: Draft<Content>,
        attempt: &dyn Checkpoint,
        deadline: Instant,
    ) -> Result<Sent, AppError> {
        let account = existing(self.accounts.as_ref(), tenant, id).await?;
        let credentials =
            credentials::of(self.accounts.as_ref(), self.vault.as_ref(), &account).await?;
        if let Some(begun) = attempt.kept() {
            let begun = begun.parse();
            let begun =
                begun.map_err(|_| AppError::Inconsistent("a note that is no Message-ID"))?;
            return self.look_for(begun, &credentials, deadline).await;
        }
        let draft = self.with_files(tenant, id, draft).await?;
        let letter = self.letter(&account, draft);
        let place = self.allowance.take(tenant, &account).await?;
        let fate = self.post(&letter, &credentials, attempt, deadline).await;
        let error = match fate {
            Fate::Accepted => {
                let is_filed = self.file(&letter, &credentials, deadline).await;
                return Ok(Sent {
                    message_id: letter.message_id,
                    is_filed,
                });
            }
            Fate::Unknown => return Err(AppError::SendOutcomeUnknown(letter.message_id)),
            Fate::Refused(refused) => AppError::MailRefused(Box::new(refused)),
            Fate::NotSent(error) => error,
        };
        self.undo(place, attempt).await;
        Err(error)
    }

    /// Nobody has the mail, so it does not count, and the next attempt of the same request may send it. Where that cannot be noted, the count
    /// stays one too high, and the next attempt says that nobody knows.
    async fn undo(&self, place: Place, attempt: &dyn Checkpoint) {
        let mut undone = self.allowance.give_back(place).await;
        if attempt.kept().is_some() {
            let forgotten = attempt.keep(None).await;
            undone = undone.and(forgotten.map(|_| ()).map_err(AppError::from));
        }
        if let Err(error) = undone {
            tracing::warn!(%error, "a mail that was not sent still counts as begun");
        }
    }

    async fn with_files(
        &self,
        tenant: &Tenant,
        account: AccountId,
        mut draft: Draft<Content>,
    ) -> Result<Draft, AppError> {
        let owner = AccountRef {
            user: tenant.user,
            account,
        };
        let files = std::mem::take(&mut draft.attachments);
        let files = uploads::collect(self.uploads.as_ref(), owner, files, self.clock.wall());
        Ok(draft.with_attachments(files.await?))
    }

    fn letter(&self, account: &Account, draft: Draft) -> Letter {
        Letter {
            from: (account.display_name.clone(), account.email.clone()),
            draft,
            message_id: message_id::of_letter(self.entropy.bits(), account.email.domain()),
            date: self.clock.wall(),
        }
    }

    /// Gives the letter to the server, which has until a little before `deadline` to take it.
    async fn post(
        &self,
        letter: &Letter,
        credentials: &ImapSmtpCredentials,
        attempt: &dyn Checkpoint,
        deadline: Instant,
    ) -> Fate {
        let connecting = timeout(CONNECT_TIMEOUT, self.sender.connect(credentials));
        let connected = connecting.await.unwrap_or(Err(ConnectFailure::Unreachable));
        let mut session = match connected {
            Ok(session) => session,
            Err(failure) => return Fate::NotSent(AppError::ConnectionFailed(failure)),
        };
        let gate = Begun::new(attempt, &letter.message_id);
        let until = deadline.checked_sub(FILING_TIME).unwrap_or(deadline);
        match timeout_at(until, session.post(letter, &gate)).await {
            Ok(posted) => {
                let _ = timeout(CLOSE_TIMEOUT, session.close()).await;
                fate(posted, letter, gate)
            }
            Err(_elapsed) if gate.is_open() => Fate::Unknown,
            Err(_elapsed) => Fate::NotSent(AppError::ConnectionFailed(ConnectFailure::Unreachable)),
        }
    }

    /// Files a copy in Sent. The mail is sent whether or not that succeeds.
    async fn file(
        &self,
        letter: &Letter,
        credentials: &ImapSmtpCredentials,
        deadline: Instant,
    ) -> bool {
        let filing = async {
            let mut session = self.reader.connect(credentials).await?;
            session.file(letter, Folder::Sent).await?;
            let _ = timeout(CLOSE_TIMEOUT, session.close()).await;
            Ok::<_, ConnectFailure>(())
        };
        let until = deadline.checked_sub(ANSWER_TIME).unwrap_or(deadline);
        let filed = timeout_at(until, filing).await;
        let filed = filed.unwrap_or(Err(ConnectFailure::Unreachable));
        if let Err(failure) = &filed {
            tracing::warn!(%failure, "a sent mail was not filed");
        }
        filed.is_ok()
    }

    /// What became of a mail whose content an earlier attempt had begun to send. Where nobody can tell, it is not sent again.
    async fn look_for(
        &self,
        message_id: MessageId,
        credentials: &ImapSmtpCredentials,
        deadline: Instant,
    ) -> Result<Sent, AppError> {
        let looking = async {
            let mut session = self.reader.connect(credentials).await?;
            let found = session
                .find(message_id.as_str(), &[Folder::Sent], false)
                .await?;
            let _ = timeout(CLOSE_TIMEOUT, session.close()).await;
            Ok::<_, ConnectFailure>(found.is_some())
        };
        let until = deadline.checked_sub(ANSWER_TIME).unwrap_or(deadline);
        match timeout_at(until, looking).await {
            Ok(Ok(true)) => Ok(Sent {
                message_id,
                is_filed: true,
            }),
            _ => Err(AppError::SendOutcomeUnknown(message_id)),
        }
    }
}

fn fate(posted: Posted, letter: &Letter, gate: Begun<'_>) -> Fate {
    match posted {
        Posted::Settled(Submission::Accepted) => Fate::Accepted,
        Posted::Settled(Submission::InDoubt) => Fate::Unknown,
        Posted::Settled(Submission::NotSent(failure)) => {
            Fate::NotSent(AppError::ConnectionFailed(failure))
        }
        Posted::Settled(Submission::Refused {
            phase,
            code,
            enhanced,
            text,
        }) => Fate::Refused(MailRefused::of_message(Refusal {
            phase,
            code,
            enhanced,
            text,
        })),
        Posted::RecipientsRefused(refused) => {
            MailRefused::of_recipients(&letter.draft, refused).map_or_else(no_reason, Fate::Refused)
        }
        Posted::Stopped => Fate::NotSent(gate.why_not()),
    }
}

fn no_reason() -> Fate {
    Fate::NotSent(AppError::Inconsistent("a refusal of nobody"))
}

/// Keeps the Message-ID before the content is begun.
struct Begun<'a> {
    attempt: &'a dyn Checkpoint,
    message_id: &'a MessageId,
    is_open: AtomicBool,
    failure: OnceCell<StoreError>,
}

impl<'a> Begun<'a> {
    fn new(attempt: &'a dyn Checkpoint, message_id: &'a MessageId) -> Self {
        Self {
            attempt,
            message_id,
            is_open: AtomicBool::new(false),
            failure: OnceCell::new(),
        }
    }

    fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Relaxed)
    }

    /// Why it stayed shut.
    fn why_not(self) -> AppError {
        match self.failure.into_inner() {
            Some(error) => AppError::Store(error),
            None => AppError::Busy {
                what: "The request",
            },
        }
    }
}

#[async_trait]
impl Gate for Begun<'_> {
    async fn open(&self) -> bool {
        let kept = self.attempt.keep(Some(self.message_id.as_str())).await;
        let is_kept = matches!(kept, Ok(Kept::Done));
        self.is_open.store(is_kept, Ordering::Relaxed);
        if let Err(error) = kept {
            let _ = self.failure.set(error);
        }
        is_kept
    }
}
