//! Links between accounts and the records of CRMs.

use agentwarm_app::ports::Replaced;
use agentwarm_core::account::Account;
use agentwarm_core::audit::EventType;
use agentwarm_core::crm::{CrmEntity, CrmIds, CrmKind, CrmLink};
use agentwarm_core::ids::{AccountId, CrmLinkId};
use futures::future::join_all;

use super::Store;
use super::fixtures::{account, after, changed, event, user};

/// A stored account.
async fn given(store: &Store, n: u32) -> Account {
    let pool = super::fixtures::pool(1).id;
    if store.pools.get(user(1), pool).await.unwrap().is_none() {
        store.given_pool(user(1), 1).await;
    }
    store.given_account(&account(user(1), n), pool).await
}

/// Link number `n` of `account`; "" is no id.
fn link(account: &Account, n: u32, person: &str, of_account: &str, source: &str) -> CrmLink {
    let id = |text: &str| (!text.is_empty()).then(|| text.parse().unwrap());
    CrmLink {
        id: CrmLinkId::new(after(i64::from(n)), u128::from(n)),
        account: account.id,
        ids: CrmIds::of(id(person), id(of_account)).unwrap(),
        source: source.parse().unwrap(),
        created_at: after(i64::from(n)),
    }
}

/// Makes `link`; the account as it is then.
async fn linked(store: &Store, account: &Account, link: &CrmLink) -> Account {
    let next = changed(account);
    let created = store.crm_link_writes.create(&next, link).await.unwrap();
    assert_eq!(created, Replaced::Done);
    next
}

async fn links(store: &Store, account: &Account) -> Vec<CrmLink> {
    let links = store.crm_links.of_account(user(1), account.id);
    links.await.unwrap()
}

async fn accounts(store: &Store, kind: CrmKind, id: &str, source: Option<&str>) -> Vec<AccountId> {
    let entity = CrmEntity {
        kind,
        id: id.parse().unwrap(),
        source: source.map(|source| source.parse().unwrap()),
    };
    let found = store.crm_links.accounts_of(user(1), &entity);
    found.await.unwrap().into_iter().collect()
}

/// With all their fields, of one account alone.
pub async fn links_are_listed_newest_first(store: &Store) {
    let (first, other) = (given(store, 1).await, given(store, 2).await);
    let made = [
        link(&first, 1, "sf_003x0001", "", "salesforce"),
        link(&first, 2, "", "901", "hubspot"),
        link(&first, 3, "p:1", "a@b.example", "my-crm"),
    ];
    let mut account = first.clone();
    for link in &made {
        account = linked(store, &account, link).await;
    }
    linked(store, &other, &link(&other, 9, "p:1", "", "my-crm")).await;

    let [oldest, middle, newest] = made;
    assert_eq!(links(store, &first).await, [newest, middle, oldest]);
    let strangers = store.crm_links.of_account(user(2), first.id).await;
    assert_eq!(strangers.unwrap(), []);
}

/// In one CRM or in all; a person is no account, and another user's links are nobody's.
pub async fn accounts_are_found_by_person_and_by_account(store: &Store) {
    let (first, second) = (given(store, 1).await, given(store, 2).await);
    let person = link(&first, 1, "x1", "", "salesforce");
    let moved = linked(store, &first, &person).await;
    // Twice the same person, for another account of the CRM.
    linked(store, &moved, &link(&first, 2, "x1", "acme", "salesforce")).await;
    linked(store, &second, &link(&second, 3, "x1", "", "hubspot")).await;

    let people = async |id, source| accounts(store, CrmKind::Person, id, source).await;
    assert_eq!(people("x1", None).await, [first.id, second.id]);
    assert_eq!(people("x1", Some("salesforce")).await, [first.id]);
    assert_eq!(people("x1", Some("hubspot")).await, [second.id]);
    assert_eq!(people("x1", Some("hub")).await, []);
    assert_eq!(people("x", None).await, []);
    assert_eq!(people("X1", None).await, [], "case counts");
    assert_eq!(people("acme", None).await, []);
    let of_acme = accounts(store, CrmKind::Account, "acme", None).await;
    assert_eq!(of_acme, [first.id]);
    let entity = CrmEntity {
        kind: CrmKind::Person,
        id: "x1".parse().unwrap(),
        source: None,
    };
    let strangers = store.crm_links.accounts_of(user(2), &entity).await.unwrap();
    assert!(strangers.is_empty(), "{strangers:?}");
}

