use agentwarm_app::ports::endpoints::MailProtocol;
use agentwarm_app::ports::mail::{ConnectFailure, Folder, FoundContent, OutgoingMail};
use agentwarm_app::ports::vault::Vault;
use agentwarm_core::ids::{AccountId, SlotId, ThreadId};
use agentwarm_core::mail::token::{Token, TokenKey};
use agentwarm_testkit::memory::mail::Connect;
use http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::accounts::{create, new_account};
use super::client::{Api, json as body, paths};
use crate::world::now;

const OWN: &str = "hello@example.com";

/// An API with an account whose mailbox is empty; the path of its messages.
async fn begin() -> (Api, String) {
    let api = Api::new().await;
    let account = create(&api, OWN).await;
    api.world.office.open_mailbox(OWN, "app-password");
    (api, format!("{account}/messages"))
}

fn mail(subject: &str, headers: Vec<(String, String)>) -> OutgoingMail {
    OutgoingMail {
        from: ("Sam Sender".into(), "sender@example.com".parse().unwrap()),
        to: (String::new(), OWN.parse().unwrap()),
        subject: subject.into(),
        text: "Thanks for reaching out...".into(),
        message_id: "reply-1@example.com".into(),
        date: "2026-03-13T08:30:00Z".parse().unwrap(),
        in_reply_to: Some("first@example.com".into()),
        references: vec!["first@example.com".into()],
        headers,
    }
}

fn receive(api: &Api, folder: Folder, subject: &str) {
    let mail = mail(subject, vec![]);
    api.world
        .office
        .drop_in(OWN, folder, mail, FoundContent::Message);
}

