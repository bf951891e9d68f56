//! Every place where a user can name a host that we then connect to, and every spelling of one that we must not.
//!
//! The list of places stands here, once: what a request may hold in [`HOSTS`], checked against the document, and what connects in
//! [`connect`], checked by the compiler. What is refused as it is typed is refused again where the connection is made, and nothing is
//! looked up or connected to.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use agentwarm_app::ports::mail::{ConnectFailure, ImapSmtpCredentials, MailReader, MailSender};
use agentwarm_core::plan::Plan;
use agentwarm_mail::{ImapSmtp, MailConfig};
use agentwarm_net::address::Sink;
use agentwarm_testkit::dns::NameServer;
use agentwarm_testkit::hosts;
use agentwarm_tests::operations;
use http::Method;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpSocket};
use tokio::time::Instant;

use super::accounts::{create, new_account};
use super::client::{Api, json as body, paths};

/// What a request's body may hold that names a host, by operation.
const HOSTS: [(&str, &str); 6] = [
    ("PATCH /api/accounts/{id}/credentials", "imapHost"),
    ("PATCH /api/accounts/{id}/credentials", "smtpHost"),
    ("POST /api/accounts", "imapHost"),
    ("POST /api/accounts", "smtpHost"),
    ("POST /api/accounts/batch", "imapHost"),
    ("POST /api/accounts/batch", "smtpHost"),
];

/// What the names of such fields end with.
const TELLTALE: [&str; 7] = [
    "host", "url", "uri", "server", "endpoint", "domain", "origin",
];

/// The one of [`Sink::Smtp`]'s ports that a test may listen on.
const SUBMISSION: u16 = 2525;

/// The purposes of connections; [`connect`] does not compile when there is another.
const SINKS: [Sink; 2] = [Sink::Imap, Sink::Smtp];

async fn connect(sink: Sink, mail: &ImapSmtp, host: &str, port: u16) -> Option<ConnectFailure> {
    let credentials = ImapSmtpCredentials {
        imap_host: host.to_owned(),
        imap_port: port,
        smtp_host: host.to_owned(),
        smtp_port: port,
        username: "ada@example.com".to_owned(),
        password: "app-password".to_owned(),
        imap_security: None,
        smtp_security: None,
        oauth: false,
    };
    match sink {
        Sink::Imap => MailReader::connect(mail, &credentials).await.err(),
        Sink::Smtp => MailSender::connect(mail, &credentials).await.err(),
    }
}

#[test]
fn every_field_that_names_a_host_is_tried_here() {
    let telling = |name: &str| {
        let name = name.to_lowercase();
        TELLTALE.iter().any(|word| name.ends_with(word))
    };
    let found: BTreeSet<_> = operations::all()
        .iter()
        .flat_map(|operation| {
            let names = operation.fields().into_keys();
            names.map(|name| (operation.line(), name))
        })
        .filter(|(_, name)| telling(name))
        .collect();
    let known = HOSTS.map(|(operation, name)| (operation.to_owned(), name.to_owned()));
    assert_eq!(found, BTreeSet::from(known));
}

#[tokio::test]
async fn no_spelling_is_taken_for_a_new_account() {
    let api = Api::new().await;
    for host in hosts::forbidden() {
        let refused = api
            .refused(
                Method::POST,
                "/api/accounts",
                at(&host),
                "VALIDATION_FAILED",
            )
            .await;
        assert_eq!(paths(&refused), HOST_PATHS, "{host:?}");
    }
    assert_eq!(api.get("/api/accounts", 200).await["total"], 0);
}

const HOST_PATHS: [&str; 2] = ["credentials.imapHost", "credentials.smtpHost"];

/// A new account with both servers there.
fn at(host: &str) -> Value {
    let mut account = new_account("ada@example.com");
    for name in ["imapHost", "smtpHost"] {
        account["credentials"][name] = host.into();
    }
    account
}

#[tokio::test]
async fn no_spelling_is_taken_in_a_batch() {
    let api = Api::new().await;
    for some in hosts::forbidden().chunks(50) {
        let accounts: Vec<Value> = some.iter().map(|host| at(host)).collect();
        let sent = json!({ "accounts": accounts }).to_string();
        let answer = api
            .send(Method::POST, "/api/accounts/batch", Some(&api.key), sent)
            .await;
        let told = body(&answer);
        assert_eq!(answer.status(), 207, "{told:#}");
        let results = told["results"].as_array().unwrap();
        assert_eq!(results.len(), some.len());
        for (host, result) in some.iter().zip(results) {
            assert_eq!(result["code"], "VALIDATION_FAILED", "{host:?}: {result}");
            assert_eq!(paths(result), HOST_PATHS, "{host:?}");
        }
    }
    assert_eq!(api.get("/api/accounts", 200).await["total"], 0);
}

#[tokio::test]
async fn no_spelling_is_taken_with_new_credentials() {
    let api = Api::new().await;
    let account = create(&api, "ada@example.com").await;
    let path = format!("{account}/credentials");
    for host in hosts::forbidden() {
        let credentials = &at(&host)["credentials"];
        let sent = json!({ "provider": "imap_smtp", "credentials": credentials });
        let refused = api
            .refused(Method::PATCH, &path, sent, "VALIDATION_FAILED")
            .await;
        assert_eq!(paths(&refused), HOST_PATHS, "{host:?}");
    }
    let servers = &api.get(&account, 200).await["providerMetadata"];
    assert_eq!(servers["imapHost"], "mail.example.com");
}

