//! Mails that people write, with what they hold: they are nobody's but the writer's and the reader's.

use std::time::Duration;

use http::{Request, StatusCode};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Flows, MAILBOXES, WRONG_PASSWORD, parsed};
use crate::world::World;

// What is in a mail holds the word, too. The one that is sent is shown to whoever has its mailbox, in one answer.
const SUBJECT: &str = "canary-subject-Pw5c";
const TEXT: &str = "canary-text-Nf8r";
const HTML: &str = "canary-html-Ky3d";
const INLINE: &str = "canary-inline-file-Te6b";
const UPLOADED: &str = "canary-uploaded-file-Sm1v";
const ONCE: &str = "canary-idempotency-key-of-a-mail-Yq4g";

/// How long the mail servers take to deliver a mail, at most.
const DELIVERY: Duration = Duration::from_secs(20);

impl Flows {
    /// Many accounts at once: passwords that are right, wrong, too long, and beside a mistake.
    pub(super) async fn batch(&mut self, world: &World) {
        let pool = world.demo_pool().await;
        let mut accounts =
            ["w234@acorn.test", "w235@birch.test"].map(|address| world.account(address, &pool));
        accounts[1]["credentials"]["password"] = WRONG_PASSWORD.into();
        accounts[1]["timezone"] = "No/Where".into();
        let line = "POST /api/accounts/batch";
        let body = json!({ "accounts": accounts });
        let told = self.json(world, line, &body, 207).await;
        let told = &told["results"];
        assert_eq!(told[1]["code"], "VALIDATION_FAILED", "{told}");
        assert!(told[0]["code"].is_null(), "{told}");
        accounts[1]["credentials"]["password"] = json!({ "is": WRONG_PASSWORD });
        let body = json!({ "accounts": [accounts[1], WRONG_PASSWORD] });
        self.json(world, line, &body, 207).await;
        let cut_off = format!("{{\"accounts\": [{{\"credentials\": \"{WRONG_PASSWORD}");
        self.ask(world, line, &world.key, &cut_off, 400).await;
    }

    /// A mail with a file in it and one that was uploaded, sent twice with one `Idempotency-Key` and read where it arrived.
    pub(super) async fn mail(&mut self, world: &World, accounts: &[String]) {
        let id = self.upload(world, &accounts[0]).await;
        let mail = json!({
            "to": MAILBOXES[1],
            "subject": SUBJECT,
            "textBody": TEXT,
            "htmlBody": format!("<p>{HTML}</p>"),
            "attachments": [
                { "filename": "a.txt", "content": base64(INLINE), "contentType": "text/plain" },
                { "filename": "b.txt", "uploadId": id },
            ],
        });
        let send = format!("POST /api/accounts/{}/send", accounts[0]);
        let once = [("idempotency-key", ONCE)];
        for _ in 0..2 {
            let body = mail.to_string();
            let sent = self.call(world, &send, &world.key, &once, &body).await;
            assert_eq!(sent.status(), StatusCode::OK, "{}", parsed(&sent));
            self.keep(&sent, &[]);
        }
        let mut bad = mail.clone();
        bad["attachments"][0]["filename"] = "a/b".into();
        self.json(world, &send, &bad, 400).await;
        world.outage.of(Some("sent#"));
        self.json(world, &send, &mail, 503).await;
        world.outage.of(None);
        let read = format!(
            "GET /api/accounts/{}/messages?includeHtml=true",
            accounts[1]
        );
        // It takes its way through the mail server.
        let deadline = Instant::now() + DELIVERY;
        let read = loop {
            let read = self.call(world, &read, &world.key, &[], "").await;
            let told = parsed(&read);
            if told.to_string().contains(SUBJECT) {
                break read;
            }
            assert!(Instant::now() < deadline, "{told}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        self.keep(&read, &[SUBJECT, TEXT, HTML]);
    }

    /// Uploads a file; its id. Whoever has the URL can upload it, so that its signature is a secret, and only its own answer shows it.
    async fn upload(&mut self, world: &World, account: &str) -> Value {
        let announce = format!("POST /api/accounts/{account}/attachments");
        let body = json!({ "size": UPLOADED.len() }).to_string();
        let announced = self.call(world, &announce, &world.key, &[], &body).await;
        let announced = parsed(&announced);
        let url = announced["url"].as_str().unwrap();
        let (_, signature) = url.split_once("X-Amz-Signature=").unwrap();
        let signature = signature.split('&').next().unwrap();
        assert!(signature.len() > 40, "{url}");
        self.secrets.insert(signature.to_owned());
        let put = Request::put(url).body(UPLOADED.into()).unwrap();
        let put = self.client.send(put).await.unwrap();
        assert!(put.status().is_success(), "{put:?}");
        announced["uploadId"].clone()
    }
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}
