//! The price of a warmup mail, from a metered day of many mailboxes over the full path of requests: real functions, mail servers, emulator.

mod arrivals;
pub(crate) mod bill;
mod published;
mod report;
mod servers;
mod world;

use bill::Bill;
use report::Report;
use tokio::time::Instant;
use world::Town;

use crate::gathering::Gathering;

/// How many mailboxes there are, unless `AGENTWARM_BENCH_MAILBOXES` says otherwise.
const MAILBOXES: u32 = 200;

/// When the metered day begins: a Wednesday, UTC.
const BEGIN: &str = "2026-03-11T00:00:00Z";

/// When it ends.
const END: &str = "2026-03-12T00:00:00Z";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a benchmark: `make bench`"]
async fn of_a_mail() {
    let mailboxes = mailboxes();
    let mut town = Town::begin("bench-cost", mailboxes).await;
    town.run_until(BEGIN).await;
    let (before, started) = (town.usage(), Instant::now());
    town.run_until(END).await;
    let took = started.elapsed();
    let day = town.usage().since(&before);
    let sends = Gathering::of(&crate::deployment::template(), "JobSendSlotTrigger");
    let bill = Bill::of(&day, arrivals::batches(&town.due().await, sends));
    let report = Report {
        mailboxes,
        day: &day,
        bill: &bill,
        took,
    };
    crate::document::write("Cost of a warmup mail", &report.text());
    town.end().await;
}

#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark's size is given from outside"
)]
fn mailboxes() -> u32 {
    let given = std::env::var("AGENTWARM_BENCH_MAILBOXES").ok();
    given.map_or(MAILBOXES, |given| given.parse().unwrap())
}
