//! Figures for people and agents (API reference §9).
//!
//! Everything is computed from what is stored anyway: accounts carry their rates and reputation, day rows their figures. Rates are those of
//! [`agentwarm_core::warmup::reputation`], so that what is shown and what decides is one calculation.

pub mod account;
pub mod crm;
pub mod deliverability;
pub mod progress;
pub mod system;
