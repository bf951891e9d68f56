//! The office's IMAP servers.

use agentwarm_app::ports::clock::Clock as _;
use agentwarm_app::ports::endpoints::MailProtocol;
use agentwarm_app::ports::inbox::{Flags, Headline, Headlines, MailContent};
use agentwarm_app::ports::letters::Letter;
use agentwarm_app::ports::mail::{
    ConnectFailure, Folder, FolderCursor, FolderRead, FoundContent, FoundMessage,
    ImapSmtpCredentials, Location, MailReader, ReadSession,
};
use agentwarm_mail::mime::build::build;
use agentwarm_mail::mime::content::read_content;
use agentwarm_mail::mime::letter::build_letter;
use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::BTreeMap;
use tokio::time::Instant;

use super::{FolderItems, Mailbox, PostOffice, StoredMail, outline};
use crate::memory::Fault;

struct Session {
    office: PostOffice,
    address: String,
    /// The folder whose headlines were asked for last.
    browsed: Option<Folder>,
}

const FOLDERS: [Folder; 5] = [
    Folder::Inbox,
    Folder::Junk,
    Folder::OtherJunk,
    Folder::Sent,
    Folder::Warmup,
];

#[async_trait]
impl MailReader for PostOffice {
    async fn connect(
        &self,
        credentials: &ImapSmtpCredentials,
    ) -> Result<Box<dyn ReadSession>, ConnectFailure> {
        let address = self.log_in(MailProtocol::Imap, credentials).await?;
        Ok(Box::new(Session {
            office: self.clone(),
            address,
            browsed: None,
        }))
    }
}

#[async_trait]
impl ReadSession for Session {
    async fn open_inbox(&mut self) -> Result<(), ConnectFailure> {
        self.passes("imap.open_inbox").await?;
        self.can_be_read()
    }

    async fn read(
        &mut self,
        folder: Folder,
        cursor: Option<FolderCursor>,
        limit: u32,
    ) -> Result<Option<FolderRead>, ConnectFailure> {
        self.passes("imap.read").await?;
        self.can_be_read()?;
        let office = self.office.lock();
        let mailbox = office.mailboxes.get(&self.address);
        let items = mailbox.and_then(|mailbox| mailbox.folders.get(&folder));
        if let (Some(cursor), Some(items)) = (cursor, items)
            && cursor.uid_validity != items.uid_validity
        {
            self.office.chaos.note("imap.read", "renumbered");
        }
        Ok(items.map(|items| read_from(items, folder, cursor, limit, &office.token_header)))
    }

    async fn find(
        &mut self,
        message_id: &str,
        folders: &[Folder],
        everywhere: bool,
    ) -> Result<Option<Location>, ConnectFailure> {
        self.passes("imap.find").await?;
        let office = self.office.lock();
        let Some(mailbox) = office.mailboxes.get(&self.address) else {
            return Ok(None);
        };
        let rest = FOLDERS.iter().filter(|_| everywhere);
        for folder in folders.iter().chain(rest) {
            let found = mailbox.folders.get(folder).and_then(|items| {
                let mut messages = items.messages.iter();
                messages.find(|message| message.mail.message_id == message_id)
            });
            if let Some(found) = found {
                return Ok(Some(location(*folder, found.uid)));
            }
        }
        Ok(None)
    }

    async fn relocate(&mut self, from: &Location, to: Folder) -> Result<(), ConnectFailure> {
        self.change("imap.relocate", |mailbox| {
            let Some(mut message) = take(mailbox, from) else {
                return;
            };
            let target = mailbox.folders.entry(to).or_default();
            message.uid = target.uid_next;
            target.uid_next += 1;
            target.messages.push(message);
        })
        .await
    }

    async fn headlines(
        &mut self,
        folder: &str,
        since: Timestamp,
        limit: u32,
    ) -> Result<Option<Headlines>, ConnectFailure> {
        self.passes("imap.headlines").await?;
        let spam_too = if folder.eq_ignore_ascii_case("spam") {
            "Junk"
        } else {
            folder
        };
        let mut folders = FOLDERS.into_iter();
        self.browsed = folders.find(|role| name(*role).eq_ignore_ascii_case(spam_too));
        let Some(folder) = self.browsed else {
            return Ok(None);
        };
        let mut new = self.office.folder(&self.address, folder);
        new.retain(|message| message.received >= since);
        new.sort_by_key(|message| std::cmp::Reverse((message.received, message.uid)));
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = new.len() > limit;
        new.truncate(limit);
        let token_header = self.office.lock().token_header.clone();
        let messages = new.iter().map(|message| headline(message, &token_header));
        Ok(Some(Headlines {
            messages: messages.collect(),
            more,
        }))
    }

    async fn contents(
        &mut self,
        messages: &[Headline],
        _until: Instant,
    ) -> Result<BTreeMap<u32, MailContent>, ConnectFailure> {
        self.passes("imap.contents").await?;
        let folder = self.browsed.unwrap_or(Folder::Inbox);
        let stored = self.office.folder(&self.address, folder).into_iter();
        let wanted = stored.filter(|stored| messages.iter().any(|asked| asked.uid == stored.uid));
        Ok(wanted
            .map(|stored| (stored.uid, read_content(source(&stored), true)))
            .collect())
    }

