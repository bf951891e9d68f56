//! Files that are uploaded before the mail that they are attached to (decision 14).

use std::time::Duration;

use agentwarm_app::ports::mail::Folder;
use agentwarm_testkit::memory::mail::Scripted;
use http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::accounts::create;
use super::client::{Api, json as body, paths};
use super::send::{begin, letters, plain};

const SENDER: &str = "hello@example.com";
const RECIPIENT: &str = "recipient@example.com";

/// 25 MB.
const MOST: usize = 25 * 1024 * 1024;

/// Where an account's files are announced, given where it sends.
fn attachments(send: &str) -> String {
    send.replace("/send", "/attachments")
}

async fn announce(api: &Api, path: &str, size: usize) -> Value {
    api.post(path, json!({ "size": size }), 201).await
}

/// Uploads a file for the account that sends by `send`; its id.
async fn upload(api: &Api, send: &str, bytes: &[u8]) -> Value {
    let upload = announce(api, &attachments(send), bytes.len()).await;
    let url = upload["url"].as_str().unwrap();
    assert!(api.world.uploads.put(url, bytes));
    upload["uploadId"].clone()
}

fn mail_with(attachments: Value) -> Value {
    let mut mail = plain();
    mail["attachments"] = attachments;
    mail
}

async fn refused(api: &Api, path: &str, mail: Value) -> Value {
    api.refused(Method::POST, path, mail, "VALIDATION_FAILED")
        .await
}

