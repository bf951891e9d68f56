//! Mails that users write and read themselves, beside warmup.

use std::time::Duration;

use agentwarm_local::api_client::ApiError;
use agentwarm_local::http_client::HttpClient;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Request;
use serde_json::{Value, json};

use crate::imap;
use crate::proxy::Door;
use crate::world::Deployment;

/// How long a mail may be on its way between two servers of one machine.
pub(crate) const DELIVERY: Duration = Duration::from_secs(20);

/// The message with this id in a folder, once it is there.
pub(crate) async fn arrived(
    deployment: &Deployment,
    account: &str,
    folder: &str,
    id: &str,
) -> Value {
    let path = format!("/api/accounts/{account}/messages?folder={folder}&includeHtml=true");
    let begun = tokio::time::Instant::now();
    loop {
        let found = deployment.get(&path).await;
        let mut messages = found["messages"].as_array().unwrap().iter();
        if let Some(message) = messages.find(|message| message["messageId"] == id) {
            return message.clone();
        }
        assert!(
            begun.elapsed() < DELIVERY,
            "{id} is not in {folder}: {found:#}"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// How many copies of a mail its mailbox has, once it has any.
async fn copies(address: &str, id: &str) -> usize {
    let begun = tokio::time::Instant::now();
    loop {
        let messages = imap::messages(address).await;
        let is_it = |message: &&imap::Message| format!("<{}>", message.id()) == id;
        let copies = messages.iter().filter(is_it).count();
        if copies > 0 || begun.elapsed() > DELIVERY {
            return copies;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn code(answer: Result<Value, ApiError>) -> String {
    match answer {
        Err(ApiError::Refused { code, .. }) => code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_is_sent_read_answered_and_filed() {
    let deployment = Deployment::begin("accept-by-hand").await;
    let robin = deployment.connect_numbered("w171@acorn.test").await;
    let kim = deployment.connect_numbered("w172@birch.test").await;
    let send = format!("/api/accounts/{robin}/send");
    let mail = json!({
        "to": "Kim Ö <w172@birch.test>",
        "cc": ["w173@birch.test"],
        "bcc": ["w174@birch.test"],
        "subject": "Angebot — 見積もり 📬",
        "textBody": "Grüße\n.\nRobin\n",
        "htmlBody": "<p>Grüße</p>",
        "attachments": [
            { "filename": "Übersicht 昼食.pdf", "content": "JVBERi0x", "contentType": "application/pdf" },
        ],
    });
    let once = deployment.api.once("by hand");
    let sent = once.post(&send, Some(&mail)).await.unwrap();
    assert_eq!(
        (&sent["success"], &sent["filedInSent"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(once.post(&send, Some(&mail)).await.unwrap(), sent);
    let id = sent["messageId"].as_str().unwrap();

    let got = arrived(&deployment, &kim, "INBOX", id).await;
    assert_eq!(got["from"], "w171@acorn.test");
    assert_eq!(
        (&got["to"], &got["cc"]),
        (&json!("w172@birch.test"), &json!(["w173@birch.test"]))
    );
    assert_eq!(got["subject"], mail["subject"]);
    assert_eq!(got["textBody"], "Grüße\n.\nRobin");
    assert_eq!(
        (&got["seen"], &got["truncated"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(
        got["attachments"],
        json!([{ "filename": "Übersicht 昼食.pdf", "contentType": "application/pdf", "size": 8 - 2 }])
    );
    for hidden in ["w173@birch.test", "w174@birch.test"] {
        assert_eq!(copies(hidden, id).await, 1, "{hidden}");
    }
    let copy = arrived(&deployment, &robin, "sent", id).await;
    assert_eq!(
        (&copy["seen"], &copy["folder"]),
        (&json!(true), &json!("sent"))
    );

    let answer = json!({
        "to": "w171@acorn.test", "subject": "Re: Angebot", "textBody": "Danke",
        "inReplyTo": got["messageId"], "references": [got["messageId"]],
    });
    let path = format!("/api/accounts/{kim}/send");
    let answered = deployment.api.post(&path, Some(&answer)).await.unwrap();
    let id = answered["messageId"].as_str().unwrap();
    let answer = arrived(&deployment, &robin, "INBOX", id).await;
    assert_eq!(answer["inReplyTo"], got["messageId"]);
    assert_eq!(answer["references"], json!([got["messageId"]]));

    // As much as one request takes; of what arrives the beginning is read.
    let file = json!({ "filename": "large.bin", "content": "A".repeat(5_200_000) });
    let large = json!({
        "to": "w172@birch.test", "subject": "Large", "textBody": "See below.", "attachments": [file],
    });
    let sent = deployment.api.post(&send, Some(&large)).await.unwrap();
    let id = sent["messageId"].as_str().unwrap();
    let got = arrived(&deployment, &kim, "INBOX", id).await;
    assert_eq!(
        (&got["textBody"], &got["truncated"]),
        (&json!("See below."), &json!(true))
    );
    assert_eq!(got["attachments"][0]["size"], Value::Null);
    deployment.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_no_request_takes_is_uploaded_and_sent() {
    let deployment = Deployment::begin("accept-by-hand-upload").await;
    let robin = deployment.connect_numbered("w184@acorn.test").await;
    let file: Vec<u8> = (0..12_582_912_u32)
        .map(|n| u8::try_from(n % 251).unwrap())
        .collect();
    let announced = deployment
        .api
        .post(
            &format!("/api/accounts/{robin}/attachments"),
            Some(&json!({ "size": file.len() })),
        )
        .await
        .unwrap();
    let mut mail = json!({
        "to": "w185@birch.test", "subject": "Large", "textBody": "See below.",
        "attachments": [{ "filename": "large.bin", "uploadId": announced["uploadId"] }],
    });
    let send = format!("/api/accounts/{robin}/send");
    let once = deployment.api.once("too early");
    assert_eq!(
        code(once.post(&send, Some(&mail)).await),
        "VALIDATION_FAILED"
    );
    assert_eq!(put(&announced, file.clone()).await, 200);
    let sent = deployment.api.post(&send, Some(&mail)).await.unwrap();
    assert_eq!(sent["filedInSent"], true);
    let id = sent["messageId"].as_str().unwrap();
    let kim = deployment.connect_numbered("w185@birch.test").await;
    let got = arrived(&deployment, &kim, "INBOX", id).await;
    assert_eq!(got["attachments"][0]["filename"], "large.bin");
    let whole = imap::raw("w185@birch.test", id).await;
    let (_, encoded) = whole.split_once("filename=\"large.bin\"").unwrap();
    let (_, encoded) = encoded.split_once("\r\n\r\n").unwrap();
    let (encoded, _) = encoded.split_once("\r\n--").unwrap();
    let decoded = STANDARD.decode(encoded.replace("\r\n", "")).unwrap();
    assert!(decoded == file, "{} bytes arrived", decoded.len());

    // It is of this account.
    mail["to"] = "w184@acorn.test".into();
    let foreign = format!("/api/accounts/{kim}/send");
    let refused = deployment.api.post(&foreign, Some(&mail)).await;
    assert_eq!(code(refused), "VALIDATION_FAILED");
    deployment.end().await;
}

/// Uploads a file as an announcement says; the answer's status.
async fn put(announced: &Value, bytes: Vec<u8>) -> u16 {
    let mut request = Request::put(announced["url"].as_str().unwrap());
    for (name, value) in announced["headers"].as_object().unwrap() {
        request = request.header(name, value.as_str().unwrap());
    }
    let request = request.body(bytes).unwrap();
    let answer = HttpClient::default().send(request).await.unwrap();
    answer.status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_is_said_and_sends_nothing() {
    let deployment = Deployment::begin("accept-by-hand-wrong").await;
    let (mut smtp, imap) = (
        Door::to(deployment.smtp_port()),
        Door::to(deployment.imaps_port()),
    );
    let mut account = deployment.account("w175@acorn.test");
    account["credentials"]["smtpPort"] = smtp.port().into();
    account["credentials"]["imapPort"] = imap.port().into();
    let robin = deployment.create(&account).await;
    let before = imap::messages("w177@birch.test").await.len();
    let stranger = deployment.connect("w176@acorn.test", "wrong").await;
    let send = async |account: &str, to: Value| {
        let mail = json!({ "to": to, "subject": "Hello", "textBody": "Hi." });
        let path = format!("/api/accounts/{account}/send");
        deployment.api.post(&path, Some(&mail)).await
    };
    for (to, expected) in [
        (
            json!(["w177@birch.test", "nobody@birch.test"]),
            "VALIDATION_FAILED",
        ),
        (
            json!(["w177@birch.test", "greylist@birch.test"]),
            "PROVIDER_UNAVAILABLE",
        ),
        (json!("refuse-content@birch.test"), "VALIDATION_FAILED"),
        (json!("defer-content@birch.test"), "PROVIDER_UNAVAILABLE"),
    ] {
        assert_eq!(code(send(&robin, to.clone()).await), expected, "{to}");
    }
    let failed = "ACCOUNT_CONNECTION_FAILED";
    assert_eq!(
        code(send(&stranger, json!("w177@birch.test")).await),
        failed
    );
    let path = format!("/api/accounts/{stranger}/messages");
    assert_eq!(code(deployment.api.get(&path).await), failed);
    smtp.shut().await;
    assert_eq!(code(send(&robin, json!("w177@birch.test")).await), failed);
    let path = format!("/api/accounts/{robin}/messages?folder=Nowhere");
    assert_eq!(code(deployment.api.get(&path).await), "VALIDATION_FAILED");
    assert_eq!(imap::messages("w177@birch.test").await.len(), before);

    // A copy that cannot be filed does not make the mail unsent.
    smtp.open();
    let mut imap_door = imap;
    imap_door.shut().await;
    let sent = send(&robin, json!("w178@birch.test")).await.unwrap();
    assert_eq!(sent["filedInSent"], false);
    deployment.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn warmups_mails_are_not_shown_and_its_plan_is_not_spent() {
    let mut deployment = Deployment::begin("accept-by-hand-beside").await;
    let robin = deployment.connect_numbered("w179@acorn.test").await;
    let kim = deployment.connect_numbered("w180@birch.test").await;
    deployment.start(&robin).await;
    deployment.start(&kim).await;
    let path = format!("/api/accounts/{robin}/send");
    let mail = json!({ "to": "w180@birch.test", "subject": "By hand", "textBody": "Hi." });
    let sent = deployment.api.post(&path, Some(&mail)).await.unwrap();
    deployment.run_until("2026-03-12T07:30:00Z").await;
    let schedule = format!("/api/warmup/schedule/{robin}?date=2026-03-11");
    let schedule = deployment.get(&schedule).await;
    assert_eq!(
        (&schedule["plannedSendCount"], &schedule["actualSendCount"]),
        (&json!(2), &json!(2)),
        "{schedule:#}"
    );
    let id = sent["messageId"].as_str().unwrap();
    let got = arrived(&deployment, &kim, "INBOX", id).await;
    assert_eq!(got["subject"], "By hand");
    let mut warmup = 0;
    for folder in ["INBOX", "Warmup"] {
        let path = format!("/api/accounts/{kim}/messages?folder={folder}");
        let shown = deployment.get(&path).await;
        for message in shown["messages"].as_array().unwrap() {
            assert_eq!(message["subject"], "By hand", "{message:#}");
        }
        let all = deployment.get(&format!("{path}&includeWarmup=true")).await;
        warmup += all["messages"].as_array().unwrap().len();
    }
    // The two that were planned, and the one by hand.
    assert!(warmup >= 3, "{warmup}");
    deployment.end().await;
}
