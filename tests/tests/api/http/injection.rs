//! Texts that want to be more than a text, in every field that takes one: each is refused with a documented code, or is what it is
//! wherever it comes to stand: in a mail, in a log line, in an answer.

mod letters;
mod mails;

use std::collections::BTreeSet;

use agentwarm_testkit::log::Log;
use agentwarm_testkit::payloads::payloads;
use agentwarm_tests::operations;
use http::{HeaderValue, Method};
use serde_json::{Value, json};

use super::accounts::{create, new_account};
use super::client::{Api, json as body};
use letters::check_posted;
use mails::check_mails;

/// The user's account that there is.
const OWN: &str = "own@example.com";

/// A field that takes a text: the operation, the field, and a body with a text in it.
type Field = (&'static str, &'static str, fn(&str) -> Value);

/// All of them; an address and a Message-ID twice: the text as it is, and as a part of one. `{id}` is an account of the user's.
const FIELDS: &[Field] = &[
    ("POST /api/accounts", "displayName", |text| {
        account("/displayName", text)
    }),
    ("POST /api/accounts", "email", |text| {
        account("/email", text)
    }),
    ("POST /api/accounts", "timezone", |text| {
        account("/timezone", text)
    }),
    ("POST /api/accounts", "imapHost", |text| {
        account("/credentials/imapHost", text)
    }),
    ("POST /api/accounts", "smtpHost", |text| {
        account("/credentials/smtpHost", text)
    }),
    ("POST /api/accounts", "username", |text| {
        account("/credentials/username", text)
    }),
    ("POST /api/accounts", "password", |text| {
        account("/credentials/password", text)
    }),
    ("POST /api/accounts", "accessToken", |text| {
        gmail(text, "refresh")
    }),
    ("POST /api/accounts", "refreshToken", |text| {
        gmail("access", text)
    }),
    (
        "PATCH /api/accounts/{id}",
        "displayName",
        |text| json!({ "displayName": text }),
    ),
    (
        "PATCH /api/accounts/{id}",
        "timezone",
        |text| json!({ "timezone": text }),
    ),
    ("PATCH /api/accounts/{id}/credentials", "imapHost", |text| {
        credentials("/imapHost", text)
    }),
    ("PATCH /api/accounts/{id}/credentials", "smtpHost", |text| {
        credentials("/smtpHost", text)
    }),
    ("PATCH /api/accounts/{id}/credentials", "username", |text| {
        credentials("/username", text)
    }),
    ("PATCH /api/accounts/{id}/credentials", "password", |text| {
        credentials("/password", text)
    }),
    (
        "PUT /api/accounts/{id}/persona",
        "title",
        |text| json!({ "title": text }),
    ),
    (
        "PUT /api/accounts/{id}/persona",
        "department",
        |text| json!({ "department": text }),
    ),
    (
        "PUT /api/accounts/{id}/persona",
        "topics",
        |text| json!({ "topics": [text] }),
    ),
    ("POST /api/accounts/{id}/crm-links", "crmPersonId", |text| {
        crm(text, "a-1", "hubspot")
    }),
    (
        "POST /api/accounts/{id}/crm-links",
        "crmAccountId",
        |text| crm("p-1", text, "hubspot"),
    ),
    ("POST /api/accounts/{id}/crm-links", "crmSource", |text| {
        crm("p-1", "a-1", text)
    }),
    ("POST /api/accounts/{id}/send", "to", |text| {
        mail("/to", text)
    }),
    ("POST /api/accounts/{id}/send", "to", |text| {
        mail("/to", &format!("{text} <own@example.com>"))
    }),
    ("POST /api/accounts/{id}/send", "cc", |text| {
        mail("/cc", text)
    }),
    ("POST /api/accounts/{id}/send", "cc", |text| {
        mail("/cc", &format!("{text} <own@example.com>"))
    }),
    ("POST /api/accounts/{id}/send", "bcc", |text| {
        mail("/bcc", text)
    }),
    ("POST /api/accounts/{id}/send", "bcc", |text| {
        mail("/bcc", &format!("{text} <own@example.com>"))
    }),
    ("POST /api/accounts/{id}/send", "subject", |text| {
        mail("/subject", text)
    }),
    ("POST /api/accounts/{id}/send", "textBody", |text| {
        mail("/textBody", text)
    }),
    ("POST /api/accounts/{id}/send", "htmlBody", |text| {
        mail("/htmlBody", text)
    }),
    ("POST /api/accounts/{id}/send", "inReplyTo", |text| {
        mail("/inReplyTo", text)
    }),
    ("POST /api/accounts/{id}/send", "inReplyTo", |text| {
        mail("/inReplyTo", &format!("{text}@example.com"))
    }),
    ("POST /api/accounts/{id}/send", "references", |text| {
        mail("/references/0", text)
    }),
    ("POST /api/accounts/{id}/send", "references", |text| {
        mail("/references/0", &format!("{text}@example.com"))
    }),
    ("POST /api/accounts/{id}/send", "filename", |text| {
        mail("/attachments/0/filename", text)
    }),
    ("POST /api/accounts/{id}/send", "contentType", |text| {
        mail("/attachments/0/contentType", text)
    }),
    ("POST /api/accounts/{id}/send", "content", |text| {
        mail("/attachments/0/content", text)
    }),
    ("POST /api/keys", "name", |text| json!({ "name": text })),
    (
        "POST /api/warmup/pools",
        "name",
        |text| json!({ "name": text }),
    ),
    (
        "POST /api/warmup/pools",
        "description",
        |text| json!({ "name": "x", "description": text }),
    ),
    (
        "POST /api/warmup/suppression",
        "email",
        |text| json!({ "email": text }),
    ),
    (
        "POST /api/warmup/suppression",
        "reason",
        |text| json!({ "email": "a@example.com", "reason": text }),
    ),
];

