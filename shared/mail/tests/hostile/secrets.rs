//! Nothing secret is logged, at any level, by us or by a library.

use std::io;
use std::sync::{Arc, Mutex};

use agentwarm_app::ports::mail::{Folder, Submission};
use tracing_subscriber::fmt::MakeWriter;

use crate::server::{PASSWORD, Server, base64, fetched, mail, selected};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Log {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

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
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    work().await;
    drop(guard);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
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
