//! Addresses that get no warmup mail.

use agentwarm_app::ports::days::SuppressionReason;
use agentwarm_app::ports::suppressions::{Suppression, SuppressionFilter};
use agentwarm_app::ports::{PageOf, PageRequest, PageStart};
use agentwarm_core::email::EmailAddress;
use jiff::{SignedDuration, Timestamp};

use super::Store;
use super::fixtures::{after, now, user};

async fn suppress(store: &Store, email: &str, until: Option<Timestamp>) {
    let reason = SuppressionReason::HardBounce;
    store
        .suppressions
        .suppress(user(1), email, reason, now(), until)
        .await
        .unwrap();
}

async fn suppressed(store: &Store, emails: &[&str], at: Timestamp) -> Vec<String> {
    let emails: Vec<_> = emails.iter().map(|&email| email.to_owned()).collect();
    store
        .suppressions
        .suppressed(user(1), &emails, at)
        .await
        .unwrap()
}

/// Then no more; without a time, for good.
pub async fn an_address_is_suppressed_until_its_time(store: &Store) {
    suppress(store, "week@acorn.example", Some(after(7))).await;
    suppress(store, "ever@acorn.example", None).await;
    let asked = [
        "never@acorn.example",
        "week@acorn.example",
        "ever@acorn.example",
    ];

    let mut early = suppressed(store, &asked, after(6)).await;
    early.sort();
    assert_eq!(early, ["ever@acorn.example", "week@acorn.example"]);
    let late = suppressed(store, &asked, after(7)).await;
    assert_eq!(late, ["ever@acorn.example"]);
    let asked = ["ever@acorn.example".to_owned()];
    let others = store.suppressions.suppressed(user(2), &asked, now()).await;
    assert_eq!(others.unwrap(), [] as [String; 0]);
}

/// Both when suppressed and when asked for; the answer has the asker's spelling.
pub async fn addresses_are_compared_whatever_their_case(store: &Store) {
    suppress(store, "Some.Body@Acorn.Example", None).await;
    let found = suppressed(store, &["SOME.body@acorn.example"], now()).await;
    assert_eq!(found, ["SOME.body@acorn.example"]);
}

/// To a later one.
pub async fn suppressing_again_changes_the_time(store: &Store) {
    let email = "mailbox@acorn.example";
    suppress(store, email, Some(after(7))).await;
    suppress(store, email, Some(after(7))).await;
    assert_eq!(
        suppressed(store, &[email], after(8)).await,
        [] as [String; 0]
    );
    suppress(store, email, Some(after(9))).await;
    assert_eq!(suppressed(store, &[email], after(8)).await, [email]);
    suppress(store, email, None).await;
    assert_eq!(suppressed(store, &[email], after(99)).await, [email]);
}

/// Over a hundred, some twice.
pub async fn many_addresses_are_looked_up_at_once(store: &Store) {
    let address = |n: u32| format!("mailbox-{n}@acorn.example");
    for n in (0..120).step_by(2) {
        suppress(store, &address(n), None).await;
    }
    let mut asked: Vec<_> = (0..120).map(address).collect();
    asked.push(address(0));
    let found = store.suppressions.suppressed(user(1), &asked, now());
    let mut found = found.await.unwrap();
    found.sort();
    found.dedup();
    assert_eq!(found.len(), 60);
    assert!(!found.contains(&address(1)));
    assert_eq!(suppressed(store, &[], now()).await, [] as [String; 0]);
}

fn address(n: u32) -> EmailAddress {
    format!("mailbox-{n}@acorn.example").parse().unwrap()
}

/// Puts address number `n` onto the list `n` seconds after now.
async fn put(
    store: &Store,
    n: u32,
    reason: SuppressionReason,
    until: Option<Timestamp>,
) -> Suppression {
    let at = after(i64::from(n));
    let list = &store.suppression_list;
    list.put(user(1), &address(n), reason, at, until)
        .await
        .unwrap()
}

