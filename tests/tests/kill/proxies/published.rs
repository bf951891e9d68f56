//! What the bus is told of accepted mails: `warmup.email_sent` leaves by the bus alone, the audit log does not keep it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use agentwarm_aws::eventbridge::EventDetail;
use agentwarm_core::audit::EventType;
use serde_json::Value;

/// The ids of the events that told of each slot's mail, by the slot's id.
pub(crate) type EventIds = BTreeMap<String, BTreeSet<String>>;

/// Takes note of every event that reached the bus.
#[derive(Clone, Default)]
pub(crate) struct Published(Arc<Mutex<EventIds>>);

impl Published {
    /// Reads a request that the emulator carried out.
    pub(super) fn note(&self, target: &str, body: &Value) {
        if target != "AWSEvents.PutEvents" {
            return;
        }
        let mut ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for entry in body["Entries"].as_array().into_iter().flatten() {
            let detail: EventDetail =
                serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap();
            if detail.event.event_type == EventType::WarmupEmailSent {
                let slot = detail.event.metadata["slotId"].as_str().unwrap().to_owned();
                ids.entry(slot).or_default().insert(detail.id);
            }
        }
    }

    /// What is known so far.
    pub(crate) fn read(&self) -> EventIds {
        let ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ids.clone()
    }
}
