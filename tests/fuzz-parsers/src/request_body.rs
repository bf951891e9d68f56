//! The bodies of all operations, read by the types of their route tables.

use std::cell::LazyCell;

use agentwarm_lambda::http::openapi::{Info, document};
use agentwarm_lambda::http::{AccountIds, HttpApp, Routes};
use api_accounts::wire as accounts;
use api_keys::wire::CreateApiKey;
use api_pools::wire::{ConfigurePool, CreatePool};
use api_suppression::wire::SuppressAddress;
use api_warmup::wire::SetTestMode;
use http::Method;
use jsonschema::Validator;
use serde_json::Value;

use crate::http_app::{app, problems, request, serve, table, takes};

/// How deep a body may be nested.
const DEEPEST: usize = 32;

/// The operations, as the document calls them, each with the letter that an input begins with.
pub const OPERATIONS: [(u8, &str); 16] = [
    (b'a', "createAccount"),
    (b'b', "createAccounts"),
    (b'c', "updateAccount"),
    (b'd', "replaceAccountCredentials"),
    (b'e', "setAccountPersona"),
    (b'f', "createCrmLink"),
    (b'g', "sendEmail"),
    (b'h', "createUpload"),
    (b'i', "testAccountConnections"),
    (b'j', "setTestMode"),
    (b'k', "createPool"),
    (b'l', "updatePoolConfig"),
    (b'm', "suppressAddress"),
    (b'n', "pauseWarmups"),
    (b'o', "startWarmups"),
    (b'p', "createApiKey"),
];

thread_local! {
    static APP: LazyCell<(HttpApp, Vec<Validator>)> = const { LazyCell::new(|| {
        let validators = validators(&routes());
        (app(routes().bind(())), validators)
    }) };
}

fn routes() -> Routes<()> {
    table([
        // What an account's values and credentials must be is for use cases to say, which know the provider and the deployment.
        takes("/a", "createAccount", |_: accounts::CreateAccountBody| {
            false
        }),
        takes("/b", "createAccounts", |_: accounts::CreateAccountsBody| {
            false
        }),
        takes("/c", "updateAccount", |_: accounts::UpdateAccountBody| true),
        takes(
            "/d",
            "replaceAccountCredentials",
            |_: accounts::ReplaceCredentialsBody| false,
        ),
        takes("/e", "setAccountPersona", |_: accounts::PersonaBody| true),
        takes("/f", "createCrmLink", |_: accounts::CreateCrmLink| true),
        takes("/g", "sendEmail", |_: accounts::SendBody| true),
        takes("/h", "createUpload", |_: accounts::UploadBody| true),
        takes("/i", "testAccountConnections", |_: AccountIds| true),
        takes("/j", "setTestMode", |_: SetTestMode| true),
        takes("/k", "createPool", |_: CreatePool| true),
        // Ranges are the domain's (decision 6).
        takes("/l", "updatePoolConfig", |body: ConfigurePool| {
            body.0.merged().is_ok()
        }),
        takes("/m", "suppressAddress", |_: SuppressAddress| true),
        takes("/n", "pauseWarmups", |_: AccountIds| true),
        takes("/o", "startWarmups", |_: AccountIds| true),
        takes("/p", "createApiKey", |_: CreateApiKey| true),
    ])
}

/// What the document says of each body.
fn validators(routes: &Routes<()>) -> Vec<Validator> {
    let info = Info {
        title: "",
        version: "",
        description: "",
        server: "",
    };
    let document = document(&info, &routes.specs());
    let of = |letter: u8| {
        let path = format!(
            "/paths/~1{}/post/requestBody/content/application~1json/schema",
            char::from(letter)
        );
        let mut schema = document
            .pointer(&path)
            .expect("a body is described")
            .clone();
        schema["components"] = document["components"].clone();
        jsonschema::validator_for(&schema).expect("a schema")
    };
    OPERATIONS.iter().map(|(letter, _)| of(*letter)).collect()
}

/// The first byte chooses the operation; the rest is the body.
pub fn check(bytes: &[u8]) {
    let Some((&letter, bytes)) = bytes.split_first() else {
        return;
    };
    let Some(index) = OPERATIONS.iter().position(|(known, _)| *known == letter) else {
        return;
    };
    let mut incoming = request(Method::POST, &format!("/{}", char::from(letter)));
    incoming.body = bytes.to_vec();
    APP.with(|cell| {
        let (app, validators) = &**cell;
        let response = serve(app, incoming);
        match response.status().as_u16() {
            204 => judge_taken(bytes, &validators[index]),
            200 => {}
            400 => judge_problems(&problems(&response), bytes),
            other => panic!("{other} is documented for no body"),
        }
    });
}

/// What is taken is what the document allows.
fn judge_taken(bytes: &[u8], validator: &Validator) {
    let body: Value = serde_json::from_slice(bytes).expect("what is taken is JSON");
    assert!(depth(&body) <= DEEPEST, "nested too deep");
    let errors: Vec<String> = validator
        .iter_errors(&body)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}\n{body}");
}

fn judge_problems(problems: &[(String, String)], bytes: &[u8]) {
    let is_object = serde_json::from_slice::<Value>(bytes).is_ok_and(|body| body.is_object());
    for (path, message) in problems {
        assert!(
            path != "body" || !is_object || bytes.len() > DEEPEST,
            "{message}"
        );
        assert!(
            !message.is_empty() && !message.contains(char::is_control),
            "{message:?}"
        );
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}
