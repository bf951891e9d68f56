//! What is new in a mailbox, from the stored cursors on.

use crate::ports::mail::{
    ConnectFailure, Folder, FolderCursor, FolderRead, FoundMessage, ReadSession,
};
use crate::ports::mailboxes::MailboxState;

/// How many messages are read at once, and how many times per visit: what is left waits for the next visit.
const READ_LIMIT: u32 = 50;
const READS_PER_VISIT: usize = 4;

/// The folders that mail arrives in, in the order in which they are read: spam first, so that a rescued mail is met in the inbox again
/// only by the next visit.
const ARRIVAL_FOLDERS: [Folder; 3] = [Folder::OtherJunk, Folder::Junk, Folder::Inbox];

/// Where these folders were read up to.
#[derive(Default)]
pub(super) struct Cursors {
    pub(super) inbox: Option<FolderCursor>,
    pub(super) junk: Option<FolderCursor>,
    pub(super) other_junk: Option<FolderCursor>,
}

impl Cursors {
    fn of(state: &MailboxState) -> Self {
        Self {
            inbox: state.inbox,
            junk: state.junk,
            other_junk: state.other_junk,
        }
    }

    fn in_folder(&mut self, folder: Folder) -> &mut Option<FolderCursor> {
        match folder {
            Folder::Junk => &mut self.junk,
            Folder::OtherJunk => &mut self.other_junk,
            Folder::Inbox | Folder::Sent | Folder::Warmup => &mut self.inbox,
        }
    }

    /// Whether they are worth a write: a UID moved or a folder was renumbered. Mod-sequences alone change with every flag.
    pub(super) fn differ_from(&self, state: &MailboxState) -> bool {
        let key = |cursor: Option<FolderCursor>| {
            cursor.map(|cursor| (cursor.uid_validity, cursor.uid_next))
        };
        let keys = |it: &Self| [it.inbox, it.junk, it.other_junk].map(key);
        keys(self) != keys(&Self::of(state))
    }
}

/// Reads these folders.
pub(super) async fn read_new(
    session: &mut dyn ReadSession,
    state: &MailboxState,
) -> Result<(Vec<FoundMessage>, Cursors), ConnectFailure> {
    let mut messages = Vec::new();
    let mut cursors = Cursors::of(state);
    for folder in ARRIVAL_FOLDERS {
        let cursor = cursors.in_folder(folder);
        for _ in 0..READS_PER_VISIT {
            let Some(FolderRead {
                messages: found,
                cursor: next,
                more,
            }) = session.read(folder, *cursor, READ_LIMIT).await?
            else {
                break;
            };
            messages.extend(found);
            *cursor = Some(next);
            if !more {
                break;
            }
        }
    }
    Ok((messages, cursors))
}
