//! Planned days, their running rows, and the pools' ledger.

use std::collections::BTreeMap;

use agentwarm_app::ports::days::{AccountRef, DayRow, PlannedMails};
use agentwarm_app::ports::{Created, Replaced};
use agentwarm_core::ids::{AccountId, SlotId};
use agentwarm_core::rate::Score;
use agentwarm_core::warmup::day::{DayFigures, DayPlan};
use futures::future::join_all;
use jiff::ToSpan;
use jiff::civil::Date;

use super::Store;
use super::fixtures::{account, mailbox, now, plan, pool, today, user};

fn owner() -> AccountRef {
    mailbox(user(1), 1)
}

async fn create(store: &Store, plan: &DayPlan) -> Created {
    store.plans.create(plan).await.unwrap()
}

async fn given_day(store: &Store, date: Date, reply_budget: u32) -> DayRow {
    let plan = plan(owner(), date, 20, reply_budget);
    assert_eq!(create(store, &plan).await, Created::Done);
    row(store, date).await
}

async fn row(store: &Store, date: Date) -> DayRow {
    let rows = store.plans.days(owner(), date, date).await.unwrap();
    assert_eq!(rows.len(), 1);
    rows.into_iter().next().unwrap()
}

async fn take(store: &Store, slot: u128) -> bool {
    let slot = SlotId::new(now(), slot);
    let taken = store.plans.take_reply(owner(), today(), slot);
    taken.await.unwrap()
}

/// The first plan stays, and its empty row with it.
pub async fn a_day_is_planned_once(store: &Store) {
    let first = plan(owner(), today(), 20, 8);
    assert_eq!(create(store, &first).await, Created::Done);
    let other = plan(owner(), today(), 5, 1);
    assert_eq!(create(store, &other).await, Created::Exists);

    let read = store.plans.plan(owner(), today()).await.unwrap();
    assert_eq!(read, Some(first));
    let row = row(store, today()).await;
    let expected = DayRow {
        date: today(),
        span: Some(plan(owner(), today(), 20, 8).span),
        limit: 20,
        reply_budget: 8,
        replies_taken: 0,
        figures: DayFigures::default(),
        reputation: None,
        closed: false,
        ..row.clone()
    };
    assert_eq!(row, expected);
    let tomorrow = today().tomorrow().unwrap();
    assert_eq!(store.plans.plan(owner(), tomorrow).await.unwrap(), None);
}

/// Twenty planners with plans of their own: one plan, and the row fits it.
pub async fn planning_again_never_separates_a_plan_from_its_row(store: &Store) {
    let rivals: Vec<_> = (1..=20).map(|n| plan(owner(), today(), n, n / 2)).collect();
    let answers = join_all(rivals.iter().map(|rival| create(store, rival))).await;

    let done = answers.iter().filter(|answer| **answer == Created::Done);
    assert_eq!(done.count(), 1, "{answers:?}");
    let read = store.plans.plan(owner(), today()).await.unwrap().unwrap();
    let row = row(store, today()).await;
    assert_eq!(
        (row.limit, row.reply_budget),
        (read.limit, read.reply_budget)
    );
}

/// Both ends included, oldest first; days without a plan have no row.
pub async fn days_are_read_by_range(store: &Store) {
    for day in [3, 0, 1, 5] {
        given_day(store, today() + day.days(), 1).await;
    }
    let dates = async |from: i64, to: i64| -> Vec<_> {
        let rows = store
            .plans
            .days(owner(), today() + from.days(), today() + to.days());
        let since = |row: &DayRow| (row.date - today()).get_days();
        rows.await.unwrap().iter().map(since).collect()
    };

    assert_eq!(dates(0, 5).await, [0, 1, 3, 5]);
    assert_eq!(dates(1, 3).await, [1, 3]);
    assert_eq!(dates(2, 2).await, [] as [i32; 0]);
    assert_eq!(dates(3, 1).await, [] as [i32; 0]);
    let others = store
        .plans
        .days(mailbox(user(1), 2), today(), today() + 5.days());
    assert_eq!(others.await.unwrap(), []);
}

/// Over a hundred, each with a date of its own; those without a row are left out.
pub async fn a_day_of_many_accounts_is_read_at_once(store: &Store) {
    let mut wanted: Vec<(AccountId, Date)> = Vec::new();
    for n in 1..=110 {
        let owner = mailbox(user(1), n);
        let date = today() + i64::from(n % 2).days();
        let plan = plan(owner, date, n, 1);
        assert_eq!(create(store, &plan).await, Created::Done);
        wanted.push((owner.account, date));
    }
    wanted.push((account(user(1), 1).id, today() + 9.days()));
    wanted.push((account(user(1), 200).id, today()));

    let rows = store.plans.days_of(user(1), &wanted[1..]).await.unwrap();

    assert_eq!(rows.len(), 109);
    for n in 2..=110_u32 {
        let row = &rows[&account(user(1), n).id];
        assert_eq!(
            (row.limit, row.date),
            (n, today() + i64::from(n % 2).days())
        );
    }
    let none = store.plans.days_of(user(2), &wanted).await.unwrap();
    assert_eq!(none, BTreeMap::new());
}

