//! One thing goes wrong, and what becomes of it.

mod calendar;
mod clocks;
mod doubts;
mod outages;
mod plain;
mod reports;
mod servers;
mod test_mode;
mod told;
mod totals;
mod users;
