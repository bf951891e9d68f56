//! The codes that mail servers bring about: ones that refuse, ones that say nothing, and one whose word is lost.

use std::net::Ipv4Addr;

use agentwarm_core::error::ErrorCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::asking::{Ask, Contract, User, id};
use super::cast;
use crate::by_hand::arrived;
use crate::imap;
use crate::proxy;

/// Of a mail: enough for its content to be told from the commands before it.
const LARGE: usize = 400_000;

async fn connect(contract: &Contract, me: &User, account: &Value) -> String {
    let ask = contract.ask(me, "createAccount").body(account);
    id(&ask.succeeds(201).await)
}

fn mail(to: &str) -> Value {
    json!({ "to": to, "subject": "Hello", "textBody": "Hi." })
}

/// A password that is wrong, a folder and a recipient that are not there, a server that puts off.
pub(super) async fn refusals(contract: &Contract, me: &User) {
    let mut account = contract.deployment.account(cast::LOCKED_OUT);
    account["credentials"]["password"] = "wrong".into();
    let locked_out = connect(contract, me, &account).await;
    let failed = ErrorCode::AccountConnectionFailed;
    let ask = contract
        .ask(me, "testAccountConnection")
        .with("id", &locked_out);
    let tested = ask.succeeds(200).await;
    assert_eq!(tested["overall"], false);
    let ids = json!({ "accountIds": [locked_out] });
    let ask = contract.ask(me, "testAccountConnections").body(&ids);
    let tested = ask.succeeds(207).await;
    assert_eq!(tested["results"][0]["code"], failed.as_str());
    for operation in ["listMessages", "sendEmail"] {
        let ask = contract.ask(me, operation).with("id", &locked_out);
        ask.refused(failed).await;
    }
    let ask = contract.ask(me, "listMessages").query("folder=Nowhere");
    ask.refused_at(ErrorCode::ValidationFailed, "folder").await;
    let send = |to: &str| contract.ask(me, "sendEmail").body(&mail(to));
    send("nobody@birch.test")
        .refused_at(ErrorCode::ValidationFailed, "to")
        .await;
    let later = send("greylist@birch.test");
    later.refused(ErrorCode::ProviderUnavailable).await;
}

/// Asks twice with one `Idempotency-Key`, while a server that says nothing keeps the first from being answered; the first answer.
async fn held_up<'c>(
    contract: &'c Contract,
    me: &User,
    address: &str,
    ask: impl Fn(&str) -> Ask<'c>,
) -> Value {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let mut account = contract.deployment.account(address);
    for name in ["imapPort", "smtpPort"] {
        account["credentials"][name] = port.into();
    }
    let account = connect(contract, me, &account).await;
    let ask = ask(&account).once(address);
    let second = async {
        // Who knocks here is carrying out the first.
        let guest = silent.accept().await.unwrap();
        let refused = ask.clone().sent().await;
        drop((guest, silent));
        refused
    };
    let (first, second) = tokio::join!(ask.clone().sent(), second);
    let code = ErrorCode::IdempotencyInProgress;
    assert_eq!(second.json["code"], code.as_str(), "{:#}", second.json);
    assert!(second.headers.contains_key("retry-after"));
    first.json
}

pub(super) async fn silence(contract: &Contract, me: &User) {
    let ask = |operation: &str, account: &str| contract.ask(me, operation).with("id", account);
    let test = |account: &str| ask("testAccountConnection", account);
    let tested = held_up(contract, me, "silent-1@acorn.test", test).await;
    assert_eq!(tested["overall"], false, "{tested:#}");
    let test = |account: &str| {
        let ids = json!({ "accountIds": [account] });
        contract.ask(me, "testAccountConnections").body(&ids)
    };
    let tested = held_up(contract, me, "silent-2@acorn.test", test).await;
    assert_eq!(tested["failureCount"], 1, "{tested:#}");
    let send = |account: &str| ask("sendEmail", account).body(&mail(cast::PARTNER));
    let failed = held_up(contract, me, "silent-3@acorn.test", send).await;
    assert_eq!(failed["code"], "ACCOUNT_CONNECTION_FAILED", "{failed:#}");
}

/// The server takes the mail, and its word is lost: nobody knows, and nobody sends it again.
pub(super) async fn doubt(contract: &Contract, me: &User) {
    let port = proxy::forgetful(contract.deployment.smtp_port(), LARGE / 2).await;
    let mut account = contract.deployment.account(cast::IN_DOUBT);
    account["credentials"]["smtpPort"] = port.into();
    let account = connect(contract, me, &account).await;
    let mut mail = mail(cast::IN_DOUBT_RECEIVER);
    mail["attachments"] = json!([{ "filename": "large.bin", "content": "A".repeat(LARGE) }]);
    let send = || {
        let ask = contract.ask(me, "sendEmail").with("id", &account);
        ask.body(&mail).once("in doubt")
    };
    let first = send().refused(ErrorCode::SendOutcomeUnknown).await;
    let again = send().refused(ErrorCode::SendOutcomeUnknown).await;
    assert_eq!(again["details"], first["details"]);
    let message = first["details"]["messageId"].as_str().unwrap();
    let receiver = contract.deployment.account(cast::IN_DOUBT_RECEIVER);
    let receiver = connect(contract, me, &receiver).await;
    arrived(&contract.deployment, &receiver, "INBOX", message).await;
    let messages = imap::messages(cast::IN_DOUBT_RECEIVER).await;
    let copies = messages
        .iter()
        .filter(|one| format!("<{}>", one.id()) == message);
    assert_eq!(copies.count(), 1, "{message}");
}
