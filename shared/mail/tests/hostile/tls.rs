//! Certificates are always verified.

use std::time::Duration;

use agentwarm_app::ports::mail::{ConnectFailure, MailReader, MailSender, TlsMode};
use agentwarm_mail::{ImapSmtp, MailConfig, TimeLimits};
use tokio::time::Instant;

use crate::server::{PATIENT, Pki, Server, script};

const UNVERIFIED: ConnectFailure = ConnectFailure::Tls("the certificate does not verify");

#[tokio::test]
async fn a_certificate_from_nowhere_or_for_another_host_ends_it() {
    for names in [&["localhost"][..], &["mail.one.test"]] {
        for smtp in [false, true] {
            let pki = Pki::for_names(names);
            let script = script(|_peer| async { panic!("the handshake went through") });
            let mut server = Server::start(pki, TlsMode::Implicit, script).await;
            if names == ["localhost"] {
                server.ca_pem = Pki::new().ca_pem;
            }
            let refused = if smtp {
                server.sender().await.err()
            } else {
                server.reader().await.err()
            };
            assert_eq!(refused, Some(UNVERIFIED), "{names:?}");
            server.ended().await;
        }
    }
}

#[tokio::test]
async fn an_upgraded_connection_is_verified_too() {
    let mut server = Server::plain(|mut peer| async move {
        peer.say("220 hi\r\n").await;
        peer.on("EHLO", "250-hi\r\n250 STARTTLS\r\n").await;
        peer.on("STARTTLS", "220 go\r\n").await;
        assert!(peer.start_tls().await.is_none());
    })
    .await;
    server.ca_pem = Pki::new().ca_pem;
    assert_eq!(server.sender().await.err(), Some(UNVERIFIED));
    server.ended().await;
}

#[tokio::test]
async fn a_server_without_tls_is_no_mail_server() {
    let mut server = Server::plain(|mut peer| async move {
        peer.say("220 hi\r\n").await;
        // The client's hello, which is not text.
        drop(peer);
    })
    .await;
    let mut credentials = server.credentials();
    credentials.smtp_security = Some(TlsMode::Implicit);
    server.ca_pem = Pki::new().ca_pem;
    let mailboxes = server.mailboxes(PATIENT);
    let refused = MailSender::connect(&mailboxes, &credentials).await;
    assert_eq!(
        refused.err(),
        Some(ConnectFailure::Tls("the handshake failed"))
    );
    server.ended().await;
}

#[tokio::test]
async fn a_handshake_that_does_not_go_on_ends_in_time() {
    let server = Server::plain(|mut peer| async move {
        // The client's hello, half of it or all, and never an answer.
        peer.pause().await;
    })
    .await;
    let mut credentials = server.credentials();
    credentials.imap_security = Some(TlsMode::Implicit);
    let time = TimeLimits {
        connect: Duration::from_millis(300),
        ..PATIENT
    };
    let refused = MailReader::connect(&server.mailboxes(time), &credentials).await;
    assert_eq!(refused.err(), Some(ConnectFailure::Unreachable));
    server.ended().await;
}

/// Longer than it takes to connect.
const HESITATION: Duration = Duration::from_millis(1_200);

const IMPATIENT: TimeLimits = TimeLimits {
    connect: Duration::from_secs(1),
    ..PATIENT
};

#[tokio::test]
async fn a_server_that_lets_strangers_wait_is_waited_for_ahead_of_starttls_too() {
    let server = Server::plain(|mut peer| async move {
        tokio::time::sleep(HESITATION).await;
        peer.say("220 hi\r\n").await;
        peer.on("EHLO", "250-hi\r\n250 STARTTLS\r\n").await;
        peer.on("STARTTLS", "220 go\r\n").await;
        let mut peer = peer.start_tls().await.unwrap();
        peer.on("EHLO", "250-hi\r\n250 AUTH PLAIN\r\n").await;
        peer.on("AUTH PLAIN", "235 in\r\n").await;
    })
    .await;
    let mailboxes = server.mailboxes(IMPATIENT);
    let session = MailSender::connect(&mailboxes, &server.credentials()).await;
    assert_eq!(session.map(|_session| ()).err(), None);
    server.ended().await;

    let server = Server::plain(|mut peer| async move {
        tokio::time::sleep(HESITATION).await;
        peer.say("* OK hi\r\n").await;
        peer.imap(&[("STARTTLS", "TAG OK go\r\n")]).await;
        let mut peer = peer.start_tls().await.unwrap();
        let offer = "* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\r\nTAG OK\r\n";
        peer.imap(&[("CAPABILITY", offer)]).await;
        peer.hear().await.unwrap();
        peer.say("a2 OK [CAPABILITY IMAP4rev1] in\r\n").await;
    })
    .await;
    let mailboxes = server.mailboxes(IMPATIENT);
    let session = MailReader::connect(&mailboxes, &server.credentials()).await;
    assert_eq!(session.map(|_session| ()).err(), None);
    server.ended().await;
}

#[tokio::test]
async fn a_handshake_after_starttls_ends_in_time_and_so_does_everything() {
    for time in [
        IMPATIENT,
        TimeLimits {
            session: Duration::from_secs(1),
            ..PATIENT
        },
    ] {
        let server = Server::plain(|mut peer| async move {
            peer.say("220 hi\r\n").await;
            peer.on("EHLO", "250-hi\r\n250 STARTTLS\r\n").await;
            peer.on("STARTTLS", "220 go\r\n").await;
            peer.pause().await;
        })
        .await;
        let begun = Instant::now();
        let refused = MailSender::connect(&server.mailboxes(time), &server.credentials()).await;
        assert_eq!(refused.err(), Some(ConnectFailure::Unreachable));
        let took = begun.elapsed();
        assert!(took < PATIENT.connect / 2, "{took:?}");
        server.ended().await;
    }
}

#[tokio::test]
async fn loopback_needs_the_switch() {
    let server = Server::secure(|_peer| async { panic!("somebody connected") }).await;
    let mailboxes = ImapSmtp::new(MailConfig {
        private_ca_pem: Some(server.ca_pem.clone()),
        ..Default::default()
    })
    .unwrap();
    for host in ["localhost", "127.0.0.1", "[::1]", "::ffff:127.0.0.1"] {
        let mut credentials = server.credentials();
        credentials.imap_host = host.into();
        credentials.imap_port = 993;
        let refused = MailReader::connect(&mailboxes, &credentials);
        assert_eq!(refused.await.err(), Some(ConnectFailure::Unreachable));
    }
}
