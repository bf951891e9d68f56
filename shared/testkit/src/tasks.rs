//! Tasks side by side on one thread, in an order that a seed decides.
//!
//! Nothing in a test's world ever really waits, so a task that is pending without having asked to be woken will never go on: it hangs, or
//! [`Chaos`] killed it. Such a task is dropped where it stands, as the process of a killed function is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures::future::BoxFuture;

use crate::chaos::{Chaos, TaskId};

/// Runs all `tasks`; what each came to, none for one that died. While `chaos` is calm they run one after the other, else their turns are
/// drawn.
pub fn run<T>(chaos: &Chaos, tasks: Vec<BoxFuture<'_, T>>) -> Vec<Option<T>> {
    let mut outcomes: Vec<Option<T>> = tasks.iter().map(|_| None).collect();
    let mut waiting: Vec<(TaskId, BoxFuture<'_, T>)> = (0..).zip(tasks).collect();
    let calm = chaos.is_calm();
    while !waiting.is_empty() {
        let turn = if calm { 0 } else { chaos.below(waiting.len()) };
        let Some((id, task)) = waiting.get_mut(turn) else {
            break;
        };
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(woken.clone());
        chaos.enter(Some(*id));
        let polled = task.as_mut().poll(&mut Context::from_waker(&waker));
        chaos.enter(None);
        match polled {
            Poll::Pending if woken.0.load(Ordering::Relaxed) => continue,
            Poll::Pending => {}
            Poll::Ready(_) if chaos.is_dead(*id) => {}
            Poll::Ready(outcome) => {
                if let Some(place) = usize::try_from(*id)
                    .ok()
                    .and_then(|id| outcomes.get_mut(id))
                {
                    *place = Some(outcome);
                }
            }
        }
        drop(waiting.remove(turn));
    }
    chaos.forget_tasks();
    outcomes
}

/// Whether somebody asked for another turn.
#[derive(Debug, Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use agentwarm_core::seed::Seed;
    use futures::FutureExt;

    use super::*;
    use crate::chaos::{Rates, Stroke};
    use crate::memory::Fault;

    #[test]
    fn the_dead_leave_nothing_and_the_living_finish() {
        let chaos = Chaos::seeded(&Seed::root(b"tasks"));
        chaos.set(Rates {
            pause: 0.3,
            death: 0.05,
            ..Rates::default()
        });
        let task = |n: u32| {
            let chaos = &chaos;
            async move {
                for _ in 0..10 {
                    let _ = chaos.pass("work").await;
                }
                n
            }
            .boxed()
        };
        let outcomes = run(&chaos, (0..100).map(task).collect());
        let living = outcomes.iter().flatten().count();
        assert!((30..90).contains(&living), "{living}");
        assert!(
            (0..)
                .zip(&outcomes)
                .all(|(n, outcome)| outcome.is_none_or(|it| it == n))
        );
        assert!(chaos.met().contains_key(&("work", "death")));
    }

    #[test]
    fn nobody_hears_of_a_task_that_died_at_its_last_call() {
        let chaos = Chaos::default();
        let task = || async { chaos.pass("work").await.is_some() }.boxed();
        chaos.script("work", Stroke::DiesAfter);
        chaos.script("work", Stroke::Fails(Fault::Unavailable));
        assert_eq!(chaos.unmet(), ["work"]);
        let outcomes = run(&chaos, vec![task(), task(), task()]);
        assert_eq!(outcomes, [None, Some(true), Some(false)]);
        assert!(chaos.unmet().is_empty());
    }

    #[test]
    fn what_hangs_is_dropped() {
        let chaos = Chaos::default();
        let outcomes = run(
            &chaos,
            vec![std::future::pending().boxed(), async { 7 }.boxed()],
        );
        assert_eq!(outcomes, [None, Some(7)]);
    }
}
