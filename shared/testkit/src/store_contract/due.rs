//! The due index and the roster.

use agentwarm_app::ports::due::RosterEntry;
use agentwarm_core::ids::{AccountId, SlotId};
use agentwarm_core::mail::slot::SlotKind;
use agentwarm_core::warmup::day::Window;
use agentwarm_core::warmup::due::{DueEntry, DueKind};
use jiff::{SignedDuration, Timestamp};

use super::Store;
use super::fixtures::{account, after, now, plan_entry, user};

/// The entries of all shards, in order of time.
async fn between(store: &Store, after: Timestamp, until: Timestamp) -> Vec<DueEntry> {
    let mut entries = Vec::new();
    for shard in 0..store.shards.0 {
        entries.extend(store.due.between(shard, after, until).await.unwrap());
    }
    entries.sort_by_key(|entry| entry.at);
    entries
}

fn seconds(entries: &[DueEntry]) -> Vec<i64> {
    let since_now = |entry: &DueEntry| entry.at.as_second() - now().as_second();
    entries.iter().map(since_now).collect()
}

/// Field by field, wherever the shards put them.
pub async fn every_kind_is_read_as_it_was_put(store: &Store) {
    let (sender, target) = (account(user(1), 1).id, account(user(1), 2).id);
    let slot = SlotId::new(after(60), 5);
    let answers = SlotId::new(now(), 4);
    let send = |slot_kind| DueKind::Send {
        sender,
        slot,
        target,
        slot_kind,
    };
    let kinds = [
        send(SlotKind::Thread),
        send(SlotKind::Reply { answers }),
        DueKind::Plan { account: sender },
        DueKind::Settle {
            sender,
            slot,
            target,
        },
    ];
    let entries: Vec<_> = (1..)
        .zip(kinds)
        .map(|(seconds, kind)| DueEntry {
            at: after(seconds),
            user: user(1),
            kind,
        })
        .collect();
    store.due.put(&entries).await.unwrap();

    assert_eq!(between(store, now(), after(60)).await, entries);
}

/// However they are stored: a day's threads are filed at once and come up one by one.
pub async fn threads_of_one_mailbox_are_found_each_at_its_own_instant(store: &Store) {
    let thread = |seconds: i64, sender: u32| DueEntry {
        at: after(seconds),
        user: user(1),
        kind: DueKind::Send {
            sender: account(user(1), sender).id,
            slot: SlotId::new(after(seconds), sender.into()),
            target: account(user(1), 9).id,
            slot_kind: SlotKind::Thread,
        },
    };
    let entries: Vec<_> = (0..100)
        .flat_map(|n| [thread(n * 410, 1), thread(n * 410 + 7, 2)])
        .collect();
    store.due.put(&entries).await.unwrap();
    assert_eq!(
        between(store, after(-1), after(100 * 410)).await,
        entries,
        "all of them, as they were put"
    );
    for wanted in &entries {
        let just_before = wanted.at - SignedDuration::from_millis(1);
        assert_eq!(between(store, just_before, wanted.at).await, [*wanted]);
    }

    // Some of them again, as after a crash, and some of them elsewhere: the others stay.
    store.due.put(&entries[10..11]).await.unwrap();
    store.due.put(&entries[20..40]).await.unwrap();
    let found = between(store, after(-1), after(100 * 410)).await;
    let found: std::collections::BTreeSet<_> = found.iter().map(|entry| entry.at).collect();
    assert!(found.into_iter().eq(entries.iter().map(|entry| entry.at)));
}

/// What is filed late must lie beyond the watermark of its own shard, whatever the writer's clock says.
pub async fn the_furthest_watermark_of_the_entries_shards_is_told(store: &Store) {
    let entries: Vec<_> = (0..40).map(|n| plan_entry(n.into(), n)).collect();
    assert_eq!(store.due.reached(&entries).await.unwrap(), None);
    assert_eq!(store.due.reached(&[]).await.unwrap(), None);
    for shard in 0..store.shards.0 {
        let to = after(100 + i64::from(shard));
        store.due.advance(shard, to).await.unwrap();
    }
    let last = after(99 + i64::from(store.shards.0));
    assert_eq!(store.due.reached(&entries).await.unwrap(), Some(last));
    let of_one = store.due.reached(&entries[..1]).await.unwrap();
    let shard = (0..store.shards.0).find(|shard| of_one == Some(after(100 + i64::from(*shard))));
    let shard = shard.unwrap();
    store.due.put(&entries[..1]).await.unwrap();
    let found = store.due.between(shard, after(-1), after(0)).await;
    assert_eq!(found.unwrap(), entries[..1]);
}

