//! What a reader sees of the metered day.

use std::collections::BTreeMap;
use std::time::Duration;

use super::bill::{Bill, kms_calls, sqs_requests};
use crate::breakdown::breakdown;
use crate::prices::Prices;
use crate::table::{figure, table, wrapped};
use crate::usage::{Usage, What};

/// How the figures come about.
const HOW_COUNTED: &str = "How it is counted. Write units are those that the emulator reports for each call (no table has an index), with writes whose condition \
     failed; read units are reckoned from the sizes of what was looked at, since the emulator does not. SQS requests are the functions' sends, \
     and the receives and deletes of the runner's pollers that had something to do; a message that fails is not released by a request on AWS. \
     KMS calls are those of one process for each function. Streams are read by Lambda for nothing. Logins and connections come from the \
     servers' logs. Durations are those of this machine with servers beside it, all functions in one process on its cores; Lambda's share of a \
     processor at 256 or 512 MB is smaller. *Besides* stands what the same day would cost on AWS more, as it is reckoned in \
     `tests/tests/bench/cost/bill.rs`; the pollers' share is fixed and shrinks with the number of mailboxes; the fan-out's batches hold a \
     minute's records, as there. Not counted: storage (a mail leaves some 2 KB for 400 days), backups, alarms, \
     the KMS key ($1 a month), API requests.";

/// The metered day.
pub(super) struct Report<'a> {
    /// Mailboxes.
    pub(super) mailboxes: u32,
    /// What the day used.
    pub(super) day: &'a Usage,
    /// Its bill.
    pub(super) bill: &'a Bill,
    /// How long it took.
    pub(super) took: Duration,
}

impl Report<'_> {
    /// The section.
    pub(super) fn text(&self) -> String {
        let prices = Prices::table();
        [
            self.head(),
            self.goals(&prices),
            self.priced(&prices),
            "What each function uses, per mail:\n".to_owned(),
            self.functions(),
            "Write units per mail, by function and item:\n".to_owned(),
            breakdown(self.day, What::WriteUnits, self.bill.mails),
            "Read units per mail, likewise:\n".to_owned(),
            breakdown(self.day, What::ReadUnits, self.bill.mails),
            wrapped(HOW_COUNTED),
        ]
        .join("\n")
    }

    fn head(&self) -> String {
        let text = format!(
            "`make bench`: {} mailboxes of Pro users at 40 mails a day each, one virtual day (UTC midnight to midnight, a Wednesday) of the \
             real functions with their own permissions, dovecot and postfix, and the emulator. {} mails, {} s of real time. It is the first \
             day of these mailboxes' warmup, so it holds one planning and no judgement of a day of forty mails.",
            self.mailboxes,
            figure(self.bill.mails),
            self.took.as_secs(),
        );
        wrapped(&text)
    }

    fn goals(&self, prices: &Prices) -> String {
        let day = self.day;
        let per_mail = |amount: f64| figure(amount / self.bill.mails);
        let row =
            |name: &str, figure: String, goal: &str| [name.to_owned(), figure, goal.to_owned()];
        table(
            ["per mail", "measured", "goal"],
            [
                row("write units", per_mail(day.total(What::WriteUnits)), "≤ 6"),
                row("read units", per_mail(day.total(What::ReadUnits)), "≤ 1.5"),
                row("SQS requests", per_mail(sqs_requests(day)), "≤ 0.5"),
                row("KMS calls", per_mail(kms_calls(day)), "≤ 0.1"),
                row(
                    "invocations",
                    per_mail(day.total(What::Invocation)),
                    "≤ 0.25",
                ),
                row("IMAP logins", per_mail(day.total(What::ImapLogin)), "≤ 2"),
                row(
                    "SMTP connections",
                    per_mail(day.total(What::SmtpConnection)),
                    "–",
                ),
                row("scans", per_mail(day.calls("Scan")), "0"),
                row(
                    "transactions",
                    per_mail(day.calls("TransactWriteItems")),
                    "0",
                ),
                row("events on the bus", per_mail(day.total(What::Event)), "–"),
                row(
                    "price of 1,000 mails, as metered",
                    dollars(self.bill.metered_price(prices)),
                    "≤ $0.010",
                ),
                row(
                    "… with what AWS asks for besides, without looks into empty queues",
                    dollars(self.bill.price_without_idle_looks(prices)),
                    "≤ $0.010",
                ),
                row(
                    "price of 1,000 mails, all in",
                    dollars(self.bill.full_price(prices)),
                    "≤ $0.010",
                ),
            ],
        )
    }

    fn priced(&self, prices: &Prices) -> String {
        let row = |what: String, good, amount: f64| {
            let price = self.bill.per_thousand(prices.cost(good, amount));
            [what, figure(self.bill.per_thousand(amount)), dollars(price)]
        };
        let metered = self.bill.metered.iter();
        let metered =
            metered.map(|(good, amount)| row(prices.of(*good).of.clone(), *good, *amount));
        let besides = self.bill.besides.iter();
        let besides = besides
            .map(|(reason, good, amount)| row(format!("*besides:* {reason}"), *good, *amount));
        let text = format!(
            "Prices of {}. {} The table, with the vendor's pages: `tests/tests/bench/prices.json`.",
            prices.region, prices.note
        );
        format!(
            "{}\n{}",
            wrapped(&text),
            table(["1,000 mails", "amount", "price"], metered.chain(besides)),
        )
    }

    fn functions(&self) -> String {
        let names: BTreeMap<&str, f64> = self
            .day
            .of(What::Invocation)
            .map(|(key, count)| (key.function.as_str(), count))
            .collect();
        let of = |what, function: &str| -> f64 {
            let amounts = self
                .day
                .of(what)
                .filter(|(key, _)| key.function == function);
            amounts.map(|(_, amount)| amount).sum()
        };
        let rows = names.iter().map(|(function, count)| {
            let per_mail = |what| figure(of(what, function) / self.bill.mails);
            [
                (*function).to_owned(),
                per_mail(What::WriteUnits),
                per_mail(What::ReadUnits),
                per_mail(What::StoreCall),
                per_mail(What::Invocation),
                figure(of(What::BilledMillis, function) / count),
            ]
        });
        table(
            [
                "function",
                "write units",
                "read units",
                "calls to DynamoDB",
                "invocations",
                "ms each",
            ],
            rows,
        )
    }
}

fn dollars(price: f64) -> String {
    format!("${price:.5}")
}
