//! The audit log.

use agentwarm_app::ports::audit::AuditFilter;
use agentwarm_app::ports::{PageOf, PageRequest, PageStart};
use agentwarm_core::audit::{Actor, AuditEntry, EntityType, EventType};
use agentwarm_core::ids::AuditEntryId;

use super::Store;
use super::fixtures::{after, event, user};

/// Entry number `n`: later numbers are newer.
fn entry(n: u32) -> AuditEntry {
    let event_type = match n % 3 {
        0 => EventType::AccountCreated,
        1 => EventType::WarmupAutoPaused,
        _ => EventType::PoolCreated,
    };
    let mut event = event(event_type, n);
    if n.is_multiple_of(2) {
        event.actor = Actor::System;
    }
    if event_type == EventType::PoolCreated {
        event.entity_type = EntityType::Pool;
    }
    AuditEntry {
        id: AuditEntryId::new(event.at, u128::from(n)),
        event,
    }
}

async fn append(store: &Store, entries: &[AuditEntry]) {
    let expires_at = after(86_400);
    store
        .audit
        .append(user(1), entries, expires_at)
        .await
        .unwrap();
}

async fn given_entries(store: &Store, count: u32) {
    let entries: Vec<_> = (1..=count).map(entry).collect();
    append(store, &entries).await;
}

async fn list(
    store: &Store,
    filter: &AuditFilter,
    limit: u32,
    from: PageStart,
) -> PageOf<AuditEntry> {
    let page = PageRequest { limit, from };
    store.audit.list(user(1), filter, &page).await.unwrap()
}

fn numbers(page: &PageOf<AuditEntry>) -> Vec<i64> {
    let number = |entry: &AuditEntry| entry.event.at.as_second() - after(0).as_second();
    page.items.iter().map(number).collect()
}

/// With all that their metadata holds.
pub async fn entries_are_listed_newest_first_as_they_were_written(store: &Store) {
    append(store, &[entry(2), entry(1), entry(3)]).await;
    append(store, &[]).await;
    let page = list(store, &AuditFilter::default(), 10, PageStart::Offset(0)).await;
    assert_eq!(page.items, [entry(3), entry(2), entry(1)]);
    assert_eq!((page.total, page.next), (3, None));
}

/// However it is written again.
pub async fn an_entry_that_is_there_stays(store: &Store) {
    append(store, &[entry(1)]).await;
    let mut again = entry(1);
    again.event.entity_id.push_str(" or somebody else");
    append(store, &[again, entry(2), entry(1)]).await;
    let page = list(store, &AuditFilter::default(), 10, PageStart::Offset(0)).await;
    assert_eq!(page.items, [entry(2), entry(1)]);
}

/// And its total; together they narrow it further.
pub async fn each_filter_narrows_the_log(store: &Store) {
    given_entries(store, 12).await;
    let text = |text: &str| Some(text.to_owned());
    let none = AuditFilter::default;
    let cases = [
        (
            AuditFilter {
                event_type: text("warmup.auto_paused"),
                ..none()
            },
            vec![10, 7, 4, 1],
        ),
        (
            AuditFilter {
                entity_type: text("pool"),
                ..none()
            },
            vec![11, 8, 5, 2],
        ),
        (
            AuditFilter {
                entity_id: Some(entry(5).event.entity_id),
                ..none()
            },
            vec![5],
        ),
        (
            AuditFilter {
                actor: text("system"),
                ..none()
            },
            vec![12, 10, 8, 6, 4, 2],
        ),
        (
            AuditFilter {
                actor: Some(user(1).to_string()),
                ..none()
            },
            vec![11, 9, 7, 5, 3, 1],
        ),
        (
            AuditFilter {
                actor: Some(user(1).to_string()),
                entity_type: text("pool"),
                ..none()
            },
            vec![11, 5],
        ),
        (
            AuditFilter {
                event_type: text("no.such.event"),
                ..none()
            },
            vec![],
        ),
    ];
    for (filter, expected) in cases {
        let page = list(store, &filter, 10, PageStart::Offset(0)).await;
        assert_eq!(numbers(&page), expected, "{filter:?}");
        assert_eq!(usize::try_from(page.total).unwrap(), expected.len());
    }
}

/// In any combination.
pub async fn a_time_includes_its_beginning_and_excludes_its_end(store: &Store) {
    given_entries(store, 6).await;
    let cases = [
        (Some(3), None, vec![6, 5, 4, 3]),
        (None, Some(3), vec![2, 1]),
        (Some(2), Some(5), vec![4, 3, 2]),
        (Some(5), Some(5), vec![]),
        (Some(5), Some(2), vec![]),
    ];
    for (since, until, expected) in cases {
        let filter = AuditFilter {
            since: since.map(after),
            until: until.map(after),
            ..AuditFilter::default()
        };
        let page = list(store, &filter, 10, PageStart::Offset(0)).await;
        assert_eq!(numbers(&page), expected, "{since:?} {until:?}");
        assert_eq!(usize::try_from(page.total).unwrap(), expected.len());
    }
}

/// By cursor and by offset, with and without a filter.
pub async fn the_log_is_paged(store: &Store) {
    given_entries(store, 9).await;
    let all = AuditFilter::default();
    let first = list(store, &all, 4, PageStart::Offset(0)).await;
    assert_eq!((numbers(&first), first.total), (vec![9, 8, 7, 6], 9));
    append(store, &[entry(20)]).await;
    let second = list(store, &all, 4, PageStart::After(first.next.unwrap())).await;
    assert_eq!((numbers(&second), second.total), (vec![5, 4, 3, 2], 10));
    let third = list(store, &all, 4, PageStart::After(second.next.unwrap())).await;
    assert_eq!((numbers(&third), third.next), (vec![1], None));
    let skipped = list(store, &all, 2, PageStart::Offset(8)).await;
    assert_eq!(numbers(&skipped), [2, 1]);

    let system = AuditFilter {
        actor: Some("system".to_owned()),
        since: Some(after(3)),
        ..AuditFilter::default()
    };
    let first = list(store, &system, 3, PageStart::Offset(0)).await;
    assert_eq!((numbers(&first), first.total), (vec![20, 8, 6], 4));
    let second = list(store, &system, 3, PageStart::After(first.next.unwrap())).await;
    assert_eq!((numbers(&second), second.total), (vec![4], 4));
    assert_eq!(second.next, None);
}

/// Nobody else's entries show.
pub async fn the_log_is_its_users_own(store: &Store) {
    given_entries(store, 2).await;
    let page = PageRequest {
        limit: 10,
        from: PageStart::Offset(0),
    };
    let all = AuditFilter::default();
    let others = store.audit.list(user(2), &all, &page).await.unwrap();
    assert_eq!((others.items.len(), others.total), (0, 0));
}
