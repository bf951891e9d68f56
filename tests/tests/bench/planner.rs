//! How many days of mailboxes the rules plan in a second.

use std::collections::BTreeMap;

use agentwarm_core::account::Account;
use agentwarm_core::ids::AccountId;
use agentwarm_core::plan::Plan;
use agentwarm_core::pool::PoolConfig;
use agentwarm_core::seed::Seed;
use agentwarm_core::warmup::day::DayFigures;
use agentwarm_core::warmup::partners::Candidate;
use agentwarm_core::warmup::planner::{PlanInput, plan_day};
use agentwarm_core::warmup::volume::PastDay;
use agentwarm_testkit::store_contract::fixtures;
use jiff::civil::{Date, date};
use jiff::{Timestamp, ToSpan};
use tokio::time::Instant;

use crate::table::{figure, table, wrapped};

/// Mailboxes of a pool: as many as a Pro user has.
const POOL: u32 = 50;

/// Days that are planned for each.
const DAYS: i32 = 60;

/// Days of a mailbox's past that the rules are given.
const MEMORY: usize = 7;

/// How many mailboxes are planned for. Each time is twice the one before, so that a time that is not linear shows.
const SIZES: [u32; 4] = [1_250, 2_500, 5_000, 10_000];

#[test]
#[ignore = "a benchmark: `make bench`"]
fn of_sixty_days() {
    let rows = SIZES.map(|mailboxes| {
        let started = Instant::now();
        let mails: usize = (0..mailboxes / POOL).map(sixty_days).sum();
        let seconds = started.elapsed().as_secs_f64();
        let days = f64::from(mailboxes) * f64::from(DAYS);
        [
            figure(f64::from(mailboxes)),
            figure(days),
            figure(f64::from(u32::try_from(mails).unwrap())),
            figure(seconds),
            figure(days / seconds),
            figure(seconds * 1e6 / days),
        ]
    });
    let head = [
        "mailboxes",
        "days planned",
        "mails planned",
        "seconds",
        "days per second",
        "µs per day",
    ];
    let text = format!(
        "`make bench`: {DAYS} days of each mailbox in pools of {POOL}, one thread, from the first day of the ramp on, with the past and the \
         partners' shares of the day as the store would give them; no store, no clock. Goal: 10,000 mailboxes × 60 days in 10 s, linear."
    );
    let body = format!("{}\n{}", wrapped(&text), table(head, rows));
    crate::document::write("Planner", &body);
}

/// Plans sixty days of one pool; how many mails that were.
fn sixty_days(pool: u32) -> usize {
    let user = fixtures::user(u128::from(pool));
    let mut members: Vec<Member> = (0..POOL).map(|n| Member::new(pool * POOL + n)).collect();
    for member in &mut members {
        member.account.user = user;
    }
    let (seed, config) = (Seed::root(b"bench"), PoolConfig::default());
    let first = date(2030, 3, 18);
    (0..DAYS)
        .map(|day| plan_pool(&mut members, first + day.days(), &seed, &config))
        .sum()
}

/// A mailbox and its past.
struct Member {
    account: Account,
    history: Vec<PastDay>,
    wrote_to: BTreeMap<AccountId, Timestamp>,
}

impl Member {
    fn new(number: u32) -> Self {
        let mut account = fixtures::account(fixtures::user(1), number);
        account.zone = agentwarm_core::time::Zone::utc();
        if let Some(warmup) = &mut account.warmup {
            warmup.phase = agentwarm_core::account::WarmupPhase::RampUp;
            warmup.day_number = 0;
            warmup.last_day = None;
            warmup.last_planned_start = None;
            warmup.last_planned_date = None;
            warmup.cooldown = None;
            warmup.reduced = false;
        }
        Self {
            account,
            history: Vec::new(),
            wrote_to: BTreeMap::new(),
        }
    }
}

/// Plans a day of a pool, one member after the other; how many mails that were.
fn plan_pool(members: &mut [Member], date: Date, seed: &Seed, config: &PoolConfig) -> usize {
    let two = date.at(2, 0, 0, 0);
    let now = jiff::tz::TimeZone::UTC.to_timestamp(two).unwrap();
    let mut received: BTreeMap<AccountId, u32> = BTreeMap::new();
    let mut mails = 0;
    for index in 0..members.len() {
        let sender = &members[index];
        let candidates: Vec<Candidate<'_>> = members
            .iter()
            .filter(|member| member.account.id != sender.account.id)
            .map(|member| candidate(member, sender, &received))
            .collect();
        let outcome = plan_day(&PlanInput {
            account: &sender.account,
            config,
            date,
            now,
            history: &sender.history,
            candidates: &candidates,
            plan: Plan::Pro,
            plan_allowance: Plan::Pro.limits().daily_emails_per_account,
            test_mode: None,
            seed,
        })
        .unwrap();
        mails += outcome.plan.slots.len();
        let sender = &mut members[index];
        for slot in &outcome.plan.slots {
            *received.entry(slot.target).or_default() += 1;
            sender.wrote_to.insert(slot.target, slot.at);
        }
        sender.account.warmup = Some(outcome.warmup);
        remember(sender, date, outcome.plan.limit);
    }
    mails
}

fn candidate<'a>(
    member: &'a Member,
    sender: &Member,
    received: &BTreeMap<AccountId, u32>,
) -> Candidate<'a> {
    let id = member.account.id;
    Candidate {
        account: id,
        domain: member.account.email.domain(),
        provider: member.account.provider,
        planned_received_today: received.get(&id).copied().unwrap_or_default(),
        last_sent_to: sender.wrote_to.get(&id).copied(),
    }
}

/// A day on which everything planned was sent becomes the past.
fn remember(member: &mut Member, date: Date, sent: u32) {
    if member.history.len() == MEMORY {
        member.history.remove(0);
    }
    member.history.push(PastDay {
        date,
        figures: DayFigures {
            sent,
            ..DayFigures::default()
        },
        since_resume: None,
        cut_short: false,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixty_days_are_a_ramp_of_a_whole_pool() {
        // Openings of 50 mailboxes on 43 working days, at 2 to 40 a day of which two in five are replies.
        let mails = sixty_days(0);
        assert!((20_000..40_000).contains(&mails), "{mails}");
    }
}
