//! A post office in memory: SMTP and IMAP servers that deliver at once and can be told to misbehave.
//!
//! A mailbox is known by its address, which is its login name too. Mail to an address that nobody has is refused at `RCPT TO`. What a
//! test wants to go wrong it scripts: the next connection ([`PostOffice::next_connect`]) or the next submission
//! ([`PostOffice::next_submission`]) of a mailbox, or all connections for a while ([`PostOffice::set_down`]). [`Chaos`] does the rest, at
//! each step of a dialogue.
//!
//! A server can be in [`Trouble`] at any verb of the dialogue, once ([`PostOffice::next_trouble`]) or until it is told otherwise
//! ([`PostOffice::set_trouble`]), and a mailbox can double what it receives ([`PostOffice::set_doubling`]).
//!
//! Every mail that was handed over is noted ([`PostOffice::handed_over`]), whatever its sender heard: what a sender was told and what
//! happened are two things.

mod imap;
mod login;
mod smtp;
mod trouble;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use agentwarm_app::ports::clock::Clock;
use agentwarm_app::ports::endpoints::MailProtocol;
use agentwarm_app::ports::letters::{Body, Letter};
use agentwarm_app::ports::mail::{ConnectFailure, Folder, FoundContent, OutgoingMail, Submission};
use agentwarm_core::email::EmailAddress;
use agentwarm_core::mail::message_id::MessageId;
use agentwarm_core::seed::Seed;
use jiff::Timestamp;

use crate::chaos::Chaos;
use crate::clock::VirtualClock;

pub use self::trouble::{REFUSAL, Trouble, Verb};

/// All servers of a test's world. Clones are the same office.
#[derive(Debug, Clone)]
pub struct PostOffice {
    office: Arc<Mutex<Office>>,
    chaos: Arc<Chaos>,
}

#[derive(Debug)]
struct Office {
    token_header: String,
    mailboxes: BTreeMap<String, Mailbox>,
    logins: u64,
    imap_logins: u64,
    handed_over: Vec<HandedOver>,
    /// The Message-IDs that were refused for good.
    refused: BTreeSet<String>,
    /// Those of which their receiver made two mails.
    doubled: BTreeSet<String>,
    /// Those that their owner deleted.
    deleted: BTreeSet<String>,
    clock: Arc<VirtualClock>,
}

/// One mailbox.
#[derive(Debug, Default)]
struct Mailbox {
    password: String,
    is_down: bool,
    cannot_send: bool,
    cannot_be_read: bool,
    refuses_mail: bool,
    refused_logins: u64,
    spam_share: f64,
    files_spam_elsewhere: bool,
    /// The share of the mails from here that others take for spam.
    looks_like_spam: f64,
    doubles: bool,
    /// At which verb its SMTP server is in which trouble until it is told otherwise, and which dialogues it spoils next.
    trouble: Option<(Verb, Trouble)>,
    troubles: Vec<(Verb, Trouble)>,
    folders: BTreeMap<Folder, FolderItems>,
    connects: Vec<(MailProtocol, Connect)>,
    submissions: VecDeque<Scripted>,
}

/// One folder.
#[derive(Debug, Clone)]
struct FolderItems {
    uid_validity: u32,
    uid_next: u32,
    messages: Vec<StoredMail>,
}

/// A mail in a folder.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredMail {
    /// Its UID.
    pub uid: u32,
    /// The mail; of a letter its outline.
    pub mail: OutgoingMail,
    /// The letter, if it is one.
    pub letter: Option<Letter>,
    /// When it came.
    pub received: Timestamp,
    /// What a reader recognises it as.
    pub content: FoundContent,
    /// Whether it was read.
    pub seen: bool,
    /// Whether it was marked important.
    pub flagged: bool,
}

/// A mail that a server took over, as its sender gave it.
#[derive(Debug, Clone, PartialEq)]
pub struct HandedOver {
    /// When.
    pub at: Timestamp,
    /// The mail.
    pub mail: OutgoingMail,
    /// Whether its sender was told so; else the 250 was lost.
    pub acknowledged: bool,
    /// Whether it reached its recipient's mailbox; else it vanished.
    pub delivered: bool,
    /// Whether it had been refused for good before, and was sent all the same.
    pub refused_before: bool,
}

/// What becomes of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connect {
    /// It fails.
    Fails(ConnectFailure),
    /// It never stands.
    Hangs,
}

