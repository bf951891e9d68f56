//! Nothing secret is logged, at any level, by us or by a library.

use agentwarm_app::ports::mail::{Folder, Submission};
use agentwarm_testkit::log::Log;

use crate::server::{PASSWORD, Server, base64, fetched, mail, selected};

/// Sends, reads, and fails at both.
async fn work() {
    let server = Server::secure(|mut peer| async move {
        peer.smtp_login(&[]).await;
        peer.on("MAIL", "250 ok\r\n").await;
        peer.on("RCPT", "250 ok\r\n").await;
        peer.on("DATA", "354 go\r\n").await;
        peer.content().await.unwrap();
        peer.say("250 ok\r\n").await;
        peer.on("MAIL", "nonsense canary-reply\r\n").await;
    })
    .await;
    let mut session = server.sender().await.unwrap();
    assert_eq!(session.send(&mail()).await, Submission::Accepted);
    assert!(matches!(
        session.send(&mail()).await,
        Submission::NotSent(_)
    ));

    let server = Server::secure(|mut peer| async move {
        peer.imap_login("").await;
        let headers = fetched(1, "Message-ID: <a@x>\nX-AW-Token: canary-token\n") + "TAG OK\r\n";
        peer.imap(&[("SELECT \"INBOX\"", &selected(1, 2, 1))]).await;
        let line = peer.hear().await.unwrap();
        peer.say(headers.replace("TAG", line.split(' ').next().unwrap()))
            .await;
    })
    .await;
    let mut session = server.reader().await.unwrap();
    session.read(Folder::Inbox, None, 10).await.unwrap();
    assert!(session.read(Folder::Inbox, None, 10).await.is_err());

    let server = Server::secure(|mut peer| async move {
        peer.say("* OK [CAPABILITY IMAP4rev1] hi\r\n").await;
        peer.imap(&[("LOGIN \"ada@one.test\" {16}", "+ go\r\n")])
            .await;
        peer.hear().await;
    })
    .await;
    assert!(server.reader().await.is_err());
}

#[tokio::test]
async fn nothing_secret_is_logged_at_trace() {
    let (log, listening) = Log::of_this_thread();
    work().await;
    drop(listening);
    let log = log.text();
    assert!(log.contains("session lost"), "something is logged: {log}");
    for secret in [
        PASSWORD.to_owned(),
        base64(PASSWORD),
        base64(&format!("\0ada@one.test\0{PASSWORD}")),
        "canary".to_owned(),
        "ada@one.test".to_owned(),
        "bob@two.test".to_owned(),
    ] {
        assert!(!log.contains(&secret), "{secret} in {log}");
    }
}
