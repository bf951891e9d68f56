//! What must be true at rest: over the tables, the API and IMAP.

use std::collections::{BTreeMap, BTreeSet};

use agentwarm_app::ports::mail::Folder;
use agentwarm_core::account::Account;
use agentwarm_core::ids::SlotId;
use agentwarm_core::mail::message_id;
use agentwarm_core::mail::receipt::Receipt;
use agentwarm_core::mail::slot::{Slot, SlotKind, SlotState};
use agentwarm_core::warmup::engage;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde_json::Value;

use crate::proxies::EventIds;
use crate::world::{Books, World};

/// How long something may be due before it counts as stuck: a mailbox that sends is looked into every half hour.
const OVERDUE: SignedDuration = SignedDuration::from_hours(24);

/// What is wrong is shown up to here.
const SHOWN: usize = 30;

/// All accounts' books, and where each mail is.
struct Everything {
    books: Vec<Books>,
    /// The place of each mail: whose mailbox, which folder.
    mails: BTreeMap<String, Vec<(String, Folder)>>,
    receipts: BTreeMap<SlotId, Receipt>,
    now: Timestamp,
    last: Date,
}

/// What the campaign knows.
pub(crate) struct Seen {
    /// What reached the bus.
    pub(crate) published: EventIds,
    /// The last day that must be closed.
    pub(crate) last: Date,
    /// What the schedule clock says.
    pub(crate) now: Timestamp,
}

/// Fails if anything is lost, stuck or doubled. A runner must run, for its API.
pub(crate) async fn audit(world: &World, accounts: &[Account], seen: Seen) {
    let Seen {
        published,
        last,
        now,
    } = seen;
    let mut books = Vec::new();
    for account in accounts {
        books.push(world.books(account.clone(), last).await);
    }
    let everything = Everything::new(books, last, now);
    let mut wrong = Vec::new();
    let letters = world.dead_letters().await;
    println!("dead letters: {letters:?}");
    let dead = letters.iter().filter(|(_, count)| *count != "0");
    wrong.extend(dead.map(|(queue, count)| format!("{count} dead letters in {queue}")));
    everything.mails_exist_once(&mut wrong);
    everything.days_are_closed(world.first_day, &mut wrong);
    for books in &everything.books {
        everything.slots_are_settled(books, &mut wrong);
        everything.receipts_are_true(books, &mut wrong);
        let progress = world.progress(books.account.id).await;
        Everything::figures_are_true(books, &progress, &mut wrong);
    }
    everything.events_left_once(&published, &mut wrong);
    everything.print_totals();
    let shown: Vec<_> = wrong.iter().take(SHOWN).map(String::as_str).collect();
    assert!(
        wrong.is_empty(),
        "{} things are wrong:\n{}",
        wrong.len(),
        shown.join("\n")
    );
}

impl Everything {
    fn new(books: Vec<Books>, last: Date, now: Timestamp) -> Self {
        let mut mails: BTreeMap<String, Vec<(String, Folder)>> = BTreeMap::new();
        for books in &books {
            for (folder, id) in &books.mails {
                let place = (books.account.email.as_str().to_owned(), *folder);
                mails.entry(id.clone()).or_default().push(place);
            }
        }
        let receipts = books.iter().flat_map(|books| &books.receipts);
        Self {
            receipts: receipts
                .map(|receipt| (receipt.slot, receipt.clone()))
                .collect(),
            mails,
            books,
            now,
            last,
        }
    }

    fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.books.iter().flat_map(|books| &books.slots)
    }

    fn print_totals(&self) {
        let mut states: BTreeMap<String, usize> = BTreeMap::new();
        for slot in self.slots() {
            let state = match &slot.state {
                SlotState::Skipped { reason, .. } => format!("skipped: {reason:?}"),
                SlotState::Accepted { .. } => "accepted".to_owned(),
                other => format!("{other:?}").chars().take(60).collect(),
            };
            *states.entry(state).or_default() += 1;
        }
        println!(
            "{} mails in {} mailboxes, {} receipts; slots: {states:#?}",
            self.mails.len(),
            self.books.len(),
            self.receipts.len()
        );
    }

    /// No mail is there twice, and each is of a slot that was accepted.
    fn mails_exist_once(&self, wrong: &mut Vec<String>) {
        let slots: BTreeMap<SlotId, &Slot> = self.slots().map(|slot| (slot.id, slot)).collect();
        for (id, places) in &self.mails {
            if places.len() > 1 {
                wrong.push(format!("mail {id} is in {places:?}"));
            }
            let slot = message_id::slot_of(id).and_then(|slot| slots.get(&slot));
            match slot {
                None => wrong.push(format!("mail {id} in {places:?} is of no slot")),
                Some(slot) if slot.message_id != *id => {
                    wrong.push(format!("mail {id} is called {}", slot.message_id));
                }
                Some(slot) if slot.state.accepted_at().is_none() => wrong.push(format!(
                    "mail {id} is in {places:?}, its slot is {:?}",
                    slot.state
                )),
                Some(_) => {}
            }
        }
        let ids: BTreeSet<_> = self.slots().map(|slot| &slot.message_id).collect();
        if ids.len() != self.slots().count() {
            wrong.push("two slots have one Message-ID".to_owned());
        }
    }

    /// Every planned mail of every day has a fate.
    fn days_are_closed(&self, first: Date, wrong: &mut Vec<String>) {
        for books in &self.books {
            let name = &books.account.email;
            let mut date = first;
            while date <= self.last {
                if !books.days.iter().any(|day| day.date == date && day.closed) {
                    wrong.push(format!("{date} of {name} is not closed"));
                }
                date = date.saturating_add(1.day());
            }
            for plan in &books.plans {
                let date = plan.span.date;
                for planned in &plan.slots {
                    if !books.slots.iter().any(|slot| slot.id == planned.id) {
                        wrong.push(format!("{date} of {name}: {} is lost", planned.id));
                    }
                }
                let booked = books.slots.iter().filter(|slot| slot.date == date);
                let sent = booked.filter(|slot| slot.state.accepted_at().is_some());
                if sent.count() > usize::try_from(plan.limit).unwrap() {
                    wrong.push(format!("{date} of {name}: more than {}", plan.limit));
                }
            }
        }
    }

    /// Nothing waits for nobody, and what was accepted is there.
    fn slots_are_settled(&self, books: &Books, wrong: &mut Vec<String>) {
        for slot in &books.slots {
            let (id, state) = (slot.id, &slot.state);
            let is_open = slot.date > self.last;
            let may_wait = is_open && !matches!(state, SlotState::Claimed { .. });
            if !state.is_final() && !may_wait {
                wrong.push(format!("slot {id} of {} is stuck: {state:?}", slot.date));
            }
            if state.accepted_at().is_none() {
                continue;
            }
            if !self.mails.contains_key(&slot.message_id) {
                wrong.push(format!("slot {id} is accepted, and its mail nowhere"));
            }
            if !self.receipts.contains_key(&id) {
                wrong.push(format!("slot {id} is accepted, and nobody received it"));
            }
            if let SlotKind::Reply { answers } = slot.kind {
                let answered = self.receipts.get(&answers);
                let reply = answered.and_then(|receipt| receipt.engagement.reply);
                if reply.is_none_or(|reply| reply.slot != id) {
                    wrong.push(format!("slot {id} is an answer that {answers} knows not"));
                }
            }
        }
    }

    /// Each receipt is of a mail that is there, and where it says; nothing is left to do with it that was due long ago.
    fn receipts_are_true(&self, books: &Books, wrong: &mut Vec<String>) {
        for receipt in &books.receipts {
            let id = receipt.slot;
            let slot = self.slots().find(|slot| slot.id == id);
            if slot.is_none_or(|slot| slot.state.accepted_at().is_none()) {
                let state = slot.map(|slot| &slot.state);
                wrong.push(format!("receipt {id} is of a slot that is {state:?}"));
            }
            let place = books.mails.iter().find(|(_, it)| *it == receipt.message_id);
            let folder = place.map(|(folder, _)| *folder);
            let due = engage::next_due(receipt, books.engaged_through);
            let expected = match due {
                None => Folder::Warmup,
                // Its reply moved after it was filed: it is due to be filed once more.
                Some(due) if due > receipt.engagement.file_at => continue,
                Some(_) => Folder::Inbox,
            };
            if folder != Some(expected) {
                wrong.push(format!(
                    "receipt {id} is due at {due:?}, the mail is in {folder:?}"
                ));
            }
            if due.is_some_and(|due| self.now.duration_since(due) > OVERDUE) {
                wrong.push(format!("receipt {id} waits since {due:?}"));
            }
            let reply = receipt.engagement.reply;
            let lost = reply.is_some_and(|reply| {
                self.now.duration_since(reply.at) > OVERDUE * 3
                    && !books.slots.iter().any(|slot| slot.id == reply.slot)
            });
            if lost {
                wrong.push(format!("receipt {id}: its answer {reply:?} is lost"));
            }
        }
    }

    /// Closed days say what slots and receipts say, and the API says what they say.
    fn figures_are_true(books: &Books, progress: &Value, wrong: &mut Vec<String>) {
        let count = |of: usize| u32::try_from(of).unwrap();
        for day in books.days.iter().filter(|day| day.closed) {
            let booked = books.slots.iter().filter(|slot| slot.date == day.date);
            let sent = booked.filter(|slot| slot.state.accepted_at().is_some());
            let found = books.receipts.iter().filter(|it| it.date == day.date);
            let counted = (count(sent.count()), count(found.count()));
            let booked = (day.figures.sent, day.figures.received);
            let shown = progress["dailyMetrics"].as_array().unwrap().iter();
            let shown = shown
                .filter(|it| it["date"] == day.date.to_string())
                .map(|it| (u64_of(it, "sent"), u64_of(it, "received")))
                .next();
            let expected = Some((u64::from(counted.0), u64::from(counted.1)));
            if booked != counted || shown != expected {
                wrong.push(format!(
                    "{} of {}: counted {counted:?}, booked {booked:?}, shown {shown:?}",
                    day.date, books.account.email
                ));
            }
        }
    }

    /// Each accepted mail was told of, however often, as one event, and no other was.
    fn events_left_once(&self, told: &EventIds, wrong: &mut Vec<String>) {
        for slot in self.slots() {
            let count = told.get(&slot.id.to_string()).map_or(0, BTreeSet::len);
            if count != usize::from(slot.state.accepted_at().is_some()) {
                wrong.push(format!(
                    "slot {} is {:?}, and was told of by {count} events",
                    slot.id, slot.state
                ));
            }
        }
    }
}

fn u64_of(value: &Value, name: &str) -> u64 {
    value[name].as_u64().unwrap_or(u64::MAX)
}
