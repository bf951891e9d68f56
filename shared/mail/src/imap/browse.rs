//! A folder as people see it, without a trace.
//!
//! Which messages are wanted is asked of the server by its calendar, which may be a day off ours, and then decided by INTERNALDATE. Messages
//! are read in bounded parts, never by their structure: first the beginning of each, which is all of most, then what large ones have left, as
//! far as memory and time allow.

use std::collections::{BTreeMap, BTreeSet};

use agentwarm_app::ports::inbox::{Flags, Headline, Headlines, MOST_TEXT, MailContent};
use agentwarm_app::ports::mail::ConnectFailure;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::command::{Command, keep_highest, uid_set};
use super::connection::succeeded;
use super::read::PER_COMMAND;
use super::response::{Fetched, Response};
use super::session::ImapSession;
use crate::dial::Private;
use crate::mime::content::read_content;
use crate::mime::header::recognise;

/// How many of a folder's newest messages are searched: their numbers fit into one line.
const SEARCHED: usize = 20_000;

/// How much of the token's header is fetched.
const TOKEN_BYTES: usize = 2_048;

/// How much of each message is fetched at first: all of most.
const BEGINNING: usize = 32 * 1024;

/// How many beginnings are fetched in one command: at most 3 MB in answer.
const BEGINNINGS_PER_COMMAND: usize = 96;

/// How much of a large message is fetched at once.
const CHUNK: usize = 120 * 1024;

/// The most that is read of one message.
const MOST_OF_ONE: usize = 2 * 1024 * 1024;

/// The most that is read of all.
const MOST_OF_ALL: usize = 12 * 1024 * 1024;

impl<S: Private> ImapSession<S> {
    pub(super) async fn browse(
        &mut self,
        folder: &str,
        since: Timestamp,
        limit: u32,
    ) -> Result<Option<Headlines>, ConnectFailure> {
        let warmup = self.settings.warmup_folder.clone();
        let Some(name) = self.folders().await?.meant_by(folder, &warmup) else {
            return Ok(None);
        };
        let Some(selected) = self.examine(&name).await? else {
            return Ok(None);
        };
        if selected.exists == 0 {
            return Ok(Some(Headlines::default()));
        }
        let searched = u32::try_from(SEARCHED).unwrap_or(u32::MAX);
        let first = selected.exists.saturating_sub(searched - 1).max(1);
        let mut uids: Vec<u32> = self.search_since(first, since).await?.into_iter().collect();
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let unseen = uids.len().saturating_sub(limit);
        let all_searched_are_new = uids.len() >= SEARCHED;
        let more = unseen > 0 || (first > 1 && all_searched_are_new);
        let mut messages = self.headlines_of(&uids.split_off(unseen)).await?;
        messages.retain(|message| message.received >= since);
        messages.sort_by_key(|message| std::cmp::Reverse((message.received, message.uid)));
        Ok(Some(Headlines { messages, more }))
    }

    /// The UIDs of messages that may have been received since then, in order.
    async fn search_since(
        &mut self,
        first: u32,
        since: Timestamp,
    ) -> Result<BTreeSet<u32>, ConnectFailure> {
        // The server's date disregards its zone (RFC 3501 §6.4.4).
        let day = since
            .checked_sub(SignedDuration::from_hours(24))
            .unwrap_or(since)
            .strftime("%-d-%b-%Y")
            .to_string();
        let mut uids = BTreeSet::new();
        let command = Command::new(&format!("UID SEARCH {first}:* SINCE {day}"));
        let end = self
            .connection
            .run(&command, |response| {
                if let Response::Search(found) = response {
                    keep_highest(&mut uids, found, SEARCHED);
                }
            })
            .await?;
        succeeded(&end)?;
        Ok(uids)
    }

    async fn headlines_of(&mut self, uids: &[u32]) -> Result<Vec<Headline>, ConnectFailure> {
        let token_header = self.settings.token_header.clone();
        let parts = format!(
            "UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS ({token_header})]<0.{TOKEN_BYTES}>"
        );
        let mut headlines = BTreeMap::new();
        for some in uids.chunks(PER_COMMAND) {
            let command = Command::new(&format!("UID FETCH {} ({parts})", uid_set(some)));
            let end = self
                .connection
                .run(&command, |response| {
                    if let Response::Fetch(fetched) = response
                        && let Some(headline) = headline(&fetched, &token_header)
                        && some.binary_search(&headline.uid).is_ok()
                    {
                        headlines.insert(headline.uid, headline);
                    }
                })
                .await?;
            succeeded(&end)?;
        }
        Ok(headlines.into_values().collect())
    }

