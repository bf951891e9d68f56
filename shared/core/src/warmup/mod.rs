//! The rules of warmup: what a mailbox does on a day, and what its figures make of it.
//!
//! Decide, then do: everything here decides. `app` loads the inputs, calls these functions and carries the result out with conditional
//! writes. The same input gives the same plan and the same slot ids, so doing it again changes nothing.
//!
//! By the course of a day:
//!
//! - [`calendar`]: sending days, working hours, when each day is planned; [`day_count`], [`ramp`], [`phase`]: which day it is and what
//!   that means.
//! - [`planner`]: the day's plan, from its [`volume`], its [`partners`] and its instants ([`slots`]); [`check`]: what must be true of it.
//! - [`due`]: what is to happen when, and what a tick hands out; [`spacing`]: instants that keep their distance.
//! - [`engage`]: what a receiver does with a mail.
//! - [`day`], [`figures`]: the day, as planned and as it turned out; [`reputation`]: one number for it.
//! - [`judge`]: what the figures lead to, by their [`evidence`].
//! - [`diagnosis`]: why an account does not send, or not more.
//! - [`transition`], [`connection`]: where an account stands, and what moves it.
//! - [`thresholds`]: the numbers behind all of it.

pub mod calendar;
pub mod check;
pub mod connection;
pub mod day;
pub mod day_count;
pub mod deliverability;
pub mod diagnosis;
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
pub mod test_mode;
pub mod thresholds;
pub mod transition;
pub mod volume;

#[cfg(test)]
pub(crate) mod samples;
