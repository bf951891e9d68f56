//! Mailboxes at the local stack's servers.

use std::time::{Duration, UNIX_EPOCH};

use agentwarm_app::ports::mail::{
    Folder, FolderCursor, FoundMessage, ImapSmtpCredentials, MailReader, MailSender, OutgoingMail,
    ReadSession, SendSession, Submission, TlsMode,
};
use agentwarm_mail::{ImapSmtp, MailConfig};

/// How long a mail may be on its way between two servers of one machine.
const DELIVERY: Duration = Duration::from_secs(30);

/// Where the servers are, from the environment that `make test` exports.
struct Servers {
    ca_pem: String,
    password: String,
}

impl Servers {
    fn find() -> Self {
        let ca_file = variable("AGENTWARM_CA_FILE");
        let ca_pem = std::fs::read_to_string(&ca_file).unwrap_or_else(|error| {
            panic!("{ca_file}: {error}: are the mail servers running? `make test` starts them")
        });
        Self {
            ca_pem,
            password: variable("AGENTWARM_WILD_PASSWORD"),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests are told where the servers are by their environment"
)]
fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: `make test` starts the mail servers and says where they are")
    })
}

fn port(name: &str) -> u16 {
    variable(name).parse().unwrap()
}

/// Both ways to secure a connection.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Way {
    Implicit,
    StartTls,
}

/// One mailbox and the client that looks after it.
pub(crate) struct Mailbox {
    pub(crate) address: String,
    pub(crate) credentials: ImapSmtpCredentials,
    pub(crate) client: ImapSmtp,
}

impl Mailbox {
    pub(crate) fn new(address: &str, way: Way) -> Self {
        Self::with_folder(address, way, "Warmup")
    }

    pub(crate) fn with_folder(address: &str, way: Way, warmup_folder: &str) -> Self {
        let servers = Servers::find();
        let (imap, smtp, security) = match way {
            Way::Implicit => (
                "AGENTWARM_PORT_IMAPS",
                "AGENTWARM_PORT_SMTPS",
                TlsMode::Implicit,
            ),
            Way::StartTls => (
                "AGENTWARM_PORT_IMAP",
                "AGENTWARM_PORT_SMTP",
                TlsMode::StartTls,
            ),
        };
        let client = ImapSmtp::new(MailConfig {
            allow_loopback: true,
            private_ca_pem: Some(servers.ca_pem),
            warmup_folder: warmup_folder.into(),
            ..MailConfig::default()
        });
        Self {
            address: address.into(),
            credentials: ImapSmtpCredentials {
                imap_host: variable("AGENTWARM_MAIL_HOST"),
                imap_port: port(imap),
                smtp_host: variable("AGENTWARM_MAIL_HOST"),
                smtp_port: port(smtp),
                username: address.into(),
                password: servers.password,
                imap_security: Some(security),
                smtp_security: Some(security),
                oauth: false,
            },
            client: client.unwrap(),
        }
    }

    pub(crate) async fn sender(&self) -> Box<dyn SendSession> {
        MailSender::connect(&self.client, &self.credentials)
            .await
            .unwrap()
    }

    pub(crate) async fn reader(&self) -> Box<dyn ReadSession> {
        MailReader::connect(&self.client, &self.credentials)
            .await
            .unwrap()
    }

    /// A mail to somebody, with a Message-ID that ends in `digit`, by which cedar.test files it.
    pub(crate) fn mail_to(&self, to: &str, digit: char) -> OutgoingMail {
        let unique = UNIX_EPOCH.elapsed().unwrap().as_nanos();
        OutgoingMail {
            from: ("Åsa Lund".into(), self.address.parse().unwrap()),
            to: ("Bob".into(), to.parse().unwrap()),
            subject: "Mittagessen am Donnerstag? — 昼食".into(),
            text: "Grüße\n\n.\nund bis bald\n".into(),
            message_id: format!("{unique}.{digit}@acorn.test"),
            date: "2026-03-04T05:06:07Z".parse().unwrap(),
            in_reply_to: None,
            references: vec![],
            headers: vec![("X-AW-Token".into(), format!("v1.{unique}"))],
        }
    }

    pub(crate) async fn send(&self, mail: &OutgoingMail) -> Submission {
        let mut session = self.sender().await;
        let outcome = session.send(mail).await;
        session.close().await;
        outcome
    }

    /// Where a folder ends now.
    pub(crate) async fn end_of(&self, folder: Folder) -> Option<FolderCursor> {
        let mut session = self.reader().await;
        let mut cursor = None;
        loop {
            let read = session.read(folder, cursor, 500).await.unwrap()?;
            cursor = Some(read.cursor);
            if !read.more {
                session.close().await;
                return cursor;
            }
        }
    }

    /// The message that `is_it` in a folder behind a cursor, once it arrives; and the cursor behind it.
    pub(crate) async fn await_message(
        &self,
        folder: Folder,
        mut cursor: Option<FolderCursor>,
        is_it: impl Fn(&FoundMessage) -> bool,
    ) -> (FoundMessage, FolderCursor) {
        let begin = tokio::time::Instant::now();
        let mut session = self.reader().await;
        loop {
            if let Some(read) = session.read(folder, cursor, 50).await.unwrap() {
                cursor = Some(read.cursor);
                if let Some(message) = read.messages.into_iter().find(|message| is_it(message)) {
                    session.close().await;
                    return (message, read.cursor);
                }
            }
            assert!(
                begin.elapsed() < DELIVERY,
                "the mail did not arrive in {folder:?}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
