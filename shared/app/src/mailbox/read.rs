//! Showing the messages of a mailbox's folder.
//!
//! Nothing is changed by looking, and warmup's mails are left out unless they are asked for (decision 28).

use std::sync::Arc;
use std::time::Duration;

use agentwarm_core::account::Account;
use agentwarm_core::ids::AccountId;
use agentwarm_core::mail::token::{Token, TokenKey};
use agentwarm_core::time::shifted;
use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, timeout, timeout_at};

use crate::accounts::test_connection::{CLOSE_TIMEOUT, CONNECT_TIMEOUT};
use crate::change::existing;
use crate::credentials;
use crate::error::AppError;
use crate::ports::accounts::AccountReads;
use crate::ports::clock::Clock;
use crate::ports::inbox::{Headline, Headlines, MOST_TEXT, MailContent};
use crate::ports::mail::{ConnectFailure, MailReader, ReadSession};
use crate::ports::vault::Vault;
use crate::tenant::Tenant;

/// How far back is looked unless something is said (API reference §3, messages).
const LOOKED_BACK: SignedDuration = SignedDuration::from_hours(24);

/// How many messages are looked at beyond those that are wanted: more warmup mail than this does not lie between them.
const WARMUP_BETWEEN: u32 = 300;

/// What is kept of a request's time for the answer.
const ANSWER_TIME: Duration = Duration::from_secs(2);

/// What folders are called by their role. A mailbox without such a folder has no such messages.
const ROLES: [&str; 8] = [
    "INBOX", "SPAM", "Junk", "Sent", "Drafts", "Trash", "Archive", "Warmup",
];

const NO_FOLDER: &str = "is no folder of this mailbox: use INBOX, SPAM, Sent, Drafts, Trash, Archive, Warmup or a folder's exact name";

/// Shows messages.
#[derive(Clone)]
pub struct ReadMessages {
    /// Whose.
    pub accounts: Arc<dyn AccountReads>,
    /// Opens credentials, and knows warmup's mails.
    pub vault: Arc<dyn Vault>,
    /// IMAP.
    pub reader: Arc<dyn MailReader>,
    /// What the last day is.
    pub clock: Arc<dyn Clock>,
}

/// Which messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedMessages {
    /// Of which folder: a role or a name.
    pub folder: String,
    /// Received since; the last day where nothing is said.
    pub since: Option<Timestamp>,
    /// How many at most.
    pub limit: u32,
    /// Warmup's, too.
    pub include_warmup: bool,
    /// With their HTML.
    pub include_html: bool,
}

/// Messages of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundMessages {
    /// Newest first.
    pub messages: Vec<(Headline, MailContent)>,
    /// Whether there are, or may be, older ones that were not shown.
    pub more: bool,
}

impl ReadMessages {
    /// The messages that are wanted, by `deadline`.
    pub async fn list(
        &self,
        tenant: &Tenant,
        id: AccountId,
        wanted: &WantedMessages,
        deadline: Instant,
    ) -> Result<FoundMessages, AppError> {
        let account = existing(self.accounts.as_ref(), tenant, id).await?;
        let credentials =
            credentials::of(self.accounts.as_ref(), self.vault.as_ref(), &account).await?;
        let until = deadline.checked_sub(ANSWER_TIME).unwrap_or(deadline);
        let reading = async {
            let connecting = timeout(CONNECT_TIMEOUT, self.reader.connect(&credentials));
            let connected = connecting.await.unwrap_or(Err(ConnectFailure::Unreachable));
            let mut session = connected.map_err(AppError::ConnectionFailed)?;
            let found = self.read(&account, wanted, session.as_mut(), until).await;
            let _ = timeout(CLOSE_TIMEOUT, session.close()).await;
            found
        };
        let late = AppError::ConnectionFailed(ConnectFailure::Unreachable);
        timeout_at(until, reading).await.unwrap_or(Err(late))
    }

    async fn read(
        &self,
        account: &Account,
        wanted: &WantedMessages,
        session: &mut dyn ReadSession,
        until: Instant,
    ) -> Result<FoundMessages, AppError> {
        let yesterday = || shifted(self.clock.wall(), -LOOKED_BACK.as_secs());
        let since = wanted.since.unwrap_or_else(yesterday);
        let looked_at = wanted.limit.saturating_add(WARMUP_BETWEEN);
        let headlines = session.headlines(&wanted.folder, since, looked_at).await;
        let headlines = match headlines.map_err(AppError::ConnectionFailed)? {
            Some(headlines) => headlines,
            None if is_role(&wanted.folder) => Headlines::default(),
            None => return Err(AppError::invalid("folder", NO_FOLDER)),
        };
        let (chosen, more) = self.choose(account, wanted, headlines).await?;
        let half = Instant::now() + until.saturating_duration_since(Instant::now()) / 2;
        let contents = session.contents(&chosen, half).await;
        let mut contents = contents.map_err(AppError::ConnectionFailed)?;
        let mut left = MOST_TEXT;
        let with_content = |headline: Headline| {
            let mut content = contents.remove(&headline.uid)?;
            shorten(&mut content, &mut left, wanted.include_html);
            Some((headline, content))
        };
        Ok(FoundMessages {
            messages: chosen.into_iter().filter_map(with_content).collect(),
            more,
        })
    }

    /// As many as are wanted of those that are no warmup mail, and whether there are more.
    async fn choose(
        &self,
        account: &Account,
        wanted: &WantedMessages,
        headlines: Headlines,
    ) -> Result<(Vec<Headline>, bool), AppError> {
        let Headlines { mut messages, more } = headlines;
        if !wanted.include_warmup && messages.iter().any(|message| message.token.is_some()) {
            let key = self.vault.message_key(account.user).await?;
            let is_ours = |token: &String| {
                TokenKey::new(key.as_slice())
                    .and_then(|key| Token::verify(token, key))
                    .is_ok()
            };
            messages.retain(|message| !message.token.as_ref().is_some_and(is_ours));
        }
        let limit = usize::try_from(wanted.limit).unwrap_or(usize::MAX);
        let more = more || messages.len() > limit;
        messages.truncate(limit);
        Ok((messages, more))
    }
}

fn is_role(folder: &str) -> bool {
    ROLES.iter().any(|role| role.eq_ignore_ascii_case(folder))
}

/// Takes the message's texts from what is `left` for all.
fn shorten(content: &mut MailContent, left: &mut usize, with_html: bool) {
    if !with_html {
        content.html = None;
    }
    content.take_text(left);
    content.take_html(left);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_share_what_an_answer_holds_and_say_where_they_are_cut() {
        let content = || MailContent {
            text: "éé".into(),
            html: Some("<p>".into()),
            ..MailContent::default()
        };
        let (mut whole, mut cut, mut left) = (content(), content(), 8);
        shorten(&mut whole, &mut left, true);
        assert_eq!((whole, left), (content(), 1));
        shorten(&mut cut, &mut left, true);
        assert_eq!((cut.text.as_str(), cut.html.as_deref()), ("", Some("<")));
        assert!(cut.is_truncated);
        let mut plain = content();
        shorten(&mut plain, &mut 4, false);
        assert_eq!((plain.html, plain.is_truncated), (None, false));
    }
}
