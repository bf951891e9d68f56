//! The local stack: the template's resources in an emulator, every function and trigger in this program.
//!
//! [`template`] reads `template.yaml`, [`deploy`] makes its resources, [`hosted`] builds its functions, each behind the gate of its own policy
//! ([`policy`]), [`triggers`] plays what AWS does between events and functions, and [`stack`] joins them under one clock. `make run` is a
//! thin main over it, and the acceptance tests start the same world.

pub mod api_client;
pub mod clock;
pub mod demo;
pub mod deploy;
pub mod dirty;
pub mod emulator;
pub mod hosted;
pub mod http_client;
pub mod invoke;
pub mod log;
pub mod policy;
pub mod registry;
pub mod remote;
pub mod run;
pub mod settings;
pub mod signals;
pub mod stack;
pub mod state;
pub mod template;
pub mod triggers;
pub mod view;
pub mod watch;

pub use stack::{Functions, Stack, StackConfig, StackError};
