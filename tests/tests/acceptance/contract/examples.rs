//! The documented example of every operation, told as the first day of a user.

use std::time::Duration;

use agentwarm_tests::operations;
use agentwarm_tests::owned::NOBODYS;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::asking::{Contract, User, examples, id, text};
use super::cast;
use crate::by_hand::{DELIVERY, arrived};
use crate::imap;

/// What there is to talk about besides what the user owns.
pub(super) struct Told {
    /// Warms with the user's account.
    pub(super) partner: String,
    /// Gmail's and Outlook's, which can be connected and not used yet.
    pub(super) gmail: String,
    pub(super) outlook: String,
    /// Never warmed.
    pub(super) fresh: Vec<String>,
}

/// Asks for each example. Afterwards the user has one of everything, and an account that warms.
pub(super) async fn tell(contract: &mut Contract, me: &mut User) -> Told {
    public(contract, me).await;
    keys_and_pools(contract, me).await;
    let told = accounts(contract, me).await;
    changes(contract, me, &told).await;
    links_and_suppressions(contract, me).await;
    warmup(contract, me, &told).await;
    mails(contract, me, &told).await;
    day(contract).await;
    figures(contract, me, &told).await;
    pauses(contract, me, &told).await;
    ends(contract, me, &told).await;
    told
}

async fn public(contract: &Contract, me: &User) {
    let ask = |operation| contract.ask(me, operation).anonymously();
    for operation in ["getLiveness", "getReadiness", "getCapabilities"] {
        ask(operation).answers_in_full(200, &[]).await;
    }
    let document = ask("getOpenApi").answers_in_full(200, &[]).await;
    assert_eq!(&document, operations::document());
    for (operation, media) in [
        ("getDocs", "text/html; charset=utf-8"),
        ("getLlms", "text/plain; charset=utf-8"),
        ("getLlmsFull", "text/plain; charset=utf-8"),
        ("getMetrics", "text/plain; version=0.0.4; charset=utf-8"),
    ] {
        let answer = ask(operation).sent().await;
        assert_eq!(answer.status, 200, "{operation}");
        assert_eq!(answer.headers["content-type"], media, "{operation}");
    }
}

async fn keys_and_pools(contract: &Contract, me: &mut User) {
    let made = contract.ask(me, "createApiKey").answers_in_full(201, &[]);
    me.owned.key = id(&made.await);
    let rotated = contract.ask(me, "rotateApiKey").answers_in_full(201, &[]);
    let rotated = rotated.await;
    me.owned.key = id(&rotated);
    let key = rotated["key"].as_str().unwrap();
    let asked = contract.ask(me, "getMe").with_key(key);
    asked.answers_in_full(200, &[]).await;
    contract
        .ask(me, "listApiKeys")
        .answers_in_full(200, &[])
        .await;
    let made = contract.ask(me, "createPool").answers_in_full(201, &[]);
    me.owned.pool = id(&made.await);
    contract
        .ask(me, "listPools")
        .answers_in_full(200, &[])
        .await;
    for operation in ["updatePoolConfig", "getPoolConfig"] {
        let config = contract.ask(me, operation).answers_in_full(200, &[]).await;
        assert_eq!(config["config"]["maxDailyEmails"], 30, "{operation}");
    }
    // So that the day is over soon. These are New York's hours, the example's time zone.
    let hours = json!({ "workingHoursStart": 3, "workingHoursEnd": 5 });
    let hours = contract.ask(me, "updatePoolConfig").body(&hours);
    hours.succeeds(200).await;
}

