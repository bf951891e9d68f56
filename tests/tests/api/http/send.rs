use agentwarm_app::ports::endpoints::MailProtocol;
use agentwarm_app::ports::letters::Letter;
use agentwarm_app::ports::mail::{ConnectFailure, Folder, SmtpPhase, Submission};
use agentwarm_core::account::AccountStatus;
use agentwarm_core::plan::Plan;
use agentwarm_core::warmup::day::DayFigures;
use agentwarm_testkit::memory::mail::{Connect, Scripted};
use futures::future::join_all;
use http::Method;
use serde_json::{Value, json};

use super::accounts::{create, new_account};
use super::client::{Api, json as body, paths};

const SENDER: &str = "hello@example.com";

/// An API with an account, and mailboxes for it and for those in the documented example; the path to send by.
pub(super) async fn begin() -> (Api, String) {
    begin_on(Plan::Pro).await
}

async fn begin_on(plan: Plan) -> (Api, String) {
    let api = Api::on_plan(plan).await;
    let account = create(&api, SENDER).await;
    for address in [
        SENDER,
        "recipient@example.com",
        "cc@example.com",
        "bcc@example.com",
    ] {
        api.world.office.open_mailbox(address, "app-password");
    }
    (api, format!("{account}/send"))
}

/// A mail with nothing but what it must have.
pub(super) fn plain() -> Value {
    json!({ "to": "recipient@example.com", "subject": "Hello", "textBody": "Hi." })
}

/// The letters in a folder.
pub(super) fn letters(api: &Api, address: &str, folder: Folder) -> Vec<Letter> {
    let stored = api.world.office.folder(address, folder);
    stored.into_iter().filter_map(|mail| mail.letter).collect()
}

fn refusal(phase: SmtpPhase, code: u16) -> Scripted {
    Scripted::Answered(Submission::Refused {
        phase,
        code,
        enhanced: Some(format!("{}.7.1", code / 100)),
        text: "No".to_owned(),
    })
}

async fn refused(api: &Api, path: &str, mail: Value, code: &str) -> Value {
    api.refused(Method::POST, path, mail, code).await
}

