//! The list of a user with as many accounts as the largest plan allows.
//!
//! One account is made and started by requests; the others are its item again under other ids, which is quicker than ten thousand requests
//! and the same to read.

use agentwarm_aws::codec::Item;
use agentwarm_aws::keys;
use agentwarm_core::ids::{AccountId, UserId};
use agentwarm_local::api_client::ApiClient;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use http::Method;
use jiff::Timestamp;

use super::{Bench, Ready, Taken};

/// How many accounts.
pub(super) const ACCOUNTS: usize = 10_000;

/// At how many domains.
pub(super) const DOMAINS: usize = 10;

/// How many accounts a page shows: what it does unless asked.
pub(super) const PAGE: usize = 50;

/// Requests of each page.
pub(super) const RUNS: usize = 3;

/// Items in one `BatchWriteItem`.
const BATCH: usize = 25;

/// What pages of the list take.
pub(super) async fn measured(bench: &Bench) -> Vec<[String; 5]> {
    let owner = bench.enterprise().await;
    let api = ApiClient::new(bench.stack.api_url(), &owner.secret);
    seed(bench, &api, owner.user).await;
    let last = ACCOUNTS - PAGE;
    let cursor = cursor_of_the_last_page(&api).await;
    let mut rows = Vec::new();
    for (name, path) in [
        ("first page", "/api/accounts".to_owned()),
        (
            "last page by offset",
            format!("/api/accounts?offset={last}"),
        ),
        (
            "last page by cursor",
            format!("/api/accounts?cursor={cursor}"),
        ),
        ("`status=paused`", "/api/accounts?status=paused".to_owned()),
        (
            "`status=paused`, last page by offset",
            format!("/api/accounts?status=paused&offset={}", ACCOUNTS / 3 - PAGE),
        ),
        (
            "`domain=` of a tenth",
            "/api/accounts?domain=d3.example".to_owned(),
        ),
        (
            "`email=` of one account",
            "/api/accounts?email=n5000@".to_owned(),
        ),
        ("agent status", "/api/agent/status".to_owned()),
        ("system statistics", "/api/analytics/system".to_owned()),
    ] {
        let ready = Ready {
            method: Method::GET,
            path,
            key: owner.secret.clone(),
            body: Vec::new(),
        };
        let taken: Taken = bench.repeated(&ready, RUNS).await;
        rows.push(taken.row(name.to_owned()));
    }
    rows
}

/// The cursor after which there is one page.
async fn cursor_of_the_last_page(api: &ApiClient) -> String {
    let before = ACCOUNTS - 2 * PAGE;
    let path = format!("/api/accounts?offset={before}");
    let page = api.get(&path).await.unwrap();
    assert_eq!(page["total"], ACCOUNTS, "the accounts are there");
    page["nextCursor"].as_str().unwrap().to_owned()
}

async fn seed(bench: &Bench, api: &ApiClient, owner: UserId) {
    let first = bench.settings.mail.numbered_account("n0@d0.example");
    let first = api.post("/api/accounts", Some(&first)).await.unwrap();
    let first: AccountId = first["id"].as_str().unwrap().parse().unwrap();
    let start = format!("/api/warmup/start/{first}");
    api.post(&start, None).await.unwrap();
    let table = &bench
        .stack
        .deployed()
        .get("EntitiesTable")
        .unwrap()
        .reference;
    let database = &bench.stack.emulator().dynamodb;
    let key = keys::account(owner, first);
    let read = database
        .get_item()
        .table_name(table)
        .key("pk", AttributeValue::S(key.pk))
        .key("sk", AttributeValue::S(key.sk));
    let model = read.send().await.unwrap().item.unwrap();
    let created_at = "2026-03-10T06:00:00Z".parse().unwrap();
    let numbers: Vec<_> = (1..ACCOUNTS).collect();
    for numbers in numbers.chunks(BATCH) {
        let items = numbers.iter().map(|n| {
            let put = PutRequest::builder().set_item(Some(copy(&model, owner, created_at, *n)));
            let put = put.build().unwrap();
            WriteRequest::builder().put_request(put).build()
        });
        let written = database
            .batch_write_item()
            .request_items(table, items.collect())
            .send();
        let undone = written.await.unwrap().unprocessed_items;
        assert!(undone.unwrap_or_default().is_empty());
    }
    let counters = keys::counters(owner);
    let counted = database
        .update_item()
        .table_name(table)
        .key("pk", AttributeValue::S(counters.pk))
        .key("sk", AttributeValue::S(counters.sk))
        .update_expression("SET accounts = :all")
        .expression_attribute_values(":all", AttributeValue::N(ACCOUNTS.to_string()));
    counted.send().await.unwrap();
}

/// The n-th account, as the model is stored.
fn copy(model: &Item, owner: UserId, created_at: Timestamp, n: usize) -> Item {
    let id = AccountId::new(created_at, n as u128);
    let domain = format!("d{}.example", n % DOMAINS);
    let status = if n.is_multiple_of(3) {
        "paused"
    } else {
        "warming"
    };
    let text = |value: String| AttributeValue::S(value);
    let mut item = model.clone();
    for reported in ["events", "eventVersion"] {
        item.remove(reported);
    }
    let key = keys::account(owner, id);
    item.insert("pk".to_owned(), text(key.pk));
    item.insert("sk".to_owned(), text(key.sk));
    item.insert("domain".to_owned(), text(domain.clone()));
    if let Some(AttributeValue::M(data)) = item.get_mut("data") {
        data.insert("id".to_owned(), text(id.to_string()));
        data.insert("email".to_owned(), text(format!("n{n}@{domain}")));
        data.insert("status".to_owned(), text(status.to_owned()));
    }
    item
}
