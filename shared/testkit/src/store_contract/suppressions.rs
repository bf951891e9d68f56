//! Addresses that get no warmup mail.

use agentwarm_app::ports::days::SuppressionReason;
use jiff::Timestamp;

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

/// To what was said last.
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
