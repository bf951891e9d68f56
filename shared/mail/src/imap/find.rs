//! One message in several folders, by its Message-ID.
//!
//! "Not found" settles a mail's fate (decision 31), so it is said only when every folder was searched and answered: a folder that refuses,
//! a session that ends, is a failure.

use std::collections::BTreeSet;

use agentwarm_app::ports::mail::{ConnectFailure, Folder, Location};

use super::command::{Command, keep_highest};
use super::connection::succeeded;
use super::response::Response;
use super::session::{ImapSession, Told};
use crate::dial::Private;
use crate::mime::header::is_message_id;

/// How many messages of one folder are looked at for a Message-ID: a server that finds more finds anything.
const MOST_HITS: usize = 20;

impl<S: Private> ImapSession<S> {
    pub(super) async fn find_message(
        &mut self,
        message_id: &str,
        folders: &[Folder],
        everywhere: bool,
    ) -> Result<Option<Location>, ConnectFailure> {
        if !is_message_id(message_id) {
            return Ok(None);
        }
        let mut names: Vec<String> = Vec::new();
        for folder in folders {
            names.extend(self.name_of(*folder).await?);
        }
        if everywhere {
            names.push("INBOX".into());
            let all = self.folders().await?.selectable();
            let others = all.filter(|name| !name.eq_ignore_ascii_case("INBOX"));
            names.extend(others.map(str::to_owned));
        }
        let mut searched = BTreeSet::new();
        for name in names {
            if searched.insert(name.clone())
                && let Some(uid) = self.find_in(&name, message_id).await?
            {
                return self.location(name, uid).await.map(Some);
            }
        }
        Ok(None)
    }

    async fn location(&mut self, mailbox: String, uid: u32) -> Result<Location, ConnectFailure> {
        let warmup = self.settings.warmup_folder.clone();
        let folder = if mailbox == "INBOX" {
            Some(Folder::Inbox)
        } else {
            self.folders().await?.role_of(&mailbox, &warmup)
        };
        Ok(Location {
            mailbox,
            folder,
            uid,
        })
    }

    /// The newest message of a folder with this Message-ID. SELECT and SEARCH go together: after a refused SELECT nothing is selected
    /// and the SEARCH is refused, too. SEARCH finds parts of a header (RFC 3501 §6.4.4), so what it finds is looked at.
    pub(super) async fn find_in(
        &mut self,
        name: &str,
        message_id: &str,
    ) -> Result<Option<u32>, ConnectFailure> {
        let mut told = Told::default();
        let mut hits = BTreeSet::new();
        let select = Command::new("SELECT").string(name);
        let search = Command::new("UID SEARCH HEADER Message-ID").string(message_id);
        let (selected, searched) = self
            .connection
            .run_both(&select, &search, |response| match response {
                Response::Search(found) => keep_highest(&mut hits, found, MOST_HITS),
                other => told.take(&other),
            })
            .await?;
        if self
            .conclude_select(name, &selected, &told)
            .await?
            .is_none()
        {
            return Ok(None);
        }
        succeeded(&searched)?;
        let newest: Vec<u32> = hits.into_iter().collect();
        let headers = self.headers(&newest).await?;
        Ok(headers
            .into_iter()
            .rev()
            .find(|(_, header)| header.message_id.as_deref() == Some(message_id))
            .map(|(uid, _)| uid))
    }
}