#[tokio::test]
async fn a_file_is_announced_with_its_size() {
    let (api, send) = begin().await;
    let announced = announce(&api, &attachments(&send), 12_582_912).await;
    insta::assert_json_snapshot!(announced, { ".uploadId" => "uuid", ".url" => "url" }, @r#"
    {
      "uploadId": "uuid",
      "url": "url",
      "headers": {
        "content-length": "12582912"
      },
      "expiresAt": "2026-03-13T09:15:00Z"
    }
    "#);
    let url = announced["url"].as_str().unwrap();
    assert!(!api.world.uploads.put(url, b"another size"));
}

#[tokio::test]
async fn files_of_both_kinds_are_sent_in_their_order() {
    let (api, send) = begin().await;
    let id = upload(&api, &send, b"uploaded").await;
    let files = json!([
        { "filename": "a", "content": "AP/+" },
        { "filename": "b.pdf", "uploadId": id, "contentType": "application/pdf" },
        { "filename": "c", "uploadId": id },
    ]);
    // A file can be in several mails.
    for _ in 0..2 {
        api.post(&send, mail_with(files.clone()), 200).await;
    }
    for letter in letters(&api, RECIPIENT, Folder::Inbox) {
        let sent = letter.draft.attachments.iter();
        let sent: Vec<_> = sent
            .map(|file| {
                (
                    file.filename.as_str(),
                    file.content_type.as_str(),
                    &*file.content,
                )
            })
            .collect();
        let unknown = "application/octet-stream";
        assert_eq!(
            sent,
            [
                ("a", unknown, &[0, 255, 254][..]),
                ("b.pdf", "application/pdf", b"uploaded"),
                ("c", unknown, b"uploaded"),
            ]
        );
    }
    assert_eq!(letters(&api, RECIPIENT, Folder::Inbox).len(), 2);
}

#[tokio::test]
async fn a_file_has_one_to_25_million_bytes_and_an_account() {
    let (api, send) = begin().await;
    let path = attachments(&send);
    for size in [
        json!(0),
        json!(MOST + 1),
        json!(-1),
        json!(1.5),
        json!("1"),
        Value::Null,
    ] {
        let answer = refused(&api, &path, json!({ "size": size })).await;
        assert_eq!(paths(&answer), ["size"], "{size}");
    }
    assert_eq!(paths(&refused(&api, &path, json!({})).await), ["size"]);
    announce(&api, &path, MOST).await;
    let small = json!({ "size": 1 });
    let nowhere = "/api/accounts/nonsense/attachments";
    api.refused(Method::POST, nowhere, small.clone(), "ACCOUNT_NOT_FOUND")
        .await;
    let stranger = api.stranger().await;
    let answer = api
        .send(Method::POST, &path, Some(&stranger), small.to_string())
        .await;
    assert_eq!(body(&answer)["code"], "ACCOUNT_NOT_FOUND");
}

#[tokio::test]
async fn a_store_of_files_that_is_down_says_so() {
    let (api, send) = begin().await;
    let id = upload(&api, &send, b"x").await;
    api.world.uploads.set_down(true);
    let mail = mail_with(json!([{ "filename": "a", "uploadId": id }]));
    for (path, asked) in [(attachments(&send), json!({ "size": 1 })), (send, mail)] {
        api.refused(Method::POST, &path, asked, "PROVIDER_UNAVAILABLE")
            .await;
    }
    assert_eq!(api.world.office.logins(), 0);
}

#[tokio::test]
async fn what_is_no_file_of_the_account_is_named_with_all_the_rest() {
    let (api, send) = begin().await;
    let old = upload(&api, &send, b"old").await;
    let a_day = SignedDuration::from_hours(24) + SignedDuration::from_secs(1);
    api.world.clock.advance(a_day);
    let mine = upload(&api, &send, b"mine").await;
    let other = create(&api, "other@example.com").await;
    let others = upload(&api, &format!("{other}/send"), b"others").await;
    let announced = announce(&api, &attachments(&send), 1).await["uploadId"].clone();
    let unknown = json!("019590a5-7c00-7000-8000-000000000001");
    let file = |id: &Value| json!({ "filename": "a", "uploadId": id });
    let files: Vec<_> = [&mine, &old, &others, &announced, &unknown]
        .map(file)
        .into();
    let answer = refused(&api, &send, mail_with(json!(files))).await;
    assert_eq!(
        paths(&answer),
        [
            "attachments[1].uploadId",
            "attachments[2].uploadId",
            "attachments[3].uploadId",
            "attachments[4].uploadId",
        ]
    );
    insta::assert_json_snapshot!(answer["errors"][2]["message"], @r#""names no file of this account: nothing was uploaded under it yet, or more than a day ago""#);
    assert_eq!(api.world.office.logins(), 0);
    api.post(&send, mail_with(json!([file(&mine)])), 200).await;
}

#[tokio::test]
async fn a_file_is_in_the_request_or_uploaded() {
    let (api, send) = begin().await;
    let id = upload(&api, &send, b"x").await;
    let files = json!([
        { "filename": "a" },
        { "filename": "a", "content": "AA", "uploadId": id },
        { "filename": "a", "uploadId": "nonsense" },
        { "filename": "a", "uploadId": null },
    ]);
    let answer = refused(&api, &send, mail_with(files)).await;
    assert_eq!(
        paths(&answer),
        [
            "attachments[0].content",
            "attachments[1].content",
            "attachments[2].uploadId",
            "attachments[3].uploadId",
        ]
    );
    let many = vec![json!({ "filename": "a", "uploadId": id }); 26];
    let answer = refused(&api, &send, mail_with(json!(many))).await;
    assert_eq!(paths(&answer), ["attachments"]);
}

#[tokio::test]
async fn all_files_together_have_25_million_bytes_at_most() {
    let (api, send) = begin().await;
    let half = upload(&api, &send, &vec![0; MOST / 2]).await;
    let two = json!([
        { "filename": "a", "uploadId": half },
        { "filename": "b", "uploadId": half },
    ]);
    api.post(&send, mail_with(two.clone()), 200).await;
    let mut three = two;
    let unknown = "019590a5-7c00-7000-8000-000000000001";
    for more in [
        json!({ "filename": "c", "content": "AA" }),
        json!({ "filename": "d", "uploadId": unknown }),
    ] {
        three.as_array_mut().unwrap().push(more);
    }
    let answer = refused(&api, &send, mail_with(three)).await;
    assert_eq!(paths(&answer), ["attachments[3].uploadId", "attachments"]);
    insta::assert_json_snapshot!(answer["errors"][1]["message"], @r#""must have at most 25 MB (26214400 bytes) together, and have 26214401 bytes""#);
}

#[tokio::test]
async fn whoever_repeats_a_mail_that_was_begun_needs_its_files_no_more() {
    let (api, send) = begin().await;
    let id = upload(&api, &send, b"x").await;
    let mail = mail_with(json!([{ "filename": "a", "uploadId": id }]));
    let hangs = Scripted::Hangs { delivered: true };
    api.world.office.next_submission(SENDER, hangs);
    let sending = api.once("key", &send, &mail);
    let died = tokio::time::timeout(Duration::from_millis(200), sending).await;
    assert!(died.is_err());
    api.world.clock.advance(SignedDuration::from_secs(31));
    api.world.uploads.set_down(true);
    let again = body(&api.once("key", &send, &mail).await);
    assert_eq!(again["code"], "SEND_OUTCOME_UNKNOWN", "{again}");
    assert_eq!(letters(&api, RECIPIENT, Folder::Inbox).len(), 1);
}