async fn accounts(contract: &Contract, me: &mut User) -> Told {
    let [mine, gmail, outlook] = &examples("createAccount")[..] else {
        panic!("the reference has three kinds of accounts");
    };
    let connect = async |example: Value| {
        let ask = contract.ask(me, "createAccount").body(&example);
        id(&ask.answers_in_full(201, &[]).await)
    };
    let in_pool = |address: &str| {
        let mut account = cast::on_our_servers(contract, mine, address);
        account["poolId"] = me.owned.pool.as_str().into();
        account
    };
    let account = connect(in_pool(cast::MINE)).await;
    let partner = connect(in_pool(cast::PARTNER)).await;
    let (gmail, outlook) = (connect(gmail.clone()).await, connect(outlook.clone()).await);

    // The second of the reference's two is registered.
    let mut both = examples("createAccounts").remove(0);
    let some = |both: &Value, n: usize, address: &str| {
        cast::on_our_servers(contract, &both["accounts"][n], address)
    };
    both["accounts"] = json!([some(&both, 0, cast::FRESH[0]), some(&both, 1, cast::MINE)]);
    let ask = contract.ask(me, "createAccounts").body(&both);
    let partly = ask.answers_in_full(207, &[]).await;
    assert_eq!(partly["results"][1]["code"], "ACCOUNT_ALREADY_EXISTS");
    both["accounts"] = json!([
        some(&both, 0, cast::FRESH[1]),
        some(&both, 1, cast::FRESH[2])
    ]);
    let ask = contract.ask(me, "createAccounts").body(&both);
    let all = ask.answers_in_full(201, &[]).await;
    let results = [
        &partly["results"][0],
        &all["results"][0],
        &all["results"][1],
    ];
    let fresh = results.map(|one| one["accountId"].as_str().unwrap().to_owned());
    me.owned.account = account;
    Told {
        partner,
        gmail,
        outlook,
        fresh: fresh.to_vec(),
    }
}

async fn changes(contract: &Contract, me: &User, told: &Told) {
    let other = &told.fresh[0];
    let ask = contract.ask(me, "updateAccount").with("id", other);
    // It was never started.
    let changed = ask.answers_in_full(200, &["/warmupStartedAt"]).await;
    assert_eq!(changed["displayName"], "New Name");
    let example = examples("replaceAccountCredentials").remove(0);
    let own = cast::on_our_servers(contract, &example, cast::FRESH[0]);
    let ask = contract.ask(me, "replaceAccountCredentials");
    let ask = ask.with("id", other).body(&own);
    ask.answers_in_full(200, &[]).await;
    for operation in ["setAccountPersona", "getAccountPersona"] {
        let persona = contract.ask(me, operation).answers_in_full(200, &[]).await;
        assert_eq!(persona["persona"]["title"], "Sales Manager", "{operation}");
    }
    let ask = contract.ask(me, "createUpload");
    ask.answers_in_full(201, &[]).await;
    // The example's IMAP fails.
    let ask = contract.ask(me, "testAccountConnection");
    let tested = ask.answers_in_full(200, &["/imap/error"]).await;
    assert_eq!(tested["overall"], true, "{tested:#}");
    let ids = json!({ "accountIds": [me.owned.account, told.partner] });
    let ask = contract.ask(me, "testAccountConnections").body(&ids);
    ask.answers_in_full(200, &[]).await;
    let ids = json!({ "accountIds": [NOBODYS, me.owned.account, told.partner] });
    let ask = contract.ask(me, "testAccountConnections").body(&ids);
    let partly = ask.answers_in_full(207, &[]).await;
    // As the reference counts.
    assert_eq!(
        (&partly["successCount"], &partly["failureCount"]),
        (&json!(2), &json!(1))
    );
}

async fn links_and_suppressions(contract: &Contract, me: &mut User) {
    let made = contract.ask(me, "createCrmLink").answers_in_full(201, &[]);
    let made = made.await;
    me.owned.link = id(&made);
    me.owned.person = text(&made, "crmPersonId");
    let ask = contract.ask(me, "listCrmLinks");
    ask.answers_in_full(200, &[]).await;
    let ask = contract.ask(me, "getCrmPersonStatistics");
    ask.answers_in_full(200, &[]).await;
    let body = json!({ "crmAccountId": "0013x", "crmSource": "salesforce" });
    let made = contract.ask(me, "createCrmLink").body(&body);
    me.owned.company = text(&made.succeeds(201).await, "crmAccountId");
    let ask = contract.ask(me, "getCrmAccountStatistics");
    let told = ask.answers_in_full(200, &[]).await;
    assert_eq!(told["accounts"][0]["email"], cast::MINE);
    let made = contract.ask(me, "suppressAddress");
    let made = made.answers_in_full(201, &[]).await;
    me.owned.address = text(&made, "email");
    let ask = contract.ask(me, "listSuppressions");
    let listed = ask.answers_in_full(200, &[]).await;
    assert_eq!(listed["entries"][0]["email"], "bad@example.com");
}

