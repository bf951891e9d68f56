//! The codes that are an operation's own: what is there already, what an account's status allows, what a plan does.

use agentwarm_core::error::ErrorCode;
use agentwarm_core::plan::Plan;
use serde_json::json;

use super::asking::{Contract, User, examples};
use super::cast;
use super::examples::Told;

pub(super) async fn duplicates(contract: &Contract, me: &User) {
    for taken in [cast::MINE, cast::STRANGERS] {
        let account = contract.deployment.account(taken);
        let ask = contract.ask(me, "createAccount").body(&account);
        ask.refused(ErrorCode::AccountAlreadyExists).await;
    }
}

pub(super) async fn transitions(contract: &Contract, me: &User, told: &Told) {
    let ask = |operation: &str| contract.ask(me, operation);
    let refused = ErrorCode::AccountInvalidStatusTransition;
    // It warms.
    ask("startWarmup")
        .refused(ErrorCode::AccountAlreadyWarming)
        .await;
    ask("resumeWarmup").refused(refused).await;
    let active = json!({ "status": "active" });
    let told_of = ask("updateAccount").body(&active).refused(refused).await;
    assert_eq!(told_of["details"]["status"], "warming");
    ask("pauseWarmup").succeeds(200).await;
    ask("pauseWarmup").refused(refused).await;
    ask("startWarmup").refused(refused).await;
    ask("resumeWarmup").succeeds(200).await;

    let fresh = &told.fresh[2];
    let resume = ask("resumeWarmup").with("accountId", fresh);
    resume.refused(ErrorCode::AccountNeverWarmed).await;
    let account = ask("getAccount").with("id", fresh).succeeds(200).await;
    let leave = ask("removeAccountFromPool").with("accountId", fresh);
    let leave = leave.with("poolId", account["poolId"].as_str().unwrap());
    leave.succeeds(204).await;
    let start = ask("startWarmup").with("accountId", fresh);
    start.refused(ErrorCode::AccountNotInPool).await;

    let day = ask("getWarmupSchedule").query("date=2026-03-01");
    day.refused(ErrorCode::WarmupScheduleNotFound).await;
}

pub(super) async fn configurations(contract: &Contract, me: &User) {
    for (field, value) in [
        ("maxDailyEmails", json!(201)),
        ("replyRate", json!(1.5)),
        ("workingHoursStart", json!(23)),
    ] {
        let ask = contract.ask(me, "updatePoolConfig");
        let ask = ask.body(&json!({ field: value }));
        ask.refused_at(ErrorCode::WarmupConfigInvalid, field).await;
    }
}

/// Gmail's and Outlook's mailboxes wait until there is somebody who can use them.
pub(super) async fn providers(contract: &Contract, me: &User, told: &Told) {
    for account in [&told.gmail, &told.outlook] {
        for operation in [
            "startWarmup",
            "testAccountConnection",
            "listMessages",
            "sendEmail",
        ] {
            let ask = contract.ask(me, operation);
            let ask = ask.with("id", account).with("accountId", account);
            ask.refused(ErrorCode::ProviderNotConfigured).await;
        }
    }
}

/// A plan's and test mode's limits are the request's fault, and say their numbers (decision 10).
pub(super) async fn limits(contract: &Contract, me: &User) {
    let free = contract.deployment.another_user(Plan::Free).await;
    let free = cast::newcomer(&free);
    for n in 0..=3 {
        let account = contract.deployment.account(&format!("free-{n}@cedar.test"));
        let ask = contract.ask(&free, "createAccount").body(&account);
        if n < 3 {
            ask.succeeds(201).await;
            continue;
        }
        let told = ask.refused(ErrorCode::ValidationFailed).await;
        assert_eq!(
            (&told["details"]["limit"], &told["details"]["max"]),
            (&json!("accounts"), &json!(3))
        );
    }
    let ask = contract.ask(&free, "createApiKey");
    let told = ask.refused(ErrorCode::ValidationFailed).await;
    assert_eq!(told["details"]["plan"], "free");

    // Warmup has planned two.
    let mode = |mode| contract.ask(me, "setTestMode").body(&mode);
    mode(json!({ "enabled": true, "maxDailyEmails": 1 }))
        .succeeds(200)
        .await;
    let mut mail = examples("sendEmail").remove(0);
    mail["to"] = cast::PARTNER.into();
    let ask = contract.ask(me, "sendEmail").body(&mail);
    let told = ask.refused(ErrorCode::ValidationFailed).await;
    assert_eq!(told["details"]["limit"], "testMode.maxDailyEmails");
    mode(json!({ "enabled": false })).succeeds(200).await;
}
