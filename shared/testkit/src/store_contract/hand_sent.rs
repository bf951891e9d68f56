//! Mails that people sent.

use agentwarm_app::ports::hand_sent::Taken;
use futures::future::join_all;
use jiff::civil::date;

use super::Store;
use super::fixtures::{mailbox, user};

/// However many ask at once; what was given back can be taken again; each account and date by itself.
pub async fn parallel_mails_do_not_pass_the_maximum(store: &Store) {
    let today = date(2026, 3, 13);
    let take = async |n, day, max| {
        store
            .hand_sent
            .take(mailbox(user(1), n), day, max)
            .await
            .unwrap()
    };
    let taken = join_all((0..20).map(|_| take(1, today, 7))).await;
    let done = taken.iter().filter(|taken| **taken == Taken::Done);
    assert_eq!(done.count(), 7);
    assert_eq!(take(1, today, 7).await, Taken::Full { count: 7 });
    assert_eq!(take(1, today, 3).await, Taken::Full { count: 7 });
    let own = mailbox(user(1), 1);
    store.hand_sent.give_back(own, today).await.unwrap();
    assert_eq!(take(1, today, 7).await, Taken::Done);
    assert_eq!(take(1, today, 7).await, Taken::Full { count: 7 });

    assert_eq!(take(1, date(2026, 3, 14), 1).await, Taken::Done);
    assert_eq!(take(2, today, 0).await, Taken::Full { count: 0 });
    assert_eq!(take(2, today, 1).await, Taken::Done);
}