fn subjects(answer: &Value) -> Vec<&str> {
    let messages = answer["messages"].as_array().unwrap().iter();
    messages
        .map(|message| message["subject"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn messages_are_shown_as_documented() {
    let (api, path) = begin().await;
    receive(&api, Folder::Inbox, "Re: Your proposal");
    let found = api.get(&path, 200).await;
    insta::assert_json_snapshot!(found, @r#"
    {
      "messages": [
        {
          "uid": "1",
          "messageId": "<reply-1@example.com>",
          "from": "sender@example.com",
          "fromName": "Sam Sender",
          "to": "hello@example.com",
          "cc": [],
          "subject": "Re: Your proposal",
          "textBody": "Thanks for reaching out...",
          "date": "2026-03-13T08:30:00Z",
          "receivedAt": "2026-03-13T09:00:00Z",
          "folder": "INBOX",
          "seen": false,
          "flagged": false,
          "answered": false,
          "inReplyTo": "<first@example.com>",
          "references": [
            "<first@example.com>"
          ],
          "size": 356,
          "truncated": false,
          "hasAttachments": false,
          "attachments": []
        }
      ],
      "count": 1,
      "folder": "INBOX",
      "hasMore": false
    }
    "#);
    assert!(!api.world.office.folder(OWN, Folder::Inbox)[0].seen);
}

#[tokio::test]
async fn what_was_sent_lies_in_sent_under_the_id_that_was_answered() {
    let (api, path) = begin().await;
    let send = path.replace("messages", "send");
    let mail = json!({
        "to": [OWN], "cc": ["Me <hello@example.com>"], "subject": "Übung", "htmlBody": "<p>Hi <b>you</b></p>",
        "attachments": [{ "filename": "Übersicht.pdf", "content": "JVBERi0x", "contentType": "application/pdf" }],
    });
    let sent = api.post(&send, mail, 200).await;
    let found = api
        .get(&format!("{path}?folder=sent&includeHtml=true"), 200)
        .await;
    let message = &found["messages"][0];
    assert_eq!(message["messageId"], sent["messageId"]);
    assert_eq!(
        (&message["seen"], &found["folder"]),
        (&json!(true), &json!("sent"))
    );
    assert_eq!(message["textBody"].as_str().unwrap().trim(), "Hi you");
    assert_eq!(message["htmlBody"], "<p>Hi <b>you</b></p>");
    assert_eq!(
        (&message["cc"][0], &message["hasAttachments"]),
        (&json!(OWN), &json!(true))
    );
    assert_eq!(
        message["attachments"],
        json!([{ "filename": "Übersicht.pdf", "contentType": "application/pdf", "size": 6 }])
    );
    // What one shows, the other takes.
    let answer =
        json!({ "to": OWN, "subject": "Re", "textBody": "x", "inReplyTo": sent["messageId"] });
    api.post(&send, answer, 200).await;
    let inbox = api.get(&format!("{path}?limit=1"), 200).await;
    assert_eq!(inbox["messages"][0]["inReplyTo"], sent["messageId"]);
}

#[tokio::test]
async fn the_last_day_is_shown_newest_first_unless_more_is_asked_for() {
    let (api, path) = begin().await;
    for subject in ["oldest", "older", "new"] {
        receive(&api, Folder::Inbox, subject);
        api.world.clock.advance(SignedDuration::from_hours(12));
    }
    // It is 21:00 on the next day; they came at 9:00, 21:00 and 9:00.
    let shown = async |query: &str| {
        let found = api.get(&format!("{path}{query}"), 200).await;
        let count = found["count"].as_u64().unwrap();
        let subjects: Vec<_> = subjects(&found).into_iter().map(str::to_owned).collect();
        assert_eq!(count, u64::try_from(subjects.len()).unwrap());
        (subjects.join(" "), found["hasMore"] == true)
    };
    let all = "new older oldest".to_owned();
    assert_eq!(shown("").await, ("new older".to_owned(), false));
    assert_eq!(shown("?since=2026-03-13").await, (all.clone(), false));
    assert_eq!(
        shown("?since=2026-03-13T11:00:00+02:00").await,
        (all, false)
    );
    assert_eq!(
        shown("?since=2026-03-14T09:00:01Z").await,
        (String::new(), false)
    );
    assert_eq!(
        shown("?since=2026-03-13&limit=2").await,
        ("new older".to_owned(), true)
    );
}

#[tokio::test]
async fn warmup_mail_is_left_out_unless_it_is_asked_for() {
    let (api, path) = begin().await;
    let key = api
        .world
        .vault
        .message_key(api.world.tenant.user)
        .await
        .unwrap();
    let account: AccountId = path.split('/').nth(3).unwrap().parse().unwrap();
    let token = Token {
        slot: SlotId::new(now(&api.world), 1),
        sender: account,
        recipient: account,
        thread: ThreadId::new(now(&api.world), 1),
        conversation: "lunch".to_owned(),
        turn: 0,
    };
    let ours = token.sign(TokenKey::new(key.as_slice()).unwrap()).unwrap();
    for (subject, value) in [
        ("warmup", ours),
        ("a stranger's", "v1.forged.token".to_owned()),
    ] {
        let mail = mail(subject, vec![("X-AW-Token".to_owned(), value)]);
        api.world
            .office
            .drop_in(OWN, Folder::Inbox, mail, FoundContent::Message);
    }
    assert_eq!(subjects(&api.get(&path, 200).await), ["a stranger's"]);
    let all = api.get(&format!("{path}?includeWarmup=true"), 200).await;
    assert_eq!(subjects(&all), ["a stranger's", "warmup"]);
}

#[tokio::test]
async fn folders_are_found_by_role_and_others_are_bad_input() {
    let (api, path) = begin().await;
    receive(&api, Folder::Junk, "spam");
    for folder in ["SPAM", "junk", "Junk"] {
        let found = api.get(&format!("{path}?folder={folder}"), 200).await;
        assert_eq!(subjects(&found), ["spam"]);
        assert_eq!(found["messages"][0]["folder"], folder);
    }
    let none = api.get(&format!("{path}?folder=drafts"), 200).await;
    assert_eq!(
        (&none["count"], &none["hasMore"]),
        (&json!(0), &json!(false))
    );
    for query in [
        "folder=Nowhere",
        "folder=",
        "since=yesterday",
        "since=2026-02-30",
        "limit=0",
        "limit=101",
        "includeWarmup=maybe",
        "includeHtml=1",
    ] {
        let path = format!("{path}?{query}");
        let refused = api
            .refused(Method::GET, &path, Value::Null, "VALIDATION_FAILED")
            .await;
        assert_eq!(
            paths(&refused),
            [query.split_once('=').unwrap().0],
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_mailbox_that_cannot_be_read_says_so() {
    let (api, path) = begin().await;
    for failure in [ConnectFailure::Credentials, ConnectFailure::Unreachable] {
        let fails = Connect::Fails(failure);
        api.world
            .office
            .next_connect(OWN, MailProtocol::Imap, fails);
        api.refused(Method::GET, &path, Value::Null, "ACCOUNT_CONNECTION_FAILED")
            .await;
    }
    let stranger = api.stranger().await;
    let answer = api.send(Method::GET, &path, Some(&stranger), "").await;
    assert_eq!(body(&answer)["code"], "ACCOUNT_NOT_FOUND");
    let mut outlook = new_account("user@outlook.com");
    outlook["provider"] = "outlook".into();
    outlook["credentials"] = json!({ "accessToken": "a", "refreshToken": "b" });
    let created = api.post("/api/accounts", outlook, 201).await;
    let path = format!("/api/accounts/{}/messages", created["id"].as_str().unwrap());
    api.refused(Method::GET, &path, Value::Null, "PROVIDER_NOT_CONFIGURED")
        .await;
}
