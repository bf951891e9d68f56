//! The process that runs the tasks is killed again and again, and nothing is lost, stuck or doubled.
//!
//! The process is the program of `make run`, killed by SIGKILL and started anew; emulator and mail servers live on. It is aimed at by
//! [`proxies`] between the program and its servers: they see each conditional write and each line of SMTP and IMAP, hold the one that is
//! aimed at ([`points`]), and nothing passes any more ([`gate`]). So a kill falls between two steps of the engine exactly, and the
//! product needs no switch for it.
//!
//! Three virtual days of this, then calm until everything has come to rest: leases end in real time, doubts and days in virtual time.
//! What is left is audited over the tables, the API and IMAP ([`audit`]).
//!
//! `make kill-test` runs it. The choice of points follows from a number that is printed; `AW_SEED=7` chooses as world 7 did. (What happens
//! between two kills depends on the machine's timing and does not replay.)

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that is surprised should stop"
)]

mod audit;
mod campaign;
mod gate;
mod points;
mod proxies;
mod runner;
mod world;

use std::time::Duration;

use campaign::Campaign;

/// The whole test on a busy machine, and then something is stuck.
const PATIENCE: Duration = Duration::from_mins(45);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a quarter of an hour: make kill-test"]
async fn kill_test() {
    tokio::time::timeout(PATIENCE, Campaign::fight())
        .await
        .expect("it is stuck");
}
