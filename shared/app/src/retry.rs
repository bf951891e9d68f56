//! Optimistic writing: read, decide, replace if nobody wrote in between, else again.

use std::future::Future;

use crate::error::AppError;
use crate::ports::Replaced;

/// How often a use case reads and decides before it gives up. Five losses in a row need five other writers of one item within some
/// tens of milliseconds: that is a storm, and one more attempt would feed it.
pub const ATTEMPTS: u32 = 5;

/// What one attempt came to.
#[derive(Debug)]
pub enum Attempt<T> {
    /// It is done, or needed nothing.
    Done(T),
    /// Somebody wrote in between.
    Stale,
}

impl<T> Attempt<T> {
    /// What a replace says about an attempt that comes to `value`.
    pub fn of(replaced: Replaced, value: T) -> Self {
        match replaced {
            Replaced::Done => Self::Done(value),
            Replaced::Stale => Self::Stale,
        }
    }
}

/// Runs `attempt`, which must read afresh each time, until it is done; [`AppError::Busy`] about `what` after [`ATTEMPTS`].
pub async fn retry_stale<T, F>(
    what: &'static str,
    mut attempt: impl FnMut() -> F,
) -> Result<T, AppError>
where
    F: Future<Output = Result<Attempt<T>, AppError>>,
{
    for _ in 0..ATTEMPTS {
        if let Attempt::Done(value) = attempt().await? {
            return Ok(value);
        }
    }
    Err(AppError::Busy { what })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_tries_again_while_stale_and_gives_up_in_the_end() {
        let mut left = ATTEMPTS;
        let done = retry_stale("The account", || {
            left -= 1;
            let stale = left > 0;
            async move {
                Ok(if stale {
                    Attempt::Stale
                } else {
                    Attempt::Done("written")
                })
            }
        })
        .await;
        assert_eq!(done.unwrap(), "written");

        let never = retry_stale("The account", || async { Ok(Attempt::<()>::Stale) }).await;
        assert!(matches!(
            never,
            Err(AppError::Busy {
                what: "The account"
            })
        ));
    }
}
