//! One message in several folders, by its Message-ID.
//!
//! A server's search is asked first, and believed where it finds something that is looked at and is it. That it finds nothing says less: iCloud
//! finds a Message-ID in its brackets only, Exchange and Yahoo miss headers that they have not indexed, QQ names every message, Mail.ru
//! and Alimail refuse to search headers. So the folders where the message ought to be are looked through then, from their newest message on.
//!
//! "Not found" settles a mail's fate (decision 31), so it is said only when every folder was searched or looked through as a whole: a
//! folder that refuses, a session that ends, is a failure.

use std::collections::BTreeSet;

use agentwarm_app::ports::mail::{ConnectFailure, Folder, Location};

use super::command::{Command, keep_highest};
use super::connection::succeeded;
use super::read::PER_COMMAND;
use super::response::{Response, Status};
use super::session::{ImapSession, Selected, Told};
use crate::dial::Private;
use crate::mime::header::{is_message_id, recognise};

/// How many messages of one folder are looked at for a Message-ID: a server that finds more finds anything.
const MOST_HITS: usize = 20;

/// How many of a folder's newest messages are looked through where its server's search finds nothing: what is looked for came within days.
const LOOKED_THROUGH: u32 = 300;

/// How much of a Message-ID's header is fetched.
const MESSAGE_ID_BYTES: usize = 2_048;

/// What a server's search of a folder says.
enum Searched {
    /// It is the message of this UID.
    Found(u32),
    /// It finds none.
    Nothing,
    /// It does not search so.
    Refused,
    /// There is no such folder.
    Absent,
}

/// What looking through a folder's newest messages says.
#[derive(Default)]
struct Looked {
    found: Option<u32>,
    /// Whether there are older ones.
    more: bool,
}

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
        let mut places: Vec<String> = Vec::new();
        for folder in folders {
            places.extend(self.name_of(*folder).await?);
        }
        let mut others: Vec<String> = Vec::new();
        if everywhere {
            others.push("INBOX".into());
            let all = self.folders().await?.selectable();
            let rest = all.filter(|name| !name.eq_ignore_ascii_case("INBOX"));
            others.extend(rest.map(str::to_owned));
        }
        let likely = places.len();
        let mut searched = BTreeSet::new();
        let mut unsure = Vec::new();
        for (index, name) in places.into_iter().chain(others).enumerate() {
            if !searched.insert(name.clone()) {
                continue;
            }
            match self.search_in(&name, message_id).await? {
                Searched::Found(uid) => return self.location(name, uid).await.map(Some),
                Searched::Refused => unsure.push((name, true)),
                Searched::Nothing if index < likely => unsure.push((name, false)),
                Searched::Nothing | Searched::Absent => {}
            }
        }
        for (name, was_refused) in unsure {
            let looked = self.look_through(&name, message_id, LOOKED_THROUGH).await?;
            if let Some(uid) = looked.found {
                return self.location(name, uid).await.map(Some);
            }
            if everywhere && was_refused && looked.more {
                return Err(ConnectFailure::Protocol("it does not search a folder"));
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

    /// The newest message of a folder with this Message-ID, which can be found among its newest `most` if the server does not find it.
    pub(super) async fn find_in(
        &mut self,
        name: &str,
        message_id: &str,
        most: u32,
    ) -> Result<Option<u32>, ConnectFailure> {
        match self.search_in(name, message_id).await? {
            Searched::Found(uid) => Ok(Some(uid)),
            Searched::Absent => Ok(None),
            Searched::Nothing | Searched::Refused => {
                Ok(self.look_through(name, message_id, most).await?.found)
            }
        }
    }

    /// What the server finds. SELECT and SEARCH go together: after a refused SELECT nothing is selected and the SEARCH is refused, too.
    /// SEARCH finds parts of a header (RFC 3501 §6.4.4), so what it finds is looked at.
    async fn search_in(
        &mut self,
        name: &str,
        message_id: &str,
    ) -> Result<Searched, ConnectFailure> {
        let mut told = Told::default();
        let mut hits = BTreeSet::new();
        let select = Command::new("SELECT").string(name);
        let whole = format!("<{message_id}>");
        let search = Command::new("UID SEARCH HEADER Message-ID").string(&whole);
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
            return Ok(Searched::Absent);
        }
        if searched.status != Status::Ok {
            return Ok(Searched::Refused);
        }
        let newest: Vec<u32> = hits.into_iter().collect();
        let found = self.newest_of(&newest, message_id).await?;
        Ok(found.map_or(Searched::Nothing, Searched::Found))
    }

    /// Looks through the newest `most` messages of a folder.
    async fn look_through(
        &mut self,
        name: &str,
        message_id: &str,
        most: u32,
    ) -> Result<Looked, ConnectFailure> {
        let Some(selected) = self.select(name).await? else {
            return Ok(Looked::default());
        };
        let uids = self.newest_uids(&selected, most).await?;
        Ok(Looked {
            found: self.newest_of(&uids, message_id).await?,
            more: selected.exists > most,
        })
    }

    /// The UIDs of the newest `most` messages of the selected folder, in order.
    async fn newest_uids(
        &mut self,
        selected: &Selected,
        most: u32,
    ) -> Result<Vec<u32>, ConnectFailure> {
        if selected.exists == 0 {
            return Ok(Vec::new());
        }
        let first = selected.exists.saturating_sub(most.saturating_sub(1));
        let mut uids = BTreeSet::new();
        let command = Command::new(&format!("FETCH {}:* (UID)", first.max(1)));
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let end = self
            .connection
            .run(&command, |response| {
                if let Response::Fetch(fetched) = response {
                    keep_highest(&mut uids, fetched.uid.into_iter().collect(), most);
                }
            })
            .await?;
        succeeded(&end)?;
        Ok(uids.into_iter().collect())
    }

    /// The newest of these messages that has this Message-ID.
    async fn newest_of(
        &mut self,
        uids: &[u32],
        message_id: &str,
    ) -> Result<Option<u32>, ConnectFailure> {
        let part = message_id_part();
        let mut newest = None;
        for some in uids.chunks(PER_COMMAND) {
            self.fetch(some, &part, MESSAGE_ID_BYTES, |uid, header| {
                if recognise(&header, "").message_id.as_deref() == Some(message_id) {
                    newest = newest.max(Some(uid));
                }
            })
            .await?;
        }
        Ok(newest)
    }
}

/// The part of a message that says its Message-ID.
pub(super) fn message_id_part() -> String {
    format!("BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]<0.{MESSAGE_ID_BYTES}>")
}
