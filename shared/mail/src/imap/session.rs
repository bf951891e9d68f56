//! A session that is logged in: folders, selection, flags, and the port's operations, which are told in [`super::read`] and
//! [`super::relocate`].

use std::collections::BTreeMap;
use std::time::Duration;

use agentwarm_app::ports::inbox::{Headline, Headlines, MailContent};
use agentwarm_app::ports::letters::Letter;
use agentwarm_app::ports::mail::{
    ConnectFailure, Folder, FolderCursor, FolderRead, Location, ReadSession,
};
use async_trait::async_trait;
use jiff::Timestamp;
use tokio::time::Instant;

use super::command::Command;
use super::connection::{Connection, succeeded};
use super::folders::Folders;
use super::response::{Capabilities, Code, Ending, Response, Status};
use crate::dial::Private;

/// How long a goodbye is waited for.
const GOODBYE: Duration = Duration::from_secs(1);

/// How many folders a mailbox may have: what is said of one in sixteen bytes costs ten times as much to know.
const MOST_FOLDERS: usize = 10_000;

/// What a deployment decides about reading.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The folder for engaged warmup mail.
    pub(crate) warmup_folder: String,
    /// The header with the token.
    pub(crate) token_header: String,
    /// How many of the newest messages are looked at when nothing is known.
    pub(crate) first_look: u32,
}

/// An IMAP session.
pub(crate) struct ImapSession<S> {
    pub(super) connection: Connection<S>,
    pub(super) capabilities: Capabilities,
    pub(super) settings: Settings,
    folders: Option<Folders>,
    selected: Option<Selected>,
    validities: BTreeMap<String, u32>,
}

/// What SELECT told of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Selected {
    /// Its name on the wire.
    pub(super) name: String,
    /// UIDVALIDITY.
    pub(super) uid_validity: u32,
    /// UIDNEXT, which old servers do not tell.
    pub(super) uid_next: Option<u32>,
    /// How many messages it holds.
    pub(super) exists: u32,
    /// HIGHESTMODSEQ, where the server keeps it.
    pub(super) mod_seq: Option<u64>,
}

/// What is gathered from the responses to SELECT.
#[derive(Debug, Default)]
pub(super) struct Told {
    uid_validity: Option<u32>,
    uid_next: Option<u32>,
    exists: u32,
    mod_seq: Option<u64>,
}

impl<S: Private> ImapSession<S> {
    pub(super) fn new(
        connection: Connection<S>,
        capabilities: Capabilities,
        settings: Settings,
    ) -> Self {
        Self {
            connection,
            capabilities,
            settings,
            folders: None,
            selected: None,
            validities: BTreeMap::new(),
        }
    }

    /// The mailbox's folders, listed once.
    pub(super) async fn folders(&mut self) -> Result<&Folders, ConnectFailure> {
        if self.folders.is_none() {
            let listed = self.list().await?;
            self.folders = Some(listed);
        }
        Ok(self.folders.get_or_insert_default())
    }

    /// Forgets the folders: one was made or is missing.
    pub(super) fn forget_folders(&mut self) {
        self.folders = None;
    }

    async fn list(&mut self) -> Result<Folders, ConnectFailure> {
        let mut command = Command::new("LIST").string("").string("*");
        // Without asking, some servers do not tell the uses (RFC 6154 §2). Asking needs the syntax of LIST-EXTENDED.
        if self.capabilities.has("SPECIAL-USE") && self.capabilities.has("LIST-EXTENDED") {
            command = command.then("RETURN (SPECIAL-USE)");
        }
        let mut listed = Vec::new();
        let end = self
            .connection
            .run(&command, |response| {
                if let Response::List(folder) = response
                    && listed.len() <= MOST_FOLDERS
                {
                    listed.push(folder);
                }
            })
            .await?;
        succeeded(&end)?;
        if listed.len() > MOST_FOLDERS {
            // Those that are left out would count as missing.
            return Err(ConnectFailure::Protocol("it lists too many folders"));
        }
        Ok(Folders::new(listed))
    }

    /// The name on the wire of the folder with a role, if there is one.
    pub(super) async fn name_of(&mut self, role: Folder) -> Result<Option<String>, ConnectFailure> {
        if role == Folder::Inbox {
            return Ok(Some("INBOX".into()));
        }
        let warmup = self.settings.warmup_folder.clone();
        Ok(self.folders().await?.name_of(role, &warmup))
    }

    /// Selects a folder, freshly. `None` if it does not exist.
    pub(super) async fn select(&mut self, name: &str) -> Result<Option<Selected>, ConnectFailure> {
        self.open("SELECT", name).await
    }

    /// Selects a folder so that nothing in it can change; for [`ImapSession::go_to`] it is not selected.
    pub(super) async fn examine(&mut self, name: &str) -> Result<Option<Selected>, ConnectFailure> {
        let selected = self.open("EXAMINE", name).await;
        self.selected = None;
        selected
    }

    async fn open(&mut self, how: &str, name: &str) -> Result<Option<Selected>, ConnectFailure> {
        let mut told = Told::default();
        let command = Command::new(how).string(name);
        let end = self
            .connection
            .run(&command, |response| told.take(&response))
            .await?;
        self.conclude_select(name, &end, &told).await
    }

