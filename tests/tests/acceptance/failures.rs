//! What an owner sees when servers refuse.

use serde_json::Value;

use crate::world::Deployment;

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_shown_and_becomes_an_error() {
    let mut deployment = Deployment::begin("accept-wrong-password").await;
    let robin = deployment.connect("w111@acorn.test", "wrong").await;
    deployment.connect_numbered("w112@birch.test").await;
    let tested = deployment
        .api
        .post(&format!("/api/accounts/{robin}/test-connection"), None)
        .await
        .unwrap();
    assert_eq!(
        tested["imap"]["error"], "Authentication failed: invalid credentials",
        "{tested}"
    );
    assert_eq!(tested["overall"], false);

    deployment.start(&robin).await;
    deployment.run_until("2026-03-11T19:00:00Z").await;
    let account = deployment.get(&format!("/api/accounts/{robin}")).await;
    assert_eq!(account["status"], "error", "{account}");
    assert_eq!(account["totalSent"], 0);
    deployment.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recipient_that_does_not_exist_bounces_and_gets_no_more() {
    let mut deployment = Deployment::begin("accept-bounce").await;
    let robin = deployment.connect_numbered("w121@acorn.test").await;
    deployment
        .connect("nobody-there@birch.test", "unused")
        .await;
    deployment.start(&robin).await;
    deployment.run_until("2026-03-11T19:00:00Z").await;

    let schedule = deployment
        .get(&format!("/api/warmup/schedule/{robin}"))
        .await;
    assert_eq!(schedule["actualSendCount"], 0, "{schedule:#}");
    let bounces = deployment
        .get(&format!(
            "/api/audit-log?entityId={robin}&eventType=warmup.email_bounced"
        ))
        .await;
    assert_eq!(
        (
            &bounces["total"],
            &bounces["entries"][0]["metadata"]["reply"]
        ),
        (&Value::from(1), &Value::from(550)),
        "{bounces:#}"
    );
    assert_eq!(
        bounces["entries"][0]["metadata"]["recipientSuppressed"],
        true
    );
    is_suppressed(&deployment, "nobody-there@birch.test").await;
    deployment.end().await;
}

/// Its server takes the mail, and a delivery report comes back.
#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_comes_back_is_a_bounce_and_its_recipient_gets_no_more() {
    let mut deployment = Deployment::begin("accept-late-bounce").await;
    let robin = deployment.connect_numbered("w123@acorn.test").await;
    let gone = "late-bounce@birch.test";
    deployment.connect(gone, "unused").await;
    deployment.start(&robin).await;
    deployment.run_until("2026-03-11T23:00:00Z").await;

    let bounces = format!("/api/audit-log?entityId={robin}&eventType=warmup.email_bounced");
    let bounces = deployment.get(&bounces).await;
    let entries = bounces["entries"].as_array().unwrap();
    assert!(!entries.is_empty(), "{bounces:#}");
    for entry in entries {
        let told = &entry["metadata"];
        assert_eq!(
            (&told["status"], &told["recipientSuppressed"]),
            (&Value::from("5.1.1"), &Value::from(true)),
            "{entry:#}"
        );
    }
    is_suppressed(&deployment, gone).await;
    let progress = deployment
        .get(&format!("/api/analytics/accounts/{robin}/progress"))
        .await;
    let today = &progress["dailyMetrics"][0];
    // Its server accepted it, so it was sent besides.
    assert_eq!(today["bounced"], entries.len(), "{progress:#}");
    assert!(
        today["sent"].as_u64() >= today["bounced"].as_u64(),
        "{progress:#}"
    );
    deployment.end().await;
}

async fn is_suppressed(deployment: &Deployment, address: &str) {
    let list = deployment.get("/api/warmup/suppression").await;
    let entries = list["entries"].as_array().unwrap();
    let entry = entries.iter().find(|entry| entry["email"] == address);
    let entry = entry.unwrap_or_else(|| panic!("{list:#}"));
    assert_eq!(
        (&entry["reason"], &entry["expiresAt"]),
        (&Value::from("hard_bounce"), &Value::Null),
        "{entry:#}"
    );
}
