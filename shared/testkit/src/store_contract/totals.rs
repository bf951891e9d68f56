//! How many mails a user's accounts send together.

use agentwarm_app::ports::totals::LetGo;
use futures::future::join_all;
use jiff::civil::{Date, date};

use super::Store;
use super::fixtures::user;

const DAY: Date = date(2026, 3, 13);

async fn let_go(store: &Store, count: u32) -> LetGo {
    store.totals.let_go(user(1), DAY, count, 10).await.unwrap()
}

/// Up to the most that may, each user and day for itself, and none of a number that does not fit as a whole.
pub async fn mails_are_let_go_up_to_the_most_that_may(store: &Store) {
    assert_eq!(let_go(store, 11).await, LetGo::No { total: 0 });
    assert_eq!(let_go(store, 6).await, LetGo::Yes { total: 6 });
    assert_eq!(let_go(store, 5).await, LetGo::No { total: 6 });
    assert_eq!(let_go(store, 4).await, LetGo::Yes { total: 10 });
    assert_eq!(let_go(store, 1).await, LetGo::No { total: 10 });
    for (owner, day) in [(user(2), DAY), (user(1), date(2026, 3, 14))] {
        let others = store.totals.let_go(owner, day, 1, 10).await.unwrap();
        assert_eq!(others, LetGo::Yes { total: 1 });
    }
}

/// However many ask at once.
pub async fn parallel_mails_do_not_pass_the_most_that_may(store: &Store) {
    let answers = join_all((0..20).map(|_| let_go(store, 1))).await;
    let gone = answers
        .iter()
        .filter(|answer| matches!(answer, LetGo::Yes { .. }));
    assert_eq!(gone.count(), 10);
}