/// Batches take what single requests take, by the same code; the tokens of new credentials are those of new accounts.
const ELSEWHERE: &[(&str, &str)] = &[
    ("POST /api/accounts/batch", ""),
    ("PATCH /api/accounts/{id}/credentials", "accessToken"),
    ("PATCH /api/accounts/{id}/credentials", "refreshToken"),
];

/// Fields whose texts people read, in mails and elsewhere.
const LINES: [&str; 8] = [
    "displayName",
    "title",
    "department",
    "topics",
    "name",
    "description",
    "subject",
    "filename",
];

/// Nothing breaks it (controls, Zl, Zp), turns it round (the characters of `Bidi_Control`), or becomes something else when it is decoded.
fn is_one_visible_line(text: &str) -> bool {
    let harmful = |c: char| {
        c.is_control()
            || matches!(
                c,
                '\u{2028}' | '\u{2029}' | '\u{61c}' | '\u{200e}' | '\u{200f}'
            )
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    !text.contains(harmful) && !text.contains("=?")
}

fn account(place: &str, text: &str) -> Value {
    let mut account = new_account("ada@example.com");
    *account.pointer_mut(place).unwrap() = text.into();
    account
}

fn credentials(place: &str, text: &str) -> Value {
    let mut credentials = new_account("ada@example.com")["credentials"].take();
    *credentials.pointer_mut(place).unwrap() = text.into();
    json!({ "provider": "imap_smtp", "credentials": credentials })
}

fn mail(place: &str, text: &str) -> Value {
    let mut mail = json!({
        "to": "own@example.com",
        "subject": "Hello",
        "textBody": "Hello.",
        "htmlBody": "<p>Hello.</p>",
        "cc": "own@example.com",
        "bcc": "own@example.com",
        "inReplyTo": "a@example.com",
        "references": ["a@example.com"],
        "attachments": [{ "filename": "a.txt", "content": "aGVsbG8=", "contentType": "text/plain" }],
    });
    *mail.pointer_mut(place).unwrap() = text.into();
    mail
}

fn gmail(access: &str, refresh: &str) -> Value {
    let mut account = new_account("ada@example.com");
    account["provider"] = "gmail".into();
    account["credentials"] = json!({ "accessToken": access, "refreshToken": refresh });
    account
}

fn crm(person: &str, account: &str, source: &str) -> Value {
    json!({ "crmPersonId": person, "crmAccountId": account, "crmSource": source })
}

#[test]
fn every_field_that_takes_a_text_is_tried_here() {
    let mut missing = BTreeSet::new();
    for operation in operations::all() {
        let line = operation.line();
        for (name, schema) in operation.fields() {
            let is_known = FIELDS
                .iter()
                .any(|(op, field, _)| (*op, *field) == (&line, &name))
                || ELSEWHERE
                    .iter()
                    .any(|(op, field)| *op == line && (field.is_empty() || *field == name));
            if takes_any_text(&schema) && !is_known {
                missing.insert((line.clone(), name));
            }
        }
    }
    assert_eq!(missing, BTreeSet::new(), "add them to FIELDS");
}

/// It or its items are texts, and not ids, times, or some names.
fn takes_any_text(schema: &Value) -> bool {
    let is_free = |one: &Value| {
        let format = one["format"].as_str().unwrap_or_default();
        let has_form = ["uuid", "date", "date-time"].contains(&format) || one["enum"].is_array();
        one["type"].to_string().contains("\"string\"") && !has_form
    };
    is_free(schema) || is_free(&schema["items"])
}

#[tokio::test]
async fn what_is_taken_is_one_mail_one_log_line_and_itself() {
    let (log, listening) = Log::of_this_thread();
    for (line, field, with) in FIELDS {
        let api = Api::new().await;
        let path = create(&api, OWN).await;
        for address in [OWN, "victim@example.com", "c@example.com"] {
            api.world.office.open_mailbox(address, "app-password");
        }
        let id = path.rsplit('/').next().unwrap();
        let (method, template) = line.split_once(' ').unwrap();
        let method: Method = method.parse().unwrap();
        let mut taken = 0;
        for payload in payloads() {
            let sent = with(&payload).to_string();
            let path = template.replace("{id}", id);
            let answer = api.send(method.clone(), &path, Some(&api.key), sent).await;
            let status = answer.status().as_u16();
            // Conflicts and limits come after a text was taken.
            assert!(
                [200, 201, 400, 403, 404, 409].contains(&status),
                "{line} {field} {payload:?}: {:#}",
                body(&answer)
            );
            if !answer.status().is_success() {
                continue;
            }
            taken += 1;
            let is_line = LINES.contains(field);
            assert!(
                !is_line || is_one_visible_line(&payload),
                "{line} {field} {payload:?}"
            );
            let told = body(&answer);
            if is_line && let Some(shown) = told[*field].as_str() {
                assert_eq!(shown, payload, "{line} {field}");
            }
            if *line == "POST /api/accounts" {
                let made = told["id"].as_str().unwrap();
                check_mails(&api.world, made).await;
                // Its address is free for the next one.
                api.delete(&format!("/api/accounts/{made}"), 204).await;
            } else if line.ends_with("/send") {
                check_posted(&api, OWN, &told);
            } else {
                check_mails(&api.world, id).await;
            }
        }
        assert!(
            taken > 0 || !LINES.contains(field),
            "{line} takes no {field}"
        );
    }
    drop(listening);
    check_lines(&log);
}

/// Whoever may not write a header may not write one by a path, a query or a header of theirs either.
#[tokio::test]
async fn paths_queries_and_headers_are_read_as_texts() {
    let (log, listening) = Log::of_this_thread();
    for template in [
        "/api/warmup/suppression/{}",
        "/api/analytics/crm/person/{}",
        "/api/warmup/schedule/{}",
        "/api/accounts?email={}",
        "/api/accounts?domain={}",
        "/api/accounts?cursor={}",
        "/api/accounts?crmPersonId={}",
        "/api/audit-log?action={}",
        "/nowhere/{}",
    ] {
        let api = Api::new().await;
        for payload in payloads() {
            let path = template.replace("{}", &payload);
            let answer = api.send(Method::GET, &path, Some(&api.key), "").await;
            assert!(answer.status().as_u16() < 500, "{template} {payload:?}");
        }
    }
    let api = Api::new().await;
    let mut sendable = 0;
    for payload in payloads() {
        // The others are no header values: no server hands them on.
        let Ok(value) = HeaderValue::from_bytes(payload.as_bytes()) else {
            continue;
        };
        let Ok(value) = value.to_str() else { continue };
        sendable += 1;
        let headers = [
            ("idempotency-key", value),
            ("x-forwarded-for", value),
            ("user-agent", value),
        ];
        let name = json!({ "name": "Mine" }).to_string();
        let answer = api.send_with(
            &headers,
            Method::POST,
            "/api/warmup/pools",
            Some(&api.key),
            name,
        );
        let status = answer.await.status().as_u16();
        assert!([201, 400].contains(&status), "{payload:?}: {status}");
    }
    assert!(sendable > 30);
    drop(listening);
    check_lines(&log);
}

/// Each line is one object: nobody forged one.
fn check_lines(log: &Log) {
    let log = log.text();
    assert!(log.lines().count() > 100, "something is logged");
    for line in log.split_terminator('\n') {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        assert!(
            line["timestamp"].is_string() && line["level"] != "forged",
            "{line}"
        );
    }
}
