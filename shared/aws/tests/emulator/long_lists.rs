//! Lists beyond what is counted exactly (decision 12).
//!
//! Against a stand-in for one long partition: the emulator takes a second for each query of ten thousand items. It knows only what these
//! tests need of `Query`; that we use it rightly is shown by the contract suite on the emulator.

use std::sync::Arc;

use crate::support::faults::Scripted;
use agentwarm_app::ports::audit::{AuditFilter, AuditLog};
use agentwarm_app::ports::{COUNTED_TOTAL, PageOf, PageRequest, PageStart};
use agentwarm_aws::clients::{ClientSettings, Clients};
use agentwarm_aws::dynamo::{DynamoAuditLog, Table};
use agentwarm_core::audit::{AuditEntry, EventType};
use agentwarm_core::ids::AuditEntryId;
use agentwarm_testkit::clock::VirtualClock;
use agentwarm_testkit::store_contract::fixtures::{after, event, now, user};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use serde_json::{Value, json};

/// How many items DynamoDB looks at for one answer, about: 1 MB of entries.
const LOOKED_AT_ONCE: usize = 2_500;

fn entry(n: u32) -> AuditEntry {
    let event = event(EventType::AccountCreated, n);
    AuditEntry {
        id: AuditEntryId::new(event.at, u128::from(n)),
        event,
    }
}

/// The sort keys of a log, oldest first: entry `n` is the `n`th.
fn log_of(count: u32) -> Vec<String> {
    let id = |n| AuditEntryId::new(after(i64::from(n)), u128::from(n));
    (0..count).map(|n| id(n).to_string()).collect()
}

/// The answer to a query of a log, newest first.
fn answer(log: &[String], query: &Value) -> Value {
    let text = |name: &str| query["ExpressionAttributeValues"][name]["S"].as_str();
    let (first, last) = (text(":first").unwrap(), text(":last").unwrap());
    let begin = log.partition_point(|id| id.as_str() < first);
    let end = match query["ExclusiveStartKey"]["sk"]["S"].as_str() {
        Some(after) => log.partition_point(|id| id.as_str() < after),
        None => log.partition_point(|id| id.as_str() <= last),
    };
    let limit = query["Limit"].as_u64().map_or(LOOKED_AT_ONCE, |limit| {
        usize::try_from(limit).unwrap().min(LOOKED_AT_ONCE)
    });
    let page_begin = end.saturating_sub(limit).max(begin);
    // A filter is always for the oldest entry.
    let oldest_only = text(":entity_id").is_some();
    let matches = || (page_begin..end).rev().filter(|n| !oldest_only || *n == 0);
    let mut answer = json!({ "Count": matches().count(), "ScannedCount": end - page_begin });
    if query["Select"] != "COUNT" {
        answer["Items"] = matches().map(|n| item(n, &log[n])).collect();
    }
    if page_begin > begin {
        let last = &log[page_begin];
        answer["LastEvaluatedKey"] = json!({ "pk": { "S": "p" }, "sk": { "S": last } });
    }
    answer
}

fn item(n: usize, id: &str) -> Value {
    let entry = entry(u32::try_from(n).unwrap());
    let data: serde_dynamo::AttributeValue = serde_dynamo::to_attribute_value(entry).unwrap();
    json!({ "pk": { "S": "p" }, "sk": { "S": id }, "data": data })
}

async fn log(count: u32) -> DynamoAuditLog {
    let ids = log_of(count);
    let http = Scripted::new(move |query| answer(&ids, query));
    let settings = ClientSettings {
        http: Some(SharedHttpClient::new(http)),
        endpoint: Some("http://nowhere.invalid".to_owned()),
        ..crate::support::offline_settings()
    };
    let client = Clients::load(settings).await.unwrap().dynamodb();
    let clock = Arc::new(VirtualClock::at(now()));
    DynamoAuditLog::new(Table::new(client, "activity", clock))
}

async fn list(log: &DynamoAuditLog, filter: &AuditFilter, from: PageStart) -> PageOf<AuditEntry> {
    let page = PageRequest { limit: 20, from };
    log.list(user(1), filter, &page).await.unwrap()
}

fn about_the_oldest() -> AuditFilter {
    AuditFilter {
        entity_id: Some(entry(0).event.entity_id),
        ..AuditFilter::default()
    }
}

fn total(page: &PageOf<AuditEntry>) -> (u32, bool) {
    (page.total, page.total_is_lower_bound)
}

#[tokio::test]
async fn a_total_is_exact_up_to_ten_thousand() {
    let all = AuditFilter::default();
    for (count, expected) in [
        (0, (0, false)),
        (9_999, (9_999, false)),
        (COUNTED_TOTAL, (COUNTED_TOTAL, false)),
        (COUNTED_TOTAL + 1, (COUNTED_TOTAL, true)),
        (30_000, (COUNTED_TOTAL, true)),
    ] {
        let log = log(count).await;
        let page = list(&log, &all, PageStart::Offset(0)).await;
        assert_eq!(total(&page), expected, "{count}");
        assert_eq!(page.items.len(), count.min(20) as usize);
    }
}

#[tokio::test]
async fn pages_go_on_beyond_what_is_counted() {
    let log = log(10_030).await;
    let all = AuditFilter::default();
    let late = list(&log, &all, PageStart::Offset(10_000)).await;
    assert_eq!(late.items[0], entry(29));
    assert_eq!(late.items.len(), 20);
    assert_eq!(total(&late), (COUNTED_TOTAL, true));
    let end = list(&log, &all, PageStart::After(late.next.unwrap())).await;
    let expected: Vec<_> = (0..10).rev().map(entry).collect();
    assert_eq!((end.items, end.next), (expected, None));
}

#[tokio::test]
async fn one_match_at_the_far_end_is_found_and_counted() {
    let log = log(30_000).await;
    let page = list(&log, &about_the_oldest(), PageStart::Offset(0)).await;
    assert_eq!(
        (page.items.clone(), page.next.clone()),
        (vec![entry(0)], None)
    );
    assert_eq!(total(&page), (1, false));
    let second = list(&log, &about_the_oldest(), PageStart::Offset(1)).await;
    assert_eq!((second.items.len(), second.next.clone()), (0, None));
    assert_eq!(total(&second), (1, false));
}

/// A page that looks at too much ends early, and its cursor goes on from there.
#[tokio::test]
async fn a_search_through_too_much_goes_on_with_the_next_page() {
    let log = log(120_000).await;
    let mut from = PageStart::Offset(0);
    let mut found = Vec::new();
    let mut pages = 0;
    loop {
        let page = list(&log, &about_the_oldest(), from).await;
        assert!(page.total_is_lower_bound);
        found.extend(page.items);
        pages += 1;
        match page.next {
            Some(next) => from = PageStart::After(next),
            None => break,
        }
    }
    assert_eq!(found, [entry(0)]);
    assert_eq!(pages, 3);
}
