//! The life of mails between two mailboxes, as their owner sees it.

use serde_json::{Value, json};

use crate::world::Deployment;

#[tokio::test(flavor = "multi_thread")]
async fn mails_are_planned_sent_found_opened_and_counted() {
    let mut deployment = Deployment::begin("accept-one-mail").await;
    let robin = deployment.connect_numbered("w101@acorn.test").await;
    let kim = deployment.connect_numbered("w102@birch.test").await;
    let tested = deployment
        .api
        .post(&format!("/api/accounts/{robin}/test-connection"), None)
        .await
        .unwrap();
    assert_eq!(tested["overall"], true, "{tested}");
    let config = json!({ "openRate": 1.0 });
    deployment.configure_default_pool(&config).await;
    assert_eq!(deployment.start(&robin).await["initialDailyLimit"], 2);
    deployment.start(&kim).await;

    let planned = deployment
        .get(&format!("/api/warmup/schedule/{robin}"))
        .await;
    assert_eq!(
        (planned["date"].as_str(), &planned["plannedSendCount"]),
        (Some("2026-03-11"), &Value::from(2))
    );
    assert_eq!(planned["actualSendCount"], 0);

    deployment.run_until("2026-03-12T07:30:00Z").await;
    let done = deployment
        .get(&format!("/api/warmup/schedule/{robin}?date=2026-03-11"))
        .await;
    assert_eq!(done["actualSendCount"], 2, "{done:#}");
    for slot in done["sendSlots"].as_array().unwrap() {
        assert_eq!(slot["executed"], true, "{slot}");
        assert_eq!(slot["targetAccountId"], kim.as_str());
    }
    let account = deployment.get(&format!("/api/accounts/{robin}")).await;
    assert_eq!(
        (&account["status"], &account["totalSent"]),
        (&Value::from("warming"), &Value::from(2)),
        "{account}"
    );
    let progress = deployment
        .get(&format!("/api/analytics/accounts/{kim}/progress"))
        .await;
    let days = progress["dailyMetrics"].as_array().unwrap();
    let first = days.iter().find(|day| day["date"] == "2026-03-11").unwrap();
    assert_eq!(
        (&first["sent"], &first["received"]),
        (&Value::from(2), &Value::from(2)),
        "{progress:#}"
    );
    let audit = deployment
        .get(&format!(
            "/api/audit-log?entityId={robin}&eventType=account.status_changed"
        ))
        .await;
    assert_eq!(
        audit["entries"][0]["metadata"]["to"], "warming",
        "{audit:#}"
    );

    // The last mail of the day may be opened on the next, and its figures are final a day after its end.
    deployment.run_until("2026-03-13T07:00:00Z").await;
    let progress = format!("/api/analytics/accounts/{kim}/progress");
    let progress = deployment.get(&progress).await;
    let days = progress["dailyMetrics"].as_array().unwrap();
    let first = days.iter().find(|day| day["date"] == "2026-03-11").unwrap();
    assert_eq!(first["opened"], 2, "{progress:#}");
    deployment.end().await;
}
