//! Mail servers that go away and come back, and a scheduler that stood still: mails wait, none is lost, none is sent twice.

use std::collections::BTreeSet;

use http::Method;
use jiff::{SignedDuration, Unit};
use serde_json::{Value, json};

use crate::books::{instant, number};
use crate::imap;
use crate::proxy::Door;
use crate::world::{Deployment, at};

/// What a day is to have, so that every hour of it sees some.
const A_DAY: u64 = 20;

/// Two mailboxes that write to each other alone, the first behind doors.
struct Pair {
    deployment: Deployment,
    smtp: Door,
    imap: Door,
    behind: String,
    partner: String,
}

impl Pair {
    /// `behind` and `partner` are addresses; both are started, at six in the morning of a Wednesday.
    async fn begin(name: &str, behind: &str, partner: &str) -> Self {
        let deployment = Box::pin(Deployment::begin(name)).await;
        let (smtp, imap) = (deployment.smtp_port(), deployment.imaps_port());
        let (smtp, imap) = (Door::to(smtp), Door::to(imap));
        let mut account = deployment.account(behind);
        account["credentials"]["smtpPort"] = smtp.port().into();
        account["credentials"]["imapPort"] = imap.port().into();
        let behind = deployment.create(&account).await;
        let partner = deployment.connect_numbered(partner).await;
        let config = json!({ "minDailyEmails": A_DAY, "maxPerPartnerPerDay": A_DAY });
        deployment.configure_default_pool(&config).await;
        deployment.start(&behind).await;
        let mut pair = Self {
            deployment,
            smtp,
            imap,
            behind,
            partner,
        };
        pair.have_an_opening_in_the_morning(&account).await;
        pair.deployment.start(&pair.partner).await;
        pair
    }

    /// When mails are due is drawn from the account's id: it is made anew until one is in the morning, which leaves time to catch up.
    async fn have_an_opening_in_the_morning(&mut self, account: &Value) {
        while in_the_morning(&self.schedule(&self.behind).await).is_none() {
            let path = format!("/api/accounts/{}", self.behind);
            let gone = self.deployment.api.send(Method::DELETE, &path, None).await;
            gone.unwrap();
            self.behind = self.deployment.create(account).await;
            self.deployment.start(&self.behind).await;
        }
    }

    async fn shut(&mut self) {
        self.smtp.shut().await;
        self.imap.shut().await;
    }

    fn open(&mut self) {
        self.smtp.open();
        self.imap.open();
    }

    /// The schedule of Wednesday.
    async fn schedule(&self, account: &str) -> Value {
        let path = format!("/api/warmup/schedule/{account}?date=2026-03-11");
        self.deployment.get(&path).await
    }

