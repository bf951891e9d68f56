use agentwarm_app::ports::endpoints::MailProtocol;
use agentwarm_app::ports::mail::ConnectFailure;
use agentwarm_core::plan::Plan;
use agentwarm_testkit::memory::mail::Connect;
use http::Method;
use serde_json::{Value, json};

use super::client::{Api, json as body, paths};

pub(super) fn new_account(email: &str) -> Value {
    json!({
        "email": email,
        "displayName": "Hello",
        "provider": "imap_smtp",
        "timezone": "America/New_York",
        "credentials": {
            "imapHost": "mail.example.com",
            "imapPort": 993,
            "smtpHost": "mail.example.com",
            "smtpPort": 465,
            "username": email,
            "password": "app-password",
        },
    })
}

pub(super) async fn create(api: &Api, email: &str) -> String {
    let created = api.post("/api/accounts", new_account(email), 201).await;
    format!("/api/accounts/{}", created["id"].as_str().unwrap())
}

#[tokio::test]
async fn the_documented_example_is_created_shown_and_listed() {
    let api = Api::new().await;
    let created = api
        .post("/api/accounts", new_account("hello@example.com"), 201)
        .await;
    insta::assert_json_snapshot!(created, { ".id" => "uuid", ".poolId" => "uuid" }, @r#"
    {
      "id": "uuid",
      "email": "hello@example.com",
      "displayName": "Hello",
      "provider": "imap_smtp",
      "status": "active",
      "statusReason": null,
      "statusSince": "2026-03-13T09:00:00Z",
      "warmupPhase": "ramp_up",
      "currentDailyLimit": 2,
      "totalSent": 0,
      "totalReceived": 0,
      "bounceRate": 0.0,
      "spamRate": 0.0,
      "reputationScore": 50.0,
      "timezone": "America/New_York",
      "poolId": "uuid",
      "warmupStartedAt": null,
      "createdAt": "2026-03-13T09:00:00Z"
    }
    "#);

    let path = format!("/api/accounts/{}", created["id"].as_str().unwrap());
    let shown = api.get(&path, 200).await;
    insta::assert_json_snapshot!(shown["providerMetadata"], @r#"
    {
      "imapHost": "mail.example.com",
      "imapPort": 993,
      "smtpHost": "mail.example.com",
      "smtpPort": 465
    }
    "#);
    assert_eq!(shown["updatedAt"], "2026-03-13T09:00:00Z");

    let listed = api.get("/api/accounts?status=active&limit=10", 200).await;
    assert_eq!(listed["accounts"][0], created);
    insta::assert_json_snapshot!(listed, { ".accounts" => "[…]" }, @r#"
    {
      "accounts": "[…]",
      "total": 1,
      "limit": 10,
      "offset": 0,
      "nextCursor": null
    }
    "#);
}

#[tokio::test]
async fn every_problem_is_named_at_once() {
    let api = Api::new().await;
    let mut bad = new_account("nobody");
    bad["displayName"] = "a\r\nBcc: b@example.com".into();
    bad["timezone"] = "Mars/Olympus".into();
    bad["credentials"]["imapPort"] = 22.into();
    bad["credentials"]["smtpHost"] = "127.0.0.1".into();
    let refused = api
        .refused(Method::POST, "/api/accounts", bad, "VALIDATION_FAILED")
        .await;
    let expected = [
        "email",
        "displayName",
        "timezone",
        "credentials.imapPort",
        "credentials.smtpHost",
    ];
    assert_eq!(paths(&refused), expected);
}

#[tokio::test]
async fn wrong_types_and_missing_fields_are_named_too() {
    let api = Api::new().await;
    let bad = json!({ "email": 5, "provider": "pigeon", "credentials": { "imapPort": "993" } });
    let refused = api
        .refused(Method::POST, "/api/accounts", bad, "VALIDATION_FAILED")
        .await;
    let expected = ["email", "displayName", "provider", "credentials.imapPort"];
    assert_eq!(paths(&refused), expected);
}

#[tokio::test]
async fn duplicates_limits_and_foreign_pools_have_their_codes() {
    let api = Api::on_plan(Plan::Free).await;
    let refused = async |new, code| api.refused(Method::POST, "/api/accounts", new, code).await;
    create(&api, "a@example.com").await;
    refused(new_account("A@example.com"), "ACCOUNT_ALREADY_EXISTS").await;
    let mut elsewhere = new_account("b@example.com");
    elsewhere["poolId"] = "019590a5-7c00-7000-8000-000000000002".into();
    refused(elsewhere, "WARMUP_POOL_NOT_FOUND").await;
    create(&api, "b@example.com").await;
    create(&api, "c@example.com").await;
    let limit = refused(new_account("d@example.com"), "VALIDATION_FAILED").await;
    insta::assert_json_snapshot!(limit["details"], @r#"
    {
      "limit": "accounts",
      "plan": "free",
      "max": 3,
      "current": 3,
      "upgradeUrl": "/console/dashboard"
    }
    "#);
}

fn with_tokens(email: &str, provider: &str) -> Value {
    json!({
        "email": email,
        "displayName": "User",
        "provider": provider,
        "credentials": { "accessToken": "ya29.xxx", "refreshToken": "1//xxx" },
    })
}

#[tokio::test]
async fn accounts_of_other_providers_are_connected_and_wait() {
    let api = Api::new().await;
    let not_yet = "PROVIDER_NOT_CONFIGURED";
    for (email, provider) in [("user@gmail.com", "gmail"), ("user@outlook.com", "outlook")] {
        let created = api
            .post("/api/accounts", with_tokens(email, provider), 201)
            .await;
        assert_eq!(
            (&created["provider"], &created["status"]),
            (&provider.into(), &"active".into())
        );
        let id = created["id"].as_str().unwrap();
        let shown = api.get(&format!("/api/accounts/{id}"), 200).await;
        assert_eq!(shown["providerMetadata"], Value::Null);
        assert!(!shown.to_string().contains("ya29"));
        for path in [
            format!("/api/accounts/{id}/test-connection"),
            format!("/api/warmup/start/{id}"),
        ] {
            api.refused(Method::POST, &path, Value::Null, not_yet).await;
        }
        let found = api.get(&format!("/api/warmup/diagnose/{id}"), 200).await;
        assert_eq!(found["blockedBy"][0]["code"], not_yet);
        let new = json!({
            "provider": provider,
            "credentials": { "accessToken": "next", "refreshToken": "more" },
        });
        api.patch(&format!("/api/accounts/{id}/credentials"), new, 200)
            .await;
    }
    let status = api.get("/api/agent/status", 200).await;
    assert_eq!(status["nextActions"], json!([]));
}

#[tokio::test]
async fn tokens_are_checked_as_passwords_are() {
    let api = Api::new().await;
    let refused = async |new| {
        let refused = api
            .refused(Method::POST, "/api/accounts", new, "VALIDATION_FAILED")
            .await;
        paths(&refused)
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let mut none = with_tokens("user@gmail.com", "gmail");
    none["credentials"] = json!({ "username": "user", "password": "x" });
    let expected = ["credentials.accessToken", "credentials.refreshToken"];
    assert_eq!(refused(none).await, expected);
    let mut bad = with_tokens("user@gmail.com", "gmail");
    bad["credentials"]["accessToken"] = "a\nb".into();
    assert_eq!(refused(bad).await, ["credentials.accessToken"]);
}

#[tokio::test]
async fn a_deleted_account_is_gone() {
    let api = Api::new().await;
    let path = create(&api, "a@example.com").await;
    assert_eq!(api.delete(&path, 204).await, Value::Null);
    api.refused(Method::GET, &path, Value::Null, "ACCOUNT_NOT_FOUND")
        .await;
    api.refused(Method::DELETE, &path, Value::Null, "ACCOUNT_NOT_FOUND")
        .await;
}

#[tokio::test]
async fn a_connection_test_answers_200_either_way() {
    let api = Api::new().await;
    let path = create(&api, "hello@example.com").await;
    let office = &api.world.office;
    office.open_mailbox("hello@example.com", "app-password");
    let refused = Connect::Fails(ConnectFailure::Credentials);
    office.next_connect("hello@example.com", MailProtocol::Imap, refused);
    let tested = api
        .post(&format!("{path}/test-connection"), Value::Null, 200)
        .await;
    insta::assert_json_snapshot!(tested, { ".accountId" => "uuid" }, @r#"
    {
      "accountId": "uuid",
      "email": "hello@example.com",
      "provider": "imap_smtp",
      "imap": {
        "success": false,
        "error": "Authentication failed: invalid credentials"
      },
      "smtp": {
        "success": true,
        "latencyMs": 0
      },
      "overall": false,
      "testedAt": "2026-03-13T09:00:00Z"
    }
    "#);
    let tested = api
        .post(&format!("{path}/test-connection"), Value::Null, 200)
        .await;
    assert_eq!(tested["overall"], true);
}

#[tokio::test]
async fn lists_are_strict_and_go_on_by_cursor() {
    let api = Api::new().await;
    for email in ["a@example.com", "b@example.org", "c@example.com"] {
        create(&api, email).await;
        api.world.clock.advance(jiff::SignedDuration::from_secs(1));
    }
    let first = api.get("/api/accounts?limit=2", 200).await;
    assert_eq!(
        (&first["total"], &first["accounts"][0]["email"]),
        (&json!(3), &json!("c@example.com"))
    );
    let next = first["nextCursor"].as_str().unwrap();
    let second = api
        .get(&format!("/api/accounts?limit=2&cursor={next}"), 200)
        .await;
    assert_eq!(second["accounts"][0]["email"], "a@example.com");
    assert_eq!(second["nextCursor"], Value::Null);
    assert_eq!(
        api.get("/api/accounts?domain=example.org", 200).await["total"],
        1
    );

    for query in [
        "limit=0",
        "limit=201",
        "limit=x",
        "offset=-1",
        "offset=10001",
        "status=asleep",
        "cursor=zz",
    ] {
        let path = format!("/api/accounts?{query}");
        let refused = api
            .refused(Method::GET, &path, Value::Null, "VALIDATION_FAILED")
            .await;
        assert_eq!(
            paths(&refused),
            [query.split_once('=').unwrap().0],
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_stranger_finds_nothing_of_mine() {
    let api = Api::new().await;
    let path = create(&api, "a@example.com").await;
    let id = path.rsplit('/').next().unwrap();
    let stranger = api.stranger().await;
    for (method, path) in [
        (Method::GET, path.clone()),
        (Method::DELETE, path.clone()),
        (Method::POST, format!("{path}/test-connection")),
        (Method::POST, format!("/api/warmup/start/{id}")),
        (Method::POST, format!("/api/warmup/pause/{id}")),
        (Method::POST, format!("/api/warmup/resume/{id}")),
        (Method::GET, format!("/api/warmup/schedule/{id}")),
        (Method::GET, format!("/api/warmup/diagnose/{id}")),
        (Method::GET, format!("{path}/persona")),
        (Method::GET, format!("/api/analytics/accounts/{id}")),
        (
            Method::GET,
            format!("/api/analytics/accounts/{id}/progress"),
        ),
    ] {
        let response = api.send(method, &path, Some(&stranger), "").await;
        assert_eq!(body(&response)["code"], "ACCOUNT_NOT_FOUND", "{path}");
    }
    let listed = api
        .send(Method::GET, "/api/accounts", Some(&stranger), "")
        .await;
    assert_eq!(body(&listed)["total"], 0);
}
