//! A warmup from its start to graduation and a day beyond, with the documented dates and numbers (API reference, Warmup Mechanics;
//! decisions 18–20, 24, 25): what the simulation shows on memory, with real servers and over the API.
//!
//! Nine weeks of four mailboxes whose providers have no spam filter: there nothing keeps a mailbox from its ramp and from graduation. They
//! begin on a Monday, so that day 60 is a Thursday and the trickle of the graduated has two days to be seen on.

use jiff::ToSpan as _;
use jiff::civil::{Date, date};
use serde_json::Value;

use crate::books::{Books, instant, number, text};
use crate::days::{Course, Story, plans};
use crate::findings::Findings;
use crate::world::Deployment;

/// Berlin and London lose an hour on a Sunday of these weeks, Santiago gains one: it and Tehran are seven and a half hours apart then.
/// Each has three partners, who must be able to take 40 mails a day.
const STORY: Story = Story {
    name: "accept-sixty-days",
    mailboxes: &[
        ("w161@acorn.test", "America/Santiago"),
        ("w162@acorn.test", "Europe/Berlin"),
        ("w163@birch.test", "Asia/Tehran"),
        ("w164@birch.test", "Europe/London"),
    ],
    first_day: date(2026, 3, 2),
    days: 62,
    per_partner: Some(40),
};

/// The least reputation to graduate with.
const HEALTHY: f64 = 70.0;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes the better part of an hour: make sixty-days"]
async fn sixty_days_end_in_graduation() {
    let course = STORY.happen().await;
    let mut wrong = Findings::default();
    course.adds_up(&mut wrong);
    for mailbox in &course.books {
        ramp_came_to_its_end(mailbox, &mut wrong);
        is_graduated(mailbox, &mut wrong);
        phases_are_told(&course.deployment, mailbox, &mut wrong).await;
    }
    sustained_days_vary(&course, &mut wrong);
    wrong.none();
    course.deployment.end().await;
}

/// The date of day `number` of the warmup.
fn day(number: u64) -> Date {
    let after = i64::try_from(number - 1).unwrap();
    STORY.first_day.saturating_add(after.days())
}

/// No day before held it down: on the ramp's last day it is 40, as documented, which is a Wednesday.
fn ramp_came_to_its_end(mailbox: &Books, wrong: &mut Findings) {
    let last = &mailbox.schedules[&day(plans::SUSTAINED_FROM - 1)];
    let planned = number(&last["plannedSendCount"]);
    wrong.same(planned, plans::MAX_DAILY_EMAILS, format!("{last:#}"));
}

fn is_graduated(mailbox: &Books, wrong: &mut Findings) {
    let account = &mailbox.account;
    let told = format!("{account:#}");
    wrong.same(text(&account["status"]), "active", &told);
    wrong.same(text(&account["warmupPhase"]), "graduated", &told);
    wrong.same(
        number(&account["currentDailyLimit"]),
        plans::TRICKLE_DAILY_EMAILS,
        &told,
    );
    let reputation = account["reputationScore"].as_f64().unwrap();
    wrong.require(reputation >= HEALTHY, &told);
}

/// Each phase began once, on its day, and the audit log says so; graduation has an entry of its own (decision 25).
async fn phases_are_told(deployment: &Deployment, mailbox: &Books, wrong: &mut Findings) {
    let (sustained, graduated) = (day(plans::SUSTAINED_FROM), day(plans::GRADUATED_FROM));
    let changes = entries(deployment, mailbox, "account.warmup_phase_changed").await;
    let told: Vec<_> = changes
        .iter()
        .rev()
        .map(|entry| (text(&entry["metadata"]["to"]), written(mailbox, entry)))
        .collect();
    let expected = vec![("sustain", sustained), ("graduated", graduated)];
    wrong.same(told, expected, format!("{} {changes:#?}", mailbox.address));

    let graduations = entries(deployment, mailbox, "warmup.graduated").await;
    let told: Vec<_> = graduations
        .iter()
        .map(|entry| written(mailbox, entry))
        .collect();
    wrong.same(told, vec![graduated], format!("{graduations:#?}"));
}

/// The audit log's entries of a kind about a mailbox, newest first.
async fn entries(deployment: &Deployment, mailbox: &Books, event: &str) -> Vec<Value> {
    let path = format!("/api/audit-log?entityId={}&eventType={event}", mailbox.id);
    let log = deployment.get(&path).await;
    let entries = log["entries"].as_array().unwrap();
    assert_eq!(Value::from(entries.len()), log["total"], "one page");
    entries.clone()
}

/// The mailbox's date on which an entry was written.
fn written(mailbox: &Books, entry: &Value) -> Date {
    mailbox.zone.date_of(instant(&entry["createdAt"]))
}

/// By account and date, so not one volume for all: that forty draws agree happens never.
fn sustained_days_vary(course: &Course, wrong: &mut Findings) {
    let mut volumes: Vec<_> = course
        .books
        .iter()
        .flat_map(|mailbox| mailbox.schedules.values())
        .filter(|schedule| schedule["phase"] == "sustain")
        .map(|schedule| number(&schedule["plannedSendCount"]))
        .filter(|planned| *planned > 0)
        .collect();
    volumes.sort_unstable();
    println!("sustained days: {volumes:?}");
    volumes.dedup();
    wrong.require(volumes.len() > 1, format!("sustained: {volumes:?}"));
}