async fn list(
    store: &Store,
    owner: u128,
    filter: SuppressionFilter,
    page: &PageRequest,
) -> PageOf<Suppression> {
    let list = &store.suppression_list;
    list.list(user(owner), &filter, page).await.unwrap()
}

async fn all(store: &Store, filter: SuppressionFilter) -> Vec<Suppression> {
    list(store, 1, filter, &first(100)).await.items
}

fn first(limit: u32) -> PageRequest {
    PageRequest {
        limit,
        from: PageStart::Offset(0),
    }
}

/// Whoever said it, the user or the engine.
pub async fn the_list_shows_what_was_said_last_newest_first(store: &Store) {
    let one = put(store, 1, SuppressionReason::Manual, Some(after(99))).await;
    suppress(store, "Bounced@Acorn.Example", Some(after(7))).await;
    let two = put(store, 2, SuppressionReason::Complaint, None).await;

    let listed = all(store, SuppressionFilter::default()).await;
    assert_eq!([&listed[0], &listed[1]], [&two, &one]);
    assert_eq!(one.expires_at, Some(after(99)));
    assert_eq!((one.created_at, one.suppressed_at), (after(1), after(1)));
    let engines = &listed[2];
    assert_eq!(engines.email, "bounced@acorn.example");
    assert_eq!(engines.reason, SuppressionReason::HardBounce);
    assert_eq!(engines.expires_at, Some(after(7)));
    assert_eq!(listed.len(), 3);
}

/// Its id, its place and the time it came; what was said of it last counts.
pub async fn an_address_keeps_its_entry_however_often_it_is_suppressed(store: &Store) {
    let before = put(store, 1, SuppressionReason::Manual, Some(after(9))).await;
    put(store, 2, SuppressionReason::Manual, None).await;
    suppress(store, "MAILBOX-1@acorn.example", None).await;
    let again = all(store, SuppressionFilter::default()).await.remove(1);
    assert_eq!(
        again,
        Suppression {
            reason: SuppressionReason::HardBounce,
            suppressed_at: now(),
            expires_at: None,
            ..before
        }
    );
}

/// A mailbox that is full for a week does not end what its user, or a bounce, said for longer. What has expired is suppressed anew.
pub async fn an_entry_is_not_shortened_by_what_the_engine_says(store: &Store) {
    for (n, until) in [(1, None), (2, Some(after(9)))] {
        let manual = put(store, n, SuppressionReason::Manual, until).await;
        suppress(store, address(n).as_str(), Some(after(7))).await;
        let listed = all(store, SuppressionFilter::default()).await.remove(0);
        assert_eq!(listed, manual);
    }
    let over = now() - SignedDuration::from_secs(1);
    put(store, 3, SuppressionReason::Manual, Some(over)).await;
    suppress(store, address(3).as_str(), Some(after(7))).await;
    let listed = all(store, SuppressionFilter::default()).await.remove(0);
    assert_eq!(listed.reason, SuppressionReason::HardBounce);
    assert_eq!(listed.expires_at, Some(after(7)));
    put(store, 1, SuppressionReason::Manual, Some(after(5))).await;
    let listed = all(store, SuppressionFilter::default()).await.remove(2);
    assert_eq!(listed.expires_at, Some(after(5)), "its user may");
}

/// However they interleave.
pub async fn of_parallel_suppressions_of_an_address_one_entry_comes(store: &Store) {
    let puts = (1..=4).map(|second| {
        let (list, at) = (store.suppression_list.clone(), after(second));
        async move {
            let reason = SuppressionReason::Manual;
            list.put(user(1), &address(1), reason, at, None).await
        }
    });
    let entries = futures::future::join_all(puts).await;
    let listed = all(store, SuppressionFilter::default()).await;
    assert_eq!(listed.len(), 1);
    for entry in entries {
        assert_eq!(entry.unwrap().id, listed[0].id);
    }
}

