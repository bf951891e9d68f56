//! Ids in bodies and queries, cursors, and paths with two ids of which one is the stranger's own: another's is what nobody has.

use std::mem;

use agentwarm_tests::operations::{self, Operation};
use http::Method;
use serde_json::{Value, json};

use super::super::accounts::create;
use super::super::client::{Api, json as body};
use super::{Owned, example, owner, plain, seen, things_of};

/// An owner, and a stranger who has as much: their key and what is theirs.
async fn both() -> (Api, Owned, String, Owned) {
    let (mut api, mine) = owner().await;
    let key = api.stranger().await;
    let own = mem::replace(&mut api.key, key);
    let theirs = things_of(&api, "theirs@example.com").await;
    let key = mem::replace(&mut api.key, own);
    (api, mine, key, theirs)
}

/// Whether a field or a parameter of a query names something that somebody has.
fn refers(name: &str, schema: &Value) -> bool {
    let is_id = |schema: &Value| {
        let format = schema["format"].as_str().unwrap_or_default();
        ["uuid", "crm-id"].contains(&format)
    };
    is_id(schema) || is_id(&schema["items"]) || name.ends_with("Id") || name.ends_with("Ids")
}

/// The operation's example with `id` in the field `name`. Panics where it does not know where that stands.
fn body_with(operation: &Operation, name: &str, id: &str) -> String {
    let mut body = operation.body().unwrap();
    let place = match (operation.id(), name) {
        ("createAccounts", "poolId") => "/accounts/0",
        ("sendEmail", "uploadId") => "/attachments/0",
        (
            "createAccount"
            | "createCrmLink"
            | "testAccountConnections"
            | "pauseWarmups"
            | "startWarmups",
            _,
        ) => "",
        (operation, name) => panic!("say here where {name} stands in the body of {operation}"),
    };
    if let Some(accounts) = body["accounts"].as_array_mut() {
        accounts.truncate(1);
    }
    let id = if name.ends_with('s') {
        json!([id])
    } else {
        id.into()
    };
    let fields = body
        .pointer_mut(place)
        .and_then(Value::as_object_mut)
        .unwrap();
    fields.insert(name.to_owned(), id);
    if name == "uploadId" {
        fields.remove("content");
    }
    body.to_string()
}

/// What the stranger is told.
async fn told(
    api: &Api,
    key: &str,
    operation: &Operation,
    path: &str,
    sent: String,
) -> (u16, Value) {
    let answer = api.send(operation.method.clone(), path, Some(key), sent);
    let answer = answer.await;
    (answer.status().as_u16(), plain(&body(&answer)))
}

/// The same with `id` blotted out wherever it stands.
fn without(id: &str, (status, told): (u16, Value)) -> (u16, String) {
    (status, told.to_string().replace(id, "…"))
}

/// What comes of a stranger's own request, and not of the id in it.
fn settled(told: &str) -> bool {
    told.contains("NOT_FOUND") || told.contains("VALIDATION_FAILED")
}

#[tokio::test]
async fn an_id_of_mine_in_a_body_is_what_nobody_has() {
    let (api, mine, key, theirs) = both().await;
    for address in ["recipient@example.com", "cc@example.com", "bcc@example.com"] {
        api.world.office.open_mailbox(address, "app-password");
    }
    let before = seen(&api, &mine).await;
    let mut tried = 0;
    for operation in operations::all() {
        let path = operation.path(|before, name| theirs.named(before, name));
        for (name, schema) in operation.fields() {
            if !refers(&name, &schema) {
                continue;
            }
            tried += 1;
            let line = operation.line();
            let mut answers = Vec::new();
            for whose in [&mine, &Owned::nobodys()] {
                let id = whose.referred(&name);
                let sent = body_with(&operation, &name, id);
                let answer = told(&api, &key, &operation, &path, sent).await;
                answers.push(without(id, answer));
            }
            let [of_mine, of_nobody] = &answers[..] else {
                panic!("{answers:?}");
            };
            // What a CRM calls its records is nobody's: a link is the stranger's own, with an id and a time of its own.
            if name.starts_with("crm") {
                assert_eq!(of_mine.0, 201, "{line} {name}: {answers:#?}");
                continue;
            }
            assert_eq!(of_mine, of_nobody, "{line} {name}");
            assert!(settled(&of_mine.1), "{line} {name}: {of_mine:?}");
        }
    }
    assert!(tried >= 8, "{tried}");
    assert_eq!(seen(&api, &mine).await, before);
}