/// What becomes of a submission.
#[derive(Debug, Clone, PartialEq)]
pub enum Scripted {
    /// The sender hears this, and the mail is not delivered.
    Answered(Submission),
    /// The mail is delivered, but the 250 is lost.
    DeliveredInDoubt,
    /// The mail is accepted and vanishes.
    Swallowed,
    /// The server takes the mail or not, and never says: whoever waits for it dies waiting.
    Hangs {
        /// Whether it takes it.
        delivered: bool,
    },
}

impl Default for FolderItems {
    fn default() -> Self {
        Self {
            uid_validity: 1,
            uid_next: 1,
            messages: Vec::new(),
        }
    }
}

impl PostOffice {
    /// An office without mailboxes, whose readers see tokens in `token_header`.
    pub fn new(token_header: &str) -> Self {
        let clock = Arc::new(VirtualClock::at(Timestamp::UNIX_EPOCH));
        Self::in_world(token_header, Arc::default(), clock)
    }

    /// The same, at the mercy of `chaos`, with `clock` on the wall.
    pub fn in_world(token_header: &str, chaos: Arc<Chaos>, clock: Arc<VirtualClock>) -> Self {
        let office = Office {
            token_header: token_header.to_owned(),
            mailboxes: BTreeMap::new(),
            logins: 0,
            imap_logins: 0,
            handed_over: Vec::new(),
            refused: BTreeSet::new(),
            doubled: BTreeSet::new(),
            deleted: BTreeSet::new(),
            clock,
        };
        Self {
            office: Arc::new(Mutex::new(office)),
            chaos,
        }
    }

    /// Opens a mailbox.
    pub fn open_mailbox(&self, address: &str, password: &str) {
        let mut office = self.lock();
        let mailbox = office.mailboxes.entry(address.to_lowercase()).or_default();
        password.clone_into(&mut mailbox.password);
        // It is there before its first mail (RFC 3501 §5.1).
        mailbox.folders.entry(Folder::Inbox).or_default();
    }

    /// Closes a mailbox: it cannot be logged into, and mail to it is refused.
    pub fn close_mailbox(&self, address: &str) {
        self.lock().mailboxes.remove(&address.to_lowercase());
    }

    /// Takes the servers of `address` down, or brings them back: nobody can log in, but mail is still delivered.
    pub fn set_down(&self, address: &str, is_down: bool) {
        self.mailbox(address, |mailbox| mailbox.is_down = is_down);
    }

    /// Takes the SMTP server of `address` alone down, or brings it back.
    pub fn set_smtp_down(&self, address: &str, is_down: bool) {
        self.mailbox(address, |mailbox| mailbox.cannot_send = is_down);
    }

    /// Lets the owner of `address` in and shows nothing, or shows it again.
    pub fn set_unreadable(&self, address: &str, is_unreadable: bool) {
        self.mailbox(address, |mailbox| mailbox.cannot_be_read = is_unreadable);
    }

    /// Mail to `address` is refused as if nobody had it, but its owner can still log in.
    pub fn refuse_mail(&self, address: &str) {
        self.mailbox(address, |mailbox| mailbox.refuses_mail = true);
    }

    /// Files this share of the mail to `address` into Junk; which mails those are follows from their Message-IDs.
    pub fn set_spam_share(&self, address: &str, share: f64) {
        self.mailbox(address, |mailbox| mailbox.spam_share = share);
    }

    /// From now on spam to `address` is filed into another folder than the one of that name.
    pub fn file_spam_elsewhere(&self, address: &str) {
        self.mailbox(address, |mailbox| mailbox.files_spam_elsewhere = true);
    }

    /// This share of the mails from `address` is filed into Junk, wherever they go.
    pub fn set_looks_like_spam(&self, address: &str, share: f64) {
        self.mailbox(address, |mailbox| mailbox.looks_like_spam = share);
    }

    /// From now on each mail to `address` is delivered twice, or once again: two UIDs with one Message-ID.
    pub fn set_doubling(&self, address: &str, doubles: bool) {
        self.mailbox(address, |mailbox| mailbox.doubles = doubles);
    }

    /// From now on every dialogue with the SMTP server of `address` that comes to the verb meets the trouble; none any more without.
    pub fn set_trouble(&self, address: &str, trouble: Option<(Verb, Trouble)>) {
        self.mailbox(address, |mailbox| mailbox.trouble = trouble);
    }

    /// The next dialogue with the SMTP server of `address` that comes to `verb` meets `trouble`; several queue up.
    pub fn next_trouble(&self, address: &str, verb: Verb, trouble: Trouble) {
        self.mailbox(address, |mailbox| mailbox.troubles.push((verb, trouble)));
    }

