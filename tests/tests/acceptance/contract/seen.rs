//! What was answered, held against everything that the document says can be.

use std::collections::BTreeSet;

use agentwarm_core::error::ErrorCode;
use agentwarm_tests::documented;
use agentwarm_tests::operations::Operation;
use http::StatusCode;

use super::asking::OPERATIONS;

/// The answers that were met.
#[derive(Debug, Default)]
pub(super) struct Seen {
    cases: BTreeSet<Case>,
    /// Those that had all that their example has.
    in_full: BTreeSet<Case>,
    codes: BTreeSet<String>,
}

/// One documented way of answering an operation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Case {
    operation: String,
    status: u16,
    /// Of a refusal.
    code: Option<String>,
}

/// A code that no client can bring about.
struct Excuse {
    code: ErrorCode,
    /// The operations at which one can nevertheless.
    but_at: &'static [&'static str],
    because: &'static str,
}

const OUT_OF_REACH: &[Excuse] = &[
    Excuse {
        code: ErrorCode::InternalError,
        but_at: &[],
        because: "the code or what is stored would have to be wrong; the tests of shared/lambda have handlers that panic",
    },
    Excuse {
        code: ErrorCode::AccountPoolAssignmentFailed,
        but_at: &[],
        because: "the default pool would have to vanish twice within one request; tests/api has it vanish",
    },
    Excuse {
        code: ErrorCode::IdempotencyInProgress,
        but_at: &[
            "sendEmail",
            "testAccountConnection",
            "testAccountConnections",
        ],
        because: "only what waits for a mail server can be held up from outside; the pipeline is one for all",
    },
];

impl Seen {
    /// Notes an answer.
    pub(super) fn note(&mut self, operation: &Operation, status: StatusCode, code: Option<&str>) {
        let code = code.map(str::to_owned);
        self.codes.extend(code.clone());
        let code = code.filter(|_| !status.is_success());
        self.cases
            .insert(Case::new(operation, status.as_u16(), code));
    }

    /// Notes a success that had all that the document's example of it has.
    pub(super) fn note_in_full(&mut self, operation: &Operation, status: u16) {
        self.in_full.insert(Case::new(operation, status, None));
    }

    /// Notes a code that is of no operation, such as that of a path that is not there.
    pub(super) fn note_code(&mut self, code: ErrorCode) {
        self.codes.insert(code.as_str().to_owned());
    }

    /// What is documented and was not met, and excuses that are none.
    pub(super) fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        for case in all() {
            let seen = self.cases.contains(&case);
            match case.excuse() {
                None if !seen => complaints.push(format!("not met: {case:?}")),
                Some(excuse) if seen => {
                    let because = excuse.because;
                    complaints.push(format!(
                        "met, and said to be out of reach: {case:?}: {because}"
                    ));
                }
                _ => {}
            }
        }
        let shown = OPERATIONS.iter().flat_map(shown);
        let missing = shown.filter(|case| !self.in_full.contains(case));
        complaints.extend(missing.map(|case| format!("not met in full: {case:?}")));
        for code in ErrorCode::ALL {
            let never = OUT_OF_REACH
                .iter()
                .any(|excuse| excuse.code == *code && excuse.but_at.is_empty());
            if !never && !self.codes.contains(code.as_str()) {
                complaints.push(format!("not met: {code}"));
            }
        }
        complaints
    }
}

impl Case {
    fn new(operation: &Operation, status: u16, code: Option<String>) -> Self {
        Self {
            operation: operation.id().to_owned(),
            status,
            code,
        }
    }

    fn excuse(&self) -> Option<&'static Excuse> {
        OUT_OF_REACH.iter().find(|excuse| {
            self.code.as_deref() == Some(excuse.code.as_str())
                && !excuse.but_at.contains(&self.operation.as_str())
        })
    }
}

/// Every way of answering that the document has.
fn all() -> BTreeSet<Case> {
    OPERATIONS.iter().flat_map(cases).collect()
}

fn cases(operation: &Operation) -> Vec<Case> {
    let mut cases = Vec::new();
    for (status, codes) in operation.answers() {
        let case = |code| Case::new(operation, status, code);
        if codes.is_empty() {
            cases.push(case(None));
        }
        cases.extend(codes.into_iter().map(|code| case(Some(code))));
    }
    cases
}

/// The successes of which the document shows JSON.
fn shown(operation: &Operation) -> Vec<Case> {
    let answers = operation.answers().into_iter().map(|(status, _)| status);
    answers
        .filter(|status| *status < 300 && documented::example(operation, *status).is_some())
        .map(|status| Case::new(operation, status, None))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As if everything had been met that is not out of reach.
    fn complete() -> Seen {
        let cases = all().into_iter();
        Seen {
            cases: cases.filter(|case| case.excuse().is_none()).collect(),
            in_full: OPERATIONS.iter().flat_map(shown).collect(),
            codes: ErrorCode::ALL
                .iter()
                .map(|code| code.as_str().to_owned())
                .collect(),
        }
    }

    fn case(operation: &str, status: u16, code: Option<&str>) -> Case {
        Case {
            operation: operation.to_owned(),
            status,
            code: code.map(str::to_owned),
        }
    }

    #[test]
    fn what_was_not_met_is_missed() {
        assert_eq!(complete().complaints(), Vec::<String>::new());
        for missing in [
            case("createAccounts", 201, None),
            case("createAccounts", 207, None),
            case("getReadiness", 503, None),
            case("startWarmup", 400, Some("ACCOUNT_NOT_IN_POOL")),
            case("sendEmail", 409, Some("IDEMPOTENCY_IN_PROGRESS")),
        ] {
            let mut seen = complete();
            assert!(seen.cases.remove(&missing), "{missing:?}");
            assert_eq!(seen.complaints(), [format!("not met: {missing:?}")]);
        }
        let mut seen = complete();
        let shown = case("listAccounts", 200, None);
        assert!(seen.in_full.remove(&shown));
        assert_eq!(seen.complaints(), [format!("not met in full: {shown:?}")]);
        let mut seen = complete();
        seen.codes.remove("METHOD_NOT_ALLOWED");
        assert_eq!(seen.complaints(), ["not met: METHOD_NOT_ALLOWED"]);
    }

    #[test]
    fn an_excuse_for_what_was_met_is_none() {
        let mut seen = complete();
        let reached = case("createPool", 409, Some("IDEMPOTENCY_IN_PROGRESS"));
        seen.cases.insert(reached);
        let complaints = seen.complaints();
        assert_eq!(complaints.len(), 1, "{complaints:#?}");
        assert!(complaints[0].contains("createPool"), "{complaints:#?}");
    }

    #[test]
    fn the_code_of_a_success_is_met_and_no_refusal() {
        let mut seen = Seen::default();
        let operation = OPERATIONS.iter().find(|one| one.id() == "createAccounts");
        let code = ErrorCode::BatchPartialFailure.as_str();
        seen.note(operation.unwrap(), StatusCode::MULTI_STATUS, Some(code));
        assert!(seen.cases.contains(&case("createAccounts", 207, None)));
        assert!(seen.codes.contains(code));
    }
}
