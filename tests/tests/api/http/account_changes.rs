use agentwarm_app::credentials;
use agentwarm_app::ports::accounts::AccountReads;
use agentwarm_app::ports::days::AccountRef;
use agentwarm_app::ports::mail::ImapSmtpCredentials;
use agentwarm_app::ports::mailboxes::{MailboxReads, Mailboxes};
use agentwarm_core::account::AccountStatus;
use agentwarm_core::warmup::connection::{
    ConnectionFailure, ConnectionHealth, MailProtocol as Protocol,
};
use http::Method;
use serde_json::{Value, json};

use super::accounts::create;
use super::client::{Api, paths};
use crate::world::now;

/// An account's credentials in the clear.
async fn opened(api: &Api, path: &str) -> ImapSmtpCredentials {
    let user = api.world.tenant.user;
    let id = path.rsplit('/').next().unwrap().parse().unwrap();
    let sealed = api
        .world
        .store
        .credentials(user, id)
        .await
        .unwrap()
        .unwrap();
    let vault = api.world.vault.as_ref();
    credentials::open(vault, user, id, &sealed).await.unwrap()
}

#[tokio::test]
async fn name_and_zone_are_changed_and_the_rest_stays() {
    let api = Api::new().await;
    let path = create(&api, "hello@example.com").await;
    let before = api.get(&path, 200).await;
    let change = json!({ "displayName": "New Name", "timezone": "Europe/London" });
    let after = api.patch(&path, change, 200).await;
    assert_eq!(after["displayName"], "New Name");
    assert_eq!(after["timezone"], "Europe/London");
    let mut expected = before;
    for field in ["displayName", "timezone"] {
        expected[field] = after[field].clone();
    }
    assert_eq!(after, expected);
    assert_eq!(api.get(&path, 200).await, after);
    assert_eq!(api.patch(&path, json!({}), 200).await, after);
}

#[tokio::test]
async fn an_account_is_paused_and_active_again_unless_it_was_warmed() {
    let api = Api::new().await;
    let path = create(&api, "hello@example.com").await;
    let set = |status: &str| json!({ "status": status });
    assert_eq!(
        api.patch(&path, set("paused"), 200).await["status"],
        "paused"
    );
    assert_eq!(
        api.patch(&path, set("active"), 200).await["status"],
        "active"
    );
    assert_eq!(
        api.patch(&path, set("active"), 200).await["status"],
        "active"
    );

    let start = path.replace("/api/accounts/", "/api/warmup/start/");
    api.post(&start, Value::Null, 200).await;
    let invalid = "ACCOUNT_INVALID_STATUS_TRANSITION";
    let refused = api
        .refused(Method::PATCH, &path, set("active"), invalid)
        .await;
    assert_eq!(
        refused["details"],
        json!({ "status": "warming", "phase": "ramp_up" })
    );
    let both = json!({ "status": "paused", "displayName": "Sleeper" });
    let paused = api.patch(&path, both, 200).await;
    assert_eq!(
        (&paused["status"], &paused["displayName"]),
        (&json!("paused"), &json!("Sleeper"))
    );
    api.refused(Method::PATCH, &path, set("paused"), invalid)
        .await;
    let both = json!({ "status": "active", "displayName": "Nobody" });
    api.refused(Method::PATCH, &path, both, invalid).await;
    assert_eq!(
        api.get(&path, 200).await["displayName"],
        "Sleeper",
        "all or nothing"
    );
}

#[tokio::test]
async fn what_cannot_be_changed_to_is_named() {
    let api = Api::new().await;
    let path = create(&api, "hello@example.com").await;
    let bad = json!({ "displayName": "a\nb", "timezone": "Mars/Olympus", "status": "warming" });
    let refused = api
        .refused(Method::PATCH, &path, bad, "VALIDATION_FAILED")
        .await;
    assert_eq!(paths(&refused), ["displayName", "timezone", "status"]);
    for path in [
        "/api/accounts/none",
        "/api/accounts/019590a5-7c00-7000-8000-000000000002",
    ] {
        let change = json!({ "displayName": "x" });
        api.refused(Method::PATCH, path, change, "ACCOUNT_NOT_FOUND")
            .await;
    }
}

fn new_credentials() -> Value {
    json!({
        "provider": "imap_smtp",
        "credentials": {
            "imapHost": "new-host.com",
            "imapPort": 993,
            "smtpHost": "new-host.com",
            "smtpPort": 465,
            "username": "user",
            "password": "new-pass",
        },
    })
}

