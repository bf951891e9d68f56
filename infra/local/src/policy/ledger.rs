//! What was refused and what was used.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::{Need, Statement};

/// A request that its function may not make.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusal {
    /// The function's logical id.
    pub function: String,
    /// What it lacked.
    pub need: Need,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let resource = self.need.resource.as_deref().unwrap_or("*");
        write!(
            f,
            "{} may not {} on {resource}. If it should, paste into its Policies in template.yaml:\n            \
             - Effect: Allow\n              Action: [{}]\n              Resource: !GetAtt <the resource>.Arn",
            self.function, self.need.action, self.need.action,
        )
    }
}

impl std::error::Error for Refusal {}

/// Refusals and uses, over all functions.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    refusals: BTreeSet<Refusal>,
    unjudged: BTreeSet<String>,
    used: BTreeMap<String, BTreeMap<Need, u64>>,
}

impl Ledger {
    /// Notes what a granted request needed.
    pub fn used(&self, function: &str, needs: BTreeSet<Need>) {
        self.with(|entries| {
            let used = entries.used.entry(function.to_owned()).or_default();
            for need in needs {
                *used.entry(need).or_default() += 1;
            }
        });
    }

    pub(super) fn refused(&self, refusal: Refusal) {
        self.with(|entries| entries.refusals.insert(refusal));
    }

    pub(super) fn unjudged(&self, complaint: String) {
        self.with(|entries| entries.unjudged.insert(complaint));
    }

    /// What was refused so far, each once, as sentences.
    pub fn refusals(&self) -> Vec<String> {
        self.with(|entries| {
            let refusals = entries.refusals.iter().map(ToString::to_string);
            refusals.chain(entries.unjudged.iter().cloned()).collect()
        })
    }

    /// How many requests each function sent that needed an action.
    pub fn requests(&self) -> BTreeMap<(String, String), u64> {
        self.with(|entries| {
            let mut requests = BTreeMap::new();
            for (function, needs) in &entries.used {
                for (need, count) in needs {
                    *requests
                        .entry((function.clone(), need.action.clone()))
                        .or_default() += count;
                }
            }
            requests
        })
    }

    /// The grants of `statements` that `function` never used, as `action on resource`.
    pub fn unused(&self, function: &str, statements: &[Statement]) -> Vec<String> {
        self.with(|entries| {
            let none = BTreeMap::new();
            let used = entries.used.get(function).unwrap_or(&none);
            let grants = statements.iter().flat_map(|statement| {
                let sid = &statement.sid;
                statement.actions.iter().flat_map(move |action| {
                    statement.resources.iter().map(move |resource| {
                        (
                            format!("{action} on {resource} ({sid})"),
                            Statement {
                                sid: sid.clone(),
                                actions: vec![action.clone()],
                                resources: vec![resource.clone()],
                            },
                        )
                    })
                })
            });
            grants
                .filter(|(_, grant)| !used.keys().any(|need| grant.grants(need)))
                .map(|(name, _)| name)
                .collect()
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut Entries) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(action: &str, resource: &str) -> Need {
        Need {
            action: action.to_owned(),
            resource: Some(resource.to_owned()),
        }
    }

    #[test]
    fn grants_that_nothing_used_are_named() {
        let ledger = Ledger::default();
        ledger.used("F", BTreeSet::from([need("d:Get", "t")]));
        let statement = Statement {
            sid: "S".to_owned(),
            actions: vec!["d:Get".to_owned(), "d:Put".to_owned()],
            resources: vec!["t".to_owned()],
        };
        assert_eq!(
            ledger.unused("F", std::slice::from_ref(&statement)),
            ["d:Put on t (S)"]
        );
        assert_eq!(ledger.unused("G", &[statement]).len(), 2);
        ledger.used("F", BTreeSet::from([need("d:Get", "u")]));
        let key = ("F".to_owned(), "d:Get".to_owned());
        assert_eq!(ledger.requests(), BTreeMap::from([(key, 2)]));
    }

    #[test]
    fn a_refusal_says_who_what_and_what_to_paste() {
        let ledger = Ledger::default();
        let refusal = Refusal {
            function: "ApiKeys".to_owned(),
            need: need("dynamodb:Scan", "arn:t"),
        };
        ledger.refused(refusal.clone());
        ledger.refused(refusal);
        let sentences = ledger.refusals();
        assert_eq!(sentences.len(), 1);
        assert!(sentences[0].starts_with("ApiKeys may not dynamodb:Scan on arn:t."));
        assert!(sentences[0].contains("Action: [dynamodb:Scan]"));
    }
}
