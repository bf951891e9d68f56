use std::sync::Arc;

use agentwarm_app::accounts::CreateAccount;
use agentwarm_app::accounts::create::default_pool_id;
use agentwarm_app::accounts::input::{CredentialsInput, NewAccount};
use agentwarm_app::ports::accounts::{AccountFilter, AccountReads};
use agentwarm_app::ports::due::Roster;
use agentwarm_app::ports::endpoints::MailProtocol;
use agentwarm_app::ports::mail::ConnectFailure;
use agentwarm_app::ports::pools::PoolWrites;
use agentwarm_app::ports::{Created, PageRequest, PageStart, Replaced, StoreError};
use agentwarm_core::account::{Account, AccountStatus};
use agentwarm_core::audit::{Event, EventType};
use agentwarm_core::error::ErrorCode;
use agentwarm_core::ids::{AccountId, PoolId, UserId};
use agentwarm_core::plan::Plan;
use agentwarm_core::pool::Pool;
use agentwarm_testkit::memory::mail::Connect;
use agentwarm_testkit::memory::{Fault, MemoryStore};
use async_trait::async_trait;

use crate::world::{World, code, credentials, new_account, paths, tenant};

const EMAIL: &str = "hello@example.com";

async fn create_with(world: &World, change: impl FnOnce(&mut NewAccount)) -> Vec<String> {
    let mut new = new_account(EMAIL);
    change(&mut new);
    paths(world.create().create(&world.tenant, new).await)
}

#[tokio::test]
async fn a_new_account_is_as_the_reference_shows_it() {
    let world = World::new();
    let created = world
        .create()
        .create(&world.tenant, new_account(EMAIL))
        .await;
    let account = created.unwrap().account;
    assert_eq!(account.status, AccountStatus::Active);
    assert_eq!(
        (account.current_daily_limit, account.reputation.get()),
        (2, 50.0)
    );
    assert!(account.warmup.is_none());
    assert_eq!(account.zone.name(), "Europe/London");
    assert_eq!(
        account.configuring_pool(),
        Some(default_pool_id(world.tenant.user))
    );

    let pools = world.pools().list(&world.tenant).await.unwrap();
    assert_eq!(
        (pools[0].name.as_str(), pools[0].member_count),
        ("Default Pool", 1)
    );
    let events: Vec<_> = world
        .store
        .events()
        .into_iter()
        .map(|event| event.event_type)
        .collect();
    assert_eq!(events, [EventType::PoolCreated, EventType::AccountCreated]);
}

#[tokio::test]
async fn the_default_pool_is_made_once_for_accounts_that_are_created_side_by_side() {
    let world = World::new();
    let create = world.create();
    let (first, second) = futures::join!(
        create.create(&world.tenant, new_account("a@example.com")),
        create.create(&world.tenant, new_account("b@example.com")),
    );
    assert!(first.is_ok() && second.is_ok());
    let pools = world.pools().list(&world.tenant).await.unwrap();
    assert_eq!((pools.len(), pools[0].member_count), (1, 2));
}

/// Pools of which each was made by somebody else a moment ago, and is gone again.
struct Vanishing(Arc<MemoryStore>);

#[async_trait]
impl PoolWrites for Vanishing {
    async fn create(
        &self,
        _user: UserId,
        _pool: &Pool,
        _event: Option<Event>,
    ) -> Result<Created, StoreError> {
        Ok(Created::Exists)
    }

    async fn replace(
        &self,
        user: UserId,
        pool: &Pool,
        event: Event,
    ) -> Result<Replaced, StoreError> {
        self.0.replace(user, pool, event).await
    }

    async fn join(
        &self,
        account: &Account,
        pool: PoolId,
        event: Event,
    ) -> Result<Replaced, StoreError> {
        self.0.join(account, pool, event).await
    }

    async fn leave(
        &self,
        account: &Account,
        pool: PoolId,
        event: Event,
    ) -> Result<Replaced, StoreError> {
        self.0.leave(account, pool, event).await
    }
}

#[tokio::test]
async fn a_default_pool_that_vanishes_twice_is_said_and_leaves_no_account() {
    let world = World::new();
    let vanishing = CreateAccount {
        pools: Arc::new(Vanishing(world.store.clone())),
        ..world.create()
    };
    let refused = vanishing.create(&world.tenant, new_account(EMAIL)).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::AccountPoolAssignmentFailed);
    // It is ours: the log hears of it.
    assert!(refused.is_ours());
    // Not even its address is taken.
    let id = world.account(EMAIL).await;
    assert_eq!(world.stored(id).await.email.as_str(), EMAIL);
    assert_eq!(world.store.events().len(), 2);
}

