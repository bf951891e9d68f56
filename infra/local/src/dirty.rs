//! Which queues and streams may hold something new.
//!
//! Asking an empty queue costs as much as asking a full one, and most virtual minutes write nothing. All writers are hosted here and their
//! requests pass the gate, so it is known which queue or table was written since it was last looked into.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::policy::Need;

/// Resources that were written, by ARN.
#[derive(Debug, Default)]
pub struct Dirty(Mutex<BTreeSet<String>>);

impl Dirty {
    /// Notes a request that is about to write.
    pub fn note(&self, need: &Need) {
        let writes = matches!(
            need.action.as_str(),
            "sqs:SendMessage"
                | "dynamodb:PutItem"
                | "dynamodb:UpdateItem"
                | "dynamodb:DeleteItem"
                | "dynamodb:BatchWriteItem"
        );
        if let (true, Some(resource)) = (writes, &need.resource) {
            self.mark(resource);
        }
    }

    /// Notes that a resource was written.
    pub fn mark(&self, arn: &str) {
        self.with(|written| written.insert(arn.to_owned()));
    }

    /// Whether a resource was written since this was last asked of it.
    pub fn take(&self, arn: &str) -> bool {
        self.with(|written| written.remove(arn))
    }

    fn with<T>(&self, work: impl FnOnce(&mut BTreeSet<String>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_are_noted_once_and_reads_not_at_all() {
        let dirty = Dirty::default();
        let need = |action: &str, resource: &str| Need {
            action: action.to_owned(),
            resource: Some(resource.to_owned()),
        };
        dirty.note(&need("dynamodb:Query", "t"));
        assert!(!dirty.take("t"));
        dirty.note(&need("dynamodb:PutItem", "t"));
        dirty.note(&need("sqs:SendMessage", "q"));
        assert!(dirty.take("t"));
        assert!(!dirty.take("t"));
        assert!(dirty.take("q"));
    }
}
