//! A virtual day of many mailboxes on the metered ports in memory: what the emulator is too slow for.

mod report;
mod town;
mod triggers;

use std::time::Duration;

use tokio::time::Instant;

use town::{Day, Size, Town};

/// When the metered day begins: a Wednesday, UTC.
const BEGIN: &str = "2026-03-11T00:00:00Z";

/// When it ends.
const END: &str = "2026-03-12T00:00:00Z";

/// When no tick runs, where that is what is looked at.
const OUTAGE: (&str, &str) = ("2026-03-11T12:00:00Z", "2026-03-11T13:00:00Z");

/// As the metered day on the emulator, to be compared with.
const SMALL: Size = Size {
    mailboxes: 200,
    users: 4,
    concurrency: 3,
};

const MIDDLE: Size = Size {
    mailboxes: 1_000,
    users: 300,
    concurrency: 3,
};

const LARGE: Size = Size {
    mailboxes: 10_000,
    users: 304,
    concurrency: 10,
};

/// A day, and what it took.
struct Metered {
    size: Size,
    day: Day,
    took: Duration,
}

#[tokio::test]
#[ignore = "a benchmark: `make bench`"]
async fn of_a_day() {
    let mut days = Vec::new();
    for size in [SMALL, MIDDLE, LARGE] {
        days.push(metered(size, None).await);
    }
    let outage = metered(LARGE, Some(OUTAGE)).await;
    crate::document::write("Many mailboxes", &report::text(&days, &outage));
}

async fn metered(size: Size, outage: Option<(&str, &str)>) -> Metered {
    let started = Instant::now();
    let mut town = Town::settled(size, &crate::deployment::template()).await;
    if let Some((from, to)) = outage {
        town = town.without_ticks(from, to);
    }
    town.run_until(BEGIN).await;
    town.begin_counting();
    town.run_until(END).await;
    let (day, took) = (town.day(), started.elapsed());
    println!("{size:?}: {:?}, {} s", day.summary(), took.as_secs());
    Metered { size, day, took }
}
