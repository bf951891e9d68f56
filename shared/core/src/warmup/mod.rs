//! The rules of warmup: what a mailbox does on a day, and what its figures make of it.
//!
//! Decide, then do: everything here decides. `app` loads the inputs, calls these functions and carries the result out with conditional
//! writes. The same input gives the same plan and the same slot ids, so doing it again changes nothing.
//!
//! - [`day`], [`figures`]: an account's day, as planned and as it turned out.
//! - [`calendar`]: sending days, working hours, moments of planning; [`day_count`], [`ramp`], [`phase`]: what a day's number is and means.
//! - [`reputation`], [`transition`], [`connection`]: how an account fares, and where it stands.
//! - [`due`]: what is to happen when; [`spacing`]: instants that keep their distance.
//! - [`thresholds`]: the numbers behind all of it.

pub mod calendar;
pub mod check;
pub mod connection;
pub mod day;
pub mod day_count;
pub mod due;
pub mod engage;
pub mod evidence;
pub mod figures;
pub mod judge;
pub mod partners;
pub mod phase;
pub mod planner;
pub mod ramp;
pub mod reputation;
pub mod slots;
pub mod spacing;
pub mod thresholds;
pub mod transition;
pub mod volume;

#[cfg(test)]
pub(crate) mod samples;
