//! Requests of documented operations over HTTP. Each answer is held against the document, and noted.

use std::sync::{Arc, LazyLock, Mutex};

use agentwarm_core::error::ErrorCode;
use agentwarm_lambda::http::error::status_of;
use agentwarm_local::http_client::HttpClient;
use agentwarm_tests::documented;
use agentwarm_tests::operations::{self, Operation};
use agentwarm_tests::owned::Owned;
use agentwarm_tests::reference::{self, Example};
use http::{HeaderMap, Method, Request, StatusCode};
use serde_json::Value;

use super::seen::Seen;
use crate::world::Deployment;

pub(super) static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(operations::all);

static EXAMPLES: LazyLock<Vec<Example>> = LazyLock::new(reference::examples);

/// Somebody who asks, and what is theirs.
#[derive(Clone)]
pub(super) struct User {
    pub(super) key: String,
    pub(super) owned: Owned,
}

/// A deployment that is asked, and what it has answered.
pub(super) struct Contract {
    pub(super) deployment: Deployment,
    pub(super) seen: Arc<Mutex<Seen>>,
    http: HttpClient,
}

/// A request that is being written: the reference's example, on what is its user's own, unless it is told otherwise.
#[derive(Clone)]
pub(super) struct Ask<'c> {
    contract: &'c Contract,
    operation: &'static Operation,
    key: Option<String>,
    owned: Owned,
    instead: Vec<(String, String)>,
    query: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// Null where it is no JSON.
    pub(super) json: Value,
}

/// What the reference gives as examples of an operation's request; the document's, where the reference does not have the operation.
pub(super) fn examples(operation: &str) -> Vec<Value> {
    let operation = named(operation);
    let mut examples: Vec<_> = EXAMPLES
        .iter()
        .filter(|one| one.method == operation.method && one.template == operation.template)
        .filter_map(|one| one.request.clone())
        .collect();
    if examples.is_empty() {
        examples.extend(operation.body());
    }
    examples
}

fn named(id: &str) -> &'static Operation {
    let found = OPERATIONS.iter().find(|operation| operation.id() == id);
    found.unwrap_or_else(|| panic!("{id} is no operation"))
}

impl Contract {
    pub(super) fn of(deployment: Deployment, seen: Arc<Mutex<Seen>>) -> Self {
        Self {
            deployment,
            seen,
            http: HttpClient::default(),
        }
    }

    /// A request of `user` for the operation of this name.
    pub(super) fn ask<'c>(&'c self, user: &User, operation: &str) -> Ask<'c> {
        let example = examples(operation).into_iter().next();
        let body = example.map(|body| body.to_string().into_bytes());
        Ask {
            contract: self,
            operation: named(operation),
            key: Some(user.key.clone()),
            owned: user.owned.clone(),
            instead: Vec::new(),
            query: String::new(),
            headers: Vec::new(),
            body: body.unwrap_or_default(),
        }
    }

    /// A request that is of no operation, which must be refused with `code`.
    pub(super) async fn refuses(&self, user: &User, method: Method, path: &str, code: ErrorCode) {
        let url = format!("{}{path}", self.deployment.stack.api_url());
        let request = Request::builder().method(method).uri(url);
        let request = request.header("authorization", format!("Bearer {}", user.key));
        let (answer, _) = self.send(request.body(Vec::new()).unwrap()).await;
        assert_eq!(answer.json["code"], code.as_str(), "{path}");
        assert_eq!(answer.status, status_of(code), "{path}");
        self.seen.lock().unwrap().note_code(code);
    }

    async fn send(&self, request: Request<Vec<u8>>) -> (Answered, Vec<u8>) {
        let (head, body) = self.http.send(request).await.unwrap().into_parts();
        let (status, headers) = (head.status, head.headers);
        documented::carries_what_all_do(status, &headers, &body);
        let json = serde_json::from_slice(&body).unwrap_or_default();
        let answer = Answered {
            status,
            headers,
            json,
        };
        (answer, body)
    }
}

