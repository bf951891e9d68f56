//! That every documented operation is called, by a flow or, if it takes no secret, as the document shows it.

use std::collections::BTreeSet;

use agentwarm_tests::operations::{self, Operation};
use http::Method;

use super::Flows;
use crate::world::World;

/// The operations whose bodies take a secret. Their flows send canaries.
const TAKERS: [&str; 3] = [
    "POST /api/accounts",
    "POST /api/accounts/batch",
    "PATCH /api/accounts/{id}/credentials",
];

/// What the names of fields end with that are secrets.
const TELLTALE: [&str; 5] = ["password", "token", "secret", "key", "signature"];

/// Operations that answer with a secret, each of which a flow calls and takes for one.
const GIVERS: [&str; 3] = [
    "POST /api/keys",
    "POST /api/keys/{id}/rotate",
    "POST /api/accounts/{id}/attachments",
];

/// What the rest of the operations is asked about.
pub(super) struct Ids<'a> {
    pub(super) account: &'a str,
    pub(super) pool: &'a str,
    pub(super) key: &'a str,
}

#[test]
fn whoever_takes_a_secret_is_known() {
    let takes_one = |operation: &Operation| {
        let mut names = operation.fields().into_keys();
        names.any(|name| {
            let name = name.to_lowercase();
            TELLTALE.iter().any(|word| name.ends_with(word))
        })
    };
    let takers = operations::all().into_iter().filter(takes_one);
    let found: BTreeSet<String> = takers.map(|operation| operation.line()).collect();
    assert_eq!(
        found,
        TAKERS.map(str::to_owned).into(),
        "send canaries by it in a flow, then add it"
    );
}

impl Flows {
    /// Calls what no flow has called, as the document shows it, and keeps what is answered. What takes things away comes last, and the
    /// deeper first.
    pub(super) async fn rest(&mut self, world: &World, ids: &Ids<'_>) {
        for line in [TAKERS, GIVERS].concat() {
            assert!(self.called.contains(line), "{line} needs a flow");
        }
        let (removing, mut rest): (Vec<_>, Vec<_>) = operations::all()
            .into_iter()
            .filter(|operation| !self.called.contains(&operation.line()))
            .partition(|operation| operation.method == Method::DELETE);
        rest.extend(removing.into_iter().rev());
        for operation in rest {
            let path = operation.path(|before, name| ids.of(before, name));
            let line = format!("{} {path}", operation.method);
            let body = operation.body().map(|body| body.to_string());
            let body = body.unwrap_or_default();
            let answer = self.call(world, &line, &world.key, &[], &body).await;
            assert!(answer.status().as_u16() < 500, "{line}: {answer:?}");
            self.keep(&answer, &[]);
        }
        let all: BTreeSet<String> = operations::all().iter().map(Operation::line).collect();
        assert_eq!(self.called, all);
    }
}

impl Ids<'_> {
    fn of(&self, before: &str, name: &str) -> String {
        match (before, name) {
            ("keys", "id") => self.key,
            ("person" | "account", _) => "p-1",
            (_, "id" | "accountId") => self.account,
            (_, "poolId") => self.pool,
            (_, "linkId") => "019590a5-7c00-7000-8000-0000000000ff",
            (_, "email") => "unwanted@example.com",
            (_, name) => panic!("say which {name} is asked about"),
        }
        .to_owned()
    }
}