    /// Gives the inbox of `address` another UIDVALIDITY, which voids every cursor (RFC 3501 §2.3.1.1).
    pub fn reset_uid_validity(&self, address: &str, folder: Folder) {
        self.mailbox(address, |mailbox| {
            mailbox.folders.entry(folder).or_default().uid_validity += 1;
        });
    }

    /// Scripts the next connection that logs in to `address` by `protocol`; several queue up.
    pub fn next_connect(&self, address: &str, protocol: MailProtocol, outcome: Connect) {
        self.mailbox(address, |mailbox| {
            mailbox.connects.push((protocol, outcome));
        });
    }

    /// Scripts the next mail that `address` submits; several queue up.
    pub fn next_submission(&self, address: &str, outcome: Scripted) {
        self.mailbox(address, |mailbox| mailbox.submissions.push_back(outcome));
    }

    /// Puts a mail into a folder as something else than a message: a delivery report, a complaint.
    pub fn drop_in(
        &self,
        address: &str,
        folder: Folder,
        mail: OutgoingMail,
        content: FoundContent,
    ) {
        let now = self.lock().clock.wall();
        self.mailbox(address, |mailbox| {
            mailbox
                .folders
                .entry(folder)
                .or_default()
                .add(mail, None, content, now);
        });
    }

    /// Puts a letter into a folder.
    pub fn put(&self, address: &str, folder: Folder, letter: Letter) {
        let mail = outline(&letter, &letter.from.1);
        let now = self.lock().clock.wall();
        self.mailbox(address, |mailbox| {
            let items = mailbox.folders.entry(folder).or_default();
            items.add(mail, Some(letter), FoundContent::Message, now);
        });
    }

    /// The owner of `address` deletes a mail for good.
    pub fn delete_mail(&self, address: &str, message_id: &str) {
        self.mailbox(address, |mailbox| {
            for items in mailbox.folders.values_mut() {
                let messages = &mut items.messages;
                messages.retain(|message| message.mail.message_id != message_id);
            }
        });
        self.lock().deleted.insert(message_id.to_owned());
    }

    /// Whether its owner deleted this mail.
    pub fn was_deleted(&self, message_id: &str) -> bool {
        self.lock().deleted.contains(message_id)
    }

    /// Whether there is such a mailbox.
    pub fn has_mailbox(&self, address: &str) -> bool {
        self.lock().mailboxes.contains_key(&address.to_lowercase())
    }

    /// What lies in a folder.
    pub fn folder(&self, address: &str, folder: Folder) -> Vec<StoredMail> {
        let office = self.lock();
        let mailbox = office.mailboxes.get(&address.to_lowercase());
        mailbox
            .and_then(|mailbox| mailbox.folders.get(&folder))
            .map(|items| items.messages.clone())
            .unwrap_or_default()
    }

    /// Everything that lies in any folder, with its mailbox's address.
    pub fn everything(&self) -> Vec<(String, Folder, StoredMail)> {
        let office = self.lock();
        let mut all = Vec::new();
        for (address, mailbox) in &office.mailboxes {
            for (folder, items) in &mailbox.folders {
                let messages = items.messages.iter().cloned();
                all.extend(messages.map(|message| (address.clone(), *folder, message)));
            }
        }
        all
    }

    /// The mails that servers took over, from the `after`-th on, in order.
    pub fn handed_over(&self, after: usize) -> Vec<HandedOver> {
        let office = self.lock();
        office.handed_over.iter().skip(after).cloned().collect()
    }

    /// How many mails have this Message-ID, in all folders of all mailboxes.
    pub fn copies(&self, message_id: &str) -> usize {
        let office = self.lock();
        let mailboxes = office.mailboxes.values();
        let folders = mailboxes.flat_map(|mailbox| mailbox.folders.values());
        let mails = folders.flat_map(|items| &items.messages);
        mails.filter(|it| it.mail.message_id == message_id).count()
    }

    /// Whether its receiver made two mails of this one.
    pub fn was_doubled(&self, message_id: &str) -> bool {
        self.lock().doubled.contains(message_id)
    }

    /// How many mails their receivers made two of.
    pub fn doubled(&self) -> usize {
        self.lock().doubled.len()
    }

    /// How often somebody logged in, by either protocol.
    pub fn logins(&self) -> u64 {
        self.lock().logins
    }

    /// How often somebody logged in by IMAP.
    pub fn imap_logins(&self) -> u64 {
        self.lock().imap_logins
    }

    /// Forgets which mails were handed over: who sends many needs the room.
    pub fn forget_handed_over(&self) {
        self.lock().handed_over.clear();
    }