#[tokio::test]
async fn an_id_of_mine_in_a_query_finds_nothing() {
    let (api, mine, key, theirs) = both().await;
    let mut tried = 0;
    for operation in operations::all() {
        let path = operation.path(|before, name| theirs.named(before, name));
        for (name, schema) in operation.queries() {
            if !refers(&name, &schema) && name != "email" {
                continue;
            }
            tried += 1;
            for whose in [&mine, &Owned::nobodys()] {
                let path = format!("{path}?{name}={}", whose.referred(&name));
                let (status, told) = told(&api, &key, &operation, &path, String::new()).await;
                assert_eq!(status, 200, "{path}: {told}");
                let told = told.to_string();
                // A filter's value may be repeated; what it finds says more than that.
                let marks = mine.marks();
                let others = marks.iter().filter(|mark| **mark != whose.referred(&name));
                for mark in others {
                    assert!(!told.contains(mark), "{path} shows {mark}: {told}");
                }
                // The stranger's link is to the same person of their own CRM.
                let finds_own = told.contains(&theirs.account);
                let is_shared = theirs.referred(&name) == whose.referred(&name);
                assert_eq!(finds_own, is_shared, "{path}: {told}");
            }
        }
    }
    assert!(tried >= 4, "{tried}");
}

#[tokio::test]
async fn a_cursor_of_mine_opens_nothing_of_mine() {
    let (api, mine, key, theirs) = both().await;
    create(&api, "second@example.com").await;
    let suppressed = json!({ "email": "also-unwanted@example.com", "reason": "manual" });
    api.post("/api/warmup/suppression", suppressed, 201).await;
    let marks = [&mine.marks()[..], &["second@", "also-unwanted@"]].concat();
    let mut tried = 0;
    for operation in operations::all() {
        if !operation.queries().contains_key("cursor") {
            continue;
        }
        tried += 1;
        let path = operation.path(|before, name| theirs.named(before, name));
        let page = api.get(&format!("{path}?limit=1"), 200).await;
        let Some(cursor) = page["nextCursor"].as_str() else {
            panic!("give the owner two of what {path} lists: {page}");
        };
        let asked = format!("{path}?cursor={cursor}");
        let answer = api.send(Method::GET, &asked, Some(&key), "").await;
        let text = body(&answer).to_string();
        for mark in &marks {
            assert!(!text.contains(mark), "{asked} shows {mark}: {text}");
        }
        // The owner gets on with it: the cursor is one.
        let rest = api.get(&asked, 200).await.to_string();
        assert!(marks.iter().any(|mark| rest.contains(mark)), "{rest}");
    }
    assert!(tried >= 3, "{tried}");
}

#[tokio::test]
async fn of_two_ids_in_a_path_each_must_be_ones_own() {
    let (api, mine, key, theirs) = both().await;
    let before = seen(&api, &mine).await;
    let mut tried = 0;
    for operation in operations::all() {
        let many = operation.template.matches('{').count();
        for foreign in 0..many {
            if many < 2 {
                continue;
            }
            tried += 1;
            let mut answers = Vec::new();
            for whose in [&mine, &Owned::nobodys()] {
                let at = std::cell::Cell::new(0);
                let path = operation.path(|before, name| {
                    let owner = if at.get() == foreign { whose } else { &theirs };
                    at.set(at.get() + 1);
                    owner.named(before, name)
                });
                let sent = example(&operation);
                answers.push(told(&api, &key, &operation, &path, sent).await);
            }
            let line = operation.line();
            assert_eq!(answers[0], answers[1], "{line}, id {foreign}");
            assert_eq!(answers[0].0, 404, "{line}, id {foreign}: {answers:?}");
        }
    }
    assert!(tried >= 6, "{tried}");
    assert_eq!(seen(&api, &mine).await, before);
}
