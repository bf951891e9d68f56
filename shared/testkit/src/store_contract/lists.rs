//! The list of accounts: order, pages, filters, totals (decision 12).

use agentwarm_app::ports::accounts::AccountFilter;
use agentwarm_app::ports::{PageOf, PageRequest, PageStart};
use agentwarm_core::account::{Account, AccountStatus, Provider};
use agentwarm_core::audit::EventType;
use agentwarm_core::ids::{PoolId, UserId};

use super::Store;
use super::fixtures::{account, event, user};

/// Accounts 1 to `count`: every third paused, every fifth at another domain, every seventh on Gmail.
async fn given_accounts(store: &Store, owner: UserId, count: u32) -> PoolId {
    let pool = store.given_pool(owner, 1).await.id;
    for n in 1..=count {
        store.given_account(&varied(owner, n), pool).await;
    }
    pool
}

fn varied(owner: UserId, n: u32) -> Account {
    let mut account = account(owner, n);
    if n.is_multiple_of(3) {
        account.status = AccountStatus::Paused;
    }
    if n.is_multiple_of(5) {
        account.email = format!("Mailbox-{n}@birch.example.org").parse().unwrap();
    }
    if n.is_multiple_of(7) {
        account.provider = Provider::Gmail;
    }
    account
}

async fn list(
    store: &Store,
    filter: &AccountFilter,
    limit: u32,
    from: PageStart,
) -> PageOf<Account> {
    let page = PageRequest { limit, from };
    store.accounts.list(user(1), filter, &page).await.unwrap()
}

fn numbers(accounts: &[Account]) -> Vec<u32> {
    let number = |account: &Account| {
        let local = account.email.local_part();
        local.strip_prefix("mailbox-").unwrap().parse().unwrap()
    };
    accounts.iter().map(number).collect()
}

/// All pages of a filtered list, and how many there were.
async fn walk(store: &Store, filter: &AccountFilter, limit: u32) -> (Vec<u32>, u32) {
    let mut seen = Vec::new();
    let mut pages = 0;
    let mut from = PageStart::Offset(0);
    loop {
        let page = list(store, filter, limit, from).await;
        seen.extend(numbers(&page.items));
        pages += 1;
        match page.next {
            Some(next) => from = PageStart::After(next),
            None => return (seen, pages),
        }
    }
}

/// Of one user alone, with their number.
pub async fn accounts_are_listed_newest_first(store: &Store) {
    given_accounts(store, user(1), 4).await;
    let others_pool = store.given_pool(user(2), 1).await.id;
    let mut others = account(user(2), 9);
    others.email = "somebody@else.example".parse().unwrap();
    store.given_account(&others, others_pool).await;

    let page = list(store, &AccountFilter::default(), 10, PageStart::Offset(0)).await;

    assert_eq!(numbers(&page.items), [4, 3, 2, 1]);
    assert_eq!((page.total, page.total_is_lower_bound), (4, false));
    assert_eq!(page.next, None);
}

/// By cursor, each account once.
pub async fn pages_follow_each_other_without_gap_or_overlap(store: &Store) {
    given_accounts(store, user(1), 11).await;
    let (seen, pages) = walk(store, &AccountFilter::default(), 3).await;
    assert_eq!(seen, (1..=11).rev().collect::<Vec<_>>());
    assert_eq!(pages, 4);
}

/// Even if it is full.
pub async fn a_page_that_ends_at_the_end_has_no_next(store: &Store) {
    given_accounts(store, user(1), 6).await;
    let all = AccountFilter::default();
    let first = list(store, &all, 3, PageStart::Offset(0)).await;
    let second = list(store, &all, 3, PageStart::After(first.next.unwrap())).await;
    assert_eq!(numbers(&second.items), [3, 2, 1]);
    assert_eq!(second.next, None);
    assert_eq!(second.total, 6);
}

