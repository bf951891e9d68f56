//! From what a day used to what a mail costs.

use crate::prices::{Good, Prices};
use crate::usage::{Usage, What};

/// Looks of Lambda's pollers into one queue a day: five of them, each waiting up to 20 s for a message ("Using Lambda with Amazon SQS"; five
/// is where a mapping begins). AWS makes them whether there is mail or not.
const POLLS_OF_A_QUEUE: f64 = 5.0 * 3.0 * 24.0 * 60.0;

/// Queues that wake a function.
const QUEUES: f64 = 2.0;

/// Processes that hold a data key for an hour: as many sends and visits at once as the template's defaults allow.
const KEY_HOLDERS: f64 = 6.0;

/// Bytes that an invocation logs: Lambda's own start and report lines and one of the function's.
const LOG_BYTES: f64 = 1_000.0;

/// Bytes that leave AWS for each connection besides what is said in it: TLS's handshake, and the packets' headers.
const CONNECTION_BYTES: f64 = 3_000.0;

/// Seconds that an invocation takes longer where the mail servers are not on the same machine: ten round trips of 80 ms and a server
/// that thinks. The items of a batch are worked at side by side, so it is once for each.
const REMOTE_SECONDS: f64 = 1.0;

/// The functions that talk to mail servers.
const TALKERS: [&str; 2] = ["JobSendSlot", "JobInboxPoll"];

/// What is billed of a day.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bill {
    /// Mails of the day.
    pub(super) mails: f64,
    /// Amounts as they were metered, by what is paid for.
    pub(super) metered: Vec<(Good, f64)>,
    /// What AWS would ask for besides, on the same day: the reason and the amount.
    pub(super) besides: Vec<(&'static str, Good, f64)>,
}

impl Bill {
    /// The bill of a day in which the mails would have gone to the send function in so many batches on AWS.
    pub(crate) fn of(day: &Usage, batches: u64) -> Self {
        let mails = day.total(What::Mail);
        let metered = vec![
            (Good::WriteUnit, day.total(What::WriteUnits)),
            (Good::ReadUnit, day.total(What::ReadUnits)),
            (Good::SqsRequest, sqs_requests(day)),
            (Good::KmsCall, kms_calls(day)),
            (Good::Invocation, day.total(What::Invocation)),
            (Good::GigabyteSecond, day.total(What::GigabyteSeconds)),
            (Good::Event, day.total(What::Event)),
            (Good::TransferGigabyte, transfer(day)),
        ];
        Self {
            mails,
            metered,
            besides: besides(day, batches),
        }
    }

    /// What 1,000 mails cost in US dollars, as metered.
    pub(super) fn metered_price(&self, prices: &Prices) -> f64 {
        let costs = self.metered.iter();
        self.per_thousand(
            costs
                .map(|(good, amount)| prices.cost(*good, *amount))
                .sum(),
        )
    }

    /// What 1,000 mails cost in US dollars with all that AWS asks for besides.
    pub(crate) fn full_price(&self, prices: &Prices) -> f64 {
        let costs = self.besides.iter();
        let besides = costs.map(|(_, good, amount)| prices.cost(*good, *amount));
        self.metered_price(prices) + self.per_thousand(besides.sum())
    }

    /// [`Self::full_price`] without what the pollers ask when there is nothing: a fixed amount a day, which matters to a small deployment
    /// only.
    pub(super) fn price_without_idle_looks(&self, prices: &Prices) -> f64 {
        let looks = prices.cost(Good::SqsRequest, QUEUES * POLLS_OF_A_QUEUE);
        self.full_price(prices) - self.per_thousand(looks)
    }

    /// The share of 1,000 mails in an amount of the day.
    pub(super) fn per_thousand(&self, amount: f64) -> f64 {
        amount / self.mails * 1_000.0
    }
}

/// Requests to SQS: sends of functions, and receives and deletes of pollers that had something to do.
pub(crate) fn sqs_requests(day: &Usage) -> f64 {
    calls(day, "sqs:") + day.total(What::PollerCall)
}

/// Requests to KMS.
pub(crate) fn kms_calls(day: &Usage) -> f64 {
    calls(day, "kms:")
}