/// The operations that are documented to answer with `code`.
pub(super) fn having(code: ErrorCode) -> impl Iterator<Item = &'static Operation> {
    OPERATIONS.iter().filter(move |operation| {
        let answers = operation.answers();
        let mut codes = answers.iter().flat_map(|(_, codes)| codes);
        codes.any(|one| one == code.as_str())
    })
}

impl Ask<'_> {
    pub(super) fn anonymously(mut self) -> Self {
        self.key = None;
        self
    }

    pub(super) fn with_key(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }

    /// With `value` for a parameter of its path.
    pub(super) fn with(mut self, parameter: &str, value: &str) -> Self {
        self.instead.push((parameter.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn query(mut self, query: &str) -> Self {
        query.clone_into(&mut self.query);
        self
    }

    pub(super) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(super) fn once(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    pub(super) fn body(self, body: &Value) -> Self {
        self.bytes(body.to_string())
    }

    pub(super) fn bytes(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    fn request(&self) -> Request<Vec<u8>> {
        let path = self.operation.path(|before, name| {
            let instead = self.instead.iter().find(|(one, _)| one == name);
            let value = instead.map(|(_, value)| value.clone());
            let value = value.unwrap_or_else(|| self.owned.named(before, name));
            value.replace('@', "%40")
        });
        let mut url = format!("{}{path}", self.contract.deployment.stack.api_url());
        if !self.query.is_empty() {
            url = format!("{url}?{}", self.query);
        }
        let mut request = Request::builder()
            .method(self.operation.method.clone())
            .uri(url);
        if let Some(key) = &self.key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        request.body(self.body.clone()).unwrap()
    }

    /// The answer, whichever of the documented ones it is.
    pub(super) async fn sent(self) -> Answered {
        let (operation, contract) = (self.operation, self.contract);
        let (answer, body) = contract.send(self.request()).await;
        documented::check_answer(&operation.method, &operation.template, answer.status, &body);
        let mut seen = contract.seen.lock().unwrap();
        seen.note(operation, answer.status, answer.json["code"].as_str());
        answer
    }

    /// The JSON of an answer with this status, null if it has none.
    pub(super) async fn succeeds(self, status: u16) -> Value {
        let line = self.operation.line();
        let answer = self.sent().await;
        assert_eq!(answer.status, status, "{line}: {:#}", answer.json);
        answer.json
    }

    /// The same, where the answer has all that the document's example of it has, but for what is at the pointers `but`.
    pub(super) async fn answers_in_full(self, status: u16, but: &[&str]) -> Value {
        let (operation, contract) = (self.operation, self.contract);
        let answer = self.succeeds(status).await;
        let lacks = documented::lacks(operation, status, &answer);
        assert_eq!(lacks, but, "{}: {answer:#}", operation.line());
        let mut seen = contract.seen.lock().unwrap();
        seen.note_in_full(operation, status);
        answer
    }

    /// A refusal with this code that names `path` as what is wrong with the request.
    pub(super) async fn refused_at(self, code: ErrorCode, path: &str) {
        let line = self.operation.line();
        let told = self.refused(code).await;
        assert_eq!(told["errors"][0]["path"], path, "{line}: {told:#}");
    }

    /// The JSON of a refusal with this code.
    pub(super) async fn refused(self, code: ErrorCode) -> Value {
        let line = self.operation.line();
        let answer = self.sent().await;
        let told = answer.json;
        assert_eq!(told["code"], code.as_str(), "{line}: {told:#}");
        assert_eq!(answer.status, status_of(code), "{line}: {told:#}");
        assert_eq!(told["action"], code.action(), "{line}: {told:#}");
        told
    }
}

/// The id of what was made.
pub(super) fn id(made: &Value) -> String {
    text(made, "id")
}

/// A field of an answer.
pub(super) fn text(answer: &Value, field: &str) -> String {
    answer[field].as_str().unwrap().to_owned()
}