async fn warmup(contract: &Contract, me: &User, told: &Told) {
    let ask = contract.ask(me, "getTestMode");
    let mode = ask.answers_in_full(200, &[]).await;
    assert_eq!(mode["source"], "env");
    let ask = contract.ask(me, "setTestMode");
    let mode = ask.answers_in_full(200, &[]).await;
    assert_eq!(mode["maxDailyEmails"], 5);
    let started = contract.ask(me, "startWarmup").answers_in_full(200, &[]);
    assert_eq!(started.await["initialDailyLimit"], 2);
    let ids = json!({ "accountIds": [told.partner] });
    let ask = contract.ask(me, "startWarmups").body(&ids);
    ask.answers_in_full(200, &[]).await;
    // As the reference shows it: one more, and one that warms.
    let ids = json!({ "accountIds": [told.fresh[1], me.owned.account] });
    let ask = contract.ask(me, "startWarmups").body(&ids);
    let partly = ask.answers_in_full(207, &[]).await;
    assert_eq!(partly["results"][1]["code"], "ACCOUNT_ALREADY_WARMING");
}

async fn mails(contract: &Contract, me: &User, told: &Told) {
    let mut mail = examples("sendEmail").remove(0);
    mail["to"] = cast::PARTNER.into();
    mail["cc"] = json!([cast::COPIED]);
    mail["bcc"] = json!([cast::COPIED_UNSEEN]);
    let ask = contract.ask(me, "sendEmail").body(&mail);
    let sent = ask.answers_in_full(200, &[]).await;
    let sent = sent["messageId"].as_str().unwrap();
    let got = arrived(&contract.deployment, &told.partner, "INBOX", sent).await;
    assert_eq!(got["attachments"][0]["filename"], "report.pdf");

    let mut answer = examples("sendEmail").remove(0);
    answer["to"] = cast::MINE.into();
    (answer["cc"], answer["bcc"]) = (json!([]), json!([]));
    answer["inReplyTo"] = got["messageId"].clone();
    answer["references"] = json!([got["messageId"]]);
    let ask = contract.ask(me, "sendEmail").with("id", &told.partner);
    let sent = ask.body(&answer).answers_in_full(200, &[]).await;
    let sent = sent["messageId"].as_str().unwrap();
    arrived(&contract.deployment, &me.owned.account, "INBOX", sent).await;
    let ask = contract.ask(me, "listMessages").query("limit=1");
    let listed = ask.answers_in_full(200, &[]).await;
    assert_eq!(listed["messages"][0]["messageId"], sent);
}