/// On top of pages; one beyond the end shows nothing and still tells the total.
pub async fn offsets_skip(store: &Store) {
    given_accounts(store, user(1), 7).await;
    let all = AccountFilter::default();
    let page = list(store, &all, 2, PageStart::Offset(4)).await;
    assert_eq!(numbers(&page.items), [3, 2]);
    assert!(page.next.is_some());
    assert_eq!(page.total, 7);

    let last = list(store, &all, 2, PageStart::Offset(6)).await;
    assert_eq!((numbers(&last.items), last.next), (vec![1], None));
    let beyond = list(store, &all, 2, PageStart::Offset(7)).await;
    assert_eq!((beyond.items.len(), beyond.next), (0, None));
    assert_eq!(beyond.total, 7);

    let paused = AccountFilter {
        status: Some(AccountStatus::Paused),
        ..AccountFilter::default()
    };
    let second_paused = list(store, &paused, 5, PageStart::Offset(1)).await;
    assert_eq!(numbers(&second_paused.items), [3]);
    assert_eq!(second_paused.total, 2);
}

/// Each alone, and together.
pub async fn filters_narrow_a_list_and_its_total(store: &Store) {
    given_accounts(store, user(1), 15).await;
    let text = |text: &str| Some(text.to_owned());
    let none = AccountFilter::default;
    let cases = [
        (
            AccountFilter {
                status: Some(AccountStatus::Paused),
                ..none()
            },
            vec![15, 12, 9, 6, 3],
        ),
        (
            AccountFilter {
                provider: Some(Provider::Gmail),
                ..none()
            },
            vec![14, 7],
        ),
        (
            AccountFilter {
                email: text("BOX-1"),
                ..none()
            },
            vec![15, 14, 13, 12, 11, 10, 1],
        ),
        (
            AccountFilter {
                domain: text("Birch.example.org"),
                ..none()
            },
            vec![15, 10, 5],
        ),
        (
            AccountFilter {
                domain: text("birch.example"),
                ..none()
            },
            vec![],
        ),
        (
            AccountFilter {
                status: Some(AccountStatus::Paused),
                email: text("box-1"),
                domain: text("birch.example.org"),
                ..none()
            },
            vec![15],
        ),
    ];
    for (filter, expected) in cases {
        let page = list(store, &filter, 10, PageStart::Offset(0)).await;
        assert_eq!(numbers(&page.items), expected, "{filter:?}");
        let total = usize::try_from(page.total).unwrap();
        assert_eq!((total, page.next), (expected.len(), None), "{filter:?}");
    }
}

/// However many accounts the filter leaves out between them.
pub async fn filtered_pages_are_full(store: &Store) {
    given_accounts(store, user(1), 30).await;
    let gmail = AccountFilter {
        provider: Some(Provider::Gmail),
        ..AccountFilter::default()
    };
    let (seen, pages) = walk(store, &gmail, 2).await;
    assert_eq!(seen, [28, 21, 14, 7]);
    assert_eq!(pages, 2);

    let first = list(store, &gmail, 2, PageStart::Offset(0)).await;
    let second = list(store, &gmail, 2, PageStart::After(first.next.unwrap())).await;
    assert_eq!((first.total, second.total), (4, 4));
}

/// What comes and goes before the cursor moves nothing after it; the account it names may be gone.
pub async fn a_cursor_is_stable_under_writes(store: &Store) {
    let pool = given_accounts(store, user(1), 6).await;
    let all = AccountFilter::default();
    let first = list(store, &all, 2, PageStart::Offset(0)).await;
    assert_eq!(numbers(&first.items), [6, 5]);

    let newer = account(user(1), 20);
    store.given_account(&newer, pool).await;
    let gone = first.items.last().unwrap();
    let event = event(EventType::AccountDeleted, 1);
    let _ = store.account_life.delete(gone, &[], event).await.unwrap();

    let second = list(store, &all, 2, PageStart::After(first.next.unwrap())).await;
    assert_eq!(numbers(&second.items), [4, 3]);
    assert_eq!(second.total, 6);
}

/// A cursor is a text that a client sends: one from another list, or nonsense, leads nowhere else.
pub async fn a_foreign_cursor_shows_nothing_of_others(store: &Store) {
    given_accounts(store, user(1), 3).await;
    for nonsense in ["", "~~~", "key#", "cred#~", "\u{10ffff}", "zzz"] {
        let from = PageStart::After(nonsense.to_owned());
        let page = list(store, &AccountFilter::default(), 10, from).await;
        let own = page.items.iter().all(|account| account.user == user(1));
        assert!(own, "{nonsense:?}");
    }
}