#[tokio::test]
async fn credentials_are_stored_sealed() {
    let world = World::new();
    let id = world.account(EMAIL).await;
    let reads: &dyn AccountReads = world.store.as_ref();
    let sealed = reads
        .credentials(world.tenant.user, id)
        .await
        .unwrap()
        .unwrap();
    assert!(!sealed.0.contains("app-password"));
    let servers = world.stored(id).await.servers.unwrap();
    assert_eq!((servers.imap_port, servers.smtp_port), (993, 465));
}

#[tokio::test]
async fn everything_that_is_wrong_is_said_at_once() {
    let world = World::new();
    let paths = create_with(&world, |new| {
        new.email = "nobody".to_owned();
        new.display_name = "Hello\r\nBcc: x@example.com".to_owned();
        new.timezone = Some("Mars/Olympus".to_owned());
        new.pool = Some("nonsense".to_owned());
        new.credentials = CredentialsInput {
            imap_host: Some("169.254.169.254".to_owned()),
            imap_port: Some(22),
            smtp_host: Some("mail.example.com".to_owned()),
            smtp_port: Some(25),
            password: Some("pass\0word".to_owned()),
            ..CredentialsInput::default()
        };
    })
    .await;
    let expected = [
        "email",
        "displayName",
        "timezone",
        "poolId",
        "credentials.imapHost",
        "credentials.imapPort",
        "credentials.smtpPort",
        "credentials.username",
        "credentials.password",
    ];
    assert_eq!(paths, expected);
}

#[tokio::test]
async fn hosts_and_ports_that_we_may_not_connect_to_are_refused() {
    let world = World::new();
    for host in [
        "localhost",
        "127.0.0.1",
        "10.0.0.1",
        "[::1]",
        "mail",
        "",
        "127.1",
        "a b.example.com",
    ] {
        let paths = create_with(&world, |new| {
            new.credentials.imap_host = Some(host.to_owned());
        })
        .await;
        assert_eq!(paths, ["credentials.imapHost"], "{host}");
    }
    for port in [0, 22, 465, 65536, u32::MAX] {
        let paths = create_with(&world, |new| new.credentials.imap_port = Some(port)).await;
        assert_eq!(paths, ["credentials.imapPort"], "{port}");
    }
}

#[tokio::test]
async fn port_25_is_refused_with_the_reason() {
    let world = World::new();
    let mut new = new_account(EMAIL);
    new.credentials.smtp_port = Some(25);
    let error = world
        .create()
        .create(&world.tenant, new)
        .await
        .err()
        .unwrap();
    assert!(
        error.problems()[0].message.contains("Lambda"),
        "{:?}",
        error.problems()
    );
}

#[tokio::test]
async fn an_address_is_registered_once_whoever_owns_it() {
    let world = World::new();
    world.account(EMAIL).await;
    let stranger = tenant(2, Plan::Pro);
    for tenant in [world.tenant, stranger] {
        let mut again = new_account("HELLO@Example.com");
        again.credentials = credentials(EMAIL, "other");
        let refused = world.create().create(&tenant, again).await;
        assert_eq!(code(refused), ErrorCode::AccountAlreadyExists);
    }
}

#[tokio::test]
async fn a_plan_has_so_many_accounts() {
    let world = World::on_plan(Plan::Free);
    for email in ["a@example.com", "b@example.com", "c@example.com"] {
        world.account(email).await;
    }
    let refused = world
        .create()
        .create(&world.tenant, new_account("d@example.com"))
        .await;
    let details = refused.err().unwrap().details().unwrap();
    assert_eq!(
        (&details["max"], &details["current"]),
        (&3.into(), &3.into())
    );
}

#[tokio::test]
async fn a_pool_must_be_ones_own() {
    let world = World::new();
    let theirs = tenant(2, Plan::Pro);
    let pool = world.pools().create(&theirs, "Theirs", None).await.unwrap();
    let absent = PoolId::new(jiff::Timestamp::UNIX_EPOCH, 5);
    for pool in [pool.id, absent] {
        let mut new = new_account(EMAIL);
        new.pool = Some(pool.to_string());
        let refused = world.create().create(&world.tenant, new).await;
        assert_eq!(code(refused), ErrorCode::WarmupPoolNotFound);
    }
}

