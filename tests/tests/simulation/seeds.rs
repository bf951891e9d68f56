//! Which worlds are run, and how many at once.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use agentwarm_core::seed::Seed;

/// The numbers to run a test with: `AW_SEEDS` of them from `AW_SEED` on; one, if only that is given; else the first `default`.
pub(crate) fn numbers(default: u64) -> Range<u64> {
    let first = number("AW_SEED");
    let count = number("AW_SEEDS").unwrap_or(if first.is_some() { 1 } else { default });
    let first = first.unwrap_or(1);
    first..first + count
}

/// The number to run a story with.
pub(crate) fn story() -> u64 {
    number("AW_SEED").unwrap_or(1)
}

/// The seed of world `number` of the test `name`.
pub(crate) fn seed(name: &str, number: u64) -> Seed {
    Seed::root(name.as_bytes()).child_bytes("world", &number.to_be_bytes())
}

/// Runs a world for each of the numbers, on all cores: what each came to, in their order, or the first that failed and its complaint. Once one
/// failed no other begins.
pub(crate) fn run_all<T: Send>(
    numbers: Range<u64>,
    run: impl Fn(u64) -> T + Sync,
) -> Result<Vec<T>, (u64, String)> {
    let next = AtomicU64::new(numbers.start);
    let failed = AtomicBool::new(false);
    let work = || {
        let mut outcomes = Vec::new();
        while !failed.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= numbers.end {
                break;
            }
            let outcome = catch_unwind(AssertUnwindSafe(|| run(number)));
            failed.fetch_or(outcome.is_err(), Ordering::Relaxed);
            outcomes.push((number, outcome));
        }
        outcomes
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut outcomes: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        let done = workers.into_iter().map(|worker| worker.join().unwrap());
        done.flatten().collect()
    });
    outcomes.sort_by_key(|(number, _)| *number);
    let outcomes = outcomes.into_iter().map(|(number, outcome)| {
        outcome.map_err(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
            (number, text.unwrap_or_default())
        })
    });
    outcomes.collect()
}

/// How to run the world again in which a test failed. (What runs many says it itself, and runs them on threads without a name.)
pub(crate) fn replay(number: u64) -> String {
    let thread = std::thread::current();
    let command = "cargo nextest run -p agentwarm-tests --test simulation";
    thread.name().map_or_else(String::new, |test| {
        format!(" (`AW_SEED={number} {command} -E 'test(={test})'` replays it)")
    })
}

/// Runs a world's future to its end on this thread.
pub(crate) fn block_on<T>(world: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(world)
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var_os(variable)?;
    let number = text.to_str().and_then(|text| text.parse().ok());
    Some(number.unwrap_or_else(|| panic!("{variable} is no number")))
}

#[test]
fn a_failure_prints_the_command_that_replays_it() {
    assert_eq!(
        replay(7),
        " (`AW_SEED=7 cargo nextest run -p agentwarm-tests --test simulation \
         -E 'test(=seeds::a_failure_prints_the_command_that_replays_it)'` replays it)"
    );
    let unnamed = thread::spawn(|| replay(7));
    assert_eq!(unnamed.join().unwrap(), "");
}

#[test]
fn the_first_failure_is_reported_whichever_worker_met_it() {
    let run = |number: u64| {
        assert!(number % 4 != 3, "{number} fails");
        number
    };
    assert_eq!(run_all(4..7, run), Ok(vec![4, 5, 6]));
    assert_eq!(run_all(4..30, run), Err((7, "7 fails".to_owned())));
}
