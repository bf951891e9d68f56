use agentwarm_app::audit_log::ReadAuditLog;
use agentwarm_app::ports::audit::{AuditFilter, AuditLog};
use agentwarm_app::ports::{PageRequest, PageStart};
use agentwarm_app::tenant::Tenant;
use agentwarm_core::audit::{Actor, AuditEntry, Event, EventType};
use agentwarm_core::ids::{AccountId, AuditEntryId};
use agentwarm_core::plan::Plan;
use jiff::{SignedDuration, Timestamp};

use crate::world::{World, now, tenant};

const PAGE: PageRequest = PageRequest {
    limit: 50,
    from: PageStart::Offset(0),
};

fn log(world: &World) -> ReadAuditLog {
    ReadAuditLog {
        audit: world.store.clone(),
        clock: world.clock.clone(),
    }
}

/// An entry of so many hours ago.
async fn entry(world: &World, event_type: EventType, actor: Actor, hours: i64) {
    let at = now(world) - SignedDuration::from_hours(hours);
    let account = AccountId::new(Timestamp::UNIX_EPOCH, 1);
    let entry = AuditEntry {
        id: AuditEntryId::new(at, 1),
        event: Event::account(event_type, account, actor, at),
    };
    let store: &dyn AuditLog = world.store.as_ref();
    for _ in 0..2 {
        store
            .append(
                world.tenant.user,
                std::slice::from_ref(&entry),
                Timestamp::MAX,
            )
            .await
            .unwrap();
    }
}

async fn listed(world: &World, tenant: &Tenant, filter: AuditFilter) -> Vec<EventType> {
    let page = log(world).list(tenant, filter, &PAGE).await.unwrap().page;
    page.items
        .into_iter()
        .map(|entry| entry.event.event_type)
        .collect()
}

#[tokio::test]
async fn entries_are_listed_once_newest_first_and_by_every_filter() {
    let world = World::new();
    let user = world.tenant.user;
    entry(&world, EventType::AccountCreated, Actor::User(user), 3).await;
    entry(&world, EventType::WarmupAutoPaused, Actor::System, 2).await;
    let all = listed(&world, &world.tenant, AuditFilter::default()).await;
    assert_eq!(
        all,
        [EventType::WarmupAutoPaused, EventType::AccountCreated]
    );

    let by = |change: fn(&mut AuditFilter)| {
        let mut filter = AuditFilter::default();
        change(&mut filter);
        filter
    };
    let by_system = by(|filter| filter.actor = Some("system".to_owned()));
    assert_eq!(
        listed(&world, &world.tenant, by_system).await,
        [EventType::WarmupAutoPaused]
    );
    let created = by(|filter| filter.event_type = Some("account.created".to_owned()));
    assert_eq!(
        listed(&world, &world.tenant, created).await,
        [EventType::AccountCreated]
    );
    let by_user = AuditFilter {
        actor: Some(user.to_string()),
        ..AuditFilter::default()
    };
    assert_eq!(
        listed(&world, &world.tenant, by_user).await,
        [EventType::AccountCreated]
    );
    let since = AuditFilter {
        since: Some(now(&world) - SignedDuration::from_hours(2)),
        ..AuditFilter::default()
    };
    assert_eq!(
        listed(&world, &world.tenant, since).await,
        [EventType::WarmupAutoPaused]
    );
}

#[tokio::test]
async fn what_is_older_than_the_retention_is_not_shown_even_if_asked_for() {
    let world = World::new();
    entry(&world, EventType::AccountCreated, Actor::System, 8 * 24).await;
    entry(&world, EventType::AccountDeleted, Actor::System, 6 * 24).await;
    let free = Tenant {
        plan: Plan::Free,
        ..world.tenant
    };
    let since = AuditFilter {
        since: Some(Timestamp::UNIX_EPOCH),
        ..AuditFilter::default()
    };
    assert_eq!(
        listed(&world, &free, since.clone()).await,
        [EventType::AccountDeleted]
    );
    assert_eq!(listed(&world, &world.tenant, since).await.len(), 2);
}

#[tokio::test]
async fn another_users_log_is_empty() {
    let world = World::new();
    entry(&world, EventType::AccountCreated, Actor::System, 1).await;
    let stranger = tenant(2, Plan::Pro);
    assert!(
        listed(&world, &stranger, AuditFilter::default())
            .await
            .is_empty()
    );
}
