use agentwarm_core::warmup::day::DayFigures;
use agentwarm_tests::operations::document;
use http::Method;
use jiff::SignedDuration;
use jiff::civil::date;
use serde_json::{Value, json};

use super::client::{Api, json as body, paths};

const NOBODY: &str = "019590a5-7c00-7000-8000-000000000009";

fn links_of(account: impl std::fmt::Display) -> String {
    format!("/api/accounts/{account}/crm-links")
}

/// An account that is linked to a person; its links' path.
async fn linked(api: &Api, email: &str, person: &str, source: &str) -> String {
    let account = api.world.account(email).await;
    api.world.clock.advance(SignedDuration::from_secs(1));
    let path = links_of(account);
    let link = json!({ "crmPersonId": person, "crmSource": source });
    api.post(&path, link, 201).await;
    path
}

/// The addresses that a list of accounts shows.
fn emails(list: &Value) -> Vec<&str> {
    let accounts = list["accounts"].as_array().unwrap();
    accounts
        .iter()
        .map(|account| account["email"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn the_documented_example_is_created_listed_and_removed() {
    let api = Api::new().await;
    let path = links_of(api.world.account("hello@example.com").await);
    let example = json!({ "crmPersonId": "sf_003x0001", "crmSource": "salesforce" });
    let link = api.post(&path, example, 201).await;
    insta::assert_json_snapshot!(link, { ".id" => "uuid", ".emailAccountId" => "uuid" }, @r#"
    {
      "id": "uuid",
      "emailAccountId": "uuid",
      "crmPersonId": "sf_003x0001",
      "crmAccountId": null,
      "crmSource": "salesforce",
      "createdAt": "2026-03-13T09:00:00Z"
    }
    "#);
    assert_eq!(links_of(link["emailAccountId"].as_str().unwrap()), path);

    let listed = api.get(&path, 200).await;
    assert_eq!(listed, json!({ "links": [link] }));
    let own = format!("{path}/{}", link["id"].as_str().unwrap());
    assert_eq!(api.delete(&own, 204).await, Value::Null);
    assert_eq!(api.get(&path, 200).await, json!({ "links": [] }));
    api.refused(Method::DELETE, &own, Value::Null, "CRM_LINK_NOT_FOUND")
        .await;
}

#[tokio::test]
async fn the_same_link_is_made_once_and_another_beside_it() {
    let api = Api::new().await;
    let path = links_of(api.world.account("hello@example.com").await);
    let link = json!({ "crmPersonId": "p", "crmAccountId": "a", "crmSource": "hubspot" });
    let first = api.post(&path, link.clone(), 201).await;
    let mut again = link.clone();
    again["crmSource"] = "HubSpot".into();
    assert_eq!(api.post(&path, again, 201).await, first);

    let mut others = vec![link.clone(), link.clone(), link];
    others[0]["crmAccountId"] = Value::Null;
    others[1]["crmPersonId"] = "P".into();
    others[2]["crmSource"] = "salesforce".into();
    for other in others {
        assert_ne!(api.post(&path, other, 201).await["id"], first["id"]);
    }
    let listed = api.get(&path, 200).await;
    assert_eq!(listed["links"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn bad_links_are_refused_with_every_path() {
    let api = Api::new().await;
    let path = links_of(api.world.account("hello@example.com").await);
    let long = "x".repeat(129);
    for (bad, expected) in [
        (json!({}), vec!["crmSource", "crmPersonId", "crmAccountId"]),
        (
            json!({ "crmSource": "salesforce", "crmPersonId": null }),
            vec!["crmPersonId", "crmAccountId"],
        ),
        (json!({ "crmPersonId": "p" }), vec!["crmSource"]),
        (
            json!({ "crmPersonId": "a b", "crmAccountId": 5, "crmSource": "sales force" }),
            vec!["crmPersonId", "crmAccountId", "crmSource"],
        ),
        (
            json!({ "crmPersonId": long, "crmAccountId": "", "crmSource": "" }),
            vec!["crmPersonId", "crmAccountId", "crmSource"],
        ),
    ] {
        let refused = api
            .refused(Method::POST, &path, bad, "VALIDATION_FAILED")
            .await;
        assert_eq!(paths(&refused), expected, "{refused}");
    }
    assert_eq!(api.get(&path, 200).await, json!({ "links": [] }));
}

#[tokio::test]
async fn an_account_has_at_most_fifteen_links() {
    let api = Api::new().await;
    let path = links_of(api.world.account("hello@example.com").await);
    let link = |n: u32| json!({ "crmPersonId": format!("p{n}"), "crmSource": "salesforce" });
    for n in 1..=15 {
        api.post(&path, link(n), 201).await;
    }
    let refused = api
        .refused(Method::POST, &path, link(16), "VALIDATION_FAILED")
        .await;
    assert_eq!(paths(&refused), ["id"]);
    // What is there already is no more.
    api.post(&path, link(3), 201).await;
}

#[tokio::test]
async fn absent_and_malformed_things_have_their_codes() {
    let api = Api::new().await;
    let path = links_of(api.world.account("hello@example.com").await);
    for link in [NOBODY, "nonsense"] {
        let path = format!("{path}/{link}");
        api.refused(Method::DELETE, &path, Value::Null, "CRM_LINK_NOT_FOUND")
            .await;
    }
    let link = json!({ "crmPersonId": "p", "crmSource": "salesforce" });
    for account in [NOBODY, "nonsense"] {
        let path = links_of(account);
        for (method, path) in [
            (Method::GET, path.clone()),
            (Method::POST, path.clone()),
            (Method::DELETE, format!("{path}/{NOBODY}")),
        ] {
            api.refused(method, &path, link.clone(), "ACCOUNT_NOT_FOUND")
                .await;
        }
    }
}

#[tokio::test]
async fn a_link_of_another_account_is_not_found() {
    let api = Api::new().await;
    let first = linked(&api, "a@example.com", "p", "salesforce").await;
    let second = linked(&api, "b@example.com", "p", "salesforce").await;
    let listed = api.get(&first, 200).await;
    let id = listed["links"][0]["id"].as_str().unwrap();
    let elsewhere = format!("{second}/{id}");
    api.refused(
        Method::DELETE,
        &elsewhere,
        Value::Null,
        "CRM_LINK_NOT_FOUND",
    )
    .await;
    assert_eq!(api.get(&first, 200).await, listed);
}

#[tokio::test]
async fn accounts_are_listed_by_what_they_are_linked_to() {
    let api = Api::new().await;
    let first = linked(&api, "a@example.com", "sf_003x0001", "salesforce").await;
    linked(&api, "b@example.org", "sf_003x0001", "hubspot").await;
    linked(&api, "c@example.com", "sf_003x0002", "salesforce").await;
    let both = json!({
        "crmPersonId": "sf_003x0001", "crmAccountId": "sf_001x0001", "crmSource": "salesforce",
    });
    api.post(&first, both, 201).await;

    let one = api.get("/api/accounts?crmPersonId=sf_003x0002", 200).await;
    let all = api.get("/api/accounts", 200).await;
    assert_eq!(one["accounts"][0], all["accounts"][0], "the same fields");
    insta::assert_json_snapshot!(one, { ".accounts" => "[…]" }, @r#"
    {
      "accounts": "[…]",
      "total": 1,
      "limit": 50,
      "offset": 0,
      "nextCursor": null
    }
    "#);
    for (query, expected) in [
        (
            "crmPersonId=sf_003x0001",
            vec!["b@example.org", "a@example.com"],
        ),
        (
            "crmPersonId=sf_003x0001&crmSource=HubSpot",
            vec!["b@example.org"],
        ),
        (
            "crmAccountId=sf_001x0001&crmSource=salesforce",
            vec!["a@example.com"],
        ),
        ("crmAccountId=sf_001x0001&crmSource=hubspot", vec![]),
        ("crmAccountId=sf_003x0001", vec![]),
        (
            "crmPersonId=sf_003x0001&crmAccountId=sf_001x0001",
            vec!["a@example.com"],
        ),
        ("crmPersonId=sf_003x0002&crmAccountId=sf_001x0001", vec![]),
        (
            "crmPersonId=sf_003x0001&domain=example.org",
            vec!["b@example.org"],
        ),
        ("crmPersonId=sf_003x0001&status=warming", vec![]),
        ("crmPersonId=nobody", vec![]),
    ] {
        let listed = api.get(&format!("/api/accounts?{query}"), 200).await;
        assert_eq!(emails(&listed), expected, "{query}");
        assert_eq!(listed["total"], expected.len(), "{query}");
    }
}

#[tokio::test]
async fn linked_accounts_are_paged_as_all_are() {
    let api = Api::new().await;
    for email in ["a@example.com", "b@example.com", "c@example.com"] {
        linked(&api, email, "p", "salesforce").await;
    }
    for filter in ["crmPersonId=p", "crmPersonId=p&email=example"] {
        let first = api
            .get(&format!("/api/accounts?{filter}&limit=2"), 200)
            .await;
        assert_eq!(emails(&first), ["c@example.com", "b@example.com"]);
        assert_eq!((&first["total"], &first["limit"]), (&json!(3), &json!(2)));
        let next = first["nextCursor"].as_str().unwrap();
        let path = format!("/api/accounts?{filter}&limit=2&cursor={next}");
        let second = api.get(&path, 200).await;
        assert_eq!(emails(&second), ["a@example.com"]);
        assert_eq!(second["nextCursor"], Value::Null);
        let path = format!("/api/accounts?{filter}&limit=1&offset=1");
        assert_eq!(emails(&api.get(&path, 200).await), ["b@example.com"]);
    }
}

#[tokio::test]
async fn bad_filters_are_refused_with_their_path() {
    let api = Api::new().await;
    for (query, expected) in [
        ("crmSource=salesforce", vec!["crmSource"]),
        ("crmPersonId=", vec!["crmPersonId"]),
        (
            "crmPersonId=a/b&crmAccountId=é&crmSource=-",
            vec!["crmPersonId", "crmAccountId", "crmSource"],
        ),
    ] {
        let path = format!("/api/accounts?{query}");
        let refused = api
            .refused(Method::GET, &path, Value::Null, "VALIDATION_FAILED")
            .await;
        assert_eq!(paths(&refused), expected, "{query}");
    }
}

#[tokio::test]
async fn a_record_has_the_documented_figures() {
    let api = Api::new().await;
    let warming = api.world.warming("hello@example.com").await;
    let figures = DayFigures {
        sent: 12,
        received: 8,
        bounced: 1,
        ..DayFigures::default()
    };
    api.world.day(warming, date(2026, 3, 13), figures).await;
    let link =
        json!({ "crmPersonId": "sf_003x0001", "crmAccountId": "a", "crmSource": "salesforce" });
    api.post(&links_of(warming), link, 201).await;
    api.world.clock.advance(SignedDuration::from_secs(1));
    linked(&api, "idle@example.com", "sf_003x0001", "hubspot").await;

    let person = "/api/analytics/crm/person/sf_003x0001";
    insta::assert_json_snapshot!(api.get(person, 200).await, { ".accounts[].id" => "uuid" }, @r#"
    {
      "crmId": "sf_003x0001",
      "crmIdType": "person",
      "accounts": [
        {
          "id": "uuid",
          "email": "idle@example.com",
          "status": "active",
          "warmupPhase": "ramp_up",
          "reputationScore": 50.0
        },
        {
          "id": "uuid",
          "email": "hello@example.com",
          "status": "warming",
          "warmupPhase": "ramp_up",
          "reputationScore": 50.0
        }
      ],
      "aggregate": {
        "totalAccounts": 2,
        "warmingAccounts": 1,
        "averageReputationScore": 50.0,
        "todaySent": 12,
        "todayReceived": 8,
        "todayBounced": 1
      }
    }
    "#);
    let in_one = api.get(&format!("{person}?crmSource=hubspot"), 200).await;
    assert_eq!(emails(&in_one), ["idle@example.com"]);
    assert_eq!(in_one["aggregate"]["todaySent"], 0);
    let account = api
        .get("/api/analytics/crm/account/a?crmSource=salesforce", 200)
        .await;
    assert_eq!(account["crmIdType"], "account");
    assert_eq!(emails(&account), ["hello@example.com"]);
}

#[tokio::test]
async fn a_record_that_nothing_is_linked_to_is_all_zeros() {
    let api = Api::new().await;
    let nobody = api.get("/api/analytics/crm/account/nobody", 200).await;
    insta::assert_json_snapshot!(nobody, @r#"
    {
      "crmId": "nobody",
      "crmIdType": "account",
      "accounts": [],
      "aggregate": {
        "totalAccounts": 0,
        "warmingAccounts": 0,
        "averageReputationScore": 0.0,
        "todaySent": 0,
        "todayReceived": 0,
        "todayBounced": 0
      }
    }
    "#);

    for (path, expected) in [
        ("/api/analytics/crm/person/a b", "personId"),
        ("/api/analytics/crm/account/é", "accountId"),
        ("/api/analytics/crm/person/p?crmSource=a b", "crmSource"),
    ] {
        let refused = api
            .refused(Method::GET, path, Value::Null, "VALIDATION_FAILED")
            .await;
        assert_eq!(paths(&refused), [expected]);
    }
}

#[test]
fn a_crms_ids_are_not_documented_as_ours() {
    let documented = document();
    for (path, name) in [
        ("/api/analytics/crm/person/{personId}", "personId"),
        ("/api/analytics/crm/account/{accountId}", "accountId"),
    ] {
        let parameter = &documented["paths"][path]["get"]["parameters"][0];
        assert_eq!(parameter["name"], name);
        assert_eq!(parameter["schema"]["format"], "crm-id");
    }
}

#[tokio::test]
async fn a_deleted_account_is_linked_to_nothing() {
    let api = Api::new().await;
    let path = linked(&api, "a@example.com", "p", "salesforce").await;
    api.delete(path.trim_end_matches("/crm-links"), 204).await;

    api.refused(Method::GET, &path, Value::Null, "ACCOUNT_NOT_FOUND")
        .await;
    assert_eq!(
        api.get("/api/accounts?crmPersonId=p", 200).await["total"],
        0
    );
    let figures = api.get("/api/analytics/crm/person/p", 200).await;
    assert_eq!(figures["aggregate"]["totalAccounts"], 0);
}

#[tokio::test]
async fn a_stranger_finds_no_links_of_mine() {
    let api = Api::new().await;
    let path = linked(&api, "a@example.com", "p", "salesforce").await;
    let listed = api.get(&path, 200).await;
    let own = format!("{path}/{}", listed["links"][0]["id"].as_str().unwrap());
    let stranger = api.stranger().await;
    let link = json!({ "crmPersonId": "p", "crmSource": "salesforce" }).to_string();
    for (method, path) in [
        (Method::GET, &path),
        (Method::POST, &path),
        (Method::DELETE, &own),
    ] {
        let response = api.send(method, path, Some(&stranger), link.clone()).await;
        assert_eq!(body(&response)["code"], "ACCOUNT_NOT_FOUND", "{path}");
    }
    for path in ["/api/accounts?crmPersonId=p", "/api/analytics/crm/person/p"] {
        let response = api.send(Method::GET, path, Some(&stranger), "").await;
        assert_eq!(body(&response)["accounts"], json!([]), "{path}");
    }
    assert_eq!(api.get(&path, 200).await, listed);
}
