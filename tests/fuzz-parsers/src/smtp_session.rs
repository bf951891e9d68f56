//! An SMTP session with a server that says anything: whether what is reported of a mail fits what was done with it.

use agentwarm_app::ports::letters::{Body, Draft, Gate, Letter, Posted, Refusal};
use agentwarm_app::ports::mail::{OutgoingMail, SendSession, SmtpPhase, Submission};
use agentwarm_core::mail::bounce::EnhancedStatus;
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use crate::server::{
    Server, Told, clients, credentials, has, knows_password, lines, orders_and_script, run,
    tells_password,
};

/// How many orders are carried out.
const MOST_ORDERS: usize = 4;

/// Longest text of a refusal, in characters.
const LONGEST_TEXT: usize = 200;

/// A word of the mails' texts, which nothing but their content has. It begins its line with a dot.
const CONTENT: &str = ".lunch at noon";

/// Where content ends.
const END: &[u8] = b"\r\n.\r\n";

struct Open;

#[async_trait]
impl Gate for Open {
    async fn open(&self) -> bool {
        true
    }
}

/// The first line is orders, a letter each: `s` sends a mail, `p` posts a letter to three. The rest is what the server says.
pub fn check(bytes: &[u8]) {
    let (orders, script) = orders_and_script(bytes);
    let (server, told) = Server::new(script);
    run(async {
        let Ok(mut session) = clients().send_over(server, &credentials()).await else {
            return;
        };
        for order in orders.iter().take(MOST_ORDERS) {
            match order {
                b's' => send(session.as_mut(), &told).await,
                b'p' => post(session.as_mut(), &told).await,
                _ => {}
            }
        }
        session.close().await;
    });
    judge(&told.lock().unwrap(), knows_password(script));
}

async fn send(session: &mut dyn SendSession, told: &Told) {
    let begun = contents(told);
    let outcome = session.send(&mail()).await;
    judge_outcome(&outcome, contents(told) - begun);
}

async fn post(session: &mut dyn SendSession, told: &Told) {
    let begun = contents(told);
    let letter = letter();
    let outcome = session.post(&letter, &Open).await;
    let said = contents(told) - begun;
    match outcome {
        Posted::Settled(outcome) => judge_outcome(&outcome, said),
        Posted::RecipientsRefused(refused) => {
            assert!(said == 0 && !refused.is_empty());
            for one in refused {
                assert!(letter.draft.recipients().contains(&&one.address));
                let Refusal {
                    phase,
                    code,
                    enhanced,
                    text,
                } = one.refusal;
                assert_eq!(phase, SmtpPhase::RcptTo);
                judge_refusal(code, enhanced.as_deref(), &text);
            }
        }
        Posted::Stopped => panic!("the gate was open"),
    }
}

/// How often content was sent.
fn contents(told: &Told) -> usize {
    let told = told.lock().unwrap();
    told.iter().filter(|said| said.ends_with(END)).count()
}

/// What is said of a mail follows from how often its content was sent (decision 31).
fn judge_outcome(outcome: &Submission, said: usize) {
    let may_exist = match outcome {
        Submission::Accepted | Submission::InDoubt => true,
        Submission::NotSent(_) => false,
        Submission::Refused {
            phase,
            code,
            enhanced,
            text,
        } => {
            judge_refusal(*code, enhanced.as_deref(), text);
            *phase == SmtpPhase::Content
        }
    };
    assert_eq!(said, usize::from(may_exist), "{outcome:?}");
}

fn judge_refusal(code: u16, enhanced: Option<&str>, text: &str) {
    assert!((400..600).contains(&code), "{code}");
    if let Some(enhanced) = enhanced {
        let status: EnhancedStatus = enhanced.parse().expect("an enhanced code");
        assert_eq!(u16::from(status.class), code / 100);
    }
    assert!(text.chars().count() <= LONGEST_TEXT);
    assert!(
        !text.contains('@') && !text.contains(char::is_control),
        "{text:?}"
    );
}

/// What was said is commands and contents, and nobody learns the password but in answer to AUTH, or who said it first (`is_known`).
fn judge(told: &[Vec<u8>], is_known: bool) {
    let mut is_login = false;
    let mut data = false;
    for said in told {
        if let Some(message) = said.strip_suffix(END).filter(|_| data) {
            judge_content(message);
            data = false;
            continue;
        }
        assert!(!has(said, CONTENT.as_bytes()), "content without DATA");
        let said_lines = lines(said);
        is_login = match said_lines.first() {
            Some(line) if line.starts_with(b"AUTH ") => true,
            Some(line) => is_login && STANDARD.decode(line).is_ok(),
            None => false,
        };
        for line in &said_lines {
            assert!(line.len() <= 510, "a command of {} bytes", line.len());
            assert!(line.is_ascii());
        }
        data = said_lines.last() == Some(&b"DATA".as_slice());
        assert!(
            is_login || is_known || !tells_password(said),
            "the password"
        );
    }
}

/// Lines that a server takes (RFC 5321 §4.5.3.1.6), none of which is its end.
fn judge_content(message: &[u8]) {
    for line in lines(&[message, b"\r\n"].concat()) {
        assert!(line.len() <= 998, "a line of {} bytes", line.len());
        assert_ne!(line, b".");
    }
    assert!(
        has(message, format!("\r\n.{CONTENT}").as_bytes()),
        "a dot was lost"
    );
}

fn mail() -> OutgoingMail {
    OutgoingMail {
        from: ("Ada".into(), "ada@one.test".parse().unwrap()),
        to: ("Bo".into(), "bo@two.test".parse().unwrap()),
        subject: "Lunch".into(),
        text: format!("Hi Bo,\n{CONTENT}\nAda"),
        message_id: "a.b@one.test".into(),
        date: Timestamp::UNIX_EPOCH,
        in_reply_to: None,
        references: vec![],
        headers: vec![],
    }
}

fn letter() -> Letter {
    let one = |name: &str| (String::new(), format!("{name}@two.test").parse().unwrap());
    Letter {
        from: ("Ada".into(), "ada@one.test".parse().unwrap()),
        draft: Draft {
            to: vec![one("bo"), one("cy")],
            cc: vec![],
            bcc: vec![one("di")],
            subject: "Lunch".into(),
            body: Body::Text(format!("Hi,\n{CONTENT}\nAda")),
            attachments: vec![],
            in_reply_to: None,
            references: vec![],
        },
        message_id: "a.c@one.test".parse().unwrap(),
        date: Timestamp::UNIX_EPOCH,
    }
}
