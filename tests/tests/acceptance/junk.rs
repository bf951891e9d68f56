//! Mail that a provider takes for spam: found in Junk, taken out of it, counted on both sides, shown, and acted upon.
//!
//! cedar.test files by the last hexadecimal digit of the Message-ID: what has 0, 1 or 2 is spam. So the mailboxes themselves say what the
//! figures must be.

use serde_json::{Value, json};

use crate::books::number;
use crate::imap::{self, Message};
use crate::world::Deployment;

const OTHERS: [&str; 4] = [
    "w141@acorn.test",
    "w142@acorn.test",
    "w145@acorn.test",
    "w146@acorn.test",
];
const FILTERED: [&str; 2] = ["w143@cedar.test", "w144@cedar.test"];

/// The Pro plan's most. More than a hundred mails go to cedar.test, of which three in sixteen are taken for spam.
const A_DAY: u64 = 40;

/// An account, and its first day as the next morning shows it.
struct Sender {
    address: &'static str,
    id: String,
    first_day: Value,
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_in_junk_is_rescued_counted_shown_and_slows_its_sender() {
    let mut deployment = Deployment::begin("accept-junk").await;
    let ids = connect(&deployment).await;
    deployment.run_until("2026-03-12T07:00:00Z").await;
    let mut senders = Vec::new();
    for (address, id) in ids {
        let progress = format!("/api/analytics/accounts/{id}/progress");
        let first_day = deployment.get(&progress).await["dailyMetrics"][1].clone();
        assert_eq!(first_day["date"], "2026-03-11");
        senders.push(Sender {
            address,
            id,
            first_day,
        });
    }

    let received = received().await;
    let in_all = count(received.iter().filter(|message| is_spam(message)));
    assert!(
        in_all >= 3,
        "of {} mails {in_all} were taken for spam",
        received.len()
    );
    for sender in &senders {
        let own = received
            .iter()
            .filter(|message| message.from() == sender.address);
        let spam = count(own.filter(|message| is_spam(message)));
        is_shown(sender, spam);
        slows_down(&deployment, sender, spam).await;
    }
    let rescued = senders
        .iter()
        .map(|sender| number(&sender.first_day["rescued"]));
    assert_eq!(rescued.sum::<u64>(), in_all);
    deployment.end().await;
}

async fn connect(deployment: &Deployment) -> Vec<(&'static str, String)> {
    let mut ids = Vec::new();
    for address in OTHERS.into_iter().chain(FILTERED) {
        ids.push((address, deployment.connect_numbered(address).await));
    }
    let config = json!({ "minDailyEmails": A_DAY, "maxPerPartnerPerDay": A_DAY });
    deployment.configure_default_pool(&config).await;
    for (_, id) in &ids {
        deployment.start(id).await;
    }
    ids
}

/// What lies in the filtered mailboxes: all of it out of Junk.
async fn received() -> Vec<Message> {
    let mut received = Vec::new();
    for address in FILTERED {
        received.extend(imap::messages(address).await);
    }
    let in_junk: Vec<_> = received
        .iter()
        .filter(|message| message.folder == "Junk")
        .collect();
    assert!(in_junk.is_empty(), "{in_junk:#?}");
    received
}

fn is_spam(message: &Message) -> bool {
    let (left, _) = message.id().split_once('@').unwrap();
    left.ends_with(['0', '1', '2'])
}

fn is_shown(sender: &Sender, spam: u64) {
    let day = &sender.first_day;
    assert_eq!(number(&day["spammed"]), spam, "{}: {day:#}", sender.address);
    let sent = number(&day["sent"]);
    assert!(
        is_share(&day["inboxPlacementRate"], sent - spam, sent),
        "{day:#}"
    );
}

/// More than 3 % spam with three spam mails, or with two of twenty: half the volume, and the reason in the audit log (decision 22).
async fn slows_down(deployment: &Deployment, sender: &Sender, spam: u64) {
    let id = &sender.id;
    let sent = number(&sender.first_day["sent"]);
    let account = deployment.get(&format!("/api/accounts/{id}")).await;
    assert!(is_share(&account["spamRate"], spam, sent), "{account:#}");
    let cools_down = (spam >= 3 || spam >= 2 && sent >= 20) && spam * 100 > sent * 3;
    let (phase, at_most) = if cools_down {
        ("cooldown", A_DAY / 2)
    } else {
        ("ramp_up", A_DAY)
    };
    assert_eq!(account["warmupPhase"], phase, "{account:#}");
    let today = deployment.get(&format!("/api/warmup/schedule/{id}")).await;
    assert!(number(&today["plannedSendCount"]) <= at_most, "{today:#}");
    assert_eq!(today["phase"], phase, "{today:#}");

    let log = format!("/api/audit-log?entityId={id}&eventType=warmup.volume_reduced");
    let log = deployment.get(&log).await;
    assert_eq!(number(&log["total"]), u64::from(cools_down), "{log:#}");
    if cools_down {
        assert_eq!(log["entries"][0]["metadata"]["spammed"], spam, "{log:#}");
    }
}

fn is_share(shown: &Value, part: u64, whole: u64) -> bool {
    let float = |count: u64| f64::from(u32::try_from(count).unwrap());
    (shown.as_f64().unwrap() - float(part) / float(whole)).abs() < 1e-6
}

fn count(items: impl Iterator) -> u64 {
    u64::try_from(items.count()).unwrap()
}
