//! Days of mailboxes that warm each other: what was planned, what was sent, what the mailboxes hold, and what the figures make of it must
//! be one story. What holds of every such story is here, so that a longer one is checked no less than a shorter one.
//!
//! A [`Story`] begins at one moment and on one date everywhere, and ends on a Sunday noon in UTC, a day and a half after its last mail. So
//! nothing is under way at its end, and every day on which anybody sent is closed.

pub(crate) mod figures;
pub(crate) mod mails;
pub(crate) mod plans;

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};
use serde_json::json;

use crate::books::Books;
use crate::findings::Findings;
use crate::imap::{self, Message};
use crate::world::Deployment;

/// When a story begins on its first day, in UTC: the same date in all zones from Santiago to Karachi.
const BEGIN: &str = "07:00:00Z";

/// It is weekend everywhere, and the last mails of Friday were found.
const WEEKEND: &str = "06:00:00Z";

/// It is weekend everywhere still, Sunday is planned, and Friday is closed.
const END: &str = "12:00:00Z";

/// Who warms whom, and how long.
pub(crate) struct Story {
    /// The deployment's name.
    pub(crate) name: &'static str,
    /// Addresses and time zones. No two zones are ever more than eight hours apart on a Monday: nobody writes on it before it has begun
    /// everywhere, so that the weekend parts all mails.
    pub(crate) mailboxes: &'static [(&'static str, &'static str)],
    /// The first day, everywhere.
    pub(crate) first_day: Date,
    /// How many days there are, the last one a Saturday.
    pub(crate) days: i32,
    /// The most that a mailbox may write to another one a day, where the default is too little for so few.
    pub(crate) per_partner: Option<u64>,
}

/// What became of it.
pub(crate) struct Course {
    /// The deployment that it happened in.
    pub(crate) deployment: Deployment,
    /// What the API says in the end about each mailbox.
    pub(crate) books: Vec<Books>,
    /// What the mailboxes held at each weekend.
    weeks: Vec<Week>,
}

/// A week's end.
pub(crate) struct Week {
    /// Its last day.
    sunday: Date,
    /// What the mailboxes hold then.
    mailboxes: Mailboxes,
}

/// What the mailboxes hold, by address.
pub(crate) type Mailboxes = BTreeMap<String, Vec<Message>>;

impl Story {
    /// Lets it happen.
    pub(crate) async fn happen(&self) -> Course {
        let begin = format!("{}T{BEGIN}", self.first_day);
        let mut deployment = Deployment::begin_at(self.name, &begin).await;
        let ids = self.connect_all(&deployment).await;
        let mut weeks = Vec::new();
        for saturday in self.saturdays() {
            let sunday = saturday.saturating_add(1.day());
            let is_last = sunday == self.first_day.saturating_add(self.days.days());
            let (on, at) = if is_last {
                (sunday, END)
            } else {
                (saturday, WEEKEND)
            };
            deployment.run_until(&format!("{on}T{at}")).await;
            let mailboxes = self.look_into_all().await;
            let mails = mailboxes.values().map(Vec::len).sum::<usize>();
            println!("{} to {sunday}: {mails} mails", self.name);
            weeks.push(Week { sunday, mailboxes });
        }
        let mut books = Vec::new();
        for id in &ids {
            books.push(Books::read(&deployment, id, self.first_day, self.days).await);
        }
        Course {
            deployment,
            books,
            weeks,
        }
    }

    fn saturdays(&self) -> Vec<Date> {
        let days = usize::try_from(self.days).unwrap();
        let days: Vec<_> = self.first_day.series(1.day()).take(days).collect();
        assert_eq!(days.last().unwrap().weekday(), Weekday::Saturday);
        let saturdays = days.into_iter();
        saturdays
            .filter(|day| day.weekday() == Weekday::Saturday)
            .collect()
    }

    /// Connects all, then starts all: who starts alone has nobody to write to.
    async fn connect_all(&self, deployment: &Deployment) -> Vec<String> {
        let mut ids = Vec::new();
        for &(address, zone) in self.mailboxes {
            let mut account = deployment.account(address);
            account["timezone"] = zone.into();
            ids.push(deployment.create(&account).await);
        }
        if let Some(mails) = self.per_partner {
            let config = json!({ "maxPerPartnerPerDay": mails });
            deployment.configure_default_pool(&config).await;
        }
        for id in &ids {
            deployment.start(id).await;
        }
        ids
    }

    async fn look_into_all(&self) -> Mailboxes {
        let mut mailboxes = Mailboxes::new();
        for (address, _) in self.mailboxes {
            mailboxes.insert((*address).to_owned(), imap::messages(address).await);
        }
        mailboxes
    }
}

impl Course {
    /// Everything that holds of any story, for each mailbox and day.
    pub(crate) fn adds_up(&self, wrong: &mut Findings) {
        let mailboxes = &self.weeks.last().unwrap().mailboxes;
        for mailbox in &self.books {
            plans::are_as_documented(mailbox, wrong);
            plans::are_carried_out(mailbox, wrong);
            figures::are_of_one_piece(mailbox, wrong);
        }
        mails::exist_once(mailboxes, wrong);
        mails::are_those_of_the_schedules(&self.books, mailboxes, wrong);
        figures::count_what_the_servers_did(&self.books, mailboxes, wrong);
        figures::count_what_the_mailboxes_show(&self.books, &self.weeks, wrong);
    }
}
