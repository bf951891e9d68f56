//! An IMAP session with a server that says anything: what the client makes of it, and what it can be made to say.

use agentwarm_app::ports::inbox::Headlines;
use agentwarm_app::ports::letters::{Body, Draft, Letter};
use agentwarm_app::ports::mail::{
    ConnectFailure, Folder, FolderCursor, FolderRead, Location, ReadSession,
};
use agentwarm_mail::mime::header::is_message_id;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use tokio::time::Instant;

use crate::mail_content;
use crate::server::{
    Server, clients, credentials, knows_password, lines, orders_and_script, run, tells_password,
};

/// How many orders are carried out.
const MOST_ORDERS: usize = 6;

/// How many messages are asked for.
const LIMIT: u32 = 20;

/// More commands than any order gives.
const MOST_COMMANDS: usize = 600;

/// Where reading goes on.
const CURSOR: FolderCursor = FolderCursor {
    uid_validity: 7,
    uid_next: 40,
    mod_seq: None,
};

/// The Message-ID that is looked for.
const SOUGHT: &str = "a.b@one.test";

/// The first line is orders, a letter each: `r` reads INBOX, `j` Junk from a cursor, `f` finds a message, `m` moves one, `h` shows a
/// folder, `l` files a letter, `s` and `i` mark. The rest is what the server says.
pub fn check(bytes: &[u8]) {
    let (orders, script) = orders_and_script(bytes);
    let (server, told) = Server::new(script);
    run(async {
        let Ok(mut session) = clients().read_over(server, &credentials()).await else {
            return;
        };
        for order in orders.iter().take(MOST_ORDERS) {
            if carry_out(*order, session.as_mut()).await.is_err() {
                break;
            }
        }
        session.close().await;
    });
    let told = told.lock().unwrap();
    assert!(told.len() < MOST_COMMANDS, "{} commands", told.len());
    judge(&told, knows_password(script));
}

async fn carry_out(order: u8, session: &mut dyn ReadSession) -> Result<(), ConnectFailure> {
    let at = Location {
        mailbox: "INBOX".into(),
        folder: Some(Folder::Inbox),
        uid: 3,
    };
    match order {
        b'r' => judge_read(session.read(Folder::Inbox, None, LIMIT).await?),
        b'j' => judge_read(session.read(Folder::Junk, Some(CURSOR), LIMIT).await?),
        b'f' => {
            let folders = [Folder::Inbox, Folder::Junk, Folder::Warmup];
            session.find(SOUGHT, &folders, true).await?;
        }
        b'm' => session.relocate(&at, Folder::Warmup).await?,
        b'h' => show(session).await?,
        b'l' => session.file(&letter(), Folder::Sent).await?,
        b's' => session.mark_seen(&at).await?,
        b'i' => session.mark_important(&at).await?,
        _ => {}
    }
    Ok(())
}

fn judge_read(read: Option<FolderRead>) {
    let Some(FolderRead {
        messages,
        cursor: end,
        ..
    }) = read
    else {
        return;
    };
    assert!(
        messages.len() <= LIMIT as usize,
        "{} messages",
        messages.len()
    );
    let uids: Vec<u32> = messages.iter().map(|one| one.location.uid).collect();
    assert!(uids.is_sorted_by(|one, next| one < next), "{uids:?}");
    assert!(
        uids.iter()
            .all(|uid| *uid < end.uid_next || *uid == u32::MAX),
        "{uids:?} are to be read again from {}",
        end.uid_next
    );
    for message in messages {
        assert!(message.message_id.as_deref().is_none_or(is_message_id));
        crate::mail_report::judge(&message.content);
    }
}

async fn show(session: &mut dyn ReadSession) -> Result<(), ConnectFailure> {
    let since: Timestamp = "2026-03-13T09:00:00Z".parse().unwrap();
    let Some(Headlines { messages, .. }) = session.headlines("Archive", since, LIMIT).await? else {
        return Ok(());
    };
    assert!(
        messages.len() <= LIMIT as usize,
        "{} messages",
        messages.len()
    );
    assert!(messages.iter().all(|one| one.received >= since));
    assert!(messages.is_sorted_by_key(|one| std::cmp::Reverse(one.received)));
    let contents = session.contents(&messages, Instant::now()).await?;
    for (uid, content) in &contents {
        assert!(messages.iter().any(|one| one.uid == *uid), "{uid}");
        mail_content::judge(content);
    }
    Ok(())
}

fn letter() -> Letter {
    let ada = ("Ada".to_owned(), "ada@one.test".parse().unwrap());
    Letter {
        from: ada.clone(),
        draft: Draft {
            to: vec![ada],
            cc: vec![],
            bcc: vec![],
            subject: "Lunch".into(),
            body: Body::Text("At noon?".into()),
            attachments: vec![],
            in_reply_to: None,
            references: vec![],
        },
        message_id: SOUGHT.parse().unwrap(),
        date: Timestamp::UNIX_EPOCH,
    }
}

/// What was said is commands, in lines that a server's words cannot end or begin.
/// The password is told to log in, or to a server that said it first (`is_known`).
fn judge(told: &[Vec<u8>], is_known: bool) {
    let (mut tags, mut announced) = (0_u32, None);
    let mut is_login = false;
    for said in told {
        let next = format!("a{} ", tags + 1);
        if said.starts_with(next.as_bytes()) {
            for line in lines(said) {
                tags += 1;
                let command = line.strip_prefix(format!("a{tags} ").as_bytes());
                let command = command.expect("a command has the next tag");
                is_login = command.starts_with(b"AUTHENTICATE ") || command.starts_with(b"LOGIN ");
                assert!(
                    is_one_command(command),
                    "{:?}",
                    String::from_utf8_lossy(line)
                );
            }
        } else if let Some(length) = announced {
            assert!(
                said.len() >= length,
                "a literal that was announced with {length} bytes"
            );
            let after = said.get(length..).unwrap_or_default();
            assert_eq!(lines(after).len(), 1, "after a literal");
        } else {
            assert!(is_login, "unasked: {:?}", String::from_utf8_lossy(said));
            let answer = lines(said);
            let is_base64 = |line: &&[u8]| STANDARD.decode(line).is_ok();
            assert!(matches!(answer.as_slice(), [line] if is_base64(line)));
        }
        announced = literal(said);
        assert!(
            is_login || is_known || !tells_password(said),
            "the password"
        );
    }
}

/// Printable ASCII, with quotation marks that match (RFC 3501 §9 `quoted`).
fn is_one_command(command: &[u8]) -> bool {
    let (mut quoted, mut escaped) = (false, false);
    for byte in command {
        if !(b' '..=b'~').contains(byte) {
            return false;
        }
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ => {}
        }
    }
    !quoted && !escaped
}

/// The size of the literal that is announced at the end.
fn literal(said: &[u8]) -> Option<usize> {
    let line = said.strip_suffix(b"}\r\n")?;
    let at = line.iter().rposition(|byte| *byte == b'{')?;
    std::str::from_utf8(line.get(at + 1..)?).ok()?.parse().ok()
}