    async fn file(&mut self, letter: &Letter, folder: Folder) -> Result<(), ConnectFailure> {
        let mail = outline(letter, &letter.from.1);
        let now = self.office.lock().clock.wall();
        self.change("imap.file", |mailbox| {
            let items = mailbox.folders.entry(folder).or_default();
            items.add(mail, Some(letter.clone()), FoundContent::Message, now);
            if let Some(filed) = items.messages.last_mut() {
                filed.seen = true;
            }
        })
        .await
    }

    async fn mark_seen(&mut self, at: &Location) -> Result<(), ConnectFailure> {
        self.change("imap.mark_seen", |mailbox| {
            if let Some(message) = message_at(mailbox, at) {
                message.seen = true;
            }
        })
        .await
    }

    async fn mark_important(&mut self, at: &Location) -> Result<(), ConnectFailure> {
        self.change("imap.mark_important", |mailbox| {
            if let Some(message) = message_at(mailbox, at) {
                message.flagged = true;
            }
        })
        .await
    }

    async fn close(self: Box<Self>) {}
}

impl Session {
    /// Whether a call that changes nothing goes through.
    async fn passes(&self, operation: &'static str) -> Result<(), ConnectFailure> {
        match self.office.chaos.pass(operation).await {
            None => Ok(()),
            Some(_) => Err(ConnectFailure::Unreachable),
        }
    }

    fn can_be_read(&self) -> Result<(), ConnectFailure> {
        let office = self.office.lock();
        let mailbox = office.mailboxes.get(&self.address);
        if mailbox.is_some_and(|mailbox| mailbox.cannot_be_read) {
            return Err(ConnectFailure::Protocol("it does not take a command"));
        }
        Ok(())
    }

    async fn change(
        &self,
        operation: &'static str,
        change: impl FnOnce(&mut Mailbox) + Send,
    ) -> Result<(), ConnectFailure> {
        let fault = self.office.chaos.pass(operation).await;
        if matches!(fault, Some(Fault::Unavailable | Fault::Stale)) {
            return Err(ConnectFailure::Unreachable);
        }
        if let Some(mailbox) = self.office.lock().mailboxes.get_mut(&self.address) {
            change(mailbox);
        }
        fault.map_or(Ok(()), |_| Err(ConnectFailure::Unreachable))
    }
}

fn read_from(
    items: &FolderItems,
    folder: Folder,
    cursor: Option<FolderCursor>,
    limit: u32,
    token_header: &str,
) -> FolderRead {
    let valid = cursor.filter(|cursor| cursor.uid_validity == items.uid_validity);
    let from = valid.map_or(0, |cursor| cursor.uid_next);
    let mut new: Vec<_> = items
        .messages
        .iter()
        .filter(|message| message.uid >= from)
        .collect();
    let more = new.len() > limit as usize;
    new.truncate(limit as usize);
    let read_to = new.last().map(|message| message.uid + 1);
    let uid_next = if more {
        read_to.unwrap_or(from)
    } else {
        items.uid_next
    };
    FolderRead {
        messages: new
            .into_iter()
            .map(|message| found(message, folder, token_header))
            .collect(),
        cursor: FolderCursor {
            uid_validity: items.uid_validity,
            uid_next,
            mod_seq: None,
        },
        more,
    }
}

fn found(message: &StoredMail, folder: Folder, token_header: &str) -> FoundMessage {
    let mut headers = message.mail.headers.iter();
    FoundMessage {
        location: location(folder, message.uid),
        message_id: Some(message.mail.message_id.clone()),
        token: headers
            .find(|(name, _)| name.eq_ignore_ascii_case(token_header))
            .map(|(_, value)| value.clone()),
        content: message.content.clone(),
    }
}

fn headline(message: &StoredMail, token_header: &str) -> Headline {
    Headline {
        uid: message.uid,
        received: message.received,
        flags: Flags {
            seen: message.seen,
            flagged: message.flagged,
            answered: false,
        },
        size: u32::try_from(source(message).len()).unwrap_or(u32::MAX),
        token: found(message, Folder::Inbox, token_header).token,
    }
}

/// A message as its sender sent it; nothing if it cannot be sent.
fn source(message: &StoredMail) -> Vec<u8> {
    match &message.letter {
        Some(letter) => build_letter(letter),
        None => build(&message.mail),
    }
    .unwrap_or_default()
}

fn location(folder: Folder, uid: u32) -> Location {
    Location {
        mailbox: name(folder).to_owned(),
        folder: Some(folder),
        uid,
    }
}

fn name(folder: Folder) -> &'static str {
    match folder {
        Folder::Inbox => "INBOX",
        Folder::Junk => "Junk",
        Folder::OtherJunk => "Spam",
        Folder::Sent => "Sent",
        Folder::Warmup => "Warmup",
    }
}

fn items_at<'a>(mailbox: &'a mut Mailbox, at: &Location) -> Option<&'a mut FolderItems> {
    let folder = FOLDERS
        .into_iter()
        .find(|folder| name(*folder) == at.mailbox)?;
    mailbox.folders.get_mut(&folder)
}

fn message_at<'a>(mailbox: &'a mut Mailbox, at: &Location) -> Option<&'a mut StoredMail> {
    let mut messages = items_at(mailbox, at)?.messages.iter_mut();
    messages.find(|message| message.uid == at.uid)
}

fn take(mailbox: &mut Mailbox, at: &Location) -> Option<StoredMail> {
    let messages = &mut items_at(mailbox, at)?.messages;
    let index = messages.iter().position(|message| message.uid == at.uid)?;
    Some(messages.remove(index))
}