#[tokio::test]
async fn new_credentials_are_stored_shown_in_part_and_used() {
    let api = Api::new().await;
    let path = create(&api, "hello@example.com").await;
    let replaced = api
        .patch(&format!("{path}/credentials"), new_credentials(), 200)
        .await;
    insta::assert_json_snapshot!(replaced, { ".id" => "uuid" }, @r#"
    {
      "id": "uuid",
      "email": "hello@example.com",
      "provider": "imap_smtp",
      "credentialsUpdated": true
    }
    "#);
    let shown = api.get(&path, 200).await;
    assert_eq!(shown["providerMetadata"]["imapHost"], "new-host.com");
    assert!(!shown.to_string().contains("new-pass"));
    let opened = opened(&api, &path).await;
    assert_eq!(
        (opened.username.as_str(), opened.password.as_str()),
        ("user", "new-pass")
    );
    assert!(
        api.world.queues.take_visits().is_empty(),
        "nothing was wrong with the old ones"
    );
}

#[tokio::test]
async fn a_mailbox_that_failed_is_tried_with_new_credentials_at_once() {
    let api = Api::new().await;
    let path = create(&api, "hello@example.com").await;
    let id = path.rsplit('/').next().unwrap().parse().unwrap();
    let mailbox = AccountRef {
        user: api.world.tenant.user,
        account: id,
    };
    let refused = ConnectionHealth::default().failed(
        Protocol::Imap,
        ConnectionFailure::LoginRefused,
        now(&api.world),
    );
    api.world
        .store
        .note_health(mailbox, Protocol::Imap, &refused.imap)
        .await
        .unwrap();
    api.world
        .change(id, |account| account.status = AccountStatus::Error)
        .await;

    api.patch(&format!("{path}/credentials"), new_credentials(), 200)
        .await;

    let health = api.world.store.state(mailbox).await.unwrap().health;
    assert_eq!(health.imap.refused.count, 1, "they did not work yet");
    assert_eq!(health.waits_until(Protocol::Imap), None);
    assert!(refused.waits_until(Protocol::Smtp).is_some());
    assert_eq!(health.waits_until(Protocol::Smtp), None);
    let visits = api.world.queues.take_visits();
    assert_eq!(visits.len(), 1);
    assert!(visits[0].look_anyway && visits[0].account == id);
}

#[tokio::test]
async fn credentials_of_another_provider_or_with_mistakes_are_refused() {
    let api = Api::new().await;
    let path = format!("{}/credentials", create(&api, "hello@example.com").await);
    let refused = async |body| {
        let refused = api
            .refused(Method::PATCH, &path, body, "VALIDATION_FAILED")
            .await;
        paths(&refused)
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let mut gmail = new_credentials();
    gmail["provider"] = "gmail".into();
    assert_eq!(refused(gmail).await, ["provider"]);
    let mut bad = new_credentials();
    bad["credentials"]["imapHost"] = "127.0.0.1".into();
    bad["credentials"]["password"] = "a\r\nb".into();
    assert_eq!(
        refused(bad).await,
        ["credentials.password"],
        "the shape first"
    );
    let mut bad = new_credentials();
    bad["credentials"]["imapHost"] = "127.0.0.1".into();
    bad["credentials"]["smtpPort"] = 25.into();
    assert_eq!(
        refused(bad).await,
        ["credentials.imapHost", "credentials.smtpPort"]
    );
    assert_eq!(refused(json!({})).await, ["provider", "credentials"]);
    let none = "/api/accounts/none/credentials";
    api.refused(Method::PATCH, none, new_credentials(), "ACCOUNT_NOT_FOUND")
        .await;
}

#[tokio::test]
async fn a_persona_is_derived_until_it_is_set() {
    let api = Api::new().await;
    let path = format!("{}/persona", create(&api, "hello@example.com").await);
    let derived = api.get(&path, 200).await;
    assert!(!derived["persona"]["title"].as_str().unwrap().is_empty());
    assert_eq!(api.get(&path, 200).await, derived);

    let own = json!({ "title": "Sales Manager", "department": "Sales", "topics": ["SaaS", "B2B"] });
    let set = api.put(&path, own.clone(), 200).await;
    assert_eq!(set["persona"], own);
    assert_eq!(api.get(&path, 200).await, set);

    let part = api.put(&path, json!({ "title": "Buyer" }), 200).await;
    assert_eq!(part["persona"]["title"], "Buyer");
    assert_eq!(
        part["persona"]["department"],
        derived["persona"]["department"]
    );
    assert_eq!(part["persona"]["topics"], derived["persona"]["topics"]);
}

#[tokio::test]
async fn a_persona_takes_plain_words_only() {
    let api = Api::new().await;
    let path = format!("{}/persona", create(&api, "hello@example.com").await);
    let bad = json!({
        "title": "{Head|Tail}",
        "department": "see www.example.org",
        "topics": ["SaaS", "", "a\nb", "x".repeat(61)],
    });
    let refused = api
        .refused(Method::PUT, &path, bad, "VALIDATION_FAILED")
        .await;
    let expected = ["title", "department", "topics[1]", "topics[2]", "topics[3]"];
    assert_eq!(paths(&refused), expected);
    let none = "/api/accounts/none/persona";
    api.refused(Method::GET, none, Value::Null, "ACCOUNT_NOT_FOUND")
        .await;
    api.refused(Method::PUT, none, json!({}), "ACCOUNT_NOT_FOUND")
        .await;
}