/// `(after, until]`: what one tick read to the end, the next does not see again.
pub async fn a_range_excludes_its_beginning_and_includes_its_end(store: &Store) {
    let entries: Vec<_> = (0..5).map(|n| plan_entry(n * 10, 1)).collect();
    store.due.put(&entries).await.unwrap();

    let first = between(store, after(-1), after(20)).await;
    assert_eq!(seconds(&first), [0, 10, 20]);
    let second = between(store, after(20), after(40)).await;
    assert_eq!(seconds(&second), [30, 40]);
    assert_eq!(between(store, after(20), after(20)).await, []);
    assert_eq!(between(store, after(40), after(20)).await, []);
}

/// Also when the range begins and ends within them.
pub async fn entries_are_found_across_hours_in_order(store: &Store) {
    let entries: Vec<_> = (0..30).map(|n| plan_entry(n * 700, 1)).collect();
    store.due.put(&entries).await.unwrap();

    let found = between(store, after(700), after(29 * 700)).await;
    assert_eq!(found, entries[2..]);
    for shard in 0..store.shards.0 {
        let found = store.due.between(shard, now(), after(29 * 700)).await;
        assert!(found.unwrap().is_sorted_by_key(|entry| entry.at));
    }
}

/// At once or later.
pub async fn putting_again_changes_nothing(store: &Store) {
    let entries = [plan_entry(10, 1), plan_entry(10, 2), plan_entry(10, 1)];
    store.due.put(&entries).await.unwrap();
    store.due.put(&entries[..1]).await.unwrap();
    assert_eq!(between(store, now(), after(10)).await.len(), 2);
    store.due.put(&[]).await.unwrap();
}

/// More than any batch takes.
pub async fn many_entries_are_put_at_once(store: &Store) {
    let entries: Vec<_> = (1..=130).map(|n| plan_entry(i64::from(n), n)).collect();
    store.due.put(&entries).await.unwrap();
    assert_eq!(between(store, now(), after(130)).await, entries);
}

/// Never back, whoever is late.
pub async fn a_watermark_only_moves_forward(store: &Store) {
    let due = &store.due;
    assert_eq!(due.watermark(0).await.unwrap(), None);
    due.advance(0, after(60)).await.unwrap();
    assert_eq!(due.watermark(0).await.unwrap(), Some(after(60)));
    for late in [after(30), after(60)] {
        due.advance(0, late).await.unwrap();
        assert_eq!(due.watermark(0).await.unwrap(), Some(after(60)));
    }
    due.advance(0, after(61)).await.unwrap();
    assert_eq!(due.watermark(0).await.unwrap(), Some(after(61)));
}

/// One moves without the other.
pub async fn shards_have_their_own_watermarks(store: &Store) {
    store.due.advance(0, after(60)).await.unwrap();
    assert_eq!(store.due.watermark(1).await.unwrap(), None);
}

async fn enrol(store: &Store, n: u32, busy: Option<Window>) -> AccountId {
    let account = account(user(1), n).id;
    let entry = RosterEntry {
        user: user(1),
        account,
        busy,
    };
    store.roster.enrol(&entry).await.unwrap();
    account
}

/// Ten minutes on either side of [`now`].
fn around_now() -> Window {
    Window {
        start: after(-600),
        end: after(600),
    }
}

/// In which minutes of the hour an account is visited, seen from `seconds` after [`now`].
async fn minutes(store: &Store, account: AccountId, seconds: i64) -> Vec<u8> {
    let mut minutes = Vec::new();
    for minute in 0..60 {
        let entries = store.roster.of_minute(minute, after(seconds)).await;
        let entries = entries.unwrap();
        let visits = entries.iter().filter(|entry| entry.account == account);
        minutes.extend(visits.map(|_| minute));
    }
    minutes
}

/// Half an hour apart.
pub async fn a_busy_mailbox_is_visited_twice_an_hour(store: &Store) {
    let account = enrol(store, 1, Some(around_now())).await;
    let minutes = minutes(store, account, 0).await;
    let first = minutes[0];
    assert_eq!(minutes, [first, first + 30]);
}

/// Before and after its hours, and whatever it did before.
pub async fn others_are_visited_once_an_hour(store: &Store) {
    let account = enrol(store, 1, Some(around_now())).await;
    for outside in [-601, 600] {
        assert_eq!(minutes(store, account, outside).await.len(), 1);
    }
    enrol(store, 1, None).await;
    assert_eq!(minutes(store, account, 0).await.len(), 1);
}

/// Forgetting what is not there is no error.
pub async fn the_roster_forgets(store: &Store) {
    let first = enrol(store, 1, Some(around_now())).await;
    let second = enrol(store, 2, Some(around_now())).await;
    store.roster.remove(first).await.unwrap();
    store.roster.remove(first).await.unwrap();
    assert_eq!(minutes(store, first, 0).await, [] as [u8; 0]);
    assert_eq!(minutes(store, second, 0).await.len(), 2);
}
