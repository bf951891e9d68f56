//! New messages of a folder.
//!
//! A cursor is worth what its UIDVALIDITY is worth. Where it does not hold, or UIDNEXT went backwards, the folder is read again from a
//! bounded number of its newest messages: who reads books each message once, whatever is read twice. What lies between the
//! cursor and UIDNEXT is fetched in one command if it cannot be more than was asked for, else searched first, so that no answer is
//! larger than wanted. `n:*` is never sent without a filter, because it names the last message even if that is older than `n` (RFC
//! 3501 §6.4.8).

use std::collections::{BTreeMap, BTreeSet};

use agentwarm_app::ports::mail::{
    ConnectFailure, Folder, FolderCursor, FolderRead, FoundContent, FoundMessage, Location,
};

use super::command::{Command, keep_lowest, uid_set};
use super::connection::succeeded;
use super::response::{Response, Status};
use super::session::{ImapSession, Selected};
use crate::dial::Private;
use crate::mime::header::{RECOGNITION_HEADERS, Recognition, recognise};
use crate::mime::report::read_report;

/// How many messages are asked for in one command: a line of at most 2 KB (RFC 2683 §3.2.1.5 advises 1,000 to 8,000).
pub(super) const PER_COMMAND: usize = 150;

/// How many reports are fetched in one command: at most 1 MB in answer.
const REPORTS_PER_COMMAND: usize = 16;

/// The most that one read returns, whatever is asked.
const MOST_MESSAGES: u32 = 500;

/// How many messages are passed over because their server cannot read them, of those that are asked for at once.
const MOST_UNREADABLE: usize = 3;

/// How much of the headers is fetched.
const HEADER_BYTES: usize = 8_192;

/// How much of a report is fetched: its status part comes before the returned message.
const REPORT_BYTES: usize = 65_536;

impl<S: Private> ImapSession<S> {
    pub(super) async fn read_folder(
        &mut self,
        folder: Folder,
        cursor: Option<FolderCursor>,
        limit: u32,
    ) -> Result<Option<FolderRead>, ConnectFailure> {
        let limit = limit.clamp(1, MOST_MESSAGES);
        let Some(name) = self.name_of(folder).await? else {
            return Ok(None);
        };
        let Some(selected) = self.select(&name).await? else {
            self.forget_folders();
            return Ok(None);
        };
        let start = match cursor.filter(|cursor| is_worth(*cursor, &selected)) {
            Some(cursor) => cursor.uid_next,
            None => self.newest(&selected).await?,
        };
        let (uids, more) = self.uids_from(start, &selected, limit).await?;
        let headers = self.headers(&uids).await?;
        let messages = self.messages(folder, &name, &headers).await?;
        let after_last = uids.last().map_or(start, |uid| uid.saturating_add(1));
        let end = if more {
            after_last
        } else {
            after_last.max(selected.uid_next.unwrap_or(start))
        };
        Ok(Some(FolderRead {
            messages,
            cursor: FolderCursor {
                uid_validity: selected.uid_validity,
                uid_next: end,
                mod_seq: selected.mod_seq,
            },
            more,
        }))
    }

    /// The UID to begin with where nothing is known: that of the oldest among the newest.
    async fn newest(&mut self, selected: &Selected) -> Result<u32, ConnectFailure> {
        let sequence = selected
            .exists
            .saturating_sub(self.settings.first_look.saturating_sub(1));
        if sequence <= 1 {
            return Ok(1);
        }
        let mut uid = None;
        let command = Command::new(&format!("FETCH {sequence} (UID)"));
        let end = self
            .connection
            .run(&command, |response| {
                if let Response::Fetch(fetched) = response {
                    uid = uid.or(fetched.uid);
                }
            })
            .await?;
        succeeded(&end)?;
        // It was removed in this moment: the next poll finds another.
        uid.ok_or(ConnectFailure::Busy)
    }

    /// UIDs not below `start`, in order, at most `limit`; and whether there are more.
    async fn uids_from(
        &mut self,
        start: u32,
        selected: &Selected,
        limit: u32,
    ) -> Result<(Vec<u32>, bool), ConnectFailure> {
        match selected.uid_next {
            _ if selected.exists == 0 => return Ok((Vec::new(), false)),
            Some(next) if next <= start => return Ok((Vec::new(), false)),
            Some(next) if next - start <= limit => return Ok(((start..next).collect(), false)),
            _ => {}
        }
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut uids = BTreeSet::new();
        let command = Command::new(&format!("UID SEARCH UID {start}:*"));
        let end = self
            .connection
            .run(&command, |response| {
                if let Response::Search(mut found) = response {
                    found.retain(|uid| *uid >= start);
                    keep_lowest(&mut uids, found, most.saturating_add(1));
                }
            })
            .await?;
        succeeded(&end)?;
        let more = uids.len() > most;
        Ok((uids.into_iter().take(most).collect(), more))
    }