    /// How often a login to `address` was refused.
    pub fn refused_logins(&self, address: &str) -> u64 {
        let office = self.lock();
        let mailbox = office.mailboxes.get(&address.to_lowercase());
        mailbox.map_or(0, |mailbox| mailbox.refused_logins)
    }

    fn lock(&self) -> MutexGuard<'_, Office> {
        self.office.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mailbox(&self, address: &str, change: impl FnOnce(&mut Mailbox)) {
        let mut office = self.lock();
        change(office.mailboxes.entry(address.to_lowercase()).or_default());
    }
}

impl Office {
    /// Takes a mail over and puts it into its recipient's mailbox; false if there is none.
    fn take_over(&mut self, mail: &OutgoingMail, acknowledged: bool) -> bool {
        let delivered = self.deliver(mail);
        if delivered {
            self.note(mail, acknowledged, true);
        }
        delivered
    }

    fn note(&mut self, mail: &OutgoingMail, acknowledged: bool, delivered: bool) {
        self.handed_over.push(HandedOver {
            at: self.clock.schedule(),
            mail: mail.clone(),
            acknowledged,
            delivered,
            refused_before: self.refused.contains(&mail.message_id),
        });
    }

    fn deliver(&mut self, mail: &OutgoingMail) -> bool {
        self.deliver_as(mail, None)
    }

    fn deliver_as(&mut self, mail: &OutgoingMail, letter: Option<&Letter>) -> bool {
        let sender = self.mailboxes.get(mail.from.1.as_str());
        let looks_like_spam = sender.map_or(0.0, |sender| sender.looks_like_spam);
        let mailbox = self.mailboxes.get_mut(mail.to.1.as_str());
        let Some(mailbox) = mailbox.filter(|mailbox| !mailbox.refuses_mail) else {
            return false;
        };
        let now = self.clock.wall();
        let share = mailbox.spam_share.max(looks_like_spam);
        let is_spam = Seed::root(mail.message_id.as_bytes()).chance(share);
        let folder = match (is_spam, mailbox.files_spam_elsewhere) {
            (false, _) => Folder::Inbox,
            (true, false) => Folder::Junk,
            (true, true) => Folder::OtherJunk,
        };
        let items = mailbox.folders.entry(folder).or_default();
        for _ in 0..=usize::from(mailbox.doubles) {
            items.add(mail.clone(), letter.cloned(), FoundContent::Message, now);
        }
        if mailbox.doubles {
            self.doubled.insert(mail.message_id.clone());
        }
        true
    }

    /// Takes a letter over for all of its recipients.
    fn take_over_letter(&mut self, letter: &Letter, acknowledged: bool) {
        for recipient in letter.draft.recipients() {
            let mail = outline(letter, recipient);
            self.deliver_as(&mail, Some(letter));
            self.note(&mail, acknowledged, true);
        }
    }

    /// Whom of a letter's recipients no mailbox takes.
    fn refused(&self, letter: &Letter) -> Vec<EmailAddress> {
        let takes = |address: &EmailAddress| {
            let mailbox = self.mailboxes.get(address.as_str());
            mailbox.is_some_and(|mailbox| !mailbox.refuses_mail)
        };
        let recipients = letter.draft.recipients().into_iter();
        recipients
            .filter(|address| !takes(address))
            .cloned()
            .collect()
    }
}

/// A letter as one of its recipients' mails.
fn outline(letter: &Letter, recipient: &EmailAddress) -> OutgoingMail {
    let draft = &letter.draft;
    let (Body::Text(text) | Body::Html(text) | Body::Both { text, .. }) = &draft.body;
    let ids = |ids: &[MessageId]| ids.iter().map(ToString::to_string).collect();
    OutgoingMail {
        from: letter.from.clone(),
        to: (String::new(), recipient.clone()),
        subject: draft.subject.clone(),
        text: text.clone(),
        message_id: letter.message_id.to_string(),
        date: letter.date,
        in_reply_to: draft.in_reply_to.as_ref().map(ToString::to_string),
        references: ids(&draft.references),
        headers: Vec::new(),
    }
}

impl FolderItems {
    fn add(
        &mut self,
        mail: OutgoingMail,
        letter: Option<Letter>,
        content: FoundContent,
        received: Timestamp,
    ) {
        self.messages.push(StoredMail {
            uid: self.uid_next,
            mail,
            letter,
            received,
            content,
            seen: false,
            flagged: false,
        });
        self.uid_next += 1;
    }
}