fn calls(day: &Usage, service: &str) -> f64 {
    day.of(What::Call)
        .filter(|(key, _)| key.detail.starts_with(service))
        .map(|(_, amount)| amount)
        .sum()
}

fn transfer(day: &Usage) -> f64 {
    let connections = day.total(What::ImapLogin) + day.total(What::SmtpConnection);
    (day.total(What::BytesOut) + connections * CONNECTION_BYTES) / 1e9
}

fn besides(day: &Usage, batches: u64) -> Vec<(&'static str, Good, f64)> {
    let of = |what, function: &str| -> f64 {
        let amounts = day.of(what).filter(|(key, _)| key.function == function);
        amounts.map(|(_, amount)| amount).sum()
    };
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    let more_batches = (batches as f64 - of(What::Invocation, "JobSendSlot")).max(0.0);
    let memory = |function: &str| {
        of(What::GigabyteSeconds, function) * 1_000.0 / of(What::BilledMillis, function).max(1.0)
    };
    let remote: f64 = TALKERS
        .iter()
        .map(|function| of(What::Invocation, function) * memory(function) * REMOTE_SECONDS)
        .sum();
    let invocations = day.total(What::Invocation) + more_batches;
    vec![
        (
            "pollers that look into empty queues",
            Good::SqsRequest,
            QUEUES * POLLS_OF_A_QUEUE,
        ),
        (
            "mails that come at their second: more batches",
            Good::Invocation,
            more_batches,
        ),
        (
            "… each received and deleted",
            Good::SqsRequest,
            2.0 * more_batches,
        ),
        (
            "mail servers that are far away: 1 s more for each batch",
            Good::GigabyteSecond,
            remote + more_batches * memory("JobSendSlot") * REMOTE_SECONDS,
        ),
        (
            "six processes that ask for the data key each hour",
            Good::KmsCall,
            (KEY_HOLDERS * 24.0 - kms_calls(day)).max(0.0),
        ),
        (
            "logs, 1 KB for each invocation",
            Good::LogGigabyte,
            invocations * LOG_BYTES / 1e9,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A day of 1,000 mails sent in 100 batches of a function of 256 MB.
    fn day() -> Usage {
        let mut day = Usage::default();
        day.add(What::Mail, "", "", 1_000.0);
        day.add(What::WriteUnits, "JobSendSlot", "slot", 6_000.0);
        day.add(What::Call, "JobSchedulerTick", "sqs:SendMessage", 100.0);
        day.add(What::Call, "JobSendSlot", "kms:Decrypt", 1.0);
        day.add(What::PollerCall, "SendQueue", "receive", 100.0);
        day.add(What::Invocation, "JobSendSlot", "", 100.0);
        day.add(What::BilledMillis, "JobSendSlot", "", 10_000.0);
        day.add(What::GigabyteSeconds, "JobSendSlot", "", 2.5);
        day
    }

    fn amount(bill: &Bill, reason: &str) -> f64 {
        let found = bill
            .besides
            .iter()
            .find(|(known, ..)| known.contains(reason));
        found.unwrap().2
    }

    #[test]
    fn a_bill_is_made_of_what_was_used() {
        let (bill, prices) = (Bill::of(&day(), 100), Prices::table());
        let metered =
            6_000.0 * 0.625e-6 + 200.0 * 0.4e-6 + 3e-6 + 100.0 * 0.2e-6 + 2.5 * 0.000_013_333_4;
        assert!((bill.metered_price(&prices) - metered).abs() < 1e-9);
        let (full, lean) = (
            bill.full_price(&prices),
            bill.price_without_idle_looks(&prices),
        );
        assert!(full > lean && lean > bill.metered_price(&prices));
        assert!((full - lean - 43_200.0 * 0.4e-6).abs() < 1e-9);
    }

    #[test]
    fn what_aws_asks_for_besides() {
        let bill = Bill::of(&day(), 300);
        assert_eq!(amount(&bill, "empty queues").to_string(), "43200");
        assert_eq!(amount(&bill, "more batches").to_string(), "200");
        // 300 batches at a quarter of a gigabyte, a second longer each.
        assert_eq!(amount(&bill, "far away").to_string(), "75");
        assert_eq!(amount(&bill, "data key").to_string(), "143");
    }
}
