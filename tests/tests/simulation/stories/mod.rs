//! One thing goes wrong, and what becomes of it.

mod calendar;
mod clocks;
mod doubts;
mod errors;
mod moves;
mod outages;
mod partners;
mod plain;
mod releases;
mod reports;
mod rests;
mod rewritten;
mod servers;
mod test_mode;
mod told;
mod totals;
mod users;