    pub(super) async fn read_contents(
        &mut self,
        messages: &[Headline],
        until: Instant,
    ) -> Result<BTreeMap<u32, MailContent>, ConnectFailure> {
        let mut beginnings = BTreeMap::new();
        let mut uids: Vec<u32> = messages.iter().map(|message| message.uid).collect();
        uids.sort_unstable();
        for some in uids.chunks(BEGINNINGS_PER_COMMAND) {
            let part = format!("BODY.PEEK[]<0.{BEGINNING}>");
            self.fetch(some, &part, BEGINNING, |uid, source| {
                beginnings.insert(uid, source);
            })
            .await?;
        }
        let mut left = MOST_OF_ALL.saturating_sub(beginnings.values().map(Vec::len).sum());
        // No more than can be shown: a hundred messages may have twenty times as much.
        let (mut text_left, mut html_left) = (MOST_TEXT, MOST_TEXT);
        let mut contents = BTreeMap::new();
        for message in messages {
            let Some(mut source) = beginnings.remove(&message.uid) else {
                continue;
            };
            let begun = source.len();
            let is_whole = self.read_on(message, &mut source, left, until).await?;
            left = left.saturating_sub(source.len() - begun);
            let mut content = read_content(source, is_whole);
            content.take_text(&mut text_left);
            content.take_html(&mut html_left);
            contents.insert(message.uid, content);
        }
        Ok(contents)
    }

    /// Reads the rest of a message, at most `left` bytes of it; whether it is whole then. Its end is where the server has no more, whatever it
    /// said about the size.
    async fn read_on(
        &mut self,
        message: &Headline,
        source: &mut Vec<u8>,
        left: usize,
        until: Instant,
    ) -> Result<bool, ConnectFailure> {
        let most = source.len().saturating_add(left).min(MOST_OF_ONE);
        let mut is_whole = source.len() < BEGINNING;
        while !is_whole && source.len() + CHUNK <= most && Instant::now() < until {
            let mut chunk = Vec::new();
            let part = format!("BODY.PEEK[]<{}.{CHUNK}>", source.len());
            self.fetch(&[message.uid], &part, CHUNK, |_, next| chunk = next)
                .await?;
            is_whole = chunk.len() < CHUNK;
            source.append(&mut chunk);
        }
        Ok(is_whole)
    }
}

/// A message's headline; `None` if the server did not say enough.
fn headline(fetched: &Fetched, token_header: &str) -> Option<Headline> {
    let has = |flag: &str| fetched.flags.iter().any(|found| found == flag);
    let header = fetched.body.as_deref().unwrap_or_default();
    let header = header.get(..TOKEN_BYTES).unwrap_or(header);
    Some(Headline {
        uid: fetched.uid?,
        received: internal_date(fetched.received.as_deref()?)?,
        flags: Flags {
            seen: has("\\seen"),
            flagged: has("\\flagged"),
            answered: has("\\answered"),
        },
        size: fetched.size?,
        token: recognise(header, token_header).token,
    })
}

/// `date-time` (RFC 3501 §9): `17-Jul-1996 02:44:25 -0700`, with a space before a day of one digit.
fn internal_date(text: &str) -> Option<Timestamp> {
    BrokenDownTime::parse("%d-%b-%Y %H:%M:%S %z", text.trim_ascii_start())
        .and_then(|time| time.to_timestamp())
        .ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates_are_instants() {
        for (text, instant) in [
            ("17-Jul-1996 02:44:25 -0700", "1996-07-17T09:44:25Z"),
            (" 1-Jan-2026 00:00:00 +0000", "2026-01-01T00:00:00Z"),
            ("01-Feb-2026 00:00:00 +1400", "2026-01-31T10:00:00Z"),
        ] {
            assert_eq!(
                internal_date(text),
                Some(instant.parse().unwrap()),
                "{text}"
            );
        }
        for text in ["", "NIL", "30-Feb-2026 00:00:00 +0000", "1-Jan-2026"] {
            assert_eq!(internal_date(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "[0-9A-Za-z :+-]{0,30}") {
            let _ = internal_date(&text);
        }
    }
}