#[tokio::test]
async fn lists_filter_and_page() {
    let world = World::new();
    for email in [
        "sales@a.example.com",
        "Sales.two@b.example.com",
        "info@a.example.com",
    ] {
        world.account(email).await;
        world.clock.advance(jiff::SignedDuration::from_secs(1));
    }
    let list = async |filter: AccountFilter, limit, from| {
        let page = PageRequest { limit, from };
        let page = world
            .read()
            .list(&world.tenant, &filter, &page)
            .await
            .unwrap();
        let emails: Vec<_> = page
            .items
            .iter()
            .map(|live| live.account.email.to_string())
            .collect();
        (emails, page.total, page.next)
    };
    let sales = AccountFilter {
        email: Some("SALES".to_owned()),
        ..AccountFilter::default()
    };
    let (first, total, next) = list(sales.clone(), 1, PageStart::Offset(0)).await;
    assert_eq!(
        (first, total),
        (vec!["sales.two@b.example.com".to_owned()], 2)
    );
    let (second, _, next) = list(sales, 1, PageStart::After(next.unwrap())).await;
    assert_eq!(
        (second, next),
        (vec!["sales@a.example.com".to_owned()], None)
    );
    let domain = AccountFilter {
        domain: Some("example.com".to_owned()),
        ..AccountFilter::default()
    };
    assert_eq!(
        list(domain, 10, PageStart::Offset(0)).await.1,
        0,
        "exactly the part after the @"
    );
}

#[tokio::test]
async fn foreign_and_absent_accounts_are_not_found_anywhere() {
    let world = World::new();
    let id = world.account(EMAIL).await;
    let absent = AccountId::new(jiff::Timestamp::UNIX_EPOCH, 5);
    let stranger = tenant(2, Plan::Pro);
    let not_found = ErrorCode::AccountNotFound;
    for (tenant, id) in [(stranger, id), (world.tenant, absent)] {
        assert_eq!(code(world.read().get(&tenant, id).await), not_found);
        assert_eq!(code(world.delete().delete(&tenant, id).await), not_found);
        assert_eq!(
            code(world.test_connection().test(&tenant, id).await),
            not_found
        );
        assert_eq!(
            code(world.start().start(&tenant, id, false).await),
            not_found
        );
        assert_eq!(code(world.pause().pause(&tenant, id).await), not_found);
        assert_eq!(code(world.resume().resume(&tenant, id).await), not_found);
        assert_eq!(
            code(world.schedule().read(&tenant, id, None).await),
            not_found
        );
    }
    world.stored(id).await;
}

#[tokio::test]
async fn deleting_leaves_nothing_and_frees_the_address() {
    let world = World::new();
    let id = world.warming(EMAIL).await;
    world.delete().delete(&world.tenant, id).await.unwrap();

    assert_eq!(
        code(world.read().get(&world.tenant, id).await),
        ErrorCode::AccountNotFound
    );
    let pools = world.pools().list(&world.tenant).await.unwrap();
    assert_eq!(pools[0].member_count, 0);
    let roster: &dyn Roster = world.store.as_ref();
    let now = crate::world::now(&world);
    for minute in 0..60 {
        assert!(roster.of_minute(minute, now).await.unwrap().is_empty());
    }
    world.account(EMAIL).await;
}

#[tokio::test]
async fn deleting_wins_over_a_change_at_the_same_moment() {
    let world = World::new();
    let id = world.account(EMAIL).await;
    world.store.fail_next("accounts.delete", Fault::Stale);
    world.delete().delete(&world.tenant, id).await.unwrap();
    assert!(world.store.unmet_faults().is_empty());
}

#[tokio::test]
async fn a_write_that_is_always_stale_ends_as_busy() {
    let world = World::new();
    let id = world.account(EMAIL).await;
    for _ in 0..5 {
        world.store.fail_next("accounts.delete", Fault::Stale);
    }
    let refused = world.delete().delete(&world.tenant, id).await;
    assert_eq!(code(refused), ErrorCode::ProviderUnavailable);
    world.stored(id).await;
}

#[tokio::test]
async fn test_connection_tells_each_protocol_apart() {
    let world = World::new();
    let id = world.account(EMAIL).await;
    world.office.open_mailbox(EMAIL, "app-password");
    let test = async || {
        world
            .test_connection()
            .test(&world.tenant, id)
            .await
            .unwrap()
    };

    let report = test().await;
    assert!(report.overall());

    let refused = Connect::Fails(ConnectFailure::Credentials);
    world
        .office
        .next_connect(EMAIL, MailProtocol::Imap, refused);
    let report = test().await;
    assert_eq!(
        report.imap.as_ref().unwrap_err().to_string(),
        "Authentication failed: invalid credentials"
    );
    assert!(report.smtp.is_ok() && !report.overall());

    world
        .office
        .next_connect(EMAIL, MailProtocol::Smtp, Connect::Hangs);
    let report = test().await;
    assert_eq!(report.smtp, Err(ConnectFailure::Unreachable));
    assert!(report.imap.is_ok());
}

#[tokio::test]
async fn without_the_key_service_accounts_are_shown_but_not_tried() {
    let world = World::new();
    let id = world.account(EMAIL).await;
    world.vault.set_down(true);
    assert!(world.read().get(&world.tenant, id).await.is_ok());
    let refused = world.test_connection().test(&world.tenant, id).await;
    assert_eq!(code(refused), ErrorCode::ProviderUnavailable);
}
