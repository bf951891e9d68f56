//! A mail is sent at most once, whatever dies (decision 8).

use std::time::Duration;

use agentwarm_app::ports::endpoints::MailProtocol;
use agentwarm_app::ports::mail::{ConnectFailure, Folder, SmtpPhase, Submission};
use agentwarm_testkit::memory::Fault;
use agentwarm_testkit::memory::mail::{Connect, Scripted};
use jiff::SignedDuration;
use serde_json::Value;

use super::client::{Api, json as body};
use super::send::{begin, letters, plain};

const SENDER: &str = "hello@example.com";

/// How long a process lives that is killed.
const LIFE: Duration = Duration::from_millis(200);

/// Sends with a key in a process that dies before it answers; afterwards its lease is over.
async fn die(api: &Api, path: &str) {
    let mail = plain();
    let sending = api.once("key", path, &mail);
    assert!(tokio::time::timeout(LIFE, sending).await.is_err());
    let waiting = again(api, path).await;
    assert_eq!(waiting["code"], "IDEMPOTENCY_IN_PROGRESS");
    api.world.clock.advance(SignedDuration::from_secs(31));
}

async fn again(api: &Api, path: &str) -> Value {
    body(&api.once("key", path, &plain()).await)
}

fn received(api: &Api) -> usize {
    letters(api, "recipient@example.com", Folder::Inbox).len()
}

#[tokio::test]
async fn a_mail_that_was_sent_is_answered_again_and_not_sent_again() {
    let (api, path) = begin().await;
    let first = again(&api, &path).await;
    assert_eq!(first["success"], true);
    let replayed = api.once("key", &path, &plain()).await;
    assert_eq!(body(&replayed), first);
    assert!(replayed.headers().contains_key("idempotent-replayed"));
    assert_eq!(received(&api), 1);
}

#[tokio::test]
async fn who_dies_before_the_server_is_asked_leaves_nothing_and_the_mail_is_sent() {
    let (api, path) = begin().await;
    let office = &api.world.office;
    office.next_connect(SENDER, MailProtocol::Smtp, Connect::Hangs);
    die(&api, &path).await;
    assert_eq!(again(&api, &path).await["success"], true);
    assert_eq!(received(&api), 1);
}

#[tokio::test]
async fn who_dies_with_the_content_under_way_leaves_a_mail_that_nobody_knows_of() {
    for delivered in [false, true] {
        let (api, path) = begin().await;
        let hangs = Scripted::Hangs { delivered };
        api.world.office.next_submission(SENDER, hangs);
        die(&api, &path).await;
        for _ in 0..2 {
            let answer = again(&api, &path).await;
            assert_eq!(answer["code"], "SEND_OUTCOME_UNKNOWN", "{answer}");
            let id = answer["details"]["messageId"].as_str().unwrap();
            assert!(id.ends_with(".mail@example.com>"), "{id}");
        }
        assert_eq!(received(&api), usize::from(delivered));
    }
}

#[tokio::test]
async fn who_dies_after_filing_the_copy_leaves_a_mail_that_is_found() {
    let (api, path) = begin().await;
    // The answer to filing is lost with the process: the copy lies there.
    let hangs = Scripted::Hangs { delivered: true };
    api.world.office.next_submission(SENDER, hangs);
    die(&api, &path).await;
    let letter = letters(&api, "recipient@example.com", Folder::Inbox).remove(0);
    let id = letter.message_id.bracketed();
    api.world.office.put(SENDER, Folder::Sent, letter);
    let answer = again(&api, &path).await;
    assert_eq!(
        (&answer["success"], &answer["messageId"]),
        (&Value::from(true), &Value::from(id))
    );
    assert_eq!(received(&api), 1);
}

#[tokio::test]
async fn where_sent_cannot_be_looked_into_nobody_knows_and_nothing_is_sent() {
    let (api, path) = begin().await;
    let hangs = Scripted::Hangs { delivered: true };
    api.world.office.next_submission(SENDER, hangs);
    die(&api, &path).await;
    let fails = Connect::Fails(ConnectFailure::Unreachable);
    api.world
        .office
        .next_connect(SENDER, MailProtocol::Imap, fails);
    assert_eq!(again(&api, &path).await["code"], "SEND_OUTCOME_UNKNOWN");
    assert_eq!(received(&api), 1);
}

#[tokio::test]
async fn an_outage_of_ours_on_the_way_to_sent_does_not_make_the_next_attempt_send() {
    let (api, path) = begin().await;
    let hangs = Scripted::Hangs { delivered: true };
    api.world.office.next_submission(SENDER, hangs);
    die(&api, &path).await;
    api.world
        .store
        .fail_next("accounts.get", Fault::Unavailable);
    assert_eq!(again(&api, &path).await["code"], "PROVIDER_UNAVAILABLE");
    assert_eq!(again(&api, &path).await["code"], "SEND_OUTCOME_UNKNOWN");
    assert_eq!(received(&api), 1);
}

#[tokio::test]
async fn a_lost_answer_is_an_unknown_outcome_that_is_remembered() {
    let (api, path) = begin().await;
    api.world
        .office
        .next_submission(SENDER, Scripted::DeliveredInDoubt);
    let first = again(&api, &path).await;
    assert_eq!(first["code"], "SEND_OUTCOME_UNKNOWN");
    assert_eq!(again(&api, &path).await["details"], first["details"]);
    assert_eq!(received(&api), 1);
}

#[tokio::test]
async fn what_the_server_put_off_may_be_sent_with_the_same_key() {
    let (api, path) = begin().await;
    let later = Scripted::Answered(Submission::Refused {
        phase: SmtpPhase::Content,
        code: 451,
        enhanced: None,
        text: "Later".to_owned(),
    });
    api.world.office.next_submission(SENDER, later);
    assert_eq!(again(&api, &path).await["code"], "PROVIDER_UNAVAILABLE");
    assert_eq!(again(&api, &path).await["success"], true);
    assert_eq!(received(&api), 1);
}
