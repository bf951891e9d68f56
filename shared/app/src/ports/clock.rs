//! Time and chance, as arguments of everything else.

use jiff::Timestamp;

/// The two clocks. What lives in days may run faster than real time; what waits for other machines may not.
pub trait Clock: Send + Sync {
    /// Real time: HTTP, rate limits, idempotency, leases, time-outs, TTL.
    fn wall(&self) -> Timestamp;

    /// The time that days, slots and engagement live in. On AWS it is [`Clock::wall`]; the local stack moves it faster.
    fn schedule(&self) -> Timestamp;
}

/// Unpredictable bits, for ids, keys and lease owners.
pub trait Entropy: Send + Sync {
    /// 128 fresh bits.
    fn bits(&self) -> u128;
}
