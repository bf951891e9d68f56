//! A plan's total at the claim: the accounts of a user together send no more on a UTC day than their plan allows (decision 10).
//!
//! Planning shares the total out among the accounts that warm at that moment; it cannot know who begins later, and an account's local day
//! is part of two UTC days. So each mail takes a place of the UTC day on which it leaves. A write for each would be a tenth of what a
//! mail costs: a process takes places in blocks, the smaller the fewer are left, and hands them out from its memory. What a process does not
//! use dies with it: fewer mails leave than might, never more. Users whose plan has no total cost nothing, and are not asked about.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use agentwarm_core::ids::UserId;
use agentwarm_core::time::Zone;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use crate::ports::StoreError;
use crate::ports::totals::{LetGo, SendTotals};

/// The most places that are taken at once.
const BLOCK: u32 = 20;

/// The part of what is left that is taken at once: so that many processes side by side leave little unused at the end.
const PART: u32 = 64;

/// How many places this process holds, by user and UTC day.
type Held = BTreeMap<(UserId, Date), u32>;

/// Hands out places.
#[derive(Clone)]
pub struct UserTotals {
    totals: Arc<dyn SendTotals>,
    held: Arc<Mutex<Held>>,
}

/// The place of one mail. It goes back to be used by another unless the mail left, or may have.
#[must_use = "a place that is dropped is free again"]
pub(super) struct Place {
    of: Option<(UserId, Date)>,
    held: Arc<Mutex<Held>>,
    is_used: bool,
}

impl UserTotals {
    /// From what `totals` lets go.
    pub fn new(totals: Arc<dyn SendTotals>) -> Self {
        Self {
            totals,
            held: Arc::default(),
        }
    }

    /// A place for a mail of `user` at `now`, where their plan allows `max` a day; `None` when all are taken. Where it allows any number
    /// there is always one.
    pub(super) async fn place(
        &self,
        user: UserId,
        max: Option<u32>,
        now: Timestamp,
    ) -> Result<Option<Place>, StoreError> {
        let of = (user, Zone::utc().date_of(now));
        let place = |of| Place {
            of,
            held: Arc::clone(&self.held),
            is_used: false,
        };
        let Some(max) = max else {
            return Ok(Some(place(None)));
        };
        let mut left = max;
        while !self.take_held(of) {
            let count = block(left);
            if count == 0 {
                return Ok(None);
            }
            match self.totals.let_go(of.0, of.1, count, max).await? {
                LetGo::Yes { .. } => self.hold(of, count),
                // Others were faster: there are fewer left each time that this happens.
                LetGo::No { total } => left = max.saturating_sub(total).min(left - 1),
            }
        }
        Ok(Some(place(Some(of))))
    }

    fn take_held(&self, of: (UserId, Date)) -> bool {
        let mut held = lock(&self.held);
        let Some(places) = held.get_mut(&of).filter(|places| **places > 0) else {
            return false;
        };
        *places -= 1;
        true
    }

    fn hold(&self, of: (UserId, Date), count: u32) {
        let mut held = lock(&self.held);
        // A mail that is late by more than a day is skipped by its working hours: nobody asks for an earlier day's places.
        held.retain(|(_, date), _| date.saturating_add(1.day()) >= of.1);
        *held.entry(of).or_default() += count;
    }
}

impl Place {
    /// The mail is about to be given to a server: from here on it may have left, also where we are cut off before the server's answer.
    pub(super) const fn used(&mut self) {
        self.is_used = true;
    }

    /// The server did not take the mail.
    pub(super) fn give_back(mut self) {
        self.is_used = false;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(of) = self.of.filter(|_| !self.is_used) {
            *lock(&self.held).entry(of).or_default() += 1;
        }
    }
}

/// How many places are taken at once when `left` are left.
fn block(left: u32) -> u32 {
    (left / PART).clamp(1, BLOCK).min(left)
}

fn lock(held: &Mutex<Held>) -> std::sync::MutexGuard<'_, Held> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use async_trait::async_trait;

    use super::*;

    /// One user and day.
    #[derive(Default)]
    struct Counter {
        total: AtomicU32,
        asked: AtomicU32,
    }

    #[async_trait]
    impl SendTotals for Counter {
        async fn let_go(
            &self,
            _: UserId,
            _: Date,
            count: u32,
            max: u32,
        ) -> Result<LetGo, StoreError> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let total = self.total.load(Ordering::Relaxed);
            if total + count > max {
                return Ok(LetGo::No { total });
            }
            let total = total + count;
            self.total.store(total, Ordering::Relaxed);
            Ok(LetGo::Yes { total })
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn user() -> UserId {
        UserId::new(at("2026-01-01T00:00:00Z"), 1)
    }

    const NOON: &str = "2026-03-13T12:00:00Z";

    async fn place(totals: &UserTotals, max: Option<u32>, now: &str) -> Option<Place> {
        totals.place(user(), max, at(now)).await.unwrap()
    }

    #[tokio::test]
    async fn exactly_so_many_leave_for_few_questions_whatever_processes_there_are() {
        let counter = Arc::new(Counter::default());
        let processes: Vec<_> = (0..3).map(|_| UserTotals::new(counter.clone())).collect();
        let mut left = 0;
        for n in 0..60_000 {
            if let Some(mut place) = place(&processes[n % 3], Some(50_000), NOON).await {
                place.used();
                left += 1;
            }
        }
        assert_eq!(left, 50_000);
        let while_some_were_left = counter.asked.load(Ordering::Relaxed) - 10_000;
        assert!(while_some_were_left < 3_000, "{while_some_were_left}");
    }

    #[tokio::test]
    async fn processes_that_die_young_take_some_with_them_and_add_none() {
        let counter = Arc::new(Counter::default());
        let mut left = 0;
        // Each lives for ten mails.
        for _ in 0..10_000 {
            let process = UserTotals::new(counter.clone());
            for _ in 0..10 {
                if let Some(mut place) = place(&process, Some(1_000), NOON).await {
                    place.used();
                    left += 1;
                }
            }
        }
        assert!((600..=1_000).contains(&left), "{left}");
    }

    #[tokio::test]
    async fn the_place_of_a_mail_that_did_not_leave_is_anothers() {
        let totals = UserTotals::new(Arc::new(Counter::default()));
        let first = place(&totals, Some(1), NOON).await;
        assert!(place(&totals, Some(1), NOON).await.is_none());
        drop(first);
        let mut refused = place(&totals, Some(1), NOON).await.unwrap();
        refused.used();
        refused.give_back();
        let mut cut_off = place(&totals, Some(1), NOON).await.unwrap();
        cut_off.used();
        drop(cut_off);
        assert!(place(&totals, Some(1), NOON).await.is_none());
    }

    #[tokio::test]
    async fn where_there_is_no_total_nobody_is_asked() {
        let counter = Arc::new(Counter::default());
        let totals = UserTotals::new(counter.clone());
        for _ in 0..10 {
            place(&totals, None, NOON).await.unwrap().used();
        }
        assert_eq!(counter.asked.load(Ordering::Relaxed), 0);
    }
}