    async fn account(&self) -> Value {
        self.deployment
            .get(&format!("/api/accounts/{}", self.behind))
            .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_wait_for_a_server_that_is_away_and_leave_when_it_is_back() {
    let (behind, partner) = ("w151@acorn.test", "w152@birch.test");
    let mut pair = Pair::begin("accept-away", behind, partner).await;
    pair.deployment.run_until("2026-03-11T07:30:00Z").await;
    pair.shut().await;
    pair.deployment.run_until("2026-03-11T13:00:00Z").await;
    let account = pair.account().await;
    assert_eq!(account["status"], "warming", "{account:#}");
    let reason = account["statusReason"].as_str().unwrap();
    assert!(
        reason.contains(" server could not be reached since 2026-03-11T0"),
        "{reason}"
    );
    let waiting = pair.schedule(&pair.behind).await;
    assert_eq!(waiting["actualSendCount"], 0, "{waiting:#}");
    assert_eq!(waiting["actualReceiveCount"], 0, "{waiting:#}");

    pair.open();
    pair.deployment.run_until("2026-03-11T19:30:00Z").await;
    let account = pair.account().await;
    assert_eq!(
        (&account["status"], &account["statusReason"]),
        (&json!("warming"), &Value::Null)
    );
    let done = pair.schedule(&pair.behind).await;
    let back = at("2026-03-11T13:00:00Z");
    all_openings_left(&done, back);
    // What its partner wrote meanwhile lay in its mailbox.
    let theirs = pair.schedule(&pair.partner).await;
    assert_eq!(
        done["actualReceiveCount"], theirs["actualSendCount"],
        "{done:#} {theirs:#}"
    );
    nothing_exists_twice(&[behind, partner]).await;
    pair.deployment.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_for_a_day_is_an_error_that_heals_by_itself() {
    let (behind, partner) = ("w153@acorn.test", "w154@birch.test");
    let mut pair = Pair::begin("accept-away-long", behind, partner).await;
    pair.deployment.run_until("2026-03-11T11:00:00Z").await;
    pair.shut().await;
    // A round may come an hour late to the outage's begin, and another to the end of its day.
    pair.deployment.run_until("2026-03-12T13:15:00Z").await;
    let account = pair.account().await;
    assert_eq!(account["status"], "error", "{account:#}");

    pair.open();
    pair.deployment.run_until("2026-03-12T19:00:00Z").await;
    let account = pair.account().await;
    assert_eq!(
        (&account["status"], &account["statusReason"]),
        (&json!("warming"), &Value::Null)
    );
    let path = format!("/api/warmup/schedule/{}?date=2026-03-12", pair.behind);
    let today = pair.deployment.get(&path).await;
    // What was due while it was in error has waited.
    assert!(number(&today["actualSendCount"]) > 0, "{today:#}");
    for slot in slots(&today).filter(|slot| slot["kind"] == "thread") {
        assert_eq!(slot["executed"], true, "{slot}: {today:#}");
    }
    // Every mail of the day before has its reason.
    let before = pair.schedule(&pair.behind).await;
    for slot in before["sendSlots"].as_array().unwrap() {
        assert!(
            slot["executed"] == true || slot["skippedReason"].is_string(),
            "{slot}"
        );
    }
    let changes = format!(
        "/api/audit-log?entityId={}&eventType=account.status_changed",
        pair.behind
    );
    let changes = pair.deployment.get(&changes).await;
    let to: Vec<_> = changes["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["metadata"]["to"])
        .collect();
    assert_eq!(to, ["warming", "error", "warming"], "{changes:#}");
    nothing_exists_twice(&[behind, partner]).await;
    pair.deployment.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hour_without_the_scheduler_loses_nothing() {
    let (behind, partner) = ("w155@acorn.test", "w156@birch.test");
    let mut pair = Pair::begin("accept-outage", behind, partner).await;
    pair.deployment.run_until("2026-03-11T08:30:00Z").await;
    // The hour begins a minute before one is due.
    let missed = in_the_morning(&pair.schedule(&pair.behind).await).unwrap();
    let stops = missed.round(Unit::Minute).unwrap() - SignedDuration::from_mins(2);
    let goes_on = stops + SignedDuration::from_hours(1);
    pair.deployment.run_until(&stops.to_string()).await;
    pair.deployment.stack.skip(SignedDuration::from_hours(1));
    pair.deployment.run_until("2026-03-11T19:30:00Z").await;

    let done = pair.schedule(&pair.behind).await;
    all_openings_left(&done, at("2026-03-11T08:00:00Z"));
    let left = slots(&done).filter(|slot| slot["executed"] == true);
    let left: Vec<_> = left.map(|slot| instant(&slot["executedAt"])).collect();
    let in_the_outage = left
        .iter()
        .filter(|left| stops < **left && **left < goes_on);
    assert_eq!(in_the_outage.count(), 0, "{stops} to {goes_on}: {done:#}");
    nothing_exists_twice(&[behind, partner]).await;
    pair.deployment.end().await;
}

/// When the first opening between nine and noon is due.
fn in_the_morning(schedule: &Value) -> Option<jiff::Timestamp> {
    let morning = at("2026-03-11T09:00:00Z")..at("2026-03-11T12:00:00Z");
    let openings = slots(schedule).filter(|slot| slot["kind"] == "thread");
    let due = openings.map(|slot| instant(&slot["scheduledAt"]));
    due.filter(|due| morning.contains(due)).min()
}

fn slots(schedule: &Value) -> impl Iterator<Item = &Value> {
    schedule["sendSlots"].as_array().unwrap().iter()
}

/// Every opening of the day left, from `since` on, within its hours, no two in one minute, and no more mails than planned.
fn all_openings_left(schedule: &Value, since: jiff::Timestamp) {
    let planned = number(&schedule["plannedSendCount"]);
    assert_eq!(planned, A_DAY, "{schedule:#}");
    assert!(
        number(&schedule["actualSendCount"]) <= planned,
        "{schedule:#}"
    );
    let mut minutes = BTreeSet::new();
    for slot in slots(schedule) {
        assert!(
            slot["executed"] == true || slot["kind"] == "reply",
            "{slot}: {schedule:#}"
        );
        if slot["executed"] == true {
            let left = instant(&slot["executedAt"]);
            assert!(since <= left && left < at("2026-03-11T18:00:00Z"), "{slot}");
            assert!(
                minutes.insert(left.as_second() / 60),
                "{slot}: {schedule:#}"
            );
        }
    }
}

async fn nothing_exists_twice(addresses: &[&str]) {
    let mut ids = BTreeSet::new();
    for address in addresses {
        for message in imap::messages(address).await {
            assert!(
                ids.insert(message.id().to_owned()),
                "{message:?} exists twice"
            );
        }
    }
}