    /// What the headers of these messages say, by UID. Those that are gone are missing.
    pub(super) async fn headers(
        &mut self,
        uids: &[u32],
    ) -> Result<BTreeMap<u32, Recognition>, ConnectFailure> {
        let token_header = self.settings.token_header.clone();
        let part = format!(
            "BODY.PEEK[HEADER.FIELDS ({RECOGNITION_HEADERS} {token_header})]<0.{HEADER_BYTES}>"
        );
        let mut headers = BTreeMap::new();
        for some in uids.chunks(PER_COMMAND) {
            self.fetch(some, &part, HEADER_BYTES, |uid, header| {
                headers.insert(uid, recognise(&header, &token_header));
            })
            .await?;
        }
        Ok(headers)
    }

    /// The messages, with those that may be reports read as such.
    async fn messages(
        &mut self,
        folder: Folder,
        mailbox: &str,
        headers: &BTreeMap<u32, Recognition>,
    ) -> Result<Vec<FoundMessage>, ConnectFailure> {
        let suspects: Vec<u32> = headers
            .iter()
            .filter(|(_, header)| header.may_be_report && header.token.is_none())
            .map(|(uid, _)| *uid)
            .collect();
        let token_header = self.settings.token_header.clone();
        let part = format!("BODY.PEEK[]<0.{REPORT_BYTES}>");
        let mut reports = BTreeMap::new();
        for some in suspects.chunks(REPORTS_PER_COMMAND) {
            self.fetch(some, &part, REPORT_BYTES, |uid, source| {
                reports.insert(uid, read_report(&source, &token_header));
            })
            .await?;
        }
        let message = |(uid, header): (&u32, &Recognition)| FoundMessage {
            location: Location {
                mailbox: mailbox.to_owned(),
                folder: Some(folder),
                uid: *uid,
            },
            message_id: header.message_id.clone(),
            token: header.token.clone(),
            content: reports.remove(uid).unwrap_or(FoundContent::Message),
        };
        Ok(headers.iter().map(message).collect())
    }

    /// Fetches one part of each message, of at most `most` bytes whatever the server sends, and shows those that were asked for, once each.
    ///
    /// A server may refuse for one message of many that it cannot read itself (Gmail: `NO Some messages could not be FETCHed`; Yahoo: `NO
    /// [UNAVAILABLE] … Server error while fetching messages`), today and tomorrow. Such a message is asked for alone, and passed over.
    pub(super) async fn fetch(
        &mut self,
        uids: &[u32],
        part: &str,
        most: usize,
        mut on: impl FnMut(u32, Vec<u8>),
    ) -> Result<(), ConnectFailure> {
        let mut missing: BTreeSet<u32> = uids.iter().copied().collect();
        let mut waiting = vec![uids.to_vec()];
        let mut unreadable = 0;
        while let Some(some) = waiting.pop() {
            if some.is_empty() {
                continue;
            }
            let command = Command::new(&format!("UID FETCH {} (UID {part})", uid_set(&some)));
            let end = self
                .connection
                .run(&command, |response| {
                    if let Response::Fetch(fetched) = response
                        && let (Some(uid), Some(mut body)) = (fetched.uid, fetched.body)
                        && missing.remove(&uid)
                    {
                        body.truncate(most);
                        on(uid, body);
                    }
                })
                .await?;
            if end.status != Status::No {
                succeeded(&end)?;
                continue;
            }
            let was_alone = some.len() == 1;
            let refused: Vec<u32> = some.into_iter().filter(|it| missing.contains(it)).collect();
            match refused.as_slice() {
                [uid] if was_alone => {
                    unreadable += 1;
                    if unreadable > MOST_UNREADABLE {
                        return succeeded(&end);
                    }
                    self.answers_for(*uid).await?;
                }
                [uid] => waiting.push(vec![*uid]),
                some => {
                    let (older, newer) = some.split_at(some.len() / 2);
                    waiting.extend([newer.to_vec(), older.to_vec()]);
                }
            }
        }
        Ok(())
    }

    /// Makes sure that a server which refuses a message's content can be used otherwise. If not, no message may be passed over.
    async fn answers_for(&mut self, uid: u32) -> Result<(), ConnectFailure> {
        self.exists(uid).await?;
        tracing::info!(uid, "a message that its server cannot read is passed over");
        Ok(())
    }
}

/// Whether a cursor still means something.
fn is_worth(cursor: FolderCursor, selected: &Selected) -> bool {
    cursor.uid_validity == selected.uid_validity
        && selected.uid_next.is_none_or(|next| next >= cursor.uid_next)
}
