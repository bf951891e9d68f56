//! Each minute: hand out what is due, plan the days that begin.
//!
//! The event brings nothing but the time. What is due lies in the index, what was handed out before says the watermark, so a tick that is
//! missed, late or doubled changes nothing: the next one covers everything since. The watermark moves last; a tick that dies hands the same
//! out again, which the claims and receipts absorb.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};

use agentwarm_core::ids::{AccountId, UserId};
use agentwarm_core::time::{DaySpan, around, shifted};
use agentwarm_core::warmup::day::{DayPlan, Window};
use agentwarm_core::warmup::due::{
    self, DueEntry, DueKind, DueSend, HandOut, RestOfDay, spread_missed,
};
use agentwarm_core::warmup::planner::account_seed;

use super::planning::Planning;
use super::{EngineError, deployment_seed, file};
use crate::ports::clock::Clock;
use crate::ports::days::{AccountRef, Plans};
use crate::ports::due::{DueIndex, Roster, Shards};
use crate::ports::queue::{SendOrder, SendQueue, VisitOrder, VisitQueue};

/// How many days are planned side by side.
const PLANS_AT_ONCE: usize = 8;

/// How many days a tick plans at most. A plan is some 35 calls of the store, one after the other: at 10 ms each, which is slow, and
/// [`PLANS_AT_ONCE`] side by side these take 22 s of the 55 that a tick has. A tick that were cut off would move no watermark, and each that
/// followed would begin with all of it again. In the hours in which days are planned so many a minute are 100,000 mailboxes of one zone: only
/// after an outage are there more.
pub const MOST_PLANS: usize = 500;

/// How far back a first tick looks, when there is no watermark yet.
const FIRST_LOOKBACK: SignedDuration = SignedDuration::from_mins(10);

/// The ports of this step.
pub struct Ticking {
    /// What is due.
    pub due: Arc<dyn DueIndex>,
    /// Whose mailbox has its turn.
    pub roster: Arc<dyn Roster>,
    /// Mails to send.
    pub sends: Arc<dyn SendQueue>,
    /// Mailboxes to look into.
    pub visits: Arc<dyn VisitQueue>,
    /// The hours of days that were interrupted.
    pub plans: Arc<dyn Plans>,
    /// New days.
    pub planning: Planning,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The index's partitions.
    pub shards: Shards,
    /// How many days a tick plans at most ([`MOST_PLANS`]).
    pub most_plans: usize,
    /// Whether the queues delay: mails are then handed out a minute ahead, to the second; else when they are due.
    pub queue_delays: bool,
}

/// What a tick did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ticked {
    /// Mails handed out.
    pub sends: usize,
    /// Mails of an outage that got new instants.
    pub moved: usize,
    /// Mailboxes handed out.
    pub visits: usize,
    /// Days planned.
    pub plans: usize,
    /// The longest that a mail was late when it came up, in seconds: one of an outage too, whatever became of it.
    pub lateness_seconds: i64,
}

impl Ticking {
    /// One tick.
    pub async fn tick(&self) -> Result<Ticked, EngineError> {
        let now = self.clock.schedule();
        let ahead = if self.queue_delays {
            due::HORIZON_SECONDS
        } else {
            0
        };
        let mut hand_out = HandOut::default();
        let mut give_way = Vec::new();
        let mut watermarks = BTreeMap::new();
        for shard in 0..self.shards.0.max(1) {
            let first = shifted(now, -FIRST_LOOKBACK.as_secs());
            let watermark = self.due.watermark(shard).await?.unwrap_or(first);
            let until = shifted(now, ahead + due::NEIGHBOURHOOD_SECONDS);
            let entries = self
                .due
                .between(shard, due::read_from(watermark, now), until)
                .await?;
            let mut part = due::select(&entries, watermark, now, ahead);
            let apart = due::keep_apart(&part.sends, &entries, now);
            part.sends = apart.kept;
            give_way.extend(apart.moved);
            hand_out.absorb(part);
            watermarks.insert(
                shard,
                (watermark, due::next_watermark(watermark, now, ahead)),
            );
        }
        // The watermark lies `ahead` of the tick that set it; the roster does not look ahead.
        let oldest = watermarks
            .values()
            .map(|(before, _)| *before)
            .min()
            .unwrap_or(now);
        let since = shifted(oldest, -ahead);
        self.add_roster(&mut hand_out, since, now).await?;
        file(
            self.due.as_ref(),
            &give_way.iter().map(at_instant).collect::<Vec<_>>(),
            now,
        )
        .await?;
        let ticked = self.hand_out(&hand_out, now).await?;
        for (shard, (_, after)) in watermarks {
            self.due.advance(shard, after).await?;
        }
        Ok(ticked)
    }

