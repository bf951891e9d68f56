//! Handshakes that do not go on, and certificates that are none.

use agentwarm_app::ports::endpoints::MailProtocol;
use agentwarm_app::ports::mail::TlsMode;
use agentwarm_testkit::scripted::{Pki, Script, script};

use crate::behaviour::{Act, Behaviour, Outcome, Task, UNREACHABLE, insecure};
use crate::measure::measure_waiting;
use crate::{imap_server, smtp_server};

const TASKS: [Task; 2] = [Task::Read, Task::Send];

/// Instead of a handshake, this.
fn handshake(name: &str, act: &Act, expected: &Outcome) -> Vec<Behaviour> {
    let behaviour = |task: Task| {
        let act = act.clone();
        let serve = move || -> Script {
            let act = act.clone();
            script(|mut peer| async move {
                act.run(&mut peer, "").await;
            })
        };
        let name = format!("{}: {name}", task.protocol().name());
        Behaviour {
            begins: TlsMode::StartTls,
            ..Behaviour::new(name, task, TlsMode::Implicit, serve, expected.clone())
        }
    };
    TASKS.map(behaviour).into()
}

#[tokio::test(flavor = "multi_thread")]
async fn handshakes_end_in_time() {
    // Records (RFC 8446 §5.1): a handshake's beginning that announces 16 KB; whole ones of nothing that is known; warnings; "change cipher".
    let begun = b"\x16\x03\x03\x40\x00\x02\x00\xff\xff".to_vec();
    let whole = [&b"\x16\x03\x03\x40\x00\x0b\xff\xff\xff"[..], &[0; 0x3ffc]].concat();
    let failed = insecure("the handshake failed");
    let behaviours = [
        ("silence instead of TLS", Act::Silence, UNREACHABLE),
        (
            "a handshake that stops",
            Act::Once(begun.clone()),
            UNREACHABLE,
        ),
        (
            "a handshake a byte a second",
            Act::Drip(begun, 1),
            UNREACHABLE,
        ),
        ("a handshake without end", Act::Flood(whole), failed.clone()),
        (
            "plain text instead of TLS",
            Act::Last(b"* OK hello\r\n220 hello\r\n".to_vec()),
            failed.clone(),
        ),
        (
            "hanging up instead of TLS",
            Act::Last(Vec::new()),
            failed.clone(),
        ),
        (
            "warnings without end",
            Act::Flood(b"\x15\x03\x03\x00\x02\x01\x5a".repeat(100)),
            failed.clone(),
        ),
        (
            "changes of cipher without end",
            Act::Flood(b"\x14\x03\x03\x00\x01\x01".repeat(100)),
            failed,
        ),
    ];
    let all = behaviours
        .iter()
        .map(|(name, act, expected)| handshake(name, act, expected));
    measure_waiting(all.flatten().collect()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_verified() {
    let certificate = |name: &str, pki: fn() -> Pki| {
        [TlsMode::Implicit, TlsMode::StartTls].map(|security| {
            TASKS.map(|task| Behaviour {
                pki: pki(),
                ..Behaviour::new(
                    format!("{}: {name}, {security:?}", task.protocol().name()),
                    task,
                    security,
                    move || match task.protocol() {
                        MailProtocol::Imap => imap_server::good(),
                        MailProtocol::Smtp => smtp_server::good(),
                    },
                    insecure("the certificate does not verify"),
                )
            })
        })
    };
    let behaviours = [
        certificate("a certificate for another host", || {
            Pki::for_names(&["mail.one.test"])
        }),
        certificate("an expired certificate", Pki::expired),
        certificate("a certificate that vouches for itself", Pki::self_signed),
        certificate("a certificate of an unknown CA", Pki::unknown),
    ];
    measure_waiting(behaviours.into_iter().flatten().flatten().collect()).await;
}
