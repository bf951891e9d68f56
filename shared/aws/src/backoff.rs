//! Waiting before the next try, a little longer each time and never in step with others.

use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};

/// How many tries there are in all. With the pauses below that is about two seconds, well inside a request's 25 (decision 15).
const TRIES: u32 = 10;
/// The longest that the first pause can be.
const FIRST: Duration = Duration::from_millis(20);
/// The longest that any pause can be.
const LONGEST: Duration = Duration::from_millis(400);

/// Pauses of random length under a doubling ceiling ("full jitter", AWS Architecture Blog, "Exponential Backoff And Jitter").
#[derive(Debug)]
pub(crate) struct Backoff {
    tries_left: u32,
    ceiling: Duration,
}

impl Backoff {
    /// For a first try that is about to be made.
    pub(crate) const fn new() -> Self {
        Self {
            tries_left: TRIES - 1,
            ceiling: FIRST,
        }
    }

    /// Waits for the next try; false when there is none.
    pub(crate) async fn wait(&mut self) -> bool {
        let Some(left) = self.tries_left.checked_sub(1) else {
            return false;
        };
        self.tries_left = left;
        tokio::time::sleep(self.ceiling.mul_f64(random_share())).await;
        self.ceiling = (self.ceiling * 2).min(LONGEST);
        true
    }
}

/// A number in [0, 1). Where the system has no randomness the pause is merely not jittered.
fn random_share() -> f64 {
    let mut random = [0; 4];
    match SystemRandom::new().fill(&mut random) {
        Ok(()) => f64::from(u32::from_le_bytes(random)) / (f64::from(u32::MAX) + 1.0),
        Err(_) => 0.5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_gives_up_in_time() {
        let start = tokio::time::Instant::now();
        let mut backoff = Backoff::new();
        let mut pauses = 0;
        while backoff.wait().await {
            pauses += 1;
        }

        assert_eq!(pauses, TRIES - 1);
        assert!(start.elapsed() < Duration::from_secs(4));
    }
}
