//! Moving one message, and nothing else.
//!
//! With MOVE (RFC 6851) it is one step. Without it, it is three: copy, mark as deleted, expunge; a crash between them is repaired by
//! doing it again, because a copy that is there already is not made twice. Only UIDPLUS (RFC 4315) can expunge one message; without
//! it, expunging would remove what people have marked as deleted and still count on, so it is done only where nothing else is
//! marked, and otherwise the message stays behind, marked.

use agentwarm_app::ports::mail::{ConnectFailure, Folder, Location};

use super::command::Command;
use super::connection::succeeded;
use super::find::message_id_part;
use super::response::{Ending, Response, Status};
use super::session::ImapSession;
use crate::dial::Private;
use crate::mime::header::recognise;

/// Among how many of a folder's newest messages a copy is that was just made.
const NEWEST_COPIES: u32 = 20;

impl<S: Private> ImapSession<S> {
    pub(super) fn offers_move(&self) -> bool {
        self.capabilities.has("MOVE")
    }

    pub(super) async fn move_message(
        &mut self,
        from: &Location,
        to: Folder,
    ) -> Result<(), ConnectFailure> {
        let target = self.target(to).await?;
        if target == from.mailbox || !self.go_to(from).await? {
            return Ok(());
        }
        if self.offers_move() {
            let end = self.transfer("UID MOVE", from.uid, &target).await?;
            return self.unless_gone(from, &end).await;
        }
        let Some(message_id) = self.message_id_of(from).await? else {
            return Ok(());
        };
        if !self.is_copied(&message_id, &target).await? {
            if !self.go_to(from).await? {
                return Ok(());
            }
            let end = self.transfer("UID COPY", from.uid, &target).await?;
            succeeded(&end)?;
        }
        self.remove(from).await
    }

    /// The name of the folder to put something into; it is made if it is missing.
    pub(super) async fn target(&mut self, role: Folder) -> Result<String, ConnectFailure> {
        if let Some(name) = self.name_of(role).await? {
            return Ok(name);
        }
        let name = match role {
            Folder::Warmup => self.settings.warmup_folder.clone(),
            Folder::Junk | Folder::OtherJunk => "Junk".into(),
            Folder::Sent => "Sent".into(),
            Folder::Inbox => "INBOX".into(),
        };
        for name in self.folders().await?.names_for_new(&name) {
            let create = Command::new("CREATE").string(&name);
            let end = self.connection.run(&create, |_ignored| {}).await?;
            if end.status == Status::Ok || end.has_code("ALREADYEXISTS") {
                self.forget_folders();
                return Ok(name);
            }
        }
        Err(ConnectFailure::Protocol("a folder cannot be made"))
    }

    async fn transfer(
        &mut self,
        how: &str,
        uid: u32,
        target: &str,
    ) -> Result<Ending, ConnectFailure> {
        let command = Command::new(how).then(&uid.to_string()).string(target);
        self.connection.run(&command, |_ignored| {}).await
    }

    /// A refusal to move is none if there was nothing to move: some servers refuse where others do nothing.
    async fn unless_gone(&mut self, at: &Location, end: &Ending) -> Result<(), ConnectFailure> {
        match succeeded(end) {
            Err(failure) if self.exists(at.uid).await? => Err(failure),
            _ => Ok(()),
        }
    }

    pub(super) async fn exists(&mut self, uid: u32) -> Result<bool, ConnectFailure> {
        let mut found = false;
        let command = Command::new(&format!("UID FETCH {uid} (UID)"));
        let end = self
            .connection
            .run(&command, |response| {
                found |= matches!(response, Response::Fetch(fetched) if fetched.uid == Some(uid));
            })
            .await?;
        succeeded(&end)?;
        Ok(found)
    }

    /// The Message-ID of a message, empty if it has none; `None` if it is gone.
    async fn message_id_of(&mut self, at: &Location) -> Result<Option<String>, ConnectFailure> {
        let mut found = None;
        let part = message_id_part();
        let command = Command::new(&format!("UID FETCH {} (UID {part})", at.uid));
        let end = self
            .connection
            .run(&command, |response| {
                if let Response::Fetch(fetched) = response
                    && fetched.uid == Some(at.uid)
                    && let Some(header) = fetched.body
                {
                    found = Some(recognise(&header, "").message_id.unwrap_or_default());
                }
            })
            .await?;
        succeeded(&end)?;
        Ok(found)
    }

    /// Whether an earlier attempt got as far as the copy.
    async fn is_copied(&mut self, message_id: &str, target: &str) -> Result<bool, ConnectFailure> {
        if message_id.is_empty() {
            return Ok(false);
        }
        let found = self.find_in(target, message_id, NEWEST_COPIES).await?;
        Ok(found.is_some())
    }

    async fn remove(&mut self, at: &Location) -> Result<(), ConnectFailure> {
        if !self.go_to(at).await? {
            return Ok(());
        }
        let store = format!("UID STORE {} +FLAGS.SILENT (\\Deleted)", at.uid);
        self.must(&Command::new(&store)).await?;
        if self.capabilities.has("UIDPLUS") {
            return self
                .must(&Command::new(&format!("UID EXPUNGE {}", at.uid)))
                .await;
        }
        if self.only_deleted(at.uid).await? {
            self.must(&Command::new("EXPUNGE")).await?;
        }
        Ok(())
    }

    async fn only_deleted(&mut self, uid: u32) -> Result<bool, ConnectFailure> {
        let mut deleted = Vec::new();
        let end = self
            .connection
            .run(&Command::new("UID SEARCH DELETED"), |response| {
                if let Response::Search(found) = response {
                    deleted.extend(found);
                }
            })
            .await?;
        succeeded(&end)?;
        Ok(deleted == [uid])
    }
}