#[tokio::test]
async fn good_hosts_are_taken() {
    let api = Api::on_plan(Plan::Enterprise).await;
    for (i, host) in hosts::GOOD.iter().enumerate() {
        let mut account = at(host);
        account["email"] = format!("ada-{i}@example.com").into();
        api.post("/api/accounts", account, 201).await;
    }
}

/// A server on a loopback address of this process's own that counts who connects.
struct Trap {
    ip: Ipv4Addr,
    connected: Arc<AtomicUsize>,
}

impl Trap {
    async fn set() -> Self {
        let [_, a, b, c] = std::process::id().to_be_bytes();
        let ip = Ipv4Addr::new(127, a, b, c.max(1));
        let listener = TcpListener::bind((ip, SUBMISSION)).await.unwrap();
        let connected = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connected);
        tokio::spawn(async move {
            while let Ok((_hung_up, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { ip, connected }
    }

    fn connected(&self) -> usize {
        self.connected.load(Ordering::SeqCst)
    }
}

fn mail(dns: &NameServer, allow_loopback: bool) -> ImapSmtp {
    ImapSmtp::new(MailConfig {
        allow_loopback,
        name_server: Some(dns.at),
        ..MailConfig::default()
    })
    .unwrap()
}

/// As if it had been stored before there were rules.
#[tokio::test]
async fn no_spelling_is_connected_to_or_looked_up() {
    let trap = Trap::set().await;
    let dns = NameServer::with(&[&trap.ip.to_string()]).await;
    let mail_of_lambda = mail(&dns, false);
    for host in [hosts::forbidden(), hosts::spellings_of(trap.ip)].concat() {
        for sink in SINKS {
            for port in sink.ports() {
                let refused = connect(sink, &mail_of_lambda, &host, *port).await;
                assert_eq!(refused, Some(ConnectFailure::Unreachable), "{host:?}");
            }
        }
    }
    assert_eq!((trap.connected(), dns.asked()), (0, 0));
    // The trap works: local development may go there.
    connect(
        Sink::Smtp,
        &mail(&dns, true),
        "trap.example.com",
        SUBMISSION,
    )
    .await;
    assert_eq!(trap.connected(), 1);
}

#[tokio::test]
async fn no_name_of_a_forbidden_address_is_connected_to() {
    let trap = Trap::set().await;
    let own = [
        ("trap.example.com", trap.ip.to_string()),
        ("mapped.example.com", trap.ip.to_ipv6_mapped().to_string()),
    ];
    let rebinding = hosts::REBINDING.iter();
    let rebinding = rebinding.map(|(name, ip)| (*name, (*ip).to_owned()));
    for (name, ip) in rebinding.chain(own) {
        let dns = NameServer::with(&[&ip]).await;
        for sink in SINKS {
            for port in sink.ports() {
                let refused = connect(sink, &mail(&dns, false), name, *port).await;
                assert_eq!(refused, Some(ConnectFailure::Unreachable), "{name} {ip}");
            }
        }
        assert!(dns.asked() > 0, "{name}");
    }
    assert_eq!(trap.connected(), 0);
}

/// What is not waited for is answered within this. It takes milliseconds; what waits, waits for seconds (`MailConfig`), so that a bound
/// between the two cannot fail on a busy machine nor pass by waiting.
const AT_ONCE: Duration = Duration::from_secs(1);

/// Nobody is to learn from us which ports are open where we may not connect: blocked is answered like closed, with the same words and
/// without waiting. Silence takes as long as a server may take, and has the same words.
#[tokio::test]
async fn blocked_closed_silent_and_nowhere_are_one_answer() {
    let closed = TcpSocket::new_v4().unwrap();
    closed.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let closed = closed.local_addr().unwrap().port();
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let silent = silent.local_addr().unwrap().port();
    let dns = NameServer::with(&["127.0.0.1"]).await;
    let nobody = NameServer::with(&[]).await;
    assert!(MailConfig::default().time.connect > 4 * AT_ONCE);
    for sink in SINKS {
        let own = sink.ports()[0];
        let name = "a.example.com";
        for (what, mail, host, port, is_at_once) in [
            ("blocked", mail(&dns, false), name, own, true),
            ("forbidden", mail(&dns, false), "127.0.0.1", own, true),
            ("closed", mail(&dns, true), name, closed, true),
            ("silent", mail(&dns, true), name, silent, false),
            ("nowhere", mail(&nobody, false), name, own, false),
        ] {
            let begun = Instant::now();
            let answer = connect(sink, &mail, host, port).await;
            let took = begun.elapsed();
            assert_eq!(answer, Some(ConnectFailure::Unreachable), "{sink:?} {what}");
            assert!(
                took < AT_ONCE || !is_at_once,
                "{sink:?} {what} took {took:?}"
            );
        }
    }
}