#[tokio::test]
async fn the_documented_example_is_sent_to_all_and_filed() {
    let (api, path) = begin().await;
    let sent = api.post(&path, example(), 200).await;
    insta::assert_json_snapshot!(sent, { ".messageId" => "<id>" }, @r#"
    {
      "success": true,
      "messageId": "<id>",
      "filedInSent": true
    }
    "#);
    let id = sent["messageId"].as_str().unwrap();
    assert!(
        id.starts_with('<') && id.ends_with(".mail@example.com>"),
        "{id}"
    );
    for address in ["recipient@example.com", "cc@example.com", "bcc@example.com"] {
        let got = letters(&api, address, Folder::Inbox);
        assert_eq!(got[0].message_id.bracketed(), id, "{address}");
    }
    let copy = &api.world.office.folder(SENDER, Folder::Sent)[0];
    assert!(copy.seen);
    let letter = copy.letter.clone().unwrap();
    assert_eq!(letter.from.0, "Hello");
    assert_eq!(
        (letter.draft.in_reply_to, letter.draft.references),
        (None, vec![])
    );
    assert_eq!(letter.draft.attachments[0].filename, "report.pdf");
}

fn example() -> Value {
    json!({
        "to": "recipient@example.com",
        "subject": "Hello from AgentWarm",
        "textBody": "This is a test email.",
        "htmlBody": " This is a test email. ",
        "cc": ["cc@example.com"],
        "bcc": ["bcc@example.com"],
        "inReplyTo": "",
        "references": [""],
        "attachments": [{
            "filename": "report.pdf",
            "content": "base64-encoded-data",
            "contentType": "application/pdf",
        }],
    })
}

#[tokio::test]
async fn names_domains_threads_and_files_of_any_script_pass() {
    let (api, path) = begin().await;
    let office = &api.world.office;
    office.open_mailbox("zoe@xn--bcher-kva.example", "x");
    let mail = json!({
        "to": ["Zoë Å <zoe@bücher.example>", "recipient@example.com"],
        "subject": "Übung — 昼食 📬",
        "htmlBody": "<p>昼食</p>",
        "inReplyTo": "<b@two.test>",
        "references": ["a@two.test", "<b@two.test>"],
        "attachments": [{ "filename": "Übersicht 昼食.pdf", "content": "AP/+" }],
    });
    api.post(&path, mail, 200).await;
    let letter = &letters(&api, "zoe@xn--bcher-kva.example", Folder::Inbox)[0];
    assert_eq!(letter.draft.to[0].0, "Zoë Å");
    assert_eq!(letter.draft.references.len(), 2);
    assert_eq!(
        letter.draft.in_reply_to.as_ref().unwrap().as_str(),
        "b@two.test"
    );
    assert_eq!(letter.draft.attachments[0].content, [0, 255, 254]);
}

#[tokio::test]
async fn what_a_header_could_misread_is_refused_and_named_all_at_once() {
    let (api, path) = begin().await;
    let bad = json!({
        "to": "A\r\nBcc: x@y.de <a@b.de>",
        "cc": ["ok@example.com", "ä@example.com"],
        "bcc": ["not an address"],
        "subject": "a\r\nBcc: x@y.de",
        "textBody": "a\0",
        "inReplyTo": "<a@b>\r\nBcc: x@y.de",
        "references": ["<a@b>", "a b"],
        "attachments": [
            { "filename": "a\u{2028}.pdf", "content": "%%%", "contentType": "a/b\r\nX: y" },
            { "filename": "../a", "content": "AA", "contentType": "message/rfc822" },
        ],
    });
    let answer = refused(&api, &path, bad, "VALIDATION_FAILED").await;
    assert_eq!(
        paths(&answer),
        [
            "to",
            "subject",
            "textBody",
            "cc[1]",
            "bcc[0]",
            "inReplyTo",
            "references[1]",
            "attachments[0].filename",
            "attachments[0].content",
            "attachments[0].contentType",
            "attachments[1].filename",
            "attachments[1].contentType",
        ]
    );
    for subject in [
        "a\0b".to_owned(),
        "a\u{2028}b".to_owned(),
        "=?utf-8?q?a=0D=0ABcc:_x?=".to_owned(),
        "a".repeat(901),
        "é".repeat(999),
        String::new(),
    ] {
        let mail = json!({ "to": "a@b.de", "subject": subject, "textBody": "x" });
        let answer = refused(&api, &path, mail, "VALIDATION_FAILED").await;
        assert_eq!(paths(&answer), ["subject"]);
    }
    assert_eq!(api.world.office.logins(), 0);
}

#[tokio::test]
async fn a_mail_says_something_to_somebody() {
    let (api, path) = begin().await;
    let with = |name: &str, value: Value| {
        let mut mail = plain();
        mail[name] = value;
        mail
    };
    let many: Vec<_> = (0..101).map(|n| format!("a{n}@example.com")).collect();
    let file = json!({ "filename": "a", "content": "" });
    for (mail, expected) in [
        (with("textBody", "".into()), "textBody"),
        (with("textBody", Value::Null), "textBody"),
        (with("to", json!([])), "to"),
        (with("to", json!(many)), "to"),
        (with("bcc", json!(many[..100])), "to"),
        (with("to", 7.into()), "to"),
        (with("subject", Value::Null), "subject"),
        (with("attachments", json!(vec![file; 26])), "attachments"),
    ] {
        let answer = refused(&api, &path, mail, "VALIDATION_FAILED").await;
        assert_eq!(paths(&answer), [expected]);
    }
    let nothing = refused(&api, &path, json!({}), "VALIDATION_FAILED").await;
    assert_eq!(paths(&nothing), ["to", "subject", "textBody"]);
}

#[tokio::test]
async fn what_does_not_fit_into_a_request_names_both_limits() {
    let (api, path) = begin().await;
    let mut large = plain();
    large["attachments"] = json!([{ "filename": "a", "content": "A".repeat(5_600_000) }]);
    let answer = refused(&api, &path, large, "PAYLOAD_TOO_LARGE").await;
    let error = answer["error"].as_str().unwrap();
    assert!(error.contains("6 MB") && error.contains("25 MB"), "{error}");
    assert!(error.contains("/attachments"), "{error}");
}

#[tokio::test]
async fn of_refused_recipients_all_are_named_and_nobody_gets_the_mail() {
    let (api, path) = begin().await;
    let mut mail = plain();
    mail["cc"] = json!(["nobody@example.com", "cc@example.com"]);
    mail["bcc"] = json!(["no-one@example.com"]);
    let answer = refused(&api, &path, mail, "VALIDATION_FAILED").await;
    insta::assert_json_snapshot!(answer, { ".requestId" => "uuid" }, @r#"
    {
      "error": "The mail server refused some recipients; nothing was sent to anybody: 550 No such user here",
      "code": "VALIDATION_FAILED",
      "statusCode": 400,
      "action": "fix_request_body",
      "requestId": "uuid",
      "errors": [
        {
          "path": "cc",
          "message": "has nobody@example.com, which the mail server refuses: 550 No such user here"
        },
        {
          "path": "bcc",
          "message": "has no-one@example.com, which the mail server refuses: 550 No such user here"
        }
      ],
      "details": {
        "phase": "rcpt_to",
        "smtpCode": 550,
        "enhancedCode": "5.1.1",
        "recipients": [
          {
            "email": "nobody@example.com",
            "smtpCode": 550,
            "enhancedCode": "5.1.1"
          },
          {
            "email": "no-one@example.com",
            "smtpCode": 550,
            "enhancedCode": "5.1.1"
          }
        ]
      }
    }
    "#);
    for address in ["recipient@example.com", "cc@example.com"] {
        assert!(letters(&api, address, Folder::Inbox).is_empty());
    }
    assert!(letters(&api, SENDER, Folder::Sent).is_empty());
}

#[tokio::test]
async fn a_refusal_says_whose_affair_it_is() {
    let (api, path) = begin().await;
    for (phase, smtp, code) in [
        (SmtpPhase::MailFrom, 553, "ACCOUNT_CONNECTION_FAILED"),
        (SmtpPhase::Content, 554, "VALIDATION_FAILED"),
        (SmtpPhase::Content, 451, "PROVIDER_UNAVAILABLE"),
        (SmtpPhase::RcptTo, 450, "PROVIDER_UNAVAILABLE"),
    ] {
        api.world
            .office
            .next_submission(SENDER, refusal(phase, smtp));
        let answer = refused(&api, &path, plain(), code).await;
        assert_eq!(answer["details"]["smtpCode"], smtp, "{answer}");
    }
    assert!(letters(&api, "recipient@example.com", Folder::Inbox).is_empty());
}

#[tokio::test]
async fn a_mailbox_that_cannot_be_used_says_so() {
    let (api, path) = begin().await;
    for failure in [ConnectFailure::Credentials, ConnectFailure::Unreachable] {
        let fails = Connect::Fails(failure);
        api.world
            .office
            .next_connect(SENDER, MailProtocol::Smtp, fails);
        refused(&api, &path, plain(), "ACCOUNT_CONNECTION_FAILED").await;
    }
    // Filing the copy is not sending the mail.
    let fails = Connect::Fails(ConnectFailure::Unreachable);
    api.world
        .office
        .next_connect(SENDER, MailProtocol::Imap, fails);
    let sent = api.post(&path, plain(), 200).await;
    assert_eq!(sent["filedInSent"], false);
    assert_eq!(
        letters(&api, "recipient@example.com", Folder::Inbox).len(),
        1
    );
}

#[tokio::test]
async fn accounts_of_others_and_of_providers_without_a_transport_send_nothing() {
    let (api, path) = begin().await;
    let stranger = api.stranger().await;
    let text = plain().to_string();
    let answer = api.send(Method::POST, &path, Some(&stranger), text).await;
    assert_eq!(body(&answer)["code"], "ACCOUNT_NOT_FOUND");
    refused(
        &api,
        "/api/accounts/nonsense/send",
        plain(),
        "ACCOUNT_NOT_FOUND",
    )
    .await;
    let mut gmail = new_account("user@gmail.com");
    gmail["provider"] = "gmail".into();
    gmail["credentials"] = json!({ "accessToken": "a", "refreshToken": "b" });
    let created = api.post("/api/accounts", gmail, 201).await;
    let path = format!("/api/accounts/{}/send", created["id"].as_str().unwrap());
    refused(&api, &path, plain(), "PROVIDER_NOT_CONFIGURED").await;
}

#[tokio::test]
async fn a_plans_daily_mails_are_not_passed_by_parallel_requests() {
    let (api, path) = begin_on(Plan::Free).await;
    let text = plain().to_string();
    let sends = (0..25).map(|_| api.send(Method::POST, &path, Some(&api.key), text.clone()));
    let answers = join_all(sends).await;
    let sent = answers.iter().filter(|answer| answer.status() == 200);
    assert_eq!(sent.count(), 20);
    let answer = refused(&api, &path, plain(), "VALIDATION_FAILED").await;
    insta::assert_json_snapshot!(answer["details"], @r#"
    {
      "limit": "dailyEmailsPerAccount",
      "plan": "free",
      "max": 20,
      "current": 20,
      "upgradeUrl": "/console/dashboard"
    }
    "#);
    assert_eq!(
        letters(&api, "recipient@example.com", Folder::Inbox).len(),
        20
    );
    // The next local day has its own.
    api.world
        .clock
        .advance(jiff::SignedDuration::from_hours(24));
    api.post(&path, plain(), 200).await;
}

#[tokio::test]
async fn test_mode_limits_mails_and_what_was_not_sent_does_not_count() {
    let (api, path) = begin().await;
    let mode = json!({ "enabled": true, "maxDailyEmails": 2 });
    api.post("/api/warmup/test-mode", mode, 200).await;
    api.world
        .office
        .next_submission(SENDER, refusal(SmtpPhase::Content, 554));
    refused(&api, &path, plain(), "VALIDATION_FAILED").await;
    for _ in 0..2 {
        api.post(&path, plain(), 200).await;
    }
    let answer = refused(&api, &path, plain(), "VALIDATION_FAILED").await;
    insta::assert_json_snapshot!(answer["details"], @r#"
    {
      "limit": "testMode.maxDailyEmails",
      "max": 2,
      "current": 2
    }
    "#);
}

/// A server that is away for a day heals, and the mails of the account's day wait for it.
#[tokio::test]
async fn what_warmup_planned_for_the_day_is_warmups_in_error_too() {
    for status in [AccountStatus::Active, AccountStatus::Error] {
        let (api, path) = begin_on(Plan::Free).await;
        let id = path.split('/').nth(3).unwrap().parse().unwrap();
        let today = jiff::civil::date(2026, 3, 13);
        let plan = api.world.day(id, today, DayFigures::default());
        let planned = plan.await.limit;
        api.world
            .change(id, |account| account.status = status)
            .await;
        for _ in planned..20 {
            api.post(&path, plain(), 200).await;
        }
        let answer = refused(&api, &path, plain(), "VALIDATION_FAILED").await;
        assert_eq!(answer["details"]["current"], 20);
    }
}
