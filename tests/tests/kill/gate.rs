//! What the proxies share: where the next kill is aimed at, and the shutter that falls when it is reached.
//!
//! Each proxy tells every [`Moment`] before it lets it pass. The one that is aimed at does not pass, and from that instant on nothing
//! passes any more, in any direction: the process is as good as dead before the signal reaches it.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use agentwarm_core::ids::SlotId;
use jiff::Timestamp;
use tokio::sync::{mpsc, watch};

use crate::points::{Moment, Point, Stage};

/// A kill that is to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Aim {
    /// For the histogram.
    pub(crate) stage: Stage,
    /// Where.
    pub(crate) point: Point,
    /// How many moments of the kind pass before.
    pub(crate) passes: u64,
}

/// The aim was reached: time to kill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hit {
    /// What was aimed at.
    pub(crate) aim: Aim,
    /// The slot that was being worked at, where one was.
    pub(crate) slot: Option<SlotId>,
    /// What was held, in words.
    pub(crate) held: String,
}

/// Shared by all proxies.
#[derive(Clone)]
pub(crate) struct Gate(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    hits: mpsc::UnboundedSender<Hit>,
    clock: watch::Sender<Option<Timestamp>>,
}

#[derive(Default)]
struct State {
    aim: Option<Aim>,
    shut: bool,
    /// The slot that each account claimed last, by the account's id.
    claimed: BTreeMap<String, SlotId>,
    /// The accounts' ids by address.
    accounts: BTreeMap<String, String>,
}

/// The moment that was aimed at: nothing passes any more, and the kill comes when it is fired.
#[must_use]
pub(crate) struct Shot {
    gate: Gate,
    hit: Hit,
}

impl Shot {
    /// Asks for the kill; never returns.
    pub(crate) async fn fire(self) -> ! {
        // The test ended: nobody is left to be told.
        let _ = self.gate.0.hits.send(self.hit);
        pending().await
    }
}

impl Gate {
    /// An open gate, where hits are told and what the runner's schedule clock says.
    pub(crate) fn new() -> (
        Self,
        mpsc::UnboundedReceiver<Hit>,
        watch::Receiver<Option<Timestamp>>,
    ) {
        let (hits, told) = mpsc::unbounded_channel();
        let (clock, watched) = watch::channel(None);
        let inner = Inner {
            state: Mutex::default(),
            hits,
            clock,
        };
        (Self(Arc::new(inner)), told, watched)
    }

    /// Aims at the next kill.
    pub(crate) fn aim(&self, aim: Option<Aim>) {
        self.state().aim = aim;
    }

    /// Opens it for a new process.
    pub(crate) fn open(&self) {
        let mut state = self.state();
        (state.aim, state.shut) = (None, false);
        self.0.clock.send_replace(None);
    }

    /// Who is behind an address.
    pub(crate) fn know(&self, accounts: BTreeMap<String, String>) {
        self.state().accounts = accounts;
    }

    /// The runner's schedule clock, as it just stored it.
    pub(crate) fn tick(&self, now: Timestamp) {
        self.0.clock.send_replace(Some(now));
    }

    /// `account` claimed `slot`.
    pub(crate) fn claimed(&self, account: &str, slot: SlotId) {
        self.state().claimed.insert(account.to_owned(), slot);
    }

    /// The slot that the account at `address` claimed last.
    pub(crate) fn claim_of(&self, address: &str) -> Option<SlotId> {
        let state = self.state();
        state.claimed.get(state.accounts.get(address)?).copied()
    }

    /// Returns where something may pass, and never once the gate is shut.
    pub(crate) async fn pass(&self) {
        if self.state().shut {
            pending::<()>().await;
        }
    }

    /// Whether this moment is the one that is aimed at. If so, the gate is shut.
    pub(crate) fn reached(&self, moment: &Moment, slot: Option<SlotId>) -> Option<Shot> {
        let mut state = self.state();
        if state.shut {
            return None;
        }
        let aim = state.aim.filter(|aim| aim.point.is_at(moment))?;
        if aim.passes > 0 {
            state.aim = Some(Aim {
                passes: aim.passes - 1,
                ..aim
            });
            return None;
        }
        (state.aim, state.shut) = (None, true);
        let held = match moment {
            Moment::Writing(write) | Moment::Written(write) => write.name.clone(),
            other => format!("{other:?}"),
        };
        Some(Shot {
            gate: self.clone(),
            hit: Hit { aim, slot, held },
        })
    }

    /// Lets a moment pass unless it is the one that is aimed at or the gate is shut already: then this never returns.
    pub(crate) async fn let_pass(&self, moment: &Moment, slot: Option<SlotId>) {
        if let Some(shot) = self.reached(moment, slot) {
            shot.fire().await;
        }
        self.pass().await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
