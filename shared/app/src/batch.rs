//! The same for several things, each by itself (decision 9): what fails for one is that one's answer.

use std::future::Future;

use agentwarm_core::ids::AccountId;
use futures::StreamExt;
use tokio::time::{Instant, timeout_at};

use crate::error::AppError;

/// Does `act` for each of `items`, `at_once` of them side by side, and answers in their order. What is not done by the `deadline` is cut
/// off, or not begun, and fails with `late` (decision 15).
pub(crate) async fn each<I, T, F>(
    items: Vec<I>,
    at_once: usize,
    deadline: Instant,
    late: fn() -> AppError,
    act: impl Fn(I) -> F,
) -> Vec<Result<T, AppError>>
where
    F: Future<Output = Result<T, AppError>>,
{
    let act = &act;
    futures::stream::iter(items)
        .map(|item| async move {
            if Instant::now() >= deadline {
                return Err(late());
            }
            let acted = timeout_at(deadline, act(item)).await;
            acted.unwrap_or_else(|_| Err(late()))
        })
        .buffered(at_once.max(1))
        .collect()
        .await
}

/// [`each`] for accounts by their ids as the client wrote them: what is no id is no account.
pub(crate) async fn each_account<T, F>(
    ids: &[String],
    at_once: usize,
    deadline: Instant,
    late: fn() -> AppError,
    act: impl Fn(AccountId) -> F,
) -> Vec<Result<T, AppError>>
where
    F: Future<Output = Result<T, AppError>>,
{
    let act = &act;
    each(
        ids.iter().collect(),
        at_once,
        deadline,
        late,
        |id: &String| {
            let id = id.parse().map_err(|_| AppError::AccountNotFound);
            async move { act(id?).await }
        },
    )
    .await
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    fn late() -> AppError {
        AppError::Busy { what: "It" }
    }

    #[tokio::test]
    async fn each_has_its_own_answer_in_its_place_and_few_run_at_once() {
        let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let deadline = Instant::now() + Duration::from_mins(1);
        let answers = each((0..7).collect(), 3, deadline, late, |n: u32| {
            let (running, most) = (&running, &most);
            async move {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                for _ in n..7 {
                    tokio::task::yield_now().await;
                }
                running.fetch_sub(1, Ordering::SeqCst);
                if n == 2 {
                    Err(AppError::AccountNotFound)
                } else {
                    Ok(n)
                }
            }
        })
        .await;
        let answers: Vec<_> = answers.into_iter().map(Result::ok).collect();
        let expected = [Some(0), Some(1), None, Some(3), Some(4), Some(5), Some(6)];
        assert_eq!(answers, expected);
        assert_eq!(most.into_inner(), 3);
    }

    #[tokio::test]
    async fn what_is_not_done_in_time_fails_and_the_rest_is_not_begun() {
        let begun = AtomicUsize::new(0);
        let deadline = Instant::now() + Duration::from_secs(1);
        let answers = each(
            vec![false, true, false, false],
            1,
            deadline,
            late,
            |hangs| {
                begun.fetch_add(1, Ordering::SeqCst);
                async move {
                    if hangs {
                        std::future::pending::<()>().await;
                    }
                    Ok(())
                }
            },
        )
        .await;
        let done: Vec<_> = answers.iter().map(Result::is_ok).collect();
        assert_eq!(done, [true, false, false, false]);
        assert_eq!(begun.into_inner(), 2);
    }
}