    /// What is on time goes first. What an outage made late comes last: it is spread over days that may have to be planned before.
    async fn hand_out(&self, hand_out: &HandOut, now: Timestamp) -> Result<Ticked, EngineError> {
        let sends: Vec<_> = hand_out
            .sends
            .iter()
            .map(|send| (order(send), delay(send)))
            .collect();
        if !sends.is_empty() {
            self.sends.send(&sends).await?;
        }
        let visits: Vec<_> = hand_out
            .visits
            .iter()
            .map(|(&account, visit)| VisitOrder {
                user: visit.user,
                account,
                expected: visit.expected.iter().copied().collect(),
                look_anyway: visit.look_anyway,
                sums_up: visit.sums_up,
            })
            .collect();
        if !visits.is_empty() {
            self.visits.visit(&visits).await?;
        }
        let plans = self.plan(&hand_out.plans, now).await?;
        let moved = self.catch_up(&hand_out.missed, now).await?;
        let lateness = hand_out
            .sends
            .iter()
            .chain(&hand_out.missed)
            .map(|send| now.duration_since(send.due).as_secs())
            .max();
        Ok(Ticked {
            sends: sends.len(),
            moved,
            visits: visits.len(),
            plans,
            lateness_seconds: lateness.unwrap_or(0).max(0),
        })
    }

    /// Adds the mailboxes whose turn it is in each minute since the last tick; after an outage each once.
    async fn add_roster(
        &self,
        hand_out: &mut HandOut,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<(), EngineError> {
        for minute in minutes_of_hour(since.min(now), now) {
            for entry in self.roster.of_minute(minute, now).await? {
                let mut turn = HandOut::default();
                let visit = due::DueVisit {
                    user: entry.user,
                    expected: [].into(),
                    look_anyway: true,
                    sums_up: entry.sums_up(now),
                };
                turn.visits.insert(entry.account, visit);
                hand_out.absorb(turn);
            }
        }
        Ok(())
    }

    /// Spreads what an outage made late over what is left of its day. What no longer fits comes up when the day's hours are over, what is
    /// of a day that is over is handed out as it is: its claim says so in the slot, or moves the answer.
    async fn catch_up(&self, missed: &[DueSend], now: Timestamp) -> Result<usize, EngineError> {
        let mut by_sender: BTreeMap<(UserId, AccountId), Vec<DueSend>> = BTreeMap::new();
        for send in missed {
            by_sender
                .entry((send.user, send.sender))
                .or_default()
                .push(*send);
        }
        let mut moved = Vec::new();
        let mut late = Vec::new();
        for ((user, account), sends) in by_sender {
            let owner = AccountRef { user, account };
            let Some(rest) = self.rest_of_day(owner, now).await? else {
                late.extend(sends);
                continue;
            };
            let (today, before): (Vec<_>, Vec<_>) = sends
                .into_iter()
                .partition(|send| rest.day.contains(send.due));
            late.extend(before);
            moved.extend(rest.spread(&today, account, now));
        }
        if !moved.is_empty() {
            tracing::warn!(
                moved = moved.len(),
                late = late.len(),
                "mails missed in an outage are spread anew"
            );
            let entries: Vec<_> = moved.iter().map(at_instant).collect();
            file(self.due.as_ref(), &entries, now).await?;
        }
        if !late.is_empty() {
            let orders: Vec<_> = late
                .iter()
                .map(|send| (order(send), SignedDuration::ZERO))
                .collect();
            self.sends.send(&orders).await?;
        }
        Ok(moved.len())
    }

    /// What is left of an account's day; `None` when its hours are over or it was never planned. The day that runs is the one that its plan
    /// says: an account that changed its zone today has it under a neighbouring date.
    async fn rest_of_day(
        &self,
        owner: AccountRef,
        now: Timestamp,
    ) -> Result<Option<Rest>, EngineError> {
        let Some(zone) = self.planning.zone_of(owner).await? else {
            return Ok(None);
        };
        let mut before_its_hours = None;
        for date in around(zone.date_of(now)) {
            let plan = self.plans.plan(owner, date).await?;
            match plan.and_then(|plan| Rest::of(&plan, now)) {
                Some(rest) if rest.window.contains(now) => return Ok(Some(rest)),
                rest => before_its_hours = before_its_hours.or(rest),
            }
        }
        Ok(before_its_hours)
    }

    /// Plans the days that begin, as many as there is time for; the others are filed for the next ticks before, so that none is lost if this
    /// one is cut off. One that fails is logged and filed for the next tick, so that it holds up no other.
    async fn plan(
        &self,
        plans: &BTreeMap<AccountId, UserId>,
        now: Timestamp,
    ) -> Result<usize, EngineError> {
        let turns = due::in_turns(plans, self.most_plans, now);
        if !turns.later.is_empty() {
            tracing::warn!(
                later = turns.later.len(),
                "more days begin than a tick can plan; the next ticks plan the others"
            );
            file(self.due.as_ref(), &turns.later, now).await?;
        }
        let owners: Vec<_> = turns
            .now
            .iter()
            .map(|(&account, &user)| AccountRef { user, account })
            .collect();
        let results: Vec<_> = futures::stream::iter(owners)
            .map(|owner| async move { (owner, self.planning.plan_next(owner).await) })
            .buffer_unordered(PLANS_AT_ONCE)
            .collect()
            .await;
        let mut planned = 0;
        for (owner, result) in results {
            match result {
                Ok(()) => planned += 1,
                Err(error) => {
                    // The template's metric filters count this line.
                    tracing::error!(account = %owner.account, error = &error as &dyn std::error::Error, "the day could not be planned; trying again");
                    let entry = DueEntry {
                        at: self.clock.schedule(),
                        user: owner.user,
                        kind: DueKind::Plan {
                            account: owner.account,
                        },
                    };
                    file(self.due.as_ref(), &[entry], entry.at).await?;
                }
            }
        }
        Ok(planned)
    }
}

/// What is left of a day that was interrupted.
struct Rest {
    day: DaySpan,
    window: Window,
    /// How many mails the whole day has.
    planned: u32,
    /// When those still to come are due.
    upcoming: Vec<Timestamp>,
}

impl Rest {
    /// What is left of the day of `plan`, if `now` lies in it and its hours are not over.
    fn of(plan: &DayPlan, now: Timestamp) -> Option<Self> {
        let window = plan.window.filter(|window| now < window.end)?;
        let is_running = plan.span.contains(now) || window.contains(now);
        is_running.then(|| Self {
            day: plan.span,
            window,
            planned: plan.limit,
            upcoming: plan
                .slots
                .iter()
                .map(|slot| slot.at)
                .filter(|at| *at > now)
                .collect(),
        })
    }

