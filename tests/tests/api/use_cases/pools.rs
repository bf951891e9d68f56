use agentwarm_app::pools::membership::MAX_POOLS_PER_ACCOUNT;
use agentwarm_core::audit::EventType;
use agentwarm_core::error::ErrorCode;
use agentwarm_core::ids::{AccountId, PoolId};
use agentwarm_core::plan::Plan;
use agentwarm_core::pool::{PoolConfig, PoolOverrides};
use agentwarm_testkit::memory::Fault;

use crate::world::{World, code, paths, tenant};

fn changes() -> PoolOverrides {
    PoolOverrides {
        max_daily_emails: Some(30),
        reply_rate: Some(0.8),
        ..PoolOverrides::default()
    }
}

#[tokio::test]
async fn a_pool_begins_empty_with_the_defaults() {
    let world = World::new();
    let pool = world
        .pools()
        .create(&world.tenant, "Sales Team Pool", Some("For sales"))
        .await;
    let pool = pool.unwrap();
    assert_eq!(pool.member_count, 0);
    let configuration = world
        .pools()
        .configuration(&world.tenant, pool.id)
        .await
        .unwrap();
    assert_eq!(configuration.config, PoolConfig::default());
    assert_eq!(configuration.overrides, PoolOverrides::default());
}

#[tokio::test]
async fn names_and_descriptions_are_checked_together() {
    let world = World::new();
    let refused = world
        .pools()
        .create(&world.tenant, "", Some("a\u{7}b"))
        .await;
    assert_eq!(paths(refused), ["name", "description"]);
    assert!(
        world
            .pools()
            .create(&world.tenant, "Fine", Some(""))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn only_supplied_values_change() {
    let world = World::new();
    let pool = world
        .pools()
        .create(&world.tenant, "P", None)
        .await
        .unwrap()
        .id;
    world
        .pools()
        .configure(&world.tenant, pool, &changes())
        .await
        .unwrap();
    let more = PoolOverrides {
        send_on_weekends: Some(true),
        ..PoolOverrides::default()
    };
    let after = world
        .pools()
        .configure(&world.tenant, pool, &more)
        .await
        .unwrap();
    assert_eq!(after.overrides.max_daily_emails, Some(30));
    assert_eq!(after.config.reply_rate.get().to_string(), "0.8");
    assert!(after.config.send_on_weekends);
    assert_eq!(after.config.min_daily_emails, 2);
}

#[tokio::test]
async fn an_invalid_configuration_changes_nothing_and_names_every_field() {
    let world = World::new();
    let pool = world
        .pools()
        .create(&world.tenant, "P", None)
        .await
        .unwrap()
        .id;
    let bad = PoolOverrides {
        max_daily_emails: Some(201),
        reply_rate: Some(2.0),
        ..PoolOverrides::default()
    };
    let refused = world
        .pools()
        .configure(&world.tenant, pool, &bad)
        .await
        .err()
        .unwrap();
    assert_eq!(refused.code(), ErrorCode::WarmupConfigInvalid);
    let fields: Vec<_> = refused
        .problems()
        .into_iter()
        .map(|problem| problem.path)
        .collect();
    assert_eq!(fields, ["maxDailyEmails", "replyRate"]);
    let contradiction = PoolOverrides {
        max_daily_emails: Some(1),
        ..PoolOverrides::default()
    };
    let refused = world
        .pools()
        .configure(&world.tenant, pool, &contradiction)
        .await;
    assert_eq!(code(refused), ErrorCode::WarmupConfigInvalid);
    let configuration = world
        .pools()
        .configuration(&world.tenant, pool)
        .await
        .unwrap();
    assert_eq!(configuration.overrides, PoolOverrides::default());
}

#[tokio::test]
async fn a_change_that_changes_nothing_is_no_event() {
    let world = World::new();
    let pool = world
        .pools()
        .create(&world.tenant, "P", None)
        .await
        .unwrap()
        .id;
    for _ in 0..2 {
        world
            .pools()
            .configure(&world.tenant, pool, &changes())
            .await
            .unwrap();
    }
    let updates = world.store.events();
    let updates = updates
        .iter()
        .filter(|event| event.event_type == EventType::PoolConfigUpdated);
    assert_eq!(updates.count(), 1);
}

#[tokio::test]
async fn joining_and_leaving_may_be_repeated_and_keep_the_count() {
    let world = World::new();
    let account = world.account("a@example.com").await;
    let pool = world
        .pools()
        .create(&world.tenant, "P", None)
        .await
        .unwrap()
        .id;
    let count = async || {
        let pools = world.pools().list(&world.tenant).await.unwrap();
        pools
            .into_iter()
            .find(|listed| listed.id == pool)
            .unwrap()
            .member_count
    };
    world.store.fail_next("pools.join", Fault::Stale);
    for _ in 0..2 {
        world
            .membership()
            .add(&world.tenant, pool, account)
            .await
            .unwrap();
        assert_eq!(count().await, 1);
    }
    let pools = world.stored(account).await.pools;
    assert_eq!(
        (pools.len(), pools[1].pool),
        (2, pool),
        "the first pool still configures"
    );
    world.store.fail_next("pools.leave", Fault::Stale);
    for _ in 0..2 {
        world
            .membership()
            .remove(&world.tenant, pool, account)
            .await
            .unwrap();
        assert_eq!(count().await, 0);
    }
    assert!(world.store.unmet_faults().is_empty());
}

#[tokio::test]
async fn an_account_is_in_so_many_pools_at_most() {
    let world = World::new();
    let account = world.account("a@example.com").await;
    for n in 1..MAX_POOLS_PER_ACCOUNT {
        let pool = world
            .pools()
            .create(&world.tenant, &format!("P{n}"), None)
            .await
            .unwrap()
            .id;
        world
            .membership()
            .add(&world.tenant, pool, account)
            .await
            .unwrap();
    }
    let pool = world
        .pools()
        .create(&world.tenant, "one more", None)
        .await
        .unwrap()
        .id;
    let refused = world.membership().add(&world.tenant, pool, account).await;
    assert_eq!(code(refused), ErrorCode::ValidationFailed);
}

#[tokio::test]
async fn foreign_and_absent_pools_and_accounts_are_not_found() {
    let world = World::new();
    let stranger = tenant(2, Plan::Pro);
    let account = world.account("a@example.com").await;
    let pool = world
        .pools()
        .create(&world.tenant, "P", None)
        .await
        .unwrap()
        .id;
    let theirs = world.pools().create(&stranger, "T", None).await.unwrap().id;
    let no_pool = PoolId::new(jiff::Timestamp::UNIX_EPOCH, 1);
    let no_account = AccountId::new(jiff::Timestamp::UNIX_EPOCH, 1);

    for pool in [theirs, no_pool] {
        let added = world.membership().add(&world.tenant, pool, account).await;
        assert_eq!(code(added), ErrorCode::WarmupPoolNotFound);
        let configured = world
            .pools()
            .configure(&world.tenant, pool, &changes())
            .await;
        assert_eq!(code(configured), ErrorCode::WarmupPoolNotFound);
    }
    let removed = world
        .membership()
        .remove(&world.tenant, pool, no_account)
        .await;
    assert_eq!(code(removed), ErrorCode::AccountNotFound);
    let added = world.membership().add(&stranger, theirs, account).await;
    assert_eq!(code(added), ErrorCode::AccountNotFound);
    assert!(
        world
            .pools()
            .list(&stranger)
            .await
            .unwrap()
            .iter()
            .all(|listed| listed.id == theirs)
    );
}