/// And can be suppressed anew.
pub async fn what_is_taken_off_the_list_gets_mail_again(store: &Store) {
    let remove = async || {
        let list = &store.suppression_list;
        list.remove(user(1), &address(1)).await.unwrap()
    };
    assert!(!remove().await, "it was never there");
    put(store, 1, SuppressionReason::Manual, None).await;
    put(store, 2, SuppressionReason::Manual, None).await;
    assert!(remove().await);
    assert!(!remove().await);
    let both = [address(1), address(2)].map(|email| email.as_str().to_owned());
    let still = store
        .suppressions
        .suppressed(user(1), &both, after(9))
        .await;
    assert_eq!(still.unwrap(), [both[1].clone()]);
    assert_eq!(all(store, SuppressionFilter::default()).await.len(), 1);
    put(store, 1, SuppressionReason::Manual, None).await;
    assert_eq!(all(store, SuppressionFilter::default()).await.len(), 2);
}

/// An entry expires at its time, not after it.
pub async fn each_filter_narrows_the_list_and_its_total(store: &Store) {
    put(store, 1, SuppressionReason::Manual, Some(after(20))).await;
    put(store, 2, SuppressionReason::Complaint, None).await;
    put(store, 3, SuppressionReason::Manual, None).await;
    let at = |reason, in_force_at| SuppressionFilter {
        reason,
        in_force_at,
    };
    let manual = Some(SuppressionReason::Manual);
    let nearly = after(20) - SignedDuration::from_nanos(1);
    for (filter, shown) in [
        (at(None, None), vec![3, 2, 1]),
        (at(manual, None), vec![3, 1]),
        (at(Some(SuppressionReason::HardBounce), None), vec![]),
        (at(None, Some(nearly)), vec![3, 2, 1]),
        (at(None, Some(after(20))), vec![3, 2]),
        (at(manual, Some(after(20))), vec![3]),
    ] {
        let page = list(store, 1, filter, &first(100)).await;
        let emails: Vec<_> = page.items.into_iter().map(|entry| entry.email).collect();
        let expected: Vec<_> = shown.into_iter().map(|n| address(n).to_string()).collect();
        assert_eq!(emails, expected, "{filter:?}");
        assert_eq!(page.total as usize, expected.len(), "{filter:?}");
    }
}

/// By cursor, which an entry that is renewed does not disturb, and by offset.
pub async fn the_list_is_paged(store: &Store) {
    for n in 1..=5 {
        put(store, n, SuppressionReason::Manual, None).await;
    }
    let shown = async |page: &PageRequest| {
        let page = list(store, 1, SuppressionFilter::default(), page).await;
        let emails: Vec<_> = page.items.into_iter().map(|entry| entry.email).collect();
        assert_eq!(page.total, 5);
        (emails, page.next)
    };
    let (emails, next) = shown(&first(2)).await;
    assert_eq!(emails, [address(5), address(4)].map(|it| it.to_string()));
    put(store, 4, SuppressionReason::Complaint, None).await;
    let (emails, _) = shown(&PageRequest {
        limit: 2,
        from: PageStart::After(next.unwrap()),
    })
    .await;
    assert_eq!(emails, [address(3), address(2)].map(|it| it.to_string()));
    let (emails, next) = shown(&PageRequest {
        limit: 2,
        from: PageStart::Offset(4),
    })
    .await;
    assert_eq!((emails, next), (vec![address(1).to_string()], None));
}

/// Others neither see nor change it.
pub async fn the_list_is_its_users_own(store: &Store) {
    put(store, 1, SuppressionReason::Manual, None).await;
    let theirs = list(store, 2, SuppressionFilter::default(), &first(9)).await;
    assert_eq!((theirs.items, theirs.total), (Vec::new(), 0));
    let removed = store.suppression_list.remove(user(2), &address(1)).await;
    assert!(!removed.unwrap());
    assert_eq!(all(store, SuppressionFilter::default()).await.len(), 1);
}
