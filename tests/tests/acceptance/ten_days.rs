//! Ten days of six mailboxes on three domains from Santiago to Karachi, a weekend, a change to daylight saving and a spam filter among them:
//! what was planned, what was sent, what the mailboxes hold, and what the figures make of it must be one story.
//!
//! It begins on a Thursday and ends when it is Sunday noon in UTC, ten planned days later and a day and a half after the last mail. So
//! nothing is under way at its end, and every day on which anybody sent is closed.

mod figures;
mod mails;
mod plans;

use std::collections::BTreeMap;

use jiff::civil::{Date, date};

use crate::books::Books;
use crate::findings::Findings;
use crate::imap::{self, Message};
use crate::world::Deployment;

/// Two on each domain. Berlin and London lose an hour on the first Sunday, Santiago gains one on the second. No two are more than eight hours
/// apart on the first Monday: nobody writes on it before it has begun everywhere, so that the weekend parts all mails.
const MAILBOXES: [(&str, &str); 6] = [
    ("w131@acorn.test", "America/Santiago"),
    ("w132@acorn.test", "Europe/Berlin"),
    ("w133@birch.test", "Asia/Tehran"),
    ("w134@birch.test", "Europe/London"),
    ("w135@cedar.test", "America/Sao_Paulo"),
    ("w136@cedar.test", "Asia/Karachi"),
];

const DAYS: i32 = 10;

/// The first day, everywhere.
const BEGIN: &str = "2026-03-26T07:00:00Z";
const FIRST_DAY: Date = date(2026, 3, 26);

/// It is weekend everywhere, and the last mails of Friday were found.
const WEEKEND: &str = "2026-03-28T06:00:00Z";
const LAST_DAY_OF_FIRST_WEEK: Date = date(2026, 3, 29);

const END: &str = "2026-04-05T12:00:00Z";

/// What the mailboxes hold, by address.
type Mailboxes = BTreeMap<String, Vec<Message>>;

#[tokio::test(flavor = "multi_thread")]
async fn ten_days_add_up() {
    let mut deployment = Deployment::begin_at("accept-ten-days", BEGIN).await;
    let ids = connect_all(&deployment).await;
    deployment.run_until(WEEKEND).await;
    let first_week = look_into_all().await;
    deployment.run_until(END).await;
    let mailboxes = look_into_all().await;
    let mut books = Vec::new();
    for id in &ids {
        books.push(Books::read(&deployment, id, FIRST_DAY, DAYS).await);
    }

    let mut wrong = Findings::default();
    for mailbox in &books {
        plans::are_as_documented(mailbox, &mut wrong);
        plans::are_carried_out(mailbox, &mut wrong);
        figures::are_of_one_piece(mailbox, &mut wrong);
    }
    mails::exist_once(&mailboxes, &mut wrong);
    mails::are_those_of_the_schedules(&books, &mailboxes, &mut wrong);
    figures::count_what_the_servers_did(&books, &mailboxes, &mut wrong);
    figures::count_what_the_mailboxes_show(&books, &first_week, &mailboxes, &mut wrong);
    wrong.none();
    deployment.end().await;
}

/// Connects all, then starts all: who starts alone has nobody to write to.
async fn connect_all(deployment: &Deployment) -> Vec<String> {
    let mut ids = Vec::new();
    for (address, zone) in MAILBOXES {
        let mut account = deployment.account(address);
        account["timezone"] = zone.into();
        ids.push(deployment.create(&account).await);
    }
    for id in &ids {
        deployment.start(id).await;
    }
    ids
}

async fn look_into_all() -> Mailboxes {
    let mut mailboxes = Mailboxes::new();
    for (address, _) in MAILBOXES {
        mailboxes.insert(address.to_owned(), imap::messages(address).await);
    }
    mailboxes
}