    /// What a SELECT came to. One that was refused has left nothing selected (RFC 3501 §6.3.1).
    pub(super) async fn conclude_select(
        &mut self,
        name: &str,
        end: &Ending,
        told: &Told,
    ) -> Result<Option<Selected>, ConnectFailure> {
        self.selected = None;
        if end.status == Status::No {
            return self.absent(name, end).await.map(|()| None);
        }
        succeeded(end)?;
        let selected = told.selected(name)?;
        self.validities
            .entry(name.to_owned())
            .or_insert(selected.uid_validity);
        self.selected = Some(selected.clone());
        Ok(Some(selected))
    }

    /// Whether a refused SELECT was refused because the folder is gone, or never for us to look into (RFC 5530 §3); any other reason is
    /// a failure.
    async fn absent(&mut self, name: &str, end: &Ending) -> Result<(), ConnectFailure> {
        if end.has_code("NONEXISTENT") || end.has_code("NOPERM") {
            return Ok(());
        }
        self.forget_folders();
        if self.folders().await?.has(name) {
            return Err(ConnectFailure::Busy);
        }
        Ok(())
    }

    /// Selects the folder of a message unless it is selected. False if the message cannot be there any more: the folder is gone, or was
    /// made anew since this session saw it, so that its UIDs mean other messages.
    pub(super) async fn go_to(&mut self, at: &Location) -> Result<bool, ConnectFailure> {
        if self.selected.as_ref().is_some_and(|s| s.name == at.mailbox) {
            return Ok(true);
        }
        let Some(selected) = self.select(&at.mailbox).await? else {
            return Ok(false);
        };
        Ok(self.validities.get(&at.mailbox) == Some(&selected.uid_validity))
    }

    /// Whether INBOX can be opened. Nothing in it changes.
    async fn try_inbox(&mut self) -> Result<(), ConnectFailure> {
        let inbox = self.examine("INBOX").await?;
        inbox
            .map(|_selected| ())
            .ok_or(ConnectFailure::Protocol("it has no INBOX"))
    }

    /// Runs a command that must succeed, without interest in what it shows.
    pub(super) async fn must(&mut self, command: &Command) -> Result<(), ConnectFailure> {
        let end = self.connection.run(command, |_ignored| {}).await?;
        succeeded(&end)
    }

    async fn flag(&mut self, at: &Location, flag: &str) -> Result<(), ConnectFailure> {
        if !self.go_to(at).await? {
            return Ok(());
        }
        let store = format!("UID STORE {} +FLAGS.SILENT ({flag})", at.uid);
        self.must(&Command::new(&store)).await
    }
}

impl Told {
    pub(super) fn take(&mut self, response: &Response) {
        match response {
            Response::Exists(count) => self.exists = *count,
            Response::Notice(notice) => match &notice.code {
                Some(Code::UidValidity(validity)) => self.uid_validity = Some(*validity),
                Some(Code::UidNext(next)) => self.uid_next = Some(*next),
                Some(Code::HighestModSeq(seq)) => self.mod_seq = Some(*seq),
                _ => {}
            },
            _ => {}
        }
    }

    fn selected(&self, name: &str) -> Result<Selected, ConnectFailure> {
        Ok(Selected {
            name: name.to_owned(),
            uid_validity: self
                .uid_validity
                .ok_or(ConnectFailure::Protocol("a folder has no UIDVALIDITY"))?,
            uid_next: self.uid_next,
            exists: self.exists,
            mod_seq: self.mod_seq,
        })
    }
}

#[async_trait]
impl<S: Private> ReadSession for ImapSession<S> {
    async fn open_inbox(&mut self) -> Result<(), ConnectFailure> {
        self.try_inbox().await
    }

    async fn read(
        &mut self,
        folder: Folder,
        cursor: Option<FolderCursor>,
        limit: u32,
    ) -> Result<Option<FolderRead>, ConnectFailure> {
        self.read_folder(folder, cursor, limit).await
    }

    async fn find(
        &mut self,
        message_id: &str,
        folders: &[Folder],
        everywhere: bool,
    ) -> Result<Option<Location>, ConnectFailure> {
        self.find_message(message_id, folders, everywhere).await
    }

    async fn relocate(&mut self, from: &Location, to: Folder) -> Result<(), ConnectFailure> {
        self.move_message(from, to).await
    }

    async fn headlines(
        &mut self,
        folder: &str,
        since: Timestamp,
        limit: u32,
    ) -> Result<Option<Headlines>, ConnectFailure> {
        self.browse(folder, since, limit).await
    }

    async fn contents(
        &mut self,
        messages: &[Headline],
        until: Instant,
    ) -> Result<BTreeMap<u32, MailContent>, ConnectFailure> {
        self.read_contents(messages, until).await
    }

    async fn file(&mut self, letter: &Letter, folder: Folder) -> Result<(), ConnectFailure> {
        self.file_letter(letter, folder).await
    }

    async fn mark_seen(&mut self, at: &Location) -> Result<(), ConnectFailure> {
        self.flag(at, "\\Seen").await
    }

    async fn mark_important(&mut self, at: &Location) -> Result<(), ConnectFailure> {
        self.flag(at, "\\Flagged").await
    }

    async fn close(mut self: Box<Self>) {
        self.connection.stream().set_idle(GOODBYE);
        // The goodbye comes as BYE, which elsewhere is a failure.
        let _ = self
            .connection
            .run(&Command::new("LOGOUT"), |_ignored| {})
            .await;
        self.connection.into_stream().shutdown().await;
    }
}