/// Lets the two write to each other. Servers deliver in real time: what was sent is there before anybody looks for it the last time.
async fn day(contract: &mut Contract) {
    contract.deployment.run_until(cast::AFTERNOON).await;
    let begun = Instant::now();
    for (from, to) in [(cast::MINE, cast::PARTNER), (cast::PARTNER, cast::MINE)] {
        let delivered = async || {
            let messages = imap::messages(to).await;
            messages.iter().filter(|one| one.from() == from).count()
        };
        // The two of warmup, and the one by hand.
        while delivered().await < 3 {
            assert!(begun.elapsed() < DELIVERY, "not all is there for {to}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    contract.deployment.run_until(cast::EVENING).await;
}

/// What is shown of the day after it.
async fn figures(contract: &Contract, me: &User, told: &Told) {
    let ask = contract.ask(me, "listAccounts");
    let ask = ask.query("status=warming&limit=1");
    ask.answers_in_full(200, &[]).await;
    let ask = contract.ask(me, "getAccount");
    assert_eq!(ask.answers_in_full(200, &[]).await["totalSent"], 2);
    let day = contract.ask(me, "getWarmupSchedule");
    let day = day.answers_in_full(200, &[]).await;
    assert_eq!(day["actualSendCount"], 2, "{day:#}");
    assert_eq!(
        day["sendSlots"][0]["targetAccountId"],
        told.partner.as_str()
    );
    let ask = contract.ask(me, "diagnoseWarmup");
    ask.answers_in_full(200, &[]).await;
    for operation in [
        "getAccountOverview",
        "getWarmupProgress",
        "getAccountDeliverability",
        "getSystemStatistics",
    ] {
        let ask = contract.ask(me, operation);
        ask.answers_in_full(200, &[]).await;
    }
    let ask = contract.ask(me, "listAuditLog");
    let ask = ask.query("eventType=account.created");
    ask.answers_in_full(200, &[]).await;
    // One that warms and has nobody to warm with is an issue.
    let alone = contract.ask(me, "getAccount").with("id", &told.fresh[1]);
    let alone = alone.succeeds(200).await;
    let leave = contract.ask(me, "removeAccountFromPool");
    let leave = leave.with("poolId", alone["poolId"].as_str().unwrap());
    leave.with("accountId", &id(&alone)).succeeds(204).await;
    let ask = contract.ask(me, "getAgentStatus");
    // What is recommended takes days to be worth it.
    let status = ask.answers_in_full(200, &["/recommendations/0"]).await;
    assert_eq!(status["issues"][0]["accountId"], alone["id"]);
}

async fn pauses(contract: &Contract, me: &User, told: &Told) {
    for operation in ["pauseWarmup", "resumeWarmup"] {
        let ask = contract.ask(me, operation);
        ask.answers_in_full(200, &[]).await;
    }
    let ids = json!({ "accountIds": [told.fresh[0]] });
    let ask = contract.ask(me, "pauseWarmups").body(&ids);
    ask.answers_in_full(200, &[]).await;
    let ids = json!({ "accountIds": [NOBODYS, told.fresh[1]] });
    let ask = contract.ask(me, "pauseWarmups").body(&ids);
    ask.answers_in_full(207, &[]).await;
}

/// What takes away, each from something that is not needed any more.
async fn ends(contract: &Contract, me: &User, told: &Told) {
    let other = &told.fresh[0];
    let ask = contract.ask(me, "addAccountToPool");
    ask.with("accountId", other).answers_in_full(200, &[]).await;
    let ask = contract.ask(me, "removeAccountFromPool");
    ask.with("accountId", other).succeeds(204).await;
    let body = json!({ "crmPersonId": "p-9", "crmSource": "hubspot" });
    let link = contract.ask(me, "createCrmLink").body(&body);
    let link = id(&link.succeeds(201).await);
    let ask = contract.ask(me, "deleteCrmLink");
    ask.with("linkId", &link).succeeds(204).await;
    let body = json!({ "email": "worse@example.com", "reason": "manual" });
    let ask = contract.ask(me, "suppressAddress").body(&body);
    ask.succeeds(201).await;
    let ask = contract.ask(me, "releaseAddress");
    ask.with("email", "worse@example.com").succeeds(204).await;
    // A list has a second page.
    let body = json!({ "email": "worst@example.com", "reason": "manual" });
    let ask = contract.ask(me, "suppressAddress").body(&body);
    ask.succeeds(201).await;
    let key = id(&contract.ask(me, "createApiKey").succeeds(201).await);
    let ask = contract.ask(me, "revokeApiKey").with("id", &key);
    ask.answers_in_full(200, &[]).await;
    let ask = contract.ask(me, "deleteAccount");
    ask.with("id", other).succeeds(204).await;
}
