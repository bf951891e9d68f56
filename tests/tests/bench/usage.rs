//! What was used so far, by function and detail: counters that only grow, so that a day is the difference of two readings.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use agentwarm_aws::metering::{Consumption, Meter};
use agentwarm_local::hosted::MeterOf;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    /// Mails that an SMTP server took.
    Mail,
    /// Write units of DynamoDB; the detail is the kind of item and the operation.
    WriteUnits,
    /// Read units of DynamoDB, likewise.
    ReadUnits,
    /// Calls to DynamoDB, likewise.
    StoreCall,
    /// Requests to AWS by functions; the detail is the action.
    Call,
    /// Requests to SQS by Lambda's pollers; the detail is queue and operation.
    PollerCall,
    /// Messages received, by queue.
    Message,
    /// Events published.
    Event,
    /// Invocations.
    Invocation,
    /// Their billed time, in milliseconds.
    BilledMillis,
    /// Their billed time multiplied with their memory, in GB-seconds.
    GigabyteSeconds,
    /// Logins at IMAP servers.
    ImapLogin,
    /// Connections to SMTP servers.
    SmtpConnection,
    /// Bytes sent to mail servers.
    BytesOut,
}

/// What an amount is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) what: What,
    /// The function's logical id, or nothing.
    pub(crate) function: String,
    pub(crate) detail: String,
}

/// A reading of all counters.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Usage(BTreeMap<Key, f64>);

impl Usage {
    /// Adds to one counter.
    pub(crate) fn add(&mut self, what: What, function: &str, detail: &str, amount: f64) {
        let key = Key {
            what,
            function: function.to_owned(),
            detail: detail.to_owned(),
        };
        *self.0.entry(key).or_default() += amount;
    }

    /// What was used since an earlier reading; what was not is left out.
    pub(crate) fn since(&self, before: &Self) -> Self {
        let differences = self.0.iter().map(|(key, amount)| {
            let earlier = before.0.get(key).copied().unwrap_or_default();
            (key.clone(), amount - earlier)
        });
        Self(differences.filter(|(_, amount)| *amount > 0.0).collect())
    }

    /// The sum of one kind over all functions.
    pub(crate) fn total(&self, what: What) -> f64 {
        self.of(what).map(|(_, amount)| amount).sum()
    }

    /// How often one operation of DynamoDB was called.
    pub(crate) fn calls(&self, operation: &str) -> f64 {
        let all = self.of(What::StoreCall);
        let of = all.filter(|(key, _)| key.detail.contains(operation));
        of.map(|(_, amount)| amount).sum()
    }

    /// The amounts of one kind.
    pub(crate) fn of(&self, what: What) -> impl Iterator<Item = (&Key, f64)> {
        self.entries().filter(move |(key, _)| key.what == what)
    }

    /// All amounts, in order.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&Key, f64)> {
        self.0.iter().map(|(key, amount)| (key, *amount))
    }
}

/// What functions consumed of DynamoDB so far.
#[derive(Clone, Default)]
pub(crate) struct Consumed(Arc<Mutex<Usage>>);

impl Consumed {
    /// Meters that report here.
    pub(crate) fn meters(&self) -> MeterOf {
        let consumed = self.clone();
        Arc::new(move |function: &str| {
            let (consumed, function) = (consumed.clone(), function.to_owned());
            Meter::new(move |call| consumed.note(&function, call))
        })
    }

    /// What was consumed so far.
    pub(crate) fn read(&self) -> Usage {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn note(&self, function: &str, call: Consumption) {
        let detail = format!("{} ({})", call.item, call.operation);
        let mut usage = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        usage.add(What::StoreCall, function, &detail, 1.0);
        usage.add(What::WriteUnits, function, &detail, call.write);
        usage.add(What::ReadUnits, function, &detail, call.read);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_the_difference_of_two_readings() {
        let mut before = Usage::default();
        before.add(What::WriteUnits, "F", "slot", 2.0);
        before.add(What::WriteUnits, "F", "idle", 1.0);
        let mut after = before.clone();
        after.add(What::WriteUnits, "F", "slot", 3.0);
        after.add(What::WriteUnits, "G", "receipt", 4.0);
        after.add(What::ReadUnits, "G", "receipt", 0.5);
        let day = after.since(&before);
        assert_eq!(day.total(What::WriteUnits).to_string(), "7");
        assert_eq!(day.of(What::WriteUnits).count(), 2);
    }
}