    /// When the missed mails of `account` come up instead: spread over the hours left, or when they are over.
    fn spread(
        &self,
        missed: &[DueSend],
        account: AccountId,
        now: Timestamp,
    ) -> Vec<(DueSend, Timestamp)> {
        let rest = RestOfDay {
            window: self.window,
            planned: self.planned,
            upcoming: &self.upcoming,
        };
        let seed = account_seed(&deployment_seed(), account);
        let spread = spread_missed(missed, &rest, now, &seed);
        let skipped = spread
            .skipped
            .into_iter()
            .map(|(send, _)| (send, self.window.end));
        spread.moved.into_iter().chain(skipped).collect()
    }
}

fn order(send: &DueSend) -> SendOrder {
    SendOrder {
        user: send.user,
        sender: send.sender,
        slot: send.slot,
        target: send.target,
        kind: send.slot_kind,
        due: send.due,
    }
}

/// A send that goes back into the index.
fn at_instant((send, at): &(DueSend, Timestamp)) -> DueEntry {
    DueEntry {
        at: *at,
        user: send.user,
        kind: DueKind::Send {
            sender: send.sender,
            slot: send.slot,
            target: send.target,
            slot_kind: send.slot_kind,
        },
    }
}

fn delay(send: &DueSend) -> SignedDuration {
    SignedDuration::from_secs(i64::from(send.delay_seconds))
}

/// The minutes of the hour that begin in `(since, now]`, each once.
fn minutes_of_hour(since: Timestamp, now: Timestamp) -> Vec<u8> {
    let minute = |at: Timestamp| at.as_second().div_euclid(60);
    let (first, last) = (minute(since) + 1, minute(now));
    let mut minutes: Vec<_> = (first.max(last - 59)..=last)
        .filter_map(|minute| u8::try_from(minute.rem_euclid(60)).ok())
        .collect();
    minutes.sort_unstable();
    minutes.dedup();
    minutes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_roster_turns_once_per_minute_and_at_most_once_round() {
        assert_eq!(
            minutes_of_hour(at("2026-03-13T09:58:10Z"), at("2026-03-13T09:59:10Z")),
            [59]
        );
        assert_eq!(
            minutes_of_hour(at("2026-03-13T09:58:10Z"), at("2026-03-13T10:01:00Z")),
            [0, 1, 59]
        );
        assert!(minutes_of_hour(at("2026-03-13T09:58:10Z"), at("2026-03-13T09:58:50Z")).is_empty());
        assert_eq!(
            minutes_of_hour(at("2026-03-12T09:58:10Z"), at("2026-03-13T09:58:50Z")).len(),
            60
        );
    }
}
