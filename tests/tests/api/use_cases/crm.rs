use agentwarm_app::crm::MAX_LINKS_PER_ACCOUNT;
use agentwarm_app::error::AppError;
use agentwarm_app::ports::accounts::{AccountFilter, AccountReads};
use agentwarm_app::ports::{PageRequest, PageStart};
use agentwarm_core::crm::{CrmEntity, CrmIds, CrmKind, CrmLink, CrmSource};
use agentwarm_core::error::ErrorCode;
use agentwarm_core::ids::AccountId;
use agentwarm_testkit::memory::Fault;
use jiff::SignedDuration;

use crate::world::{World, code, now};

fn person(id: &str) -> CrmIds {
    CrmIds::Person(id.parse().unwrap())
}

fn salesforce() -> CrmSource {
    "salesforce".parse().unwrap()
}

/// Links an account to a person.
async fn link(world: &World, id: AccountId, to: &str) -> Result<CrmLink, AppError> {
    let links = world.crm_links();
    links
        .create(&world.tenant, id, &person(to), &salesforce())
        .await
}

async fn found(world: &World, id: &str) -> u32 {
    let entity = CrmEntity {
        kind: CrmKind::Person,
        id: id.parse().unwrap(),
        source: None,
    };
    let page = PageRequest {
        limit: 10,
        from: PageStart::Offset(0),
    };
    let all = AccountFilter::default();
    let linked = world.linked();
    let listed = linked.list(&world.tenant, &[entity], &all, &page).await;
    listed.unwrap().total
}

#[tokio::test]
async fn a_link_is_a_change_of_its_account() {
    let world = World::new();
    let id = world.account("a@example.com").await;
    world.clock.advance(SignedDuration::from_secs(5));
    let before = world.stored(id).await;
    let made = link(&world, id, "p").await.unwrap();
    let after = world.stored(id).await;
    assert_eq!(after.version, before.version + 1);
    assert_eq!(
        (after.updated_at, made.created_at),
        (now(&world), now(&world))
    );

    // The same again changes nothing.
    assert_eq!(link(&world, id, "p").await.unwrap(), made);
    assert_eq!(world.stored(id).await, after);
}

#[tokio::test]
async fn who_lost_a_race_looks_again() {
    let world = World::new();
    let id = world.account("a@example.com").await;
    let links = world.crm_links();
    world.store.fail_next("crm_links.create", Fault::Stale);
    let made = link(&world, id, "p").await.unwrap();
    assert_eq!(found(&world, "p").await, 1);
    world.store.fail_next("crm_links.remove", Fault::Stale);
    let removed = links.remove(&world.tenant, id, made.id).await;
    removed.unwrap();
    assert_eq!(found(&world, "p").await, 0);
    assert!(world.store.unmet_faults().is_empty());
}

#[tokio::test]
async fn a_link_whose_answer_was_lost_is_made_once() {
    let world = World::new();
    let id = world.account("a@example.com").await;
    let links = world.crm_links();
    world.store.fail_next("crm_links.create", Fault::AnswerLost);
    assert_eq!(
        code(link(&world, id, "p").await),
        ErrorCode::ProviderUnavailable
    );
    link(&world, id, "p").await.unwrap();
    let listed = links.list(&world.tenant, id).await.unwrap();
    assert_eq!(listed.len(), 1);
}

#[tokio::test]
async fn of_many_at_once_no_account_gets_more_than_its_links() {
    let world = World::new();
    let id = world.account("a@example.com").await;
    let links = world.crm_links();
    for n in 1..MAX_LINKS_PER_ACCOUNT {
        link(&world, id, &format!("p{n}")).await.unwrap();
    }
    let wanted = ["late1", "late2", "late3", "late4"];
    let making = wanted.map(|person| link(&world, id, person));
    let made = futures::future::join_all(making).await;
    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1);
    let listed = links.list(&world.tenant, id).await.unwrap();
    assert_eq!(listed.len(), MAX_LINKS_PER_ACCOUNT);
}

/// A link that is made while its account is being deleted goes with it.
#[tokio::test]
async fn a_deletion_that_was_overtaken_by_a_link_takes_it_too() {
    let world = World::new();
    let id = world.account("a@example.com").await;
    link(&world, id, "p").await.unwrap();
    world.store.fail_next("accounts.delete", Fault::Stale);
    world.delete().delete(&world.tenant, id).await.unwrap();
    assert_eq!(found(&world, "p").await, 0);
    let store: &dyn AccountReads = world.store.as_ref();
    assert_eq!(store.get(world.tenant.user, id).await.unwrap(), None);
}
