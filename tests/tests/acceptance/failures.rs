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
    deployment.end().await;
}