/// From both ends; a second link to the same person stays.
pub async fn a_removed_link_is_not_found(store: &Store) {
    let first = given(store, 1).await;
    let (one, two) = (
        link(&first, 1, "p", "a", "salesforce"),
        link(&first, 2, "p", "", "salesforce"),
    );
    let now = linked(store, &first, &one).await;
    let now = changed(&linked(store, &now, &two).await);

    let removed = store.crm_link_writes.remove(&now, &one).await.unwrap();
    assert_eq!(removed, Replaced::Done);

    assert_eq!(links(store, &first).await, std::slice::from_ref(&two));
    assert_eq!(accounts(store, CrmKind::Account, "a", None).await, []);
    let of_person = accounts(store, CrmKind::Person, "p", None).await;
    assert_eq!(of_person, [first.id]);
    let read = store.accounts.get(user(1), first.id).await.unwrap();
    assert_eq!(read, Some(now));
}

/// Nothing is half done.
pub async fn a_stale_account_is_neither_linked_nor_unlinked(store: &Store) {
    let first = given(store, 1).await;
    let kept = link(&first, 1, "p", "", "salesforce");
    let second = linked(store, &first, &kept).await;

    let late = link(&first, 2, "late", "late", "salesforce");
    let created = store.crm_link_writes.create(&changed(&first), &late).await;
    assert_eq!(created.unwrap(), Replaced::Stale);
    let removed = store.crm_link_writes.remove(&changed(&first), &kept).await;
    assert_eq!(removed.unwrap(), Replaced::Stale);

    assert_eq!(links(store, &first).await, [kept]);
    assert_eq!(accounts(store, CrmKind::Person, "late", None).await, []);
    let read = store.accounts.get(user(1), first.id).await.unwrap();
    assert_eq!(read, Some(second));
}

/// Nor does it come into being.
pub async fn an_account_that_is_gone_is_not_linked(store: &Store) {
    let gone = account(user(1), 7);
    let late = link(&gone, 1, "p", "", "salesforce");
    let created = store.crm_link_writes.create(&changed(&gone), &late).await;
    assert_eq!(created.unwrap(), Replaced::Stale);
    assert_eq!(links(store, &gone).await, []);
    assert_eq!(accounts(store, CrmKind::Person, "p", None).await, []);
    let read = store.accounts.get(user(1), gone.id).await.unwrap();
    assert_eq!(read, None);
}

/// Ten at the same instant, all decided on the same account: one is made, the others are told.
pub async fn of_parallel_links_one_is_made(store: &Store) {
    let first = given(store, 1).await;
    let next = changed(&first);
    let wanted: Vec<_> = (1..=10)
        .map(|n| link(&first, n, &format!("p{n}"), "", "salesforce"))
        .collect();
    let making = wanted
        .iter()
        .map(|link| store.crm_link_writes.create(&next, link));
    let answers: Vec<_> = join_all(making)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();

    let done = answers.iter().filter(|answer| **answer == Replaced::Done);
    assert_eq!(done.count(), 1, "{answers:?}");
    let made = links(store, &first).await;
    assert_eq!(made.len(), 1);
    let winner = answers.iter().position(|answer| *answer == Replaced::Done);
    assert_eq!(made[0], wanted[winner.unwrap()]);
}

/// From neither end.
pub async fn a_deleted_account_leaves_no_links_behind(store: &Store) {
    let first = given(store, 1).await;
    let mut now = first.clone();
    for n in 1..=15 {
        now = linked(
            store,
            &now,
            &link(&first, n, &format!("p{n}"), "a", "hubspot"),
        )
        .await;
    }
    let (all, event) = (
        links(store, &first).await,
        event(EventType::AccountDeleted, 1),
    );
    let deleted = store.account_life.delete(&now, &all, event).await;
    assert_eq!(deleted.unwrap(), Replaced::Done);

    assert_eq!(links(store, &first).await, []);
    assert_eq!(accounts(store, CrmKind::Person, "p7", None).await, []);
    assert_eq!(accounts(store, CrmKind::Account, "a", None).await, []);
}

/// Its links were read before one more was made.
pub async fn an_account_that_was_linked_since_is_not_deleted(store: &Store) {
    let first = given(store, 1).await;
    let made = link(&first, 1, "p", "", "salesforce");
    linked(store, &first, &made).await;

    let event = event(EventType::AccountDeleted, 1);
    let deleted = store.account_life.delete(&first, &[], event).await;
    assert_eq!(deleted.unwrap(), Replaced::Stale);
    assert_eq!(links(store, &first).await, [made]);
}