/// A change that was decided on an older count of replies does not give them back.
pub async fn a_day_changes_by_version_and_keeps_the_replies_taken(store: &Store) {
    let first = given_day(store, today(), 8).await;
    assert!(take(store, 1).await);
    let second = DayRow {
        figures: DayFigures {
            sent: 7,
            spammed: 2,
            ..DayFigures::default()
        },
        reputation: Some(Score::clamped(66.7)),
        closed: true,
        version: first.version + 1,
        ..first.clone()
    };
    let late = DayRow {
        closed: false,
        ..second.clone()
    };

    let replace = async |row: &DayRow| store.plans.replace_day(owner(), row).await.unwrap();
    assert_eq!(replace(&second).await, Replaced::Done);
    assert_eq!(replace(&late).await, Replaced::Stale);
    let unplanned = DayRow {
        date: today() + 1.day(),
        ..second.clone()
    };
    assert_eq!(replace(&unplanned).await, Replaced::Stale);

    assert!(take(store, 2).await);
    let expected = DayRow {
        replies_taken: 2,
        ..second
    };
    assert_eq!(row(store, today()).await, expected);
}

/// And no further.
pub async fn replies_are_taken_up_to_the_budget(store: &Store) {
    given_day(store, today(), 3).await;
    for slot in 1..=3 {
        assert!(take(store, slot).await);
    }
    assert!(!take(store, 4).await);
    assert_eq!(row(store, today()).await.replies_taken, 3);
}

/// Even when the budget is used up meanwhile.
pub async fn a_slot_takes_one_reply_however_often_it_asks(store: &Store) {
    given_day(store, today(), 2).await;
    assert!(take(store, 1).await);
    assert!(take(store, 1).await);
    assert_eq!(row(store, today()).await.replies_taken, 1);
    assert!(take(store, 2).await);
    assert!(take(store, 1).await);
    assert!(!take(store, 3).await);
    assert_eq!(row(store, today()).await.replies_taken, 2);
}

/// Twenty at once with a budget of six take six.
pub async fn parallel_replies_do_not_pass_the_budget(store: &Store) {
    given_day(store, today(), 6).await;
    let answers = join_all((1..=20).map(|slot| take(store, slot))).await;
    assert_eq!(answers.iter().filter(|taken| **taken).count(), 6);
    assert_eq!(row(store, today()).await.replies_taken, 6);
}

/// Nor is a row made by asking, and a day without a budget gives none.
pub async fn no_reply_is_taken_from_a_day_that_is_not_planned(store: &Store) {
    assert!(!take(store, 1).await);
    let rows = store.plans.days(owner(), today(), today()).await.unwrap();
    assert_eq!(rows, []);
    given_day(store, today(), 0).await;
    assert!(!take(store, 1).await);
}

async fn note(store: &Store, sender: u32, planned: &[(u32, u32)]) {
    let planned = planned
        .iter()
        .map(|&(n, mails)| (account(user(1), n).id, mails));
    let sender = account(user(1), sender).id;
    store
        .ledger
        .note(user(1), pool(1).id, today(), sender, &planned.collect())
        .await
        .unwrap();
}

async fn planned(store: &Store) -> PlannedMails {
    let planned = store.ledger.planned(user(1), pool(1).id, today());
    planned.await.unwrap()
}

fn mails(senders: &[(u32, &[(u32, u32)])]) -> PlannedMails {
    let id = |n| account(user(1), n).id;
    let mut all = PlannedMails::new();
    for &(sender, counts) in senders {
        let counts = counts.iter().map(|&(n, mails)| (id(n), mails));
        all.insert(id(sender), counts.collect());
    }
    all
}

/// All senders of one pool and date, each by itself.
pub async fn the_ledger_tells_who_noted_what(store: &Store) {
    assert_eq!(planned(store).await, PlannedMails::new());
    note(store, 1, &[(2, 3), (3, 1)]).await;
    note(store, 2, &[(1, 4), (3, 5)]).await;
    note(store, 3, &[]).await;
    let noted = [(1, &[(2, 3), (3, 1)][..]), (2, &[(1, 4), (3, 5)]), (3, &[])];
    assert_eq!(planned(store).await, mails(&noted));

    let tomorrow = today().tomorrow().unwrap();
    for (owner, pool, date) in [
        (user(2), pool(1).id, today()),
        (user(1), pool(2).id, today()),
        (user(1), pool(1).id, tomorrow),
    ] {
        let other = store.ledger.planned(owner, pool, date).await.unwrap();
        assert_eq!(other, PlannedMails::new());
    }
}

/// What a sender noted before.
pub async fn noting_again_replaces(store: &Store) {
    note(store, 1, &[(2, 3), (3, 1)]).await;
    note(store, 1, &[(2, 3), (3, 1)]).await;
    assert_eq!(planned(store).await, mails(&[(1, &[(2, 3), (3, 1)])]));
    note(store, 1, &[(2, 1)]).await;
    assert_eq!(planned(store).await, mails(&[(1, &[(2, 1)])]));
}
